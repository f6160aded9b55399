"""Displays as documents, and what screens read of tickets: numbers, counters and times, nothing else.

Knows fields and indexes; never knows a rule. A display is one document, found by its name; a deleted one stays as a
tombstone, whose version its successor goes on from. The queries of tickets use the tickets' own indexes `calls` and
`line`, so their cost follows what they return and never the history of the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp.queue.v1 import display_pb2
from mpp_chassis.aggregates import ATTEMPTS, Aggregates, Stale, Store, Stored, Taken
from mpp_chassis.call import Command
from mpp_chassis.errors import Aborted
from mpp_chassis.events import Event
from pymongo import ASCENDING, DESCENDING, IndexModel

from mpp_queue.displays.domain import CallState, DisplayCall
from mpp_queue.domain import REMOTE_CHANNELS

M = TypeVar("M", bound=Message)
DISPLAYS = "displays"
INDEXES: dict[str, list[IndexModel]] = {
    DISPLAYS: [IndexModel([("site_id", ASCENDING), ("deleted", ASCENDING), ("_id", ASCENDING)], name="of_site")],
}
RECENT = 30  # calls of a queue that a screen may ask for
_STATES = {"called": CallState.CALLING, "serving": CallState.SERVING}
_FIELDS = dict.fromkeys(("number", "counter", "last_call", "state", "calls"), 1)


@dataclass(frozen=True, slots=True)
class Kept:
    """A display as it was read: its own form, and its version."""

    told: display_pb2.Display
    version: int


Decide = Callable[[Kept | None, int], tuple[display_pb2.Display | None, M, Sequence[Event]] | M]


class Displays:
    """The collection of displays. Safe for many threads and processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._aggregates = Aggregates(store, DISPLAYS)
        self._collection = self._aggregates.collection

    def load(self, name: str) -> Kept | None:
        """None for one that is deleted or never was."""
        stored = self._aggregates.load(name)
        return _kept(stored) if stored else None

    def change(self, name: str, command: Command, reply_type: type[M], decide: Decide[M]) -> M:
        """`decide(there or None, the next version) -> (what is there then or None, reply, events)`, or a reply alone when
        nothing is to be written; again while others win the race. The stored reply for a repeated command. Raises Aborted,
        REQUEST_ID_REUSED and what `decide` raises.
        """
        for _ in range(ATTEMPTS):
            stored = self._aggregates.load(name)
            known = self._aggregates.repeated(stored, command, reply_type) if stored else None
            if known is not None:
                return known
            decided = decide(_kept(stored) if stored else None, stored.version + 1 if stored else 1)
            if not isinstance(decided, tuple):
                return decided
            told, reply, events = decided
            try:
                if stored is None:
                    site_id = name.split("/")[1]
                    return self._aggregates.create(name, site_id, _state(told), command, reply, events)
                return self._aggregates.save(stored, _state(told), command, reply, events)
            except (Stale, Taken):
                continue  # somebody was faster: look again, and say then what is wrong
        raise Aborted(f"{name} is being changed by too many at once; try again")

    def page(self, site_id: str, after: str, limit: int) -> list[Kept]:
        """By name, those after the name `after`."""
        query = {"site_id": site_id, "deleted": False, "_id": {"$gt": after}}
        found = self._collection.find(query).sort("_id", ASCENDING).limit(limit)
        return [kept for d in found if (kept := _kept(self._aggregates.stored(d))) is not None]


class Calls:
    """Which numbers of a queue were called to which counters. Reads the tickets; writes nothing."""

    def __init__(self, store: Store) -> None:
        self._tickets = store.database["tickets"]

    def of(self, queue: str, day: str) -> tuple[DisplayCall, ...]:
        """Everybody who is called or served now, and the last calls before, the newest first. Two queries; their cost
        follows the counters, and the calls by phone since the last of the hall. Not who is met on the phone or by video:
        nobody calls them through the hall.
        """
        hall = {"channel": {"$nin": sorted(REMOTE_CHANNELS)}}
        of_day = {"site_id": queue.split("/")[1], "queue": queue, "day": day, **hall}
        called = {**of_day, "was_called": True, "last_call": {"$gt": ""}}
        recent = self._tickets.find(called, _FIELDS).sort("last_call", DESCENDING).limit(RECENT)
        there = self._tickets.find({**of_day, "state": {"$in": sorted(_STATES)}}, _FIELDS)
        found = {d["_id"]: d for d in (*recent, *there)}  # the second look wins
        calls = (_call(queue, d) for d in found.values() if d.get("last_call"))
        return tuple(sorted(calls, key=lambda c: c.id, reverse=True))


def _call(queue: str, document: Mapping[str, Any]) -> DisplayCall:
    return DisplayCall(
        queue=queue,
        number=document["number"],
        counter=document["counter"],
        called_at=datetime.fromtimestamp(int(document["last_call"]) / 1000, UTC),
        state=_STATES.get(document["state"], CallState.PAST),
        calls=document["calls"],
    )


def _kept(stored: Stored) -> Kept | None:
    s = stored.state
    return None if s["deleted"] else Kept(display_pb2.Display.FromString(s["display"]), stored.version)


def _state(told: display_pb2.Display | None) -> dict[str, Any]:
    return {"deleted": told is None, "display": told.SerializeToString(deterministic=True) if told is not None else b""}
