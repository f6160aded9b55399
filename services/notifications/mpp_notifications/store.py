"""Messages and opt-outs as documents; their indexes and queries. Beside `matters/store.py` the only one that knows pymongo.

Never knows a proto, a provider or a text; phones and texts are stored as they come: sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Stale, Store, Stored, Taken
from mpp_chassis.call import Command
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event
from pymongo import IndexModel

from mpp_notifications.domain import UNSENT, Channel, HistoryEntry, Notification, State
from mpp_notifications.matters.store import INDEXES as MATTERS_INDEXES
from mpp_notifications.matters.store import OVERVIEWS

NOTIFICATIONS = "notifications"
OPT_OUTS = "opt_outs"
AGGREGATES = (NOTIFICATIONS, OPT_OUTS, OVERVIEWS)

# `due`: what nobody has looked at since it became due, in whatever state. What is finished has `due_at` null
# and sorts outside the range: the sweep costs what is due, never what was.
INDEXES: dict[str, list[IndexModel]] = {
    NOTIFICATIONS: [
        IndexModel([("due_at", 1)], name="due"),
        IndexModel([("site_id", 1), ("subject", 1), ("created_at", 1), ("_id", 1)], name="about"),
    ],
    OPT_OUTS: [],
    **MATTERS_INDEXES,
}

Describe = Callable[[Notification], tuple[Message, list[Event]]]  # the reply and the events of a change


class Notifications:
    """The messages. `describe` turns a changed message into the reply that is stored and the events that are
    told.
    """

    def __init__(self, store: Store, describe: Describe) -> None:
        self._aggregates = Aggregates(store, NOTIFICATIONS)
        self._describe = describe
        self.collection = self._aggregates.collection

    def load(self, name: str) -> Notification:
        """Raises NotFound."""
        stored = self._aggregates.load(name)
        if stored is None:
            raise NotFound(f"there is no {name}")
        return from_state(stored)

    def create(self, new: Notification, command: Command) -> bool:
        """Insert; False when a message of this name is there: the event was seen before. Nothing is written
        then.
        """
        reply, events = self._describe(new)
        try:
            kept = self._aggregates.create(new.name, new.site, to_state(new), command, reply, events)
        except Taken:
            return False
        return kept is reply

    def change(
        self,
        name: str,
        command: Command,
        decide: Callable[[Notification], Notification],
        reply_type: type[Message],
    ) -> Message:
        """Load, decide, compare-and-set; the stored reply for a repeated command. Raises what `decide`
        raises.
        """

        def decision(stored: Stored) -> Decision:
            changed = decide(from_state(stored))
            reply, events = self._describe(changed)
            return Decision(to_state(changed), reply, events)

        return self._aggregates.change(name, command, reply_type, decision)

    def save(self, stored: Stored, changed: Notification, command: Command) -> bool:
        """Compare-and-set what `due` returned; False when somebody else was faster."""
        reply, events = self._describe(changed)
        try:
            self._aggregates.save(stored, to_state(changed), command, reply, events)
        except Stale:
            return False
        return True

    def due(self, now: datetime, limit: int, besides: Collection[str] = ()) -> list[Stored]:
        """Longest due first, without `besides`; not yet read by `from_state`, so that one that cannot be read harms no
        other.
        """
        others = {"_id": {"$nin": list(besides)}} if besides else {}
        found = self.collection.find({"due_at": {"$lte": now}, **others}).sort("due_at", 1).limit(limit)
        return [self._aggregates.stored(document) for document in found]

    def count_due(self, until: datetime, most: int) -> int:
        """How many were due by `until`, counted up to `most`."""
        found = self.collection.find({"due_at": {"$lte": until}}, {"_id": 1}).sort("due_at", 1).limit(most)
        return sum(1 for _ in found)

    def unsent_about(self, site: str, subject: str, templates: Collection[str]) -> list[Notification]:
        """Messages about a resource that no provider has: what newer news may cancel."""
        query = {
            "site_id": site,
            "subject": subject,
            "template": {"$in": sorted(templates)},
            "state": {"$in": sorted(str(state) for state in UNSENT)},
        }
        return [from_state(self._aggregates.stored(document)) for document in self.collection.find(query)]

    def about(self, site: str, subject: str, limit: int, after: tuple[datetime, str] | None) -> list[Notification]:
        """Messages about a resource, oldest first, from behind `after` (created_at, name)."""
        query: dict[str, Any] = {"site_id": site, "subject": subject}
        if after is not None:
            created_at, name = after
            query["$or"] = [{"created_at": {"$gt": created_at}}, {"created_at": created_at, "_id": {"$gt": name}}]
        found = self.collection.find(query).sort([("created_at", 1), ("_id", 1)]).limit(limit)
        return [from_state(self._aggregates.stored(document)) for document in found]


class OptOuts:
    """Who does not want to be told, by site and blind index of the phone or the e-mail address."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, OPT_OUTS)

    def has(self, site: str, person: str) -> bool:
        found = self._aggregates.collection.find_one({"_id": _opt_out_name(site, person)}, {"opted_out": 1})
        return bool(found and found["opted_out"])

    def set(self, site: str, person: str, opted_out: bool, command: Command, reply: Message) -> Message:
        """Keeps the wish; the stored reply for a repeated command."""
        name = _opt_out_name(site, person)
        state = {"opted_out": opted_out, "changed_at": command.at, "changed_by": command.actor}
        for _ in range(2):
            try:
                return self._aggregates.change(name, command, type(reply), lambda _: Decision(state, reply))
            except NotFound:
                pass
            try:
                return self._aggregates.create(name, site, state, command, reply, ())
            except Taken:
                continue  # somebody else was first: it is there to be changed now
        raise AssertionError("an opt-out that is there and not there")


def _opt_out_name(site: str, person: str) -> str:
    return f"sites/{site}/optOuts/{person}"


def to_state(notification: Notification) -> dict[str, Any]:
    """The document's own fields; name and site are the chassis's."""
    return {
        "subject": notification.subject,
        "template": notification.template,
        "channel": str(notification.channel),
        "source_event": notification.source_event,
        "sealed_phone": notification.sealed_phone,
        "phone_index": notification.phone_index,
        "sealed_text": notification.sealed_text,
        "sealed_email": notification.sealed_email,
        "email_index": notification.email_index,
        "sealed_calendar": notification.sealed_calendar,
        "created_at": notification.created_at,
        "expires_at": notification.expires_at,
        "state": str(notification.state),
        "due_at": notification.due_at,
        "attempts": notification.attempts,
        "dispatch": notification.dispatch,
        "provider": notification.provider,
        "sent_at": notification.sent_at,
        "delivered_at": notification.delivered_at,
        "failure": notification.failure,
        "fallbacks": [str(channel) for channel in notification.fallbacks],
        "parent": notification.parent,
        "traceparent": notification.traceparent,
        "history": [
            {"at": entry.at, "actor": entry.actor, "state": str(entry.state), "note": entry.note}
            for entry in notification.history
        ],
    }


def from_state(stored: Stored) -> Notification:
    state: Mapping[str, Any] = stored.state
    return Notification(
        name=stored.name,
        site=stored.site_id,
        subject=state["subject"],
        template=state["template"],
        channel=Channel(state["channel"]),
        source_event=state["source_event"],
        sealed_phone=state["sealed_phone"],
        phone_index=state["phone_index"],
        sealed_text=state["sealed_text"],
        created_at=state["created_at"],
        expires_at=state["expires_at"],
        sealed_email=state.get("sealed_email", ""),  # messages of 0.2.0 have none of these
        email_index=state.get("email_index", ""),
        sealed_calendar=state.get("sealed_calendar", ""),
        state=State(state["state"]),
        due_at=state["due_at"],
        attempts=state["attempts"],
        dispatch=state["dispatch"],
        provider=state["provider"],
        sent_at=state["sent_at"],
        delivered_at=state["delivered_at"],
        failure=state["failure"],
        fallbacks=tuple(Channel(channel) for channel in state["fallbacks"]),
        parent=state["parent"],
        traceparent=state["traceparent"],
        history=tuple(
            HistoryEntry(entry["at"], entry["actor"], State(entry["state"]), entry["note"])
            for entry in state["history"]
        ),
    )
