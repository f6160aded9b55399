"""Subscriptions as documents: one each, changed by single writes that only go forward. Knows pymongo; knows no proto.

Not aggregates of the chassis: an acknowledgement is idempotent by itself, and a stored reply for each would make the
document grow with every event.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mpp_chassis.aggregates import Store
from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from mpp_subscriptions.feed.domain import Subscription

SUBSCRIPTIONS = "subscriptions"
INDEXES: dict[str, list[IndexModel]] = {
    SUBSCRIPTIONS: [IndexModel([("site_id", 1), ("agency", 1)], name="of_agency")],
}


class Subscriptions:
    """The durable positions."""

    def __init__(self, store: Store) -> None:
        self._collection = store.database[SUBSCRIPTIONS]

    def get(self, name: str) -> Subscription | None:
        document = self._collection.find_one({"_id": name})
        return _read(document) if document else None

    def count(self, site: str, agency: str, most: int) -> int:
        return int(self._collection.count_documents({"site_id": site, "agency": agency}, limit=most))

    def open(
        self, name: str, site: str, agency: str, holder: str, now: datetime, start: str, start_time: datetime
    ) -> Subscription:
        """`holder` is the newest stream from now on. Made when it is not there; then it begins at the given start."""
        first = {
            "site_id": site, "agency": agency, "acknowledged": -1, "cursor": "", "created_at": now,
            "start": start, "start_time": start_time,
        }  # fmt: skip
        with contextlib.suppress(DuplicateKeyError):  # two streams were the first at the same moment
            self._collection.update_one({"_id": name}, {"$setOnInsert": first}, upsert=True)
        document = self._collection.find_one_and_update(
            {"_id": name}, {"$set": {"holder": holder, "opened_at": now}}, return_document=ReturnDocument.AFTER
        )
        return _read(document)

    def acknowledge(self, name: str, offset: int, cursor: str, now: datetime) -> Subscription | None:
        """Forward only; the subscription as it stands then, None when there is none."""
        self._collection.update_one(
            {"_id": name, "acknowledged": {"$lt": offset}},
            {"$set": {"acknowledged": offset, "cursor": cursor, "acknowledged_at": now}},
        )
        return self.get(name)

    def loosen(self, name: str, cursor: str) -> None:
        """The place `cursor` is lost: whatever is acknowledged next counts. It stays as the start until then."""
        self._collection.update_one({"_id": name, "cursor": cursor}, {"$set": {"acknowledged": -1}})


def _read(document: Mapping[str, Any]) -> Subscription:
    return Subscription(
        name=document["_id"],
        acknowledged=document["acknowledged"],
        cursor=document["cursor"],
        created_at=document["created_at"],
        start=document["start"],
        start_time=document["start_time"],
        acknowledged_at=document.get("acknowledged_at"),
        opened_at=document.get("opened_at"),
        holder=document.get("holder", ""),
    )
