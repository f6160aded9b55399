"""Figures from lines: groups, spreads, fairness, and what the wait estimate learns. Pure: standard library only.

A line is one ticket's way at one queue, after it ended. Knows no ticket, no store, and nothing about a person.
"""

from __future__ import annotations

import heapq
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from math import ceil
from statistics import fmean, median
from zoneinfo import ZoneInfo

from mpp_queue.domain import InvalidField
from mpp_queue.domain.estimate import LONGEST_GAP, USUAL_GAP, Times, learn_queue, usual_staff

MOST_DAYS = 93  # a quarter in one report: its cost follows the tickets in it
GAP_WEIGHT = 20  # gaps, until what was seen counts as much as `USUAL_GAP`
SHARE_WEIGHT = 50  # tickets, until a share that was seen counts as much as none


class Group(StrEnum):
    """What the rows of a report are of."""

    SITE = "site"
    AGENCY = "agency"
    QUEUE = "queue"
    SERVICE = "service"
    COUNTER = "counter"
    CLASS = "class"
    CHANNEL = "channel"
    HOUR = "hour"
    DAY = "day"
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class Line:
    """One ticket's way at one queue. `end`: finished, no_show, cancelled, closed_at_day_end or transferred. `day`: local."""

    ticket: str
    site_id: str
    queue: str
    agency: str
    offering: str
    day: str
    channel: str
    priority_class: str
    end: str
    issued_at: datetime
    arrived_at: datetime
    ended_at: datetime
    first_called_at: datetime | None = None
    last_called_at: datetime | None = None
    serving_at: datetime | None = None
    counter: int = 0
    calls: int = 0
    turns: int = 0
    misses: int = 0
    counter_seconds: int = 0
    parked_seconds: int = 0
    appointment: bool = False
    visit: bool = False
    transferred_in: bool = False
    chosen: bool = False
    delivery_recorded: bool = False
    delivered: tuple[str, ...] = ()
    time_inaccurate: bool = False

    @property
    def wait(self) -> float | None:
        """From taking the ticket to the first call; of a leg after a transfer, from the transfer."""
        return _seconds(self.issued_at, self.first_called_at)

    @property
    def walk(self) -> float | None:
        """From the last call to the counter. Apart from the wait: users of other systems were told one as the other."""
        return _seconds(self.last_called_at, self.serving_at)

    @property
    def service(self) -> float | None:
        if self.end != "finished" or self.time_inaccurate:
            return None
        whole = _seconds(self.serving_at, self.ended_at)
        return None if whole is None else max(whole - self.parked_seconds, 0.0)

    @property
    def forgotten(self) -> bool:
        """Nobody ended it: how long it kept the counter says when the day was over, and nothing else."""
        return self.end == "closed_at_day_end"

    @property
    def left_line_at(self) -> datetime:
        return self.first_called_at or self.ended_at


@dataclass(frozen=True, slots=True)
class Session:
    """A counter was open for one officer. `seconds`: without pauses."""

    counter: int
    queue: str
    agency: str
    day: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Booking:
    """One appointment as it stands. `state`: booked, kept, missed or dropped."""

    queue: str
    agency: str
    offering: str
    day: str
    start: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot that could be booked, at a queue or a channel."""

    queue: str
    agency: str
    day: str
    start: datetime
    places: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds."""

    count: int = 0
    mean: int = 0
    median: int = 0
    p90: int = 0
    longest: int = 0


@dataclass(slots=True)
class Row:
    """One group's figures; see report.proto for what each means."""

    group: str
    tickets: int = 0
    ends: Tally[str] = field(default_factory=Tally)
    transferred_in: int = 0
    missed_calls: int = 0
    with_appointment: int = 0
    waits: list[float] = field(default_factory=list)
    walks: list[float] = field(default_factory=list)
    services: list[float] = field(default_factory=list)
    called: int = 0
    out_of_turn: int = 0
    busy_seconds: int = 0
    open_seconds: int = 0
    delivered: Tally[str] = field(default_factory=Tally)
    delivered_none: int = 0
    not_recorded: int = 0
    bookings: Tally[str] = field(default_factory=Tally)
    places: int = 0


def days_between(from_day: str, to_day: str) -> int:
    """How many local days a report is of. Raises InvalidField for what is no date, a wrong order, or too many days."""
    days = []
    for name, text in (("from_day", from_day), ("to_day", to_day)):
        try:
            days.append(date.fromisoformat(text))
        except ValueError as e:
            raise InvalidField(name, f"{text!r} is no date") from e
    count = (days[1] - days[0]).days + 1
    if count < 1:
        raise InvalidField("to_day", f"{to_day} is before {from_day}")
    if count > MOST_DAYS:
        raise InvalidField("to_day", f"a report is of at most {MOST_DAYS} days, not {count}")
    return count


def report(
    lines: Sequence[Line],
    group: Group,
    zone: str,
    sessions: Iterable[Session] = (),
    bookings: Iterable[Booking] = (),
    offers: Iterable[Offer] = (),
) -> tuple[list[Row], Row]:
    """The rows, sorted by their group, and the total. The order of what is given does not matter. What cannot be told
    apart by the group (the open time of a counter by hour, say) counts in the total alone.
    """
    overtaking = out_of_turn(lines)
    key, total = _key(group, ZoneInfo(zone)), Row("")
    rows: dict[str, Row] = {}
    for line in lines:
        for row in (_row(rows, key(line)), total):
            _count(row, line, line.ticket in overtaking)
    for session in sessions:
        total.open_seconds += session.seconds
        if (name := _session_key(group, session)) is not None:
            _row(rows, name).open_seconds += session.seconds
    for booking in bookings:
        if booking.state != "dropped":
            total.bookings[booking.state] += 1
            if (name := _agenda_key(group, booking, ZoneInfo(zone))) is not None:
                _row(rows, name).bookings[booking.state] += 1
    for offer in offers:
        total.places += offer.places
        if (name := _agenda_key(group, offer, ZoneInfo(zone))) is not None:
            _row(rows, name).places += offer.places
    return [rows[name] for name in sorted(rows, key=_natural)], total


def spread(values: Sequence[float]) -> Spread:
    """Of seconds. The 90th percentile is a value that occurred: the least that nine of ten do not exceed."""
    if not values:
        return Spread()
    ordered = sorted(values)
    p90 = ordered[ceil(0.9 * len(ordered)) - 1]
    return Spread(len(ordered), *(round(v) for v in (fmean(ordered), median(ordered), p90, ordered[-1])))


def out_of_turn(lines: Iterable[Line]) -> set[str]:
    """Tickets that were called while another of the same queue and day was in line who had arrived before."""
    found: set[str] = set()
    by_line: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        by_line.setdefault((line.queue, line.day), []).append(line)
    for members in by_line.values():
        found |= _overtaking(members)
    return found


def _overtaking(lines: Sequence[Line]) -> set[str]:
    """One pass in the order of time over who comes into the line and who leaves it; a heap knows the oldest in it."""
    steps = [(line.issued_at, 0, line.ticket, line) for line in lines]
    steps += [(line.left_line_at, 1, line.ticket, line) for line in lines]
    inside: list[tuple[datetime, str]] = []
    left: set[str] = set()
    found: set[str] = set()
    for _, leaves, ticket, line in sorted(steps, key=lambda s: s[:3]):
        if not leaves:
            heapq.heappush(inside, (line.arrived_at, ticket))
            continue
        left.add(ticket)
        while inside and inside[0][1] in left:
            heapq.heappop(inside)
        if line.first_called_at is not None and inside and inside[0][0] < line.arrived_at:
            found.add(ticket)
    return found


def learn_times(lines: Sequence[Line], minutes_per_visit: int, zone: str, today: str = "") -> Times:
    """What the wait estimate goes by, from the lines of one queue (see mpp_queue.domain.estimate). Who is usually there
    is not learned from `today`, an ISO date: its afternoon is still to come, and would count as a time when nobody is.
    """
    visits: dict[str, list[float]] = {}
    for line in lines:
        if line.turns and not line.time_inaccurate and not line.forgotten:
            visits.setdefault(line.offering, []).append(float(line.counter_seconds))
    whole, offerings = learn_queue(visits, minutes_per_visit)
    gaps = _gaps(lines)
    called = [line for line in lines if line.first_called_at is not None]
    gave_up = sum(line.end == "cancelled" and line.first_called_at is None for line in lines)
    return Times(
        whole,
        offerings,
        gap=(GAP_WEIGHT * USUAL_GAP + sum(gaps)) / (GAP_WEIGHT + len(gaps)),
        leaving=gave_up / (len(lines) + SHARE_WEIGHT),
        overtaken=len(out_of_turn(lines)) / (len(called) + SHARE_WEIGHT),
        staff=_staff([line for line in called if not line.forgotten and line.day != today], ZoneInfo(zone)),
    )


def _gaps(lines: Sequence[Line]) -> list[float]:
    """Between two citizens at a counter, when the second was in line already; longer ones were breaks."""
    at: dict[tuple[str, int], list[Line]] = {}
    for line in lines:
        if line.turns == 1 and line.counter:
            at.setdefault((line.day, line.counter), []).append(line)
    found = []
    for visits in at.values():
        visits.sort(key=lambda v: v.left_line_at)
        for before, after in pairwise(visits):
            gap = (after.left_line_at - before.ended_at).total_seconds()
            if after.issued_at <= before.ended_at and 0 <= gap <= LONGEST_GAP:
                found.append(gap)
    return found


def _staff(called: Sequence[Line], zone: ZoneInfo) -> tuple[float, ...]:
    days: dict[str, list[tuple[int, float, float]]] = {}
    for line in called:
        begin = _second_of_day(line.left_line_at, zone)
        end = begin + max((line.ended_at - line.left_line_at).total_seconds(), 0.0)
        days.setdefault(line.day, []).append((line.counter, begin, end))
    return usual_staff(list(days.values()))


def _second_of_day(moment: datetime, zone: ZoneInfo) -> float:
    local = moment.astimezone(zone)
    return local.hour * 3600.0 + local.minute * 60 + local.second


def _row(rows: dict[str, Row], name: str) -> Row:
    return rows.setdefault(name, Row(name))


def _count(row: Row, line: Line, overtook: bool) -> None:
    row.tickets += 1
    row.ends[line.end] += 1
    row.transferred_in += line.transferred_in
    row.missed_calls += line.misses
    row.with_appointment += line.appointment
    row.busy_seconds += 0 if line.forgotten else line.counter_seconds
    if line.first_called_at is not None:
        row.called += 1
        row.out_of_turn += overtook
    for values, value in ((row.waits, line.wait), (row.walks, line.walk), (row.services, line.service)):
        if value is not None:
            values.append(value)
    if line.end == "finished":
        row.delivered.update(line.delivered)
        row.not_recorded += not line.delivery_recorded
        row.delivered_none += line.delivery_recorded and not line.delivered


def _key(group: Group, zone: ZoneInfo) -> Callable[[Line], str]:
    keys: dict[Group, Callable[[Line], str]] = {
        Group.SITE: lambda line: f"sites/{line.site_id}",
        Group.AGENCY: lambda line: line.agency,
        Group.QUEUE: lambda line: line.queue,
        Group.SERVICE: lambda line: line.offering,
        Group.COUNTER: lambda line: str(line.counter) if line.counter else "",
        Group.CLASS: lambda line: line.priority_class,
        Group.CHANNEL: lambda line: line.channel,
        Group.HOUR: lambda line: f"{line.issued_at.astimezone(zone).hour:02d}",
        Group.DAY: lambda line: line.day,
        Group.WEEKDAY: lambda line: weekday(line.day),
    }
    return keys[group]


def _session_key(group: Group, session: Session) -> str | None:
    """None: an open counter cannot be told apart by this."""
    return {
        Group.SITE: site_of(session.queue),
        Group.AGENCY: session.agency,
        Group.QUEUE: session.queue,
        Group.COUNTER: str(session.counter),
        Group.DAY: session.day,
        Group.WEEKDAY: weekday(session.day),
    }.get(group)


def _agenda_key(group: Group, of: Booking | Offer, zone: ZoneInfo) -> str | None:
    if group is Group.SERVICE:
        return of.offering if isinstance(of, Booking) else None
    if group is Group.HOUR:
        return f"{of.start.astimezone(zone).hour:02d}"
    return {
        Group.SITE: site_of(of.queue),
        Group.AGENCY: of.agency,
        Group.QUEUE: of.queue,
        Group.DAY: of.day,
        Group.WEEKDAY: weekday(of.day),
    }.get(group)


def weekday(day: str) -> str:
    return str(date.fromisoformat(day).isoweekday())


def site_of(name: str) -> str:
    return "/".join(name.split("/", 2)[:2])


def _natural(name: str) -> tuple[int, str]:
    """Counters 2 and 10 in that order."""
    return (int(name) if name.isdigit() else -1, name)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    """Never negative: two machines' clocks may differ."""
    return None if start is None or end is None else max((end - start).total_seconds(), 0.0)
