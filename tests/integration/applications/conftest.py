"""The applications service as real processes, and around it the test's own hands: officers, citizens, a publisher
in the place of catalog and queue, an ear at the broker. No other service runs."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.applications.v1 import application_pb2 as pb
from mpp.applications.v1 import applications_service_pb2 as rpc
from mpp.applications.v1.applications_service_pb2_grpc import ApplicationsServiceStub
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.catalog.v1 import offering_pb2, site_pb2
from mpp.queue.v1 import events_pb2 as queue_events
from mpp_chassis import broker
from mpp_chassis.events import Event, encode, new_event_id
from mpp_chassis.privacy import FieldCipher

SITE = "uji-permohonan"
NAME = f"sites/{SITE}"
DUKCAPIL, SAMSAT = f"{NAME}/agencies/dukcapil", f"{NAME}/agencies/samsat"
OFFERING, UNTIMED, OTHER = (f"{NAME}/offerings/{o}" for o in ("kartu-keluarga", "legalisir", "pajak-kendaraan"))
TIMEOUT = 30
PHONE, PERSON = "+6281287654321", "Siti Zubaidah Rahmawati"


_numbers = itertools.count(1)


def new_nik() -> str:
    """A well-formed NIK that no other test of the session uses."""
    n = next(_numbers)
    return f"35730141{n // 9999 % 12 + 1:02d}90{n % 9999 + 1:04d}"


@dataclass
class Ear:
    """What the service published since it was opened: (routing key, headers, body as text)."""

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

    def of(self, application: str, key: str = "") -> list[dict[str, Any]]:
        """Bodies of the events of one file, whole form, in the order of their sequence."""
        found = [
            (int(headers["ce-sequence"]), json.loads(body))
            for routing_key, headers, body in self.listen()
            if headers["ce-subject"] == application
            and not routing_key.endswith(".public")
            and (not key or routing_key == key)
        ]
        return [body for _, body in sorted(found, key=lambda pair: pair[0])]


class Desk:
    """Calls the service as somebody, and tells it what other services would."""

    site, name, dukcapil, samsat = SITE, NAME, DUKCAPIL, SAMSAT
    offering, untimed, other = OFFERING, UNTIMED, OTHER
    phone, person = PHONE, PERSON
    new_nik = staticmethod(new_nik)

    def __init__(self, services: Any, amqp_uri: str) -> None:
        self.services = services
        self.stub = services.stub("applications", ApplicationsServiceStub)
        self.database = services.database("applications")
        keys = services.platform.environment("applications", "serve")["MPP_FIELD_KEYS"]
        self.cipher = FieldCipher(keys)
        self._publisher = broker.Publisher(amqp_uri)
        connection = broker.connection(amqp_uri)
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, "applications.events", routing_key="#")
        self.ear, self._connection = Ear(channel, queue), connection

    # -- who calls

    def officer(self, agency: str = "dukcapil", site: str = SITE) -> Any:
        return self.services.auth("officer", subject=f"budi-{agency}", site=site, agency=agency, counter=3)

    def verifier(self) -> Any:
        return self.services.auth("verifier", site=SITE, agency="dukcapil")

    def citizen(self, subject: str = "siti", nik: str = "") -> Any:
        return self.services.auth("citizen", subject=subject, **({"nik": nik} if nik else {}))

    # -- what they do

    def request(self, **changes: Any) -> rpc.CreateApplicationRequest:
        nik = changes.pop("nik", "") or new_nik()
        given = {
            "parent": NAME,
            "offering": OFFERING,
            "applicant": pb.Applicant(full_name=PERSON, nik=nik, phone=PHONE),
            "presented_requirements": ["kk-lama", "ktp"],
            "request_id": str(uuid.uuid4()),
        }
        return rpc.CreateApplicationRequest(**{**given, **changes})

    def create(self, who: Any = None, **changes: Any) -> Any:
        request = self.request(**changes)
        return self.stub.CreateApplication(request, metadata=who or self.officer(), timeout=TIMEOUT)

    def call(self, method: str, name: str, who: Any = None, **given: Any) -> Any:
        """One mutating RPC on a file, e.g. `call("Submit", name)`."""
        request_class = getattr(rpc, f"{method}ApplicationRequest")
        request = request_class(name=name, **{"request_id": str(uuid.uuid4()), **given})
        return getattr(self.stub, f"{method}Application")(request, metadata=who or self.officer(), timeout=TIMEOUT)

    def advance(self, name: str, command: str, who: Any = None, **given: Any) -> Any:
        return self.call("Advance", name, who, command=f"OFFICER_COMMAND_{command}", **given)

    def get(self, name: str, who: Any = None) -> Any:
        request = rpc.GetApplicationRequest(name=name)
        return self.stub.GetApplication(request, metadata=who or self.officer(), timeout=TIMEOUT)

    def list(self, who: Any, **given: Any) -> Any:
        request = rpc.ListApplicationsRequest(parent=NAME, **given)
        return self.stub.ListApplications(request, metadata=who, timeout=TIMEOUT)

    def processing(self, **changes: Any) -> str:
        """The name of a file that is accepted and being worked on."""
        name = str(self.create(**changes).name)
        self.call("Submit", name)
        for command in ("START_VERIFICATION", "ACCEPT", "START_PROCESSING"):
            self.advance(name, command)
        return name

    def ready(self, **changes: Any) -> tuple[str, str]:
        """The name of a file that waits for its applicant, and the pickup code."""
        name = self.processing(**changes)
        self.advance(name, "APPROVE")
        self.call("Issue", name, document_number="KK-1")
        self.advance(name, "MARK_READY")
        return name, self.pickup_code(name)

    def pickup_code(self, name: str, makes: int = 1) -> str:
        """The newest code, as the notification service would open it from the event."""

        def sealed() -> list[str]:
            found = [e.get("sealedPickupCode", "") for e in self.ear.of(name, "application_advanced.v1")]
            return [s for s in found if s]

        self.until(lambda: len(sealed()) == makes)
        return self.cipher.open(sealed()[-1], "pickup_code")

    # -- what other services would tell

    def tell(self, exchange: str, message: Message, subject: str, sequence: int) -> None:
        now = datetime.now(UTC)
        wires = encode(
            Event(message, subject), sequence=sequence, event_id=new_event_id(now, Random()), time=now, traceparent=""
        )
        outgoing = [broker.Outgoing.of(exchange, wire) for wire in wires]
        assert outgoing[0].id in self._publisher.publish(outgoing).accepted

    def tell_site(self, sequence: int = 1) -> None:
        hours = [site_pb2.OpeningHours(weekday=d, opens="08:00", closes="15:00") for d in range(1, 6)]
        site = site_pb2.Site(name=NAME, time_zone="Asia/Jakarta", opening_hours=hours)
        self.tell("catalog.events", catalog_events.SitePublished(site=site), NAME, sequence)

    def tell_offering(self, name: str, agency: str, requirements: list[str], days: int, sequence: int = 1) -> None:
        standard = offering_pb2.Standard(requirements=[offering_pb2.Requirement(id=r) for r in requirements])
        if days:
            standard.time.amount, standard.time.unit = days, offering_pb2.ServiceTime.UNIT_WORKING_DAY
        offering = offering_pb2.Offering(name=name, agency=agency, standard=standard)
        self.tell("catalog.events", catalog_events.OfferingPublished(offering=offering), name, sequence)

    def tell_ticket(self, name: str, agency: str, sequence: int = 3) -> None:
        event = queue_events.TicketServing(ticket=name, number="D-001", agency=agency)
        event.serving_at.FromDatetime(datetime.now(UTC))
        self.tell("queue.events", event, name, sequence)

    def close(self) -> None:
        self._publisher.close()
        self._connection.close()

    until: Callable[..., Any]


@pytest.fixture(scope="session")
def desk(services: Any, amqp_uri: str) -> Iterator[Desk]:
    from time import monotonic, sleep

    def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
        end = monotonic() + seconds
        while not (value := condition()):
            assert monotonic() < end, f"not true within {seconds} s; last value {value!r}"
            sleep(0.02)
        return value

    services.service("applications")
    here = Desk(services, amqp_uri)
    here.until = until
    here.tell_site()
    here.tell_offering(OFFERING, DUKCAPIL, ["kk-lama", "ktp"], days=3)
    here.tell_offering(UNTIMED, DUKCAPIL, [], days=0)
    here.tell_offering(OTHER, SAMSAT, ["stnk"], days=1)
    until(lambda: here.database["offerings"].count_documents({"_id": {"$in": [OFFERING, UNTIMED, OTHER]}}) == 3)
    until(lambda: here.database["sites"].find_one({"_id": NAME}))
    yield here
    here.close()


@dataclass(frozen=True)
class Refusal:
    code: grpc.StatusCode
    reason: str
    fields: tuple[str, ...]
    metadata: dict[str, str]
    text: str


@pytest.fixture
def refused() -> Callable[[Callable[[], Any]], Refusal]:
    """How the service refuses a call: status, reason, fields, metadata."""

    def told(call: Callable[[], Any]) -> Refusal:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        status = rpc_status.from_call(caught.value)
        info, fields = error_details_pb2.ErrorInfo(), []
        for detail in status.details:
            bad = error_details_pb2.BadRequest()
            detail.Unpack(info)
            if detail.Unpack(bad):
                fields += [v.field for v in bad.field_violations]
        return Refusal(caught.value.code(), info.reason, tuple(fields), dict(info.metadata), str(status))

    return told
