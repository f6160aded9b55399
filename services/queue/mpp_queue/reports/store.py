"""Lines, sessions and bookings of the past, learned times and planned staff as documents. Knows pymongo; decides nothing.

`report_lines` has one document a ticket and queue, written when its way there is over, and forgotten after the days that
the setting says (a TTL index; queries look at the date too). Its cost in a query follows the lines of the days asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from mpp.queue.v1 import report_pb2
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored, Taken
from mpp_chassis.call import Command
from mpp_chassis.errors import Aborted, NotFound
from mpp_chassis.projection import Projection
from pymongo import ASCENDING, DESCENDING, IndexModel

from mpp_queue.domain.estimate import Pace, Times
from mpp_queue.reports.domain import Booking, Line, Offer, Session

LINES, SESSIONS, BOOKINGS, PLACES, TIMES, STAFFING = (
    "report_lines", "report_sessions", "report_bookings", "report_places", "service_times", "staffing",
)  # fmt: skip


def _of_days(name: str) -> list[IndexModel]:
    return [
        IndexModel([("site_id", ASCENDING), ("day", ASCENDING)], name=f"{name}_of_site"),
        IndexModel([("agency", ASCENDING), ("day", ASCENDING)], name=f"{name}_of_agency"),
        IndexModel([("forget_at", ASCENDING)], name=f"{name}_forgotten", expireAfterSeconds=0),
    ]


INDEXES: dict[str, list[IndexModel]] = {
    LINES: [
        *_of_days("lines"),
        IndexModel([("queue", ASCENDING), ("day", DESCENDING)], name="lines_of_queue"),
    ],
    SESSIONS: _of_days("sessions"),
    BOOKINGS: _of_days("bookings"),
    PLACES: _of_days("places"),
    TIMES: [],
    STAFFING: [],
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which lines a report is of. `agency`, `queue`: full names, or empty for all of the site."""

    site_id: str
    from_day: str
    to_day: str
    agency: str = ""
    queue: str = ""

    def query(self, now: datetime) -> dict[str, Any]:
        named = {"agency": self.agency, "queue": self.queue}
        whose = {"site_id": self.site_id, **{field: name for field, name in named.items() if name}}
        return {**whose, "day": {"$gte": self.from_day, "$lte": self.to_day}, "forget_at": {"$gt": now}}

    def holds(self, offer: Offer) -> bool:
        return self.agency in ("", offer.agency) and self.queue in ("", offer.queue)


@dataclass(frozen=True, slots=True)
class Plan:
    """Planned counters of one local day; 0: nothing planned."""

    counters: int = 0
    day: str = ""

    def of(self, day: str) -> int:
        return self.counters if self.day == day else 0


class Past:
    """What happened: written by the `work` process, idempotent by the event's sequence."""

    def __init__(self, store: Store, kept: timedelta) -> None:
        self._lines, self._sessions, self._bookings = (Projection(store, n) for n in (LINES, SESSIONS, BOOKINGS))
        self._places = store.database[PLACES]
        self._kept = kept

    def note_line(self, line: Line, sequence: int) -> bool:
        fields = {k: v for k, v in asdict(line).items() if k != "ticket"}
        fields["delivered"] = list(line.delivered)
        return self._lines.apply(line.ticket, sequence, {**fields, "forget_at": line.ended_at + self._kept})

    def note_session(self, name: str, session: Session, site_id: str, closed_at: datetime, sequence: int) -> bool:
        """`name`: the counter's; each of its sessions is a document of its own, told apart by the event's sequence."""
        fields = {**asdict(session), "site_id": site_id, "forget_at": closed_at + self._kept}
        return self._sessions.apply(f"{name}#{sequence}", sequence, fields)

    def note_booking(self, name: str, booking: Booking, site_id: str, sequence: int) -> bool:
        fields = {**asdict(booking), "site_id": site_id, "forget_at": booking.start + self._kept}
        return self._bookings.apply(name, sequence, fields)

    def lines(self, scope: Scope, now: datetime) -> list[Line]:
        return [_line(d) for d in self._lines.collection.find(scope.query(now))]

    def sessions(self, scope: Scope, now: datetime) -> list[Session]:
        names = ("counter", "queue", "agency", "day", "seconds")
        return [Session(*(d[n] for n in names)) for d in self._sessions.collection.find(scope.query(now))]

    def bookings(self, scope: Scope, now: datetime) -> list[Booking]:
        names = ("queue", "agency", "offering", "day", "start", "state")
        return [Booking(*(d[n] for n in names)) for d in self._bookings.collection.find(scope.query(now))]

    def keep_places(self, site_id: str, day: str, offers: Sequence[Offer], now: datetime) -> None:
        """What the site's agendas offer on this day, all of them; the last one to say so wins."""
        document = {
            "site_id": site_id, "day": day, "forget_at": now + self._kept,
            "offers": [{"queue": o.queue, "agency": o.agency, "start": o.start, "places": o.places} for o in offers],
        }  # fmt: skip
        self._places.replace_one({"_id": f"sites/{site_id}/days/{day}"}, document, upsert=True)

    def places(self, scope: Scope, now: datetime) -> dict[str, list[Offer]]:
        """By day, also those of which it is known that nothing was offered; days of which nothing is known are missing."""
        whole = Scope(scope.site_id, scope.from_day, scope.to_day)
        found = {}
        for d in self._places.find(whole.query(now)):
            offers = [Offer(o["queue"], o["agency"], d["day"], o["start"], o["places"]) for o in d["offers"]]
            found[d["day"]] = [offer for offer in offers if scope.holds(offer)]
        return found

    def lines_of_queue(self, queue: str, since_day: str, most: int) -> list[Line]:
        """The newest lines of one queue, by local day."""
        query = {"queue": queue, "day": {"$gte": since_day}}
        return [_line(d) for d in self._lines.collection.find(query).sort("day", DESCENDING).limit(most)]


class Learned:
    """The times that the estimate goes by, one document a queue. Written by the sweep that learns, read by the views."""

    def __init__(self, store: Store) -> None:
        self._collection = store.database[TIMES]

    def get(self, queue: str) -> Times | None:
        found = self._collection.find_one({"_id": queue})
        return _times(found) if found else None

    def due(self, queues: Iterable[str], now: datetime) -> list[str]:
        """Those of the queues whose times are to be learned (again), the most overdue first."""
        known = {d["_id"]: d["due_at"] for d in self._collection.find({}, {"due_at": 1})}
        waiting = [queue for queue in queues if queue not in known or known[queue] <= now]
        return sorted(waiting, key=lambda queue: (known.get(queue) is not None, known.get(queue, now), queue))

    def put(self, queue: str, times: Times, now: datetime, due_at: datetime) -> None:
        document = {**_from_times(times), "learned_at": now, "due_at": due_at}
        self._collection.replace_one({"_id": queue}, document, upsert=True)


class Staffing:
    """Planned counters, one document a queue."""

    def __init__(self, store: Store) -> None:
        self._aggregates = Aggregates(store, STAFFING)

    def get(self, queue: str) -> Plan:
        stored = self._aggregates.load(f"{queue}/staffing")
        return Plan(stored.state["counters"], stored.state["day"]) if stored else Plan()

    def set(self, queue: str, plan: Plan, command: Command, reply: report_pb2.Staffing) -> report_pb2.Staffing:
        """The last one to say so wins; a repeated command gets its first reply. Raises Aborted."""
        name = f"{queue}/staffing"
        state = {"counters": plan.counters, "day": plan.day, "by": command.actor, "at": command.at}

        def decide(_: Stored) -> Decision:
            return Decision(state, reply)

        for _ in range(2):
            try:
                return self._aggregates.change(name, command, report_pb2.Staffing, decide)
            except NotFound:
                try:
                    return self._aggregates.create(name, queue.split("/")[1], state, command, reply, ())
                except Taken:
                    continue  # somebody else made it
        raise Aborted(f"{name} is being changed by too many at once; try again")


def _line(d: Mapping[str, Any]) -> Line:
    fields = {name: d[name] for name in Line.__slots__ if name not in ("ticket", "delivered")}
    return Line(ticket=d["_id"], delivered=tuple(d["delivered"]), **fields)


def _from_times(times: Times) -> dict[str, Any]:
    """Offerings in a list: their names are no field names."""
    return {
        "whole": asdict(times.whole),
        "offerings": [{"offering": name, **asdict(pace)} for name, pace in times.offerings.items()],
        "gap": times.gap,
        "leaving": times.leaving,
        "overtaken": times.overtaken,
        "staff": list(times.staff),
    }


def _times(d: Mapping[str, Any]) -> Times:
    def pace(p: Mapping[str, Any]) -> Pace:
        return Pace(p["mean"], p["spread"], p["visits"])

    offerings = {p["offering"]: pace(p) for p in d["offerings"]}
    return Times(pace(d["whole"]), offerings, d["gap"], d["leaving"], d["overtaken"], tuple(d["staff"]))
