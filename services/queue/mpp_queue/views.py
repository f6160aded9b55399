"""Read models: the queues that the catalogue tells of, and how full a queue is right now.

Knows the projections' fields and how old an answer may be. Never decides anything about a ticket, never
writes one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.errors import FailedPrecondition, NotFound, Unavailable
from mpp_chassis.projection import Changes, Projection

from mpp_queue import domain
from mpp_queue.boards import BOARD_LINES, BoardLine
from mpp_queue.domain import QueueSpec, Rules
from mpp_queue.domain.estimate import Forecast, Wait
from mpp_queue.queuespec import fields_of_queue, fields_of_site, spec_of
from mpp_queue.reports import outlook as outlooks
from mpp_queue.reports.outlook import Outlook
from mpp_queue.store import Standing, Tickets, Visit

KEPT_SECONDS = (
    60.0  # a change in the catalogue is seen after two seconds; after so much whatever its writer's clock says
)
SNAPSHOT_SECONDS = 0.25  # what an answer's "people ahead" may be old
READ_SHARE = 20  # at most one part in so many of the time is spent on reading a queue
READ_PATIENCE = 2.0  # seconds to wait for the one who reads
LAST_CALLS = 30  # they tell the board, the counters at work and the length of a visit


class Queues:
    """The queues of all sites, fed by the catalogue's events; `find` answers from memory what it asked for, until
    something changes at the queue's site.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._agencies = Projection(store, "agencies", watched=True)
        self._sites = Projection(store, "sites", watched=True)
        self._changes = Changes(self._agencies, self._sites, key=site_of, clock=clock)
        self._clock = clock
        self._known: dict[str, tuple[float, QueueSpec]] = {}

    def learn_agency(self, agency: agency_pb2.Agency, sequence: int) -> None:
        """Idempotent; an older event changes nothing. Remembers the queues that the agency once had."""
        queue = f"{site_of(agency.name)}/queues/{agency.queue.id}" if agency.HasField("queue") else ""
        before = self._agencies.get(agency.name) or {}
        former = {*before.get("former", ()), before.get("queue", "")} - {"", queue}
        fields = {
            "site": site_of(agency.name),
            "queue": queue,
            "former": sorted(former),
            **fields_of_queue(agency.queue),
            "display_name": [agency.display_name.id, agency.display_name.en],
        }
        self._agencies.apply(agency.name, sequence, fields)

    def forget_agency(self, agency: str, sequence: int) -> None:
        """A retired agency's queue is closed like that of an agency without one; the sweep still ends what is left of it.
        Idempotent; an older event changes nothing.
        """
        self.learn_agency(agency_pb2.Agency(name=agency), sequence)

    def learn_site(self, site: site_pb2.Site, sequence: int) -> None:
        """Idempotent; an older event changes nothing."""
        self._sites.apply(site.name, sequence, fields_of_site(site))

    def find(self, name: str, *, fresh: bool = False) -> QueueSpec:
        """Raises NotFound QUEUE_UNKNOWN, FailedPrecondition QUEUE_CLOSED. Only what is found is kept in
        memory.
        """
        now, (read_at, known) = self._clock(), self._known.get(name, (float("-inf"), None))
        kept = known if not fresh and now - read_at < KEPT_SECONDS else None
        if kept is not None and not self._changes.since(site_of(name), read_at):
            return kept
        try:
            spec = self._read(name)
        except (NotFound, FailedPrecondition):
            self._known.pop(name, None)
            raise
        self._known[name] = (now, spec)
        return spec

    def names(self) -> Iterator[tuple[str, str]]:
        """Every queue that is or was, with its site's zone."""
        zones = {d["_id"]: d["time_zone"] for d in self._sites.collection.find({})}
        for document in self._agencies.collection.find({}, {"site": 1, "queue": 1, "former": 1}):
            for queue in filter(None, [document["queue"], *document["former"]]):
                if document["site"] in zones:
                    yield queue, zones[document["site"]]

    def _read(self, name: str) -> QueueSpec:
        site = self._sites.get(site_of(name))
        found = self._agencies.collection.find_one({"queue": name})
        if found is None and self._agencies.collection.find_one({"former": name}, {"_id": 1}):
            raise FailedPrecondition(f"{name} was closed by its agency", reason="QUEUE_CLOSED")
        if found is None or site is None:
            raise NotFound(f"there is no {name}", reason="QUEUE_UNKNOWN")
        return spec_of(name, found, site)


def site_of(name: str) -> str:
    """`sites/malang` of any resource below it."""
    return "/".join(name.split("/", 2)[:2])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A queue at one moment. `last_seq` was read before the counts: see `domain.people_ahead`.

    `by_class`: how many wait, in the order of the policy's classes, the others last. `visit` and `counters` are the
    plain median and count of what was seen; `forecast` is what learns.
    """

    by_class: tuple[int, ...]
    last_seq: int
    visit: timedelta
    counters: int
    board: tuple[BoardLine, ...]
    forecast: Forecast
    read_at: float = field(default=float("-inf"), compare=False)  # of the views' clock, before anything was read

    @property
    def waiting(self) -> int:
        return sum(self.by_class)

    def ahead_of(self, seq: int, index: int) -> int:
        """People before ticket number `seq` of class `index`; who came since the snapshot is told by the numbers
        themselves. A first guess where classes take turns: all of the classes up to its own.
        """
        if index < len(self.by_class) - 1:
            return sum(self.by_class[: index + 1])
        return domain.people_ahead(self.waiting, self.last_seq, seq)

    def range_of(self, ahead: int, *, first_class: bool = False) -> Wait:
        """Whole minutes; `first_class`: nobody who comes later is called before."""
        return self.forecast.wait(ahead, first_class=first_class)

    def wait_of(self, ahead: int) -> timedelta:
        return self.range_of(ahead).expected


@dataclass(slots=True)
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot | None = None
    read_at: float = 0.0
    keep: float = SNAPSHOT_SECONDS
    refreshing: bool = False
    long_day: bool = False


class QueueViews:
    """One snapshot a queue and day in this process, so that taking a ticket reads nothing under load.

    Guaranteed: an answer is at most a quarter of a second old - or `READ_SHARE` times what reading it takes,
    when so many wait that this is longer. One reads at a time. Under steady load a background thread reads
    ahead of time and no caller waits for it; after a quiet time the first caller reads.
    """

    def __init__(
        self,
        tickets: Tickets,
        clock: Callable[[], float] = time.monotonic,
        rules: Rules | None = None,
        outlook: Outlook | None = None,
    ) -> None:
        self._tickets, self._clock, self._rules = tickets, clock, rules or Rules()
        self._outlook = outlook
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._lock = threading.Lock()
        self._background: ThreadPoolExecutor | None = None

    def of(self, spec: QueueSpec, day: str, *, since: float = float("-inf")) -> Snapshot:
        """The queue's snapshot, read at `since` (of this class's clock) or later. Raises the store's errors when it must
        read and cannot.
        """
        entry = self._entry(spec.name, day)
        age = self._clock() - entry.read_at
        if entry.snapshot is not None and age < entry.keep and entry.read_at >= since:
            if age > entry.keep / 2 and not entry.refreshing:
                self._read_ahead(entry, spec, day)
            return entry.snapshot
        if not entry.lock.acquire(timeout=READ_PATIENCE):
            raise Unavailable(f"the state of {spec.name} could not be read", reason="STORE_UNAVAILABLE")
        try:
            if entry.snapshot is None or self._clock() - entry.read_at >= entry.keep or entry.read_at < since:
                self._read(entry, spec, day)
            assert entry.snapshot is not None
            return entry.snapshot
        finally:
            entry.lock.release()

    def _read(self, entry: _Entry, spec: QueueSpec, day: str) -> None:
        started = self._clock()
        entry.snapshot = replace(self._snapshot(entry, spec, day), read_at=started)
        entry.read_at = started
        entry.keep = max(SNAPSHOT_SECONDS, READ_SHARE * (self._clock() - started))

    def _snapshot(self, entry: _Entry, spec: QueueSpec, day: str) -> Snapshot:
        policy = self._rules.policy_of(spec)
        last_seq, standing, lately = self._so_far(entry, spec.site_id, spec.name, day)
        by_class = [0] * len(policy.ids)
        for some in standing:
            by_class[policy.index_named(some.priority_class)] += some.count
        called = [v for v in lately if v.state in domain.LATELY_CALLED]
        in_hall = [v for v in called if v.channel not in domain.REMOTE_CHANNELS]
        visits = [v.length for v in called if v.length is not None]
        return Snapshot(
            by_class=tuple(by_class),
            last_seq=last_seq,
            visit=domain.visit_length(visits, spec.minutes_per_visit),
            counters=max(len({v.counter for v in called}), 1),
            board=tuple(BoardLine(v.number, v.counter, v.called_at) for v in in_hall[:BOARD_LINES]),
            forecast=(
                self._outlook.forecast(spec, day, standing, lately)
                if self._outlook
                else outlooks.without(spec, standing, lately)
            ),
        )

    def _so_far(self, entry: _Entry, site_id: str, queue: str, day: str) -> tuple[int, list[Standing], list[Visit]]:
        """The greatest number, who waits, and the last calls. Of a short day in one query, of others in three."""
        where = (site_id, queue, day)
        if not entry.long_day:
            short = self._tickets.short_day(*where, limit=LAST_CALLS)
            if short is not None:
                return short
            entry.long_day = True
        last_seq = self._tickets.last_seq(*where)  # before the counts: see `domain.people_ahead`
        return last_seq, self._tickets.count_waiting(*where), self._tickets.lately_called(*where, limit=LAST_CALLS)

    def _read_ahead(self, entry: _Entry, spec: QueueSpec, day: str) -> None:
        with self._lock:
            if entry.refreshing:
                return
            entry.refreshing = True
            if self._background is None:
                self._background = ThreadPoolExecutor(1, thread_name_prefix="queue-view")
            background = self._background

        def refresh() -> None:
            try:
                with storage.deadline(READ_PATIENCE), entry.lock:
                    self._read(entry, spec, day)
            finally:
                entry.refreshing = False

        background.submit(refresh)

    def _entry(self, queue: str, day: str) -> _Entry:
        entry = self._entries.get((queue, day))
        if entry is not None:
            return entry
        with self._lock:
            for key in [k for k in self._entries if k[0] == queue and k[1] < day]:
                del self._entries[key]
            return self._entries.setdefault((queue, day), _Entry())
