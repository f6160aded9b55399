"""From a booking to a ticket: the place between walk-ins, coming late, a crash in between, and how it ends."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from mpp.catalog.v1 import agency_pb2
from mpp.queue.v1 import appointment_pb2, queue_service_pb2, ticket_pb2
from mpp_chassis.call import Command
from mpp_queue.api import QueueApi
from mpp_queue.appointments import changing, checking_in
from mpp_queue.domain import WrongState

from .conftest import HOME, QUEUE, SUNDAY, Bureau, at

S, T = appointment_pb2.Appointment, ticket_pb2.Ticket
NIK = "3573014107900001"


def take(bureau: Bureau, **given: Any) -> Any:
    request = queue_service_pb2.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()), **given)
    return QueueApi(bureau.rooms).TakeTicket(request, bureau.by("TakeTicket", request, "kiosk")).ticket


def call(bureau: Bureau, counter: int = 3) -> Any:
    request = queue_service_pb2.CallNextRequest(parent=QUEUE, counter=counter, request_id=str(uuid.uuid4()))
    return QueueApi(bureau.rooms).CallNext(request, bureau.by("CallNext", request, "officer", f"o{counter}"))


def step(bureau: Bureau, rpc: str, name: str) -> Any:
    """StartServing, FinishTicket, MissTicket, CancelTicket."""
    request = getattr(queue_service_pb2, f"{rpc}Request")(name=name, request_id=str(uuid.uuid4()))
    return getattr(QueueApi(bureau.rooms), rpc)(request, bureau.by(rpc, request, "officer", "o3"))


def test_on_time_stands_before_who_came_in_the_last_half_hour(bureau: Bureau) -> None:
    """Booked for 9:00. Check-in opens at 8:30, and counts from then on."""
    booked = bureau.book(at(9))
    bureau.now = at(8, 20)
    early_bird = take(bureau)
    bureau.now = at(8, 45)
    walk_in = take(bureau)
    bureau.now = at(9, 10)  # the last minute of being in time
    here = bureau.check_in(booked.booking_code)
    assert not here.appointment.late
    assert here.appointment.arrived_at.ToDatetime(tzinfo=SUNDAY.tzinfo) == at(8, 30)
    assert here.issued.ticket.name == here.appointment.ticket
    order = []
    for counter in (3, 4):
        order.append(call(bureau, counter).name)
    assert order == [early_bird.name, here.issued.ticket.name]
    assert walk_in.name not in order


def test_late_stands_behind_who_is_there(bureau: Bureau) -> None:
    booked = bureau.book(at(9))
    bureau.now = at(9, 11)
    walk_in = take(bureau)
    bureau.now = at(9, 12)
    here = bureau.check_in(booked.booking_code)
    assert here.appointment.late
    bureau.now = at(9, 13)
    last = take(bureau)
    assert [call(bureau, c).name for c in (3, 4)] == [walk_in.name, here.issued.ticket.name]
    assert last.state == T.STATE_WAITING


def test_twice_at_the_kiosk_is_one_ticket(bureau: Bureau) -> None:
    booked = bureau.book(at(9))
    bureau.now = at(8, 45)
    first = bureau.check_in(booked.booking_code)
    assert bureau.check_in(booked.booking_code).issued.ticket.number == first.issued.ticket.number
    assert bureau.check_in(name=booked.name, role="officer").issued.ticket.number == first.issued.ticket.number
    assert bureau.database["tickets"].count_documents({}) == 1


def test_a_crash_between_check_in_and_ticket(bureau: Bureau, monkeypatch: Any) -> None:
    booked = bureau.book(at(9))
    bureau.now = at(8, 45)
    with monkeypatch.context() as patch:

        def died(*_: Any) -> Any:
            raise ConnectionError("killed")

        patch.setattr(checking_in, "_draw", died)
        with pytest.raises(ConnectionError):
            bureau.check_in(booked.booking_code)
    assert bureau.get(booked.name).state == S.STATE_CHECKED_IN
    assert bureau.database["tickets"].count_documents({}) == 0
    assert bureau.told(booked.name)[-1] == "appointment_checked_in.v1"
    for _ in range(2):  # the event's handler, twice
        checking_in.complete_check_in(bureau.app, booked.name, bureau.now + timedelta(minutes=1))
    (ticket,) = bureau.database["tickets"].find({})
    assert (ticket["_id"], ticket["appointment"]) == (bureau.get(booked.name).ticket, booked.name)
    assert ticket["arrived_at"] == at(8, 30)


def test_the_handler_costs_nothing_when_the_ticket_is_there(bureau: Bureau, queries: Any) -> None:
    booked = bureau.book(at(9))
    bureau.now = at(8, 45)
    bureau.check_in(booked.booking_code)
    queries.asked.clear()
    checking_in.complete_check_in(bureau.app, booked.name, bureau.now)
    assert {name for name, _ in queries.asked} == {"find"}
    moved = bureau.move(bureau.book(at(10)).name, at(11))
    queries.asked.clear()
    changing.complete_reschedule(bureau.app, moved.replaces, moved.name, bureau.now)
    assert {name for name, _ in queries.asked} == {"find"}


def test_no_ticket_for_a_day_that_is_over(bureau: Bureau, monkeypatch: Any) -> None:
    booked = bureau.book(at(14, 30))
    bureau.now = at(14, 15)
    with monkeypatch.context() as patch:
        patch.setattr(checking_in, "_draw", lambda *_: None)
        bureau.check_in(booked.booking_code)
    checking_in.complete_check_in(bureau.app, booked.name, at(0, 0, 24))
    assert bureau.database["tickets"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (T.STATE_FINISHED, S.STATE_FULFILLED),
        (T.STATE_NO_SHOW, S.STATE_NO_SHOW),
        (T.STATE_MISSED, S.STATE_CHECKED_IN),
        (T.STATE_CANCELLED, S.STATE_CANCELLED),
        (T.STATE_CLOSED_AT_DAY_END, S.STATE_CANCELLED),
    ],
)
def test_the_tickets_end_is_the_appointments(bureau: Bureau, state: int, becomes: int) -> None:
    booked = bureau.book(at(9))
    bureau.now = at(8, 45)
    ticket = bureau.check_in(booked.booking_code).issued.ticket
    with pytest.raises(WrongState):
        bureau.cancel(booked.name)  # who stands in line cancels the ticket
    for n in range(2):
        command = Command(f"e{n}", "EndOfTicket", "", "service:queue", bureau.now)
        checking_in.ticket_ended(bureau.app, ticket.name, state, command)
        checking_in.ticket_ended(bureau.app, f"{QUEUE}/tickets/none-of-ours", state, command)
    assert bureau.get(booked.name).state == becomes


def test_a_visit_through_the_counter(bureau: Bureau) -> None:
    booked = bureau.book(at(9))
    bureau.now = at(8, 45)
    ticket = bureau.check_in(booked.booking_code).issued.ticket
    assert call(bureau).name == ticket.name
    step(bureau, "StartServing", ticket.name)
    assert step(bureau, "FinishTicket", ticket.name).state == T.STATE_FINISHED


def test_a_booked_citizen_is_not_sent_home_for_another_ticket(bureau: Bureau) -> None:
    bureau.learn(2, quota=agency_pb2.Quota(per_day=1))
    booked = bureau.book(at(9), nik=NIK)
    bureau.now = at(8, 45)
    take(bureau, nik=NIK)
    assert bureau.check_in(booked.booking_code).issued.ticket.number


def test_a_channel_that_has_a_queue_draws_its_ticket(bureau: Bureau) -> None:
    bureau.learn_channel(HOME, "corner", {"queue": "imigrasi"})
    booked = bureau.book(at(9), HOME)
    bureau.now = at(8, 45)
    here = bureau.check_in(booked.booking_code)
    assert here.issued.ticket.name.startswith(f"{QUEUE}/tickets/")
    assert call(bureau).name == here.issued.ticket.name
