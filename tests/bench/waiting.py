"""A simulated day at one queue, to see how good the wait estimate is. Pure and seeded; no store, no clock, no service.

Everyone who comes is told a wait by each of the rivals, from nothing but what a queue can know at that moment; what
they then really waited (from arrival to the call) judges. Hard on purpose: offerings of very different lengths that the
agency declares as one wrong figure, a midday peak, a lunch break with fewer counters, priority, no-shows, citizens who
leave, a visit now and then that the officer forgets to finish, and a pace that differs from day to day.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log, sqrt
from statistics import fmean, median

from mpp_queue.domain import estimate
from mpp_queue.domain.estimate import Ahead, Desk, Seen, Times

MINUTE = 60.0
DECLARED_MINUTES = 10
LAST_SEEN = 30  # visits of today that are looked at, as the service does
SEEN_AT_WORK = 30  # calls that tell which counters are at work, as the service does


@dataclass(frozen=True, slots=True)
class Offering:
    """`mean` seconds at the counter, `share` of those who come."""

    name: str
    mean: float
    share: float


OFFERINGS = (Offering("pickup", 3 * MINUTE, 0.35), Offering("ktp", 8 * MINUTE, 0.45), Offering("kk", 19 * MINUTE, 0.2))
SPREAD = 0.6
# (from second of the day, counters at work): opens with 3, 5 from nine, 2 over lunch, 4 in the afternoon.
Staff = tuple[tuple[float, int], ...]
STAFF: Staff = ((0.0, 3), (60 * MINUTE, 5), (240 * MINUTE, 2), (300 * MINUTE, 4))
OPENS = 8 * 60 * MINUTE
PRIORITY, NO_SHOW, LEAVES, FORGOTTEN = 0.1, 0.06, 0.03, 0.01


@dataclass(slots=True)
class Citizen:
    arrived: float
    offering: Offering
    priority: bool
    length: float
    leaves_at: float
    called: float = -1.0
    counter: int = 0


@dataclass(slots=True)
class Visit:
    citizen: Citizen
    counter: int
    ends: float


@dataclass(frozen=True, slots=True)
class Told:
    """What one citizen was told by a rival, and what came true. Seconds; `low` and `high` are 0 for one without a range."""

    waited: float
    expected: float
    low: float = 0.0
    high: float = 0.0


@dataclass(slots=True)
class Line:
    """The queue at one moment, as the service sees it."""

    now: float = 0.0
    waiting: deque[Citizen] = field(default_factory=deque)
    first: deque[Citizen] = field(default_factory=deque)
    busy: dict[int, Visit] = field(default_factory=dict)
    calls: deque[Visit] = field(default_factory=lambda: deque(maxlen=SEEN_AT_WORK))
    done: deque[Visit] = field(default_factory=lambda: deque(maxlen=LAST_SEEN))
    counters: int = 0


Rival = Callable[[Line, Citizen], tuple[float, float, float]]


def arrivals(rng: random.Random, people: int, pace: float) -> list[Citizen]:
    """A morning rush that peaks before noon, and a smaller one after lunch."""
    found = []
    for _ in range(people):
        hump, width = (150, 70) if rng.random() < 0.7 else (330, 60)
        arrived = min(max(rng.gauss(hump, width), 0.0), 430.0) * MINUTE
        offering = rng.choices(OFFERINGS, [o.share for o in OFFERINGS])[0]
        variance = log(1 + SPREAD**2)
        length = pace * rng.lognormvariate(log(offering.mean) - variance / 2, sqrt(variance))
        if rng.random() < NO_SHOW:
            length = 90.0
        elif rng.random() < FORGOTTEN:
            length += 45 * MINUTE
        leaves = arrived + rng.uniform(10, 60) * MINUTE if rng.random() < LEAVES else float("inf")
        found.append(Citizen(arrived, offering, rng.random() < PRIORITY, length, leaves))
    return sorted(found, key=lambda c: c.arrived)


def staff_at(now: float, staff: Staff) -> int:
    return [number for since, number in staff if since <= now][-1]


def day(seed: int, rivals: Mapping[str, Rival], people: int = 180) -> tuple[dict[str, list[Told]], list[Citizen]]:
    """One day. Each who was called in the end, as told by each rival; and all citizens, to learn from."""
    rng = random.Random(seed)
    everyone = arrivals(rng, people, exp(rng.gauss(0, 0.1)))
    return play(everyone, rivals, rng), everyone


def play(
    everyone: Sequence[Citizen], rivals: Mapping[str, Rival], rng: random.Random, staff: Staff = STAFF
) -> dict[str, list[Told]]:
    """The day that these citizens have (in the order of their coming): each who was called, as told by each rival."""
    line = Line()
    said: dict[str, list[tuple[Citizen, tuple[float, float, float]]]] = {name: [] for name in rivals}
    events: list[tuple[float, int, Citizen | None]] = [(c.arrived, n, c) for n, c in enumerate(everyone)]
    events += [(since, -1, None) for since, _ in staff]
    heapq.heapify(events)
    number = len(everyone)
    while events:
        line.now, _, citizen = heapq.heappop(events)
        _finish(line)
        line.counters = staff_at(line.now, staff)
        if citizen is not None:
            for name, rival in rivals.items():
                said[name].append((citizen, rival(line, citizen)))
            (line.first if citizen.priority else line.waiting).append(citizen)
        for visit in _call(line, rng):
            number += 1
            heapq.heappush(events, (visit.ends, number, None))
    return {
        name: [Told(c.called - c.arrived, *figures) for c, figures in pairs if c.called >= 0]
        for name, pairs in said.items()
    }


def _finish(line: Line) -> None:
    for counter, visit in list(line.busy.items()):
        if visit.ends <= line.now:
            del line.busy[counter]
            line.done.append(visit)


def _call(line: Line, rng: random.Random) -> list[Visit]:
    """Every free counter that is staffed calls; after three with priority one of the others."""
    made = []
    while len(line.busy) < line.counters and (line.first or line.waiting):
        run = [v.citizen.priority for v in list(line.calls)[-3:]]
        others_due = len(run) == 3 and all(run) and line.waiting
        source = line.waiting if others_due or not line.first else line.first
        citizen = source.popleft()
        if citizen.leaves_at <= line.now:
            continue
        counter = next(n for n in range(1, 100) if n not in line.busy)
        gap = rng.uniform(5, 40)
        citizen.called, citizen.counter = line.now, counter
        visit = Visit(citizen, counter, line.now + gap + citizen.length)
        line.busy[counter] = visit
        line.calls.append(visit)
        made.append(visit)
    return made


def ahead_of(line: Line, citizen: Citizen) -> int:
    return len(line.first) + (0 if citizen.priority else len(line.waiting))


def naive(line: Line, citizen: Citizen) -> tuple[float, float, float]:
    """What others do, with the number of counters known exactly: people ahead x declared minutes / counters."""
    return estimate.naive(ahead_of(line, citizen), DECLARED_MINUTES, line.counters).total_seconds(), 0.0, 0.0


def of_0_2(line: Line, citizen: Citizen) -> tuple[float, float, float]:
    """This platform's own before: the median of the last visits, shared by the counters seen at work."""
    lengths = [v.citizen.length for v in line.done]
    visit = median(lengths) if len(lengths) >= 3 else DECLARED_MINUTES * MINUTE
    return ahead_of(line, citizen) * visit / max(len({v.counter for v in line.calls}), 1), 0.0, 0.0


def ours(times: Times, declared_counters: int = 1) -> Rival:
    """The estimate as the service makes it; the counters that are open are known by their sessions."""

    def rival(line: Line, citizen: Citizen) -> tuple[float, float, float]:
        busy = [Desk(v.citizen.offering.name, line.now - v.citizen.called) for v in line.busy.values()]
        idle = [Desk()] * max(line.counters - len(busy), 0)
        mix = [Ahead(c.offering.name) for c in (*line.first, *([] if citizen.priority else line.waiting))]
        away = away_from(line)
        seen = [Seen(v.citizen.offering.name, v.ends - v.citizen.called) for v in line.done]
        made = estimate.forecast(times, [*busy, *idle], mix, seen=seen, away=away, second_of_day=OPENS + line.now,
            declared_counters=declared_counters,
        )  # fmt: skip
        wait = made.wait(ahead_of(line, citizen), first_class=citizen.priority)
        return wait.expected.total_seconds(), wait.low.total_seconds(), wait.high.total_seconds()

    return rival


def away_from(line: Line) -> list[float]:
    """For how long each counter that had somebody lately, and is not at work now, has been without; as the service sees."""
    last = {v.counter: min(v.ends, line.now) for v in line.calls}
    free = [n for n in range(1, 100) if n not in line.busy][: max(line.counters - len(line.busy), 0)]
    return [line.now - ended for counter, ended in last.items() if counter not in line.busy and counter not in free]


def learned(days: Sequence[Sequence[Citizen]]) -> Times:
    """What the service would have learned from these days."""
    visits: dict[str, list[float]] = {}
    everyone = [c for one in days for c in one]
    for citizen in (c for c in everyone if c.called >= 0):
        visits.setdefault(citizen.offering.name, []).append(citizen.length + 22.5)  # the call is part of the visit
    whole, offerings = estimate.learn_queue(visits, DECLARED_MINUTES)
    left = sum(c.called < 0 for c in everyone) / max(len(everyone), 1)
    staff = estimate.usual_staff(
        [[(c.counter, OPENS + c.called, OPENS + c.called + c.length) for c in one if c.called >= 0] for one in days]
    )
    return Times(whole, offerings, gap=0.0, leaving=left, overtaken=PRIORITY, staff=staff)


@dataclass(frozen=True, slots=True)
class Score:
    """Minutes, and shares of one."""

    mean_error: float
    bias: float
    inside: float
    below: float
    above: float
    width: float
    told: int


def score(told: Sequence[Told]) -> Score:
    """Mean absolute error and bias (told - waited) in minutes; how many waits were within, below and above the range."""
    return Score(
        mean_error=fmean(abs(t.expected - t.waited) for t in told) / MINUTE,
        bias=fmean(t.expected - t.waited for t in told) / MINUTE,
        inside=fmean(t.low <= t.waited <= t.high for t in told),
        below=fmean(t.waited < t.low for t in told),
        above=fmean(t.waited > t.high for t in told),
        width=fmean(t.high - t.low for t in told) / MINUTE,
        told=len(told),
    )


def backtest(seed: int, days: int = 20, history: int = 5) -> dict[str, Score]:
    """Learn from `history` days, then be judged on `days` others: name of the rival -> score over all of them."""
    past = [day(seed * 1000 + n, {})[1] for n in range(history)]
    rivals: dict[str, Rival] = {
        "ours": ours(learned(past)), "ours, first day": ours(estimate.declared(DECLARED_MINUTES)), "naive": naive,
        "of 0.2.0": of_0_2,
    }  # fmt: skip
    told: dict[str, list[Told]] = {name: [] for name in rivals}
    for n in range(days):
        for name, found in day(seed * 1000 + 500 + n, rivals)[0].items():
            told[name] += found
    return {name: score(found) for name, found in told.items()}
