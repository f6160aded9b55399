"""A drive-thru corner as real processes: this service and the queue. The test's own hands are the kiosk, the officers, the
display, and a publisher in the place of the catalogue and the applications.
"""

from __future__ import annotations

import itertools
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.catalog.v1 import agency_pb2, channel_pb2, site_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.drivethru.v1 import drivethru_service_pb2 as pb
from mpp.drivethru.v1.drivethru_service_pb2_grpc import DriveThruServiceStub
from mpp.queue.v1 import queue_service_pb2 as queue_pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_chassis import broker
from mpp_chassis.events import Event, encode, new_event_id

ROOT = Path(__file__).resolve().parents[4]
SITE = "uji-lajur"
TIMEOUT = 30
STAGES = ("periksa", "bayar", "foto", "cetak", "serah")
_PREFIXES = ("".join(letters) for letters in itertools.product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=2))
_PLATES = (f"N {n} QX{chr(65 + n % 26)}" for n in itertools.count(4101))


@dataclass(frozen=True)
class Corner:
    """A channel of the test's own, with its agency and queue."""

    name: str
    agency: str
    queue: str

    def lane(self, lane: str = "1") -> str:
        return f"{self.name}/lanes/{lane}"


class Yard:
    """Calls both services as somebody, and tells them what others would."""

    def __init__(self, services: Any, amqp_uri: str) -> None:
        self.services, self._amqp_uri = services, amqp_uri
        self.stub: Any = services.stub("drivethru", DriveThruServiceStub)
        self.queue: Any = services.stub("queue", QueueServiceStub)
        self.database = services.database("drivethru")
        self._publisher = broker.Publisher(amqp_uri)
        self._connections: list[Any] = []
        self.kiosk = services.auth("kiosk", site=SITE)

    def officer(self, corner: Corner, subject: str = "petugas-1") -> Any:
        return self.services.auth("officer", subject=subject, site=SITE, agency=corner.agency.rsplit("/", 1)[1])

    # -- at the gate and in the lane

    def plate(self) -> str:
        return next(_PLATES)

    def register(self, corner: Corner, plate: str = "", request_id: str = "", **given: Any) -> Any:
        request = pb.RegisterVehicleRequest(
            parent=corner.name, plate=plate or self.plate(), request_id=request_id or str(uuid.uuid4()), **given
        )
        return self.stub.RegisterVehicle(request, metadata=self.kiosk, timeout=TIMEOUT)

    def call_next(self, corner: Corner, counter: int) -> Any:
        request = queue_pb.CallNextRequest(parent=corner.queue, counter=counter, request_id=str(uuid.uuid4()))
        who = self.officer(corner, f"petugas-{counter}")
        return self.queue.CallNext(request, metadata=who, timeout=TIMEOUT)

    def do(self, rpc: str, corner: Corner, vehicle: Any, request_id: str = "", **given: Any) -> Any:
        """StartStage, FinishStage, SendAside, by the officer who called the ticket."""
        request = getattr(pb, f"{rpc}Request")(name=vehicle.name, request_id=request_id or str(uuid.uuid4()), **given)
        counter = self.get(corner, vehicle).counter
        who = self.officer(corner, f"petugas-{counter or 1}")
        return getattr(self.stub, rpc)(request, metadata=who, timeout=TIMEOUT)

    def get(self, corner: Corner, vehicle: Any) -> Any:
        return self.stub.GetPass(pb.GetPassRequest(name=vehicle.name), metadata=self.officer(corner), timeout=TIMEOUT)

    def lane(self, corner: Corner, lane: str = "1") -> Any:
        return self.stub.GetLane(pb.GetLaneRequest(name=corner.lane(lane)), timeout=TIMEOUT)

    def ticket(self, corner: Corner, vehicle: Any) -> Any:
        request = queue_pb.GetTicketRequest(name=vehicle.ticket)
        return self.queue.GetTicket(request, metadata=self.officer(corner), timeout=TIMEOUT)

    def at_queue(self, rpc: str, corner: Corner, vehicle: Any, desk: int, **given: Any) -> Any:
        request = getattr(queue_pb, f"{rpc}Request")(name=vehicle.ticket, request_id=str(uuid.uuid4()), **given)
        who = self.officer(corner, f"petugas-{desk}")
        return getattr(self.queue, rpc)(request, metadata=who, timeout=TIMEOUT)

    # -- what others would tell

    def tell(self, exchange: str, message: Message, subject: str, sequence: int) -> None:
        now = datetime.now(UTC)
        event_id = new_event_id(now, random.Random())
        wires = encode(Event(message, subject), sequence=sequence, event_id=event_id, time=now, traceparent="")
        self._publisher.publish([broker.Outgoing.of(exchange, wires[0])])

    def open_corner(self, file: str = "sim-drivethru.yaml") -> Corner:
        """A corner nobody used before, with the settings of a real one (sites/malang/channels)."""
        made = uuid.uuid4().hex[:10]
        corner = Corner(
            f"sites/{SITE}/channels/c{made}", f"sites/{SITE}/agencies/a{made}", f"sites/{SITE}/queues/q{made}"
        )
        agency = agency_pb2.Agency(name=corner.agency)
        spec = agency_pb2.QueueSpec(id=f"q{made}", prefix=next(_PREFIXES), counters=[1, 2, 3, 4], minutes_per_visit=10)
        agency.queue.CopyFrom(spec)
        self.tell("catalog.events", catalog_events.AgencyPublished(agency=agency), agency.name, 1)
        settings = yaml.safe_load((ROOT / "sites/malang/channels" / file).read_text())["settings"]
        self.publish_channel(corner, {**settings, "queue": f"q{made}"}, 1)
        queues = self.services.database("queue")["agencies"]
        self.until(lambda: queues.find_one({"_id": corner.agency}))
        self.until(lambda: self.database["channels"].find_one({"_id": corner.name}))
        return corner

    def publish_channel(
        self, corner: Corner, settings: dict[str, Any], sequence: int, closures: Sequence[str] = ()
    ) -> None:
        kind = f"sites/{SITE}/channelKinds/drive_thru"
        channel = channel_pb2.Channel(name=corner.name, kind=kind, agency=corner.agency)
        channel.settings.update(settings)
        for day in closures:
            channel.closures.add(date=day, text={"id": "Pelatihan petugas"})
        self.tell("catalog.events", catalog_events.ChannelPublished(channel=channel), corner.name, sequence)

    def tell_site(self) -> None:
        site = site_pb2.Site(name=f"sites/{SITE}", time_zone="Asia/Jakarta")
        self.tell("catalog.events", catalog_events.SitePublished(site=site), site.name, 1)

    def ear(self) -> Callable[[], list[tuple[str, dict[str, Any]]]]:
        """What went through the exchanges of both services since: (routing key, body). An event that is published twice, as
        it may be under load (at least once), is heard once.
        """
        connection = broker.connection(self._amqp_uri)
        self._connections.append(connection)
        channel, heard, ids = connection.channel(), [], set[str]()
        queue = channel.queue_declare("", exclusive=True).queue
        for exchange in ("drivethru.events", "queue.events"):
            channel.queue_bind(queue, exchange, routing_key="#")

        def listen() -> list[tuple[str, dict[str, Any]]]:
            while (message := channel.basic_get(queue, no_ack=True)) is not None:
                body = message.body if isinstance(message.body, str) else message.body.decode()
                if message.headers["ce-id"] in ids:
                    continue
                ids.add(message.headers["ce-id"])
                heard.append((message.delivery_info["routing_key"], json.loads(body)))
            return heard

        return listen

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


@dataclass
class Refusal:
    code: str
    reason: str
    metadata: dict[str, str]


@pytest.fixture(scope="session")
def refusal() -> Callable[..., Refusal]:
    def expect(function: Callable[..., Any], *given: Any, **named: Any) -> Refusal:
        with pytest.raises(grpc.RpcError) as caught:
            function(*given, **named)
        status, info = rpc_status.from_call(caught.value), error_details_pb2.ErrorInfo()
        found = [detail for detail in (status.details if status else ()) if detail.Unpack(info)]
        return Refusal(caught.value.code().name, info.reason if found else "", dict(info.metadata))

    return expect


@pytest.fixture(scope="session")
def yard(services: Any, amqp_uri: str) -> Iterator[Yard]:
    services.service("queue", "drivethru")
    here = Yard(services, amqp_uri)
    here.tell_site()
    here.until(lambda: here.database["sites"].find_one({"_id": f"sites/{SITE}"}))
    here.until(lambda: services.database("queue")["sites"].find_one({"_id": f"sites/{SITE}"}))
    yield here
    here.close()


@pytest.fixture
def corner(yard: Yard) -> Corner:
    return yard.open_corner()
