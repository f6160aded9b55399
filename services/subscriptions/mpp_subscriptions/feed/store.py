"""Subscriptions as documents: one each, changed by single writes that only go forward. Knows pymongo; knows no proto.

An acknowledgement is no command of the chassis: it is idempotent by itself, and a stored reply for each would make the
document grow with every event. The end of a subscription is one: a tombstone with its reply and its event takes its place,
until a Subscribe of the same name begins anew or the sweep takes it away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored
from mpp_chassis.call import Command
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event
from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from mpp_subscriptions.feed.domain import Subscription

M = TypeVar("M", bound=Message)
SUBSCRIPTIONS = "subscriptions"
INDEXES: dict[str, list[IndexModel]] = {
    SUBSCRIPTIONS: [
        IndexModel([("site_id", 1), ("agency", 1), ("_id", 1)], name="of_agency_by_name"),
        IndexModel([("ended_at", 1)], name="ended"),
    ],
}
LIVES: Mapping[str, Any] = {"ended_at": None}  # also of documents older than that field
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Subscriptions:
    """The durable positions."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, SUBSCRIPTIONS)
        self._collection = self._aggregates.collection

    def get(self, name: str) -> Subscription | None:
        document = self._collection.find_one({"_id": name, **LIVES})
        return _read(document) if document else None

    def count(self, site: str, agency: str, most: int) -> int:
        return int(self._collection.count_documents({"site_id": site, "agency": agency, **LIVES}, limit=most))

    def page(self, site: str, agency: str, after: str, limit: int) -> list[Subscription]:
        """In the order of their names, after the name `after`."""
        query = {"site_id": site, "agency": agency, "_id": {"$gt": after}, **LIVES}
        return [_read(document) for document in self._collection.find(query).sort("_id", 1).limit(limit)]

    def open(
        self, name: str, site: str, agency: str, holder: str, now: datetime, start: str, start_time: datetime
    ) -> Subscription | None:
        """`holder` is the newest stream from now on. Made when it is not there, or was deleted; then it begins at the given
        start. None: deleted at this very moment.
        """
        first = {
            "site_id": site, "agency": agency, "acknowledged": -1, "cursor": "", "created_at": now,
            "start": start, "start_time": start_time, "acknowledged_at": None, **LIVES,
        }  # fmt: skip
        with contextlib.suppress(DuplicateKeyError):  # two streams were the first at the same moment
            self._collection.update_one({"_id": name}, {"$setOnInsert": {**first, "version": 0}}, upsert=True)
        self._collection.update_one({"_id": name, "ended_at": {"$gt": _LONG_AGO}}, {"$set": first})
        document = self._collection.find_one_and_update(
            {"_id": name, **LIVES}, {"$set": {"holder": holder, "opened_at": now}}, return_document=ReturnDocument.AFTER
        )
        return _read(document) if document else None

    def acknowledge(self, name: str, offset: int, cursor: str, now: datetime) -> Subscription | None:
        """Forward only; the subscription as it stands then, None when there is none."""
        self._collection.update_one(
            {"_id": name, "acknowledged": {"$lt": offset}, **LIVES},
            {"$set": {"acknowledged": offset, "cursor": cursor, "acknowledged_at": now}},
        )
        return self.get(name)

    def loosen(self, name: str, cursor: str) -> None:
        """The place `cursor` is lost: whatever is acknowledged next counts. It stays as the start until then."""
        self._collection.update_one({"_id": name, "cursor": cursor}, {"$set": {"acknowledged": -1}})

    def delete(self, name: str, command: Command, reply: M, events: Sequence[Event]) -> M:
        """A tombstone instead: nothing is known of it any more but its name. Raises NotFound, Aborted."""
        # What was opened before subscriptions could be deleted has no version.
        self._collection.update_one({"_id": name, "version": None}, {"$set": {"version": 0}})

        def decide(stored: Stored) -> Decision:
            if stored.state.get("ended_at") is not None:
                raise NotFound(f"there is no {name}", field="name")
            return Decision({"agency": stored.state["agency"], "ended_at": command.at}, reply, events)

        return self._aggregates.change(name, command, type(reply), decide)

    def forget(self, before: datetime, limit: int) -> int:
        """Take away tombstones older than `before` whose event is told; how many went."""
        gone = 0
        query = {"ended_at": {"$gt": _LONG_AGO, "$lt": before}}
        for document in self._collection.find(query).sort("ended_at", 1).limit(limit):
            if "outbox" not in document:
                this = {key: document[key] for key in ("_id", "version", "ended_at")}
                gone += self._collection.delete_one(this).deleted_count
        return gone


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
