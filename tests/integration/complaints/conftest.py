"""The complaints service as real processes, and around it the test's own hands: citizens, handlers, a publisher
in the place of catalog and queue, an ear at the broker. No other service runs."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.complaints.v1 import complaint_pb2
from mpp.complaints.v1 import complaints_service_pb2 as rpc
from mpp.complaints.v1.complaints_service_pb2_grpc import ComplaintsServiceStub
from mpp_chassis import broker
from mpp_chassis.events import PUBLIC_EXCHANGE, Event, encode, new_event_id

SITE = "uji-keluhan"
NAME = f"sites/{SITE}"
DUKCAPIL, SAMSAT = f"{NAME}/agencies/dukcapil", f"{NAME}/agencies/samsat"
SECRET = "Petugas Loket Tiga meminta uang kepada Ibu Zulaikha"
PHONE = "+6281298765432"
TIMEOUT = 30


def holidays_from(today: date) -> list[date]:
    """The next two weekdays are holidays: any deadline from today on must jump over them."""
    ahead = (today + timedelta(days=n) for n in range(1, 10))
    return list(itertools.islice((d for d in ahead if d.isoweekday() < 6), 2))


@dataclass
class Ear:
    """What went through an exchange since it was opened: (routing key, headers, body as text)."""

    channel: Any
    queue: str
    heard: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    ids: set[tuple[str, str]] = field(default_factory=set)  # at least once: what came twice is heard once

    def listen(self) -> list[tuple[str, dict[str, Any], str]]:
        while (message := self.channel.basic_get(self.queue, no_ack=True)) is not None:
            body = message.body if isinstance(message.body, str) else message.body.decode()
            key = (message.delivery_info["routing_key"], message.headers["ce-id"])
            if key not in self.ids:
                self.ids.add(key)
                self.heard.append((key[0], dict(message.headers), body))
        return self.heard

    def of(self, complaint: str, key: str) -> list[dict[str, Any]]:
        """Bodies of the events of one complaint under one routing key, in order."""
        return [
            json.loads(body)
            for found, headers, body in self.listen()
            if found == key and headers["ce-subject"] == complaint
        ]


class Desk:
    """Calls the service as somebody, and tells it what other services would."""

    site, name, dukcapil, samsat, secret, phone = SITE, NAME, DUKCAPIL, SAMSAT, SECRET, PHONE

    def __init__(self, services: Any, amqp_uri: str) -> None:
        self.services = services
        self.stub = services.stub("complaints", ComplaintsServiceStub)
        self.database = services.database("complaints")
        self._publisher = broker.Publisher(amqp_uri)
        self._amqp_uri = amqp_uri
        self._connections: list[Any] = []
        self.holidays = holidays_from((datetime.now(UTC) + timedelta(hours=7)).date())

    # -- who calls

    def citizen(self, subject: str = "ani") -> Any:
        return self.services.auth("citizen", subject=subject)

    def kiosk(self) -> Any:
        return self.services.auth("kiosk", site=SITE)

    def officer(self, agency: str = "dukcapil") -> Any:
        return self.services.auth("officer", site=SITE, agency=agency, counter=3)

    def admin(self, agency: str = "dukcapil", site: str = SITE) -> Any:
        return self.services.auth("agency_admin", site=site, agency=agency)

    def manager(self, site: str = SITE) -> Any:
        return self.services.auth("site_manager", site=site)

    # -- what they do

    def request(self, **changes: Any) -> rpc.FileComplaintRequest:
        given = {
            "parent": NAME,
            "agency": DUKCAPIL,
            "subject": "Antrean terlalu lama",
            "text": SECRET,
            "phone": PHONE,
            "visibility": complaint_pb2.Complaint.VISIBILITY_PUBLIC,
            "request_id": str(uuid.uuid4()),
        }
        return rpc.FileComplaintRequest(**{**given, **changes})

    def file(self, who: Any = None, **changes: Any) -> complaint_pb2.Complaint:
        who = who or self.citizen()
        reply = self.stub.FileComplaint(self.request(**changes), metadata=who, timeout=TIMEOUT)
        assert isinstance(reply, complaint_pb2.Complaint)
        return reply

    def get(self, name: str, who: Any) -> Any:
        return self.stub.GetComplaint(rpc.GetComplaintRequest(name=name), metadata=who, timeout=TIMEOUT)

    def list(self, who: Any, **given: Any) -> Any:
        return self.stub.ListComplaints(rpc.ListComplaintsRequest(parent=NAME, **given), metadata=who, timeout=TIMEOUT)

    def advance(self, name: str, command: str, who: Any = None, reason: str = "", **given: Any) -> Any:
        request = rpc.AdvanceComplaintRequest(
            name=name,
            command=f"HANDLER_COMMAND_{command}",
            reason=reason,
            request_id=str(uuid.uuid4()),
            **given,
        )
        return self.stub.AdvanceComplaint(request, metadata=who or self.admin(), timeout=TIMEOUT)

    def answer(self, name: str, answer: str = "Kami menambah loket.", who: Any = None) -> Any:
        request = rpc.AnswerComplaintRequest(name=name, answer=answer, request_id=str(uuid.uuid4()))
        return self.stub.AnswerComplaint(request, metadata=who or self.admin(), timeout=TIMEOUT)

    def reply(self, name: str, text: str, who: Any = None) -> Any:
        request = rpc.ReplyComplaintRequest(name=name, text=text, request_id=str(uuid.uuid4()))
        return self.stub.ReplyComplaint(request, metadata=who or self.citizen(), timeout=TIMEOUT)

    def rate(self, name: str, rating: int, who: Any = None) -> Any:
        request = rpc.RateComplaintRequest(name=name, rating=rating, request_id=str(uuid.uuid4()))
        return self.stub.RateComplaint(request, metadata=who or self.citizen(), timeout=TIMEOUT)

    def reopen(self, name: str, reason: str = "Loket tetap satu", who: Any = None) -> Any:
        request = rpc.ReopenComplaintRequest(name=name, reason=reason, request_id=str(uuid.uuid4()))
        return self.stub.ReopenComplaint(request, metadata=who or self.citizen(), timeout=TIMEOUT)

    def withdraw(self, name: str, who: Any = None) -> Any:
        request = rpc.WithdrawComplaintRequest(name=name, request_id=str(uuid.uuid4()))
        return self.stub.WithdrawComplaint(request, metadata=who or self.citizen(), timeout=TIMEOUT)

    def answered(self, **changes: Any) -> str:
        """The name of a complaint that was just answered."""
        name = self.file(**changes).name
        self.advance(name, "VERIFY")
        self.answer(name)
        return name

    # -- what other services would tell

    def tell(self, exchange: str, message: Message, subject: str, sequence: int) -> None:
        now = datetime.now(UTC)
        wires = encode(
            Event(message, subject),
            sequence=sequence,
            event_id=new_event_id(now, Random()),
            time=now,
            traceparent="",
        )
        self._publisher.publish([broker.Outgoing.of(exchange, wires[0])])

    def tell_site(self, sequence: int, name: str = NAME, **changes: Any) -> None:
        site = site_pb2.Site(
            name=name,
            time_zone="Asia/Jakarta",
            opening_hours=[
                site_pb2.OpeningHours(weekday=d, opens="08:00", closes="15:00" if d == 5 else "16:00")
                for d in range(1, 6)
            ],
            holidays=[site_pb2.Holiday(date=d.isoformat(), name="Libur uji") for d in self.holidays],
        )
        site.MergeFrom(site_pb2.Site(**changes))
        self.tell("catalog.events", catalog_events.SitePublished(site=site), name, sequence)

    def tell_agency(self, name: str, sequence: int = 1) -> None:
        agency = agency_pb2.Agency(name=name)
        self.tell("catalog.events", catalog_events.AgencyPublished(agency=agency), name, sequence)

    def ear(self, exchange: str = "complaints.events") -> Ear:
        connection = broker.connection(self._amqp_uri)
        self._connections.append(connection)
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, exchange, routing_key="#")
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


@pytest.fixture(scope="session")
def desk(services: Any, amqp_uri: str) -> Iterator[Desk]:
    services.service("complaints")
    here = Desk(services, amqp_uri)
    here.tell_site(1)
    here.tell_agency(DUKCAPIL)
    here.tell_agency(SAMSAT)
    here.until(lambda: here.database["agencies"].count_documents({"site": NAME}) == 2)
    here.until(lambda: here.database["sites"].find_one({"_id": NAME}))
    yield here
    here.close()


@pytest.fixture(scope="session")
def ear(desk: Desk) -> Ear:
    """All that the service publishes, for the services of the platform."""
    return desk.ear()


@pytest.fixture(scope="session")
def public_ear(desk: Desk) -> Ear:
    """All that agencies get to see."""
    return desk.ear(PUBLIC_EXCHANGE)


@dataclass(frozen=True)
class Refusal:
    code: grpc.StatusCode
    reason: str
    fields: tuple[str, ...]


@pytest.fixture
def refused() -> Callable[[Callable[[], Any]], Refusal]:
    """How the service refuses a call: status, reason, fields."""

    def told(call: Callable[[], Any]) -> Refusal:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        status = rpc_status.from_call(caught.value)
        reason, fields = "", []
        for detail in status.details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                reason = info.reason
            if detail.Unpack(bad):
                fields += [v.field for v in bad.field_violations]
        return Refusal(caught.value.code(), reason, tuple(fields))

    return told
