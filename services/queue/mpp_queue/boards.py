"""Who watches a queue, when something last happened in it, and who was called a moment ago. Knows queue names and time;
reads and writes nothing.

The service's own events tell every `serve` process of every change, whichever process made it. When the broker is away
nothing is told: then a watcher looks by itself every `LOOK_SECONDS`. A call is shown from what was told of it, before the
store is read again: under load a queue is read four times a second, not with every change.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

BEAT_SECONDS = 15.0  # a proxy must not take a quiet stream for a dead one
LOOK_SECONDS = 5.0
GAP_SECONDS = 0.02  # changes that come closer than this are told together
SETTLE_SECONDS = 0.25  # a change may be so old before the queue is read again; a call is shown meanwhile
HEARD_LATE = timedelta(seconds=5)  # what is told of a call so much later is history: the store knows better
BOARD_LINES = 10
CALLED = "mpp.queue.v1.TicketCalled"


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A call as the board shows it: number, counter, and nothing of the person. `called_at` to the millisecond."""

    number: str
    counter: int
    called_at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """A call, and when it was told here (of the boards' clock)."""

    at: float
    line: BoardLine


def merged(board: Iterable[BoardLine], read_at: float, heard: Iterable[Heard]) -> tuple[BoardLine, ...]:
    """The board as it was read, and on it the calls that were told since; newest first, each number once."""
    newer = [one.line for one in heard if one.at >= read_at]
    if not newer:
        return tuple(board)
    latest: dict[str, BoardLine] = {}
    for line in sorted([*board, *newer], key=lambda line: line.called_at):
        latest.pop(line.number, None)
        latest[line.number] = line
    return tuple(reversed(latest.values()))[:BOARD_LINES]


@dataclass(slots=True)
class _Line:
    """One queue: its condition wakes all who watch it."""

    condition: threading.Condition = field(default_factory=threading.Condition)
    version: int = 0
    changed_at: float = float("-inf")
    heard: deque[Heard] = field(default_factory=lambda: deque(maxlen=BOARD_LINES))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a watcher knew when it looked. Nothing older than `changed_at` may be shown for long, nothing older than
    `settled_at` at all, but for the calls `heard`.
    """

    version: int
    at: float
    changed_at: float
    beat_due: bool
    heard: tuple[Heard, ...] = ()

    @property
    def settled_at(self) -> float:
        """A change that came within SETTLE_SECONDS may wait for the next reading."""
        return self.changed_at - (SETTLE_SECONDS if self.at - self.changed_at < SETTLE_SECONDS else 0)

    def again_at(self, read_at: float) -> float:
        """When to look again at what was read at `read_at`, although nothing more happens."""
        return self.changed_at + SETTLE_SECONDS if read_at < self.changed_at else float("inf")


class Boards:
    """Wakes the watchers of a queue. Starts listening to the broker with the first of them."""

    def __init__(
        self,
        amqp_uri: str = "",
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._uri, self._clock, self._wall = amqp_uri, clock, wall
        self._lines: dict[str, _Line] = {}
        self._lock = threading.Lock()
        self._listening = False

    def watch(self, queue: str) -> Watch:
        self._listen()
        return Watch(self._line(queue), self._clock)

    def changed(self, subject: str) -> None:
        """Something happened to a ticket (`sites/*/queues/*/tickets/*`) or to a display: tells who watches its queue (the
        display), and who watches the whole site (`sites/*`).
        """
        name = subject.rpartition("/tickets/")[0] or subject
        for watched in (name, name.partition("/queues/")[0].partition("/displays/")[0]):
            line = self._lines.get(watched)
            if line is not None:
                self._bump(line)

    def called(self, ticket: str, line: BoardLine) -> None:
        """A ticket was called: shown at once, whatever was read before. Twice is once."""
        there = self._lines.get(ticket.rpartition("/tickets/")[0])
        if there is None:
            return
        with there.condition:
            known = any(heard.line == line for heard in there.heard)
            if not known:
                there.heard.append(Heard(self._clock(), line))
        if not known:
            self.changed(ticket)

    def told(self, kind: str, body: bytes | str) -> None:
        """An event as it came from the broker. Whatever cannot be read is left to the next reading of the store."""
        if kind != CALLED:
            return
        try:
            event = json.loads(body)
            at = datetime.fromisoformat(event["calledAt"])
            line = board_line(event["number"], int(event["counter"]), at)
            ticket, spoken = str(event["ticket"]), event.get("announcement")
            late = self._wall() - at >= HEARD_LATE
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        if spoken and not late:  # who is called on the phone or by video is on no board
            self.called(ticket, line)

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

        Tail(self._uri, event_types(events_pb2), self.changed, self.all_changed, self.told).start()


def board_line(number: str, counter: int, called_at: datetime) -> BoardLine:
    """To the millisecond, as the store keeps it: else one call would be two."""
    return BoardLine(number, counter, called_at.replace(microsecond=called_at.microsecond // 1000 * 1000))


class Watch:
    """One watcher of one queue. Used by one thread."""

    def __init__(self, line: _Line, clock: Callable[[], float]) -> None:
        self._line, self._clock = line, clock
        self._sent_at = float("-inf")

    def look(self) -> Seen:
        now = self._clock()
        with self._line.condition:
            line = self._line
            return Seen(line.version, now, line.changed_at, now - self._sent_at >= BEAT_SECONDS, tuple(line.heard))

    def sent(self) -> None:
        self._sent_at = self._clock()

    def wait(self, seen: Seen, seconds: float, again_at: float = float("inf")) -> bool:
        """True when it is time to look again; False after `seconds` in which nothing happened. At `again_at` it is time,
        whatever happened.
        """
        end = self._clock() + seconds
        with self._line.condition:
            while True:
                now = self._clock()
                if self._line.version != seen.version and now - seen.at >= GAP_SECONDS:
                    return True
                if now - seen.at >= LOOK_SECONDS or now - self._sent_at >= BEAT_SECONDS or now >= again_at:
                    return True
                if now >= end:
                    return False
                gap = GAP_SECONDS - (now - seen.at) if self._line.version != seen.version else end - now
                self._line.condition.wait(max(0.001, min(gap, end - now, again_at - now)))
