"""Webhooks as aggregates, their deliveries as documents beside them. Knows pymongo; knows no proto and no network.

Two documents, because two write: people change the webhook, seldom, with stored replies; its courier writes how far it is,
often, fenced by its claim: who lost the claim cannot move the place any more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored
from mpp_chassis.call import Command
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event
from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from mpp_subscriptions.webhooks.domain import Attempt, Progress, Reason, Secret, State, Target, Webhook

M = TypeVar("M", bound=Message)
WEBHOOKS, DELIVERIES, LEASES = "webhooks", "deliveries", "leases"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_COURIERS = "couriers:"  # presence of the processes that deliver, among the leases

INDEXES: dict[str, list[IndexModel]] = {
    WEBHOOKS: [
        IndexModel([("site_id", 1), ("agency", 1), ("state", 1), ("_id", 1)], name="of_agency"),
        IndexModel([("state", 1), ("_id", 1)], name="by_state"),
    ],
    DELIVERIES: [IndexModel([("held_until", 1)], name="held")],
}


class Webhooks:
    """What people want."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, WEBHOOKS)

    def load(self, name: str) -> Webhook:
        """Raises NotFound, also for a deleted one."""
        stored = self._aggregates.load(name)
        webhook = _webhook(stored) if stored else None
        if webhook is None or webhook.state is State.DELETED:
            raise NotFound(f"there is no {name}", field="name")
        return webhook

    def made(self, name: str) -> bool:
        """Whether this name was ever given: a repeated command must hear its reply."""
        return self._aggregates.load(name) is not None

    def create(self, new: Webhook, command: Command, reply: M) -> M:
        return self._aggregates.create(new.name, new.site, _state(new), command, reply, ())

    def change(
        self,
        name: str,
        command: Command,
        reply_type: type[M],
        decide: Callable[[Webhook], Webhook],
        tell: Callable[[Webhook], tuple[M, list[Event]]],
    ) -> M:
        """Load, decide, compare-and-set; the stored reply for a repeated command. Raises NotFound and what they raise."""

        def decision(stored: Stored) -> Decision:
            before = _webhook(stored)
            if before.state is State.DELETED:
                raise NotFound(f"there is no {name}", field="name")
            after = decide(before)
            reply, events = tell(after)
            return Decision(_state(after), reply, events)

        return self._aggregates.change(name, command, reply_type, decision)

    def count(self, site: str, agency: str, most: int) -> int:
        living = {"$in": [State.ENABLED.value, State.DISABLED.value]}
        query = {"site_id": site, "agency": agency, "state": living}
        return int(self._aggregates.collection.count_documents(query, limit=most))

    def page(self, site: str, agency: str, after: str, limit: int) -> list[Webhook]:
        """In the order of their names, after the name `after`."""
        living = {"$in": [State.ENABLED.value, State.DISABLED.value]}
        query = {"site_id": site, "agency": agency, "state": living, "_id": {"$gt": after}}
        found = self._aggregates.collection.find(query).sort("_id", 1).limit(limit)
        return [_webhook(self._aggregates.stored(document)) for document in found]

    def enabled(self) -> list[str]:
        """Names of all that are to be delivered."""
        return [d["_id"] for d in self._aggregates.collection.find({"state": State.ENABLED.value}, {"_id": 1})]

    def deleted(self, after: str, limit: int) -> list[str]:
        """Names of tombstones, in order, after the name `after`."""
        query = {"state": State.DELETED.value, "_id": {"$gt": after}}
        return [d["_id"] for d in self._aggregates.collection.find(query, {"_id": 1}).sort("_id", 1).limit(limit)]

    def forget(self, names: list[str], before: datetime) -> None:
        """Take away those of these tombstones that are older than `before` and whose event is told."""
        query = {"_id": {"$in": names}, "state": State.DELETED.value, "updated_at": {"$lt": before}}
        for document in self._aggregates.collection.find(query):
            if "outbox" not in document:
                self._aggregates.collection.delete_one({"_id": document["_id"], "version": document["version"]})

    def stopped(self) -> int:
        """How many are disabled."""
        return int(self._aggregates.collection.count_documents({"state": State.DISABLED.value}))


@dataclass(frozen=True, slots=True)
class Claim:
    """One courier's hold on one webhook. `holder` is used once: whoever else holds it has another."""

    name: str
    holder: str


class Deliveries:
    """How far each webhook is, and which courier has it."""

    def __init__(self, store: Store) -> None:
        self._collection = store.database[DELIVERIES]
        self._leases = store.database[LEASES]

    def progress(self, name: str) -> Progress:
        document = self._collection.find_one({"_id": name})
        return _progress(document) if document else Progress()

    def held(self, now: datetime) -> set[str]:
        """Names that somebody delivers."""
        return {d["_id"] for d in self._collection.find({"held_until": {"$gt": now}}, {"_id": 1})}

    def claim(self, claim: Claim, now: datetime, until: datetime) -> Progress | None:
        """None when somebody else has it. As far as clocks agree; `save` is fenced whatever they say."""
        first = {"site_id": claim.name.split("/")[1], "holder": "", "held_until": _LONG_AGO}
        with contextlib.suppress(DuplicateKeyError):
            self._collection.update_one({"_id": claim.name}, {"$setOnInsert": first}, upsert=True)
        document = self._collection.find_one_and_update(
            {"_id": claim.name, "held_until": {"$lte": now}},
            {"$set": {"holder": claim.holder, "held_until": until}},
            return_document=ReturnDocument.AFTER,
        )
        return _progress(document) if document else None

    def save(self, claim: Claim, progress: Progress, until: datetime) -> bool:
        """Keep the progress and the claim; False, and nothing written, when the claim is lost."""
        update = {"$set": {"held_until": until, **_progress_state(progress)}}
        return bool(self._collection.update_one({"_id": claim.name, "holder": claim.holder}, update).matched_count)

    def renew(self, claim: Claim, until: datetime) -> bool:
        """False when it is lost."""
        query = {"_id": claim.name, "holder": claim.holder}
        return bool(self._collection.update_one(query, {"$set": {"held_until": until}}).matched_count)

    def forget(self, names: list[str]) -> None:
        """No place, no tries, no claim any more: a courier that holds one of them has lost it."""
        self._collection.delete_many({"_id": {"$in": names}})

    def release(self, claim: Claim) -> None:
        """Let the next one take it at once. Harmless when it is not held."""
        query = {"_id": claim.name, "holder": claim.holder}
        self._collection.update_one(query, {"$set": {"holder": "", "held_until": _LONG_AGO}})

    def present(self, process: str, now: datetime, until: datetime) -> int:
        """Say that `process` delivers; how many processes do."""
        self._leases.update_one(
            {"_id": _COURIERS + process}, {"$set": {"holder": process, "until": until}}, upsert=True
        )
        others = {"_id": {"$gte": _COURIERS, "$lt": _COURIERS + "\uffff"}}
        self._leases.delete_many({**others, "until": {"$lt": now}})
        return max(1, int(self._leases.count_documents(others)))

    def leave(self, process: str) -> None:
        self._leases.delete_one({"_id": _COURIERS + process})


def _state(webhook: Webhook) -> dict[str, Any]:
    target = webhook.target
    return {
        "agency": webhook.agency,
        "url": target.url,
        "event_types": list(target.event_types),
        "subject_prefix": target.subject_prefix,
        "description": target.description,
        "secrets": [
            {"id": s.id, "sealed": s.sealed, "created_at": s.created_at, "expires_at": s.expires_at}
            for s in webhook.secrets
        ],
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
        "start_cursor": webhook.start_cursor,
        "start_time": webhook.start_time,
        "state": webhook.state.value,
        "reason": webhook.reason.value if webhook.reason else "",
        "disabled_at": webhook.disabled_at,
        "revision": webhook.revision,
        "generation": webhook.generation,
    }


def _webhook(stored: Stored) -> Webhook:
    state: Mapping[str, Any] = stored.state
    return Webhook(
        name=stored.name,
        site=stored.site_id,
        agency=state["agency"],
        target=Target(state["url"], tuple(state["event_types"]), state["subject_prefix"], state["description"]),
        secrets=tuple(Secret(s["id"], s["sealed"], s["created_at"], s["expires_at"]) for s in state["secrets"]),
        created_at=state["created_at"],
        updated_at=state["updated_at"],
        start_cursor=state["start_cursor"],
        start_time=state["start_time"],
        state=State(state["state"]),
        reason=Reason(state["reason"]) if state["reason"] else None,
        disabled_at=state["disabled_at"],
        revision=state["revision"],
        generation=state["generation"],
    )


def _progress_state(progress: Progress) -> dict[str, Any]:
    return {
        "revision": progress.revision,
        "generation": progress.generation,
        "cursor": progress.cursor,
        "failures": progress.failures,
        "failing_since": progress.failing_since,
        "next_at": progress.next_at,
        "delivered_at": progress.delivered_at,
        "attempts": [
            {"at": a.at, "id": a.event_id, "type": a.event_type, "status": a.status, "failure": a.failure,
             "ms": a.milliseconds}
            for a in progress.attempts
        ],
    }  # fmt: skip


def _progress(state: Mapping[str, Any]) -> Progress:
    if "revision" not in state:
        return Progress()
    return Progress(
        revision=state["revision"],
        generation=state["generation"],
        cursor=state["cursor"],
        failures=state["failures"],
        failing_since=state["failing_since"],
        next_at=state["next_at"],
        delivered_at=state["delivered_at"],
        attempts=tuple(
            Attempt(a["at"], a["id"], a["type"], a["status"], a["failure"], a["ms"]) for a in state["attempts"]
        ),
    )
