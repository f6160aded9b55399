"""Read models fed by events: one document a subject, only ever replaced by something newer.

Knows the store; knows no event. Duplicates and disorder do no harm: `sequence` decides, in the same write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import DuplicateKeyError

from mpp_chassis import metrics
from mpp_chassis.aggregates import Store


class Projection:
    """A collection of `{_id: subject, sequence, **fields}`."""

    def __init__(self, store: Store, collection: str) -> None:
        self.collection = store.database[collection]
        self._seconds = metrics.STORE_SECONDS.labels(collection, "project")

    def apply(self, subject: str, sequence: int, fields: Mapping[str, Any]) -> bool:
        """Replace all that is known of `subject` when `sequence` is newer; False and no change otherwise.

        One write; a second one when it was there already, since an older event may have been inserted meanwhile.
        """
        older, document = {"_id": subject, "sequence": {"$lt": sequence}}, {"sequence": sequence, **fields}
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
