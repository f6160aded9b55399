"""The service's parts together: tickets, and what builds on them. Built once by main.py, from which api and handlers take
their own. Knows which parts there are; decides nothing.

A part that tickets need (counters) is in their App; one that needs tickets is here, so that none is half-built.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from pymongo import IndexModel

from mpp_queue import store, usecases
from mpp_queue.appointments import store as appointments_store
from mpp_queue.appointments import usecases as appointments

INDEXES: dict[str, list[IndexModel]] = {**store.INDEXES, **appointments_store.INDEXES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms(usecases.App):
    """The tickets' App and beside it the others."""

    appointments: appointments.App


def beside(tickets: usecases.App, *, appointments: appointments.App) -> Rooms:
    """`tickets` itself is what the others hold; what changes in it (boards, locks, memory) is shared."""
    return Rooms(**{f.name: getattr(tickets, f.name) for f in fields(tickets)}, appointments=appointments)
