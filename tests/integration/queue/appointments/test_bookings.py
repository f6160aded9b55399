"""Bookings through the use cases on the real store: places, holds, codes, changes of time, what time does."""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from mpp.catalog.v1 import agency_pb2
from mpp.queue.v1 import appointment_pb2
from mpp.queue.v1 import appointments_service_pb2 as pb
from mpp_chassis.errors import FailedPrecondition, NotFound, PermissionDenied
from mpp_queue.appointments import changing, listing
from mpp_queue.appointments.domain import errors
from mpp_queue.domain import InvalidField, QuotaReached, WrongState
from mpp_queue.guard.domain import CoolDown

from .conftest import HOME, QUEUE, ROOM, SITE, SUNDAY, Bureau, at, stamp

S = appointment_pb2.Appointment
NIK = "3573014107900001"


def test_slots_have_the_places_of_the_public(bureau: Bureau) -> None:
    hours = (8, 9, 10, 11, 13, 14)  # noon is a break
    assert bureau.free() == {f"{h:02d}:{m:02d}": 2 for h in hours for m in (0, 30)}
    bureau.hold(at(8))
    bureau.hold(at(8), role="officer")
    assert bureau.free()["08:00"] == 1  # three places, one is left, and the public may have it
    bureau.hold(at(8, 30), slots=2)
    assert [bureau.free()[t] for t in ("08:30", "09:00", "09:30")] == [1, 1, 2]
    assert bureau.free(slots=3)["11:00"] == 0  # the break comes
    assert bureau.free(slots=3)["09:00"] == 1


def test_no_more_than_there_are(bureau: Bureau) -> None:
    for n in range(2):
        bureau.hold(at(8), subject=f"s{n}")
    with pytest.raises(errors.SlotFull):
        bureau.hold(at(8))
    bureau.hold(at(8), role="officer")
    with pytest.raises(errors.SlotFull):
        bureau.hold(at(8), role="officer")


def test_a_repeated_hold_is_one_hold(bureau: Bureau) -> None:
    rid = str(uuid.uuid4())
    first = bureau.hold(at(8), request_id=rid)
    assert bureau.hold(at(8), request_id=rid) == first
    assert bureau.free()["08:00"] == 1
    with pytest.raises(FailedPrecondition) as reused:
        bureau.hold(at(9), request_id=rid)
    assert reused.value.reason == "REQUEST_ID_REUSED"
    assert bureau.free()["09:00"] == 2


@pytest.mark.parametrize("processes", [2])
def test_200_at_once_on_10_places(queries: Any, processes: int) -> None:
    """In each process the lock of the aggregate lines callers up; between processes the version decides."""
    houses = [Bureau(queries.database) for _ in range(processes)]
    houses[0].learn(places=10, public_places=10)

    def one(n: int) -> str:
        try:
            return houses[n % processes].hold(at(8), subject=f"s{n}").name
        except errors.SlotFull:
            return ""

    with ThreadPoolExecutor(50) as pool:
        got = [name for name in pool.map(one, range(200)) if name]
    assert len(got) == len(set(got)) == 10
    (day,) = queries.database["agendas"].find({})
    assert {b["id"] for b in day["bookings"]} == {name.rsplit("/", 1)[1] for name in got}


def test_a_hold_runs_out_and_cools(bureau: Bureau) -> None:
    held = bureau.hold(at(8))
    until = held.hold_until.ToDatetime(tzinfo=SUNDAY.tzinfo)
    assert until == SUNDAY + timedelta(minutes=15)
    day = bureau.app.days.load(held.name.rsplit("/appointments/", 1)[0])
    assert day is not None
    cool = day.day.bookings[0].cool_until
    assert until <= cool <= until + timedelta(minutes=20)
    bureau.now = cool - timedelta(seconds=1)
    assert bureau.free()["08:00"] == 1  # nobody swept, and still it is not offered early ...
    bureau.now = cool
    assert bureau.free()["08:00"] == 2  # ... nor late
    with pytest.raises(errors.HoldExpired):
        bureau.confirm(held)
    assert bureau.sweep(bureau.now) == 1
    assert bureau.told(held.name) == ["appointment_held.v1", "appointment_cancelled.v1"]
    assert bureau.sweep(bureau.now) == 0


def test_a_cancelled_place_cools(bureau: Bureau) -> None:
    booked = bureau.book(at(8))
    bureau.cancel(booked.name)
    assert bureau.free()["08:00"] == 1
    bureau.now += timedelta(minutes=20)
    assert bureau.free()["08:00"] == 2
    with pytest.raises(WrongState):
        bureau.cancel(booked.name)
    assert bureau.get(booked.name).state == S.STATE_CANCELLED  # its citizen still sees it


def test_what_is_kept_of_a_person(bureau: Bureau, queries: Any) -> None:
    held = bureau.hold(at(8), nik=NIK)
    sure = bureau.confirm(held, phone="+6281234567890")
    assert (sure.masked_nik, sure.masked_phone) == ("3573********0001", "+62********890")
    (day,) = queries.database["agendas"].find({})
    assert NIK not in str(day)
    assert "81234567890" not in str(day)
    assert sure.booking_code
    assert sure.booking_code not in str(day)
    again = bureau.get(sure.name)
    assert again.booking_code == sure.booking_code
    bureau.cancel(sure.name)
    (day,) = queries.database["agendas"].find({})
    (booking,) = day["bookings"]
    assert set(booking["personal"]) == {"person_key", "holder_key"}  # for the cool-down
    assert day["code_keys"] == []


def test_others_do_not_see_it(bureau: Bureau) -> None:
    booked = bureau.book(at(8))
    for act in (bureau.get, bureau.cancel):
        with pytest.raises(PermissionDenied):
            act(booked.name, subject="budi")
    with pytest.raises(PermissionDenied):
        bureau.move(booked.name, at(9), subject="budi")
    assert bureau.get(booked.name, role="officer").name == booked.name
    mine = bureau.do("ListMyAppointments", pb.ListMyAppointmentsRequest(parent=f"sites/{SITE}"))
    assert [a.name for a in mine.appointments] == [booked.name]
    theirs = bureau.do("ListMyAppointments", pb.ListMyAppointmentsRequest(parent=f"sites/{SITE}"), subject="budi")
    assert not theirs.appointments


def test_what_a_kiosk_books_belongs_to_who_proves_the_nik(bureau: Bureau) -> None:
    held = bureau.hold(at(8), role="kiosk", nik=NIK)
    sure = bureau.confirm(held, role="kiosk")
    key = bureau.app.index.of(NIK, "nik")
    call = bureau.by("GetAppointment", pb.GetAppointmentRequest(name=sure.name))
    object.__setattr__(call.caller, "owner_keys", frozenset({"sub:other-account", f"nik:{key}"}))
    mine = listing.get_appointment(bureau.app, pb.GetAppointmentRequest(name=sure.name), call)
    assert mine.booking_code == sure.booking_code
    assert [line.actor for line in mine.history] == ["kiosk:ani", "kiosk:ani"]
    with pytest.raises(PermissionDenied):
        bureau.get(sure.name)
    with pytest.raises(InvalidField) as strange:
        bureau.hold(at(9), role="kiosk", nik="3573014113900001")  # no thirteenth month
    assert strange.value.field == "nik"


def test_the_window_and_what_is_no_slot(bureau: Bureau) -> None:
    bureau.learn(2, earliest_days=2, latest_days=5)
    with pytest.raises(errors.NotInWindow):
        bureau.hold(at(8))  # tomorrow: too soon for the public
    bureau.hold(at(8), role="officer")
    bureau.hold(at(8, day=24))
    with pytest.raises(errors.NotInWindow):
        bureau.hold(at(8, day=30))
    for strange in (at(8, 10, 24), at(12, 0, 24), at(8, 0, 28)):
        with pytest.raises((InvalidField, errors.NotInWindow)):
            bureau.hold(strange)
    with pytest.raises(InvalidField):
        bureau.do(
            "HoldSlot", pb.HoldSlotRequest(parent=QUEUE, start={"seconds": -(2**62)}, request_id=str(uuid.uuid4()))
        )


def test_one_person_a_day(bureau: Bureau) -> None:
    bureau.learn(2, quota=agency_pb2.Quota(per_day=1, cool_down_minutes=60))
    booked = bureau.book(at(8), nik=NIK)
    with pytest.raises(QuotaReached):
        bureau.hold(at(9), nik=NIK)
    bureau.cancel(bureau.hold(at(9), nik=NIK, subject="someone-else").name, subject="someone-else")  # typed: ADR 0040
    moved = bureau.move(booked.name, at(9))  # a change of time is no second booking
    bureau.cancel(moved.name)
    with pytest.raises(CoolDown):
        bureau.hold(at(10), nik=NIK)
    bureau.now += timedelta(minutes=61)
    bureau.hold(at(10), nik=NIK)
    bureau.learn(3, quota=agency_pb2.Quota(person_required=True))
    with pytest.raises(Exception, match="NIK"):
        bureau.hold(at(10))


@pytest.mark.parametrize("day", [23, 24])
def test_another_time(bureau: Bureau, day: int) -> None:
    booked = bureau.book(at(8))
    rid = str(uuid.uuid4())
    moved = bureau.move(booked.name, at(10, 0, day), rid=rid)
    assert bureau.move(booked.name, at(10, 0, day), rid=rid) == moved
    assert (moved.state, moved.replaces, moved.booking_code) == (S.STATE_CONFIRMED, booked.name, booked.booking_code)
    old = bureau.get(booked.name)
    assert (old.state, old.replaced_by) == (S.STATE_RESCHEDULED, moved.name)
    assert bureau.told(moved.name) == ["appointment_rescheduled.v1"]
    assert bureau.told(booked.name)[-1] == "appointment_cancelled.v1"
    with pytest.raises(WrongState):
        bureau.move(booked.name, at(11))
    assert bureau.free(f"2026-11-{day}")["10:00"] == 1


def test_a_new_time_that_is_full_leaves_the_old_one(bureau: Bureau) -> None:
    booked = bureau.book(at(8))
    for n in range(2):
        bureau.hold(at(10, 0, 24), subject=f"s{n}")
    with pytest.raises(errors.SlotFull):
        bureau.move(booked.name, at(10, 0, 24))
    assert bureau.get(booked.name).state == S.STATE_CONFIRMED


def test_a_crash_between_the_new_time_and_the_old(bureau: Bureau, monkeypatch: Any) -> None:
    booked = bureau.book(at(8))
    with monkeypatch.context() as patch:
        patch.setattr(changing, "complete_reschedule", lambda *_: None)  # the process died here
        moved = bureau.move(booked.name, at(10, 0, 24))
    assert [bureau.get(n).state for n in (booked.name, moved.name)] == [S.STATE_CONFIRMED] * 2
    for _ in range(2):  # the event's handler, twice
        changing.complete_reschedule(bureau.app, booked.name, moved.name, bureau.now)
    assert [bureau.get(n).state for n in (booked.name, moved.name)] == [S.STATE_RESCHEDULED, S.STATE_CONFIRMED]


def test_two_changes_of_one_appointment_at_once(bureau: Bureau, monkeypatch: Any) -> None:
    booked = bureau.book(at(8))
    with monkeypatch.context() as patch:
        patch.setattr(changing, "complete_reschedule", lambda *_: None)
        one, two = (bureau.move(booked.name, at(h, 0, 24)) for h in (9, 10))
    changing.complete_reschedule(bureau.app, booked.name, one.name, bureau.now)
    with pytest.raises(WrongState):
        changing.complete_reschedule(bureau.app, booked.name, two.name, bureau.now)
    states = [bureau.get(n).state for n in (booked.name, one.name, two.name)]
    assert states == [S.STATE_RESCHEDULED, S.STATE_CONFIRMED, S.STATE_CANCELLED]


def test_who_missed_it_gets_one_more_time(bureau: Bureau) -> None:
    booked = bureau.book(at(8))
    bureau.sweep(at(8, 29))
    assert bureau.get(booked.name).state == S.STATE_CONFIRMED
    assert bureau.sweep(at(8, 30)) == 1
    assert bureau.get(booked.name).state == S.STATE_NO_SHOW
    with pytest.raises(errors.Missed):
        bureau.check_in(booked.booking_code)
    moved = bureau.move(booked.name, at(9, 0, 24))
    assert moved.booking_code == booked.booking_code
    bureau.sweep(at(12, 0, 24))
    assert bureau.get(moved.name).state == S.STATE_NO_SHOW
    with pytest.raises(errors.RescheduledBefore):
        bureau.move(moved.name, at(9, 0, 25))


def test_a_reminder_the_day_before_and_once(bureau: Bureau) -> None:
    far = bureau.book(at(9, 0, 25))
    near = bureau.book(at(8))  # within a day: nobody needs to be reminded
    assert bureau.sweep(at(9, 0, 24) - timedelta(seconds=1)) == 1  # the near one is a no-show by then
    assert bureau.sweep(at(9, 0, 24)) == 1
    assert bureau.sweep(at(9, 0, 24)) == 0
    assert bureau.told(far.name).count("appointment_due.v1") == 1
    assert "appointment_due.v1" not in bureau.told(near.name)
    assert bureau.told(near.name)[-1] == "appointment_no_show.v1"


def test_conflicts_come_with_other_times(bureau: Bureau) -> None:
    names = []
    for who in ("ani", "budi"):
        names.append(bureau.book(at(8), subject=who).name)
        bureau.now += timedelta(seconds=1)
    late = bureau.book(at(14)).name
    fine = bureau.book(at(8, 0, 24)).name

    def found() -> dict[str, Any]:
        reply = bureau.do("ListConflicts", pb.ListConflictsRequest(parent=QUEUE), role="officer")
        return {c.appointment.name: c for c in reply.conflicts}

    assert found() == {}
    bureau.learn(2, places=1, public_places=1)
    assert {n: c.reason for n, c in found().items()} == {
        names[1]: appointment_pb2.AppointmentConflict.REASON_OVER_CAPACITY
    }
    bureau.learn(3, holidays=("2026-11-23",))
    conflicts = found()
    assert set(conflicts) == {*names, late}
    assert {c.reason for c in conflicts.values()} == {appointment_pb2.AppointmentConflict.REASON_CLOSED_DAY}
    assert fine not in conflicts
    proposed = conflicts[late].proposed
    assert [(s.day, s.time) for s in proposed] == [("2026-11-24", t) for t in ("14:00", "13:30", "14:30")]
    moved = bureau.move(late, proposed[0].start.ToDatetime(tzinfo=SUNDAY.tzinfo), role="officer")
    assert moved.state == S.STATE_CONFIRMED
    assert late not in found()
    page = bureau.do("ListConflicts", pb.ListConflictsRequest(parent=QUEUE, page_size=1), role="officer")
    rest = bureau.do(
        "ListConflicts", pb.ListConflictsRequest(parent=QUEUE, page_token=page.next_page_token), role="officer"
    )
    assert {c.appointment.name for c in (*page.conflicts, *rest.conflicts)} == set(names)
    assert len(page.conflicts) == len(rest.conflicts) == 1


def test_rules_that_are_taken_back_leave_what_is_booked(bureau: Bureau) -> None:
    booked = bureau.book(at(8))
    bureau.rooms.queues.learn_agency(
        agency_pb2.Agency(
            name=bureau.app.agendas.find(QUEUE).agency, queue=agency_pb2.QueueSpec(id="imigrasi", prefix="I")
        ),
        9,
    )
    bureau.forget_what_is_known()
    with pytest.raises(FailedPrecondition) as refused:
        bureau.hold(at(9))
    assert refused.value.reason == "NOT_BOOKABLE"
    reply = bureau.do("ListConflicts", pb.ListConflictsRequest(parent=QUEUE), role="officer")
    assert [c.appointment.name for c in reply.conflicts] == [booked.name]
    bureau.cancel(booked.name)


def test_blocked_places(bureau: Bureau) -> None:
    booked = bureau.book(at(8))
    day = f"{QUEUE}/agendas/2026-11-23"
    request = pb.BlockSlotsRequest(
        parent=day, start=stamp(at(8)), end=stamp(at(9)), reason="listrik padam", request_id=str(uuid.uuid4())
    )
    agenda = bureau.do("BlockSlots", request, role="officer")
    assert [(s.time, s.blocked, s.free_internal) for s in agenda.slots][:3] == [
        ("08:00", 3, 0),
        ("08:30", 3, 0),
        ("09:00", 0, 3),
    ]
    assert bureau.free()["08:30"] == 0
    reply = bureau.do("ListConflicts", pb.ListConflictsRequest(parent=QUEUE), role="officer")
    assert [(c.appointment.name, c.reason) for c in reply.conflicts] == [
        (booked.name, appointment_pb2.AppointmentConflict.REASON_BLOCKED)
    ]
    unblock = pb.UnblockSlotsRequest(name=agenda.blocks[0].name, request_id=str(uuid.uuid4()))
    assert not bureau.do("UnblockSlots", unblock, role="officer").blocks
    assert bureau.free()["08:30"] == 2
    for start, end in ((at(9), at(8)), (at(8), at(9, 0, 24)), (at(8, 0, 24), at(9, 0, 24))):
        strange = pb.BlockSlotsRequest(
            parent=day, start=stamp(start), end=stamp(end), reason="x", request_id=str(uuid.uuid4())
        )
        with pytest.raises(InvalidField):
            bureau.do("BlockSlots", strange, role="officer")


def test_a_room_and_a_round_of_visits_are_booked_like_a_queue(bureau: Bureau) -> None:
    """Two kinds of which this service never heard: their settings and rules make what they are."""
    hours = [agency_pb2.AgendaHours(weekday=6, opens="08:00", closes="12:00", weeks=[2, 4])]
    bureau.learn_channel(ROOM, "a_kind_of_room", {}, slot_minutes=120, places=1, public_places=1, hours=hours)
    assert bureau.free("2026-11-28", ROOM) == {"08:00": 1, "10:00": 1}  # the fourth Saturday
    assert bureau.free("2026-12-05", ROOM) == {}
    wedding = bureau.book(at(8, 0, 28), ROOM)
    bureau.now = at(7, 45, 28)
    here = bureau.check_in(wedding.booking_code)
    assert here.appointment.state == S.STATE_CHECKED_IN
    assert not here.appointment.ticket
    assert not here.HasField("issued")
    bureau.sweep(at(10, 0, 28))
    assert bureau.get(wedding.name).state == S.STATE_FULFILLED

    bureau.now = SUNDAY
    settings = {
        "route": [{"day": "tuesday", "areas": ["klojen"]}, {"day": "thursday", "areas": ["sukun"]}],
        "priority_places": 1,
        "priority_until_days": 2,
        "priority_groups": ["disability"],
    }
    bureau.learn_channel(HOME, "some_round", settings, slot_minutes=60, places=2, public_places=2)
    tuesday = at(8, 0, 24)
    with pytest.raises(InvalidField) as elsewhere:
        bureau.hold(tuesday, HOME, area="sukun")
    assert elsewhere.value.field == "area"
    held = bureau.hold(tuesday, HOME, area="klojen")
    with pytest.raises(errors.SlotFull):
        bureau.hold(tuesday, HOME, area="klojen", subject="budi")  # one is kept for priority two days before
    special = bureau.hold(tuesday, HOME, area="klojen", priority_group=1, subject="citra")
    assert special.state == S.STATE_HELD
    with pytest.raises(InvalidField) as nowhere:
        bureau.confirm(held)
    assert nowhere.value.field == "address"
    sure = bureau.confirm(held, address="Jl. Ijen 7")
    assert (sure.has_address, sure.address) == (True, "")
    assert bureau.get(sure.name).address == ""
    assert bureau.get(sure.name, role="officer").address == "Jl. Ijen 7"
    assert bureau.database["audit"].count_documents({"resource": sure.name}) == 1
    assert "Ijen" not in str(bureau.database["agendas"].find_one({"_id": f"{HOME}/agendas/2026-11-24"}))
    assert bureau.free("2026-11-26", HOME, area="klojen") == {}
    bureau.now = SUNDAY + timedelta(days=1)
    assert bureau.free("2026-11-26", HOME, area="sukun")["08:00"] == 2 - 1  # three days before: kept
    bureau.now = SUNDAY + timedelta(days=3)
    assert bureau.free("2026-11-26", HOME, area="sukun")["08:00"] == 2


def test_a_day_is_listed_by_pages(bureau: Bureau) -> None:
    rng = random.Random(3)
    names = [bureau.book(at(h, m), subject=f"s{h}{m}{rng.random()}").name for h in (9, 8, 10) for m in (30, 0)]
    request = pb.ListAppointmentsRequest(parent=f"{QUEUE}/agendas/2026-11-23", page_size=4)
    first = bureau.do("ListAppointments", request, role="officer")
    request.page_token = first.next_page_token
    second = bureau.do("ListAppointments", request, role="officer")
    listed = [a for page in (first, second) for a in page.appointments]
    assert {a.name for a in listed} == set(names)
    assert [a.start.seconds for a in listed] == sorted(a.start.seconds for a in listed)
    assert len(first.appointments) == 4
    assert not second.next_page_token
    assert {s.time: s.taken for s in first.agenda.slots}["08:30"] == 1
    empty = bureau.do(
        "ListAppointments", pb.ListAppointmentsRequest(parent=f"{QUEUE}/agendas/2026-11-25"), role="officer"
    )
    assert len(empty.agenda.slots) == 12
    with pytest.raises(PermissionDenied):
        bureau.do("ListAppointments", request, role="officer", agency="dukcapil")


def test_a_wrong_code_and_a_code_too_early(bureau: Bureau) -> None:
    booked = bureau.book(at(8))
    with pytest.raises(NotFound) as unknown:
        bureau.check_in("AAAA-AAAA")
    assert unknown.value.reason == "BOOKING_CODE_UNKNOWN"
    bureau.now = at(7, 29)
    with pytest.raises(errors.TooEarly) as early:
        bureau.check_in(booked.booking_code.lower().replace("-", " "))
    assert early.value.metadata["opens_at"] == "2026-11-23T00:30:00+00:00"
    for nothing in ({}, {"code": booked.booking_code, "name": booked.name}):
        with pytest.raises(InvalidField):
            bureau.check_in(**nothing)


def test_every_query_has_an_index(queries: Any, bureau: Bureau) -> None:
    bureau.learn(2, quota=agency_pb2.Quota(cool_down_minutes=5))
    _history(queries.database, bureau, 400)
    queries.asked.clear()
    booked = bureau.book(at(8), nik=NIK)
    bureau.free()
    with pytest.raises(NotFound):
        bureau.check_in("AAAA-AAAA")
    bureau.do("ListMyAppointments", pb.ListMyAppointmentsRequest(parent=f"sites/{SITE}"))
    bureau.do("ListConflicts", pb.ListConflictsRequest(parent=QUEUE), role="officer")
    bureau.move(booked.name, at(9))
    bureau.sweep(at(12))
    asked = [(n, c) for n, c in queries.asked if "agendas" in (c.get("find"), c.get("update"), c.get("aggregate"))]
    assert {n for n, _ in asked} == {"find", "update"}
    for name, command in asked:
        stages, keys = plan_of(queries.database, command)
        assert "COLLSCAN" not in stages, (name, command)
        assert keys or "IDHACK" in stages or any("IXSCAN" in s for s in stages), (name, command, stages)


def test_a_sweep_looks_at_what_is_due_only(queries: Any, bureau: Bureau) -> None:
    _history(queries.database, bureau, 300)
    bureau.hold(at(8))
    queries.asked.clear()
    assert bureau.sweep(SUNDAY + timedelta(minutes=16)) == 1
    finds = [c for n, c in queries.asked if n == "find"]
    assert len(finds) == 1
    (reply,) = [
        queries.database.command(
            {**{k: v for k, v in finds[0].items() if not k.startswith("$") and k not in ("lsid",)}}
        )
    ]
    assert reply["cursor"]["firstBatch"] == []  # of 301 days none is due any more


def _history(database: Any, bureau: Bureau, days: int) -> None:
    """Days that are over, all settled, so that a scan of the collection would be the worse plan."""
    held = bureau.hold(at(8, 0, 25))
    bureau.cancel(held.name)
    (like,) = database["agendas"].find({})
    like.pop("outbox", None)
    copies = [
        {**like, "_id": f"{QUEUE}/agendas/old-{n}", "day": f"{2000 + n // 365}-01-01", "parent": f"{QUEUE}-{n % 7}"}
        for n in range(days)
    ]
    database["agendas"].insert_many(copies)
    database["agendas"].delete_one({"_id": like["_id"]})


def plan_of(database: Any, command: dict[str, Any]) -> tuple[list[str], list[str]]:
    kept = {k: v for k, v in command.items() if not k.startswith("$") and k not in ("lsid", "writeConcern")}
    plan = database.command({"explain": kept, "verbosity": "queryPlanner"})
    stages: list[str] = []
    keys: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("stage"), str):
                stages.append(node["stage"])
            if isinstance(node.get("indexName"), str):
                keys.append(node["indexName"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(plan)
    return stages, keys
