"""Entries as documents: the mapping, the indexes, and every query. The only pymongo import of the service.

Knows fields and indexes; never knows a rule. Each query has an index, so that its cost follows what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored
from mpp_chassis.call import Command
from mpp_chassis.events import Event
from pymongo import ASCENDING, IndexModel

from mpp_samplechannel.domain import Entry, State

M = TypeVar("M", bound=Message)

INDEXES: dict[str, list[IndexModel]] = {
    "entries": [IndexModel([("site_id", ASCENDING), ("channel", ASCENDING), ("state", ASCENDING)], name="of_channel")],
    "channels": [],  # a read model, see views.py
}


class Entries:
    """The collection of entries. Safe for many threads and processes."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, "entries")

    def create(self, entry: Entry, command: Command, reply: M, events: Sequence[Event]) -> M:
        """One insert; a repeated command gets the stored reply."""
        return self._aggregates.create(entry.name, entry.site_id, to_state(entry), command, reply, events)

    def change(
        self,
        name: str,
        command: Command,
        reply_type: type[M],
        decide: Callable[[Entry], tuple[Entry, M, Sequence[Event]]],
    ) -> M:
        """`decide` again while others win the race. Raises NotFound, Aborted."""

        def decision(stored: Stored) -> Decision:
            after, reply, events = decide(to_entry(stored))
            return Decision(to_state(after), reply, events)

        return self._aggregates.change(name, command, reply_type, decision)

    def load(self, name: str) -> Entry | None:
        stored = self._aggregates.load(name)
        return to_entry(stored) if stored else None


def to_state(e: Entry) -> dict[str, Any]:
    """The document's own fields."""
    return {
        "channel": e.channel,
        "agency": e.agency,
        "offering": e.offering,
        "state": e.state.value,
        "opened_at": e.opened_at,
        "closed_at": e.closed_at,
    }


def to_entry(stored: Stored) -> Entry:
    s = stored.state
    return Entry(
        name=stored.name,
        site_id=stored.site_id,
        channel=s["channel"],
        agency=s["agency"],
        offering=s["offering"],
        opened_at=s["opened_at"],
        state=State(s["state"]),
        closed_at=s["closed_at"],
    )
