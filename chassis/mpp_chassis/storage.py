"""The connection to the document store: options, deadlines, and what its errors mean. Knows pymongo and no collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pymongo
from pymongo import IndexModel, MongoClient
from pymongo.errors import PyMongoError

from mpp_chassis import outbox, replies
from mpp_chassis.errors import Unavailable


def connect(uri: str, database: str, *, timeout_seconds: float) -> Any:
    """A database handle. `w=majority` and journalled; no retryable writes: every write is idempotent by itself."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        uri,
        w="majority",
        journal=True,
        retryWrites=False,
        retryReads=True,
        tz_aware=True,
        serverSelectionTimeoutMS=int(timeout_seconds * 1000),
        connectTimeoutMS=3000,
        socketTimeoutMS=int(timeout_seconds * 1000),
        maxPoolSize=64,
        appname=database,
    )
    return client[database]


def deadline(seconds: float) -> AbstractContextManager[None]:
    """Bound every store call inside to `seconds` in all."""
    return pymongo.timeout(max(0.001, seconds))


def as_fault(error: PyMongoError) -> Unavailable:
    """What a caller is told of a store that fails: unavailable, and nothing of its inside."""
    return Unavailable(f"the store did not answer ({type(error).__name__})", reason="STORE_UNAVAILABLE")


def ensure_indexes(database: Any, indexes: Mapping[str, Sequence[IndexModel]], aggregates: Sequence[str]) -> None:
    """Create what is missing; safe to run twice and by several at once. Every aggregate gets the outbox index;
    replies that were moved out of their documents are forgotten by theirs."""
    for collection in {*indexes, *aggregates}:
        wanted = list(indexes.get(collection, ()))
        if collection in aggregates:
            wanted.append(outbox.INDEX)
        if wanted:
            database[collection].create_indexes(wanted)
    if aggregates:
        database[replies.COLLECTION].create_indexes(replies.INDEXES)
