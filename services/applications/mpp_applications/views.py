"""What other services told: offerings and their standards, sites and their calendars, tickets that were served.

Knows the catalogue's and the queue's events and keeps of each only what applications need. Never asks another
service, never writes an application.
"""

from __future__ import annotations

from mpp.catalog.v1 import offering_pb2
from mpp.queue.v1 import events_pb2 as queue_events
from mpp_chassis.aggregates import Store
from mpp_chassis.projection import Projection
from mpp_chassis.sites import Sites as Sites  # its calendar and its announced downtimes

from mpp_applications.domain import Offering, Promise, Ticket, Unit


class Offerings:
    """Agency, requirements and promised time of each offering."""

    def __init__(self, store: Store) -> None:
        self._projection = Projection(store, "offerings")

    def learn(self, offering: offering_pb2.Offering, sequence: int) -> bool:
        promised = offering.standard.time
        known_unit = offering.standard.HasField("time") and promised.unit
        fields = {
            "agency": offering.agency,
            "requirements": [r.id for r in offering.standard.requirements],
            "promise": {
                "amount": promised.amount,
                "unit": offering_pb2.ServiceTime.Unit.Name(promised.unit).removeprefix("UNIT_"),
            }
            if known_unit
            else None,
        }
        return self._projection.apply(offering.name, sequence, fields)

    def retire(self, name: str, sequence: int) -> bool:
        """Nothing new can be opened for it; files that are open hold what they need themselves."""
        return self._projection.apply(name, sequence, {"retired": True})

    def get(self, name: str) -> Offering | None:
        """None for one that is not known, or is retired."""
        found = self._projection.get(name)
        if found is None or found.get("retired"):
            return None
        promise = found["promise"]
        return Offering(
            name=name,
            agency=found["agency"],
            requirements=tuple(found["requirements"]),
            promise=Promise(promise["amount"], Unit(promise["unit"])) if promise else None,
        )


class Tickets:
    """Tickets that a counter began to serve, for a month. One that is not here may come later."""

    def __init__(self, store: Store) -> None:
        self._projection = Projection(store, "tickets")

    def learn(self, event: queue_events.TicketServing, sequence: int) -> bool:
        fields = {"agency": event.agency, "served_at": event.serving_at.ToDatetime()}
        return self._projection.apply(event.ticket, sequence, fields)

    def get(self, name: str) -> Ticket | None:
        found = self._projection.get(name)
        return Ticket(name, found["agency"]) if found else None
