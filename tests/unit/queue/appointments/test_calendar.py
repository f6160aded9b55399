"""When there are slots: hours, breaks, nth weeks, holidays, zones, and what a booking window lets in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue.appointments.domain.calendar import Agenda, Hours, week_of_month
from mpp_queue.domain import InvalidField, Maintenance, QueueNotOpen, Text, UnderMaintenance

MONDAY, FRIDAY = date(2026, 11, 23), date(2026, 11, 27)
DAY = (
    Hours(1, time(8), time(12)),
    Hours(1, time(13), time(15)),
    Hours(5, time(8), time(11)),
    Hours(5, time(13), time(14)),
)


def agenda(**given: Any) -> Agenda:
    base: dict[str, Any] = {
        "parent": "sites/x/queues/q",
        "site_id": "x",
        "agency": "sites/x/agencies/a",
        "zone": "Asia/Jakarta",
        "slot": timedelta(minutes=30),
        "places": 3,
        "public_places": 2,
        "hours": DAY,
        "last_day": 30,
        "max_slots": 4,
    }
    return Agenda(**{**base, **given})


def local(a: Agenda, day: date) -> list[str]:
    return [f"{s.start.astimezone(ZoneInfo(a.zone)):%H:%M}" for s in a.slots_of(day)]


def test_slots_leave_out_the_break() -> None:
    found = local(agenda(slot=timedelta(hours=1)), FRIDAY)
    assert found == ["08:00", "09:00", "10:00", "13:00"]  # no slot over Friday's long break
    assert local(agenda(slot=timedelta(minutes=45)), FRIDAY) == ["08:00", "08:45", "09:30", "10:15", "13:00"]


@pytest.mark.parametrize(("zone", "hour"), [("Asia/Jakarta", 1), ("Asia/Makassar", 0), ("Asia/Jayapura", 23)])
def test_a_slot_begins_at_the_sites_own_time(zone: str, hour: int) -> None:
    first = agenda(zone=zone).slots_of(MONDAY)[0]
    assert first.start.hour == hour
    assert local(agenda(zone=zone), MONDAY)[0] == "08:00"


def test_hours_of_some_weeks_only() -> None:
    second = agenda(hours=(Hours(1, time(8), time(9), frozenset({2, 4})),))
    mondays = [date(2026, 11, d) for d in (2, 9, 16, 23, 30)]
    assert [bool(second.slots_of(d)) for d in mondays] == [False, True, False, True, False]
    assert [week_of_month(d) for d in mondays] == [1, 2, 3, 4, 5]


def test_a_holiday_wins_over_hours() -> None:
    assert agenda(closed=frozenset({"2026-11-23"})).slots_of(MONDAY) == ()
    assert agenda().slots_of(date(2026, 11, 24)) == ()  # a Tuesday: nothing told


def test_overlapping_intervals_give_no_slot_twice() -> None:
    double = agenda(hours=(Hours(1, time(8), time(10)), Hours(1, time(9), time(11))))
    starts = [s.start for s in double.slots_of(MONDAY)]
    assert starts == sorted(set(starts))


def test_a_run_of_slots_ends_at_the_break() -> None:
    a = agenda()
    at = datetime(2026, 11, 23, 4, tzinfo=UTC)  # 11:00
    assert len(a.run(at, 2)) == 2
    with pytest.raises(InvalidField) as refused:
        a.run(at, 3)
    assert refused.value.field == "slots"
    with pytest.raises(InvalidField) as wrong:
        a.run(at + timedelta(minutes=1), 1)
    assert wrong.value.field == "start"
    with pytest.raises(InvalidField):
        a.run(at, 5)


def test_the_window_is_counted_in_local_days() -> None:
    a = agenda(first_day=1, last_day=7)
    late_evening = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)  # 00:30 of Monday in Malang
    assert not a.bookable(MONDAY, late_evening, internal=False)
    assert a.bookable(MONDAY, late_evening, internal=True)
    assert a.bookable(date(2026, 11, 30), late_evening, internal=False)
    assert not a.bookable(date(2026, 12, 1), late_evening, internal=True)


def test_areas_and_route_days() -> None:
    a = agenda(areas=frozenset({"klojen", "blimbing"}), routes={1: frozenset({"klojen"})})
    assert a.serves("klojen", MONDAY)
    assert not a.serves("blimbing", MONDAY)
    assert not a.serves("klojen", FRIDAY)
    assert not a.serves("sukun", MONDAY)
    assert agenda().serves("", MONDAY)


@given(
    st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1439)), max_size=5),
    st.integers(5, 480),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
)
def test_every_slot_lies_in_an_interval(intervals: list[tuple[int, int]], minutes: int, day: date) -> None:
    hours = tuple(Hours(day.isoweekday(), time(a // 60, a % 60), time(b // 60, b % 60)) for a, b in intervals)
    a = agenda(hours=hours, slot=timedelta(minutes=minutes))
    for slot in a.slots_of(day):
        assert slot.end - slot.start == a.slot
        assert a.local_day(slot.start) == day
        begin = (slot.start + timedelta(hours=7)).time()
        end = (slot.end + timedelta(hours=7)).time()
        assert any(h.opens <= begin < end <= h.closes for h in hours)


def test_a_queue_that_is_emptied_offers_no_day_and_takes_no_booking() -> None:
    drained, now = agenda(draining=True), datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert agenda().bookable(MONDAY, now, internal=True)
    assert not any(drained.bookable(MONDAY, now, internal=internal) for internal in (True, False))
    with pytest.raises(QueueNotOpen) as caught:
        drained.refuse_new(now)
    assert caught.value.metadata["cause"] == "DRAINING"


def test_during_maintenance_nobody_books_but_days_can_be_looked_at() -> None:
    now = datetime(2026, 11, 22, 3, tzinfo=UTC)
    shut = agenda(maintenance=(Maintenance(now, now + timedelta(hours=1), Text("Dirawat")),))
    assert shut.bookable(MONDAY, now, internal=False)
    with pytest.raises(UnderMaintenance):
        shut.refuse_new(now)
    shut.refuse_new(now + timedelta(hours=1))
