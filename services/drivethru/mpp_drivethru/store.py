"""Passes as documents: the mapping, the indexes, and every query. The only pymongo import of the service.

Knows fields and indexes; never knows a rule. What the indexes guarantee, whatever processes do: a ticket has one pass
(`ticket_once`); a place in a lane is given once a day (`place_taken`); a stage of a lane has one vehicle (`stage_taken`);
a vehicle is once in a channel's line (`plate_in_line`). A look-up by a partial index names its condition too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis import trace
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored
from mpp_chassis.call import Command
from mpp_chassis.errors import FailedPrecondition
from mpp_chassis.events import Event
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from mpp_drivethru.domain import OPEN, Cause, Pass, StageTime, State

M = TypeVar("M", bound=Message)
PLACE_INDEX, STAGE_INDEX, TICKET_INDEX, PLATE_INDEX = "place_taken", "stage_taken", "ticket_once", "plate_in_line"
KEPT_SECONDS = 3 * 24 * 3600  # what was heard of tickets
WITHOUT_REPLIES = {"replies": 0, "outbox": 0}  # for looking only: nothing that was read so is written
ARRIVAL_SECONDS = 24 * 3600  # who came to the gate, and no ticket was ever heard of


def _index(name: str, *keys: str, unique: bool = False, only: str = "") -> IndexModel:
    options: dict[str, Any] = {"partialFilterExpression": {only: True}} if only else {}
    return IndexModel([(key, ASCENDING) for key in keys], name=name, unique=unique, **options)


INDEXES: dict[str, list[IndexModel]] = {
    "passes": [
        _index(TICKET_INDEX, "site_id", "ticket", unique=True),
        _index(PLACE_INDEX, "site_id", "lane_key", "place", unique=True, only="has_place"),
        _index(STAGE_INDEX, "site_id", "stage_key", unique=True, only="at_stage"),
        _index(PLATE_INDEX, "site_id", "plate_key", unique=True, only="in_line"),
        _index("in_lane", "site_id", "lane_key", "place", only="in_lane"),
        _index("line", "site_id", "channel", "registered_at", only="open"),
        _index("days", "site_id", "channel", "day"),
        _index("plates_to_forget", "ended_at", only="has_old_plate"),
    ],
    "arrivals": [IndexModel([("at", ASCENDING)], name="forget", expireAfterSeconds=ARRIVAL_SECONDS)],
    # Read models, see views.py.
    "channels": [_index("by_queue", "queue")],
    "sites": [],
    "tickets": [IndexModel([("heard_at", ASCENDING)], name="forget", expireAfterSeconds=KEPT_SECONDS)],
    "applications": [_index("by_ticket", "ticket")],
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A pass as it will be once its ticket is there, and the command that makes it."""

    vehicle: Pass
    command: Command


class Passes:
    """The collection of passes. Safe for many threads and processes."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, "passes")
        self._collection = self._aggregates.collection

    def create(self, vehicle: Pass, command: Command, reply: M, events: Sequence[Event]) -> M:
        """One insert. Raises Taken with `TICKET_INDEX` or `PLATE_INDEX`."""
        return self._aggregates.create(vehicle.name, vehicle.site_id, to_state(vehicle), command, reply, events)

    def change(
        self,
        name: str,
        command: Command,
        reply_type: type[M],
        decide: Callable[[Pass], tuple[Pass, M, Sequence[Event]]],
    ) -> M:
        """`decide` again while others win the race. Raises NotFound, Aborted; Taken with `PLACE_INDEX` or `STAGE_INDEX`."""

        def decision(stored: Stored) -> Decision:
            after, reply, events = decide(to_pass(stored))
            return Decision(to_state(after), reply, events)

        return self._aggregates.change(name, command, reply_type, decision)

    def load(self, name: str) -> Pass | None:
        stored = self._aggregates.load(name)
        return to_pass(stored) if stored else None

    def reply(self, name: str, command: Command, reply_type: type[M]) -> M | None:
        """What a command that came before was answered. Raises REQUEST_ID_REUSED for another body."""
        stored = self._aggregates.load(name)
        return self._aggregates.repeated(stored, command, reply_type) if stored else None

    def of_ticket(self, ticket: str) -> Pass | None:
        return self._one({"site_id": ticket.split("/")[1], "ticket": ticket})

    def of_plate(self, channel: str, plate_index: str) -> Pass | None:
        """The open pass of a vehicle in a channel."""
        key = plate_key(channel, plate_index)
        return self._one({"site_id": channel.split("/")[1], "plate_key": key, "in_line": True})

    def in_lane(self, channel: str, lane: str, day: str) -> list[Pass]:
        """Who is in a lane, first in first. Its cost follows who is there."""
        query = {"site_id": channel.split("/")[1], "lane_key": lane_key(channel, lane, day), "in_lane": True}
        return self._all(self._collection.find(query).sort("place", ASCENDING))

    def last_place(self, channel: str, lane: str, day: str) -> int:
        """The greatest place given in a lane; 0 when there is none."""
        query = {"site_id": channel.split("/")[1], "lane_key": lane_key(channel, lane, day), "has_place": True}
        for document in self._collection.find(query, {"place": 1}).sort("place", DESCENDING).limit(1):
            return int(document["place"])
        return 0

    def open_of(self, channel: str, limit: int, after: tuple[datetime, str] | None = None) -> list[Pass]:
        """Open passes of a channel, first come first, of one millisecond by name; `after`: those that follow that time and
        name."""
        query: dict[str, Any] = {"site_id": channel.split("/")[1], "channel": channel, "open": True}
        if after is not None:
            at, name = after
            query["registered_at"] = {"$gte": at}
            query["$or"] = [{"registered_at": {"$gt": at}}, {"_id": {"$gt": name}}]
        order = [("registered_at", ASCENDING), ("_id", ASCENDING)]
        return self._all(self._collection.find(query, WITHOUT_REPLIES).sort(order).limit(limit))

    def of_days(self, channel: str, first: str, last: str) -> list[Pass]:
        """Every pass of some days. Its cost follows them."""
        query = {"site_id": channel.split("/")[1], "channel": channel, "day": {"$gte": first, "$lte": last}}
        return self._all(self._collection.find(query, WITHOUT_REPLIES))

    def with_old_plate(self, before: datetime, limit: int) -> list[str]:
        """Names of passes that ended before and still hold a plate."""
        query = {"has_old_plate": True, "ended_at": {"$lt": before}}
        return [d["_id"] for d in self._collection.find(query, {"_id": 1}).limit(limit)]

    def _one(self, query: Mapping[str, Any]) -> Pass | None:
        found = self._collection.find_one(query)
        return to_pass(self._aggregates.stored(found)) if found else None

    def _all(self, cursor: Any) -> list[Pass]:
        return [to_pass(self._aggregates.stored(document)) for document in cursor]


class Arrivals:
    """Who is at the gate while the ticket is taken, by the ticket's name: written before it, gone when the pass is there."""

    def __init__(self, store: Store) -> None:
        self._collection = store.database["arrivals"]

    def note(self, vehicle: Pass, command: Command) -> Arrival:
        """Keep it; a repeated command gets what was kept first. Raises REQUEST_ID_REUSED for another body."""
        document = {
            "_id": vehicle.ticket,
            "name": vehicle.name,
            "site_id": vehicle.site_id,
            "state": to_state(vehicle),
            "request_id": command.request_id,
            "method": command.method,
            "fingerprint": command.fingerprint,
            "actor": command.actor,
            "at": command.at,
        }
        try:
            self._collection.insert_one(document)
        except DuplicateKeyError:
            there = self.of(vehicle.ticket)
            if there is not None and there.command.fingerprint != command.fingerprint:
                raise FailedPrecondition(
                    "this request_id was used with another body", reason="REQUEST_ID_REUSED", field="request_id"
                ) from None
            return there or Arrival(vehicle, command)  # gone: its pass is there
        return Arrival(vehicle, command)

    def of(self, ticket: str) -> Arrival | None:
        found = self._collection.find_one({"_id": ticket})
        if found is None:
            return None
        vehicle = to_pass(Stored(found["name"], found["site_id"], 0, found["state"]))
        command = Command(
            found["request_id"], found["method"], found["fingerprint"], found["actor"], found["at"], trace.current()
        )
        return Arrival(vehicle, command)

    def forget(self, ticket: str) -> None:
        self._collection.delete_one({"_id": ticket})


def lane_key(channel: str, lane: str, day: str) -> str:
    return f"{channel}/lanes/{lane}#{day}"


def plate_key(channel: str, plate_index: str) -> str:
    return f"{channel}#{plate_index}"


def to_state(p: Pass) -> dict[str, Any]:
    """The document's own fields. Flags of the partial indexes are derived here and nowhere else."""
    lane = lane_key(p.channel, p.lane, p.day) if p.lane else ""
    return {
        "channel": p.channel,
        "agency": p.agency,
        "ticket": p.ticket,
        "number": p.number,
        "offering": p.offering,
        "day": p.day,
        "registered_at": p.registered_at,
        "sealed_plate": p.sealed_plate,
        "plate_index": p.plate_index,
        "masked_plate": p.masked_plate,
        "state": p.state.value,
        "lane": p.lane,
        "place": p.place,
        "counter": p.counter,
        "stages": [{"stage": s.stage, "started_at": s.started_at, "finished_at": s.finished_at} for s in p.stages],
        "cause": p.cause.value,
        "called_at": p.called_at,
        "ended_at": p.ended_at,
        "heard": p.heard,
        "open": p.state in OPEN,
        "lane_key": lane,
        "has_place": p.place > 0,
        "in_lane": p.state is State.IN_LANE,
        "stage_key": f"{lane}/{p.at_stage}" if p.at_stage else "",
        "at_stage": p.at_stage != "",
        "plate_key": plate_key(p.channel, p.plate_index),
        "in_line": p.state in OPEN and p.plate_index != "",
        "has_old_plate": p.state not in OPEN and p.plate_index != "",
    }


def to_pass(stored: Stored) -> Pass:
    s = stored.state
    return Pass(
        name=stored.name,
        site_id=stored.site_id,
        channel=s["channel"],
        agency=s["agency"],
        ticket=s["ticket"],
        number=s["number"],
        offering=s["offering"],
        day=s["day"],
        registered_at=s["registered_at"],
        sealed_plate=s["sealed_plate"],
        plate_index=s["plate_index"],
        masked_plate=s["masked_plate"],
        state=State(s["state"]),
        lane=s["lane"],
        place=s["place"],
        counter=s["counter"],
        stages=tuple(StageTime(t["stage"], t["started_at"], t["finished_at"]) for t in s["stages"]),
        cause=Cause(s["cause"]),
        called_at=s["called_at"],
        ended_at=s["ended_at"],
        heard=s["heard"],
    )
