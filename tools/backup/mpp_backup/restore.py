"""Writes an archive into an empty store.

Every aggregate's version is raised by `NEWER_BY`. The reason: consumers (ours, and agencies outside) keep the greatest
sequence they saw of each aggregate and ignore what is not newer. What happened after the backup was made is forgotten here
but not there, so what happens from now on must be newer than anything that anybody ever heard.

Indexes and queues are not restored: run `migrate` of every service afterwards, before any process starts. Waiting events
lie in their documents and are published by the sweeper. Knows nothing of the broker.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from mpp_backup import archive
from mpp_backup.archive import Manifest, Part

NEWER_BY = 1000
BATCH = 200


class NotEmpty(Exception):
    """The store has documents already where some would be written."""


def restore(uri: str, folder: Path, *, prefix: str = "", newer_by: int = NEWER_BY) -> Manifest:
    """Verify the archive, then write all of it; `prefix` names the databases anew ("": as they were).

    Raises BadArchive and NotEmpty before anything is written; pymongo's errors. After an error in the middle the store is
    half full: drop its databases and start again.
    """
    manifest = archive.verify(folder)
    client: MongoClient[Any] = MongoClient(uri, tz_aware=True, w="majority", serverSelectionTimeoutMS=8000)
    with client:
        targets = [(part, _target(client, manifest, part, prefix)) for part in manifest.parts]
        for _, target in targets:
            if target.find_one({}, {"_id": 1}) is not None:
                raise NotEmpty(f"{target.full_name} is not empty; restore into an empty store")
        for part, target in targets:
            _write(folder, part, target, newer_by)
    return manifest


def _target(client: MongoClient[Any], manifest: Manifest, part: Part, prefix: str) -> Any:
    database = prefix + part.database.removeprefix(manifest.prefix) if prefix else part.database
    return client[database][part.collection]


def _write(folder: Path, part: Part, target: Any, newer_by: int) -> None:
    found = archive.documents(folder, part)
    if part.aggregate:
        found = ({**document, "version": document["version"] + newer_by} for document in found)
    while batch := _take(found):
        target.insert_many(batch, ordered=False)


def _take(found: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(islice(found, BATCH))
