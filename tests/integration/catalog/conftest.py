"""The catalogue as real processes, and the hands of a test: a manager of a site of its own, and an ear at the broker.
No other service runs. Each test has its own site, so that tests do not see each other."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.catalog.v1 import agency_pb2, channel_pb2, offering_pb2, site_pb2
from mpp.catalog.v1 import catalog_service_pb2 as rpc
from mpp.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from mpp_chassis import broker
from mpp_chassis.events import Event, encode, new_event_id

from tests.conftest import wait_for

TIMEOUT = 30


SHELVES = ("sites", "agencies", "offerings", "channel_kinds", "channels")


@dataclass
class Ear:
    """What the catalogue published about one site since the ear was opened: (routing key, sequence, body).

    An event that came twice is heard once: delivery is at least once, and the id tells.
    """

    channel: Any
    queue: str
    site: str
    heard: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    ids: set[tuple[str, str]] = field(default_factory=set)

    def listen(self) -> list[tuple[str, int, dict[str, Any]]]:
        while (message := self.channel.basic_get(self.queue, no_ack=True)) is not None:
            subject, key = message.headers["ce-subject"], message.delivery_info["routing_key"]
            new = (key, message.headers["ce-id"]) not in self.ids
            self.ids.add((key, message.headers["ce-id"]))
            if new and (subject == self.site or subject.startswith(self.site + "/")):
                sequence = int(message.headers["ce-sequence"])
                self.heard.append((key, sequence, json.loads(message.body)))
        return self.heard


@dataclass(frozen=True)
class Refused:
    """How a call was refused."""

    code: str
    reason: str
    fields: tuple[str, ...]
    metadata: dict[str, str] = field(default_factory=dict)


class Desk:
    """Calls the catalogue as somebody. `site` belongs to this test alone."""

    def __init__(self, services: Any, amqp_uri: str) -> None:
        self.services = services
        self.stub = services.stub("catalog", CatalogServiceStub)
        self.database = services.database("catalog")
        self.site_id = f"uji-{uuid.uuid4().hex[:10]}"
        self.site = f"sites/{self.site_id}"
        self._amqp_uri = amqp_uri
        self._connections: list[Any] = []

    # -- who calls

    def manager(self, site_id: str = "") -> Any:
        return self.services.auth("site_manager", site=site_id or self.site_id)

    def admin(self, agency: str) -> Any:
        return self.services.auth("agency_admin", site=self.site_id, agency=agency)

    # -- what is asked for

    def a_site(self, **changes: Any) -> site_pb2.Site:
        given: dict[str, Any] = {
            "name": self.site,
            "display_name": {"id": "MPP Uji", "en": "Test MPP"},
            "region_code": "35.73",
            "time_zone": "Asia/Jakarta",
            "opening_hours": [{"weekday": 1, "opens": "08:00", "closes": "15:00"}],
            "holidays": [{"date": "2026-01-01", "name": "Tahun Baru"}],
        }
        return site_pb2.Site(**{**given, **changes})

    def an_agency(self, agency: str = "dukcapil", prefix: str = "D", counters: Any = (3,), **changes: Any) -> Any:
        given: dict[str, Any] = {
            "name": f"{self.site}/agencies/{agency}",
            "display_name": {"id": "Dinas Kependudukan", "en": "Civil Registration"},
            "category": agency_pb2.Agency.CATEGORY_REGIONAL_GOVERNMENT,
            "queue": {"id": agency, "prefix": prefix, "counters": list(counters), "minutes_per_visit": 10},
        }
        return agency_pb2.Agency(**{**given, **changes})

    def an_offering(self, offering: str = "kk", agency: str = "dukcapil", **changes: Any) -> offering_pb2.Offering:
        given: dict[str, Any] = {
            "name": f"{self.site}/offerings/{offering}",
            "agency": f"{self.site}/agencies/{agency}",
            "display_name": {"id": "Kartu Keluarga", "en": "Family card"},
            "aliases": ["kk"],
            "kind": offering_pb2.Offering.KIND_ADMINISTRATIVE,
            "source": offering_pb2.Offering.SOURCE_PUBLIC,
            "standard": {
                "requirements": [{"id": "kk-lama", "display_name": {"id": "KK lama", "en": "Old card"}}],
                "time": {"amount": 1, "unit": offering_pb2.ServiceTime.UNIT_WORKING_DAY},
                "fee": {"amount_idr": 0, "basis": "UU 24/2013"},
                "legal_basis": ["UU 24/2013"],
            },
        }
        return offering_pb2.Offering(**{**given, **changes})

    def a_channel_kind(self, **changes: Any) -> channel_pb2.ChannelKind:
        """A drive-thru: lanes with an id and perhaps a counter, and which document it is for."""
        types = channel_pb2.ChannelAttribute
        lane = [
            {"id": "id", "display_name": {"id": "Jalur"}, "type": types.TYPE_TEXT, "required": True},
            {"id": "counter", "display_name": {"id": "Loket"}, "type": types.TYPE_NUMBER, "least": 1, "most": 99},
        ]
        given: dict[str, Any] = {
            "name": f"{self.site}/channelKinds/drive_thru",
            "display_name": {"id": "Lantatur", "en": "Drive-thru"},
            "attributes": [
                {
                    "id": "lanes",
                    "display_name": {"id": "Jalur"},
                    "type": types.TYPE_LIST,
                    "required": True,
                    "entries": lane,
                },
                {"id": "document", "display_name": {"id": "Dokumen"}, "type": types.TYPE_TEXT, "words": ["SIM", "KK"]},
            ],
        }
        return channel_pb2.ChannelKind(**{**given, **changes})

    def a_channel(self, **changes: Any) -> channel_pb2.Channel:
        given: dict[str, Any] = {
            "name": f"{self.site}/channels/kk-corner",
            "kind": f"{self.site}/channelKinds/drive_thru",
            "agency": f"{self.site}/agencies/dukcapil",
            "display_name": {"id": "Pojok KK", "en": "Family card corner"},
            "offerings": [f"{self.site}/offerings/kk"],
        }
        channel = channel_pb2.Channel(**{**given, **changes})
        channel.settings.update({"lanes": [{"id": "satu", "counter": 3}], "document": "KK"})
        return channel

    # -- what is done

    def apply_site(self, site: Any = None, who: Any = None, request_id: str = "", **given: Any) -> site_pb2.Site:
        request = rpc.ApplySiteRequest(site=site or self.a_site(), request_id=request_id or new_id(), **given)
        return self._call(self.stub.ApplySite, request, who)

    def apply_agency(self, agency: Any = None, who: Any = None, request_id: str = "", **given: Any) -> Any:
        given.setdefault("parent", self.site)
        request = rpc.ApplyAgencyRequest(agency=agency or self.an_agency(), request_id=request_id or new_id(), **given)
        return self._call(self.stub.ApplyAgency, request, who)

    def apply_offering(self, offering: Any = None, who: Any = None, request_id: str = "", **given: Any) -> Any:
        given.setdefault("parent", self.site)
        request = rpc.ApplyOfferingRequest(
            offering=offering or self.an_offering(), request_id=request_id or new_id(), **given
        )
        return self._call(self.stub.ApplyOffering, request, who)

    def apply_channel_kind(self, kind: Any = None, who: Any = None, **given: Any) -> channel_pb2.ChannelKind:
        request = rpc.ApplyChannelKindRequest(
            parent=self.site, channel_kind=kind or self.a_channel_kind(), request_id=new_id(), **given
        )
        return self._call(self.stub.ApplyChannelKind, request, who)

    def apply_channel(self, channel: Any = None, who: Any = None, **given: Any) -> channel_pb2.Channel:
        request = rpc.ApplyChannelRequest(
            parent=self.site, channel=channel or self.a_channel(), request_id=new_id(), **given
        )
        return self._call(self.stub.ApplyChannel, request, who)

    def delete_agency(self, name: str, who: Any = None, request_id: str = "", **given: Any) -> Any:
        request = rpc.DeleteAgencyRequest(name=name, request_id=request_id or new_id(), **given)
        return self._call(self.stub.DeleteAgency, request, who)

    def delete_offering(self, name: str, who: Any = None, **given: Any) -> Any:
        return self._call(
            self.stub.DeleteOffering, rpc.DeleteOfferingRequest(name=name, request_id=new_id(), **given), who
        )

    def delete_channel(self, name: str, who: Any = None, **given: Any) -> Any:
        return self._call(
            self.stub.DeleteChannel, rpc.DeleteChannelRequest(name=name, request_id=new_id(), **given), who
        )

    def search(self, query: str, **given: Any) -> list[str]:
        """Ids of what is found, best first."""
        request = rpc.SearchOfferingsRequest(parent=self.site, query=query, **given)
        return [last(o.name) for o in self.stub.SearchOfferings(request, timeout=TIMEOUT).offerings]

    def _call(self, method: Any, request: Any, who: Any) -> Any:
        return method(request, metadata=who or self.manager(), timeout=TIMEOUT)

    # -- what is seen

    def document(self, collection: str, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.database[collection].find_one({"_id": name})
        return found

    def _waiting(self) -> int:
        """Documents of this site with events that the broker has not confirmed."""
        mine = {"site_id": self.site_id, "outbox.last": {"$gt": ""}}
        return sum(self.database[c].count_documents(mine) for c in SHELVES)

    def ear(self) -> Ear:
        """Hears what is published from now on: nothing of this site waits to be published any more."""
        wait_for(lambda: not self._waiting())
        connection = broker.connection(self._amqp_uri)
        self._connections.append(connection)
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, "catalog.events", routing_key="#")
        return Ear(channel, queue, self.site)

    @staticmethod
    def refused(call: Callable[[], Any]) -> Refused:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        reason, fields, metadata = "", [], {}
        status = rpc_status.from_call(caught.value)
        assert status is not None
        for detail in status.details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                fields = [violation.field for violation in bad.field_violations]
        return Refused(caught.value.code().name, reason, tuple(fields), metadata)

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


def new_id() -> str:
    return str(uuid.uuid4())


def last(name: str) -> str:
    return name.rsplit("/", 1)[1]


@pytest.fixture
def desk(services: Any, amqp_uri: str) -> Iterator[Desk]:
    services.service("catalog")
    here = Desk(services, amqp_uri)
    yield here
    here.close()


@pytest.fixture
def queue_says(amqp_uri: str) -> Iterator[Callable[[Any, str, int], None]]:
    """Publishes an event as the queue would: (event, subject, sequence)."""
    publisher = broker.Publisher(amqp_uri)

    def say(message: Any, subject: str, sequence: int) -> None:
        now = datetime.now(UTC)
        event_id = new_event_id(now, random.Random())
        wires = encode(Event(message, subject), sequence=sequence, event_id=event_id, time=now, traceparent="")
        publisher.publish([broker.Outgoing.of("queue.events", wires[0])])

    yield say
    publisher.close()


@pytest.fixture
def office(desk: Desk) -> Desk:
    """A site with the agencies dukcapil (prefix D, counter 3) and samsat (S, counter 7)."""
    desk.apply_site()
    desk.apply_agency()
    desk.apply_agency(desk.an_agency("samsat", "S", [7], display_name={"id": "Samsat"}))
    return desk
