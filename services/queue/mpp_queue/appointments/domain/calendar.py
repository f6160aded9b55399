"""When there are slots: hours of a weekday or of some weeks of the month, breaks, holidays, the site's zone.

Knows local time and dates; knows no booking, no person, and not why a day is closed. Pure: `now` comes in.

A break is the gap between two opening intervals (Friday's is longer). A slot lies wholly in one interval, so that no
booking runs over a break. A holiday or a closure always wins over hours, whichever way the hours were said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from mpp_queue.domain import InvalidField, Maintenance, QueueNotOpen, Quota, Text, refuse_in_maintenance
from mpp_queue.domain.doors import DRAINING

ON_SITE, PHONE, VIDEO = "on_site", "phone", "video"
REMOTE = frozenset({PHONE, VIDEO})
TICKET_PREFIX = "apt-"  # of tickets that a check-in draws
NEWS_OF_TICKETS = timedelta(hours=6)  # so long after a day's end how its tickets ended is waited for


@dataclass(frozen=True, slots=True)
class Hours:
    """One open interval of a weekday (ISO, 1 = Monday), local time.

    `weeks`: only the first, second ... such weekday of the month; empty: every one.
    """

    weekday: int
    opens: time
    closes: time
    weeks: frozenset[int] = frozenset()

    def hold_on(self, day: date) -> bool:
        return day.isoweekday() == self.weekday and (not self.weeks or week_of_month(day) in self.weeks)


@dataclass(frozen=True, slots=True)
class Kept:
    """Places kept for priority groups until so many days before the day. `places` 0: none."""

    places: int = 0
    until_days: int = 0
    groups: frozenset[str] = frozenset()

    def on(self, days_ahead: int) -> int:
        return self.places if days_ahead >= self.until_days else 0


@dataclass(frozen=True, slots=True)
class Slot:
    """Aware UTC instants."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Agenda:
    """Everything that decides what can be booked at a queue or a channel; data of the catalogue.

    `parent`: `sites/x/queues/q` or `sites/x/channels/c`. `places` in a slot, of which citizens book `public_places`
    themselves. `first_day`, `last_day`: days from today for the public. `queue`: where a check-in draws its ticket; ""
    when there is none (a visit at home). `areas`: where the team goes, empty for a place people come to; `routes`:
    weekday -> the areas of that day, empty for any day. `quota.per_day`: bookings of one person a day, 0: any number.
    `setup`: between two bookings of one place. `video_link`: a template with `{code}`. `max_open_*`: bookings that one
    e-mail address or person may have open, 0: any number. `place`: where people come to, in their words.
    """

    parent: str
    site_id: str
    agency: str
    zone: str
    slot: timedelta
    places: int
    public_places: int
    hours: tuple[Hours, ...]
    closed: frozenset[str] = frozenset()
    first_day: int = 0
    last_day: int = 0
    max_slots: int = 1
    hold: timedelta = timedelta(minutes=15)
    cooling: timedelta = timedelta(minutes=30)
    early: timedelta = timedelta(minutes=30)
    late: timedelta = timedelta(minutes=10)
    remind: timedelta = timedelta(hours=24)
    kept: Kept = field(default_factory=Kept)
    queue: str = ""
    offerings: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    routes: Mapping[int, frozenset[str]] = field(default_factory=dict)
    quota: Quota = field(default_factory=Quota)
    address_required: bool = False
    setup: timedelta = timedelta(0)
    variants: frozenset[str] = frozenset({ON_SITE})
    video_link: str = ""
    max_open_per_email: int = 0
    max_open_per_person: int = 0
    place: Text = field(default_factory=Text)
    draining: bool = False
    maintenance: tuple[Maintenance, ...] = ()

    def refuse_new(self, now: datetime) -> None:
        """Raises UnderMaintenance, and QueueNotOpen where the queue is being emptied: no booking begins. What was booked
        goes on; while the queue drains it gets no new time either (`bookable`).
        """
        refuse_in_maintenance(self.maintenance, now)
        if self.draining:
            raise QueueNotOpen(f"{self.parent} takes nobody new", metadata={"cause": DRAINING})

    def slots_of(self, day: date) -> tuple[Slot, ...]:
        """Every slot of a local day in order of time; none on a closed day. Overlapping intervals give no slot twice."""
        if day.isoformat() in self.closed:
            return ()
        found: dict[datetime, Slot] = {}
        for hours in self.hours:
            if hours.hold_on(day):
                found |= {slot.start: slot for slot in self._within(day, hours)}
        return tuple(slot for _, slot in sorted(found.items()))

    def _within(self, day: date, hours: Hours) -> Iterator[Slot]:
        start, close = self._instant(day, hours.opens), self._instant(day, hours.closes)
        while start + self.slot <= close:
            yield Slot(start, start + self.slot)
            start += self.slot

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)

    def local_day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def ticket_of(self, booking_id: str) -> str:
        """The ticket that a check-in draws; "" where there is no queue."""
        return f"{self.queue}/tickets/{TICKET_PREFIX}{booking_id}" if self.queue else ""

    def settled_at(self, start: datetime) -> datetime:
        """When it is no use to wait for news of the tickets of that local day."""
        return self.day_end(start) + NEWS_OF_TICKETS

    def day_end(self, start: datetime) -> datetime:
        """The midnight after that local day."""
        return self._instant(self.local_day(start) + timedelta(days=1), time())

    def days_ahead(self, day: date, now: datetime) -> int:
        return (day - self.local_day(now)).days

    def bookable(self, day: date, now: datetime, *, internal: bool) -> bool:
        """Whether the booking window holds this day. Officers may book from today on, also before the public may."""
        if self.draining:
            return False
        ahead = self.days_ahead(day, now)
        return (0 if internal else self.first_day) <= ahead <= self.last_day

    def run(self, start: datetime, count: int) -> tuple[Slot, ...]:
        """`count` slots in a row from `start`. Raises InvalidField when they are not slots without a gap."""
        if not 1 <= count <= self.max_slots:
            raise InvalidField("slots", f"a booking takes 1 to {self.max_slots} slots, not {count}")
        slots = self.slots_of(self.local_day(start))
        first = next((i for i, slot in enumerate(slots) if slot.start == start), None)
        if first is None:
            raise InvalidField("start", "no slot begins then")
        run = slots[first : first + count]
        if len(run) < count or any(a.end != b.start for a, b in pairwise(run)):
            raise InvalidField(
                "slots", f"there are no {count} slots in a row from then on; a break or the day's end comes"
            )
        return run

    def serves(self, area: str, day: date) -> bool:
        """Whether the round of this weekday goes to the area. Always so where no areas are told."""
        if not self.areas:
            return True
        return area in self.areas and (not self.routes or area in self.routes.get(day.isoweekday(), frozenset()))


def week_of_month(day: date) -> int:
    """The first Monday of a month is in week 1, the second in week 2: what people call "the second Tuesday"."""
    return (day.day - 1) // 7 + 1
