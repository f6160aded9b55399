"""The agencies' edge as real processes, and around it the test's own hands: an operator who grants, agencies who read
with their own credentials, and a publisher in the place of the services. No other service runs."""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.queue.v1 import events_pb2 as queue_events
from mpp.subscriptions.v1 import grants_service_pb2 as pb
from mpp.subscriptions.v1.grants_service_pb2_grpc import GrantsServiceStub
from mpp_chassis import broker
from mpp_chassis.events import Event, encode, event_type, new_event_id

SITE = "sites/uji-instansi"
TIMEOUT = 20


@dataclass(frozen=True)
class Agency:
    """An agency of the test's own, with what it was told."""

    name: str
    grant: Any
    password: str

    @property
    def account(self) -> str:
        return str(self.grant.broker.username)


class Edge:
    """Calls the service as the operator, connects to the broker as agencies, tells what services would."""

    def __init__(self, services: Any, amqp_uri: str) -> None:
        self.services, self.amqp_uri = services, amqp_uri
        self.stub = services.stub("subscriptions", GrantsServiceStub)
        self.operator = services.auth("platform_admin")
        self.database = services.database("subscriptions")
        self._publisher = broker.Publisher(amqp_uri)
        self._open: list[Any] = []

    # -- the operator

    def create(self, agency: str, *entitlements: str, request_id: str = "", who: Any = None) -> Any:
        request = pb.CreateGrantRequest(
            parent=SITE, agency=agency, entitlements=entitlements, request_id=request_id or str(uuid.uuid4())
        )
        return self.stub.CreateGrant(request, metadata=who or self.operator, timeout=TIMEOUT)

    def do(self, rpc: str, name: str, request_id: str = "", who: Any = None, **given: Any) -> Any:
        """UpdateGrant, RotateGrant, RevokeGrant."""
        request = getattr(pb, f"{rpc}Request")(name=name, request_id=request_id or str(uuid.uuid4()), **given)
        return getattr(self.stub, rpc)(request, metadata=who or self.operator, timeout=TIMEOUT)

    def get(self, name: str, who: Any = None) -> Any:
        return self.stub.GetGrant(pb.GetGrantRequest(name=name), metadata=who or self.operator, timeout=TIMEOUT)

    def granted(self, *entitlements: str) -> Agency:
        """A new agency with an account at the broker."""
        name = f"{SITE}/agencies/a{uuid.uuid4().hex[:10]}"
        reply = self.create(name, *entitlements)
        assert reply.grant.provisioning == reply.grant.PROVISIONING_APPLIED
        return Agency(name, reply.grant, reply.password)

    # -- an agency

    def connect(self, account: str, password: str) -> Any:
        """An AMQP connection with somebody's own credentials."""
        to = urlsplit(self.amqp_uri)
        conn = broker.connection(f"amqp://{account}:{password}@{to.hostname}:{to.port}//")
        self._open.append(conn)
        return conn

    def enter(self, agency: Agency) -> Any:
        """A channel of the agency."""
        channel = self.connect(agency.account, agency.password).channel()
        channel.basic_qos(0, 100, False)
        return channel

    # -- what services would tell

    def tell(self, message: Message, subject: str, sequence: int = 1) -> str:
        """Publish as the event's service would; returns the event's id."""
        now = datetime.now(UTC)
        event_id = new_event_id(now, random.Random())
        wires = encode(Event(message, subject), sequence=sequence, event_id=event_id, time=now, traceparent="")
        outgoing = [broker.Outgoing.of(event_type(type(message)).exchange, wire) for wire in wires]
        assert self._publisher.publish(outgoing).accepted == {o.id for o in outgoing}
        return event_id

    def call_ticket(self, number: str = "D-001") -> str:
        """A public event of the queue; returns the ticket's name."""
        name = f"{SITE}/queues/uji/tickets/{uuid.uuid4().hex[:26]}"
        self.tell(queue_events.TicketCalled(ticket=name, number=number, agency=f"{SITE}/agencies/uji", counter=1), name)
        return name

    def release(self) -> None:
        """Close what agencies have open."""
        for conn in self._open:
            with contextlib.suppress(Exception):
                conn.collect()
        self._open.clear()

    def close(self) -> None:
        self.release()
        self._publisher.close()


def headers(about: str) -> dict[str, str]:
    """Of an event that a test publishes past the envelope: readers of the streams meet it, too."""
    return {
        "ce-id": uuid.uuid4().hex, "ce-type": "mpp.queue.v1.TicketCalled", "ce-source": "/mpp/queue", "ce-subject": about,
        "ce-specversion": "1.0", "ce-sequence": "1", "ce-time": datetime.now(UTC).isoformat(),
    }  # fmt: skip


def take(channel: Any, queue: str) -> list[Any]:
    """All messages that lie in a queue now."""
    found = []
    while (message := channel.basic_get(queue, no_ack=True)) is not None:
        found.append(message)
    return found


def subject(message: Any) -> str:
    return str(message.headers["ce-subject"])


@dataclass(frozen=True)
class Refusal:
    code: str
    reason: str
    fields: tuple[str, ...]


@pytest.fixture
def refused() -> Callable[[Callable[[], Any]], Refusal]:
    """How the service refuses a call."""

    def told(call: Callable[[], Any]) -> Refusal:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        info, fields = error_details_pb2.ErrorInfo(), []
        for detail in rpc_status.from_call(caught.value).details:
            bad = error_details_pb2.BadRequest()
            detail.Unpack(info)
            if detail.Unpack(bad):
                fields += [v.field for v in bad.field_violations]
        return Refusal(caught.value.code().name, info.reason, tuple(fields))

    return told


@pytest.fixture(scope="session")
def edge_session(services: Any, amqp_uri: str) -> Iterator[Edge]:
    services.service("subscriptions")
    here = Edge(services, amqp_uri)
    yield here
    here.close()


@pytest.fixture
def edge(edge_session: Edge) -> Iterator[Edge]:
    yield edge_session
    edge_session.release()
