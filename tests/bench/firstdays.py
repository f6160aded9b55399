"""First days of queues whose agency declared a wrong time, drawn by the generator that `mppctl simulate` plays.

The wait estimate was not made after these days: their shape is town.py's and day.py's. What an agency declares is wrong
by a factor here, and counters are at work as that generator has them (all day), or come and go in ways of their own.
Nothing is known of any day before. Pure and seeded; the line, and what each rival is told, are waiting.py's.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from mpp_queue.domain import estimate
from mppctl.simulation.day import Outcome, QueuePlan, Visit, make_day
from mppctl.simulation.play import MISS_SECONDS
from mppctl.simulation.town import invented

from tests.bench.waiting import MINUTE, OPENS, Citizen, Line, Offering, Rival, Score, Staff, Told, ahead_of, ours, play
from tests.bench.waiting import score as scored

WRONG = (0.5, 0.75, 1.0, 1.5, 2.0)  # declared minutes / true ones
HOURS = 60 * MINUTE

# How many of a queue's counters are at work, from when on; what `simulate` plays is `all day`.
STAFFS: dict[str, Callable[[int], Staff]] = {
    "all day": lambda counters: ((0.0, counters),),
    "lunch": lambda counters: ((0.0, counters), (4 * HOURS, max(counters // 3, 1)), (5 * HOURS, counters)),
    "short lunch": lambda counters: ((0.0, counters), (4.25 * HOURS, counters - 1), (4.75 * HOURS, counters)),
    "one goes for good": lambda counters: ((0.0, counters), (4.5 * HOURS, counters - 1)),
    "one comes late": lambda counters: ((0.0, counters - 1), (1.5 * HOURS, counters)),
}


def citizen(visit: Visit) -> Citizen:
    offering = Offering(visit.offering, 0.0, 0.0)
    arrived = visit.at - OPENS
    length = MISS_SECONDS if visit.outcome is Outcome.NO_SHOW else visit.walk_seconds + visit.service_seconds
    if visit.outcome is Outcome.LATE:
        length += MISS_SECONDS
    leaves = arrived + visit.patience_seconds if visit.outcome is Outcome.CANCELS else float("inf")
    return Citizen(arrived, offering, bool(visit.group), length, leaves)


def true_minutes(plan: QueuePlan) -> float:
    return sum(s.mean_minutes * s.weight for s in plan.services) / sum(s.weight for s in plan.services)


def naive_of(minutes: int) -> Rival:
    """With the number of counters known exactly."""

    def rival(line: Line, citizen: Citizen) -> tuple[float, float, float]:
        told = estimate.naive(ahead_of(line, citizen), minutes, line.counters)
        return told.total_seconds(), 0.0, 0.0

    return rival


def first_days(seed: int, wrong: float, staff: str = "all day", visits: int = 300) -> dict[str, Score]:
    """All queues of an invented site on their first day: name of the rival -> score over all who were called."""
    site = invented(1)
    day = make_day([site], visits, seed)
    told: dict[str, list[Told]] = {"ours": [], "naive": []}
    for plan in site.queues:
        minutes = max(round(wrong * true_minutes(plan)), 1)
        rivals = {"ours": ours(estimate.declared(minutes), len(plan.counters)), "naive": naive_of(minutes)}
        citizens = [citizen(v) for v in day.of(plan.name)]
        found = play(citizens, rivals, random.Random(f"{seed}/{plan.name}"), STAFFS[staff](len(plan.counters)))
        for name, each in found.items():
            told[name] += each
    return {name: scored(found) for name, found in told.items()}
