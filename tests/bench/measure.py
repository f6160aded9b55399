"""Timing of calls by one or several callers, and the spread over rounds. Knows no job."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Sample:
    """Latencies in seconds of one run, and its wall time."""

    seconds: list[float]
    wall: float

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.wall

    def quantile(self, q: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


@dataclass
class Series:
    """One quantity over the rounds."""

    values: list[float] = field(default_factory=list)

    def median(self) -> float:
        return statistics.median(self.values)

    def spread(self) -> tuple[float, float]:
        return min(self.values), max(self.values)


def callers(count: int, each: int, call: Callable[[int, int], object]) -> Sample:
    """`count` threads make `each` calls, one after the other, `call(caller, number)`."""
    seconds: list[list[float]] = [[] for _ in range(count)]
    gate = threading.Barrier(count + 1)

    def work(caller: int) -> None:
        gate.wait()
        for number in range(each):
            started = time.perf_counter()
            call(caller, number)
            seconds[caller].append(time.perf_counter() - started)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    gate.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return Sample([s for each_one in seconds for s in each_one], time.perf_counter() - started)
