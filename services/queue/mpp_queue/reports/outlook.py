"""Puts together what the wait estimate needs: learned times, the day's plan, open counters, and the moment's snapshot.

Knows read models and sessions; the arithmetic is domain/estimate.py. What it reads for itself it keeps: the sessions of
the queue's counters (one read by ids) for two seconds, learned times and the plan (one each) for fifteen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mpp_queue.counters.domain import Counter, counter_name
from mpp_queue.counters.domain import State as CounterState
from mpp_queue.domain import QueueSpec, State, estimate, is_open, next_opening
from mpp_queue.domain.estimate import Ahead, Desk, Forecast, Seen, Times
from mpp_queue.reports.store import Learned, Plan, Staffing
from mpp_queue.store import Standing, Visit

KEPT_SECONDS = 2.0
SLOW_SECONDS = 15.0  # what is learned from days, and what is planned for one
# A counter that has nobody for so long while others wait is not at work, whatever its session says: officers forget to
# close, and a call opens a session by itself.
IDLE_PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Behind:
    """What is read beside the snapshot."""

    times: Times | None
    plan: Plan
    counters: Mapping[str, Counter]


class Outlook:
    """Makes forecasts. Safe for many threads: two that read at once read the same. `counters`: by their names."""

    def __init__(
        self,
        learned: Learned,
        staffing: Staffing,
        counters: Callable[[Sequence[str]], Mapping[str, Counter]],
        clock: Callable[[], datetime],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._learned, self._staffing, self._counters = learned, staffing, counters
        self._clock, self._steady = clock, steady
        self._known: dict[str, tuple[float, Behind]] = {}
        self._slow: dict[str, tuple[float, Times | None, Plan]] = {}

    def forecast(self, spec: QueueSpec, day: str, standing: Sequence[Standing], lately: Sequence[Visit]) -> Forecast:
        """Raises the store's errors when it must read and cannot."""
        behind, now = self._behind(spec), self._clock()
        waiting = any(s.count for s in standing)
        counters = behind.counters.values()
        desks, away = at_work(spec, day, counters, lately, now, waiting=waiting)
        first_minutes = starting(spec, day, counters, now)
        planned = behind.plan.of(day)
        return made(spec, behind.times, planned, desks, standing, lately, now, starting=first_minutes, away=away)

    def _behind(self, spec: QueueSpec) -> Behind:
        known = self._known.get(spec.name)
        if known is not None and self._steady() < known[0]:
            return known[1]
        names = [counter_name(spec.site_id, number) for number in spec.counters]
        fresh = Behind(*self._learned_and_planned(spec.name), self._counters(names))
        self._known[spec.name] = (self._steady() + KEPT_SECONDS, fresh)
        return fresh

    def _learned_and_planned(self, queue: str) -> tuple[Times | None, Plan]:
        until, times, plan = self._slow.get(queue, (float("-inf"), None, Plan()))
        if self._steady() >= until:
            times, plan = self._learned.get(queue), self._staffing.get(queue)
            self._slow[queue] = (self._steady() + SLOW_SECONDS, times, plan)
        return times, plan


def at_work(
    spec: QueueSpec, day: str, counters: Iterable[Counter], lately: Iterable[Visit], now: datetime, *, waiting: bool
) -> tuple[list[Desk], list[float]]:
    """Counters with a citizen, and those with an open session that would call the next one. And for how long those have
    been away (seconds) that are paused, or have called nobody while people wait; whoever closed the counter is not away.
    """
    busy: dict[int, Desk] = {}
    active: dict[int, datetime] = {}  # when its last citizen left
    for visit in lately:
        began = visit.turn_at or visit.called_at
        if visit.state in (State.CALLED, State.SERVING):
            lasted = max((now - began).total_seconds(), 0.0)
            busy.setdefault(visit.counter, Desk(visit.offering, lasted, visit.booked))
        else:
            left = (visit.serving_at or visit.called_at) + (visit.length or timedelta(0))
            active[visit.counter] = max(active.get(visit.counter, left), left)
    idle, away = 0, list[float]()
    for counter in counters:
        session = counter.working(day)
        if session is None or session.queue != spec.name or counter.number in busy:
            continue
        since = max(session.since, active.get(counter.number, session.since))
        if counter.state is CounterState.OPEN and (not waiting or now - since <= IDLE_PATIENCE):
            idle += 1
        else:
            away.append((now - since).total_seconds())
    return [*busy.values(), *([Desk()] * idle)], away


def starting(spec: QueueSpec, day: str, counters: Iterable[Counter], now: datetime) -> bool:
    """Whether the first counter of the day opened a moment ago: then one counter does not mean that there is but one."""
    sessions = [session for c in counters if (session := c.working(day)) is not None and session.queue == spec.name]
    return all(now - session.opened_at < IDLE_PATIENCE for session in sessions)


def made(
    spec: QueueSpec,
    times: Times | None,
    planned: int,
    desks: Sequence[Desk],
    standing: Sequence[Standing],
    lately: Sequence[Visit],
    now: datetime,
    *,
    starting: bool = False,
    away: Iterable[float] = (),
) -> Forecast:
    """The site's clock and doors, and everything else in the estimate's own words."""
    local = now.astimezone(ZoneInfo(spec.zone))
    return estimate.forecast(
        times or estimate.declared(spec.minutes_per_visit),
        desks,
        [Ahead(s.offering, s.count, s.booked) for s in standing],
        seen=_seen(lately),
        away=away,
        planned=planned,
        starting=starting,
        declared_counters=len(spec.counters),
        second_of_day=local.hour * 3600.0 + local.minute * 60 + local.second,
        opens_in=_opens_in(spec, now),
    )


def without(spec: QueueSpec, standing: Sequence[Standing], lately: Sequence[Visit]) -> Forecast:
    """From the snapshot alone, for a reader that has nothing else: counters seen lately are the ones at work, and the time
    is that of the last call.
    """
    now = max((v.called_at for v in lately), default=datetime(2000, 1, 1, tzinfo=UTC))
    busy, _ = at_work(spec, "", (), lately, now, waiting=True)
    idle = max(len({v.counter for v in lately}) - len(busy), 0)
    return made(replace(spec, opening_hours=()), None, 0, [*busy, *([Desk()] * idle)], standing, lately, now)


def _seen(lately: Iterable[Visit]) -> list[Seen]:
    """Visits of today that are over, each from its call to its end."""
    found = []
    for visit in lately:
        if visit.length is not None and visit.serving_at is not None:
            walked = max(visit.serving_at - (visit.turn_at or visit.called_at), timedelta(0))
            found.append(Seen(visit.offering, (walked + visit.length).total_seconds()))
    return found


def _opens_in(spec: QueueSpec, now: datetime) -> float:
    """Seconds until the doors open again today; 0 while they are open, or when they stay closed today."""
    if is_open(spec, now):
        return 0.0
    opening = next_opening(spec, now, days=0)
    return (opening - now).total_seconds() if opening else 0.0
