"""Stored replies that do not fit into their aggregate's document any more (ADR 0004): a document a reply.

A document is written whole with every command, so each reply in it makes the next write dearer, and the store refuses
a document of 16 MiB. Most aggregates hear a dozen commands in 24 h and never come here; a day's agenda or a counter may
hear thousands. Knows pymongo and what a reply's entry looks like; knows no aggregate and no command.

Guaranteed: a reply is here before it leaves its document, so it can be found at every moment for 24 h at least. Putting it
twice is putting it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import IndexModel
from pymongo.errors import BulkWriteError

COLLECTION = "moved_replies"
INDEXES = [IndexModel([("expires_at", 1)], name="expired", expireAfterSeconds=0)]
KEPT = timedelta(hours=25)  # counted from the command: an hour more than is promised
MOST, LEAST = 64, 32  # of one document: when there are `MOST`, the newest `LEAST` stay
MOST_BYTES = 256 * 1024
DUPLICATE = 11000

Entry = Mapping[str, Any]  # key, fingerprint, body, at


def divide(entries: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """(to be moved, to stay), oldest first. Nothing is to be moved while they are few and small."""
    sizes = [len(entry["body"]) for entry in entries]
    if len(entries) < MOST and sum(sizes) < MOST_BYTES:
        return (), entries
    stay, left = 0, MOST_BYTES // 2
    for size in reversed(sizes[-LEAST:]):
        left -= size
        if left < 0:
            break
        stay += 1
    cut = len(entries) - stay
    return entries[:cut], entries[cut:]


class MovedReplies:
    """The collection, one for all aggregates of a service."""

    def __init__(self, database: Any) -> None:
        self._collection = database[COLLECTION]

    def put(self, aggregate: str, entries: Sequence[Entry]) -> None:
        documents = [
            {**entry, "_id": _id(aggregate, entry["key"]), "expires_at": entry["at"] + KEPT} for entry in entries
        ]
        try:
            self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as e:
            if any(error["code"] != DUPLICATE for error in e.details["writeErrors"]) or e.details["writeConcernErrors"]:
                raise

    def find(self, aggregate: str, key: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._collection.find_one({"_id": _id(aggregate, key)})
        return found


def newest(entries: Sequence[Entry]) -> datetime | None:
    return max((entry["at"] for entry in entries), default=None)


def _id(aggregate: str, key: str) -> str:
    return f"{aggregate}#{key}"
