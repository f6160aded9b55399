"""Days of agendas as documents: the mapping, the indexes, every query. Knows pymongo and fields; never a rule.

One document a queue or channel and local day. `taken` and `blocks` say what capacity needs, so that listing slots reads
no person. `due_at` is the earliest thing that time will do to a booking of the day; the partial index holds only days on
which something is due, so a sweep costs what is due and not what was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored, Taken
from mpp_chassis.call import Command
from mpp_chassis.errors import Aborted, FailedPrecondition, NotFound
from mpp_chassis.events import Event
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from mpp_queue.appointments.domain.agenda_day import AgendaDay, Block, Occupied, occupied
from mpp_queue.appointments.domain.booking import ACTIVE, Booking, HistoryLine, Personal, State
from mpp_queue.appointments.domain.calendar import Agenda

M = TypeVar("M", bound=Message)
AGENDAS, CLAIMS, CHOICES = "agendas", "booking_claims", "booking_choices"
CLAIMS_KEPT = timedelta(days=7)  # after the day of the booking; they are overwritten, not waited for
CHOICES_KEPT = timedelta(days=2)  # longer than a request_id is
ATTEMPTS = 5  # of making a day's document that others make too
_FINDABLE = ACTIVE | {State.NO_SHOW}

INDEXES: dict[str, list[IndexModel]] = {
    AGENDAS: [
        IndexModel([("site_id", ASCENDING), ("parent", ASCENDING), ("day", ASCENDING)], name="of_parent"),
        IndexModel([("due_at", ASCENDING)], name="due", partialFilterExpression={"has_due": True}),
        IndexModel([("site_id", ASCENDING), ("code_keys", ASCENDING)], name="by_code"),
        IndexModel([("site_id", ASCENDING), ("owner_keys", ASCENDING), ("day", ASCENDING)], name="by_owner"),
        IndexModel([("site_id", ASCENDING), ("parent", ASCENDING), ("given_up_by", ASCENDING)], name="given_up"),
        IndexModel([("forget_at", ASCENDING)], name="forget", expireAfterSeconds=0),
    ],
    # Who has how many open bookings, see limits.py; and which agenda a request over several got, see anywhere.py.
    CLAIMS: [IndexModel([("expires_at", ASCENDING)], name="expired", expireAfterSeconds=0)],
    CHOICES: [IndexModel([("expires_at", ASCENDING)], name="expired", expireAfterSeconds=0)],
    # Read models of the catalogue, see agendas.py and offerers.py.
    "channels": [IndexModel([("site_id", ASCENDING), ("agency", ASCENDING)], name="of_agency")],
    "sites": [IndexModel([("region", ASCENDING)], name="of_region")],
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A day and the document it came from."""

    day: AgendaDay
    parent: str
    stored: Stored


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What capacity needs to know of a day, and nothing of a person."""

    occupied: tuple[Occupied, ...] = ()
    blocks: tuple[Block, ...] = ()


Decide = Callable[[AgendaDay], tuple[AgendaDay, M, Sequence[Event]]]


class AgendaDays:
    """The collection. Safe for many threads and processes: every write is an insert or a compare-and-set.

    `kept`: how long after its day a document is forgotten.
    """

    def __init__(self, store: Store, kept: timedelta = timedelta(days=90)) -> None:
        self._aggregates = Aggregates(store, AGENDAS)
        self._collection = self._aggregates.collection
        self._kept = kept

    def load(self, name: str) -> Loaded | None:
        stored = self._aggregates.load(name)
        return _loaded(stored) if stored else None

    def change(self, agenda: Agenda, name: str, command: Command, reply_type: type[M], decide: Decide[M]) -> M:
        """Load, decide, compare-and-set, again while others win; a day that nobody booked yet begins empty. The day is of
        the agency that has the agenda now: a room that changed hands took its bookings along.

        A repeated command gets its stored reply. Raises Aborted, and what `decide` raises.
        """

        asked: list[str] = []  # whether `decide` was asked: else a NotFound says that the day has no document

        def decision(stored: Stored) -> Decision:
            asked.append(stored.name)
            after, reply, events = decide(replace(_loaded(stored).day, agency=agenda.agency))
            return Decision(self._state(agenda, after), reply, events)

        for _ in range(ATTEMPTS):
            try:
                return self._aggregates.change(name, command, reply_type, decision)
            except NotFound:
                if asked:
                    raise
            empty = AgendaDay(name, agenda.agency, date.fromisoformat(name.rsplit("/", 1)[1]))
            after, reply, events = decide(empty)
            try:
                state = self._state(agenda, after)
                return self._aggregates.create(name, agenda.site_id, state, command, reply, events)
            except Taken:
                continue  # somebody else made it
        raise Aborted(f"{name} is being made by too many at once; try again")

    def save(
        self,
        agenda: Agenda,
        before: Loaded,
        after: AgendaDay,
        command: Command,
        reply: Message,
        events: Sequence[Event],
    ) -> None:
        """Raises Stale."""
        self._aggregates.save(before.stored, self._state(agenda, after), command, reply, events)

    def occupancy(self, site_id: str, parent: str, first: date, last: date) -> dict[date, Occupancy]:
        """Days from `first` to `last` on which anything is booked or blocked."""
        query = _range(site_id, parent, first, last)
        found = self._collection.find(query, {"day": 1, "taken": 1, "blocks": 1}).sort("day", ASCENDING)
        return {
            date.fromisoformat(d["day"]): Occupancy(tuple(_occupied(t) for t in d["taken"]), _blocks(d["blocks"]))
            for d in found
        }

    def days(self, site_id: str, parent: str, first: date, last: date) -> list[AgendaDay]:
        """Whole days, in order."""
        found = self._collection.find(_range(site_id, parent, first, last), {"replies": 0, "outbox": 0})
        return [_loaded(self._aggregates.stored(d)).day for d in found.sort("day", ASCENDING)]

    def by_code(self, site_id: str, code_key: str) -> list[tuple[Loaded, Booking]]:
        """Bookings that a code opens: one, but for the rarest chance."""
        found = self._collection.find({"site_id": site_id, "code_keys": code_key}).limit(3)
        days = [_loaded(self._aggregates.stored(d)) for d in found]
        return [(d, b) for d in days for b in d.day.bookings if b.code_key == code_key and b.state in _FINDABLE]

    def of_owner(self, site_id: str, owner_keys: Iterable[str], first: date, limit: int) -> list[AgendaDay]:
        """Days from `first` on that hold a booking of one of these owners."""
        query = {"site_id": site_id, "owner_keys": {"$in": sorted(owner_keys)}, "day": {"$gte": first.isoformat()}}
        found = self._collection.find(query, {"replies": 0, "outbox": 0}).sort("day", ASCENDING).limit(limit)
        return [_loaded(self._aggregates.stored(d)).day for d in found]

    def given_up(self, site_id: str, parent: str, holder_key: str, since: datetime) -> list[datetime]:
        """When this person let sure appointments go after `since`. At most 20 days are looked at, of those on which anybody
        did.
        """
        query = {"site_id": site_id, "parent": parent, "given_up_by": holder_key, "given_up_last": {"$gt": since}}
        found = self._collection.find(query, {"replies": 0, "outbox": 0}).limit(20)
        bookings = [b for d in found for b in _loaded(self._aggregates.stored(d)).day.bookings]
        return [at for b in bookings if b.personal.counts_for == holder_key and (at := b.given_up_at) and at > since]

    def due(self, now: datetime, limit: int) -> list[Loaded]:
        """Days on which time has something to do, the longest due first."""
        found = self._collection.find({"has_due": True, "due_at": {"$lte": now}}).sort("due_at", ASCENDING)
        return [_loaded(self._aggregates.stored(d)) for d in found.limit(limit)]

    def _state(self, agenda: Agenda, day: AgendaDay) -> dict[str, Any]:
        day = day.forgetful()
        due, given_up = day.due_at(agenda), [at for b in day.bookings if (at := b.given_up_at)]
        state: dict[str, Any] = {
            "parent": day.name.rsplit("/agendas/", 1)[0],
            "agency": day.agency,
            "day": day.day.isoformat(),
            "bookings": [_from_booking(b) for b in day.bookings],
            "blocks": [_from_block(b) for b in day.blocks],
            "taken": [_from_occupied(occupied(b, agenda.kept.groups)) for b in day.bookings],
            "owner_keys": sorted({o for b in day.bookings for o in b.owners}),
            "code_keys": sorted({b.code_key for b in day.bookings if b.code_key and b.state in _FINDABLE}),
            "given_up_by": sorted({b.personal.counts_for for b in day.bookings if b.given_up_at} - {""}),
            "has_due": due is not None,
            "forget_at": datetime.combine(day.day, time(), UTC) + self._kept,
        }
        if due is not None:
            state["due_at"] = due
        if given_up:
            state["given_up_last"] = max(given_up)
        return state


@dataclass(frozen=True, slots=True)
class Claim:
    """For which appointment, and since when."""

    appointment: str
    at: datetime


class Claims:
    """Claims by their ids, which say what they limit. Each write is an insert or a compare-and-set."""

    def __init__(self, store: Store) -> None:
        self._collection = store.database[CLAIMS]

    def of(self, ids: Sequence[str]) -> dict[str, Claim]:
        found = self._collection.find({"_id": {"$in": list(ids)}})
        return {d["_id"]: Claim(d["appointment"], d["at"]) for d in found}

    def take(self, id: str, site_id: str, appointment: str, at: datetime, former: str) -> bool:
        """`former`: whose it was, "" for nobody's. False when somebody else was faster."""
        document = {"site_id": site_id, "appointment": appointment, "at": at, "expires_at": _claim_until(appointment)}
        if former:
            return bool(self._collection.replace_one({"_id": id, "appointment": former}, document).matched_count)
        try:
            self._collection.insert_one({"_id": id, **document})
        except DuplicateKeyError:
            return False
        return True

    def release(self, id: str, appointment: str) -> None:
        """Unless it is another's by now."""
        self._collection.delete_one({"_id": id, "appointment": appointment})

    def move(self, ids: Sequence[str], old: str, new: str) -> None:
        moved = {"appointment": new, "expires_at": _claim_until(new)}
        self._collection.update_many({"_id": {"$in": list(ids)}, "appointment": old}, {"$set": moved})


def _claim_until(appointment: str) -> datetime:
    """A blind index of a person is kept no longer than there is a use for it."""
    day = appointment.partition("/agendas/")[2].partition("/")[0]
    return datetime.combine(date.fromisoformat(day), time(), UTC) + CLAIMS_KEPT


@dataclass(frozen=True, slots=True)
class Choice:
    """Which agenda a request over several got. `settled`: its place was taken, it never changes any more."""

    agenda: str
    settled: bool = False


class Choices:
    """One document a command."""

    def __init__(self, store: Store) -> None:
        self._collection = store.database[CHOICES]

    def find(self, command: Command) -> Choice | None:
        """Raises FailedPrecondition (REQUEST_ID_REUSED)."""
        found = self._collection.find_one({"_id": command.key})
        if found is None:
            return None
        if found["fingerprint"] != command.fingerprint:
            raise FailedPrecondition(
                "this request_id was used with another body", reason="REQUEST_ID_REUSED", field="request_id"
            )
        return Choice(found["agenda"], found["settled"])

    def make(self, command: Command, site_id: str, choice: Choice) -> bool:
        """False when there is one already."""
        document = {
            "_id": command.key,
            "site_id": site_id,
            "agenda": choice.agenda,
            "settled": choice.settled,
            "fingerprint": command.fingerprint,
            "expires_at": command.at + CHOICES_KEPT,
        }
        try:
            self._collection.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    def change(self, command: Command, old: str, new: str) -> None:
        """Unless it changed, or is settled."""
        self._collection.update_one(_unsettled(command, old), {"$set": {"agenda": new}})

    def settle(self, command: Command, agenda: str) -> bool:
        """False when it changed meanwhile, or was settled."""
        done = self._collection.update_one(_unsettled(command, agenda), {"$set": {"settled": True}})
        return bool(done.matched_count)

    def forget(self, command: Command, agenda: str) -> None:
        """All refused: who asks again is asked anew. Unless it changed, or is settled."""
        self._collection.delete_one(_unsettled(command, agenda))


def _unsettled(command: Command, agenda: str) -> dict[str, Any]:
    return {"_id": command.key, "agenda": agenda, "settled": False}


def _range(site_id: str, parent: str, first: date, last: date) -> dict[str, Any]:
    return {"site_id": site_id, "parent": parent, "day": {"$gte": first.isoformat(), "$lte": last.isoformat()}}


def _loaded(stored: Stored) -> Loaded:
    s = stored.state
    bookings = tuple(_to_booking(b) for b in s["bookings"])
    day = AgendaDay(stored.name, s["agency"], date.fromisoformat(s["day"]), bookings, _blocks(s["blocks"]))
    return Loaded(day, s["parent"], stored)


_PLAIN = (
    "id", "start", "end", "slots", "made_at", "hold_until", "cool_until", "internal", "offering", "group", "area",
    "code_key", "sealed_code", "arrived_at", "late", "ticket", "replaces", "replaced_by", "after_no_show", "reminded",
    "reason", "variant", "sealed_link",
)  # fmt: skip
_PERSONAL = tuple(Personal.__dataclass_fields__)


def _from_booking(b: Booking) -> dict[str, Any]:
    """Empty fields are left out: a day is written whole with every booking, so what is not there costs nothing."""
    lines = [{"at": h.at, "actor": h.actor, "state": h.state.value, "note": h.note} for h in b.history]
    return {
        **{name: value for name in _PLAIN if (value := getattr(b, name))},
        "state": b.state.value,
        "owners": list(b.owners),
        "personal": {name: value for name in _PERSONAL if (value := getattr(b.personal, name))},
        "history": [{name: value for name, value in line.items() if value} for line in lines],
    }


def _to_booking(d: Mapping[str, Any]) -> Booking:
    return Booking(
        **{name: d[name] for name in _PLAIN if name in d},
        state=State(d["state"]),
        owners=tuple(d["owners"]),
        personal=Personal(**d["personal"]),
        history=tuple(HistoryLine(h["at"], h["actor"], State(h["state"]), h.get("note", "")) for h in d["history"]),
    )


def _from_occupied(o: Occupied) -> dict[str, Any]:
    return {"start": o.start, "end": o.end, "internal": o.internal, "priority": o.priority, "until": o.until}


def _occupied(d: Mapping[str, Any]) -> Occupied:
    return Occupied(d["start"], d["end"], d["internal"], d["priority"], d["until"])


def _from_block(b: Block) -> dict[str, Any]:
    names = ("id", "start", "end", "places", "reason", "actor", "at")
    return {name: getattr(b, name) for name in names}


def _blocks(told: Iterable[Mapping[str, Any]]) -> tuple[Block, ...]:
    return tuple(Block(**block) for block in told)
