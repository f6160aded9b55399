"""Alarms, counts and the endings of a person's tickets as documents. Knows pymongo and the mapping; knows no rule.

A count lives as long as its window; the TTL index only cleans up. Each query names all leading fields of an index.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mpp.queue.v1 import guard_service_pb2 as pb
from mpp_chassis.aggregates import ATTEMPTS, Aggregates, Decision, Store, Stored
from mpp_chassis.aggregates import Taken as NameTaken
from mpp_chassis.call import Command
from mpp_chassis.errors import Aborted
from mpp_chassis.events import Event
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from mpp_queue.guard.domain import Alarm, Ending, Taken, Velocity

ALARMS, COUNTS, TICKETS, TYPISTS = "booking_alarms", "booking_counts", "tickets", "typist_claims"
MOST_ENDINGS, MOST_COUNTED = 20, 1000
CLAIMS_KEPT = timedelta(hours=48)  # their day is over then, in every zone
KEPT_WINDOWS = 3  # an alarm must be remembered a window longer than what raised it
INDEXES: dict[str, list[IndexModel]] = {
    ALARMS: [
        IndexModel([("site_id", ASCENDING), ("raised_at", ASCENDING), ("_id", ASCENDING)], name="latest"),
        IndexModel(
            [("site_id", ASCENDING), ("acknowledged", ASCENDING), ("raised_at", ASCENDING), ("_id", ASCENDING)],
            name="unacknowledged",
        ),
    ],
    # Of tickets only those that a known person gave up are in it.
    TICKETS: [
        IndexModel(
            [("site_id", ASCENDING), ("queue", ASCENDING), ("holder_key", ASCENDING), ("ended_at", ASCENDING)],
            name="given_up_of",
            partialFilterExpression={"given_up": True},
        )
    ],
    COUNTS: [IndexModel([("expires_at", ASCENDING)], name="expired", expireAfterSeconds=0)],
    TYPISTS: [IndexModel([("expires_at", ASCENDING)], name="expired", expireAfterSeconds=0)],
}


class Endings:
    """Reads tickets: which of those that count under one key (../domain/holder.py) came to nothing."""

    def __init__(self, store: Store) -> None:
        self._collection = store.database[TICKETS]

    def since(self, site_id: str, queue: str, holder_key: str, since: datetime) -> list[Ending]:
        """Newest first, at most 20."""
        query = {
            "site_id": site_id,
            "queue": queue,
            "holder_key": holder_key,
            "ended_at": {"$gt": since},
            "given_up": True,
        }
        found = self._collection.find(query, {"ended_at": 1}).sort("ended_at", DESCENDING).limit(MOST_ENDINGS)
        return [Ending(d["ended_at"]) for d in found]


@dataclass(frozen=True, slots=True)
class Claim:
    """For which ticket, and since when."""

    ticket: str
    at: datetime


class TypistClaims:
    """What accounts, phones and devices took with typed NIKs. The id says what is limited; each write is an insert or a
    compare-and-set."""

    def __init__(self, store: Store) -> None:
        self._collection, self._tickets = store.database[TYPISTS], store.database[TICKETS]

    def of(self, ids: Sequence[str]) -> dict[str, Claim]:
        found = self._collection.find({"_id": {"$in": list(ids)}})
        return {d["_id"]: Claim(d["ticket"], d["at"]) for d in found}

    def take(self, id: str, site_id: str, ticket: str, at: datetime, former: str) -> bool:
        """`former`: whose it was, "" for nobody's. False when somebody else was faster."""
        document = {"site_id": site_id, "ticket": ticket, "at": at, "expires_at": at + CLAIMS_KEPT}
        if former:
            return bool(self._collection.replace_one({"_id": id, "ticket": former}, document).matched_count)
        try:
            self._collection.insert_one({"_id": id, **document})
        except DuplicateKeyError:
            return False
        return True

    def release(self, id: str, ticket: str) -> None:
        """Unless it is another's by now."""
        self._collection.delete_one({"_id": id, "ticket": ticket})

    def written(self, tickets: Sequence[str]) -> set[str]:
        """Those of these tickets that exist."""
        return {d["_id"] for d in self._tickets.find({"_id": {"$in": list(tickets)}}, {"_id": 1})}


class Counts:
    """One document a phone, device or person and queue, and one a site. Safe for many processes: each write is a
    compare-and-set."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._collection = store.database[COUNTS]

    def change(self, key: str, window: timedelta, decide: Callable[[Velocity], Velocity]) -> Velocity:
        """Raises Aborted after too many lost races."""
        for attempt in range(ATTEMPTS):
            document = self._collection.find_one({"_id": key})
            before = _velocity(document) if document else Velocity()
            after = decide(before)
            if after is before or self._write(key, document, after, window):
                return after
            time.sleep(self._store.rng.uniform(0, 0.002 * 2 ** min(attempt, 5)))
        raise Aborted("a phone's or device's count is being changed by too many at once; try again")

    def _write(self, key: str, before: Mapping[str, Any] | None, after: Velocity, window: timedelta) -> bool:
        version = before["version"] if before else 0
        newest = max(t.at for t in after.taken)
        document = {
            "_id": key,
            "version": version + 1,
            "taken": [{"ticket": t.ticket, "at": t.at} for t in after.taken],
            "trigger": after.trigger,
            "raised_at": after.raised_at,
            "count": after.count,
            "alarms": list(after.alarms),
            # Of what comes late, too: from now on, not from when it was.
            "expires_at": max(newest, self._store.clock()) + KEPT_WINDOWS * window,
        }
        if before is None:
            try:
                self._collection.insert_one(document)
            except DuplicateKeyError:
                return False
            return True
        return bool(self._collection.replace_one({"_id": key, "version": version}, document).matched_count)


class Alarms:
    """The collection of alarms."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, ALARMS)
        self._collection = self._aggregates.collection

    def create(self, alarm: Alarm, command: Command, reply: pb.BookingAlarm, events: Sequence[Event]) -> bool:
        """False when it is there already."""
        try:
            made = self._aggregates.create(alarm.name, alarm.site_id, _state(alarm), command, reply, events)
        except NameTaken:
            return False
        return made is reply

    def change(
        self, name: str, command: Command, decide: Callable[[Alarm], tuple[Alarm, pb.BookingAlarm, list[Event]]]
    ) -> pb.BookingAlarm:
        """Raises NotFound, Aborted, and what `decide` raises."""

        def decision(stored: Stored) -> Decision:
            after, reply, events = decide(_alarm(stored))
            return Decision(_state(after), reply, events)

        return self._aggregates.change(name, command, pb.BookingAlarm, decision)

    def page(self, site_id: str, *, open_only: bool, after: tuple[datetime, str] | None, limit: int) -> list[Alarm]:
        """Newest first; `after`: moment and name of the last of the page before."""
        query: dict[str, Any] = {"site_id": site_id}
        if open_only:
            query["acknowledged"] = False
        order = [("raised_at", DESCENDING), ("_id", DESCENDING)]
        if after is None:
            found = list(self._collection.find(query).sort(order).limit(limit))
        else:
            same = {**query, "raised_at": after[0], "_id": {"$lt": after[1]}}
            found = list(self._collection.find(same).sort(order).limit(limit))
            if len(found) < limit:
                older = {**query, "raised_at": {"$lt": after[0]}}
                found += list(self._collection.find(older).sort(order).limit(limit - len(found)))
        return [_alarm(self._aggregates.stored(d)) for d in found]

    def raised_since(self, site_id: str, since: datetime) -> bool:
        """Whether an alarm was raised since then that nobody has acknowledged."""
        query = {"site_id": site_id, "acknowledged": False, "raised_at": {"$gt": since}}
        return self._collection.find_one(query, {"_id": 1}) is not None

    def count_open(self, site_id: str) -> int:
        """Unacknowledged ones, at most 1000."""
        return int(self._collection.count_documents({"site_id": site_id, "acknowledged": False}, limit=MOST_COUNTED))


def _velocity(document: Mapping[str, Any]) -> Velocity:
    taken = tuple(Taken(t["ticket"], t["at"]) for t in document["taken"])
    raised_at = document["raised_at"]
    alarms = tuple(document.get("alarms", [raised_at] if raised_at else []))
    return Velocity(taken, document["trigger"], raised_at, document["count"], alarms)


def _state(alarm: Alarm) -> dict[str, Any]:
    return {
        "queue": alarm.queue,
        "agency": alarm.agency,
        "origin": alarm.origin,
        "subject": alarm.subject,
        "key": alarm.key,
        "count": alarm.count,
        "window_seconds": int(alarm.window.total_seconds()),
        "raised_at": alarm.raised_at,
        "tickets": list(alarm.tickets),
        "acknowledged": alarm.acknowledged_at is not None,
        "acknowledged_at": alarm.acknowledged_at,
        "acknowledged_by": alarm.acknowledged_by,
        "reason": alarm.reason,
    }


def _alarm(stored: Stored) -> Alarm:
    s = stored.state
    return Alarm(
        name=stored.name,
        site_id=stored.site_id,
        queue=s["queue"],
        agency=s["agency"],
        origin=s["origin"],
        key=s["key"],
        count=s["count"],
        window=timedelta(seconds=s["window_seconds"]),
        raised_at=s["raised_at"],
        tickets=tuple(s["tickets"]),
        subject=s.get("subject", "taken"),
        acknowledged_at=s["acknowledged_at"],
        acknowledged_by=s["acknowledged_by"],
        reason=s["reason"],
    )
