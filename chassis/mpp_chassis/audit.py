"""Audit records in a hash chain: who read or did what, when; an altered or missing record breaks the chain.

Each process writes a chain of its own (no contention); every record holds the digest of the one before (SHA-256 over
canonical JSON). The head is published as a log event, which leaves the machine.
Guarantees: `record` returns after the record is durable. Does *not* guarantee that one who holds the store and all
published heads cannot rewrite both.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from mpp_chassis import logs, metrics

GENESIS = "0" * 64
log = logs.get(part="audit")


class AuditLog:
    """One chain in `collection`; `chain` is unique for each process start."""

    def __init__(self, collection: Any, chain: str) -> None:
        self._collection, self._chain = collection, chain
        self._lock = threading.Lock()
        self._n, self._head = 0, GENESIS
        self._published = 0

    def record(self, actor: str, action: str, resource: str, at: datetime) -> None:
        """Append durably. Raises pymongo's errors; the read or deed must not go on then."""
        with self._lock:
            entry = {
                "chain": self._chain,
                "n": self._n,
                "actor": actor,
                "action": action,
                "resource": resource,
                "at": at.isoformat(),
                "previous": self._head,
            }
            try:
                self._append(entry)
            except DuplicateKeyError:
                # The answer to an earlier insert was lost: the record is there, so the chain goes on behind it.
                there = self._collection.find_one({"_id": self._place()})
                self._n, self._head = self._n + 1, there["digest"]
                self._append({**entry, "n": self._n, "previous": self._head})
        metrics.AUDIT_RECORDS.labels(action).inc()

    def _place(self) -> str:
        return f"{self._chain}/{self._n:08d}"

    def _append(self, entry: Mapping[str, Any]) -> None:
        digest = digest_of(entry)
        self._collection.insert_one({"_id": self._place(), **entry, "digest": digest})
        self._n, self._head = self._n + 1, digest

    def head(self) -> tuple[str, int, str]:
        """(chain, number of records, digest of the last)."""
        with self._lock:
            return self._chain, self._n, self._head

    def publish_head(self) -> None:
        """Tell the head to the log when it is new. The log leaves the machine: whoever keeps it can prove a later cut."""
        chain, n, digest = self.head()
        if n > self._published:
            self._published = n
            log.info("audit_head", chain=chain, records=n, digest=digest)


def digest_of(entry: Mapping[str, Any]) -> str:
    body = {k: entry.get(k) for k in ("chain", "n", "actor", "action", "resource", "at", "previous")}
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def broken_at(records: Iterable[Mapping[str, Any]], head: tuple[int, str] | None = None) -> int | None:
    """Verify the records of one chain, in order: the number of the first bad record, or None.

    `head` (number of records, digest) as it was published finds a chain that was cut at its end.
    """
    previous, n = GENESIS, 0
    for record in records:
        digest = digest_of(record)
        if (record.get("n"), record.get("previous"), record.get("digest")) != (n, previous, digest):
            return n
        previous, n = digest, n + 1
    return n if head is not None and head != (n, previous) else None
