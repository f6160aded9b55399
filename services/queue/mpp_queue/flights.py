"""Repeated commands that meet in one process, so that most of them need no number of their own. Knows names only.

An optimisation, no guarantee: the store tells a repetition by the ticket's id whatever happens here. Without
this, 64 callers with one request_id would reserve 64 numbers to use one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Flight:
    lock: threading.Lock = field(default_factory=threading.Lock)
    passengers: int = 0


class Flights:
    """Lets one through for each name at a time, and tells whether somebody was there before (lately).

    Whoever has waited `patience` seconds for the one before goes on beside it: a store that hangs holds up
    nobody twice.
    """

    def __init__(self, remembered: int = 4096, patience: float = 2.0) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._remembered, self._patience = remembered, patience

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """True for the first: nobody of this process has been here with `name` as far as it remembers."""
        with self._lock:
            flight = self._flights.setdefault(name, _Flight())
            flight.passengers += 1
        alone = flight.lock.acquire(timeout=self._patience)
        try:
            with self._lock:
                first = name not in self._seen
                self._seen[name] = None
                if len(self._seen) > self._remembered:
                    self._seen.popitem(last=False)
            yield first
        finally:
            if alone:
                flight.lock.release()
            with self._lock:
                flight.passengers -= 1
                if not flight.passengers:
                    del self._flights[name]
