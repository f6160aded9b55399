"""Two ways at the service: `bench`, its use cases in this process on the real store with a clock and providers of the
test's own; and `desk`, its real processes, told by a publisher in the place of the other services."""

from __future__ import annotations

import base64
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mpp_notifications
import pytest
from google.protobuf.message import Message
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications
from mpp.catalog.v1 import agency_pb2, offering_pb2, site_pb2
from mpp.catalog.v1 import events_pb2 as catalog
from mpp.notifications.v1.notifications_service_pb2_grpc import NotificationsServiceStub
from mpp_chassis import broker, logs, storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Command
from mpp_chassis.events import Event, encode, new_event_id
from mpp_chassis.privacy import BlindIndex, FieldCipher
from mpp_notifications import courtesies, delivery, messages, news, store, templates, usecases, views
from mpp_notifications.domain import Channel, Outcome
from mpp_notifications.matters import store as matters
from mpp_notifications.providers.base import OutgoingMessage, Provider
from mpp_notifications.providers.file import FileProvider

DATA = Path(mpp_notifications.__file__).parent / "data"
SITE = "uji-kabar"
NAME = f"sites/{SITE}"
DUKCAPIL = f"{NAME}/agencies/dukcapil"
FAMILY_CARD = f"{NAME}/offerings/kartu-keluarga"
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
BUSY, UNKNOWN, REFUSED, ACCEPTS_ONLY, BREAKS = (f"+628000000000{n}" for n in range(1, 6))


class Died(BaseException):
    """Stands for kill -9: nothing of the service catches it."""


@dataclass
class Mortal:
    """A provider whose caller dies before or after the hand-over, as often as `deaths` says."""

    inner: Provider
    when: str
    deaths: int = 1
    name: str = "file"

    def send(self, message: OutgoingMessage) -> Outcome:
        dies = self.deaths > 0
        self.deaths -= dies
        if dies and self.when == "before":
            raise Died
        outcome = self.inner.send(message)
        if dies:
            raise Died
        return outcome


@dataclass
class Bench:
    """The use cases on a real store. `later` moves the clock; nothing sleeps."""

    database: Any
    outbox: Path
    now: datetime = NOW
    cipher: FieldCipher = field(default_factory=lambda: FieldCipher("k1:" + base64.b64encode(b"1" * 32).decode()))

    def __post_init__(self) -> None:
        storage.ensure_indexes(self.database, store.INDEXES, store.AGGREGATES)
        self.provider: Provider = FileProvider(self.outbox, production=False, clock=lambda: self.now)
        held = Store(self.database, None, lambda: self.now, random.Random(5))
        self.app = usecases.App(
            notifications=store.Notifications(
                held, lambda changed: (messages.resource(changed, ""), messages.events(changed))
            ),
            opt_outs=store.OptOuts(held),
            names=views.Names(held, lambda: self.now),
            templates=templates.parse((DATA / "templates.yaml").read_text(encoding="utf-8")),
            delivery=delivery.parse((DATA / "delivery.yaml").read_text(encoding="utf-8")),
            courtesies=courtesies.parse((DATA / "courtesies.yaml").read_text(encoding="utf-8")),
            matters=matters.Matters(held),
            calendars=matters.Calendars(held),
            overviews=matters.Overviews(held),
            organizer="kabar@mpp.example",
            providers=dict.fromkeys(Channel, self.provider),
            cipher=self.cipher,
            index=BlindIndex(base64.b64encode(b"2" * 32).decode()),
            clock=lambda: self.now,
            rng=random.Random(6),
            log=logs.get(part="test"),
        )

    def by(self, provider: Provider) -> usecases.App:
        """The same service with another provider."""
        return replace(self.app, providers=dict.fromkeys(Channel, provider))

    def falling_back(self, *channels: Channel) -> usecases.App:
        route = delivery.Route(Channel.SMS, channels)
        return replace(self.app, delivery=replace(self.app.delivery, sites={SITE: route}))

    def later(self, **spans: float) -> None:
        self.now += timedelta(**spans)

    def news(self, phone: str = "+6281234567890", application: str = "", email: str = "") -> news.News:
        event = applications.ApplicationAdvanced(
            application=application or f"{NAME}/applications/{uuid.uuid4().hex[:26]}",
            offering=FAMILY_CARD,
            agency=DUKCAPIL,
            state=application_pb2.Application.STATE_READY_FOR_PICKUP,
            sealed_phone=self.cipher.seal(phone, "phone"),
            sealed_pickup_code=self.cipher.seal("483920", "pickup_code"),
        )
        return replace(news.application_advanced(event), sealed_email=self.cipher.seal(email, "email"))

    def command(self, event_id: str) -> Command:
        return Command(event_id, "ApplicationAdvanced", f"event:{event_id}", usecases.ACTOR, self.now)

    def tell(self, event_id: str, what: news.News, app: usecases.App | None = None) -> None:
        usecases.tell(app or self.app, what, NOW, self.command(event_id))

    def sweep(self, app: usecases.App | None = None) -> int:
        return usecases.attend_due(app or self.app, self.now)

    def documents(self) -> list[dict[str, Any]]:
        return list(self.database["notifications"].find({}).sort("created_at", 1))

    def document(self) -> dict[str, Any]:
        [only] = self.documents()
        return only

    def effects(self) -> list[dict[str, Any]]:
        return effects(self.outbox)

    def ends(self) -> list[str]:
        """States of the NotificationEnded events that wait to be published."""
        told = [wire for each in self.documents() for wire in each.get("outbox", {}).get("events", [])]
        return [json.loads(wire["body"])["state"].removeprefix("STATE_").lower() for wire in told]


@pytest.fixture
def mortal() -> type[Mortal]:
    return Mortal


@pytest.fixture
def died() -> type[Died]:
    return Died


@pytest.fixture
def bench(database: Any, tmp_path: Path) -> Bench:
    return Bench(database, tmp_path / "outbox")


def effects(outbox: Path) -> list[dict[str, Any]]:
    log = outbox / "messages.jsonl"
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


class Desk:
    """The running service: tells it events, reads its outbox, its store and its API."""

    def __init__(self, services: Any, amqp_uri: str) -> None:
        self.services = services
        self.platform = services.platform
        self.cipher = FieldCipher(self.platform.environment("notifications", "work")["MPP_FIELD_KEYS"])
        self.stub = services.stub("notifications", NotificationsServiceStub)
        self.database = services.database("notifications")
        self._publisher = broker.Publisher(amqp_uri)

    def manager(self, site: str = SITE) -> Any:
        return self.services.auth("site_manager", site=site)

    def officer(self, site: str = SITE) -> Any:
        return self.services.auth("officer", site=site, agency="dukcapil", counter=3)

    def provider(self, site: str = SITE) -> Any:
        return self.services.auth("service", site=site)

    def phone(self, number: str) -> str:
        return self.cipher.seal(number, "phone")

    def tell(
        self, message: Message, subject: str, *, sequence: int = 1, event_id: str = "", at: datetime | None = None
    ) -> str:
        """Publish an event as its service would; returns the event's id."""
        now = datetime.now(UTC)
        event_id = event_id or new_event_id(now, random.SystemRandom())
        wires = encode(Event(message, subject), sequence=sequence, event_id=event_id, time=at or now, traceparent="")
        exchange = type(message).DESCRIPTOR.file.package.split(".")[1] + ".events"
        receipt = self._publisher.publish([broker.Outgoing.of(exchange, wires[0])])
        assert event_id in receipt.accepted, "the service's queue is not there"
        return event_id

    def advanced(self, state: str, phone: str = "+6281234567890", application: str = "", **given: Any) -> str:
        """Tell of an application's new state; returns the application's name."""
        name = application or f"{NAME}/applications/{uuid.uuid4().hex[:26]}"
        event = applications.ApplicationAdvanced(
            application=name,
            offering=FAMILY_CARD,
            agency=DUKCAPIL,
            state=application_pb2.Application.State.Value(f"STATE_{state}"),
            sealed_phone=self.phone(phone) if phone else "",
            **given,
        )
        self.tell(event, name)
        return name

    def effects(self) -> list[dict[str, Any]]:
        return effects(self.platform.outbox)

    def documents(self, subject: str) -> list[dict[str, Any]]:
        query = {"site_id": SITE, "subject": subject}
        return list(self.database["notifications"].find(query).sort([("created_at", 1), ("_id", 1)]))

    def told(self, subject: str, *states: str) -> list[dict[str, Any]]:
        """The documents about a subject, as soon as their states are these."""
        return self.until(
            lambda: [each for each in [self.documents(subject)] if [d["state"] for d in each] == list(states)],
            lambda: [d["state"] for d in self.documents(subject)],
        )[0]

    def body(self, document: Mapping[str, Any]) -> str:
        """What the citizen read of it."""
        key = document["_id"].rpartition("/")[2]
        [effect] = [each for each in self.effects() if each["key"] == key]
        return str(effect["body"])

    def time_passes(self, subject: str) -> None:
        """As if what is due later were due now."""
        self.database["notifications"].update_many(
            {"subject": subject, "due_at": {"$gt": datetime.now(UTC)}}, {"$set": {"due_at": datetime.now(UTC)}}
        )

    @staticmethod
    def until(condition: Callable[[], Any], seen: Callable[[], Any] | None = None, seconds: float = 60) -> Any:
        """The first truthy value of `condition`."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, f"not true within {seconds} s; last seen {(seen or condition)()!r}"
            time.sleep(0.02)
        return value

    def learn_names(self) -> None:
        text = site_pb2.LocalizedText
        site = site_pb2.Site(
            name=NAME, display_name=text(id="MPP Uji Kabar", en="News Test Mall"), time_zone="Asia/Jayapura"
        )
        agency = agency_pb2.Agency(name=DUKCAPIL, display_name=text(id="Dukcapil Uji", en="Test Registry"))
        offering = offering_pb2.Offering(name=FAMILY_CARD, display_name=text(id="Kartu Keluarga", en="Family Card"))
        self.tell(catalog.SitePublished(site=site), NAME)
        self.tell(catalog.AgencyPublished(agency=agency), DUKCAPIL)
        self.tell(catalog.OfferingPublished(offering=offering), FAMILY_CARD)
        for collection, name in (("sites", NAME), ("agencies", DUKCAPIL), ("offerings", FAMILY_CARD)):
            self.until(lambda c=collection, n=name: self.database[c].find_one({"_id": n}))

    def close(self) -> None:
        self._publisher.close()


@pytest.fixture(scope="session")
def desk(services: Any, amqp_uri: str) -> Iterator[Desk]:
    services.service("notifications")
    here = Desk(services, amqp_uri)
    here.learn_names()
    yield here
    here.close()
