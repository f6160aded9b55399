"""How long stages took: median and 90th percentile. Knows durations only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from statistics import median


@dataclass(frozen=True, slots=True)
class Statistics:
    count: int
    median: timedelta
    p90: timedelta


def statistics(times: Sequence[timedelta]) -> Statistics:
    """Median, and the 90th percentile by nearest rank; zeros of nothing."""
    if not times:
        return Statistics(0, timedelta(0), timedelta(0))
    ordered = sorted(times)
    middle = timedelta(seconds=median(t.total_seconds() for t in ordered))
    return Statistics(len(ordered), middle, ordered[ceil(0.9 * len(ordered)) - 1])
