"""A queue as the catalogue describes it, and a site's house rules. Pure values: standard library only.

Knows numbers, hours, quotas and who is in which class. Never knows a ticket, and not where the values come from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class PriorityGroup(StrEnum):
    """Groups of PermenPANRB 11/2024 (a secondary source, so which of them come first is data, not code)."""

    NONE = ""
    DISABILITY = "disability"
    ELDERLY = "elderly"
    PREGNANT_OR_NURSING = "pregnant_or_nursing"
    CHILD = "child"
    DISASTER_VICTIM = "disaster_victim"


class PolicyKind(StrEnum):
    """How classes share the counters: see policy.py for each rule and its bound."""

    STRICT = "strict"
    RATIO = "ratio"
    AGEING = "ageing"


@dataclass(frozen=True, slots=True)
class PriorityClass:
    """`groups` belong to it by themselves; others are named when the ticket is taken. `boost`: only for AGEING."""

    id: str
    groups: frozenset[PriorityGroup] = frozenset()
    boost: timedelta = timedelta(0)


# The class of whoever is in no other; it has no line in a policy.
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Policy:
    """Who comes before whom. At most 8 classes (their index is one digit of a rank), the first comes first."""

    kind: PolicyKind = PolicyKind.RATIO
    classes: tuple[PriorityClass, ...] = ()
    run: int = 3
    max_wait: timedelta = timedelta(minutes=60)

    def index_of(self, group: PriorityGroup, named: str = "") -> int:
        """The class of a ticket: the named one when the policy knows it, else its group's, else the last."""
        for index, one in enumerate(self.classes):
            if named and one.id == named:
                return index
        for index, one in enumerate(self.classes):
            if group is not PriorityGroup.NONE and group in one.groups:
                return index
        return len(self.classes)

    def id_of(self, index: int) -> str:
        """The class's id; `OTHERS` for the last and for whatever an earlier policy called it."""
        return self.classes[index].id if index < len(self.classes) else OTHERS

    def index_named(self, named: str) -> int:
        """The class with this id; the last for `OTHERS` and for what only an earlier policy knew."""
        return next((n for n, one in enumerate(self.classes) if one.id == named), len(self.classes))

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all classes, the others' last."""
        return (*(one.id for one in self.classes), OTHERS)

    def knows(self, named: str) -> bool:
        return named == OTHERS or any(one.id == named for one in self.classes)

    def boost_of(self, index: int) -> timedelta:
        return self.classes[index].boost if index < len(self.classes) else timedelta(0)


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Printed numbers: from `first` to `last` (0: no end), then anew; `blocked` ones are left out."""

    first: int = 1
    last: int = 0
    blocked: tuple[int, ...] = ()

    def nth(self, seq: int) -> int:
        """The number of the `seq`-th ticket of a day, counted from 1."""
        out = sorted(b for b in set(self.blocked) if b >= self.first and (not self.last or b <= self.last))
        index = seq - 1
        if self.last:
            index %= max(self.last - self.first + 1 - len(out), 1)
        # Each blocked number below pushes it up by one, and so may bring it past the next.
        shifts = [b - self.first - n for n, b in enumerate(out)]
        return self.first + index + bisect_right(shifts, index)


TYPED_PEOPLE = 5  # this project's own choice; the catalogue's `typed_people` replaces it


@dataclass(frozen=True, slots=True)
class Quota:
    """Against brokers: so much one person (a blind index of the NIK) may take. 0 is no limit. `typed_people`: for so many
    people one account, phone or device may take where their NIK was only typed.
    """

    per_day: int = 0
    cool_down: timedelta = timedelta(0)
    person_required: bool = False
    alarm_after: int = 0
    alarm_window: timedelta = timedelta(0)
    typed_people: int = TYPED_PEOPLE


@dataclass(frozen=True, slots=True)
class OpenHours:
    """One open interval of an ISO weekday (1 = Monday), wall-clock times of the site; a break is the gap between two."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class AgendaHours:
    """Hours in which slots are made; `weeks`: the first, second ... such weekday of the month, none: every one."""

    weekday: int
    opens: str
    closes: str
    weeks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AppointmentRules:
    """When and how many may book. Zeros of the contract are replaced by their meaning already."""

    slot: timedelta
    public_places: int
    places: int
    earliest_days: int = 0
    latest_days: int = 0
    max_slots: int = 1
    hours: tuple[AgendaHours, ...] = ()
    hold: timedelta = timedelta(minutes=15)
    cooling: timedelta = timedelta(minutes=30)
    early: timedelta = timedelta(minutes=30)
    late: timedelta = timedelta(minutes=10)
    closures: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset({"on_site"})
    video_link: str = ""
    max_open_per_email: int = 0
    max_open_per_person: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """Words for citizens: Indonesian first, English beside it."""

    id: str = ""
    en: str = ""


NO_TEXT = Text()


@dataclass(frozen=True, slots=True)
class Closure:
    """A local date on which this queue alone does not serve; an empty text: its usual closing words."""

    date: str
    text: Text = Text()


@dataclass(frozen=True, slots=True)
class Maintenance:
    """From `starts` until before `ends` (aware) nobody can begin anything at the site."""

    starts: datetime
    ends: datetime
    text: Text


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A queue as the catalogue publishes it. `zone` is the site's IANA zone; `minutes_per_visit` a first
    guess. `policy` None: the site's rules decide (`Rules.policy`).
    """

    name: str
    site_id: str
    agency: str
    prefix: str
    counters: tuple[int, ...]
    minutes_per_visit: int
    zone: str
    policy: Policy | None = None
    numbers: NumberRange = NumberRange()
    daily_contingent: int = 0
    quota: Quota = Quota()
    appointments: AppointmentRules | None = None
    hours_enforced: bool = False
    opening_hours: tuple[OpenHours, ...] = ()
    holidays: frozenset[str] = frozenset()
    closed_text: Text = Text()
    draining: bool = False
    draining_text: Text = Text()
    closures: tuple[Closure, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()

    @property
    def days_off(self) -> frozenset[str]:
        """Local dates on which it does not serve: the site's holidays and its own."""
        return self.holidays | {closure.date for closure in self.closures}

    def number(self, seq: int) -> str:
        """What is printed for the `seq`-th ticket of a day; `D-K001` for the first of an offline block."""
        if seq > OFFLINE_BASE:
            return f"{self.prefix}-K{seq - OFFLINE_BASE:03d}"
        return number_of(self.prefix, self.numbers.nth(seq))


# Numbers that kiosks give out while they are cut off begin above all numbers of a day.
OFFLINE_BASE = 1_000_000


@dataclass(frozen=True, slots=True)
class Rules:
    """A site's house rules, all of them settings.

    `recall_gap`: least time between two calls of a ticket. `max_calls`: calls of one turn; a ticket that was
    missed and comes up again has a new turn. `returns`: how often a missed ticket goes back to waiting, `rest` how
    long it is passed over then while others wait. `undo`: how long a call can be taken back.
    `priority_run`, `priority_groups`: the policy of queues whose agency has none of its own.
    """

    max_calls: int = 3
    recall_gap: timedelta = timedelta(seconds=15)
    returns: int = 1
    priority_run: int = 3
    priority_groups: frozenset[PriorityGroup] = frozenset(PriorityGroup) - {PriorityGroup.NONE}
    rest: timedelta = timedelta(minutes=5)
    undo: timedelta = timedelta(seconds=60)

    @property
    def policy(self) -> Policy:
        """Priority groups first, one of the others after `priority_run` of them."""
        return Policy(PolicyKind.RATIO, (PriorityClass("priority", self.priority_groups),), self.priority_run)

    def policy_of(self, spec: QueueSpec) -> Policy:
        return spec.policy or self.policy

    def has_priority(self, group: PriorityGroup) -> bool:
        return group in self.priority_groups


def number_of(prefix: str, number: int) -> str:
    """`D-001`; four digits after 999."""
    return f"{prefix}-{number:03d}"


def is_open(spec: QueueSpec, now: datetime) -> bool:
    """Whether the site's doors are open. A site that publishes no hours has no doors to close."""
    if not spec.opening_hours:
        return True
    local = now.astimezone(ZoneInfo(spec.zone))
    if local.date().isoformat() in spec.holidays:
        return False
    return any(
        h.weekday == local.isoweekday() and clock(h.opens) <= local.time() < clock(h.closes) for h in spec.opening_hours
    )


def next_opening(spec: QueueSpec, now: datetime, days: int = 30) -> datetime | None:
    """The first opening after `now` (aware, in the site's zone) within `days`; None when there is none."""
    zone = ZoneInfo(spec.zone)
    today = now.astimezone(zone).date()
    for ahead in range(days + 1):
        day = today + timedelta(days=ahead)
        starts = [datetime.combine(day, clock(h.opens), zone) for h in _hours_of(spec.opening_hours, day)]
        later = [start for start in starts if start > now]
        if later and day.isoformat() not in spec.days_off:
            return min(later)
    return None


def _hours_of(hours: Sequence[OpenHours], day: date) -> list[OpenHours]:
    return [h for h in hours if h.weekday == day.isoweekday()]


def clock(text: str) -> time:
    """`08:30` of the contract (validated before) as a time of the wall clock."""
    hour, minute = text.split(":")
    return time(int(hour), int(minute))
