"""Faults found by reading the rules line by line: each was here once."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from mpp_queue.appointments.agendas import _from_settings
from mpp_queue.appointments.domain.agenda_day import AgendaDay, Wish
from mpp_queue.appointments.domain.booking import NOT_STARTED, Booking, Personal, State
from mpp_queue.appointments.domain.calendar import ON_SITE, VIDEO, Agenda, Hours
from mpp_queue.appointments.domain.conflicts import propose
from mpp_queue.appointments.domain.errors import HoldExpired, RescheduledBefore, SlotFull
from mpp_queue.domain import InvalidField

from .test_agendas import MADE
from .test_calendar import MONDAY, agenda
from .test_rules import NINE, NOW, confirmed, empty, hold, sure

HALF_AN_HOUR = timedelta(minutes=30)


def moved(day: AgendaDay, a: Agenda, before: Booking, start: datetime, now: datetime = NOW) -> AgendaDay:
    wish = Wish(start, before.slots, personal=before.personal)
    return day.book_instead(a, wish, before, "old", id="new", now=now, actor="citizen:x")


def test_where_local_midnight_lies_within_the_utc_day_the_nearest_time_is_the_nearest() -> None:
    """In Jayapura nine o'clock is midnight in UTC: half past eight is half an hour away all the same."""
    east = agenda(zone="Asia/Jayapura", hours=(Hours(1, time(8), time(11)),))
    nine = datetime(2026, 11, 23, 9, tzinfo=ZoneInfo("Asia/Jayapura")).astimezone(UTC)
    booking = replace(sure(), start=nine, end=nine + HALF_AN_HOUR)
    found = propose(east, booking, {}, [date(2026, 11, 30)], NOW)
    assert [f"{s.start.astimezone(ZoneInfo(east.zone)):%H:%M}" for s in found] == ["09:00", "08:30", "09:30"]


def test_a_booking_of_two_slots_moves_by_one_in_the_only_room() -> None:
    room = agenda(places=1, public_places=1)
    day = confirmed(empty().hold(room, Wish(NINE, 2), id="b", now=NOW, actor="x", rng=random.Random(1)), "b")
    before = day.find("b")
    assert before is not None
    later = moved(day, room, before, NINE + HALF_AN_HOUR)
    gone = before.move(now=NOW, actor="citizen:x", to="new", cool=timedelta(minutes=5))
    later = later.change(gone)
    assert [b.id for b in later.bookings if b.is_real(NOW)] == ["new"]
    first = room.slots_of(MONDAY)[2]
    assert first.start == NINE
    for now, free in ((NOW, 0), (gone.cool_until, 1)):  # what it left cools like any other place
        assert later.free(room, first, now, internal=False, priority=False) == free
    other = confirmed(
        empty().hold(room, Wish(NINE + HALF_AN_HOUR * 2), id="o", now=NOW, actor="x", rng=random.Random(1)), "o"
    )
    with pytest.raises(SlotFull):  # another one's place is no way
        moved(replace(day, bookings=(*day.bookings, *other.bookings)), room, before, NINE + HALF_AN_HOUR)


def test_another_time_is_another_one() -> None:
    day = confirmed(hold(empty(), "b"), "b")
    before = day.find("b")
    assert before is not None
    with pytest.raises(InvalidField) as refused:
        moved(day, agenda(), before, NINE)
    assert refused.value.field == "start"


def test_nobody_confirms_what_is_over() -> None:
    """Held a minute before a short slot: the hold runs longer than the time, and a code would be good for nothing."""
    short = agenda(slot=timedelta(minutes=5), late=timedelta(minutes=6))
    now = NINE - timedelta(minutes=1)
    held = empty().hold(short, Wish(NINE), id="h", now=now, actor="x", rng=random.Random(1)).find("h")
    assert held is not None
    for after, over in ((5, False), (6, True)):
        at = NINE + timedelta(minutes=after)
        assert at < held.hold_until
        if over:
            with pytest.raises(HoldExpired):
                held.confirm(short, now=at, actor="x", personal=Personal(), code_key="k", sealed_code="s")
        else:
            held.confirm(short, now=at, actor="x", personal=Personal(), code_key="k", sealed_code="s")


def test_a_missed_one_is_missed_also_before_a_sweep_said_so() -> None:
    booked = sure()
    over = booked.lost_at(agenda())
    after = moved(empty(), agenda(), booked, NINE + timedelta(hours=4), now=over).find("new")
    assert after is not None
    assert after.after_no_show
    with pytest.raises(RescheduledBefore):
        replace(booked, after_no_show=True).check_reschedule(agenda(), over)
    replace(booked, after_no_show=True).check_reschedule(agenda(), over - timedelta(seconds=1))


@pytest.mark.parametrize(("variant", "state"), [(VIDEO, State.CANCELLED), (ON_SITE, State.NO_SHOW)])
def test_an_office_without_a_line_has_all_day_to_begin_and_its_delay_is_no_ones_no_show(
    variant: str, state: State
) -> None:
    booked = replace(sure(), variant=variant, reminded=True)
    a = agenda()
    midnight = datetime(2026, 11, 24, tzinfo=ZoneInfo(a.zone)).astimezone(UTC)
    if booked.remote:
        assert booked.due_at(a) == midnight
        late = midnight - timedelta(seconds=1)
        assert booked.tick(a, now=late, actor="service:queue") is booked
        assert booked.check_in(a, now=late, actor="officer:o", ticket="").state is State.CHECKED_IN
    gone = booked.tick(a, now=midnight, actor="service:queue")
    assert (gone.state, gone.reason) == (state, NOT_STARTED if booked.remote else "")
    assert bool(gone.given_up_at) is not booked.remote


@pytest.mark.parametrize("minutes", [1e300, 10**12, float("inf"), float("nan")])
def test_a_channels_number_beyond_all_reason_is_a_number(minutes: float) -> None:
    """The catalogue takes any whole number; none may break the agenda, and with it the sweep of all sites."""
    made = replace(MADE, **_from_settings({"setup_minutes": minutes, "bookings_per_person": minutes}, MADE))
    assert timedelta(0) <= made.setup <= timedelta(days=1)
    assert NOW + made.setup > NOW - timedelta(1)
