"""Sites' services held in a `serve` process for the search, and kept as the store has them.

Knows the store's reads of what changed, clocks and a thread; never knows words or ranking (finder.py does). Only what the
store says counts: it is asked twice a second what changed since (one read of an index for all sites together), so this is
right after a kill, with several processes, and while the broker is away. See docs/adr/0041.

Guaranteed: `of` gives nothing older than FRESH_SECONDS, nor older than what this process itself wrote; else it gives
None, and the caller asks the store. At most MOST services are taken in (README.md says how many MB that is); sites that
nobody searches go.
Not guaranteed: that two processes show a change at the same moment. A change by a machine whose clock is more than
OVERLAP behind is seen at the next audit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from mpp_chassis import logs
from mpp_chassis.aggregates import Stored

from mpp_catalog import metrics
from mpp_catalog.finder import Entry, Finder, entry
from mpp_catalog.store import Mark, Searched

MOST = 20_000  # services of all sites together
FRESH_SECONDS = 2.0  # how old an answer may be
LOOK_SECONDS = 0.5  # between two looks at what changed
AUDIT_SECONDS = 600.0  # between two comparisons of all versions of a site: for what was written without a mark
IDLE_SECONDS = 900.0  # a site that nobody searches for so long is let go
OVERLAP = timedelta(seconds=15)  # a write may come so much later than its mark says
CHUNK = 100  # services a read; calls come between two
PAUSE_SECONDS = 0.005
LATELY_SECONDS = 60.0  # a site searched within so long makes no room for another
NEVER = float("-inf")

log = logs.get(part="memory")


class Source(Protocol):
    """The reads that this needs: `store.Catalogue`."""

    def changed(self, since: datetime) -> Iterable[tuple[str, Mark]]: ...
    def marks(self, site_id: str, limit: int) -> Sequence[Mark]: ...
    def searched(self, names: Sequence[str]) -> Iterable[Searched]: ...


@dataclass(slots=True)
class _Site:
    searched: float
    known: dict[str, tuple[Mark, Entry | None]] = field(default_factory=dict)  # None: retired
    finder: Finder | None = None
    as_of: float = NEVER  # nothing that was written before this moment is missing
    written: int = 0  # how often this process wrote a service of it
    audited: float = NEVER


class Memory:
    """All that a process holds. Its thread begins with the first wish and lives as long as the process."""

    def __init__(
        self,
        source: Source,
        show: Callable[[Stored], bytes],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`show`: what a caller gets for a service. `clock`: the one that writers use."""
        self._source, self._show, self._clock, self._now = source, show, clock, monotonic
        self._sites: dict[str, _Site] = {}
        self._lock = threading.Lock()
        self._looked: datetime | None = None  # changes until then are known
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def of(self, site_id: str) -> Finder | None:
        """The site's services, if they are here and fresh."""
        now = self._now()
        with self._lock:
            site = self._sites.get(site_id)
            if site is None:
                return None
            site.searched = now
            return site.finder if now - site.as_of <= FRESH_SECONDS else None

    def want(self, site_id: str) -> None:
        """Hold this site soon. For sites that exist: each costs reads."""
        with self._lock:
            self._sites.setdefault(site_id, _Site(self._now()))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="search-memory", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Look no more: what is held is soon not fresh. A process that ends need not call it."""
        self._stopping.set()

    def changed(self, site_id: str) -> None:
        """This process wrote a service of the site: what is held is not fresh until the store was looked at again."""
        with self._lock:
            if site := self._sites.get(site_id):
                site.written += 1
                site.as_of = NEVER

    def look(self) -> None:
        """Bring what is held up to date, take in what is wanted, let go of what is not. For one thread at a time.

        Raises what the store raises: then all is as it was, and is tried again.
        """
        now, moment = self._now(), self._clock()
        sites = self._kept(now)
        written = {site_id: site.written for site_id, site in sites.items()}
        stale = self._follow(sites, moment) if sites else {}
        for site_id, site in sites.items():
            if now - site.audited > AUDIT_SECONDS:
                self._audit(site_id, site, sites)
                site.audited = now
            elif site.finder is not None and stale[site_id]:
                self._take(site, sorted(stale[site_id]))
        self._looked = moment if sites else None
        with self._lock:
            for site_id, site in sites.items():
                if site.written == written[site_id]:
                    site.as_of = now

    def _follow(self, sites: Mapping[str, _Site], moment: datetime) -> dict[str, set[str]]:
        """Names of what changed in each site since the last look."""
        stale: dict[str, set[str]] = {site_id: set() for site_id in sites}
        for site_id, mark in self._source.changed((self._looked or moment) - OVERLAP):
            if site_id in sites and _mark(sites[site_id], mark.name) != mark:
                stale[site_id].add(mark.name)
        return stale

    def _audit(self, site_id: str, site: _Site, sites: Mapping[str, _Site]) -> None:
        """Compare all of the site with the store. It is held if there is room, perhaps that of one not searched lately."""
        marks = self._source.marks(site_id, MOST + 1)
        others = sorted((s for s in sites.values() if s is not site), key=lambda s: s.searched)
        while len(marks) + sum(len(s.known) for s in others) > MOST:
            if not others or self._now() - others[0].searched < LATELY_SECONDS:
                site.known, site.finder = {}, None
                return
            gone = others.pop(0)
            gone.known, gone.finder = {}, None
        there = {mark.name for mark in marks}
        self._take(site, [m.name for m in marks if _mark(site, m.name) != m] + sorted(site.known.keys() - there))

    def _take(self, site: _Site, names: Sequence[str]) -> None:
        """All or nothing, so that what could not be read is missed at the next look."""
        known = dict(site.known)
        for start in range(0, len(names), CHUNK):
            chunk = names[start : start + CHUNK]
            for name in chunk:
                known.pop(name, None)
            for found in self._source.searched(chunk):
                known[found.mark.name] = (found.mark, self._entry(found))
            if len(names) > CHUNK:
                time.sleep(PAUSE_SECONDS)
        if site.finder is None or names:
            site.finder = Finder(entry for _, entry in known.values() if entry)
        site.known = known

    def _entry(self, found: Searched) -> Entry | None:
        return entry(found.mark.name, found.line, found.tokens, self._show(found.stored)) if found.stored else None

    def _kept(self, now: float) -> dict[str, _Site]:
        """All but those that nobody searches any more."""
        with self._lock:
            self._sites = {s: site for s, site in self._sites.items() if now - site.searched <= IDLE_SECONDS}
            metrics.HELD.set(sum(len(site.known) for site in self._sites.values()))
            return dict(self._sites)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:  # the store is away: a search says so itself
                log.warning("look_failed", error=type(error).__name__)


def _mark(site: _Site, name: str) -> Mark | None:
    return site.known[name][0] if name in site.known else None
