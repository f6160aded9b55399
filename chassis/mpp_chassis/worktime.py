"""Working time: knows a zone, opening hours and a list of holidays. Reads no file, asks no clock.

The rules, and where they come from:

- A *working day* is Monday to Friday that is no national holiday and no joint leave (cuti bersama).
  Service standards and complaint deadlines are counted in working days (UU 25/2009, PermenPANRB 15/2014,
  Perpres 76/2013). The yearly list of holidays is data: a year that is not in it has weekends only, which
  this module cannot notice.
- The day *after* the local date of the start is day 1. No text that we could confirm says so for service
  standards; it is the usual reading of administrative periods, and the one place to change it is here.
- A period of working days ends at the close of opening hours of its last day; where that weekday has no
  known hours, at 23:59:59 of the local day.
- *Working hours and minutes* run only inside opening hours of working days. A break is the gap between two
  intervals, so a longer break on Friday needs no rule of its own. Where no weekday has known hours, a
  working day counts as open all day.

Hours on a Saturday or Sunday do not make it a working day: a site may open, its deadlines do not run.
Instants go in and come out as aware datetimes; results are in UTC. No zone: ValueError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_SATURDAY = 6
_END_OF_DAY = time(23, 59, 59)
# What a loop may look ahead: a list of holidays that closes everything is bad data, not a reason to hang.
_HORIZON_DAYS = 200_000


@dataclass(frozen=True)
class WorkCalendar:
    """Working time of one site.

    `zone` is an IANA name (Asia/Jakarta, Asia/Makassar, Asia/Jayapura). `hours` maps an ISO weekday
    (1 = Monday) to its open intervals in local time, closing after opening and not overlapping, else
    ValueError. `holidays` are local dates.
    """

    zone: str
    hours: Mapping[int, Sequence[tuple[time, time]]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)  # an unknown zone is an error now, not at the first deadline
        for weekday, intervals in self.hours.items():
            if not 1 <= weekday <= 7:
                raise ValueError(f"weekday {weekday} is not an ISO weekday (1 to 7)")
            ends = [moment for interval in sorted(intervals) for moment in interval]
            if any(later <= earlier for earlier, later in zip(ends[::2], ends[1::2], strict=True)):
                raise ValueError(f"an interval of weekday {weekday} closes before it opens")
            if ends != sorted(ends):
                raise ValueError(f"intervals of weekday {weekday} overlap")

    def is_working_day(self, day: date) -> bool:
        """Whether periods counted in working days count this local date."""
        return day.isoweekday() < _SATURDAY and day not in self.holidays

    def unlisted_years(self, start: datetime, end: datetime) -> list[int]:
        """Local years from `start` to `end` of which the list names no holiday at all.

        A period over such a year counts weekends only, so it may end too early: whoever computes one should say so.
        """
        listed = {day.year for day in self.holidays}
        first, last = self.local_date(start).year, self.local_date(end).year
        return [year for year in range(first, last + 1) if year not in listed]

    def local_date(self, moment: datetime) -> date:
        """The date that a clock on the site's wall shows."""
        return _aware(moment).astimezone(ZoneInfo(self.zone)).date()

    def add_working_days(self, start: datetime, days: int) -> datetime:
        """The end of a period of `days` (1 or more, else ValueError) working days after `start`'s local date.

        Guaranteed: the result is on a working day; a later start or more days never ends earlier; periods
        join: adding a and then b days is adding a + b.
        """
        if days < 1:
            raise ValueError("days must be 1 or more")
        day, left = self.local_date(start), days
        while left:
            day += timedelta(days=1)
            left -= self.is_working_day(day)
            self._within_horizon(day, start)
        return self.close_of(day)

    def close_of(self, day: date) -> datetime:
        """When the last opening interval of a local date ends; 23:59:59 where its hours are not known."""
        closes = [closes for _, closes in self.hours.get(day.isoweekday(), ())]
        return self._instant(day, max(closes, default=_END_OF_DAY))

    def add_working_hours(self, start: datetime, hours: int) -> datetime:
        """The instant at which `hours` (0 or more) hours of opening time have passed since `start`."""
        return self.add_working_time(start, timedelta(hours=hours))

    def add_working_minutes(self, start: datetime, minutes: int) -> datetime:
        """The instant at which `minutes` (0 or more) minutes of opening time have passed since `start`."""
        return self.add_working_time(start, timedelta(minutes=minutes))

    def add_working_time(self, start: datetime, span: timedelta) -> datetime:
        """The first instant at which `span` of opening time has passed since `start`.

        A span that is used up exactly at a close ends at that close, not at the next opening. An empty span
        gives `start` itself when it is inside opening hours, else the next opening. ValueError when negative.
        """
        if span < timedelta(0):
            raise ValueError("the span must not be negative")
        left = span
        for opens, closes in self._intervals(start):
            begin = max(opens, _aware(start))
            if begin + left <= closes:
                return self._on_its_day(begin + left, opens)
            left -= closes - begin
        raise AssertionError("the intervals never end")

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How much opening time lies in [start, end); nothing when `end` is not after `start`."""
        total = timedelta(0)
        if _aware(end) <= _aware(start):
            return total
        for opens, closes in self._intervals(start):
            if opens >= end:
                break
            total += min(closes, end) - max(opens, start)
        return total

    def add_minutes(self, start: datetime, minutes: int) -> datetime:
        """Elapsed minutes, whatever the hour."""
        return (_aware(start) + timedelta(minutes=minutes)).astimezone(UTC)

    def add_days(self, start: datetime, days: int) -> datetime:
        """Calendar days: the same local time `days` days later, working day or not."""
        local = _aware(start).astimezone(ZoneInfo(self.zone))
        return self._instant(local.date() + timedelta(days=days), local.time())

    def _intervals(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open intervals that end after `start`, in order, for ever."""
        day = self.local_date(start)
        while True:
            self._within_horizon(day, start)
            if self.is_working_day(day):
                for opens, closes in self._open_on(day):
                    if closes > start:
                        yield opens, closes
            day += timedelta(days=1)

    def _open_on(self, day: date) -> list[tuple[datetime, datetime]]:
        if not any(self.hours.get(weekday) for weekday in range(1, _SATURDAY)):
            return [(self._instant(day, time(0)), self._instant(day + timedelta(days=1), time(0)))]
        intervals = sorted(self.hours.get(day.isoweekday(), ()))
        return [(self._instant(day, opens), self._instant(day, closes)) for opens, closes in intervals]

    def _on_its_day(self, moment: datetime, opened: datetime) -> datetime:
        """Midnight belongs to the day that ends with it, or a deadline would fall on a Saturday."""
        if self.local_date(moment) == self.local_date(opened):
            return moment.astimezone(UTC)
        return self._instant(self.local_date(opened), _END_OF_DAY)

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)

    def _within_horizon(self, day: date, start: datetime) -> None:
        if (day - start.date()).days > _HORIZON_DAYS:
            raise ValueError("no working time within reach: holidays or hours close every day")


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a datetime without a zone is no instant")
    return moment
