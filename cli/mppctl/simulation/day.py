"""The visits of a day, made from a seed. Pure: the same seed and plan give the same day, on every machine.

The shape is an assumption, not a measurement (no MPP publishes arrivals by the hour), so it is data with defaults:
four in ten citizens come at any time between opening and the last number, six in ten around a midday peak, normally
distributed about half past eleven with a spread of 70 minutes. Times at the counter are log-normal about the service's
mean, as such times usually are: many short ones, a few very long ones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")

HOUR = 3600.0
GROUPS = ("elderly", "pregnant_or_nursing", "child", "disability", "disaster_victim")
GROUP_WEIGHTS = (50, 20, 15, 12, 3)


class Outcome(StrEnum):
    """How a visit goes."""

    SERVED = "served"
    LATE = "late"  # misses the first call, hears the second
    NO_SHOW = "no_show"  # hears none
    CANCELS = "cancels"  # gives the number back, unless called before patience ends


@dataclass(frozen=True, slots=True)
class Service:
    """Something a citizen comes for. `mean_minutes` at the counter; `weight` among the services of its queue."""

    name: str  # sites/x/offerings/y; may be empty
    mean_minutes: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """A queue, its counters and what people want there. `weight` among the queues of its site."""

    name: str  # sites/x/queues/y
    agency: str  # sites/x/agencies/z
    counters: tuple[int, ...]
    services: tuple[Service, ...]
    weight: float = 1.0

    @property
    def site(self) -> str:
        return self.name.split("/")[1]

    @property
    def short(self) -> str:
        return self.name.rsplit("/", 1)[1]


@dataclass(frozen=True, slots=True)
class SitePlan:
    id: str
    queues: tuple[QueuePlan, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """When people come; seconds after local midnight. `peak_share` of them around `peak`, the others at any time."""

    opens: float = 8 * HOUR
    last_number: float = 15 * HOUR
    peak: float = 11.5 * HOUR
    spread: float = 70 * 60.0
    peak_share: float = 0.6

    def __post_init__(self) -> None:
        if not self.opens < self.last_number or not self.opens <= self.peak <= self.last_number:
            raise ValueError("a day opens before its last number, and its peak lies between")
        if not 0 <= self.peak_share <= 1 or not 1 <= self.spread <= 24 * HOUR:
            raise ValueError("peak_share lies between 0 and 1, spread between a second and a day")

    def draw(self, rng: random.Random) -> float:
        """When one citizen comes: at `opens` or later, before `last_number`."""
        if rng.random() < self.peak_share:
            while True:  # the part of the bell outside the day is drawn anew
                at = rng.gauss(self.peak, self.spread)
                if self.opens <= at < self.last_number:
                    return at
        return self.opens + rng.random() * (self.last_number - self.opens)


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of all visits; the outcomes exclude each other, priority is beside them. Assumptions, like the shape."""

    priority: float = 0.12
    late: float = 0.03
    no_show: float = 0.04
    cancels: float = 0.03
    sigma: float = 0.5  # of the logarithm of the time at the counter
    walk: tuple[float, float] = (10.0, 90.0)  # seconds from the call to the counter
    patience: tuple[float, float] = (300.0, 2400.0)  # seconds until the number is given back

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.priority, self.late, self.no_show, self.cancels)):
            raise ValueError("a share is not negative, and not above 1")
        if self.late + self.no_show + self.cancels > 1:
            raise ValueError("late, no_show and cancels are more than all visits")


@dataclass(frozen=True, slots=True)
class Visit:
    """One citizen's visit. `at` in seconds after local midnight; the other times in seconds."""

    id: str  # sim-001/0042
    at: float
    queue: str
    offering: str
    group: str  # one of GROUPS; empty: none
    outcome: Outcome
    service_seconds: float
    walk_seconds: float
    patience_seconds: float


@dataclass(frozen=True, slots=True)
class Day:
    """All visits of all sites in the order of their coming."""

    seed: int
    visits: tuple[Visit, ...] = field(repr=False)
    shape: Shape = Shape()

    def of(self, queue: str) -> list[Visit]:
        return [visit for visit in self.visits if visit.queue == queue]


def make_day(
    sites: Iterable[SitePlan], visits: int, seed: int, shape: Shape | None = None, mix: Mix | None = None
) -> Day:
    """`visits` a site. A site's day depends on the seed and its own plan alone, never on the other sites."""
    shape, mix = shape or Shape(), mix or Mix()
    found = [visit for site in sites for visit in _site_day(site, visits, seed, shape, mix)]
    found.sort(key=lambda visit: (visit.at, visit.id))
    return Day(seed, tuple(found), shape)


def _site_day(site: SitePlan, visits: int, seed: int, shape: Shape, mix: Mix) -> list[Visit]:
    rng = random.Random(f"{seed}/{site.id}")  # a text as seed: the same on every machine
    times = sorted(shape.draw(rng) for _ in range(visits))
    return [_visit(site, f"{site.id}/{number:04d}", at, rng, mix) for number, at in enumerate(times, 1)]


def _visit(site: SitePlan, visit_id: str, at: float, rng: random.Random, mix: Mix) -> Visit:
    queue = _pick(rng, site.queues, [q.weight for q in site.queues])
    service = _pick(rng, queue.services, [s.weight for s in queue.services])
    group = rng.choices(GROUPS, GROUP_WEIGHTS)[0] if rng.random() < mix.priority else ""
    return Visit(
        id=visit_id,
        at=at,
        queue=queue.name,
        offering=service.name,
        group=group,
        outcome=_outcome(rng.random(), mix),
        service_seconds=service_seconds(rng, service.mean_minutes, mix.sigma),
        walk_seconds=rng.uniform(*mix.walk),
        patience_seconds=rng.uniform(*mix.patience),
    )


def service_seconds(rng: random.Random, mean_minutes: float, sigma: float) -> float:
    """A log-normal time with this mean, at least 20 seconds and at most eight times the mean."""
    mu = math.log(mean_minutes * 60) - sigma * sigma / 2
    return min(max(rng.lognormvariate(mu, sigma), 20.0), 8 * 60 * mean_minutes)


def _outcome(drawn: float, mix: Mix) -> Outcome:
    for outcome, share in ((Outcome.LATE, mix.late), (Outcome.NO_SHOW, mix.no_show), (Outcome.CANCELS, mix.cancels)):
        if drawn < share:
            return outcome
        drawn -= share
    return Outcome.SERVED


def _pick(rng: random.Random, things: Sequence[T], weights: Sequence[float]) -> T:
    return rng.choices(things, weights)[0]
