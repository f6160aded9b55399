"""What other services told: sites with their calendars, agencies, fees, and how long each ticket waited.

Knows the catalogue's and the queue's events and keeps of each only what complaints need. Never asks another
service, never writes a complaint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mpp.catalog.v1 import agency_pb2, offering_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.projection import Projection
from mpp_chassis.sites import Sites as Sites  # its calendar and its announced downtimes

AGENCIES, WAITS, OFFERINGS, ALARMS = "agencies", "ticket_waits", "offerings", "booking_alarms"


class Agencies:
    """Which agencies there are."""

    def __init__(self, store: Store) -> None:
        self._projection = Projection(store, AGENCIES)

    def learn(self, agency: agency_pb2.Agency, sequence: int) -> bool:
        return self._projection.apply(agency.name, sequence, {"site": _site(agency.name)})

    def known(self, agency: str) -> bool:
        return self._projection.get(agency) is not None


class Offerings:
    """What each offering costs, as the catalogue publishes it, and whose it is."""

    def __init__(self, store: Store) -> None:
        self._projection = Projection(store, OFFERINGS)

    def learn(self, offering: offering_pb2.Offering, sequence: int) -> bool:
        standard = offering.standard
        fee = standard.fee.SerializeToString(deterministic=True) if standard.HasField("fee") else None
        return self._projection.apply(offering.name, sequence, {"agency": offering.agency, "fee": fee})

    def retire(self, name: str, sequence: int) -> bool:
        """Its last fee is forgotten: nothing is asked for it any more."""
        return self._projection.apply(name, sequence, {"agency": "", "fee": None})

    def agency(self, name: str) -> str:
        """Empty while unknown."""
        found = self._projection.get(name)
        return str(found["agency"]) if found else ""

    def fee(self, name: str) -> offering_pb2.Fee | None:
        """None where none is published: a gap, not "free of charge"."""
        found = self._projection.get(name)
        return offering_pb2.Fee.FromString(found["fee"]) if found and found["fee"] is not None else None


class BookingAlarms:
    """The queue's alarms about brokers that nobody has acknowledged: while there is one, a site may ask for work before
    a complaint is filed. Cost follows what is recent: an index, and forgotten after a week."""

    def __init__(self, store: Store) -> None:
        self._projection = Projection(store, ALARMS)

    def learn(self, alarm: str, sequence: int, raised_at: datetime, acknowledged: bool) -> bool:
        fields = {"site": _site(alarm), "open": not acknowledged, "raised_at": raised_at}
        return self._projection.apply(alarm, sequence, fields)

    def since(self, site: str, moment: datetime) -> bool:
        """Whether one was raised since then and is open."""
        query = {"site": site, "open": True, "raised_at": {"$gt": moment}}
        return self._projection.collection.find_one(query, {"_id": 1}) is not None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a served ticket was for. `offering` may be empty."""

    agency: str
    offering: str


class Waits:
    """Evidence: the waiting time that the queue measured for a ticket, and what it was for."""

    def __init__(self, store: Store) -> None:
        self._projection = Projection(store, WAITS)

    def learn(self, ticket: str, sequence: int, agency: str, seconds: int, at: datetime, offering: str = "") -> bool:
        fields = {"agency": agency, "seconds": seconds, "at": at, "offering": offering}
        return self._projection.apply(ticket, sequence, fields)

    def ticket(self, name: str) -> Ticket | None:
        """None while no counter has begun to serve it."""
        found = self._projection.get(name)
        return Ticket(found["agency"], found.get("offering", "")) if found else None

    def seconds(self, ticket: str, agency: str) -> int | None:
        """None while unknown, and for a ticket of another agency: that proves nothing against this one."""
        return self.all_seconds([(ticket, agency)]).get(ticket)

    def all_seconds(self, wanted: list[tuple[str, str]]) -> Mapping[str, int]:
        """For (ticket, agency) pairs; one find for a whole page."""
        agencies = {ticket: agency for ticket, agency in wanted if ticket}
        if not agencies:
            return {}
        found = self._projection.collection.find({"_id": {"$in": sorted(agencies)}})
        return {d["_id"]: d["seconds"] for d in found if d["agency"] == agencies[d["_id"]]}


def _site(name: str) -> str:
    return "/".join(name.split("/")[:2])
