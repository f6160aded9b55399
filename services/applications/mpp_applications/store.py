"""The documents of applications: how one is written and read back, and the finds by index. The only pymongo
user.

Knows fields and indexes. Never knows why a state changes, and never sees a person's data unsealed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Stale, Store, Stored
from mpp_chassis.call import Command
from mpp_chassis.events import Event
from pymongo import ASCENDING, DESCENDING, IndexModel

from mpp_applications.domain import (
    RUNNING,
    Application,
    Clock,
    Flag,
    HistoryEntry,
    Pickup,
    Promise,
    SealedApplicant,
    State,
    Unit,
)

M = TypeVar("M", bound=Message)
APPLICATIONS = "applications"
TICKETS_KEPT_SECONDS = 30 * 24 * 3600  # a ticket is of one day; what is older proves nothing at a counter

INDEXES: dict[str, list[IndexModel]] = {
    APPLICATIONS: [
        IndexModel(
            [
                ("site_id", ASCENDING),
                ("nik_index", ASCENDING),
                ("offering", ASCENDING),
                ("open", ASCENDING),
            ],
            name="duplicates",
        ),
        IndexModel([("site_id", ASCENDING), ("agency", ASCENDING), ("order", DESCENDING)], name="by_agency"),
        IndexModel([("site_id", ASCENDING), ("owner_keys", ASCENDING), ("order", DESCENDING)], name="by_owner"),
        # Holds only files whose clock runs: the sweep's cost follows what is under way, never history.
        IndexModel([("flag_at", ASCENDING)], name="flag_at", sparse=True),
        # Those too whose deadline has passed and was told: what the metrics of due files count.
        IndexModel([("due_at", ASCENDING)], name="due_at", partialFilterExpression={"clock_runs": True}),
    ],
    "tickets": [IndexModel([("served_at", ASCENDING)], name="forget", expireAfterSeconds=TICKETS_KEPT_SECONDS)],
}


class Applications:
    """The collection of applications. Safe for many threads and processes."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, APPLICATIONS)

    def create(self, application: Application, site_id: str, command: Command, reply: M, events: Sequence[Event]) -> M:
        """Insert; a repeated command gets its stored reply."""
        return self._aggregates.create(application.name, site_id, to_state(application), command, reply, events)

    def load(self, name: str) -> Application | None:
        stored = self._aggregates.load(name)
        return to_application(stored) if stored else None

    def change(self, name: str, command: Command, reply_type: type[M], decide: Callable[[Stored], Decision]) -> M:
        """Load, decide, save; see `Aggregates.change`."""
        return self._aggregates.change(name, command, reply_type, decide)

    def has_open(self, site_id: str, nik_index: str, offering: str, besides: str) -> bool:
        """Whether this person has another open file for this offering, as far as committed writes tell."""
        wanted = {"site_id": site_id, "nik_index": nik_index, "offering": offering, "open": True}
        found = self._aggregates.collection.find(wanted, {"_id": 1}).limit(2)
        return any(document["_id"] != besides for document in found)

    def of_agency(self, site_id: str, agency: str, before: str, limit: int) -> list[Application]:
        return self._page({"site_id": site_id, "agency": agency}, before, limit)

    def of_owner(self, site_id: str, owner_keys: Sequence[str], before: str, limit: int) -> list[Application]:
        return self._page({"site_id": site_id, "owner_keys": {"$in": list(owner_keys)}}, before, limit)

    def due(self, now: datetime, limit: int) -> list[Stored]:
        """Files with a deadline flag to raise by `now`, the oldest first."""
        found = self._aggregates.collection.find({"flag_at": {"$lte": now}})
        return [self._aggregates.stored(d) for d in found.sort("flag_at", ASCENDING).limit(limit)]

    def count_due(self, after: datetime | None, until: datetime) -> list[tuple[str, str, int]]:
        """(site id, agency, files) whose clock runs and ends in the time from `after` (None: ever) to `until`."""
        due = {"$lte": until, **({"$gt": after} if after else {})}
        group = {"_id": {"site": "$site_id", "agency": "$agency"}, "count": {"$sum": 1}}
        found = self._aggregates.collection.aggregate(
            [{"$match": {"clock_runs": True, "due_at": due}}, {"$group": group}]
        )
        return [(d["_id"]["site"], d["_id"]["agency"], d["count"]) for d in found]

    def save_flags(
        self,
        stored: Stored,
        application: Application,
        command: Command,
        reply: Message,
        events: Sequence[Event],
    ) -> bool:
        """False, and nothing written, when somebody changed the file meanwhile."""
        try:
            self._aggregates.save(stored, to_state(application), command, reply, events)
        except Stale:
            return False
        return True

    def _page(self, wanted: dict[str, Any], before: str, limit: int) -> list[Application]:
        """Newest first; `before` is the `order_key` after which the page goes on, "" for the first."""
        query = {**wanted, "order": {"$lt": before}} if before else wanted
        found = self._aggregates.collection.find(query, {"replies": 0, "outbox": 0})
        documents = found.sort("order", DESCENDING).limit(limit)
        return [to_application(self._aggregates.stored(d)) for d in documents]


def order_key(application: Application) -> str:
    """By time of creation, then by name: one text, so that a page goes on with a single comparison."""
    return f"{application.created_at:%Y%m%dT%H%M%S.%f}-{application.name.rsplit('/', 1)[1]}"


def to_state(a: Application) -> dict[str, Any]:
    """The document's own fields. `flag_at` is absent while no flag can fall due: its index is sparse."""
    state: dict[str, Any] = {
        "offering": a.offering,
        "agency": a.agency,
        "ticket": a.ticket,
        "applicant": {
            "full_name": a.applicant.full_name,
            "nik": a.applicant.nik,
            "phone": a.applicant.phone,
        },
        "nik_index": a.applicant.nik_index,
        "owner_keys": list(a.owner_keys),
        "requirements": list(a.requirements),
        "presented": list(a.presented),
        "promise": {"amount": a.promise.amount, "unit": str(a.promise.unit)} if a.promise else None,
        "state": str(a.state),
        "open": a.is_open,
        "order": order_key(a),
        "created_at": a.created_at,
        "updated_at": a.updated_at,
        "history": [{"state": str(h.state), "at": h.at, "actor": h.actor, "reason": h.reason} for h in a.history],
        "flags": sorted(a.flags),
        "warnings": list(a.warnings),
        "reason": a.reason,
        "document_number": a.document_number,
        "clock": _clock_to_state(a.clock),
        "resumes_to": str(a.resumes_to) if a.resumes_to else None,
        "pickup": {"code_hash": a.pickup.code_hash, "wrong_tries": a.pickup.wrong_tries} if a.pickup else None,
    }
    state["clock_runs"] = a.clock is not None and a.state in RUNNING
    state["due_at"] = a.clock.due_at if a.clock else None
    if due := a.next_flag:
        state["flag_at"] = due[0]
    return state


def to_application(stored: Stored) -> Application:
    s = stored.state
    return Application(
        name=stored.name,
        site=f"sites/{stored.site_id}",
        offering=s["offering"],
        agency=s["agency"],
        ticket=s["ticket"],
        applicant=SealedApplicant(**s["applicant"], nik_index=s["nik_index"]),
        owner_keys=tuple(s["owner_keys"]),
        requirements=tuple(s["requirements"]),
        presented=tuple(s["presented"]),
        promise=Promise(s["promise"]["amount"], Unit(s["promise"]["unit"])) if s["promise"] else None,
        state=State(s["state"]),
        created_at=s["created_at"],
        updated_at=s["updated_at"],
        history=tuple(HistoryEntry(State(h["state"]), h["at"], h["actor"], h["reason"]) for h in s["history"]),
        flags=frozenset(Flag(f) for f in s["flags"]),
        warnings=tuple(s["warnings"]),
        reason=s["reason"],
        document_number=s["document_number"],
        clock=Clock(**s["clock"]) if s["clock"] else None,
        resumes_to=State(s["resumes_to"]) if s["resumes_to"] else None,
        pickup=Pickup(**s["pickup"]) if s["pickup"] else None,
    )


def _clock_to_state(clock: Clock | None) -> Mapping[str, datetime | None] | None:
    if clock is None:
        return None
    return {
        "accepted_at": clock.accepted_at,
        "at_risk_at": clock.at_risk_at,
        "due_at": clock.due_at,
        "paused_at": clock.paused_at,
    }
