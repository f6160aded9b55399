"""How long somebody who stands in line will wait, as a range: pure arithmetic, standard library only.

Knows how long citizens keep a counter (learned, or declared), who is ahead, and what each counter is doing. Never knows
the store, a clock or a person: everything comes in as numbers. Lengths are seconds inside, `timedelta` outside.

The model. A counter that has somebody comes free after a remaining time that is not known, only expected: given that
the visit has lasted t already, what is left of a log-normal length, taken as uniform between 0 and twice that. A
counter i gives until the time t the capacity

    h(t) = E[(t - R)+] + e * P(R <= t)        e: what a random visit still takes when one looks in, m (1 + c^2) / 2

and whoever has the work W ahead is called when the counters together have given W + e. For one counter that is R + W;
for n ahead of C counters that are all in the middle of something (n m + e) / C, the textbook's. Nothing is simulated,
so an estimate costs some microseconds a counter. The range is W with what is uncertain in it: each length by itself,
the learned mean as a whole, and the moment at which the first counter comes free.

Staff come and go through the day. What is usual at each half-hour is learned; the counters of now are taken to grow and
shrink in that proportion, which is a clock that runs faster or slower (`_Clock`), and stands still while it is closed.

On a queue's first day nothing is usual. What was declared then weighs no more than a few visits, and a counter that was
at work and stopped is taken to be at a break: most of the error of a first day was the noon hour, told as if it never ended.

What it does not know: appointments that will check in, an officer's break that nobody announced, that the next
citizen's officer must have a skill. ADR 0029 says how good it is all the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import ceil, erf, floor, log, sqrt
from statistics import fmean, median

# Weights are visits: so many are needed until what was seen counts as much as what was believed before.
DECLARED_WEIGHT = 5.0  # what the agency declares, against the queue's own visits
QUEUE_WEIGHT = 8.0  # the queue's visits, against those of one offering
TODAY_WEIGHT = 12.0  # what was learned, against the pace of today; what was only declared weighs as what it is
USUAL_SPREAD = 0.7  # standard deviation / mean of a visit, until it is learned
LEAST_SPREAD, MOST_SPREAD = 0.2, 1.2
WILD = 4.0  # a length above so many times the median counts as that: somebody forgot to finish
USUAL_GAP = 20.0  # seconds from one citizen's end to the next one's call
LONGEST_GAP = 180.0  # a longer one was a break, not a gap
DAYS_DIFFER = 0.15  # how far the mean of one day is from the mean of all, as a share of it
OUTER = 1.2816  # standard deviations to the 10th and the 90th percentile
LEAVING_AT_MOST, OVERTAKEN_AT_MOST = 0.5, 0.5
LONGEST_REMAINING = 2.0  # means: a visit that never ends is not counted on for ever
LONGEST = MOST_KEPT = 24 * 3600.0  # a wait that is told, a visit that is believed
# A counter that stopped a while ago and of which nothing else is known: so long a break lasts (an hour at noon is usual
# in Indonesian offices), and such a share of them come back at all; the range goes from all to half of them.
BREAK, SOONEST_BACK, GONE = 3600.0, 600.0, 4500.0
COMES_BACK = (1.0, 0.75, 0.5)
SLOT = 1800.0  # the usual staff is known for each half-hour of the local day
SLOTS = int(LONGEST / SLOT)
SLOWEST, FASTEST = 0.1, 4.0  # the staff of later, as a share of the staff of now

_MINUTES: list[float] = [
    *(n / 2 for n in range(20)), *range(10, 30), *range(30, 120, 5), *range(120, 480, 15), *range(480, 1441, 60),
]  # fmt: skip
# The same for every estimate, which keeps them comparable.
_GRID: tuple[float, ...] = tuple(60.0 * minutes for minutes in _MINUTES)


@dataclass(frozen=True, slots=True)
class Wait:
    """Whole minutes. About one of ten waits less than `low`, one of ten longer than `high`; `low <= expected <= high`."""

    low: timedelta
    expected: timedelta
    high: timedelta


NONE = Wait(timedelta(0), timedelta(0), timedelta(0))


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one citizen keeps a counter, from the call to the end, no-shows included.

    `mean`: seconds. `spread`: standard deviation divided by the mean. `visits`: how many were seen.
    """

    mean: float
    spread: float = USUAL_SPREAD
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of a queue beside this moment.

    `offerings`: those with visits of their own. `gap`: seconds between two citizens at a counter. `leaving`: share of
    those who wait that give up before they are called. `overtaken`: share of calls that go to somebody who came later
    (priority); it counts for those who are not of the first class. `staff`: how many counters are usually at work in each
    of the `SLOTS` half-hours of the local day, 0 where nothing is known; empty: nothing is known at all.
    """

    whole: Pace
    offerings: Mapping[str, Pace] = field(default_factory=dict)
    gap: float = USUAL_GAP
    leaving: float = 0.0
    overtaken: float = 0.0
    staff: tuple[float, ...] = ()

    def of(self, offering: str) -> Pace:
        return self.offerings.get(offering, self.whole)

    def usually(self, second_of_day: float) -> float:
        """Counters at work then; 0: unknown."""
        return self.staff[int(second_of_day // SLOT) % SLOTS] if self.staff else 0.0


@dataclass(frozen=True, slots=True)
class Ahead:
    """`count` people who wait for the same offering. `booked`: seconds that were booked for each; 0: none."""

    offering: str = ""
    count: int = 1
    booked: float = 0.0


@dataclass(frozen=True, slots=True)
class Desk:
    """A counter at work. `busy_for`: seconds since it called the citizen that it has; None when it has nobody."""

    offering: str = ""
    busy_for: float | None = None
    booked: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A visit of today that is over: how long it kept the counter (seconds), and what for."""

    offering: str
    seconds: float


def declared(minutes_per_visit: int) -> Times:
    """Nothing was learned yet: what the agency declares. Raises ValueError unless it is above 0."""
    if minutes_per_visit <= 0:
        raise ValueError(f"minutes_per_visit must be above 0: {minutes_per_visit}")
    return Times(Pace(60.0 * minutes_per_visit))


def learn(lengths: Sequence[float], before: Pace, weight: float) -> Pace:
    """The pace after these visits (seconds), shrunk towards what was believed `before` as if that were `weight` visits.

    The mean of the lengths, none counted above `WILD` times their middle: a sum of visits follows the mean, not the
    median, but one visit that nobody finished must not spoil it.
    """
    lengths = [length for length in lengths if 0 <= length <= MOST_KEPT]
    if not lengths:
        return before
    count = len(lengths)
    middle = (count * median(lengths) + weight * before.mean) / (count + weight)
    capped = [min(length, WILD * middle) for length in lengths]
    mean = (sum(capped) + weight * before.mean) / (count + weight)
    centre = fmean(capped)
    variance = fmean((length - centre) ** 2 for length in capped) / max(centre, 1.0) ** 2
    spread = sqrt((count * variance + weight * before.spread**2) / (count + weight))
    return Pace(max(mean, 1.0), min(max(spread, LEAST_SPREAD), MOST_SPREAD), count)


def learn_queue(visits: Mapping[str, Sequence[float]], minutes_per_visit: int) -> tuple[Pace, dict[str, Pace]]:
    """A queue's pace and that of each of its offerings, from lengths in seconds: declared <- queue <- offering."""
    start = declared(minutes_per_visit).whole
    whole = learn([length for lengths in visits.values() for length in lengths], start, DECLARED_WEIGHT)
    return whole, {o: learn(lengths, whole, QUEUE_WEIGHT) for o, lengths in visits.items() if o and lengths}


def pace_of_today(seen: Iterable[Seen], times: Times) -> float:
    """How much slower (above 1) or faster today's visits are than what was learned; 1 while few were seen.

    On a first day the belief is a number that the agency declared, and a few visits outweigh it.
    """
    ratios = [min(max(s.seconds, 0.0) / times.of(s.offering).mean, WILD) for s in seen]
    weight = min(TODAY_WEIGHT, times.whole.visits + DECLARED_WEIGHT)
    return (weight + sum(ratios)) / (weight + len(ratios))


def with_today(times: Times, seen: Sequence[Seen], pace: float) -> Times:
    """The offerings as today's visits show them beside the `pace` of all: much for one that was never seen before."""
    visits: dict[str, list[float]] = {}
    for one in seen:
        if one.offering:
            visits.setdefault(one.offering, []).append(max(one.seconds, 0.0) / pace)
    found = dict(times.offerings)
    for offering, lengths in visits.items():
        known = times.offerings.get(offering)
        before, weight = (known, QUEUE_WEIGHT + known.visits) if known else (times.whole, QUEUE_WEIGHT)
        found[offering] = replace(learn(lengths, before, weight), visits=len(lengths) + (known.visits if known else 0))
    return replace(times, offerings=found)


def usual_staff(days: Sequence[Sequence[tuple[int, float, float]]]) -> tuple[float, ...]:
    """How many counters are at work in each half-hour, from the visits of some days: (counter, from, to) in seconds of
    the local day. Of the days the upper quartile, since a quiet half-hour says little of who was there.
    """
    counts: list[list[int]] = []
    for visits in days:
        at_work: list[set[int]] = [set() for _ in range(SLOTS)]
        for counter, begin, end in visits:
            for slot in range(max(int(begin // SLOT), 0), min(int(end // SLOT), SLOTS - 1) + 1):
                if begin >= slot * SLOT or end >= (slot + 1) * SLOT:  # called in it, or kept all through it
                    at_work[slot].add(counter)
        counts.append([len(there) for there in at_work])
    if not counts:
        return ()
    return tuple(float(sorted(per_day)[(3 * len(per_day)) // 4]) for per_day in zip(*counts, strict=True))


def remaining(pace: Pace, busy_for: float) -> float:
    """Seconds that a visit is expected to last still, given that it has lasted `busy_for` seconds. Log-normal."""
    if not busy_for > 0:
        return pace.mean
    variance = log(1 + pace.spread**2)
    sigma, mu = sqrt(variance), log(pace.mean) - variance / 2
    beyond = _normal((mu - log(busy_for)) / sigma)
    if beyond < 1e-9:
        return LONGEST_REMAINING * pace.mean
    left = pace.mean * _normal((mu + variance - log(busy_for)) / sigma) / beyond - busy_for
    return min(max(left, 0.0), LONGEST_REMAINING * pace.mean)


@dataclass(frozen=True, slots=True)
class _Clock:
    """Turns seconds of work at the present pace into real ones. `steps`: (real seconds from now, pace from then on)."""

    steps: tuple[tuple[float, float], ...] = ((0.0, 1.0),)

    def real(self, seconds: float) -> float:
        for (start, pace), (end, _) in zip(self.steps, self.steps[1:], strict=False):
            if pace > 0 and seconds <= (end - start) * pace:
                return start + seconds / pace
            seconds -= (end - start) * pace
        start, pace = self.steps[-1]
        return start + seconds / max(pace, SLOWEST)


def _clock(times: Times, second_of_day: float, opens_in: float, steady: bool) -> _Clock:
    """`steady`: the staff stays as it is."""
    here = second_of_day + opens_in
    steps = [(0.0, 0.0)] if opens_in > 0 else []
    steps.append((opens_in, 1.0))
    now = times.usually(here)
    if steady or now <= 0:
        return _Clock(tuple(steps))
    for slot in range(int(here // SLOT) + 1, SLOTS):
        usual = times.usually(slot * SLOT)
        pace = min(max(usual / now, SLOWEST), FASTEST) if usual > 0 else SLOWEST
        if pace != steps[-1][1]:
            steps.append((slot * SLOT - second_of_day, pace))
    while len(steps) > 1 and steps[-1][1] <= SLOWEST:  # the evening: nobody knows, so nothing changes
        steps.pop()
    return _Clock(tuple(steps))


@dataclass(frozen=True, slots=True)
class Forecast:
    """A queue at one moment, ready to answer for any number of people ahead. Made by `forecast`.

    `free_in`: expected seconds until each counter comes free; `back_in`: until each of those that may come back is there.
    `each`, `each_squared`: mean and mean square of the seconds that one of those who wait will take. `unsure`: relative
    standard error of the mean.
    """

    free_in: tuple[float, ...]
    each: float
    each_squared: float
    spread: float
    unsure: float
    look_in: float
    leaving: float
    overtaken: float
    clock: _Clock = _Clock()
    closed: bool = False
    back_in: tuple[float, ...] = ()

    def wait(self, ahead: int, *, first_class: bool = False) -> Wait:
        """For somebody with `ahead` people before them. Never shorter for more people; `expected` and `high` never longer
        for more counters. `low` may rise a little when a counter comes free: less is unknown then, so the range narrows.
        """
        if ahead <= 0 and min(self.free_in) <= 0 and not self.closed:
            return NONE
        share = (1 - self.leaving) / (1.0 if first_class else 1 - self.overtaken)
        people = max(ahead, 0) * share
        work, squares = people * self.each, people * self.each_squared
        first = 0.0 if min(self.free_in) <= 0 else self.look_in
        around = sqrt(self.spread**2 * squares + (self.unsure * work) ** 2 + first**2)
        # Less than 1 / sqrt(...) keeps the lower end growing with each person, however long their visit.
        inner = min(OUTER, sqrt(min(share, 1) / (self.spread**2 + self.unsure**2)))
        target = work + self.look_in
        targets = (target - inner * around, target, target + OUTER * around)
        low, expected, high = (self._when(t, share) for t, share in zip(targets, COMES_BACK, strict=True))
        return Wait(
            timedelta(minutes=floor(low / 60)), timedelta(minutes=floor(expected / 60 + 0.5)),
            timedelta(minutes=ceil(high / 60)),
        )  # fmt: skip

    def _when(self, target: float, share: float) -> float:
        """Seconds until the counters have given `target` seconds of capacity, when that `share` of those who are away
        comes back; at most a day.
        """
        return min(self.clock.real(self._at_this_pace(target, share)), LONGEST)

    def _at_this_pace(self, target: float, share: float) -> float:
        def given(at: float) -> float:
            back = share * self._given(at, self.back_in) if self.back_in else 0.0
            return self._given(at, self.free_in) + back

        if target <= given(0.0):
            return 0.0
        place = bisect_left(_GRID, target, key=given)
        if place >= len(_GRID):
            return LONGEST
        left, right = _GRID[place - 1], _GRID[place]
        before, after = given(left), given(right)
        return left + (right - left) * (target - before) / max(after - before, 1e-9)

    def _given(self, at: float, counters: Sequence[float]) -> float:
        """Seconds of capacity that these counters are expected to have given `at` seconds from now."""
        total = 0.0
        for free in counters:
            if at >= 2 * free:
                total += at - free + self.look_in
            else:
                total += at * at / (4 * free) + self.look_in * at / (2 * free)
        return total


def forecast(
    times: Times,
    desks: Sequence[Desk],
    waiting: Iterable[Ahead] = (),
    *,
    seen: Iterable[Seen] = (),
    away: Iterable[float] = (),
    planned: int = 0,
    starting: bool = False,
    declared_counters: int = 1,
    second_of_day: float = 0.0,
    opens_in: float = 0.0,
) -> Forecast:
    """Put together what is known now.

    `desks`: the counters that are open or were seen at work. `planned`: what the manager says of the day, above 0 it
    wins over what is seen and over what is usual later. Without both: as many as usual at this time (`second_of_day`, of
    the site's local day), else as many as the agency has (`declared_counters`), each taken to be in the middle of
    something. `starting`: the day's first minutes; at least as many as usual, some of whom are still to come. `waiting`:
    what those who wait came for; it tells the mix of those ahead. `opens_in`: seconds until then. `away`: counters that
    had citizens today and are not at work now, each by the seconds since; told by nothing better, they are expected back.
    """
    seen = [s for s in seen if 0 <= s.seconds <= MOST_KEPT]
    pace = pace_of_today(seen, times)
    times = with_today(times, seen, pace)
    whole = times.whole
    look_in = pace * whole.mean * (1 + whole.spread**2) / 2
    free = sorted(_free_in(desk, times, pace) for desk in desks)
    usual = round(times.usually(second_of_day + max(opens_in, 0.0)))
    seen_or_usual = max(len(free), usual) if starting else len(free) or usual
    back = _back_in(away) if planned <= 0 and usual <= 0 and opens_in <= 0 else ()
    wanted = planned if planned > 0 else seen_or_usual or (0 if back else declared_counters)
    free = (free + [look_in] * max(wanted - len(free), 0))[: max(wanted, 1)]
    if not free and back:  # everybody is away: the first to come back is the one that surely does
        free, back = [back[0]], back[1:]
    each, squares = _mix(times, pace, waiting)
    return Forecast(
        free_in=tuple(free or [look_in]),
        each=each,
        each_squared=squares,
        spread=whole.spread,
        unsure=sqrt(whole.spread**2 / (whole.visits + len(seen) + DECLARED_WEIGHT) + DAYS_DIFFER**2),
        look_in=look_in,
        leaving=min(max(times.leaving, 0.0), LEAVING_AT_MOST),
        overtaken=min(max(times.overtaken, 0.0), OVERTAKEN_AT_MOST),
        clock=_clock(times, second_of_day, max(opens_in, 0.0), steady=planned > 0),
        closed=opens_in > 0,
        back_in=back,
    )


def _back_in(away: Iterable[float]) -> tuple[float, ...]:
    """Seconds until each is expected; one that has been away for much longer than a break is gone."""
    return tuple(sorted(max(BREAK - max(gone, 0.0), SOONEST_BACK) for gone in away if gone < GONE))


def _free_in(desk: Desk, times: Times, pace: float) -> float:
    if desk.busy_for is None:
        return 0.0
    of_it = times.of(desk.offering)
    mean = desk.booked if desk.booked > 0 else pace * of_it.mean
    return remaining(Pace(mean, of_it.spread), desk.busy_for) + times.gap


def _mix(times: Times, pace: float, waiting: Iterable[Ahead]) -> tuple[float, float]:
    """Mean and mean square of the seconds that one who waits will take; of the whole queue when nobody waits."""
    count, total, squares = 0, 0.0, 0.0
    for ahead in waiting:
        length = (ahead.booked if ahead.booked > 0 else pace * times.of(ahead.offering).mean) + times.gap
        count += ahead.count
        total += ahead.count * length
        squares += ahead.count * length**2
    if count <= 0:
        length = pace * times.whole.mean + times.gap
        return length, length**2
    return total / count, squares / count


def _normal(z: float) -> float:
    """The standard normal distribution."""
    return 0.5 * (1 + erf(z / sqrt(2)))


def naive(ahead: int, minutes_per_visit: int, counters: int) -> timedelta:
    """What others do, and what ours is measured against: people ahead x declared minutes / counters."""
    return timedelta(minutes=max(ahead, 0) * minutes_per_visit / max(counters, 1))


__all__ = [
    "NONE", "Ahead", "Desk", "Forecast", "Pace", "Seen", "Times", "Wait", "declared", "forecast", "learn", "learn_queue",
    "naive", "pace_of_today", "remaining", "usual_staff", "with_today",
]  # fmt: skip
