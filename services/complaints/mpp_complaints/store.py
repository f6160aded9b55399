"""Where complaints are kept: documents, indexes, finds. The only module that knows pymongo.

Knows how a complaint becomes a document and back, and which finds there are. Never opens what is sealed,
decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Stale, Store, Stored
from mpp_chassis.call import Command, Reach
from mpp_chassis.events import Event
from pymongo import ASCENDING, DESCENDING, IndexModel

from mpp_complaints.domain import ENDS, Class, Complaint, Entry, Overcharge, Party, State, Visibility

M = TypeVar("M", bound=Message)
COMPLAINTS = "complaints"
WAITS, ALARMS = "ticket_waits", "booking_alarms"
ALARMS_KEPT_SECONDS = 7 * 24 * 3600  # as long as a site may ask for work after an alarm
WAITS_KEPT_SECONDS = 180 * 24 * 3600  # by then each complaint about the ticket has copied its evidence

INDEXES: dict[str, list[IndexModel]] = {
    COMPLAINTS: [
        IndexModel([("site_id", ASCENDING), ("order", DESCENDING)], name="site_newest"),
        IndexModel([("site_id", ASCENDING), ("agency", ASCENDING), ("order", DESCENDING)], name="agency_newest"),
        IndexModel([("site_id", ASCENDING), ("owner", ASCENDING), ("order", DESCENDING)], name="owner_newest"),
        # Only what the sweep must still look at is in it: its cost follows what is open, not what is history.
        IndexModel([("look_at", ASCENDING)], name="due", sparse=True),
        IndexModel(
            [("site_id", ASCENDING), ("merged_into", ASCENDING)],
            name="merged",
            partialFilterExpression={"state": State.MERGED.value},
        ),
        # Those too whose missed deadline was told already: what the metrics of open complaints count.
        IndexModel([("due_at", ASCENDING)], name="open_due", partialFilterExpression={"open": True}),
    ],
    ALARMS: [
        IndexModel([("site", ASCENDING), ("open", ASCENDING), ("raised_at", ASCENDING)], name="open_since"),
        IndexModel([("raised_at", ASCENDING)], name="expiry", expireAfterSeconds=ALARMS_KEPT_SECONDS),
    ],
    WAITS: [IndexModel([("at", ASCENDING)], name="expiry", expireAfterSeconds=WAITS_KEPT_SECONDS)],
}


@dataclass(frozen=True, slots=True)
class OpenNow:
    """How many complaints of an agency are in one open state, and how many of them are past their moment."""

    site: str
    agency: str
    state: State
    count: int
    late: int


class Complaints:
    """The complaints of all sites."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, COMPLAINTS)

    def get(self, name: str) -> Complaint | None:
        stored = self._aggregates.load(name)
        return from_state(stored) if stored else None

    def create(self, new: Complaint, command: Command, reply: M, events: Sequence[Event]) -> M:
        """A repeated command gets the reply of the first."""
        return self._aggregates.create(new.name, new.site, to_state(new), command, reply, events)

    def repeated(self, name: str, command: Command, reply_type: type[M]) -> M | None:
        """The stored reply of a command that came before; None for a new one."""
        stored = self._aggregates.load(name)
        return self._aggregates.repeated(stored, command, reply_type) if stored else None

    def change(
        self,
        name: str,
        command: Command,
        reply_type: type[M],
        decide: Callable[[Complaint], tuple[Complaint, M, Sequence[Event]]],
    ) -> M:
        """Load, decide, save, again when another was faster. Raises NotFound, and what `decide` raises."""

        def decision(stored: Stored) -> Decision:
            changed, reply, events = decide(from_state(stored))
            return Decision(to_state(changed), reply, events)

        return self._aggregates.change(name, command, reply_type, decision)

    def due(self, now: datetime, limit: int) -> list[str]:
        """Names of complaints for which time alone may have something to do, longest due first."""
        found = self._aggregates.collection.find({"look_at": {"$lte": now}}, {"_id": 1})
        return [d["_id"] for d in found.sort("look_at", ASCENDING).limit(limit)]

    def open_now(self, now: datetime) -> list[OpenNow]:
        """All that are not at an end, counted."""
        group = {"_id": {"site": "$site_id", "agency": "$agency", "state": "$state"}, "count": {"$sum": 1}}

        def counted(due: dict[str, datetime]) -> dict[tuple[str, str, str], int]:
            lines = self._aggregates.collection.aggregate(
                [{"$match": {"open": True, "due_at": due}}, {"$group": group}]
            )
            return {(d["_id"]["site"], d["_id"]["agency"], d["_id"]["state"]): d["count"] for d in lines}

        late, ahead = counted({"$lte": now}), counted({"$gt": now})
        return [
            OpenNow(site, agency, State(state), late.get(key, 0) + ahead.get(key, 0), late.get(key, 0))
            for key in sorted(late.keys() | ahead.keys())
            for site, agency, state in (key,)
        ]

    def merged_into(self, name: str) -> list[str]:
        """Names of those that are merged into this one."""
        query = {"site_id": name.split("/complaints/")[0], "merged_into": name, "state": State.MERGED.value}
        return [d["_id"] for d in self._aggregates.collection.find(query, {"_id": 1})]

    def tick(
        self,
        name: str,
        command: Command,
        decide: Callable[[Complaint], tuple[Complaint, Sequence[Event]] | None],
    ) -> bool:
        """One try: False when there is nothing to do, or when somebody changed it meanwhile."""
        stored = self._aggregates.load(name)
        decided = decide(from_state(stored)) if stored else None
        if stored is None or decided is None:
            return False
        changed, events = decided
        try:
            self._aggregates.save(stored, to_state(changed), command, Empty(), events)
        except Stale:
            return False
        return True

    def newest(self, site: str, reach: Reach, owner: str, before: str, limit: int) -> list[Complaint]:
        """What `reach` covers, newest first, from below the order key `before` ("" for the start)."""
        query: dict[str, Any] = {"site_id": site}
        if reach.agency is not None:
            query["agency"] = reach.agency
        elif not reach.all:
            query["owner"] = owner
        if before:
            query["order"] = {"$lt": before}
        found = self._aggregates.collection.find(query).sort("order", DESCENDING).limit(limit)
        return [from_state(self._aggregates.stored(d)) for d in found]


def order_key(complaint: Complaint) -> str:
    """Sorts by time of receipt, then by id; so a page needs one range on one field."""
    return f"{int(complaint.received_at.timestamp() * 1000):013d}-{complaint.name.rsplit('/', 1)[1]}"


def to_state(c: Complaint) -> dict[str, Any]:
    state: dict[str, Any] = {
        "order": order_key(c),
        "agency": c.handled_by,  # who works on it finds it; `about` where that is another
        "about": c.agency if c.routed_to is not None else "",
        "overcharge": _overcharge_state(c.overcharge),
        "owner": c.owner,
        "ticket": c.ticket,
        "application": c.application,
        "subject": c.subject,
        "words": list(c.words),
        "sealed_phone": c.sealed_phone,
        "visibility": c.visibility.value,
        "class": c.classified.value,
        "state": c.state.value,
        "received_at": c.received_at,
        "due_at": c.due_at,
        "open": c.state not in ENDS,
        "settle_by": c.settle_by,
        "legal_by": c.legal_by,
        "answer": c.answer,
        "rating": c.rating,
        "escalation_level": c.escalation_level,
        "reopenings": c.reopenings,
        "info_requests": c.info_requests,
        "asked_from": c.asked_from.value if c.asked_from else None,
        "merged_into": c.merged_into,
        "waited_seconds": c.waited_seconds,
        "missed": list(c.missed),
        "history": [
            {"state": e.state.value, "at": e.at, "actor": e.actor, "party": e.party.value, "reason": e.reason}
            for e in c.history
        ],
    }
    if c.look_at is not None:
        state["look_at"] = c.look_at
    return state


def from_state(stored: Stored) -> Complaint:
    s = stored.state
    about = s.get("about", "")
    return Complaint(
        name=stored.name,
        agency=about or s["agency"],
        routed_to=s["agency"] if about else None,
        overcharge=_overcharge(s.get("overcharge")),
        subject=s["subject"],
        words=tuple(s["words"]),
        visibility=Visibility(s["visibility"]),
        classified=Class(s["class"]),
        state=State(s["state"]),
        received_at=s["received_at"],
        due_at=s["due_at"],
        ticket=s["ticket"],
        application=s["application"],
        owner=s["owner"],
        sealed_phone=s["sealed_phone"],
        answer=s["answer"],
        rating=s["rating"],
        escalation_level=s["escalation_level"],
        reopenings=s["reopenings"],
        info_requests=s["info_requests"],
        asked_from=State(s["asked_from"]) if s["asked_from"] else None,
        settle_by=s["settle_by"],
        legal_by=s["legal_by"],
        merged_into=s["merged_into"],
        waited_seconds=s["waited_seconds"],
        missed=tuple(s["missed"]),
        history=tuple(
            Entry(State(e["state"]), e["at"], e["actor"], Party(e["party"]), e["reason"]) for e in s["history"]
        ),
    )


def _overcharge_state(o: Overcharge | None) -> dict[str, Any] | None:
    if o is None:
        return None
    return {"asked_idr": o.asked_idr, "official_idr": o.official_idr, "published": o.published, "offering": o.offering}


def _overcharge(state: dict[str, Any] | None) -> Overcharge | None:
    if state is None:
        return None
    return Overcharge(state["asked_idr"], state["official_idr"], bytes(state["published"]), state["offering"])
