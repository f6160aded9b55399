"""Counters as documents, and what is read of tickets and of the catalogue's queues beside them.

Knows fields and indexes; never knows a rule. What the indexes guarantee, whatever processes do: an officer who opened a
counter holds no second one of the site that day (`officer_has_counter`). That a counter has one officer is the document's
own compare-and-set. Listings name the documents; only alarms and sweeps search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored, Taken
from mpp_chassis.call import Command
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event
from pymongo import ASCENDING, IndexModel

from mpp_queue.counters.domain import Alarm, Counter, HistoryLine, Services, Session, State

M = TypeVar("M", bound=Message)
Decide = Callable[[Counter], tuple[Counter, M, Sequence[Event]]]

HOLDER_INDEX = "officer_has_counter"
INDEXES: dict[str, list[IndexModel]] = {
    "counters": [
        IndexModel(
            [("site_id", ASCENDING), ("holder_key", ASCENDING)],
            name=HOLDER_INDEX,
            unique=True,
            partialFilterExpression={"holds": True},
        ),
        IndexModel([("site_id", ASCENDING), ("working", ASCENDING), ("day", ASCENDING)], name="sessions"),
        IndexModel([("site_id", ASCENDING), ("alarm_open", ASCENDING), ("alarm_at", ASCENDING)], name="alarms"),
    ],
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A counter and the document it came from."""

    counter: Counter
    stored: Stored


class Counters:
    """The collection of counters: a document each, made when somebody first works there."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, "counters")
        self._collection = self._aggregates.collection

    def load(self, name: str) -> Counter | None:
        stored = self._aggregates.load(name)
        return _counter(stored) if stored else None

    def change(
        self, name: str, command: Command, reply_type: type[M], decide: Decide[M], first: Callable[[], Counter] | None
    ) -> M:
        """Load, decide, save, again while others win the race; `first()` when there is no document yet.

        Raises NotFound, Aborted; Taken with HOLDER_INDEX when the officer holds another counter.
        """

        def decision(stored: Stored) -> Decision:
            after, reply, events = decide(_counter(stored))
            return Decision(_state(after), reply, events)

        try:
            return self._aggregates.change(name, command, reply_type, decision)
        except NotFound:
            if first is None:
                raise
        after, reply, events = decide(first())
        try:
            return self._aggregates.create(name, after.site_id, _state(after), command, reply, events)
        except Taken:
            if self._aggregates.load(name) is None:
                raise  # by the holder's index
        return self._aggregates.change(name, command, reply_type, decision)  # somebody else made it meanwhile

    def save(self, before: Loaded, after: Counter, command: Command, reply: M, events: Sequence[Event]) -> M:
        """One compare-and-set. Raises Stale."""
        return self._aggregates.save(before.stored, _state(after), command, reply, events)

    def named(self, names: Sequence[str]) -> dict[str, Counter]:
        found = self._collection.find({"_id": {"$in": list(names)}})
        return {c.name: c for c in map(_counter, map(self._aggregates.stored, found))}

    def held_by(self, site_id: str, holder_key: str) -> Counter | None:
        """The counter that an officer opened."""
        found = self._collection.find_one({"site_id": site_id, "holder_key": holder_key, "holds": True})
        return _counter(self._aggregates.stored(found)) if found else None

    def alarms(self, site_id: str) -> list[Counter]:
        """Counters with an open alarm, the oldest first."""
        found = self._collection.find({"site_id": site_id, "alarm_open": True}).sort("alarm_at", ASCENDING)
        return [_counter(self._aggregates.stored(d)) for d in found]

    def open_alarms(self, site_id: str) -> int:
        """How many; also those of a document that cannot be read."""
        return int(self._collection.count_documents({"site_id": site_id, "alarm_open": True}))

    def left_over(self, site_id: str, today: str, limit: int) -> list[Loaded]:
        """Sessions of earlier days that nobody closed."""
        query = {"site_id": site_id, "working": True, "day": {"$lt": today}}
        stored = map(self._aggregates.stored, self._collection.find(query).sort("day", ASCENDING).limit(limit))
        return [Loaded(_counter(s), s) for s in stored]


@dataclass(frozen=True, slots=True)
class AtCounter:
    """A ticket that is at a counter now."""

    ticket: str
    number: str
    since: datetime | None


class Desks:
    """Who is at which counter: read from the tickets, which alone know it."""

    def __init__(self, store: Store) -> None:
        self._tickets = store.database["tickets"]

    def at(self, site_id: str, busy_keys: Sequence[str]) -> dict[str, AtCounter]:
        """By busy key. Its cost follows the number of keys."""
        query = {"site_id": site_id, "busy_key": {"$in": list(busy_keys)}, "at_counter": True}
        fields = dict.fromkeys(("busy_key", "number", "called_at", "serving_at"), 1)
        return {
            d["busy_key"]: AtCounter(d["_id"], d["number"], d["serving_at"] or d["called_at"])
            for d in self._tickets.find(query, fields)
        }


@dataclass(frozen=True, slots=True)
class Place:
    """A queue with its counters, as the catalogue tells."""

    queue: str
    agency: str
    counters: tuple[int, ...]


class Layout:
    """Which counters a site has: read from what views.Queues learned."""

    def __init__(self, store: Store) -> None:
        self._agencies, self._sites = store.database["agencies"], store.database["sites"]

    def places(self, site_id: str) -> list[Place]:
        """The queues of a site; its cost follows the number of the site's agencies."""
        within = {"_id": {"$gte": f"sites/{site_id}/agencies/", "$lt": f"sites/{site_id}/agencies0"}}
        found = self._agencies.find(within, {"queue": 1, "counters": 1})
        return [Place(d["queue"], d["_id"], tuple(d["counters"])) for d in found if d["queue"]]

    def zone(self, site_id: str) -> str:
        """The site's IANA zone. Raises NotFound."""
        found = self._sites.find_one({"_id": f"sites/{site_id}"})
        if found is None:
            raise NotFound(f"there is no sites/{site_id}")
        return str(found["time_zone"])

    def zones(self) -> Iterator[tuple[str, str]]:
        """Every site's id and zone."""
        for document in self._sites.find({}, {"time_zone": 1}):
            yield document["_id"].split("/")[1], document["time_zone"]


def _state(counter: Counter) -> dict[str, Any]:
    """The document's own fields. Flags of the indexes are derived here and nowhere else."""
    session, alarm = counter.session, counter.alarm
    return {
        "number": counter.number,
        "queue": counter.queue,
        "agency": counter.agency,
        "state": counter.state.value,
        "since": counter.since,
        "session": _session_document(session) if session else None,
        "working": session is not None,
        "day": session.day if session else "",
        "holder_key": counter.holder_key,
        "holds": counter.holder_key != "",
        "alarm": _alarm_document(alarm) if alarm else None,
        "alarm_open": alarm is not None and alarm.open,
        "alarm_at": alarm.raised_at if alarm else None,
        "history": [{"at": h.at, "actor": h.actor, "step": h.step, "reason": h.reason} for h in counter.history],
    }


def _session_document(session: Session) -> dict[str, Any]:
    return {
        "day": session.day,
        "queue": session.queue,
        "agency": session.agency,
        "officer": session.officer,
        "opened_at": session.opened_at,
        "since": session.since,
        "chosen": session.chosen,
        "offerings": list(session.services.offerings),
        "appointments_only": session.services.appointments_only,
        "planned_close": session.planned_close,
        "paused_ms": round(session.paused / timedelta(milliseconds=1)),
        "pause_reason": session.pause_reason,
    }


def _alarm_document(alarm: Alarm) -> dict[str, Any]:
    return {
        "raised_at": alarm.raised_at,
        "raised_by": alarm.raised_by,
        "presses": alarm.presses,
        "last_pressed_at": alarm.last_pressed_at,
        "acknowledged_at": alarm.acknowledged_at,
        "acknowledged_by": alarm.acknowledged_by,
    }


def _counter(stored: Stored) -> Counter:
    s = stored.state
    return Counter(
        name=stored.name,
        site_id=stored.site_id,
        number=s["number"],
        queue=s["queue"],
        agency=s["agency"],
        state=State(s["state"]),
        session=_session(s["session"]) if s["session"] else None,
        alarm=Alarm(**s["alarm"]) if s["alarm"] else None,
        since=s["since"],
        history=tuple(HistoryLine(h["at"], h["actor"], h["step"], h["reason"]) for h in s["history"]),
    )


def _session(s: Mapping[str, Any]) -> Session:
    return Session(
        day=s["day"],
        queue=s["queue"],
        agency=s["agency"],
        officer=s["officer"],
        opened_at=s["opened_at"],
        since=s["since"],
        chosen=s["chosen"],
        services=Services(tuple(s["offerings"]), s["appointments_only"]),
        planned_close=s["planned_close"],
        paused=timedelta(milliseconds=s["paused_ms"]),
        pause_reason=s["pause_reason"],
    )
