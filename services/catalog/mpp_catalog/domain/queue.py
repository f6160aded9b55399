"""How citizens queue for an agency: order, numbers, quota, bookings. The rules that fields have among each other.

Knows what a queue declares; never a ticket, a person, or who serves the queue. Ranges of single fields are the
contract's (protovalidate); here is what no single field can tell. `at` is the path of the field in the caller's request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mpp_catalog.domain.errors import InvalidField
from mpp_catalog.domain.parts import Closure, Text, check_closures, check_date, check_text, check_unique

STRICT, RATIO, AGEING = "strict", "ratio", "ageing"
VIDEO = "video"
WEEKS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class PriorityClass:
    """Who stands together in the line. `boost_minutes` counts under AGEING only."""

    id: str
    display_name: Text
    groups: tuple[str, ...] = ()
    boost_minutes: int = 0


@dataclass(frozen=True, slots=True)
class PriorityPolicy:
    """Who comes before whom. `run` belongs to RATIO, `max_wait_minutes` to STRICT: a bound that is not said is none."""

    kind: str
    classes: tuple[PriorityClass, ...]
    run: int = 0
    max_wait_minutes: int = 0

    def check(self, at: str) -> None:
        """Raise InvalidField for a class or group given twice, and for a bound that is missing or not of this kind."""
        check_unique(f"{at}.classes", [c.id for c in self.classes])
        self._check_bounds(at)
        holders: dict[str, str] = {}
        for index, one in enumerate(self.classes):
            path = f"{at}.classes[{index}]"
            check_text(f"{path}.display_name", one.display_name)
            if one.boost_minutes and self.kind != AGEING:
                raise InvalidField(f"{path}.boost_minutes", f"means nothing where the kind is {self.kind}")
            for group in one.groups:
                if group in holders:
                    raise InvalidField(f"{path}.groups", f"{group!r} is in the class {holders[group]!r} already")
                holders[group] = one.id

    def _check_bounds(self, at: str) -> None:
        if self.kind == STRICT and not self.max_wait_minutes:
            raise InvalidField(f"{at}.max_wait_minutes", "STRICT needs it: without it the others might wait for ever")
        if self.kind == RATIO and not self.run:
            raise InvalidField(f"{at}.run", "RATIO needs it: how many of a class come in a row")
        if self.kind != STRICT and self.max_wait_minutes:
            raise InvalidField(f"{at}.max_wait_minutes", f"means nothing where the kind is {self.kind}")
        if self.kind != RATIO and self.run:
            raise InvalidField(f"{at}.run", f"means nothing where the kind is {self.kind}")
        if self.kind == AGEING and not any(one.boost_minutes for one in self.classes):
            raise InvalidField(f"{at}.classes", "AGEING needs boost_minutes in one class at least")


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers that are printed: `first` to `last` (0: no end), then anew, without the `blocked` ones."""

    first: int = 0
    last: int = 0
    blocked: tuple[int, ...] = ()

    def check(self, at: str) -> None:
        """Raise InvalidField for an end not after the start, a blocked number outside, and a range that is all blocked."""
        if self.last and self.last <= self.first:
            raise InvalidField(f"{at}.last", f"must be greater than first ({self.first}), or 0 for no end")
        check_unique(f"{at}.blocked", self.blocked)
        for index, number in enumerate(self.blocked):
            if number < self.first or (self.last and number > self.last):
                end = self.last or "no end"
                raise InvalidField(f"{at}.blocked[{index}]", f"{number} is outside {self.first} to {end}")
        if self.last and len(self.blocked) > self.last - self.first:
            raise InvalidField(f"{at}.blocked", "leaves no number to print")


@dataclass(frozen=True, slots=True)
class Quota:
    """How much one person may take; minutes. A limit of 0 is none."""

    per_day: int = 0
    cool_down_minutes: int = 0
    person_required: bool = False
    alarm_after: int = 0
    alarm_window_minutes: int = 0
    typed_people: int = 0

    def check(self, at: str) -> None:
        """Raise InvalidField for an alarm without its window, or a window without its alarm."""
        if self.alarm_after and not self.alarm_window_minutes:
            raise InvalidField(f"{at}.alarm_window_minutes", "alarm_after needs the window it counts in")
        if self.alarm_window_minutes and not self.alarm_after:
            raise InvalidField(f"{at}.alarm_after", "alarm_window_minutes needs a number to count to")


@dataclass(frozen=True, slots=True)
class AgendaHours:
    """Hours of an ISO weekday, `HH:MM`; of every week, or of the first, second ... such weekday of a month."""

    weekday: int
    opens: str
    closes: str
    weeks: tuple[int, ...] = ()

    def meets(self, other: AgendaHours) -> bool:
        """Whether a minute of some month is in both."""
        weeks = set(self.weeks or WEEKS) & set(other.weeks or WEEKS)
        return bool(weeks) and self.weekday == other.weekday and self.opens < other.closes and other.opens < self.closes


@dataclass(frozen=True, slots=True)
class AppointmentRules:
    """When and how many may book: of a queue or of a channel. Minutes and days as the contract says."""

    slot_minutes: int
    places: int
    public_places: int = 0
    earliest_days: int = 0
    latest_days: int = 0
    max_slots: int = 0
    hours: tuple[AgendaHours, ...] = ()
    hold_minutes: int = 0
    cooling_minutes: int = 0
    early_minutes: int = 0
    late_minutes: int = 0
    closures: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    video_link: str = ""
    max_open_per_email: int = 0
    max_open_per_person: int = 0

    def check(self, at: str) -> None:
        """Raise InvalidField for more public places than places, a window that ends before it starts, hours that
        overlap or hold no slot, closures that are no dates, and a video link without video or video without one.
        """
        if self.video_link and VIDEO not in self.variants:
            raise InvalidField(f"{at}.video_link", "means nothing where video is none of the variants")
        if VIDEO in self.variants and not self.video_link:
            raise InvalidField(f"{at}.video_link", "video needs the place where both meet")
        if self.public_places > self.places:
            raise InvalidField(f"{at}.public_places", f"must not be more than places ({self.places})")
        if self.latest_days < self.earliest_days:
            raise InvalidField(f"{at}.latest_days", f"must not be less than earliest_days ({self.earliest_days})")
        for index, span in enumerate(self.hours):
            self._check_span(f"{at}.hours[{index}]", span, self.hours[:index])
        for index, day in enumerate(self.closures):
            check_date(f"{at}.closures[{index}]", day)
        check_unique(f"{at}.closures", self.closures)

    def _check_span(self, path: str, span: AgendaHours, before: Sequence[AgendaHours]) -> None:
        if span.opens >= span.closes:
            raise InvalidField(path, f"opens at {span.opens} but closes at {span.closes}")
        if _minutes(span.closes) - _minutes(span.opens) < self.slot_minutes:
            raise InvalidField(path, f"{span.opens}-{span.closes} is shorter than a slot ({self.slot_minutes} minutes)")
        check_unique(f"{path}.weeks", span.weeks)
        for other in before:
            if span.meets(other):
                raise InvalidField(
                    path, f"{span.opens}-{span.closes} overlaps {other.opens}-{other.closes} on day {span.weekday}"
                )


@dataclass(frozen=True, slots=True)
class Claim:
    """What of a queue no other agency of the site may have."""

    id: str
    prefix: str
    counters: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """How citizens queue for an agency. `minutes_per_visit` is a first guess, in minutes."""

    id: str
    prefix: str
    counters: tuple[int, ...]
    minutes_per_visit: int
    priority: PriorityPolicy | None = None
    numbers: NumberRange | None = None
    daily_contingent: int = 0
    quota: Quota | None = None
    appointments: AppointmentRules | None = None
    hours_enforced: bool = False
    closed_text: Text | None = None
    draining: bool = False
    draining_text: Text | None = None
    closures: tuple[Closure, ...] = ()

    def check(self, at: str) -> None:
        """Raise InvalidField for no counter or one given twice, a blank text, a text of draining where nothing drains, days
        off that are no dates or twice the same, and whatever its parts refuse.
        """
        if not self.counters:
            raise InvalidField(f"{at}.counters", "a queue needs at least one counter")
        check_unique(f"{at}.counters", self.counters)
        if self.closed_text:
            check_text(f"{at}.closed_text", self.closed_text)
        if self.draining_text:
            check_text(f"{at}.draining_text", self.draining_text)
            if not self.draining:
                raise InvalidField(f"{at}.draining_text", "means nothing where draining is not said")
        check_closures(f"{at}.closures", self.closures)
        parts = {
            "priority": self.priority,
            "numbers": self.numbers,
            "quota": self.quota,
            "appointments": self.appointments,
        }
        for name, part in parts.items():
            if part is not None:
                part.check(f"{at}.{name}")


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
