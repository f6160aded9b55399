"""Measures what docs/operations.md reckons with: bytes of a document and of an event, events of a visit, memory.

Walks one visit through a running platform with an ear at every service's exchange, and reads every collection. Bytes of
documents are BSON: what a store adds (indexes, padding) or saves (compression) is the store's own.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument
from mpp_chassis import broker
from mpp_localrun.platform import Platform
from mpp_localrun.visit import run_visit
from rich.console import Console


@dataclass(frozen=True, slots=True)
class Size:
    """`count` things of `mean` bytes; the greatest has `most`."""

    what: str
    count: int
    mean: float
    most: int


def of_documents(platform: Platform) -> list[Size]:
    """Every collection of every service."""
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(platform.stack.mongodb_uri)
    found = []
    with client:
        for service in platform.services():
            database = client.get_database(f"mpp_{service}")
            for name in sorted(database.list_collection_names()):
                options: Any = database[name].codec_options.with_options(document_class=RawBSONDocument)
                sizes = [len(d.raw) for d in database[name].with_options(options).find({}).limit(2000)]
                if sizes:
                    found.append(Size(f"{service}.{name}", len(sizes), sum(sizes) / len(sizes), max(sizes)))
    return found


class Ear:
    """Hears every message of every service's exchange while it is open."""

    def __init__(self, platform: Platform) -> None:
        self._conn = broker.connection(platform.stack.amqp_uri)
        self._channel = self._conn.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).queue
        for service in platform.services():
            self._channel.queue_bind(self._queue, f"{service}.events", routing_key="#")

    def heard(self) -> list[tuple[str, int]]:
        """(routing key, bytes of body and headers) of each message since it was opened."""
        found = []
        while (message := self._channel.basic_get(self._queue, no_ack=True)) is not None:
            body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
            headers = sum(len(str(k)) + len(str(v)) + 6 for k, v in (message.headers or {}).items())
            found.append((message.delivery_info["routing_key"], len(body) + headers))
        return found

    def close(self) -> None:
        self._conn.close()


def of_a_visit(platform: Platform) -> list[Size]:
    """Messages of one visit by whole and public form, and by kind."""
    ear = Ear(platform)
    run_visit(platform, Console(file=io.StringIO(), width=200))
    heard = ear.heard()
    ear.close()
    kinds: dict[str, list[int]] = {}
    for key, size in heard:
        kinds.setdefault("public, all" if key.endswith(".public") else "whole, all", []).append(size)
        kinds.setdefault(key, []).append(size)
    return [Size(key, len(sizes), sum(sizes) / len(sizes), max(sizes)) for key, sizes in sorted(kinds.items())]


def of_memory(platform: Platform) -> list[Size]:
    """Resident bytes of the profile's processes, by their ports' owners (Linux)."""
    found: Counter[str] = Counter()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().split(b"\0")
            pages = int((folder / "statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        mine = f"MPP_MONGODB_URI={platform.stack.mongodb_uri}".encode() in environment
        if mine and b"-m" in command and command[-2] in (b"serve", b"work"):
            service = command[command.index(b"-m") + 1].decode().removeprefix("mpp_").removesuffix(".main")
            found[f"{service} {command[-2].decode()}"] = pages * 4096
    return [Size(name, 1, size, size) for name, size in sorted(found.items())]
