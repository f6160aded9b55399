"""Aggregates in the document store: load, decide, save. One aggregate, one document, one write.

The write carries the new state, the stored reply for its command and the waiting events. Knows pymongo and the outbox;
knows nothing of what the state means. Uses only the MongoDB subset of DESIGN.md section 6.
"""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from pymongo.errors import DuplicateKeyError

from mpp_chassis import metrics, replies
from mpp_chassis.call import Command
from mpp_chassis.errors import Aborted, FailedPrecondition, NotFound
from mpp_chassis.events import Event, WireMessage, encode, new_event_id
from mpp_chassis.outbox import Committed, Dispatcher, pending, waiting
from mpp_chassis.replies import MovedReplies
from mpp_chassis.written import Written

M = TypeVar("M", bound=Message)
REPLIES_KEPT = timedelta(hours=24)
OWN_KEYS = ("_id", "site_id", "version", "replies", "replies_moved_at", "outbox")
ATTEMPTS = 30
STRIPES = 64


class Stale(Exception):
    """The document changed since it was loaded: load again, decide again."""


class Taken(Exception):
    """A unique index refused the write. `index` is its name where the store's message tells it, else ""."""

    def __init__(self, index: str) -> None:
        super().__init__(index)
        self.index = index


@dataclass(frozen=True, slots=True)
class Stored:
    """An aggregate as it was loaded."""

    name: str
    site_id: str
    version: int
    state: dict[str, Any]
    replies: tuple[dict[str, Any], ...] = ()
    waiting: tuple[WireMessage, ...] = ()
    moved_at: datetime | None = None  # of the newest reply that was moved out of the document; None when none was


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command comes to: new state, reply, events (normally one)."""

    state: Mapping[str, Any]
    reply: Message
    events: Sequence[Event] = field(default_factory=tuple)


class Store:
    """A service's database, its dispatcher, its clock and its source of ids."""

    def __init__(
        self, database: Any, dispatcher: Dispatcher | None, clock: Callable[[], datetime], rng: random.Random
    ) -> None:
        self.database, self._dispatcher = database, dispatcher
        self.clock, self.rng = clock, rng

    def event_id(self) -> str:
        return new_event_id(self.clock(), self.rng)

    def committed(self, item: Committed) -> None:
        if self._dispatcher is not None:
            self._dispatcher.committed(item)

    def published(self, event_id: str) -> bool:
        """Whether the broker has this event for sure: it need not wait any longer. False when this process does not know."""
        return self._dispatcher is not None and self._dispatcher.published(event_id)


class Aggregates:
    """One collection of aggregates. Safe for many threads and processes: every write is a compare-and-set or insert.

    `remembered`: so many documents are kept as this process saved them last, and `change` tries with them first. It saves a
    read where one step follows the other, and decides nothing: a save of what is no longer true is Stale, and whatever
    is refused is asked again of the store. Only for collections whose every write raises `version`.
    """

    def __init__(self, store: Store, collection: str, remembered: int = 0) -> None:
        self._store, self._name = store, collection
        self.collection = store.database[collection]
        self._moved = MovedReplies(store.database)
        # Callers of one process line up for an aggregate instead of losing races; other processes are met by version.
        self._lines = [threading.Lock() for _ in range(STRIPES)]
        self._written = Written(remembered, self.collection.codec_options)
        self._loading, self._creating, self._saving = (
            metrics.STORE_SECONDS.labels(collection, operation) for operation in ("load", "create", "save")
        )

    def load(self, name: str) -> Stored | None:
        with self._loading.time():
            document = self.collection.find_one({"_id": name})
        return self.stored(document) if document else None

    def stored(self, document: Mapping[str, Any]) -> Stored:
        """From a document that a find of the service's own returned (whole, without projection)."""
        state = {k: v for k, v in document.items() if k not in OWN_KEYS}
        return Stored(
            document["_id"],
            document["site_id"],
            document["version"],
            state,
            tuple(document.get("replies", ())),
            tuple(pending(dict(document))),
            document.get("replies_moved_at"),
        )

    def repeated(self, stored: Stored, command: Command, reply_type: type[M]) -> M | None:
        """The stored reply of a command that came before. Raises REQUEST_ID_REUSED for another body."""
        reply = next((r for r in stored.replies if r["key"] == command.key), None)
        if reply is None and stored.moved_at is not None:
            reply = self._moved.find(stored.name, command.key)
        if reply is None:
            return None
        if reply["fingerprint"] != command.fingerprint:
            raise FailedPrecondition(
                "this request_id was used with another body", reason="REQUEST_ID_REUSED", field="request_id"
            )
        metrics.COMMANDS_REPEATED.labels(command.method).inc()
        return reply_type.FromString(reply["body"])

    def create(
        self, name: str, site_id: str, state: Mapping[str, Any], command: Command, reply: M, events: Sequence[Event]
    ) -> M:
        """Insert a new aggregate whose name came from `new_id(command)`; a repeated command gets the stored reply.

        Raises Taken when another unique index refuses it; nothing is written then.
        """
        fresh = Stored(name, site_id, 0, {})
        document = self._document(fresh, state, command, reply, events)
        try:
            with self._creating.time():
                self.collection.insert_one(document)
        except DuplicateKeyError as e:
            there = self.load(name)
            known = self.repeated(there, command, type(reply)) if there else None
            if known is not None:
                return known
            raise Taken(_index_of(e)) from e
        self._announce(document)
        return reply

    def save(self, stored: Stored, state: Mapping[str, Any], command: Command, reply: M, events: Sequence[Event]) -> M:
        """Replace the aggregate if nobody changed it since `stored` was loaded.

        Raises Stale when somebody did, Taken when a unique index refuses it; nothing is written then.
        """
        document = self._document(stored, state, command, reply, events)
        try:
            with self._saving.time():
                raw = self._written.raw(document)
                result = self.collection.replace_one({"_id": stored.name, "version": stored.version}, raw)
        except DuplicateKeyError as e:
            raise Taken(_index_of(e)) from e
        if not result.matched_count:
            metrics.WRITES_STALE.inc()
            raise Stale(stored.name)
        self._written.put(stored.name, raw)
        self._announce(document)
        return reply

    def change(self, name: str, command: Command, reply_type: type[M], decide: Callable[[Stored], Decision]) -> M:
        """Load, decide, save; again when the race was lost, at most 30 times.

        Raises NotFound, Aborted, and whatever `decide` raises.
        """
        for attempt in range(ATTEMPTS):
            try:
                with self._lines[hash(name) % STRIPES]:
                    return self._change_once(name, command, reply_type, decide)
            except Stale:
                time.sleep(self._store.rng.uniform(0, 0.002 * 2 ** min(attempt, 5)))
        raise Aborted(f"{name} is being changed by too many at once; try again")

    def _change_once(self, name: str, command: Command, reply_type: type[M], decide: Callable[[Stored], Decision]) -> M:
        before = self._written.pop(name)
        if before is not None:
            with contextlib.suppress(_Unsure, Stale):
                return self._decide(self.stored(before), command, reply_type, _unsure(decide))
        stored = self.load(name)
        if stored is None:
            raise NotFound(f"there is no {name}")
        return self._decide(stored, command, reply_type, decide)

    def _decide(self, stored: Stored, command: Command, reply_type: type[M], decide: Callable[[Stored], Decision]) -> M:
        known = self.repeated(stored, command, reply_type)
        if known is not None:
            return known
        decision = decide(stored)
        reply = self.save(stored, decision.state, command, decision.reply, decision.events)
        assert isinstance(reply, reply_type)
        return reply

    def _document(
        self, stored: Stored, state: Mapping[str, Any], command: Command, reply: Message, events: Sequence[Event]
    ) -> dict[str, Any]:
        """Sequences of the events of one save are version, version + 1 ...: each event has its own, and they only grow."""
        if clash := set(OWN_KEYS) & state.keys():
            raise ValueError(f"a state must not have the chassis' own keys: {', '.join(sorted(clash))}")
        first = stored.version + 1
        messages = [m for m in stored.waiting if not self._store.published(m.id)]
        for n, event in enumerate(events):
            messages += encode(
                event,
                sequence=first + n,
                event_id=self._store.event_id(),
                time=command.at,
                traceparent=command.traceparent,
            )
        oldest = command.at - REPLIES_KEPT
        moving, kept = replies.divide([r for r in stored.replies if _aware(r["at"]) > oldest])
        if moving:
            self._moved.put(stored.name, moving)  # first, so that it can be found at every moment
        moved_at = replies.newest(moving) or stored.moved_at
        entry = {
            "key": command.key,
            "fingerprint": command.fingerprint,
            "body": reply.SerializeToString(deterministic=True),
            "at": command.at,
        }
        document: dict[str, Any] = {
            "_id": stored.name,
            "site_id": stored.site_id,
            "version": stored.version + max(1, len(events)),
            **state,
            "replies": [*kept, entry],
        }
        if moved_at is not None and _aware(moved_at) > oldest:
            document["replies_moved_at"] = moved_at
        if messages:
            document["outbox"] = waiting(messages)
        return document

    def _announce(self, document: Mapping[str, Any]) -> None:
        if box := document.get("outbox"):
            messages = tuple(WireMessage.from_document(e) for e in box["events"])
            self._store.committed(Committed(self._name, document["_id"], box["last"], messages))


class _Unsure(Exception):
    """Refused for what was remembered, perhaps only since others changed it meanwhile."""


def _unsure(decide: Callable[[Stored], Decision]) -> Callable[[Stored], Decision]:
    def decision(stored: Stored) -> Decision:
        try:
            return decide(stored)
        except Exception as e:  # whatever it is, it must be said of what the store has
            raise _Unsure from e

    return decision


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _index_of(error: DuplicateKeyError) -> str:
    match = re.search(r"index: (?:\S*\.)?\$?([\w.\-]+)", str(error))
    return match[1] if match else ""
