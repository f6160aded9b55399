"""Read models fed by events: one document a subject, only ever replaced by something newer. And what changed in them
lately, so that a process may keep what it read.

Knows the store; knows no event. Duplicates and disorder do no harm: `sequence` decides, in the same write.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from mpp_chassis import metrics
from mpp_chassis.aggregates import Store
from mpp_chassis.errors import Unavailable

TOUCHED = IndexModel([("touched", 1)], name="touched", sparse=True)  # of each collection that `Changes` watches
LOOK_SECONDS = 2.0
PATIENCE = 5.0  # seconds to wait for the one who looks
OVERLAP = timedelta(seconds=30)  # clocks may differ by so much, and a write may take so long


def _wall() -> datetime:
    return datetime.now(UTC)


class Projection:
    """A collection of `{_id: subject, sequence, **fields}`. `watched`: each document says when it was written, so that
    `Changes` can tell of it.
    """

    def __init__(
        self, store: Store, collection: str, *, watched: bool = False, wall: Callable[[], datetime] = _wall
    ) -> None:
        self.collection = store.database[collection]
        self._wall = wall if watched else None
        self._seconds = metrics.STORE_SECONDS.labels(collection, "project")

    def apply(self, subject: str, sequence: int, fields: Mapping[str, Any]) -> bool:
        """Replace all that is known of `subject` when `sequence` is newer; False and no change otherwise.

        One write; a second one when it was there already, since an older event may have been inserted meanwhile.
        """
        older, document = {"_id": subject, "sequence": {"$lt": sequence}}, {"sequence": sequence, **fields}
        if self._wall is not None:
            document["touched"] = self._wall()
        with self._seconds.time():
            try:
                result = self.collection.replace_one(older, document, upsert=True)
            except DuplicateKeyError:
                # It is there: with this sequence, a newer one, or, lost a race of two inserts, with an older one.
                result = self.collection.replace_one(older, document)
        return bool(result.matched_count or result.upserted_id is not None)

    def get(self, subject: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.collection.find_one({"_id": subject})
        return found


class Changes:
    """Which subjects of watched projections were written lately, at the cost of one small query each, at most every two
    seconds and only while somebody asks: cheaper than to read again what does not change.

    Guaranteed: a change is told within `every` seconds (and the time of the query), while the clocks of the machines
    differ by less than OVERLAP. Not guaranteed: that what is told was not read already. Keep nothing for ever: who writes
    with a version of the service that knows no `touched`, or with a clock that is far off, is not seen here. Safe for
    many threads.
    """

    def __init__(
        self,
        *projections: Projection,
        key: Callable[[str], str] = str,
        every: float = LOOK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = _wall,
    ) -> None:
        self._collections = [p.collection for p in projections]
        self._key, self._every, self._clock, self._wall = key, every, clock, wall
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._known_until = wall()  # what was written before is known; nothing was kept before this was made
        self._touched: dict[tuple[int, str], datetime] = {}
        self._changed: dict[str, float] = {}

    def since(self, key: str, read_at: float) -> bool:
        """Whether a subject of this key was written after `read_at` (of this class's clock), as far as is known. Raises the
        store's errors when it must look and cannot, Unavailable when another's look takes too long.
        """
        late = self._clock() - self._looked
        if late >= self._every:
            hurry = late >= 2 * self._every
            # One looks; the others wait for it only when it takes long.
            if self._lock.acquire(timeout=PATIENCE if hurry else 0):
                try:
                    if self._clock() - self._looked >= self._every:
                        self._look()
                finally:
                    self._lock.release()
            elif hurry:
                raise Unavailable("what changed could not be read", reason="STORE_UNAVAILABLE")
        return self._changed.get(key, float("-inf")) >= read_at

    def _look(self) -> None:
        began, until = self._clock(), self._wall()
        lately = {"touched": {"$gte": self._known_until - OVERLAP}}  # nobody may have asked for long
        touched = {
            (n, document["_id"]): document["touched"]
            for n, collection in enumerate(self._collections)
            for document in collection.find(lately, {"touched": 1})
        }
        ended = self._clock()  # whoever read while this looked may have read what was before
        for at, when in touched.items():
            if self._touched.get(at) != when:
                self._changed[self._key(at[1])] = ended
        self._touched, self._looked, self._known_until = touched, began, until
