"""Tickets and their events as the public contract shows them. Knows both shapes; decides nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from mpp.queue.v1 import events_pb2, ticket_pb2
from mpp_chassis.events import Event

from mpp_queue import domain
from mpp_queue.announcement import announcement
from mpp_queue.domain import PriorityGroup, QueueSpec, State, Ticket
from mpp_queue.views import Snapshot

_STATES: dict[State, Any] = {state: ticket_pb2.Ticket.State.Value(f"STATE_{state.name}") for state in State}
_GROUPS: dict[PriorityGroup, Any] = {
    group: ticket_pb2.PriorityGroup.Value(
        "PRIORITY_GROUP_UNSPECIFIED" if group is PriorityGroup.NONE else f"PRIORITY_GROUP_{group.name}"
    )
    for group in PriorityGroup
}
_GROUP_OF = {number: group for group, number in _GROUPS.items()}


def group_of(number: int) -> PriorityGroup:
    """The domain's group of a proto enum value (validated before)."""
    return _GROUP_OF[number]


def ticket(t: Ticket) -> ticket_pb2.Ticket:
    """The reply: never the phone, only its mask."""
    reply = ticket_pb2.Ticket(
        name=t.name,
        number=t.number,
        day=t.day,
        state=_STATES[t.state],
        offering=t.offering,
        counter=t.counter,
        calls=t.calls,
        agency=t.agency,
        priority_group=_GROUPS[t.group],
        applications=t.applications,
        masked_phone=t.masked_phone,
        reason=t.reason,
    )
    _stamp(reply.issued_at, t.issued_at)
    if t.called_at:
        _stamp(reply.called_at, t.called_at)
    if t.serving_at:
        _stamp(reply.serving_at, t.serving_at)
    if t.ended_at and t.state is State.FINISHED:
        _stamp(reply.finished_at, t.ended_at)
    return reply


def issued(t: Ticket) -> ticket_pb2.IssuedTicket:
    """What the kiosk prints: the ticket, people ahead and the estimate."""
    (event,) = t.events
    assert isinstance(event, domain.Issued)
    reply = ticket_pb2.IssuedTicket(ticket=ticket(t), people_ahead=event.people_ahead)
    reply.estimated_wait.FromTimedelta(event.estimated_wait)
    return reply


def queue_status(spec: QueueSpec, snapshot: Snapshot) -> ticket_pb2.QueueStatus:
    """The public face of a queue: numbers and counters, nothing of a person."""
    reply = ticket_pb2.QueueStatus(
        name=spec.name,
        agency=spec.agency,
        prefix=spec.prefix,
        counters=spec.counters,
        waiting=snapshot.waiting,
    )
    reply.estimated_wait.FromTimedelta(snapshot.wait_of(snapshot.waiting))
    for line in snapshot.board:
        _stamp(reply.board.add(number=line.number, counter=line.counter).called_at, line.called_at)
    return reply


def events(t: Ticket) -> list[Event]:
    """The ticket's new events in their envelope-ready form."""
    return [Event(_event(t, event), t.name) for event in t.events]


def _event(t: Ticket, event: domain.TicketEvent) -> Message:
    if isinstance(event, domain.Issued):
        return _issued_event(t, event)
    if isinstance(event, domain.Called):
        return _called_event(t)
    if isinstance(event, domain.ServingStarted):
        return _serving_event(t, event)
    return _ended_event(t, event)


def _issued_event(t: Ticket, event: domain.Issued) -> events_pb2.TicketIssued:
    message = events_pb2.TicketIssued(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        offering=t.offering,
        day=t.day,
        priority_group=_GROUPS[t.group],
        sealed_phone=t.sealed_phone,
        people_ahead=event.people_ahead,
        estimated_wait_minutes=-(-event.estimated_wait // timedelta(minutes=1)),
    )
    _stamp(message.issued_at, t.issued_at)
    return message


def _called_event(t: Ticket) -> events_pb2.TicketCalled:
    message = events_pb2.TicketCalled(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        counter=t.counter,
        calls=t.calls,
        sealed_phone=t.sealed_phone,
        announcement=announcement(t.number, t.counter),
    )
    if t.called_at:
        _stamp(message.called_at, t.called_at)
    return message


def _serving_event(t: Ticket, event: domain.ServingStarted) -> events_pb2.TicketServing:
    message = events_pb2.TicketServing(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        offering=t.offering,
        counter=t.counter,
        waited_seconds=_seconds(event.waited),
    )
    _stamp(message.issued_at, t.issued_at)
    if t.serving_at:
        _stamp(message.serving_at, t.serving_at)
    return message


def _ended_event(t: Ticket, event: domain.Ended) -> events_pb2.TicketEnded:
    message = events_pb2.TicketEnded(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        offering=t.offering,
        state=_STATES[event.state],
        reason=event.reason,
        waited_seconds=_seconds(event.waited),
        served_seconds=_seconds(event.served),
        counter=event.counter,
        sealed_phone=t.sealed_phone,
    )
    _stamp(message.ended_at, event.at)
    return message


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _stamp(field: Any, moment: datetime) -> None:
    field.FromDatetime(moment)
