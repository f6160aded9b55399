"""How many wait before a ticket, and the plain estimate that follows from it: pure arithmetic.

The estimate that learns is in estimate.py; this one is what it is measured against.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from statistics import median

# So few finished visits say nothing yet.
LEAST_VISITS = 3


def visit_length(visits: Sequence[timedelta], minutes_per_visit: int) -> timedelta:
    """The median of the last visits (one that went wrong does not spoil it), else what the agency declares."""
    if len(visits) < LEAST_VISITS:
        return timedelta(minutes=minutes_per_visit)
    return timedelta(seconds=median(v.total_seconds() for v in visits))


def estimated_wait(ahead: int, visit: timedelta, counters: int) -> timedelta:
    """`ahead` visits shared among the counters that are at work (at least one), in whole seconds."""
    return timedelta(seconds=ceil(max(ahead, 0) * visit.total_seconds() / max(counters, 1)))


def people_ahead(waiting: int, last_seq: int, seq: int) -> int:
    """How many wait before number `seq`, from a count that was taken when `last_seq` was the greatest number.

    Numbers are contiguous, so whoever came between the count and `seq` is counted by the numbers alone.
    Not exact: it does not see calls and cancellations since the count.
    """
    return max(waiting + seq - 1 - last_seq, 0)
