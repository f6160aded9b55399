"""Visits as documents, and what is read of their tickets. Knows fields and indexes; never knows a rule.

A visit is found by its name alone, its tickets by theirs: the collection needs no index of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored
from mpp_chassis.call import Command
from mpp_chassis.events import Event
from pymongo import IndexModel

from mpp_queue.domain import Holder, PriorityGroup, State, Ticket
from mpp_queue.store import to_ticket
from mpp_queue.visits.domain import Visit, Wish

M = TypeVar("M", bound=Message)

INDEXES: dict[str, list[IndexModel]] = {"visits": []}


class Visits:
    """The collection of visits. Safe for many threads and processes."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, "visits")

    def create(self, visit: Visit, command: Command, reply: M, events: Sequence[Event]) -> M:
        """One insert; the stored reply for a repeated command."""
        return self._aggregates.create(visit.name, visit.site_id, _state(visit), command, reply, events)

    def reply(self, name: str, command: Command, reply_type: type[M]) -> M | None:
        """What a command that came before was answered. Raises REQUEST_ID_REUSED for another body."""
        stored = self._aggregates.load(name)
        return self._aggregates.repeated(stored, command, reply_type) if stored else None

    def load(self, name: str) -> Visit | None:
        stored = self._aggregates.load(name)
        return _visit(stored) if stored else None

    def change(
        self,
        name: str,
        command: Command,
        reply_type: type[M],
        decide: Callable[[Visit], tuple[Visit, M, Sequence[Event]]],
    ) -> M:
        """Load, decide, save, again while others win the race. Raises NotFound, Aborted, and what `decide` raises."""

        def decision(stored: Stored) -> Decision:
            after, reply, events = decide(_visit(stored))
            return Decision(_state(after), reply, events)

        return self._aggregates.change(name, command, reply_type, decision)


class Served:
    """Where an offering is served: read from what the catalogue told (fees.py, views.py)."""

    def __init__(self, store: Store) -> None:
        self._offerings, self._agencies = store.database["offerings"], store.database["agencies"]

    def queue_of(self, offering: str) -> str:
        """The queue of the offering's agency; empty when there is none."""
        found = self._offerings.find_one({"_id": offering}, {"agency": 1})
        agency = self._agencies.find_one({"_id": found.get("agency", "")}, {"queue": 1}) if found else None
        return str(agency["queue"]) if agency else ""


class VisitTickets:
    """What a visit reads of tickets; never writes one."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, "tickets")

    def named(self, names: Sequence[str]) -> dict[str, Ticket]:
        """Those that exist."""
        found = self._aggregates.collection.find({"_id": {"$in": list(names)}})
        return {t.name: t for t in (to_ticket(self._aggregates.stored(d)) for d in found)}

    def before(self, ticket: Ticket) -> int:
        """How many of its queue stand before it. Its cost follows the number who wait."""
        line = {"site_id": ticket.site_id, "queue": ticket.queue, "state": State.WAITING.value, "day": ticket.day}
        return int(self._aggregates.collection.count_documents({**line, "rank": {"$lt": ticket.rank}}))


def _state(visit: Visit) -> dict[str, Any]:
    return {
        "day": visit.day,
        "started_at": visit.started_at,
        "started_by": visit.started_by,
        "channel": visit.channel,
        "wishes": [
            {
                "queue": w.queue,
                "offering": w.offering,
                "ticket": w.ticket,
                "refused": w.refused,
                "class": w.priority_class,
            }
            for w in visit.wishes
        ],
        "owners": list(visit.owners),
        "group": visit.group.value,
        "sealed_phone": visit.sealed_phone,
        "masked_phone": visit.masked_phone,
        "person_key": visit.person_key,
        "phone_key": visit.phone_key,
        "device_key": visit.device_key,
        "holder": {"key": visit.holder.key, "typists": list(visit.holder.typists)},
        "cancelled_at": visit.cancelled_at,
        "cancelled_by": visit.cancelled_by,
        "reason": visit.reason,
    }


def _visit(stored: Stored) -> Visit:
    s = stored.state
    return Visit(
        name=stored.name,
        site_id=stored.site_id,
        day=s["day"],
        started_at=s["started_at"],
        started_by=s["started_by"],
        channel=s["channel"],
        wishes=tuple(Wish(w["queue"], w["offering"], w["ticket"], w["refused"], w["class"]) for w in s["wishes"]),
        owners=tuple(s["owners"]),
        group=PriorityGroup(s["group"]),
        sealed_phone=s["sealed_phone"],
        masked_phone=s["masked_phone"],
        person_key=s["person_key"],
        phone_key=s["phone_key"],
        device_key=s["device_key"],
        holder=_holder(s),
        cancelled_at=s["cancelled_at"],
        cancelled_by=s["cancelled_by"],
        reason=s["reason"],
    )


def _holder(state: dict[str, Any]) -> Holder:
    """Version 0.3.0 knew no typists: every NIK counted for its person."""
    told = state.get("holder") or {"key": state["person_key"], "typists": []}
    return Holder(told["key"], tuple(told["typists"]))
