"""How many places the agendas of a site offer on some days: the planned capacity beside which bookings stand.

Knows agendas by their rules of *now*. What a day that is over offered is kept by the sweep (reports/store.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from mpp_chassis.errors import FailedPrecondition, NotFound

from mpp_queue.appointments.agendas import Agendas
from mpp_queue.counters.store import Layout
from mpp_queue.reports.domain import Offer


class Offered:
    """Queues and channels that can be booked."""

    def __init__(self, channels: Any, layout: Layout, agendas: Agendas) -> None:
        self._channels, self._layout, self._agendas = channels, layout, agendas

    def zones(self) -> Iterator[tuple[str, str]]:
        """Every site's id and zone."""
        return self._layout.zones()

    def places(self, site_id: str, days: Sequence[date]) -> list[Offer]:
        """One line a slot. Its cost follows the slots; an agenda that the catalogue took back offers none."""
        found: list[Offer] = []
        if not days:
            return found
        for parent in self._parents(site_id):
            try:
                agenda = self._agendas.find(parent)
            except (NotFound, FailedPrecondition):
                continue
            for day in days:
                slots = agenda.slots_of(day)
                found += [Offer(parent, agenda.agency, day.isoformat(), s.start, agenda.places) for s in slots]
        return found

    def _parents(self, site_id: str) -> Iterator[str]:
        yield from (place.queue for place in self._layout.places(site_id))
        within = {"$gte": f"sites/{site_id}/channels/", "$lt": f"sites/{site_id}/channels0"}
        for document in self._channels.find({"_id": within}, {"_id": 1}):
            yield document["_id"]
