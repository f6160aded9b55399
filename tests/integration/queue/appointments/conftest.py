"""The use cases of bookings in this process on the real store, with a clock of the test's."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from google.protobuf import struct_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from mpp.catalog.v1 import agency_pb2, channel_pb2, site_pb2
from mpp.queue.v1 import appointment_pb2
from mpp.queue.v1 import appointments_service_pb2 as pb
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.audit import AuditLog
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.privacy import BlindIndex, FieldCipher
from mpp_queue import main, rooms
from mpp_queue.appointments import anywhere, blocking, changing, checking_in, holding, listing, sweeping
from pymongo import monitoring

SITE = "malang"
QUEUE = f"sites/{SITE}/queues/imigrasi"
ROOM = f"sites/{SITE}/channels/balai-nikah"
HOME = f"sites/{SITE}/channels/jemput-bola"
AGENCY = f"sites/{SITE}/agencies/imigrasi"
SUNDAY = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)  # 09:00 in Malang, the day before
RULES: dict[str, Any] = {
    "slot_minutes": 30,
    "places": 3,
    "public_places": 2,
    "latest_days": 30,
    "max_slots": 3,
    "cooling_minutes": 20,
}


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    """Wall-clock time in Malang."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=7)


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


class Bureau:
    """One process's worth of the service, without a process. Several share a store."""

    def __init__(self, database: Any) -> None:
        self.now = SUNDAY
        self.database = database
        kit = SimpleNamespace(
            store=Store(database, None, lambda: self.now, random.Random(7)),
            cipher=FieldCipher("k:" + base64.b64encode(bytes(32)).decode()),
            index=BlindIndex(base64.b64encode(bytes(32)).decode()),
            audit=AuditLog(database["audit"], "test"),
            settings=SimpleNamespace(extra={}, amqp_uri=""),
            rng=random.Random(7),
            clock=lambda: self.now,
        )
        self.rooms = main.compose(kit)  # type: ignore[arg-type]
        self.app = self.rooms.appointments

    # -- what the catalogue tells

    def learn(self, sequence: int = 1, holidays: tuple[str, ...] = (), quota: Any = None, **rules: Any) -> None:
        hours = [
            site_pb2.OpeningHours(weekday=d, opens=o, closes=c)
            for d in range(1, 6)
            for o, c in (("08:00", "12:00"), ("13:00", "15:00"))
        ]
        site = site_pb2.Site(name=f"sites/{SITE}", time_zone="Asia/Jakarta", opening_hours=hours)
        for day in holidays:
            site.holidays.add(date=day, name="Libur")
        self.rooms.queues.learn_site(site, sequence)
        spec = agency_pb2.QueueSpec(
            id="imigrasi",
            prefix="I",
            counters=[3, 4],
            minutes_per_visit=10,
            appointments=agency_pb2.AppointmentRules(**{**RULES, **rules}),
            quota=quota,
        )
        self.rooms.queues.learn_agency(agency_pb2.Agency(name=AGENCY, queue=spec), sequence)
        self.forget_what_is_known()

    def learn_channel(self, name: str, kind: str, settings: dict[str, Any], sequence: int = 1, **rules: Any) -> None:
        told = struct_pb2.Struct()
        told.update(settings)
        channel = channel_pb2.Channel(
            name=name,
            kind=f"sites/{SITE}/channelKinds/{kind}",
            agency=AGENCY,
            settings=told,
            appointments=agency_pb2.AppointmentRules(**{**RULES, **rules}),
        )
        self.app.channels.learn(channel, sequence)
        self.forget_what_is_known()

    def forget_what_is_known(self) -> None:
        self.app.agendas._known.clear()
        self.rooms.queues._known.clear()

    # -- what people do

    def by(
        self, method: str, request: Any, role: str = "citizen", subject: str = "ani", agency: str = "imigrasi"
    ) -> Call:
        scopes = {"citizen": {"any", "own"}, "officer": {"agency"}, "kiosk": {"site"}, "site_manager": {"site"}}[role]
        if role == "citizen" and method not in ("HoldSlot", "HoldAnySlot", "ListSlots", "ListAnySlots"):
            scopes = {"own"}
        caller = Caller(
            subject=subject,
            roles=frozenset({role}),
            site=SITE,
            agency=agency,
            owner_keys=frozenset({f"sub:{subject}"}),
        )
        rid = getattr(request, "request_id", "") or str(uuid.uuid4())
        command = Command(
            rid, method, request.SerializeToString(deterministic=True).hex(), f"{role}:{subject}", self.now
        )
        return Call(caller, self.now, command, frozenset(scopes), role)

    def do(self, method: str, request: Any, role: str = "citizen", subject: str = "ani", **given: str) -> Any:
        functions = {
            "ListSlots": listing.list_slots,
            "HoldSlot": holding.hold_slot,
            "ListAnySlots": anywhere.list_any_slots,
            "HoldAnySlot": anywhere.hold_any_slot,
            "ConfirmAppointment": changing.confirm_appointment,
            "RescheduleAppointment": changing.reschedule_appointment,
            "CancelAppointment": changing.cancel_appointment,
            "CheckIn": checking_in.check_in,
            "GetAppointment": listing.get_appointment,
            "ListAppointments": listing.list_appointments,
            "ListMyAppointments": listing.list_my_appointments,
            "ListConflicts": listing.list_conflicts,
            "BlockSlots": blocking.block_slots,
            "UnblockSlots": blocking.unblock_slots,
        }
        return functions[method](self.app, request, self.by(method, request, role, subject, **given))  # type: ignore[operator]

    def hold(
        self, start: datetime, parent: str = QUEUE, role: str = "citizen", subject: str = "ani", **given: Any
    ) -> appointment_pb2.Appointment:
        given.setdefault("request_id", str(uuid.uuid4()))
        return self.do("HoldSlot", pb.HoldSlotRequest(parent=parent, start=stamp(start), **given), role, subject)

    def confirm(self, held: Any, role: str = "citizen", subject: str = "ani", **given: Any) -> Any:
        request = pb.ConfirmAppointmentRequest(name=held.name, request_id=str(uuid.uuid4()), **given)
        return self.do("ConfirmAppointment", request, role, subject)

    def book(self, start: datetime, parent: str = QUEUE, subject: str = "ani", **given: Any) -> Any:
        return self.confirm(self.hold(start, parent, subject=subject, **given), subject=subject)

    def cancel(self, name: str, role: str = "citizen", subject: str = "ani", reason: str = "") -> Any:
        request = pb.CancelAppointmentRequest(name=name, reason=reason, request_id=str(uuid.uuid4()))
        return self.do("CancelAppointment", request, role, subject)

    def move(self, name: str, start: datetime, role: str = "citizen", subject: str = "ani", rid: str = "") -> Any:
        request = pb.RescheduleAppointmentRequest(name=name, start=stamp(start), request_id=rid or str(uuid.uuid4()))
        return self.do("RescheduleAppointment", request, role, subject)

    def get(self, name: str, role: str = "citizen", subject: str = "ani") -> Any:
        return self.do("GetAppointment", pb.GetAppointmentRequest(name=name), role, subject)

    def free(self, day: str = "2026-11-23", parent: str = QUEUE, **given: Any) -> dict[str, int]:
        request = pb.ListSlotsRequest(parent=parent, from_day=day, days=1, **given)
        return {s.time: s.free for s in self.do("ListSlots", request).slots}

    def check_in(self, code: str = "", name: str = "", role: str = "kiosk", rid: str = "") -> Any:
        request = pb.CheckInRequest(
            parent=f"sites/{SITE}", booking_code=code, name=name, request_id=rid or str(uuid.uuid4())
        )
        return self.do("CheckIn", request, role)

    def sweep(self, now: datetime) -> int:
        self.now = now
        return sweeping.sweep(self.app, now)

    def told(self, name: str) -> list[str]:
        """The keys of the events of one appointment that wait in the outbox: no dispatcher runs here."""
        day = self.database["agendas"].find_one({"_id": name.rsplit("/appointments/", 1)[0]}) or {}
        waiting = day.get("outbox", {}).get("events", [])
        return [e["key"] for e in waiting if e["headers"]["ce-subject"] == name and not e["key"].endswith(".public")]


@contextmanager
def database(mongodb_uri: str) -> Iterator[Any]:
    """A migrated one, and what was asked of it."""
    asked: list[tuple[str, dict[str, Any]]] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            if event.command_name in ("find", "aggregate", "update"):
                asked.append((event.command_name, dict(event.command)))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[Listener()])
    name = f"t_{uuid.uuid4().hex[:12]}"
    storage.ensure_indexes(client[name], rooms.INDEXES, ("tickets", "agendas"))
    yield SimpleNamespace(database=client[name], asked=asked)
    client.drop_database(name)
    client.close()


@pytest.fixture
def queries(mongodb_uri: str) -> Iterator[Any]:
    """A database of the test's own."""
    with database(mongodb_uri) as made:
        yield made


@pytest.fixture
def bureau(queries: Any) -> Bureau:
    here = Bureau(queries.database)
    here.learn()
    return here
