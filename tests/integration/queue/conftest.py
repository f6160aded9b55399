"""The queue service as real processes, and around it the test's own hands: kiosks, officers, citizens, and a publisher
in the place of catalog and applications. No other service runs."""

from __future__ import annotations

import itertools
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.applications.v1 import events_pb2 as applications_events
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_chassis import broker
from mpp_chassis.events import Event, encode, new_event_id

SITE = "uji-antrean"
TIMEOUT = 30
_PREFIXES = ("".join(letters) for letters in itertools.product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=2))


@dataclass(frozen=True)
class Line:
    """A queue of the test's own, its agency and counters."""

    name: str
    agency: str
    prefix: str
    counters: tuple[int, ...]

    @property
    def agency_id(self) -> str:
        return self.agency.rsplit("/", 1)[1]


@dataclass
class Ear:
    """What went through an exchange since it was opened: (routing key, headers, body)."""

    channel: Any
    queue: str
    heard: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    ids: set[tuple[str, str]] = field(default_factory=set)  # at least once: what came twice is heard once

    def of(self, subject: str) -> list[tuple[str, dict[str, Any]]]:
        """(routing key, body) of the whole (not public) events of one ticket, by their sequence."""
        while (message := self.channel.basic_get(self.queue, no_ack=True)) is not None:
            body = message.body if isinstance(message.body, str) else message.body.decode()
            key = (message.delivery_info["routing_key"], message.headers["ce-id"])
            if key not in self.ids:
                self.ids.add(key)
                self.heard.append((key[0], dict(message.headers), json.loads(body)))
        mine = [h for h in self.heard if h[1]["ce-subject"] == subject and not h[0].endswith(".public")]
        return [(key, body) for key, _, body in sorted(mine, key=lambda h: int(h[1]["ce-sequence"]))]


class Hall:
    """Calls the service as somebody, and tells it what other services would."""

    def __init__(self, services: Any, amqp_uri: str) -> None:
        self.services = services
        self.stub = services.stub("queue", QueueServiceStub)
        self.database = services.database("queue")
        self._publisher = broker.Publisher(amqp_uri)
        self._amqp_uri = amqp_uri
        self._connections: list[Any] = []
        self._kiosk = services.auth("kiosk", site=SITE)  # asked for once: many threads use it

    # -- who calls

    def kiosk(self) -> Any:
        return self._kiosk

    def officer(self, line: Line, subject: str = "petugas-1") -> Any:
        return self.services.auth("officer", subject=subject, site=SITE, agency=line.agency_id)

    def citizen(self, subject: str = "ani") -> Any:
        return self.services.auth("citizen", subject=subject)

    # -- what they do

    def take(self, line: Line, who: Any = None, request_id: str = "", stub: Any = None, **given: Any) -> Any:
        request = pb.TakeTicketRequest(parent=line.name, request_id=request_id or str(uuid.uuid4()), **given)
        return (stub or self.stub).TakeTicket(request, metadata=who or self.kiosk(), timeout=TIMEOUT)

    def call(self, line: Line, counter: int = 0, request_id: str = "", who: Any = None, stub: Any = None) -> Any:
        request = pb.CallNextRequest(
            parent=line.name, counter=counter or line.counters[0], request_id=request_id or str(uuid.uuid4())
        )
        return (stub or self.stub).CallNext(request, metadata=who or self.officer(line), timeout=TIMEOUT)

    def do(self, rpc: str, ticket: Any, who: Any, request_id: str = "", **given: Any) -> Any:
        """RecallTicket, StartServing, FinishTicket, MissTicket, CancelTicket."""
        request = getattr(pb, f"{rpc}Request")(name=ticket.name, request_id=request_id or str(uuid.uuid4()), **given)
        return getattr(self.stub, rpc)(request, metadata=who, timeout=TIMEOUT)

    def get(self, ticket: Any, who: Any) -> Any:
        return self.stub.GetTicket(pb.GetTicketRequest(name=ticket.name), metadata=who, timeout=TIMEOUT)

    def status(self, line: Line) -> Any:
        return self.stub.GetQueue(pb.GetQueueRequest(name=line.name), timeout=TIMEOUT)

    # -- what other services would tell

    def tell(self, exchange: str, message: Message, subject: str, sequence: int, event_id: str = "") -> None:
        now = datetime.now(UTC)
        event_id = event_id or new_event_id(now, random.Random())
        wires = encode(Event(message, subject), sequence=sequence, event_id=event_id, time=now, traceparent="")
        self._publisher.publish([broker.Outgoing.of(exchange, wires[0])])

    def tell_agency(self, line: Line, sequence: int, *, closed: bool = False) -> None:
        agency = agency_pb2.Agency(name=line.agency)
        if not closed:
            agency.queue.CopyFrom(
                agency_pb2.QueueSpec(
                    id=line.name.rsplit("/", 1)[1],
                    prefix=line.prefix,
                    counters=line.counters,
                    minutes_per_visit=10,
                )
            )
        self.tell("catalog.events", catalog_events.AgencyPublished(agency=agency), line.agency, sequence)

    def tell_site(self) -> None:
        site = site_pb2.Site(name=f"sites/{SITE}", time_zone="Asia/Jakarta")
        self.tell("catalog.events", catalog_events.SitePublished(site=site), site.name, 1)

    def tell_application(self, ticket: str, application: str, event_id: str) -> None:
        message = applications_events.ApplicationOpened(application=application, ticket=ticket)
        self.tell("applications.events", message, application, 1, event_id)

    def open_line(self, counters: tuple[int, ...] = (1, 2, 3)) -> Line:
        """A queue that nobody used before."""
        made = uuid.uuid4().hex[:10]
        line = Line(f"sites/{SITE}/queues/q{made}", f"sites/{SITE}/agencies/a{made}", next(_PREFIXES), counters)
        self.tell_agency(line, 1)
        self.until(lambda: self.database["agencies"].find_one({"_id": line.agency}))
        return line

    def documents(self, line: Line) -> list[dict[str, Any]]:
        return list(self.database["tickets"].find({"site_id": SITE, "queue": line.name}).sort("seq", 1))

    def ear(self) -> Ear:
        connection = broker.connection(self._amqp_uri)
        self._connections.append(connection)
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, "queue.events", routing_key="#")
        return Ear(channel, queue)

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
        """The first truthy value of `condition`."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, f"not true within {seconds} s; last value {value!r}"
            time.sleep(0.02)
        return value

    def close(self) -> None:
        self._publisher.close()
        for connection in self._connections:
            connection.close()


class Refusal:
    """What a refused RPC tells: status name, reason, fields, metadata."""

    def __init__(self, error: grpc.RpcError) -> None:
        self.code = error.code().name
        self.reason, self.metadata, self.fields = "", {}, []
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                self.reason, self.metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                self.fields = [v.field for v in bad.field_violations]


@pytest.fixture(scope="session")
def refusal() -> Callable[..., Refusal]:
    def expect(function: Callable[..., Any], *given: Any, **named: Any) -> Refusal:
        with pytest.raises(grpc.RpcError) as caught:
            function(*given, **named)
        return Refusal(caught.value)

    return expect


@pytest.fixture(scope="session")
def hall(services: Any, amqp_uri: str) -> Iterator[Hall]:
    services.service("queue")
    here = Hall(services, amqp_uri)
    here.tell_site()
    here.until(lambda: here.database["sites"].find_one({"_id": f"sites/{SITE}"}))
    yield here
    here.close()


@pytest.fixture
def line(hall: Hall) -> Line:
    return hall.open_line()
