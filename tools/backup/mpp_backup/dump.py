"""Reads every database of a platform into an archive, while the platform runs.

Order matters. First the aggregates: each document is whole in itself and carries the events that are not yet published.
Then, when the broker's queues have been seen empty once, everything else: what consumers made of the events. So an event
that was published before its aggregate was read is in its consumers' collections, or among the `unsettled` of the manifest.

Guaranteed: each document as it was at one moment. NOT guaranteed: all documents as of the same moment (use the store's own
snapshots where that matters), nor events that were on the retry ladder or parked: those lie in the broker alone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson.min_key import MinKey
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from mpp_backup import archive
from mpp_backup.archive import Manifest, Part

LEFT_OUT = frozenset({"leases"})  # of processes that will not come back
BATCH = 500  # documents a round trip
SETTLE_SECONDS = 30.0


def dump(uri: str, folder: Path, *, prefix: str = "mpp_", amqp_uri: str = "") -> Manifest:
    """Read all databases that begin with `prefix`. Without `amqp_uri` the queues are not waited for.

    Raises FileExistsError when the folder is not empty, ValueError when there is no such database, pymongo's errors.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    started = datetime.now(UTC)
    client: MongoClient[Any] = MongoClient(uri, tz_aware=True, serverSelectionTimeoutMS=8000)
    with client:
        names = sorted(name for name in client.list_database_names() if name.startswith(prefix))
        if not names:
            raise ValueError(f"the store has no database that begins with {prefix}")
        first, rest = _collections(client, names)
        parts = [_read(client, folder, where, aggregate=True) for where in first]
        unsettled = _settle(client, names, amqp_uri) if amqp_uri else ()
        parts += [_read(client, folder, where, aggregate=False) for where in rest]
    manifest = Manifest(started.isoformat(), datetime.now(UTC).isoformat(), prefix, unsettled, tuple(parts))
    archive.write_manifest(folder, manifest)
    return manifest


def _collections(client: MongoClient[Any], names: list[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(aggregates, others). An aggregate is known by the index of its waiting events, which the chassis makes."""
    aggregates: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for database in names:
        for collection in sorted(set(client[database].list_collection_names()) - LEFT_OUT):
            keys = [list(index["key"]) for index in client[database][collection].list_indexes()]
            (aggregates if ["outbox.last"] in keys else others).append((database, collection))
    return aggregates, others


def _read(client: MongoClient[Any], folder: Path, where: tuple[str, str], *, aggregate: bool) -> Part:
    database, collection = where
    raw = client.get_database(database).get_collection(collection).with_options(_raw())

    def each() -> Iterator[bytes]:
        # By _id, page after page: no cursor that lives for hours, and a document that is written meanwhile is read once.
        last: Any = MinKey()
        while page := list(raw.find({"_id": {"$gt": last}}).sort("_id", 1).limit(BATCH)):
            yield from (document.raw for document in page)
            last = page[-1]["_id"]

    return archive.write_part(folder, database, collection, each(), aggregate=aggregate)


def _raw() -> Any:
    from bson.codec_options import CodecOptions

    return CodecOptions(document_class=RawBSONDocument)


def _settle(client: MongoClient[Any], names: list[str], amqp_uri: str) -> tuple[str, ...]:
    """Wait until each handler's queue was empty once. Those that were not within the time, or that nobody consumes."""
    from mpp_chassis import broker

    left = {d["_id"] for name in names for d in client[name]["handlers"].find({}, {"_id": 1})}
    idle: set[str] = set()
    end = time.monotonic() + SETTLE_SECONDS
    conn = broker.connection(amqp_uri)
    try:
        while True:
            for queue in sorted(left):
                with contextlib.closing(conn.channel()) as channel:
                    state = channel.queue_declare(queue, passive=True)
                if not state.message_count:
                    left.discard(queue)
                elif not state.consumer_count:
                    idle.add(queue)
            if not left - idle or time.monotonic() > end:
                return tuple(sorted(left))
            time.sleep(0.2)
    finally:
        conn.close()
