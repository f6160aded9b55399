"""The outbox inside the document: events wait in the aggregate that made them until the broker has them.

A document carries `outbox: {last: <id of its newest waiting event>, events: [...]}`; a sparse index on `outbox.last`
holds only documents with something waiting, in order of age. After a commit the dispatcher of the same process publishes
at once, many commits in one pipelined batch, and clears them a moment later with one write. What a process left behind
when it died is taken by the sweeper: one a service, by lease.

Guarantees: an event that was committed is published at least once, however often processes, broker or store are killed.
Does *not* guarantee once, nor order between events of one aggregate that two processes change at the same moment, or
whose process died: consumers look at `sequence`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pymongo
from pymongo import IndexModel
from pymongo.errors import PyMongoError

from mpp_chassis import logs, metrics
from mpp_chassis.broker import Outgoing, Publisher
from mpp_chassis.events import WireMessage, id_before
from mpp_chassis.lease import Lease

INDEX = IndexModel([("outbox.last", 1)], name="outbox_pending", sparse=True)
BATCH = 400  # messages in one pipelined publish
WAITING_LIMIT = 20_000  # commits kept in memory; what is beyond is left to the sweeper
LINGER = 0.05  # seconds: publishing is at once, clearing gathers what comes in this time into one write
SWEEP_GRACE = timedelta(seconds=3)  # younger events are still in somebody's dispatcher
SWEEP_LIMIT = BATCH  # documents a page
FULL_PASS = 10.0  # seconds until what could not be delivered is tried again

T = TypeVar("T")
log = logs.get(part="outbox")


@dataclass(frozen=True, slots=True)
class Committed:
    """Events that wait in document `id` of `collection`; `last` is the newest one's id."""

    collection: str
    id: str
    last: str
    messages: tuple[WireMessage, ...]


def waiting(messages: Sequence[WireMessage]) -> dict[str, Any]:
    """The `outbox` field of a document."""
    return {"last": messages[-1].id, "events": [m.to_document() for m in messages]}


def pending(document: dict[str, Any]) -> list[WireMessage]:
    """Events that wait in a document."""
    return [WireMessage.from_document(e) for e in document.get("outbox", {}).get("events", ())]


class Dispatcher:
    """Publishes committed events and clears them. Runs as one thread (a green one under eventlet)."""

    def __init__(self, database: Any, exchange: str, publisher: Publisher) -> None:
        self._db, self._exchange, self._publisher = database, exchange, publisher
        self._queue: deque[Committed] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._idle = threading.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None
        self._published: OrderedDict[str, None] = OrderedDict()  # ids confirmed lately: not sent again
        self._lock = threading.Lock()  # the publisher serves one batch at a time

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Publish what is waiting, at most for `seconds`; the rest is the sweeper's."""
        self._idle.wait(seconds)
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread:
            self._thread.join(1)
        self._publisher.close()

    def committed(self, item: Committed) -> None:
        """Called right after a commit; never blocks and never fails."""
        with self._wake:
            if len(self._queue) < WAITING_LIMIT and not self._stopping:
                self._queue.append(item)
                self._idle.clear()
                self._wake.notify()

    def drained(self, seconds: float) -> bool:
        """Wait until nothing committed here waits in memory; False when time ran out."""
        return self._idle.wait(seconds)

    def deliver(self, items: Sequence[Committed]) -> int:
        """Publish and clear `items` now. Returns how many documents were cleared of them.

        Raises BrokerDown or PyMongoError; the events then still wait in their documents.
        """
        return self.clear(self.publish(items))

    def publish(self, items: Sequence[Committed]) -> list[Committed]:
        """Those of `items` whose events are all with the broker now. Raises BrokerDown."""
        with self._lock:
            fresh: dict[str, Outgoing] = {}
            for wire in (m for item in items for m in item.messages):
                if wire.id not in self._published:
                    fresh[wire.id] = Outgoing.of(self._exchange, wire)
            there = {m.id for item in items for m in item.messages} - fresh.keys()
            for batch in _chunks(list(fresh.values()), BATCH):
                receipt = self._publisher.publish(batch)
                self._remember(receipt.accepted)
                there |= receipt.accepted
                for message in batch:
                    _count(message, receipt.accepted, receipt.returned)
        return [i for i in items if all(m.id in there for m in i.messages)]

    def published(self, event_id: str) -> bool:
        """Whether the broker confirmed this event lately; False when it did not, or nobody remembers."""
        return event_id in self._published

    def _remember(self, ids: Iterable[str]) -> None:
        for event_id in ids:
            self._published[event_id] = None
        while len(self._published) > 4 * BATCH:
            self._published.popitem(last=False)

    def clear(self, items: Sequence[Committed]) -> int:
        """One write a collection. A document that got newer events meanwhile has another `last` and is left alone."""
        cleared = 0
        for collection in {i.collection for i in items}:
            mine = [i for i in items if i.collection == collection]
            result = self._db[collection].update_many(
                {"_id": {"$in": [i.id for i in mine]}, "outbox.last": {"$in": [i.last for i in mine]}},
                {"$unset": {"outbox": ""}},
            )
            cleared += result.modified_count
        return cleared

    def _run(self) -> None:
        pause, clear_at = 0.0, 0.0
        published: list[Committed] = []  # with the broker, not yet cleared
        while not (self._stopping and not self._queue and not published):
            items = self._next(clear_at if published else None)
            try:
                if items:
                    clear_at = clear_at if published else time.monotonic() + LINGER
                    published += self.publish(items)
                if published and (self._stopping or len(published) >= BATCH or time.monotonic() >= clear_at):
                    due, published = published, []
                    self.clear(due)
                pause = 0.0
            except Exception as e:  # whatever it is, this thread must go on
                # Their events wait in the documents; the sweeper will come for them.
                pause = min(2.0, pause * 2 or 0.1)
                metrics.DISPATCH_FAILURES.inc()
                log.warning("dispatch_failed", error=f"{type(e).__name__}: {e}"[:300], documents=len(items))
                with self._wake:
                    self._wake.wait_for(lambda: self._stopping, pause)
                    if self._stopping:
                        return

    def _next(self, clear_at: float | None) -> list[Committed]:
        """What to publish now; waits for it, at most until `clear_at` when something is to be cleared then."""
        with self._wake:
            if not self._queue:
                if clear_at is None:
                    self._idle.set()
                    self._wake.wait(1.0)
                elif not self._stopping:
                    self._wake.wait(max(0.0, clear_at - time.monotonic()))
            return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]


class Sweeper:
    """Takes over events whose process died, or that the broker refused. Cost follows what is pending, never history."""

    def __init__(
        self,
        database: Any,
        collections: Sequence[str],
        dispatcher: Dispatcher,
        lease: Lease,
        clock: Callable[[], datetime],
        interval: float = 1.0,
    ) -> None:
        self._db, self._collections, self._dispatcher = database, collections, dispatcher
        self._lease, self._clock, self._interval = lease, clock, interval
        self._passed: dict[str, str] = {}  # per collection: up to where this pass has come (an `outbox.last`)
        self._full_pass = 0.0  # when the next pass starts from the beginning
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(1)
        with contextlib.suppress(PyMongoError), pymongo.timeout(1):  # a store that hangs must not hold up the exit
            self._lease.release()

    def sweep(self) -> int:
        """Publish what has waited longer than the grace, in pages; returns the number of documents delivered.

        What the broker refuses or cannot route stays, is stepped over, and comes again with the next full pass: it never
        holds up what waits behind it.
        """
        now = time.monotonic()
        if now >= self._full_pass:
            self._passed.clear()
            self._full_pass = now + FULL_PASS
        before = id_before(self._clock() - SWEEP_GRACE)
        return sum(self._sweep(collection, before) for collection in self._collections)

    def _sweep(self, collection: str, before: str) -> int:
        taken = 0
        while not self._stop.is_set():
            query = {"outbox.last": {"$gt": self._passed.get(collection, ""), "$lt": before}}
            documents = list(self._db[collection].find(query, {"outbox": 1}).sort("outbox.last", 1).limit(SWEEP_LIMIT))
            items = [item for d in documents if (item := _committed(collection, d)) is not None]
            delivered = self._dispatcher.publish(items)
            self._dispatcher.clear(delivered)
            taken += len(delivered)
            metrics.OUTBOX_SWEPT.inc(len(delivered))
            if documents:
                self._passed[collection] = documents[-1]["outbox"]["last"]
            if len(documents) < SWEEP_LIMIT or not self._lease.acquire():
                break
        return taken

    def measure(self) -> None:
        """Set the gauges of pending events."""
        count, oldest = 0, None
        for collection in self._collections:
            waiting = self._db[collection].find({"outbox.last": {"$gt": ""}}, {"outbox.last": 1})
            found = [d["outbox"]["last"] for d in waiting.sort("outbox.last", 1).limit(1000)]
            count += len(found)
            oldest = min([*found, *([oldest] if oldest else [])], default=None)
        age = 0.0
        if oldest:
            with contextlib.suppress(ValueError):  # not an id of ours: no age to tell
                age = self._clock().timestamp() - int(oldest[:12], 16) / 1000
        metrics.OUTBOX_PENDING.set(count)
        metrics.OUTBOX_OLDEST_SECONDS.set(max(age, 0.0))

    def _run(self) -> None:
        measured = 0.0
        while not self._stop.wait(self._interval):
            try:
                if not self._lease.acquire():
                    continue
                self.sweep()
                if time.monotonic() - measured > 5:
                    self.measure()
                    measured = time.monotonic()
            except Exception as e:  # whatever it is, this thread must go on
                log.warning("sweep_failed", error=f"{type(e).__name__}: {e}"[:300])
                self._stop.wait(min(5.0, self._interval * 2))


def _committed(collection: str, document: dict[str, Any]) -> Committed | None:
    try:
        return Committed(collection, document["_id"], document["outbox"]["last"], tuple(pending(document)))
    except (KeyError, TypeError, ValueError):
        log.error("outbox_unreadable", collection=collection, id=document["_id"])
        return None


def _chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    for i in range(0, len(items), size):
        yield items[i : i + size]


def _count(message: Outgoing, accepted: frozenset[str], returned: frozenset[str]) -> None:
    if message.id in accepted:
        metrics.EVENTS_PUBLISHED.labels(message.key).inc()
    elif message.id in returned:
        metrics.EVENTS_RETURNED.labels(message.key).inc()
        log.error("event_unroutable", id=message.id, exchange=message.exchange, key=message.key)
    else:
        metrics.EVENTS_REFUSED.labels(message.key).inc()
        log.error("event_refused", id=message.id, exchange=message.exchange, key=message.key)
