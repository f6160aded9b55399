"""What is open, and which calendar entry belongs to an appointment, as documents. Beside `mpp_notifications/store.py` the
only module that knows pymongo. Phones and addresses are stored as they come: sealed, and as blind indexes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored, Taken
from mpp_chassis.call import Command
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from mpp_notifications.calendar_file import uid
from mpp_notifications.domain import TooSoon
from mpp_notifications.matters.heard import Heard, Kind

MATTERS, CALENDARS, OVERVIEWS = "matters", "calendars", "overviews"
INDEXES: dict[str, list[IndexModel]] = {
    MATTERS: [
        IndexModel([("queue", 1), ("waiting", 1), ("arrived_at", 1), ("_id", 1)], name="line"),
        IndexModel([("site_id", 1), ("phone_index", 1), ("open", 1)], name="of_phone"),
        IndexModel([("site_id", 1), ("email_index", 1), ("open", 1)], name="of_email"),
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
    ],
    CALENDARS: [IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0)],
    OVERVIEWS: [IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0)],
}
_NOBODY = {"sealed_phone": "", "phone_index": "", "email_index": ""}


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that is open. A ticket is `told_near` when its person knows that it is nearly their turn."""

    name: str
    kind: Kind
    agency: str
    offering: str
    number: str
    start: datetime | None
    told_near: bool
    sealed_phone: str = field(repr=False)


class Matters:
    """A read model. Events may come twice and in any order: facts are the same whenever they come, and of what changes
    the newest `sequence` decides. What has ended keeps nobody's phone."""

    def __init__(self, store: Store) -> None:
        self.collection = store.database[MATTERS]

    def hear(
        self, site: str, heard: Heard, sequence: int, *, phone_index: str, email_index: str, told_near: bool
    ) -> None:
        """One write where it is new and its facts are told; at most three."""
        standing = {
            "open": heard.open,
            "waiting": heard.waiting,
            "forget_at": heard.forget_at,
            "sequence": sequence,
            **({} if heard.open else _NOBODY),
            **({"told_near": True} if heard.called else {}),
        }
        if heard.facts is not None:
            facts = {
                "site_id": site,
                "kind": str(heard.facts.kind),
                "agency": heard.facts.agency,
                "offering": heard.facts.offering,
                "number": heard.facts.number,
                "queue": heard.facts.line,
                "remote": heard.facts.remote,
                "arrived_at": heard.facts.arrived_at,
                "start": heard.facts.start,
                "sealed_phone": heard.facts.sealed_phone if heard.facts.line else "",
                "phone_index": phone_index,
                "email_index": email_index,
            }
            try:
                self.collection.insert_one({"_id": heard.name, **facts, **standing, "told_near": told_near})
            except DuplicateKeyError:
                older = {"_id": heard.name, "sequence": {"$lt": sequence}}
                if not self.collection.update_one(older, {"$set": {**facts, **standing}}).matched_count:
                    self.collection.update_one({"_id": heard.name, "open": True}, {"$set": facts})
            return
        older = {"_id": heard.name, "sequence": {"$lt": sequence}}
        try:
            self.collection.update_one(older, {"$set": standing}, upsert=True)
        except DuplicateKeyError:
            self.collection.update_one(older, {"$set": standing})  # it is there: newer, or lost a race of two inserts

    def line(self, queue: str, first: int, now: datetime) -> list[Matter]:
        """The first who wait, in the order of their arrival."""
        query = {"queue": queue, "waiting": True, "forget_at": {"$gt": now}}
        found = self.collection.find(query).sort([("arrived_at", 1), ("_id", 1)]).limit(first)
        return [_matter(document) for document in found]

    def is_remote(self, name: str) -> bool:
        """Whether its person is at a phone or a screen; False when nothing was heard of it."""
        found = self.collection.find_one({"_id": name}, {"remote": 1})
        return bool(found and found.get("remote"))

    def told_near(self, name: str) -> None:
        self.collection.update_one({"_id": name}, {"$set": {"told_near": True}})

    def of(self, site: str, phone_index: str, email_index: str, most: int, now: datetime) -> list[Matter]:
        """What is open for a phone or for an address (one of them is empty), appointments by their time."""
        person = {"phone_index": phone_index} if phone_index else {"email_index": email_index}
        found = self.collection.find({"site_id": site, **person, "open": True}).limit(most)
        living = [each for each in found if each["forget_at"] is None or each["forget_at"] > now]
        far = max((each["start"] for each in living if each["start"]), default=now)
        return [_matter(each) for each in sorted(living, key=lambda each: (each["start"] or far, each["_id"]))]


def _matter(document: Mapping[str, Any]) -> Matter:
    return Matter(
        document["_id"],
        Kind(document["kind"]),
        document["agency"],
        document["offering"],
        document["number"],
        document["start"],
        document.get("told_near", False),
        document["sealed_phone"],
    )


class Calendars:
    """Which calendar entry an appointment is: a rescheduled one is the entry of the one whose place it took, with the
    next sequence number. What an event gave once, its repetition gives again."""

    def __init__(self, store: Store) -> None:
        self._collection = store.database[CALENDARS]

    def made(self, appointment: str, replaces: str, forget_at: datetime) -> tuple[str, int]:
        """(UID, SEQUENCE) of an appointment that was made, in the place of `replaces` where that is not empty."""
        entry = self._of(appointment)
        if entry is None:
            before = (self._of(replaces) or (uid(replaces), 0)) if replaces else (uid(appointment), -1)
            entry = (before[0], before[1] + 1)
            document = {"_id": appointment, "uid": entry[0], "sequence": entry[1], "forget_at": forget_at}
            try:
                self._collection.insert_one(document)
            except DuplicateKeyError:
                entry = self._of(appointment) or entry
        return entry

    def ended(self, appointment: str) -> tuple[str, int]:
        """(UID, SEQUENCE) of its cancellation."""
        name, sequence = self._of(appointment) or (uid(appointment), 0)
        return name, sequence + 1

    def _of(self, appointment: str) -> tuple[str, int] | None:
        found = self._collection.find_one({"_id": appointment})
        return (str(found["uid"]), int(found["sequence"])) if found else None


class Overviews:
    """When a person asked for an overview last: an aggregate, so that the wish and its event are one write."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, OVERVIEWS)

    def ask(
        self,
        site: str,
        person: str,
        until: datetime,
        forget_at: datetime,
        command: Command,
        reply: Message,
        event: Event,
    ) -> Message:
        """Notes the wish; the stored reply for a repeated command. `until`: not again before. Raises TooSoon."""
        name = f"sites/{site}/overviews/{person}"
        state = {"until": until, "forget_at": forget_at}

        def decide(stored: Stored) -> Decision:
            if command.at < stored.state["until"]:
                raise TooSoon(stored.state["until"])
            return Decision(state, reply, (event,))

        for _ in range(2):
            try:
                return self._aggregates.change(name, command, type(reply), decide)
            except NotFound:
                pass
            try:
                return self._aggregates.create(name, site, state, command, reply, (event,))
            except Taken:
                continue  # somebody else was first
        raise AssertionError("an overview that is there and not there")
