"""Tickets as documents: the mapping, the indexes, and every query. The only pymongo import of the service.

Knows fields and indexes; never knows a rule. Each query names all leading fields of an index, so that its
cost follows what it returns and never the history of the queue.

What the indexes guarantee, whatever processes do: a number is given once a queue and day (`ticket_number`); a
counter has one citizen (`counter_taken`); a CallNext command calls one ticket (`first_call`, `second_call`).
The last three are partial: a ticket that waits is in none of them, which makes taking a ticket cheaper. A
look-up by a partial index names its condition too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored
from mpp_chassis.call import Command
from mpp_chassis.events import Event
from pymongo import ASCENDING, DESCENDING, IndexModel

from mpp_queue.counters.store import INDEXES as COUNTER_INDEXES
from mpp_queue.domain import OPEN, HistoryLine, PriorityGroup, State, Ticket

M = TypeVar("M", bound=Message)

NUMBER_INDEX = "ticket_number"
LINE = [("site_id", ASCENDING), ("queue", ASCENDING), ("state", ASCENDING), ("day", ASCENDING), ("rank", ASCENDING)]


def _unique_while(flag: str, key: str, name: str) -> IndexModel:
    keys = [("site_id", ASCENDING), (key, ASCENDING)]
    return IndexModel(keys, name=name, unique=True, partialFilterExpression={flag: True})


INDEXES: dict[str, list[IndexModel]] = {
    "tickets": [
        IndexModel(
            [("site_id", ASCENDING), ("queue", ASCENDING), ("day", ASCENDING), ("seq", ASCENDING)],
            name=NUMBER_INDEX,
            unique=True,
        ),
        IndexModel(LINE, name="line"),
        _unique_while("at_counter", "busy_key", "counter_taken"),
        _unique_while("has_call", "call_key", "first_call"),
        _unique_while("has_second_call", "second_call_key", "second_call"),
    ],
    # Read models, see views.py.
    "agencies": [
        IndexModel([("queue", ASCENDING)], name="by_queue"),
        IndexModel([("former", ASCENDING)], name="by_former_queue"),
    ],
    "sites": [],
    **COUNTER_INDEXES,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A ticket and the document it came from."""

    ticket: Ticket
    stored: Stored


@dataclass(frozen=True, slots=True)
class Visit:
    """A line of the read model: one ticket that was called lately, newest call first."""

    number: str
    counter: int
    called_at: Any
    priority: bool
    length: timedelta | None


@dataclass(frozen=True, slots=True)
class OpenNow:
    """How many tickets of a queue are in one open state, and when the oldest of them was taken."""

    queue: str
    state: State
    count: int
    oldest: datetime


class Tickets:
    """The collection of tickets. Safe for many threads and processes."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, "tickets")
        self._collection = self._aggregates.collection

    def create(self, ticket: Ticket, command: Command, reply: M, events: Sequence[Event]) -> M:
        """One insert. Raises Taken with `NUMBER_INDEX` when the number is given already."""
        return self._aggregates.create(ticket.name, ticket.site_id, to_state(ticket), command, reply, events)

    def save(self, before: Loaded, after: Ticket, command: Command, reply: M, events: Sequence[Event]) -> M:
        """One compare-and-set. Raises Stale; Taken when the counter or the command has another ticket."""
        return self._aggregates.save(before.stored, to_state(after), command, reply, events)

    def change(self, name: str, command: Command, reply_type: type[M], decide: Any) -> M:
        """`decide(ticket) -> (ticket, reply, events)`, again while others win the race. Raises NotFound,
        Aborted.
        """

        def decision(stored: Stored) -> Decision:
            after, reply, events = decide(to_ticket(stored))
            return Decision(to_state(after), reply, events)

        return self._aggregates.change(name, command, reply_type, decision)

    def load(self, name: str) -> Ticket | None:
        stored = self._aggregates.load(name)
        return to_ticket(stored) if stored else None

    def reply(self, name: str, command: Command, reply_type: type[M]) -> M | None:
        """What a command that came before was answered. Raises REQUEST_ID_REUSED for another body."""
        stored = self._aggregates.load(name)
        return self._aggregates.repeated(stored, command, reply_type) if stored else None

    def reply_of_call(self, site_id: str, command: Command, reply_type: type[M]) -> M | None:
        """The reply of a CallNext that came before, found by the ticket that it called."""
        for flag, key in (("has_call", "call_key"), ("has_second_call", "second_call_key")):
            found = self._collection.find_one({"site_id": site_id, key: command.key, flag: True})
            if found is not None:
                return self._aggregates.repeated(self._aggregates.stored(found), command, reply_type)
        return None

    def at_counter(self, site_id: str, busy_key: str) -> Ticket | None:
        """The ticket that is at the counter now."""
        found = self._collection.find_one({"site_id": site_id, "busy_key": busy_key, "at_counter": True})
        return to_ticket(self._aggregates.stored(found)) if found else None

    def waiting(self, site_id: str, queue: str, day: str, limit: int, from_rank: str = "") -> list[Loaded]:
        """The first waiting tickets in the order of their rank, from `from_rank` on."""
        query = {"site_id": site_id, "queue": queue, "state": State.WAITING.value, "day": day}
        return self._loaded({**query, "rank": {"$gte": from_rank}}, limit)

    def open_before(self, site_id: str, queue: str, day: str, limit: int) -> list[Loaded]:
        """Tickets of earlier days that nobody ended."""
        states = {"$in": [state.value for state in OPEN]}
        found = self._collection.find({"site_id": site_id, "queue": queue, "state": states, "day": {"$lt": day}}).limit(
            limit
        )
        return [Loaded(to_ticket(s), s) for s in map(self._aggregates.stored, found)]

    def last_seq(self, site_id: str, queue: str, day: str) -> int:
        """The greatest number given out; 0 when there is none."""
        query = {"site_id": site_id, "queue": queue, "day": day, "seq": {"$gte": 1}}
        for document in self._collection.find(query, {"seq": 1}).sort("seq", DESCENDING).limit(1):
            return int(document["seq"])
        return 0

    def count_waiting(self, site_id: str, queue: str, day: str) -> tuple[int, int]:
        """How many wait with priority, and without. Its cost follows the number who wait."""
        match = {"site_id": site_id, "queue": queue, "state": State.WAITING.value, "day": day}
        group = {"_id": "$priority", "n": {"$sum": 1}}
        counts = {g["_id"]: g["n"] for g in self._collection.aggregate([{"$match": match}, {"$group": group}])}
        return int(counts.get(True, 0)), int(counts.get(False, 0))

    def open_now(self, site_id: str, queues: Sequence[str], day: str) -> list[OpenNow]:
        """What is open in these queues of one site. Its cost follows the number who are there."""
        states = {"$in": [state.value for state in OPEN]}
        match = {"site_id": site_id, "queue": {"$in": list(queues)}, "state": states, "day": day}
        group = {
            "_id": {"queue": "$queue", "state": "$state"},
            "count": {"$sum": 1},
            "oldest": {"$min": "$issued_at"},
        }
        found = self._collection.aggregate([{"$match": match}, {"$group": group}])
        return [OpenNow(d["_id"]["queue"], State(d["_id"]["state"]), d["count"], d["oldest"]) for d in found]

    def lately_called(self, site_id: str, queue: str, day: str, limit: int) -> list[Visit]:
        """Tickets at the counters and the last finished ones, newest call first."""
        base = {"site_id": site_id, "queue": queue, "day": day}
        fields = ("number", "counter", "called_at", "serving_at", "ended_at", "priority")
        found = []
        for state in (State.CALLED, State.SERVING, State.FINISHED):
            query = {**base, "state": state.value, "rank": {"$gte": ""}}
            cursor = self._collection.find(query, dict.fromkeys(fields, 1))
            found += list(cursor.sort("rank", DESCENDING).limit(limit))
        found.sort(key=lambda d: d["called_at"], reverse=True)
        return [_visit(d) for d in found[:limit]]

    def _loaded(self, query: Mapping[str, Any], limit: int) -> list[Loaded]:
        found = self._collection.find(query).sort("rank", ASCENDING).limit(limit)
        return [Loaded(to_ticket(s), s) for s in map(self._aggregates.stored, found)]


def _visit(document: Mapping[str, Any]) -> Visit:
    begin, end = document["serving_at"], document["ended_at"]
    length = max(end - begin, timedelta(0)) if begin and end else None
    return Visit(document["number"], document["counter"], document["called_at"], document["priority"], length)


def to_state(ticket: Ticket) -> dict[str, Any]:
    """The document's own fields. Flags of the partial indexes are derived here and nowhere else."""
    return {
        "queue": ticket.queue,
        "agency": ticket.agency,
        "day": ticket.day,
        "seq": ticket.seq,
        "number": ticket.number,
        "offering": ticket.offering,
        "group": ticket.group.value,
        "priority": ticket.priority,
        "state": ticket.state.value,
        "rank": ticket.rank,
        "issued_at": ticket.issued_at,
        "called_at": ticket.called_at,
        "serving_at": ticket.serving_at,
        "ended_at": ticket.ended_at,
        "counter": ticket.counter,
        "calls": ticket.calls,
        "misses": ticket.misses,
        "reason": ticket.reason,
        "call_key": ticket.call_key,
        "has_call": ticket.call_key != "",
        "second_call_key": ticket.second_call_key,
        "has_second_call": ticket.second_call_key != "",
        "busy_key": ticket.busy_key,
        "at_counter": ticket.busy_key != "",
        "owners": list(ticket.owners),
        "sealed_phone": ticket.sealed_phone,
        "masked_phone": ticket.masked_phone,
        "applications": list(ticket.applications),
        "history": [
            {"at": h.at, "actor": h.actor, "step": h.step, "state": h.state.value, "reason": h.reason}
            for h in ticket.history
        ],
    }


def to_ticket(stored: Stored) -> Ticket:
    """From a whole document."""
    s = stored.state
    return Ticket(
        name=stored.name,
        site_id=stored.site_id,
        queue=s["queue"],
        agency=s["agency"],
        day=s["day"],
        seq=s["seq"],
        number=s["number"],
        offering=s["offering"],
        group=PriorityGroup(s["group"]),
        priority=s["priority"],
        state=State(s["state"]),
        rank=s["rank"],
        issued_at=s["issued_at"],
        call_key=s["call_key"],
        second_call_key=s["second_call_key"],
        busy_key=s["busy_key"],
        owners=tuple(s["owners"]),
        sealed_phone=s["sealed_phone"],
        masked_phone=s["masked_phone"],
        called_at=s["called_at"],
        serving_at=s["serving_at"],
        ended_at=s["ended_at"],
        counter=s["counter"],
        calls=s["calls"],
        misses=s["misses"],
        reason=s["reason"],
        applications=tuple(s["applications"]),
        history=tuple(
            HistoryLine(h["at"], h["actor"], h["step"], State(h["state"]), h["reason"]) for h in s["history"]
        ),
    )
