"""The rules of working time, as examples that a person can check on a calendar and as properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_chassis.worktime import WorkCalendar

PATIENT = settings(deadline=None)  # a busy machine is no fault
DAY = [(time(8), time(12)), (time(13), time(15))]
FRIDAY = [(time(8), time(11)), (time(13), time(15))]  # the longer break of Friday prayers
HOURS = {1: DAY, 2: DAY, 3: DAY, 4: DAY, 5: FRIDAY}
WIB, WITA, WIT = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"
ZONES = st.sampled_from([WIB, WITA, WIT])
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
HOLIDAYS = st.frozensets(st.dates(date(2024, 1, 1), date(2027, 6, 1)), max_size=60)
CALENDARS = st.builds(WorkCalendar, ZONES, st.sampled_from([HOURS, {}, {2: DAY}]), HOLIDAYS)


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))  # type: ignore[misc, arg-type]


def test_the_day_after_the_start_is_day_one() -> None:
    calendar = WorkCalendar(WIB, HOURS)
    monday = local(WIB, 2025, 3, 3, 9, 0)
    assert calendar.add_working_days(monday, 1) == local(WIB, 2025, 3, 4, 15, 0)


def test_weekend_holiday_and_joint_leave_do_not_count() -> None:
    # Thursday; Friday 28 and Monday 31 are off, so day 1 is Tuesday.
    calendar = WorkCalendar(WIB, HOURS, frozenset({date(2025, 3, 28), date(2025, 3, 31)}))
    assert calendar.add_working_days(local(WIB, 2025, 3, 27, 10, 0), 1) == local(WIB, 2025, 4, 1, 15, 0)


@pytest.mark.parametrize(("zone", "expected"), [(WIB, 4), (WITA, 4), (WIT, 5)])
def test_the_local_date_decides_which_day_is_day_one(zone: str, expected: int) -> None:
    # 15:30 UTC on Monday: 22:30 WIB, 23:30 WITA, and already 00:30 on Tuesday in WIT.
    due = WorkCalendar(zone, HOURS).add_working_days(datetime(2025, 3, 3, 15, 30, tzinfo=UTC), 1)
    assert due == local(zone, 2025, 3, expected, 15, 0)


def test_unknown_hours_end_with_the_local_day() -> None:
    due = WorkCalendar(WITA).add_working_days(local(WITA, 2025, 3, 3, 9, 0), 2)
    assert due == local(WITA, 2025, 3, 5, 23, 59, 59)


def test_a_saturday_opening_is_no_working_day() -> None:
    calendar = WorkCalendar(WIB, {**HOURS, 6: DAY})
    assert not calendar.is_working_day(date(2025, 3, 8))
    assert calendar.add_working_days(local(WIB, 2025, 3, 7, 9, 0), 1) == local(WIB, 2025, 3, 10, 15, 0)


def test_the_break_of_friday_is_not_working_time() -> None:
    calendar = WorkCalendar(WIB, HOURS)
    assert calendar.add_working_hours(local(WIB, 2025, 3, 7, 10, 0), 2) == local(WIB, 2025, 3, 7, 14, 0)
    assert calendar.add_working_hours(local(WIB, 2025, 3, 6, 10, 0), 3) == local(WIB, 2025, 3, 6, 14, 0)


def test_hours_run_on_into_monday() -> None:
    calendar = WorkCalendar(WIB, HOURS)
    assert calendar.add_working_hours(local(WIB, 2025, 3, 7, 14, 30), 1) == local(WIB, 2025, 3, 10, 8, 30)
    assert calendar.add_working_minutes(local(WIB, 2025, 3, 7, 14, 30), 30) == local(WIB, 2025, 3, 7, 15, 0)
    assert calendar.add_working_minutes(local(WIB, 2025, 3, 8, 14, 30), 0) == local(WIB, 2025, 3, 10, 8, 0)


def test_midnight_of_an_open_friday_is_still_friday() -> None:
    due = WorkCalendar(WIB).add_working_hours(local(WIB, 2025, 3, 7, 0, 0), 24)
    assert due == local(WIB, 2025, 3, 7, 23, 59, 59)


def test_working_time_between_leaves_out_breaks_nights_and_weekends() -> None:
    calendar = WorkCalendar(WIB, HOURS)
    pause = calendar.working_time_between(local(WIB, 2025, 3, 7, 10, 0), local(WIB, 2025, 3, 10, 9, 0))
    assert pause == timedelta(hours=1 + 2 + 1)
    assert calendar.working_time_between(local(WIB, 2025, 3, 10), local(WIB, 2025, 3, 7)) == timedelta(0)


def test_elapsed_minutes_and_calendar_days() -> None:
    calendar = WorkCalendar(WIB, HOURS)
    assert calendar.add_minutes(local(WIB, 2025, 3, 7, 14, 50), 30) == local(WIB, 2025, 3, 7, 15, 20)
    assert calendar.add_days(local(WIB, 2025, 3, 7, 14, 50), 10) == local(WIB, 2025, 3, 17, 14, 50)


@pytest.mark.parametrize("hours", [{0: DAY}, {8: DAY}, {1: [(time(9), time(8))]}, {1: [(time(9), time(9))]},
                                   {1: [(time(8), time(12)), (time(11), time(15))]}])  # fmt: skip
def test_impossible_hours_are_refused(hours: dict[int, list[tuple[time, time]]]) -> None:
    with pytest.raises(ValueError):
        WorkCalendar(WIB, hours)


def test_bad_arguments_are_refused() -> None:
    calendar = WorkCalendar(WIB, HOURS)
    with pytest.raises(ValueError):
        calendar.add_working_days(datetime(2025, 3, 3), 1)
    with pytest.raises(ValueError):
        calendar.add_working_days(local(WIB, 2025, 3, 3), 0)
    with pytest.raises(ValueError):
        calendar.add_working_hours(local(WIB, 2025, 3, 3), -1)
    with pytest.raises(Exception, match="Nowhere"):
        WorkCalendar("Asia/Nowhere")


@PATIENT
@given(CALENDARS, MOMENTS, st.integers(1, 300))
def test_never_due_on_a_weekend_or_a_holiday(calendar: WorkCalendar, start: datetime, days: int) -> None:
    due = calendar.add_working_days(start, days)
    assert due.tzinfo is UTC
    assert calendar.is_working_day(calendar.local_date(due))
    assert due > start


@PATIENT
@given(CALENDARS, MOMENTS, MOMENTS, st.integers(1, 90), st.integers(1, 90))
def test_days_are_monotone(calendar: WorkCalendar, one: datetime, other: datetime, a: int, b: int) -> None:
    earlier, later = sorted((one, other))
    assert calendar.add_working_days(earlier, a) <= calendar.add_working_days(later, a)
    assert calendar.add_working_days(one, min(a, b)) <= calendar.add_working_days(one, max(a, b))


@PATIENT
@given(CALENDARS, MOMENTS, st.integers(1, 60), st.integers(1, 60))
def test_days_are_additive(calendar: WorkCalendar, start: datetime, a: int, b: int) -> None:
    assert calendar.add_working_days(calendar.add_working_days(start, a), b) == calendar.add_working_days(start, a + b)


@PATIENT
@given(CALENDARS, MOMENTS, st.integers(1, 60))
def test_days_count_each_working_day_once(calendar: WorkCalendar, start: datetime, days: int) -> None:
    first, last = calendar.local_date(start), calendar.local_date(calendar.add_working_days(start, days))
    span = [first + timedelta(days=i + 1) for i in range((last - first).days)]
    assert sum(map(calendar.is_working_day, span)) == days


@PATIENT
@given(CALENDARS, MOMENTS, st.integers(0, 20_000))
def test_hours_land_in_opening_time_and_measure_back(calendar: WorkCalendar, start: datetime, minutes: int) -> None:
    due = calendar.add_working_minutes(start, minutes)
    assert calendar.is_working_day(calendar.local_date(due))
    # A whole-day calendar gives up one second at midnight, so that a deadline stays on its day.
    assert abs(calendar.working_time_between(start, due) - timedelta(minutes=minutes)) <= timedelta(seconds=1)


@PATIENT
@given(CALENDARS, MOMENTS, MOMENTS, st.integers(0, 5_000))
def test_hours_are_monotone(calendar: WorkCalendar, one: datetime, other: datetime, minutes: int) -> None:
    earlier, later = sorted((one, other))
    assert calendar.add_working_minutes(earlier, minutes) <= calendar.add_working_minutes(later, minutes)


def test_a_period_over_a_year_without_a_list_is_told() -> None:
    listed = WorkCalendar("Asia/Jakarta", {}, frozenset({date(2026, 12, 25)}))
    start = datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert listed.unlisted_years(start, datetime(2026, 12, 31, 16, tzinfo=UTC)) == []
    assert listed.unlisted_years(start, datetime(2026, 12, 31, 18, tzinfo=UTC)) == [2027]  # midnight has passed in WIB
    assert WorkCalendar("Asia/Jakarta").unlisted_years(start, start) == [2026]
