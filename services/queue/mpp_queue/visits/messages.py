"""Visits and their events as the public contract shows them. Knows both shapes; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.message import Message
from mpp.catalog.v1 import offering_pb2
from mpp.queue.v1 import events_pb2, ticket_pb2, visit_pb2
from mpp_chassis.events import Event

from mpp_queue.visits.domain import Started, Visit


@dataclass(frozen=True, slots=True)
class Outlook:
    """A ticket of a visit as it stands, and what is left for it."""

    ticket: ticket_pb2.Ticket
    ahead: int = 0
    wait: timedelta = timedelta(0)
    service: timedelta = timedelta(0)
    fee: offering_pb2.Fee | None = None


def visit(v: Visit, outlooks: Mapping[str, Outlook], order: Sequence[str], total: timedelta) -> visit_pb2.Visit:
    """`outlooks` by ticket name; `order`: the tickets as they are shown. Who has no ticket comes last."""
    reply = visit_pb2.Visit(name=v.name, day=v.day, cancelled=v.cancelled)
    reply.started_at.FromDatetime(v.started_at)
    reply.estimated_total.FromTimedelta(total)
    place = {name: n for n, name in enumerate(order)}
    for wish in sorted(v.wishes, key=lambda w: place.get(w.ticket, len(place))):
        stop = reply.stops.add(queue=wish.queue, offering=wish.offering)
        outlook = outlooks.get(wish.ticket)
        if outlook is None:
            stop.refused_reason = wish.refused
            continue
        stop.ticket.CopyFrom(outlook.ticket)
        stop.people_ahead = outlook.ahead
        stop.estimated_wait.FromTimedelta(outlook.wait)
        stop.estimated_service.FromTimedelta(outlook.service)
        if outlook.fee is not None:
            stop.fee.CopyFrom(outlook.fee)
    return reply


def events(v: Visit) -> list[Event]:
    """The visit's new events in their envelope-ready form."""
    return [Event(_event(v, isinstance(event, Started)), v.name) for event in v.events]


def _event(v: Visit, started: bool) -> Message:
    return events_pb2.VisitStarted(visit=v.name) if started else events_pb2.VisitCancelled(visit=v.name)
