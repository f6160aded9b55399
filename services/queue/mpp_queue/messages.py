"""Tickets and their events as the public contract shows them. Knows both shapes; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from mpp.catalog.v1 import offering_pb2
from mpp.queue.v1 import events_pb2, facts_pb2, ticket_pb2
from mpp_chassis.events import Event

from mpp_queue import domain
from mpp_queue.announcement import announcement
from mpp_queue.domain import Delivery, Policy, PriorityGroup, QueueSpec, Return, State, Ticket
from mpp_queue.domain.spec import NO_TEXT
from mpp_queue.views import Snapshot

_STATES: dict[State, Any] = {state: ticket_pb2.Ticket.State.Value(f"STATE_{state.name}") for state in State}
_GROUPS: dict[PriorityGroup, Any] = {
    group: ticket_pb2.PriorityGroup.Value(
        "PRIORITY_GROUP_UNSPECIFIED" if group is PriorityGroup.NONE else f"PRIORITY_GROUP_{group.name}"
    )
    for group in PriorityGroup
}
_DELIVERIES: dict[Delivery, Any] = {
    Delivery.NOT_RECORDED: ticket_pb2.DELIVERY_UNSPECIFIED,
    Delivery.RECORDED: ticket_pb2.DELIVERY_RECORDED,
}
_DELIVERY_OF = {number: delivery for delivery, number in _DELIVERIES.items()}
_STATE_OF = {number: state for state, number in _STATES.items()}
_CAUSES: dict[Return, Any] = {
    Return.UNDONE: events_pb2.TicketReturned.CAUSE_UNDONE,
    Return.REQUEUED: events_pb2.TicketReturned.CAUSE_REQUEUED,
}
_GROUP_OF = {number: group for group, number in _GROUPS.items()}


def group_of(number: int) -> PriorityGroup:
    """The domain's group of a proto enum value (validated before)."""
    return _GROUP_OF[number]


def delivery_of(number: int) -> Delivery:
    return _DELIVERY_OF[number]


def states_of(number: int) -> tuple[State, ...]:
    """The open state of a proto enum value (validated before); all of them for 0."""
    return (_STATE_OF[number],) if number else domain.OPEN


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
        channel=t.channel,
        priority_class=t.priority_class,
        visit=t.visit,
        appointment=t.appointment,
        transferred_from=t.parent,
        transferred_to=t.child,
        out_of_turn=t.out_of_turn,
        delivered=t.delivered,
        delivery=_DELIVERIES[t.delivery],
        time_inaccurate=t.time_inaccurate,
    )
    _stamp(reply.issued_at, t.issued_at)
    _stamp(reply.arrived_at, t.arrived_at)
    if t.called_at:
        _stamp(reply.called_at, t.called_at)
    if t.serving_at:
        _stamp(reply.serving_at, t.serving_at)
    if t.state is State.WAITING and t.misses and t.effective > domain.milliseconds(t.history[-1].at):
        reply.rests_until.FromMilliseconds(t.effective)
    if t.ended_at and t.state is State.FINISHED:
        _stamp(reply.finished_at, t.ended_at)
    return reply


def anonymous(t: Ticket) -> ticket_pb2.Ticket:
    """For lists: without the mask of the phone, too."""
    reply = ticket(t)
    reply.ClearField("masked_phone")
    return reply


def issued(t: Ticket, fee: offering_pb2.Fee | None = None) -> ticket_pb2.IssuedTicket:
    """What the kiosk prints: the ticket, people ahead, the estimate, and what it costs where that is published."""
    (event,) = t.events
    assert isinstance(event, domain.Issued)
    reply = ticket_pb2.IssuedTicket(ticket=ticket(t), people_ahead=event.people_ahead)
    reply.estimated_wait.FromTimedelta(event.estimated_wait)
    if event.wait_high:
        reply.wait_low.FromTimedelta(event.wait_low)
        reply.wait_high.FromTimedelta(event.wait_high)
    if fee is not None:
        reply.fee.CopyFrom(fee)
    return reply


@dataclass(frozen=True, slots=True)
class Doors:
    """Whether tickets are given out now: `closed` says why not."""

    closed: str = ""
    opens_at: datetime | None = None
    text: domain.Text = NO_TEXT


def queue_status(spec: QueueSpec, snapshot: Snapshot, policy: Policy, doors: Doors) -> ticket_pb2.QueueStatus:
    """The public face of a queue: numbers and counters, nothing of a person."""
    reply = ticket_pb2.QueueStatus(
        name=spec.name,
        agency=spec.agency,
        prefix=spec.prefix,
        counters=spec.counters,
        waiting=snapshot.waiting,
    )
    wait = snapshot.range_of(snapshot.waiting)
    reply.estimated_wait.FromTimedelta(wait.expected)
    if wait.high:
        reply.wait_low.FromTimedelta(wait.low)
        reply.wait_high.FromTimedelta(wait.high)
    for line in snapshot.board:
        spoken = announcement(line.number, line.counter)
        _stamp(reply.board.add(number=line.number, counter=line.counter, announcement=spoken).called_at, line.called_at)
    for named, waiting in zip(policy.ids, snapshot.by_class, strict=False):
        reply.waiting_by_class.add(priority_class=named, waiting=waiting)
    reply.open, reply.closed_reason = not doors.closed, doors.closed
    if doors.closed:
        text = doors.text if doors.text.id else spec.closed_text
        reply.closed_text, reply.closed_text_en = text.id, text.en
    if doors.opens_at:
        _stamp(reply.opens_at, doors.opens_at)
    return reply


def events(t: Ticket) -> list[Event]:
    """The ticket's new events in their envelope-ready form."""
    return [Event(_event(t, event), t.name) for event in t.events]


def _event(t: Ticket, event: domain.TicketEvent) -> Message:
    match event:
        case domain.Issued():
            return _issued_event(t, event)
        case domain.Called():
            return _called_event(t)
        case domain.ServingStarted():
            return _serving_event(t, event)
        case domain.Parked():
            return _parked_event(t, event)
        case domain.Returned():
            return _returned_event(t, event)
        case domain.Transferred():
            return _transferred_event(t, event)
        case domain.Ended():
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
        estimated_wait_minutes=_minutes(event.estimated_wait),
        channel=t.channel,
        priority_class=t.priority_class,
        wait_low_minutes=_minutes(event.wait_low),
        wait_high_minutes=_minutes(event.wait_high),
        visit=t.visit,
        appointment=t.appointment,
        transferred_from=t.parent,
        person_key=t.person_key,
        phone_key=t.phone_key,
        device_key=t.device_key,
    )
    _stamp(message.issued_at, t.issued_at)
    _stamp(message.arrived_at, t.arrived_at)
    return message


def _called_event(t: Ticket) -> events_pb2.TicketCalled:
    message = events_pb2.TicketCalled(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        counter=t.counter,
        calls=t.calls,
        sealed_phone=t.sealed_phone,
        announcement="" if t.channel in domain.REMOTE_CHANNELS else announcement(t.number, t.counter),
        offering=t.offering,
        day=t.day,
        channel=t.channel,
        priority_class=t.priority_class,
        out_of_turn=t.out_of_turn,
        resumed=t.resumed,
    )
    _stamp(message.issued_at, t.issued_at)
    _stamp(message.arrived_at, t.arrived_at)
    if t.called_at:
        _stamp(message.called_at, t.called_at)
        message.waited_seconds = max(_seconds(t.called_at - t.issued_at), 0)
    return message


def _serving_event(t: Ticket, event: domain.ServingStarted) -> events_pb2.TicketServing:
    message = events_pb2.TicketServing(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        offering=t.offering,
        counter=t.counter,
        waited_seconds=_seconds(event.waited),
        walking_seconds=_seconds(event.walked),
        day=t.day,
        channel=t.channel,
    )
    _stamp(message.issued_at, t.issued_at)
    _stamp(message.arrived_at, t.arrived_at)
    if t.called_at:
        _stamp(message.called_at, t.called_at)
    if t.serving_at:
        _stamp(message.serving_at, t.serving_at)
    return message


def _parked_event(t: Ticket, event: domain.Parked) -> events_pb2.TicketParked:
    message = events_pb2.TicketParked(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        offering=t.offering,
        counter=event.counter,
        day=t.day,
    )
    _stamp(message.parked_at, t.history[-1].at)
    return message


def _returned_event(t: Ticket, event: domain.Returned) -> events_pb2.TicketReturned:
    message = events_pb2.TicketReturned(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        offering=t.offering,
        cause=_CAUSES[event.cause],
        counter=event.counter,
        state=_STATES[t.state],
        day=t.day,
    )
    _stamp(message.returned_at, event.at)
    return message


def _transferred_event(t: Ticket, event: domain.Transferred) -> events_pb2.TicketTransferred:
    message = events_pb2.TicketTransferred(
        ticket=t.name,
        number=t.number,
        agency=t.agency,
        offering=t.offering,
        child=event.child,
        target=event.target,
        target_offering=event.offering,
        reason=event.reason,
        counter=event.counter,
        waited_seconds=_seconds(event.waited),
        served_seconds=_seconds(event.served),
        sealed_phone=t.sealed_phone,
        priority_class=t.priority_class,
    )
    _stamp(message.transferred_at, event.at)
    _tell_facts(message.facts, t, event.at)
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
        delivered=t.delivered,
        delivery=_DELIVERIES[t.delivery],
        time_inaccurate=t.time_inaccurate,
        person_key=t.person_key,
        priority_class=t.priority_class,
    )
    _stamp(message.ended_at, event.at)
    if event.state is not State.MISSED:
        _tell_facts(message.facts, t, event.at)
    return message


def _tell_facts(message: facts_pb2.TicketFacts, t: Ticket, ended_at: datetime) -> None:
    facts = domain.facts_of(t)
    message.day, message.channel = t.day, t.channel
    message.counter, message.calls, message.turns, message.misses = t.counter, facts.calls, facts.turns, t.misses
    message.counter_seconds, message.parked_seconds = _seconds(facts.at_counter), _seconds(facts.parked)
    message.appointment, message.visit, message.transferred = t.appointment != "", t.visit != "", t.parent != ""
    message.chosen = t.out_of_turn
    _stamp(message.issued_at, t.issued_at)
    _stamp(message.arrived_at, t.arrived_at)
    if facts.first_called_at:
        _stamp(message.first_called_at, facts.first_called_at)
    if facts.last_called_at:
        _stamp(message.last_called_at, facts.last_called_at)
    if t.serving_at:
        _stamp(message.serving_at, t.serving_at)
    _stamp(message.ended_at, ended_at)


def _minutes(span: timedelta) -> int:
    return -(-span // timedelta(minutes=1))


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _stamp(field: Any, moment: datetime) -> None:
    field.FromDatetime(moment)
