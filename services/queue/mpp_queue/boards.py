"""Who watches a queue, and when something last happened in it. Knows queue names and time; reads and writes nothing.

The service's own events tell every `serve` process of every change, whichever process made it. When the broker is away
nothing is told: then a watcher looks by itself every `LOOK_SECONDS`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

BEAT_SECONDS = 15.0  # a proxy must not take a quiet stream for a dead one
LOOK_SECONDS = 5.0
GAP_SECONDS = 0.02  # changes that come closer than this are told together


@dataclass(slots=True)
class _Line:
    """One queue: its condition wakes all who watch it."""

    condition: threading.Condition = field(default_factory=threading.Condition)
    version: int = 0
    changed_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a watcher knew when it looked: nothing older than `changed_at` may be shown."""

    version: int
    at: float
    changed_at: float
    beat_due: bool


class Boards:
    """Wakes the watchers of a queue. Starts listening to the broker with the first of them."""

    def __init__(self, amqp_uri: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._uri, self._clock = amqp_uri, clock
        self._lines: dict[str, _Line] = {}
        self._lock = threading.Lock()
        self._listening = False

    def watch(self, queue: str) -> Watch:
        self._listen()
        return Watch(self._line(queue), self._clock)

    def changed(self, ticket: str) -> None:
        """Something happened to a ticket (`sites/*/queues/*/tickets/*`)."""
        line = self._lines.get(ticket.rpartition("/tickets/")[0])
        if line is not None:
            self._bump(line)

    def all_changed(self) -> None:
        """Anything may have happened: the broker was away."""
        with self._lock:
            lines = list(self._lines.values())
        for line in lines:
            self._bump(line)

    def _bump(self, line: _Line) -> None:
        with line.condition:
            line.version += 1
            line.changed_at = self._clock()
            line.condition.notify_all()

    def _line(self, queue: str) -> _Line:
        with self._lock:
            return self._lines.setdefault(queue, _Line())

    def _listen(self) -> None:
        with self._lock:
            if self._listening or not self._uri:
                return
            self._listening = True
        # Not at the top: `work` composes the same App, and only a process with watchers needs a tail.
        from mpp.queue.v1 import events_pb2
        from mpp_chassis.events import event_types
        from mpp_chassis.tail import Tail

        Tail(self._uri, event_types(events_pb2), self.changed, self.all_changed).start()


class Watch:
    """One watcher of one queue. Used by one thread."""

    def __init__(self, line: _Line, clock: Callable[[], float]) -> None:
        self._line, self._clock = line, clock
        self._sent_at = float("-inf")

    def look(self) -> Seen:
        now = self._clock()
        with self._line.condition:
            return Seen(self._line.version, now, self._line.changed_at, now - self._sent_at >= BEAT_SECONDS)

    def sent(self) -> None:
        self._sent_at = self._clock()

    def wait(self, seen: Seen, seconds: float) -> bool:
        """True when it is time to look again; False after `seconds` in which nothing happened."""
        end = self._clock() + seconds
        with self._line.condition:
            while True:
                now = self._clock()
                if self._line.version != seen.version and now - seen.at >= GAP_SECONDS:
                    return True
                if now - seen.at >= LOOK_SECONDS or now - self._sent_at >= BEAT_SECONDS:
                    return True
                if now >= end:
                    return False
                gap = GAP_SECONDS - (now - seen.at) if self._line.version != seen.version else end - now
                self._line.condition.wait(max(0.001, min(gap, end - now)))
