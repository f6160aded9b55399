"""The service's parts together: tickets, and what builds on them. Built once by main.py, from which api and handlers take
their own. Knows which parts there are; decides nothing.

A part that tickets need (counters) is in their App; one that needs tickets is here, so that none is half-built.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from mpp_queue import app, store
from mpp_queue.appointments import app as appointments
from mpp_queue.appointments import store as appointments_store
from mpp_queue.displays import store as displays_store
from mpp_queue.displays import usecases as displays
from mpp_queue.guard import store as guard_store
from mpp_queue.guard import usecases as guard
from mpp_queue.kiosks import store as kiosks_store
from mpp_queue.kiosks import usecases as kiosks
from mpp_queue.reports import store as reports_store
from mpp_queue.reports import usecases as reports
from mpp_queue.visits import store as visits_store
from mpp_queue.visits import usecases as visits

_PARTS = tuple(
    part.INDEXES
    for part in (store, appointments_store, displays_store, guard_store, kiosks_store, reports_store, visits_store)
)


def _together() -> dict[str, list[Any]]:
    """Two parts may both look into one collection (tickets, channels): it has the indexes of both."""
    found: dict[str, list[Any]] = {}
    for indexes in _PARTS:
        for collection, models in indexes.items():
            found[collection] = [*found.get(collection, ()), *models]
    return found


INDEXES: dict[str, list[Any]] = _together()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms(app.App):
    """The tickets' App and beside it the others."""

    appointments: appointments.App
    displays: displays.App
    kiosks: kiosks.App
    guard_room: guard.App
    reports: reports.App
    visits: visits.App


def beside(
    tickets: app.App,
    *,
    appointments: appointments.App,
    displays: displays.App,
    kiosks: kiosks.App,
    guard_room: guard.App,
    reports: reports.App,
    visits: visits.App,
) -> Rooms:
    """`tickets` itself is what the others hold; what changes in it (boards, locks, memory) is shared."""
    shared = {f.name: getattr(tickets, f.name) for f in fields(tickets)}
    return Rooms(
        **shared,
        appointments=appointments,
        displays=displays,
        kiosks=kiosks,
        guard_room=guard_room,
        reports=reports,
        visits=visits,
    )
