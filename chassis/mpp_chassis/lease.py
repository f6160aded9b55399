"""A lease in the store: at most one holder at a time, for as long as clocks agree.

Not guaranteed: with clocks apart by more than the time to live two holders may overlap, so what a lease protects must be
idempotent anyway. It saves work; it is no lock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from mpp_chassis import metrics


class Lease:
    """`name` held by `holder` for `seconds` from each successful `acquire`."""

    def __init__(
        self, collection: Any, name: str, holder: str, clock: Callable[[], datetime], seconds: float = 15
    ) -> None:
        self._collection, self._name, self._holder = collection, name, holder
        self._clock, self._ttl = clock, timedelta(seconds=seconds)

    def acquire(self) -> bool:
        """Take or renew; False when somebody else holds it. Raises pymongo's errors when the store is down."""
        now = self._clock()
        mine = {"holder": self._holder, "until": now + self._ttl}
        for condition in ({"holder": self._holder}, {"until": {"$lt": now}}):
            if self._collection.update_one({"_id": self._name, **condition}, {"$set": mine}).matched_count:
                return self._report(True)
        try:
            self._collection.insert_one({"_id": self._name, **mine})
        except DuplicateKeyError:
            return self._report(False)
        return self._report(True)

    def release(self) -> None:
        """Let the next one take it at once. Harmless when it is not held."""
        self._collection.delete_one({"_id": self._name, "holder": self._holder})
        self._report(False)

    def _report(self, held: bool) -> bool:
        metrics.LEASE_HELD.labels(self._name).set(held)
        return held
