"""The next ticket number of each queue and day, as this process believes it. Knows no store and no ticket.

A number becomes real only by the insert of its ticket, guarded by the store's unique index on (site, queue,
day, seq). So what is kept here may be wrong at any time - another process gives out numbers too, this one may
have started a moment ago - and all that a wrong belief costs is a refused insert and one look at the index.

Why not a counter document with `$inc`: that is a second write for every ticket, all kiosks of a queue wait
for one document, and a crash between the two writes leaves a gap. Here a ticket is one insert, and while no
insert fails for good the numbers are contiguous, whatever the number of processes.

Guaranteed: no number twice in this process between `reserve` and `give_back`. Not guaranteed: no gap. A
number given back is used again only while none above it is out (a late citizen must not get an early number);
else it stays a gap.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

_Key = tuple[str, str]  # queue, ISO day


@dataclass(slots=True)
class _QueueDay:
    lock: threading.Lock = field(default_factory=threading.Lock)
    next: int = 0  # 0: not known yet
    given_back: set[int] = field(default_factory=set)
    latest: datetime | None = None


class Numbering:
    """Thread-safe. `last(queue, day)` reads the greatest number in the store, 0 when there is none."""

    def __init__(self, last: Callable[[str, str], int]) -> None:
        self._last = last
        self._days: dict[_Key, _QueueDay] = {}
        self._lock = threading.Lock()

    def reserve(self, queue: str, day: str) -> int:
        """The next number, from memory; the first time from the store. Raises what `last` raises."""
        entry = self._entry(queue, day)
        if entry.next == 0:
            self.lost(queue, day)  # several may look at once; nobody holds the lock while the store thinks
        with entry.lock:
            seq = entry.next
            entry.next += 1
            return seq

    def reserve_at(self, queue: str, day: str, now: datetime) -> tuple[int, datetime]:
        """The next number and the time it was given out: `now`, or a moment later, so that in one process whoever has the
        lower number did not come later. Raises what `last` raises.
        """
        entry = self._entry(queue, day)
        if entry.next == 0:
            self.lost(queue, day)
        with entry.lock:
            seq = entry.next
            entry.next += 1
            entry.latest = max(now, entry.latest or now)
            return seq, entry.latest

    def lost(self, queue: str, day: str) -> None:
        """Another process has the number that was reserved: look what the greatest is now. Raises what `last`
        does.
        """
        self.seen(queue, day, self._last(queue, day))

    def seen(self, queue: str, day: str, greatest: int) -> None:
        """Whoever looked says what the greatest number is: 0 for none."""
        entry = self._entry(queue, day)
        with entry.lock:
            entry.next = max(entry.next, greatest + 1)

    def give_back(self, queue: str, day: str, seq: int) -> None:
        """The number was not used after all, as far as the caller knows. Never wrong: the index decides."""
        entry = self._entry(queue, day)
        with entry.lock:
            if seq >= entry.next:
                return
            entry.given_back.add(seq)
            while entry.next - 1 in entry.given_back:
                entry.next -= 1
                entry.given_back.discard(entry.next)

    def _entry(self, queue: str, day: str) -> _QueueDay:
        entry = self._days.get((queue, day))
        if entry is not None:
            return entry
        with self._lock:
            for other in [k for k in self._days if k[0] == queue and k[1] < day]:
                del self._days[other]
            return self._days.setdefault((queue, day), _QueueDay())
