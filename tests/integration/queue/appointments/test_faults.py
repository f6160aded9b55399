"""Faults found by reading the commands line by line, on the real store: each was here once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.queue.v1 import appointment_pb2
from mpp.queue.v1 import appointments_service_pb2 as pb
from mpp_chassis.errors import FailedPrecondition, NotFound, PermissionDenied
from mpp_queue.appointments import changing
from mpp_queue.domain import QuotaReached
from mpp_queue.guard.domain import CoolDown

from .conftest import QUEUE, ROOM, SITE, SUNDAY, Bureau, at, database

S = appointment_pb2.Appointment
NIK, MAIL = "3573014107900001", "budi@example.id"


@pytest.fixture(scope="module")
def one(mongodb_uri: str) -> Iterator[Any]:
    with database(mongodb_uri) as made:
        yield made.database


@pytest.fixture
def bureau(one: Any) -> Bureau:
    """A database costs more than what is asked of it here: one for all, emptied before each test."""
    for collection in ("agencies", "agendas", "booking_claims", "channels", "sites"):
        one[collection].delete_many({})
    here = Bureau(one)
    here.learn()
    return here


def test_a_second_chance_counts_once(bureau: Bureau) -> None:
    """What was missed left a claim behind; with the one of the new time the booking had two."""
    bureau.learn(2, max_open_per_email=2)
    missed = bureau.book(at(8), email=MAIL)
    bureau.sweep(at(8, 40))
    assert bureau.get(missed.name).state == S.STATE_NO_SHOW
    bureau.move(missed.name, at(10, day=24))
    second = bureau.hold(at(11, day=24), email=MAIL)
    with pytest.raises(QuotaReached):
        bureau.hold(at(13, day=24), email=MAIL)
    assert second.state == S.STATE_HELD


def test_of_two_changes_at_once_the_one_that_wins_keeps_the_claim(bureau: Bureau, monkeypatch: Any) -> None:
    bureau.learn(2, max_open_per_email=1)
    booked = bureau.book(at(8), email=MAIL)
    with monkeypatch.context() as patch:
        patch.setattr(changing, "complete_reschedule", lambda *_: None)
        lost, won = (bureau.move(booked.name, at(hour, day=24)) for hour in (9, 10))
    changing.complete_reschedule(bureau.app, booked.name, won.name, bureau.now)
    with pytest.raises(Exception, match="cannot become"):
        changing.complete_reschedule(bureau.app, booked.name, lost.name, bureau.now)
    bureau.now += timedelta(minutes=2)
    with pytest.raises(QuotaReached):
        bureau.hold(at(11, day=24), email=MAIL)
    (claim,) = bureau.database["booking_claims"].find({})
    assert claim["appointment"] == won.name


def test_a_write_whose_answer_was_lost_keeps_its_claim(bureau: Bureau, monkeypatch: Any) -> None:
    bureau.learn(2, max_open_per_email=1)
    change = bureau.app.days.change

    def cut(*given: Any) -> Any:
        change(*given)
        raise ConnectionError("the store did it and did not say so")

    with monkeypatch.context() as patch:
        patch.setattr(bureau.app.days, "change", cut)
        with pytest.raises(ConnectionError):
            bureau.hold(at(8), email=MAIL)
    bureau.now += timedelta(minutes=2)
    with pytest.raises(QuotaReached):
        bureau.hold(at(9), email=MAIL)


def test_what_was_moved_in_time_stays_moved_although_the_old_time_passed_meanwhile(
    bureau: Bureau, monkeypatch: Any
) -> None:
    """A second chance is moved, the process dies before the old time is given back, and a sweep finds nobody there."""
    missed = bureau.book(at(8))
    bureau.sweep(at(8, 40))
    second = bureau.move(missed.name, at(10))
    with monkeypatch.context() as patch:
        patch.setattr(changing, "complete_reschedule", lambda *_: None)
        third = bureau.move(second.name, at(9, day=24))
    bureau.sweep(at(10, 40))
    assert bureau.get(second.name).state == S.STATE_NO_SHOW
    changing.complete_reschedule(bureau.app, second.name, third.name, bureau.now)
    assert [bureau.get(n).state for n in (second.name, third.name)] == [S.STATE_RESCHEDULED, S.STATE_CONFIRMED]


def test_a_queue_that_was_taken_back_keeps_the_time_of_its_place(bureau: Bureau) -> None:
    site = site_pb2.Site(name="sites/jayapura", time_zone="Asia/Jayapura")
    bureau.rooms.queues.learn_site(site, 1)
    gone = bureau.app.agendas.known("sites/jayapura/queues/tutup", "sites/jayapura/agencies/a")
    assert gone.zone == "Asia/Jayapura"
    assert not gone.hours


def test_who_has_a_room_now_sees_what_was_booked_there_and_who_had_it_does_not(bureau: Bureau) -> None:
    bureau.learn_channel(ROOM, "room", {})
    booked = bureau.book(at(8), ROOM, nik=NIK)
    before = bureau.app.channels.get(ROOM)
    assert before is not None
    before.agency = f"sites/{SITE}/agencies/dukcapil"
    bureau.app.channels.learn(before, 9)
    bureau.forget_what_is_known()
    day = booked.name.rsplit("/appointments/", 1)[0]
    asked = {
        "GetAppointment": pb.GetAppointmentRequest(name=booked.name),
        "ListAppointments": pb.ListAppointmentsRequest(parent=day),
        "ListConflicts": pb.ListConflictsRequest(parent=ROOM),
        "CancelAppointment": pb.CancelAppointmentRequest(name=booked.name, request_id=str(uuid.uuid4())),
    }
    for method, request in asked.items():
        with pytest.raises(PermissionDenied):
            bureau.do(method, request, "officer", agency="imigrasi")
        bureau.do(method, request, "officer", agency="dukcapil")
    assert bureau.get(booked.name).agency == before.agency


def test_one_day_that_breaks_does_not_stop_the_sweep_of_the_others(bureau: Bureau, monkeypatch: Any) -> None:
    bureau.learn_channel(ROOM, "room", {})
    bad, good = bureau.hold(at(8), ROOM), bureau.hold(at(8))
    bureau.database["agendas"].update_one(
        {"_id": bad.name.rsplit("/appointments/", 1)[0]}, {"$set": {"due_at": SUNDAY}, "$inc": {"version": 1}}
    )
    find = bureau.app.agendas.find

    def broken(parent: str) -> Any:
        if parent == ROOM:
            raise OverflowError("a rule that no calendar holds")
        return find(parent)

    monkeypatch.setattr(bureau.app.agendas, "find", broken)
    assert bureau.sweep(SUNDAY + timedelta(minutes=16)) == 1
    assert bureau.told(good.name)[-1] == "appointment_cancelled.v1"
    assert bureau.sweep(SUNDAY + timedelta(minutes=16)) == 0


def test_the_last_one_given_up_counts_however_many_there_were_before(bureau: Bureau) -> None:
    bureau.learn(2, quota=agency_pb2.Quota(cool_down_minutes=60))
    bureau.cancel(bureau.book(at(8, day=25), nik=NIK).name)
    (like,) = bureau.database["agendas"].find({})
    like.pop("outbox", None)
    old = [{**like, "_id": f"{QUEUE}/agendas/2026-10-{n:02d}", "day": f"2026-10-{n:02d}"} for n in range(1, 25)]
    bureau.database["agendas"].delete_many({})
    bureau.database["agendas"].insert_many(old)
    bureau.now += timedelta(minutes=61)
    bureau.cancel(bureau.book(at(9), nik=NIK).name)
    with pytest.raises(CoolDown):
        bureau.hold(at(10), nik=NIK)
    bureau.now += timedelta(minutes=61)
    assert bureau.hold(at(10), nik=NIK).state == S.STATE_HELD


def test_a_request_id_older_than_its_reply_makes_no_second_booking_of_one_name(bureau: Bureau) -> None:
    """Replies are kept for a day, bookings longer."""
    rid, moved = str(uuid.uuid4()), str(uuid.uuid4())
    first = bureau.confirm(bureau.hold(at(8, day=25), request_id=rid))
    new = bureau.move(first.name, at(10, day=25), rid=moved)
    bureau.now += timedelta(hours=25)
    bureau.hold(at(14, day=25), subject="budi")  # a write: it forgets replies that are a day old
    with pytest.raises(FailedPrecondition) as reused:
        bureau.hold(at(8, day=25), request_id=rid)
    assert reused.value.reason == "REQUEST_ID_REUSED"
    with pytest.raises(FailedPrecondition) as reused:
        bureau.move(new.name, at(11, day=25), rid=moved)
    assert reused.value.reason == "REQUEST_ID_REUSED"
    (day,) = bureau.database["agendas"].find({})
    ids = [b["id"] for b in day["bookings"]]
    assert len(ids) == len(set(ids)) == 3


def test_a_booking_code_is_for_the_citizen_and_the_agency(bureau: Bureau) -> None:
    booked = bureau.book(at(8))
    assert bureau.get(booked.name, role="officer").booking_code == booked.booking_code
    assert bureau.get(booked.name, role="site_manager").booking_code == ""
    assert bureau.move(booked.name, at(9), role="site_manager").booking_code == ""


def test_a_day_that_no_calendar_has_is_not_there(bureau: Bureau) -> None:
    with pytest.raises(NotFound):
        bureau.do("ListAppointments", pb.ListAppointmentsRequest(parent=f"{QUEUE}/agendas/2026-02-30"), "officer")
