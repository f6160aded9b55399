"""One step of one ticket: load, decide, save; one function a command. Knows the order of steps; rules are in domain/,
queries in store.py. Who comes into the line: admitting.py. Who is called next: calling.py. What is told: reading.py.

Every command is one write. Locks and memory here only save work; what must hold is decided by compare-and-set
and by the store's unique indexes, so any number of processes may run the same command at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from mpp.queue.v1 import queue_service_pb2, ticket_pb2
from mpp_chassis.aggregates import Taken
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.events import Event
from mpp_chassis.privacy import looks_personal

from mpp_queue import domain, messages, metrics
from mpp_queue.admitting import admit
from mpp_queue.app import App, local_day
from mpp_queue.boards import board_line
from mpp_queue.domain import InvalidField, State, Ticket
from mpp_queue.guard.domain import refuse_another


def recall_ticket(app: App, request: queue_service_pb2.RecallTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises RecallTooSoon, RecallLimit, WrongState, NotFound, PermissionDenied."""
    return change_ticket(app, request.name, call, lambda t: t.recall(now=call.now, actor=call.actor, rules=app.rules))


def start_serving(app: App, request: queue_service_pb2.StartServingRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises WrongState, PersonMismatch, NotFound, PermissionDenied."""
    shown = app.index.of(request.nik, "nik")

    def serve(ticket: Ticket, quota_key: str) -> Ticket:
        refuse_another(ticket.person_key, shown)
        return ticket.shown_by(shown, quota_key).serve(now=call.now, actor=call.actor)

    for quota_key in _quota_keys_of_card(app, request.name, shown, call.now):
        try:
            return change_ticket(app, request.name, call, partial(serve, quota_key=quota_key))
        except Taken:  # by another ticket of the person
            continue
    return change_ticket(app, request.name, call, partial(serve, quota_key=""))


def _quota_keys_of_card(app: App, ticket: str, shown: str, now: datetime) -> Sequence[str]:
    """What the person at the counter may hold of today; none where no card was shown or nothing is limited."""
    try:
        spec = app.queues.find(ticket.split("/tickets/")[0])
    except (NotFound, FailedPrecondition):
        return ()
    return domain.quota_keys(shown, spec.name, local_day(spec.zone, now), spec.quota.per_day) if shown else ()


def finish_ticket(app: App, request: queue_service_pb2.FinishTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises InvalidField, WrongState, NotFound, PermissionDenied."""
    return change_ticket(
        app,
        request.name,
        call,
        lambda t: t.finish(
            now=call.now,
            actor=call.actor,
            delivery=messages.delivery_of(request.delivery),
            delivered=list(request.delivered),
            time_inaccurate=request.time_inaccurate,
        ),
    )


def miss_ticket(app: App, request: queue_service_pb2.MissTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises WrongState, NotFound, PermissionDenied."""
    return change_ticket(app, request.name, call, lambda t: t.miss(now=call.now, actor=call.actor, rules=app.rules))


def cancel_ticket(app: App, request: queue_service_pb2.CancelTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises InvalidField, WrongState, NotFound, PermissionDenied."""
    refuse_personal(request.reason)
    by_officer = call.role != "citizen"
    return change_ticket(
        app,
        request.name,
        call,
        lambda t: t.cancel(now=call.now, actor=call.actor, reason=request.reason, by_officer=by_officer),
    )


def undo_call(app: App, request: queue_service_pb2.UndoCallRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises UndoRefused, WrongState, NotFound, PermissionDenied."""
    return change_ticket(app, request.name, call, lambda t: t.undo(now=call.now, actor=call.actor, rules=app.rules))


def park_ticket(app: App, request: queue_service_pb2.ParkTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises InvalidField, WrongState, NotFound, PermissionDenied."""
    refuse_personal(request.reason)
    return change_ticket(
        app, request.name, call, lambda t: t.park(now=call.now, actor=call.actor, reason=request.reason)
    )


def requeue_ticket(app: App, request: queue_service_pb2.RequeueTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises InvalidField, RecallLimit, WrongState, NotFound, PermissionDenied."""
    refuse_personal(request.reason)
    return change_ticket(
        app,
        request.name,
        call,
        lambda t: t.requeue(
            now=call.now,
            actor=call.actor,
            reason=request.reason,
            reset_calls=request.reset_calls,
            rules=app.rules,
        ),
    )


def transfer_ticket(app: App, request: queue_service_pb2.TransferTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """End this leg and begin the next: two writes, the second repeated by a handler when the process dies between.

    Guaranteed: once this ticket is transferred the other one comes to be, once, with its number and arrival. Raises
    InvalidField, WrongState, NotFound, FailedPrecondition, PermissionDenied.
    """
    refuse_personal(request.reason)
    target = app.queues.find(request.target)
    child = f"{request.target}/tickets/{new_id(call.mutation)}"

    def move(ticket: Ticket) -> Ticket:
        domain.refuse_drained(target, "target")
        return ticket.transfer(
            now=call.now,
            actor=call.actor,
            child=child,
            target=request.target,
            offering=request.offering,
            reason=request.reason,
        )

    reply = change_ticket(app, request.name, call, move)
    complete_transfer(app, request.name, request.target, request.offering)
    return reply


def complete_transfer(app: App, parent: str, target: str, offering: str) -> bool:
    """Admit the ticket that a transferred one goes on as. Idempotent; False when there is nothing to go on with.

    Raises FailedPrecondition when the target was closed meanwhile: then the officer hears it, and the event's handler
    tries again until it is parked.
    """
    before = app.tickets.load(parent)
    if before is None or before.state is not State.TRANSFERRED or not before.child.startswith(f"{target}/"):
        return False
    if app.tickets.load(before.child) is not None:
        return True
    line = before.history[-1]
    command = Command(f"transfer:{parent}", "AdmitTransferred", before.child, line.actor, line.at)
    admit(app, domain.admission_of(before, target, offering), command, messages.ticket)
    return True


def refuse_personal(reason: str) -> None:
    """Raises InvalidField."""
    if looks_personal(reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")


def change_ticket(app: App, name: str, call: Call, decide: Callable[[Ticket], Ticket]) -> ticket_pb2.Ticket:
    """One step of one ticket by whoever may. A repeated command gets its stored reply."""
    decided: list[tuple[Ticket, ticket_pb2.Ticket]] = []

    def decision(before: Ticket) -> tuple[Ticket, ticket_pb2.Ticket, Sequence[Event]]:
        call.require(agency=before.agency, owners=before.owners)
        after = decide(before)
        decided.append((after, messages.ticket(after)))
        return *decided[-1], messages.events(after)

    reply = app.tickets.change(name, call.mutation, ticket_pb2.Ticket, decision)
    if decided and decided[-1][1] is reply:  # else: the stored reply of a repeated command
        written(app, decided[-1][0])
    return reply


def written(app: App, ticket: Ticket) -> None:
    """After a step was written, never for a repeated command: counted, and a call told to those who watch through this
    process. All others hear of it by its event.
    """
    metrics.count(ticket)
    if (
        any(isinstance(event, domain.Called) for event in ticket.events)
        and ticket.channel not in domain.REMOTE_CHANNELS
    ):
        app.boards.called(ticket.name, board_line(ticket.number, ticket.counter, ticket.called_at or ticket.issued_at))


def attach_application(app: App, ticket: str, application: str, command: Command) -> bool:
    """Note an application on the ticket it was opened at. Idempotent. False when there is no such ticket."""

    def decision(before: Ticket) -> tuple[Ticket, ticket_pb2.Ticket, Sequence[Event]]:
        after = before.attach(application)
        return after, messages.ticket(after), ()

    try:
        app.tickets.change(ticket, command, ticket_pb2.Ticket, decision)
    except NotFound:
        return False
    return True
