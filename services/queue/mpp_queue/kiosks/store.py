"""Offline blocks and kiosks' duty as documents. Knows pymongo's index type and the mapping; knows no rule.

A queue's day of offline numbers is one document, `sites/x/queues/q/offlineDays/2026-11-23`, changed by compare-and-set
of its version: that, and nothing else, is why blocks never overlap. Every query is by `_id`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import ATTEMPTS, Aggregates, Decision, Stale, Store, Stored, Taken
from mpp_chassis.call import Command
from mpp_chassis.errors import Aborted, NotFound
from mpp_chassis.events import Event
from pymongo import IndexModel

from mpp_queue.domain.spec import Text
from mpp_queue.kiosks.domain import Block, BlockDay, Claim, Duty
from mpp_queue.kiosks.layout import Layout, LayoutButton

M = TypeVar("M", bound=Message)
BLOCKS, DUTIES, CHANNELS = "offline_days", "kiosks", "channels"
INDEXES: dict[str, list[IndexModel]] = {
    BLOCKS: [],
    DUTIES: [],
    CHANNELS: [IndexModel([("site_id", 1), ("kind", 1)], name="of_kind")],  # read model of the bookings' part
}


class Blocks:
    """The days of offline numbers. Safe for many threads and processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._aggregates = Aggregates(store, BLOCKS)

    def load(self, name: str) -> BlockDay | None:
        stored = self._aggregates.load(name)
        return _day(stored) if stored else None

    def named(self, names: Sequence[str]) -> list[BlockDay]:
        """Those of them that there are."""
        found = self._aggregates.collection.find({"_id": {"$in": list(names)}})
        return [_day(self._aggregates.stored(d)) for d in found]

    def change(
        self, name: str, first: BlockDay | None, command: Command, reply_type: type[M],
        decide: Callable[[BlockDay], tuple[BlockDay, M]],
    ) -> M:  # fmt: skip
        """`decide(day) -> (day, reply)`, again while others win the race; the stored reply for a repeated command.
        `first`: the day to begin with when there is none yet. Raises NotFound without it, Aborted.
        """

        def decision(stored: Stored) -> Decision:
            after, reply = decide(_day(stored))
            return Decision(_state(after), reply)

        try:
            return self._aggregates.change(name, command, reply_type, decision)
        except NotFound:
            if first is None:
                raise
        after, reply = decide(first)
        try:
            return self._aggregates.create(name, _site_id(name), _state(after), command, reply, ())
        except Taken:  # another kiosk was the first of the day
            return self._aggregates.change(name, command, reply_type, decision)

    def claim(
        self, name: str, command: Command, reply: M, decide: Callable[[BlockDay], tuple[BlockDay, Any]]
    ) -> tuple[BlockDay, Any]:
        """As `change`, for a command that is to be carried on when it is repeated: `decide(day) -> (day, answer)` runs
        each time, and writes only what is new. Raises NotFound, Aborted, REQUEST_ID_REUSED.
        """
        for attempt in range(ATTEMPTS):
            stored = self._aggregates.load(name)
            if stored is None:
                raise NotFound(f"there is no {name}")
            repeated = self._aggregates.repeated(stored, command, type(reply)) is not None
            before = _day(stored)
            after, answer = decide(before)
            if after is before and repeated:
                return before, answer
            try:
                self._aggregates.save(stored, _state(after), command, reply, ())
            except Stale:
                time.sleep(self._store.rng.uniform(0, 0.002 * 2 ** min(attempt, 5)))
                continue
            return after, answer
        raise Aborted(f"{name} is being changed by too many at once; try again")


class Duties:
    """Who put which kiosk to work."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, DUTIES)

    def load(self, name: str) -> Duty:
        """Nobody has put it to work when nothing is known."""
        stored = self._aggregates.load(name)
        return _duty(stored) if stored else Duty()

    def change(
        self, name: str, command: Command, reply_type: type[M],
        decide: Callable[[Duty], tuple[Duty, M, list[Event]]],
    ) -> M:  # fmt: skip
        """`decide(duty) -> (duty, reply, events)`. Raises Aborted."""

        def decision(stored: Stored) -> Decision:
            after, reply, events = decide(_duty(stored))
            return Decision(_duty_state(after), reply, events)

        try:
            return self._aggregates.change(name, command, reply_type, decision)
        except NotFound:
            after, reply, events = decide(Duty())
        try:
            return self._aggregates.create(name, _site_id(name), _duty_state(after), command, reply, events)
        except Taken:
            return self._aggregates.change(name, command, reply_type, decision)


def _site_id(name: str) -> str:
    return name.split("/")[1]


def _day(stored: Stored) -> BlockDay:
    s = stored.state
    return BlockDay(s["queue"], s["day"], s["ends_at"], s["next_n"], tuple(_block(b) for b in s["blocks"]))


def _block(b: dict[str, Any]) -> Block:
    return Block(
        id=b["id"],
        kiosk=b["kiosk"],
        holder=b["holder"],
        first=b["first"],
        last=b["last"],
        leased_at=b["leased_at"],
        until=b["until"],
        last_used=b["last_used"],
        claims={c["n"]: Claim(c["digest"], c["late"], c.get("while_closed", "")) for c in b["claims"]},
    )


def _state(day: BlockDay) -> dict[str, Any]:
    return {
        "queue": day.queue,
        "day": day.day,
        "ends_at": day.ends_at,
        "next_n": day.next_n,
        "blocks": [
            {
                "id": b.id,
                "kiosk": b.kiosk,
                "holder": b.holder,
                "first": b.first,
                "last": b.last,
                "leased_at": b.leased_at,
                "until": b.until,
                "last_used": b.last_used,
                "claims": [_claim(n, c) for n, c in b.claims.items()],
            }
            for b in day.blocks
        ],
    }


def _claim(n: int, c: Claim) -> dict[str, Any]:
    while_closed = {"while_closed": c.while_closed} if c.while_closed else {}
    return {"n": n, "digest": c.digest, "late": c.late, **while_closed}


def _duty(stored: Stored) -> Duty:
    s = stored.state
    paused = {p["button"]: p["text"] for p in s["paused"]}
    return Duty(s["active"], s["reason"], paused, _layout(s.get("layout") or {}))


def _duty_state(duty: Duty) -> dict[str, Any]:
    paused = [{"button": b, "text": t} for b, t in duty.paused.items()]
    layout = asdict(duty.layout) if duty.layout != Layout() else None
    return {"active": duty.active, "reason": duty.reason, "paused": paused, **({"layout": layout} if layout else {})}


def _layout(s: dict[str, Any]) -> Layout:
    """What was written before there were layouts has none."""
    buttons = s.get("buttons", ())
    made = (
        LayoutButton(**{**b, "label": Text(**b["label"]), "closed_text": Text(**b["closed_text"])}) for b in buttons
    )
    return Layout(**{**s, "buttons": tuple(made)})
