"""What the wait estimate knows beside the moment: learned times and the day's plan, from memory for two seconds.

Knows the two read models; decides nothing. So a queue's snapshot costs two small reads more every two seconds, and taking
a ticket none.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mpp_queue.domain.estimate import Times, declared
from mpp_queue.reports.store import Learned, Plan, Staffing

KEPT_SECONDS = 2.0


class Insight:
    """Safe for many threads: two that read at once read the same."""

    def __init__(self, learned: Learned, staffing: Staffing, clock: Callable[[], float] = time.monotonic) -> None:
        self._learned, self._staffing, self._clock = learned, staffing, clock
        self._known: dict[str, tuple[float, Times | None, Plan]] = {}

    def of(self, queue: str, day: str, minutes_per_visit: int) -> tuple[Times, int]:
        """The queue's times (what the agency declares until something is learned), and the counters planned for `day`
        (0: none). Raises the store's errors when it must read and cannot.
        """
        known = self._known.get(queue)
        if known is None or self._clock() >= known[0]:
            known = (self._clock() + KEPT_SECONDS, self._learned.get(queue), self._staffing.get(queue))
            self._known[queue] = known
        _, times, plan = known
        return times or declared(minutes_per_visit), plan.of(day)
