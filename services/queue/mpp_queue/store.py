"""Tickets as documents: the mapping, the indexes, and every query. The only pymongo import of the service.

Knows fields and indexes; never knows a rule. Each query names all leading fields of an index, so that its
cost follows what it returns and never the history of the queue.

What the indexes guarantee, whatever processes do: a number is given once a queue and day (`ticket_number`); a
counter has one citizen (`counter_taken`); the citizen of a visit is at one counter (`visit_taken`); a person has so many
tickets a day and no more (`quota_taken`); a CallNext command calls one ticket (`first_call`, `second_call`).
All but the first are partial: a ticket that waits is in none of them (but the quota's), which makes taking a ticket
cheaper. A look-up by a partial index names its condition too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored
from mpp_chassis.call import Command
from mpp_chassis.events import Event
from mpp_chassis.projection import TOUCHED
from pymongo import ASCENDING, DESCENDING, IndexModel

from mpp_queue.counters.store import INDEXES as COUNTER_INDEXES
from mpp_queue.domain import (
    OFFLINE_BASE,
    OPEN,
    OTHERS,
    Delivery,
    HistoryLine,
    PriorityGroup,
    State,
    Ticket,
)

M = TypeVar("M", bound=Message)

NUMBER_INDEX = "ticket_number"
COUNTER_INDEX = "counter_taken"
VISIT_INDEX = "visit_taken"
QUOTA_INDEX = "quota_taken"
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
        _unique_while("at_counter", "busy_key", COUNTER_INDEX),
        _unique_while("at_counter_of_visit", "visit_key", VISIT_INDEX),
        _unique_while("has_quota", "quota_key", QUOTA_INDEX),
        # Who was called lately, whatever came of it: for the board, the estimate and the turn of the classes.
        IndexModel(
            [("site_id", ASCENDING), ("queue", ASCENDING), ("day", ASCENDING), ("last_call", ASCENDING)],
            name="calls",
            partialFilterExpression={"was_called": True},
        ),
        _unique_while("has_call", "call_key", "first_call"),
        _unique_while("has_second_call", "second_call_key", "second_call"),
    ],
    # Read models, see views.py.
    "agencies": [
        IndexModel([("queue", ASCENDING)], name="by_queue"),
        IndexModel([("former", ASCENDING)], name="by_former_queue"),
        TOUCHED,
    ],
    "sites": [TOUCHED],
    "offerings": [],
    **COUNTER_INDEXES,
}


REMEMBERED = 1024  # tickets as this process wrote them last: whoever is called is served and finished next
# Tickets of one queue, state and millisecond; more would not be paged through.
SAME_RANK = 20


class Desk(Protocol):
    """What a counter may call: see counters/domain.py."""

    @property
    def offerings(self) -> frozenset[str]: ...

    @property
    def appointments_only(self) -> bool: ...


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
    called_at: datetime
    priority_class: str
    length: timedelta | None
    state: State = State.FINISHED
    turn_at: datetime | None = None
    offering: str = ""
    serving_at: datetime | None = None
    booked: float = 0.0  # seconds
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """`count` tickets of one class that wait for one offering. `booked`: seconds that were booked for each; 0: none."""

    priority_class: str
    offering: str
    booked: float
    count: int


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
        self._aggregates = Aggregates(store, "tickets", remembered=REMEMBERED)
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

    def reply_of_call(
        self, site_id: str, command: Command, reply_type: type[M], *, second_only: bool = False
    ) -> M | None:
        """The reply of a CallNext that came before, found by the ticket that it called. `second_only`: by a ticket that had
        been called by another before.
        """
        for flag, key in (("has_second_call", "second_call_key"), ("has_call", "call_key"))[: 1 if second_only else 2]:
            found = self._collection.find_one({"site_id": site_id, key: command.key, flag: True})
            if found is not None:
                return self._aggregates.repeated(self._aggregates.stored(found), command, reply_type)
        return None

    def at_counter(self, site_id: str, busy_key: str) -> Ticket | None:
        """The ticket that is at the counter now."""
        found = self._collection.find_one({"site_id": site_id, "busy_key": busy_key, "at_counter": True})
        return to_ticket(self._aggregates.stored(found)) if found else None

    def with_visitor(self, site_id: str, visit_key: str) -> Ticket | None:
        """The ticket of a visit that is at a counter now; None for no visit."""
        if not visit_key:
            return None
        found = self._collection.find_one({"site_id": site_id, "visit_key": visit_key, "at_counter_of_visit": True})
        return to_ticket(self._aggregates.stored(found)) if found else None

    def visitors_at_counters(self, site_id: str, visits: Iterable[str]) -> set[str]:
        """Those of these visits whose citizens are at a counter now."""
        wanted = sorted(set(visits) - {""})
        if not wanted:
            return set()
        query = {"site_id": site_id, "visit_key": {"$in": wanted}, "at_counter_of_visit": True}
        return {d["visit_key"] for d in self._collection.find(query, {"visit_key": 1})}

    def waiting(
        self, site_id: str, queue: str, day: str, limit: int, from_rank: str = "", desk: Desk | None = None
    ) -> list[Loaded]:
        """The first waiting tickets in the order of their rank, from `from_rank` on. `desk`: only those it may call;
        the cost then follows those it passes over, too.
        """
        query = {"site_id": site_id, "queue": queue, "state": State.WAITING.value, "day": day}
        only: dict[str, Any] = {}
        if desk is not None and desk.offerings:
            only["offering"] = {"$in": ["", *sorted(desk.offerings)]}
        if desk is not None and desk.appointments_only:
            only["appointment"] = {"$gt": ""}
        return self._loaded({**query, "rank": {"$gte": from_rank}, **only}, limit)

    def open_page(
        self, site_id: str, queue: str, day: str, state: State, limit: int, after: tuple[str, str] = ("", "")
    ) -> list[Loaded]:
        """Tickets of one open state in the order of rank and name, those after `after` (rank, name)."""
        query = {"site_id": site_id, "queue": queue, "state": state.value, "day": day, "rank": {"$gte": after[0]}}
        loaded = [one for one in self._loaded(query, limit + SAME_RANK) if (one.ticket.rank, one.ticket.name) > after]
        return sorted(loaded, key=lambda one: (one.ticket.rank, one.ticket.name))[:limit]

    def open_before(self, site_id: str, queue: str, day: str, limit: int) -> list[Loaded]:
        """Tickets of earlier days that nobody ended."""
        states = {"$in": [state.value for state in OPEN]}
        found = self._collection.find({"site_id": site_id, "queue": queue, "state": states, "day": {"$lt": day}}).limit(
            limit
        )
        return [Loaded(to_ticket(s), s) for s in map(self._aggregates.stored, found)]

    def last_seq(self, site_id: str, queue: str, day: str) -> int:
        """The greatest number drawn; 0 when there is none. Offline and kept numbers are no part of the sequence."""
        query = {"site_id": site_id, "queue": queue, "day": day, "seq": {"$gte": 1, "$lt": OFFLINE_BASE}}
        for document in self._collection.find(query, {"seq": 1}).sort("seq", DESCENDING).limit(1):
            return int(document["seq"])
        return 0

    def count_uncounted(self, site_id: str, queue: str, day: str, below: int) -> int:
        """How many numbers before `below` do not count in the daily contingent. Its cost follows the day's numbers: for
        the few who come when the contingent is used up.
        """
        query = {"site_id": site_id, "queue": queue, "day": day, "seq": {"$gte": 1, "$lt": below}}
        return int(self._collection.count_documents({**query, "appointment": {"$gt": ""}}))

    def count_waiting(self, site_id: str, queue: str, day: str) -> list[Standing]:
        """How many wait, by class and by what for. Its cost follows the number who wait."""
        match = {"site_id": site_id, "queue": queue, "state": State.WAITING.value, "day": day}
        key = {
            "class": "$priority_class", "priority": "$priority", "offering": "$offering", "booked": "$expected_seconds",
        }  # fmt: skip
        found = self._collection.aggregate([{"$match": match}, {"$group": {"_id": key, "n": {"$sum": 1}}}])
        return [_standing(d["_id"], d["n"]) for d in found]

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
        """Tickets that were called, newest call first, whatever became of them."""
        query = {"site_id": site_id, "queue": queue, "day": day, "was_called": True, "last_call": {"$gt": ""}}
        cursor = self._collection.find(query, dict.fromkeys(_VISIT_FIELDS, 1)).sort("last_call", DESCENDING)
        return [_visit(d) for d in cursor.limit(limit)]

    def short_day(
        self, site_id: str, queue: str, day: str, limit: int
    ) -> tuple[int, list[Standing], list[Visit]] | None:
        """What `last_seq`, `count_waiting` and `lately_called` tell, in one query; None where the day has more than `limit`
        tickets already.
        """
        query = {"site_id": site_id, "queue": queue, "day": day}
        fields = dict.fromkeys((*_VISIT_FIELDS, "seq", "was_called"), 1)
        documents = list(self._collection.find(query, fields).sort("seq", DESCENDING).limit(limit + 1))
        if len(documents) > limit:
            return None
        last_seq = max((int(d["seq"]) for d in documents if 1 <= d["seq"] < OFFLINE_BASE), default=0)
        waiting = Counter(
            (
                _class_of(d.get("priority_class"), d["priority"]),
                d.get("offering") or "",
                float(d.get("expected_seconds") or 0.0),
            )
            for d in documents
            if d["state"] == State.WAITING.value
        )
        called = sorted((d for d in documents if d.get("was_called")), key=lambda d: str(d["last_call"]), reverse=True)
        return last_seq, [Standing(*key, count) for key, count in waiting.items()], [_visit(d) for d in called]

    def _loaded(self, query: Mapping[str, Any], limit: int) -> list[Loaded]:
        found = self._collection.find(query).sort("rank", ASCENDING).limit(limit)
        return [Loaded(to_ticket(s), s) for s in map(self._aggregates.stored, found)]


_VISIT_FIELDS = (
    "number", "counter", "called_at", "last_call", "turn_at", "serving_at", "ended_at", "away_seconds",
    "priority_class", "priority", "state", "offering", "expected_seconds", "channel",
)  # fmt: skip


def _visit(document: Mapping[str, Any]) -> Visit:
    begin, end, state = document["serving_at"], document["ended_at"], State(document["state"])
    done = begin and end and state is State.FINISHED
    length = max(end - begin - _span(document.get("away_seconds")), timedelta(0)) if done else None
    return Visit(
        number=document["number"],
        counter=document["counter"],
        called_at=datetime.fromtimestamp(int(document["last_call"]) / 1000, UTC),
        priority_class=_class_of(document.get("priority_class"), document["priority"]),
        length=length,
        state=state,
        turn_at=document.get("turn_at"),
        offering=document["offering"],
        serving_at=begin,
        booked=document.get("expected_seconds") or 0.0,
        channel=document.get("channel", ""),
    )


def _standing(key: Mapping[str, Any], count: int) -> Standing:
    named = _class_of(key.get("class"), key["priority"])
    return Standing(named, key.get("offering") or "", float(key.get("booked") or 0.0), int(count))


def _class_of(named: str | None, priority: bool) -> str:
    """Version 0.2.0 knew two classes and kept only whether it was the first."""
    return named or ("priority" if priority else OTHERS)


def _span(seconds: float | None) -> timedelta:
    return timedelta(seconds=seconds or 0.0)


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
        "priority_class": ticket.priority_class,
        "channel": ticket.channel,
        "state": ticket.state.value,
        "rank": ticket.rank,
        "issued_at": ticket.issued_at,
        "arrived_at": ticket.arrived_at,
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
        **{key: value for key, value in _sparse(ticket).items() if value},
    }


def _sparse(ticket: Ticket) -> dict[str, Any]:
    """Fields that most tickets do not have: left out when they say nothing, so that a new ticket's document is small."""
    return {
        "visit_key": ticket.visit_key,
        "at_counter_of_visit": ticket.visit_key != "",
        "quota_key": ticket.quota_key,
        "has_quota": ticket.quota_key != "",
        "given_up": ticket.person_key != "" and ticket.given_up,
        "last_call": ticket.last_call,
        "was_called": ticket.last_call != "",
        "waiting_rank": ticket.waiting_rank,
        "turn_at": ticket.turn_at,
        "called_by": ticket.called_by,
        "out_of_turn": ticket.out_of_turn,
        "resumed": ticket.resumed,
        "walked_seconds": ticket.walked.total_seconds(),
        "away_since": ticket.away_since,
        "away_seconds": ticket.away.total_seconds(),
        "person_key": ticket.person_key,
        "holder_key": ticket.holder_key,
        "phone_key": ticket.phone_key,
        "device_key": ticket.device_key,
        "visit": ticket.visit,
        "appointment": ticket.appointment,
        "parent": ticket.parent,
        "child": ticket.child,
        "expected_seconds": ticket.expected.total_seconds() if ticket.expected else 0.0,
        "delivery": ticket.delivery.value,
        "delivered": list(ticket.delivered),
        "time_inaccurate": ticket.time_inaccurate,
    }


def to_ticket(stored: Stored) -> Ticket:
    """From a whole document. What version 0.2.0 wrote lacks the later fields, which then have their defaults."""
    s = stored.state
    get = s.get
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
        arrived_at=get("arrived_at") or s["issued_at"],
        channel=get("channel", ""),
        priority_class=_class_of(get("priority_class"), s["priority"]),
        call_key=s["call_key"],
        second_call_key=s["second_call_key"],
        busy_key=s["busy_key"],
        visit_key=get("visit_key", ""),
        quota_key=get("quota_key", ""),
        last_call=get("last_call", ""),
        waiting_rank=get("waiting_rank", ""),
        turn_at=get("turn_at"),
        called_by=get("called_by", ""),
        out_of_turn=get("out_of_turn", False),
        resumed=get("resumed", False),
        walked=_span(get("walked_seconds")),
        away_since=get("away_since"),
        away=_span(get("away_seconds")),
        person_key=get("person_key", ""),
        holder_key=get("holder_key", ""),
        phone_key=get("phone_key", ""),
        device_key=get("device_key", ""),
        visit=get("visit", ""),
        appointment=get("appointment", ""),
        parent=get("parent", ""),
        child=get("child", ""),
        expected=_span(get("expected_seconds")) if get("expected_seconds") else None,
        delivery=Delivery(get("delivery", "")),
        delivered=tuple(get("delivered", ())),
        time_inaccurate=get("time_inaccurate", False),
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
