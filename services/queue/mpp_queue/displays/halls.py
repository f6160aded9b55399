"""What screens read, once a change and process, however many screens there are. Knows queues, boards and what was read last;
writes nothing and decides nothing.

Each queue that a screen shows has one reading in this process. It is read again when the board says that something
happened since, at most ten times a second, and after `STALE_SECONDS` at the latest: when the broker is away nobody says
anything. A queue that no screen shows is not read; one that is named and not there is looked for every `PLACES_SECONDS`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from mpp_chassis.errors import FailedPrecondition, NotFound, Unavailable

from mpp_queue import metrics
from mpp_queue.boards import Boards, Watch
from mpp_queue.counters.store import Layout
from mpp_queue.displays import messages
from mpp_queue.displays.domain import Display, shown_queues
from mpp_queue.displays.doors import GIVEN_UP, NOT_KNOWN, Doors, doors_of, hours_today
from mpp_queue.displays.picture import QueueNow
from mpp_queue.displays.store import Calls, Displays, Kept
from mpp_queue.domain import QueueSpec
from mpp_queue.views import Queues, QueueViews

STALE_SECONDS = 15.0
SETTLE_SECONDS = 0.1  # a queue is not read more often: when much happens at once, the last of it is shown so much later
PLACES_SECONDS = 2.0  # a queue that the catalogue tells of newly is on the screens so much later
PATIENCE = 2.0  # seconds to wait for the one who reads
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """A display, and in its own form for the screen."""

    display: Display
    kept: Kept


@dataclass(slots=True)
class _Reading(Generic[T]):
    """The last reading of one resource. `watch` is only looked at under `lock`."""

    watch: Watch
    settle: float = 0.0  # seconds between two readings, whatever happens
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: T | None = None
    read_at: float = float("-inf")
    about: object = None  # what else it depends on: another one is read anew

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises Unavailable when another thread reads for too long."""
        if not self.lock.acquire(timeout=PATIENCE):
            raise Unavailable("the state of the hall could not be read", reason="STORE_UNAVAILABLE")
        try:
            yield
        finally:
            self.lock.release()

    def get(self, about: object, read: Callable[[float], T]) -> tuple[T, bool]:
        """The value, and whether it is settled: else something happened since, and it is read again in a moment.
        `read(since)`: at `since` of the boards' clock, or later. An equal value is told as the same object.
        """
        with self.held():
            seen = self.watch.look()
            age, changed = seen.at - self.read_at, self.read_at <= seen.changed_at
            settled = not changed
            if self.value is None or about != self.about or age >= (self.settle if changed else STALE_SECONDS):
                value = read(seen.changed_at)
                if value != self.value:
                    self.value = value
                self.read_at, self.about, settled = seen.at, about, True
            assert self.value is not None
            return self.value, settled


class Halls:
    """The readings of this process. Safe for many threads."""

    def __init__(
        self, boards: Boards, queues: Queues, views: QueueViews, calls: Calls, layout: Layout, displays: Displays
    ) -> None:
        self.boards = boards
        self._queues, self._views, self._calls, self._layout = queues, views, calls, layout
        self._displays = displays
        self._of_queue: dict[str, _Reading[QueueNow]] = {}
        self._of_display: dict[str, _Reading[Shown]] = {}
        self._of_site: dict[str, tuple[float, list[tuple[str, str]]]] = {}
        self._missing: dict[
            str, tuple[float, QueueNow]
        ] = {}  # queues that a display names and nobody has, or has any more
        self._lock = threading.Lock()

    def shown(self, name: str) -> Shown:
        """Raises NotFound when there is no such display (any more)."""
        reading = self._of_display.get(name)
        if reading is None:
            self._read_display(name)  # a name that is none must not be remembered
            with self._lock:
                reading = self._of_display.setdefault(name, _Reading(self.boards.watch(name)))
        return reading.get(None, lambda _: self._read_display(name))[0]

    def queues(self, display: Display, now: datetime, at: float) -> tuple[tuple[QueueNow, ...], bool]:
        """Its queues in its order, and whether all are settled; `at` on the boards' clock. Raises the store's errors."""
        found = [self._queue(name, now, at) for name in shown_queues(display, self._places(display.site, at))]
        return tuple(queue for queue, _ in found), all(settled for _, settled in found)

    def _read_display(self, name: str) -> Shown:
        kept = self._displays.load(name)
        if kept is None:
            raise NotFound(f"there is no {name}", reason="DISPLAY_UNKNOWN")
        return Shown(messages.display_of(kept.told), kept)

    def _queue(self, name: str, now: datetime, at: float) -> tuple[QueueNow, bool]:
        missed = self._missing.get(name)
        if missed is not None and at - missed[0] < PLACES_SECONDS:
            return missed[1], True
        try:
            spec = self._queues.find(name)
        except (NotFound, FailedPrecondition) as e:
            unknown = isinstance(e, NotFound)
            doors = Doors("QUEUE_UNKNOWN", NOT_KNOWN) if unknown else Doors("QUEUE_CLOSED", GIVEN_UP)
            self._missing[name] = (at, QueueNow(name, doors=doors))
            return self._missing[name][1], True
        self._missing.pop(name, None)
        reading = self._of_queue.get(name)
        if reading is None:
            with self._lock:
                reading = self._of_queue.setdefault(name, _Reading(self.boards.watch(name), SETTLE_SECONDS))
        minute = now.astimezone(ZoneInfo(spec.zone)).replace(second=0, microsecond=0)
        return reading.get((spec, minute), lambda since: self._read(spec, minute, since))

    def _read(self, spec: QueueSpec, minute: datetime, since: float) -> QueueNow:
        """Doors open and close on the minute."""
        day = minute.date().isoformat()
        calls = self._calls.of(spec.name, day)
        snapshot = self._views.of(spec, day, since=since)
        wait = snapshot.range_of(snapshot.waiting)
        metrics.DISPLAY_READS.labels(spec.site_id).inc()
        return QueueNow(
            queue=spec.name,
            agency=spec.agency,
            prefix=spec.prefix,
            waiting=snapshot.waiting,
            wait_low=wait.low,
            wait_high=wait.high,
            calls=calls,
            doors=doors_of(spec, minute),
            hours=hours_today(spec, minute),
        )

    def _places(self, site: str, at: float) -> list[tuple[str, str]]:
        known = self._of_site.get(site)
        if known is None or at - known[0] >= PLACES_SECONDS:
            found = [(place.queue, place.agency) for place in self._layout.places(site.split("/")[1])]
            known = self._of_site[site] = (at, found)
        return known[1]
