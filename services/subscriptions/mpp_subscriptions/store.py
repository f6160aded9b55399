"""Grants as documents; their indexes and queries. The only module that knows pymongo.

Never knows a proto or a broker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored, Taken
from mpp_chassis.call import Command
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event
from pymongo import ASCENDING, IndexModel

from mpp_subscriptions.domain.grants import Grant, HistoryEntry, State
from mpp_subscriptions.feed.store import INDEXES as FEED_INDEXES
from mpp_subscriptions.webhooks.store import INDEXES as WEBHOOK_INDEXES

M = TypeVar("M", bound=Message)
GRANTS = "grants"
# `pending_since` is null for what the broker has taken over: the sweep costs what is pending, never what was.
INDEXES: dict[str, list[IndexModel]] = {
    GRANTS: [
        IndexModel([("pending_since", ASCENDING)], name="pending"),
        IndexModel([("site_id", ASCENDING), ("_id", ASCENDING)], name="by_site"),
    ],
    **FEED_INDEXES,
    **WEBHOOK_INDEXES,
}
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
Told = tuple[Message, list[Event]]  # the reply and the events of a change


class Grants:
    """One grant an agency. Safe for many threads and processes."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, GRANTS)
        self.collection = self._aggregates.collection

    def find(self, name: str) -> Grant | None:
        stored = self._aggregates.load(name)
        return from_state(stored) if stored else None

    def load(self, name: str) -> Grant:
        """Raises NotFound."""
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no {name}", field="name")
        return found

    def create(self, new: Grant, command: Command, reply: M, events: list[Event]) -> M | None:
        """The reply (the stored one for a repeated command); None when a grant is there. Nothing is written then."""
        try:
            return self._aggregates.create(new.name, new.site_id, to_state(new), command, reply, events)
        except Taken:
            return None

    def change(
        self,
        name: str,
        command: Command,
        reply_type: type[M],
        decide: Callable[[Grant], Grant],
        tell: Callable[[Grant, Grant], Told],
    ) -> M:
        """Load, decide, compare-and-set; the stored reply for a repeated command. `tell` gets before and after.

        Raises NotFound, and what `decide` raises.
        """

        def decision(stored: Stored) -> Decision:
            before = from_state(stored)
            after = decide(before)
            reply, events = tell(before, after)
            return Decision(to_state(after), reply, events)

        return self._aggregates.change(name, command, reply_type, decision)

    def page(self, site: str, after: str, limit: int) -> list[Grant]:
        """Grants of a site in the order of their names, after the name `after`."""
        found = self.collection.find({"site_id": site, "_id": {"$gt": after}}).sort("_id", ASCENDING).limit(limit)
        return [from_state(self._aggregates.stored(document)) for document in found]

    def pending(self, since: datetime, limit: int) -> list[Grant]:
        """What the broker has yet to take over and was changed before `since`, longest waiting first."""
        wanted = {"pending_since": {"$gt": LONG_AGO, "$lte": since}}
        found = self.collection.find(wanted).sort("pending_since", ASCENDING).limit(limit)
        return [from_state(self._aggregates.stored(document)) for document in found]

    def all(self) -> Iterator[Grant]:
        """Every grant, read in the order of the primary key."""
        for document in self.collection.find({"_id": {"$gt": ""}}).sort("_id", ASCENDING):
            yield from_state(self._aggregates.stored(document))


def to_state(grant: Grant) -> dict[str, Any]:
    """The document's own fields; name and site are the chassis's."""
    return {
        "agency": grant.agency,
        "state": str(grant.state),
        "entitlements": list(grant.entitlements),
        "password_hash": grant.password_hash,
        "credential_version": grant.credential_version,
        "revision": grant.revision,
        "applied_revision": grant.applied_revision,
        "pending_since": grant.updated_at if grant.pending else None,
        "created_at": grant.created_at,
        "updated_at": grant.updated_at,
        "provisioned_at": grant.provisioned_at,
        "history": [
            {"at": e.at, "actor": e.actor, "deed": e.deed, "entitlements": list(e.entitlements)} for e in grant.history
        ],
    }


def from_state(stored: Stored) -> Grant:
    state: Mapping[str, Any] = stored.state
    return Grant(
        name=stored.name,
        agency=state["agency"],
        state=State(state["state"]),
        entitlements=tuple(state["entitlements"]),
        password_hash=state["password_hash"],
        credential_version=state["credential_version"],
        revision=state["revision"],
        applied_revision=state["applied_revision"],
        created_at=state["created_at"],
        updated_at=state["updated_at"],
        provisioned_at=state["provisioned_at"],
        history=tuple(HistoryEntry(e["at"], e["actor"], e["deed"], tuple(e["entitlements"])) for e in state["history"]),
    )
