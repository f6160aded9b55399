"""Into the line: TakeTicket, and the one way in which any ticket is made. Knows the order of steps; rules are in domain/,
queries in store.py.

A ticket is one insert. Locks and memory here only save work; what must hold (a number once, a quota) is decided by the
store's unique indexes, so any number of processes may do the same at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TypeVar

from google.protobuf.message import Message
from mpp.queue.v1 import queue_service_pb2, ticket_pb2
from mpp_chassis.aggregates import Taken
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import Aborted
from mpp_chassis.privacy import mask_phone

from mpp_queue import domain, messages, metrics
from mpp_queue.app import App, local_day
from mpp_queue.domain import (
    Admission,
    ContingentExhausted,
    InvalidField,
    NumberTaken,
    PersonRequired,
    QueueError,
    QueueSpec,
    QuotaReached,
    Ticket,
)
from mpp_queue.store import NUMBER_INDEX, QUOTA_INDEX

M = TypeVar("M", bound=Message)

NUMBER_ATTEMPTS = 60  # lost races for a number before the caller is asked to try again
# Channels that a ticket gets by the way it came, never by what a request says.
OWN_CHANNELS = frozenset({"appointment", "offline_kiosk", "transfer"}) | domain.REMOTE_CHANNELS
CHANNEL_OF_ROLE = {"kiosk": "kiosk", "citizen": "online"}


def take_ticket(app: App, request: queue_service_pb2.TakeTicketRequest, call: Call) -> ticket_pb2.IssuedTicket:
    """Draw the next number of today. One insert in the common case.

    Guaranteed: a number is given once; a repeated request_id gets the same ticket; an acknowledged ticket is
    durable. Not guaranteed: no gap (a crash, or a store that refuses, may cost a number).
    Raises NotFound, FailedPrecondition, InvalidField, PersonRequired, QueueNotOpen, ContingentExhausted, QuotaReached.
    """
    spec = app.queues.find(request.parent)
    name = f"{request.parent}/tickets/{new_id(call.mutation)}"
    with app.flights.alone(name) as first:
        if not first:
            known = app.tickets.reply(name, call.mutation, ticket_pb2.IssuedTicket)
            if known is not None:
                return known
        try:
            fee = app.fees.of(request.offering) if app.fees and request.offering else None
            admission = walk_in(app, spec, name, request, call)
            return admit(app, admission, call.mutation, lambda ticket: messages.issued(ticket, fee))
        except QueueError:
            # What is refused now may have been granted to the same command before.
            known = app.tickets.reply(name, call.mutation, ticket_pb2.IssuedTicket)
            if known is not None:
                return known
            raise


def walk_in(
    app: App, spec: QueueSpec, name: str, request: queue_service_pb2.TakeTicketRequest, call: Call
) -> Admission:
    """What a request for a ticket comes to, after everything that may refuse it but the number itself: a visit asks it
    for each of its queues. Raises InvalidField, PersonRequired, QueueNotOpen, UnderMaintenance, NotFound, and what
    gate and guard refuse.
    """
    if request.priority_class and not app.rules.policy_of(spec).knows(request.priority_class):
        raise InvalidField("priority_class", f"{spec.name} has no class {request.priority_class}")
    if app.gate is not None and (request.kiosk or call.role == "kiosk"):
        app.gate.check(spec, request.kiosk, call.now)
    if request.channel in OWN_CHANNELS:
        raise InvalidField("channel", f"{request.channel} is no channel that a request may name")
    domain.refuse_shut(spec, call.now)
    person_key = _person(app, request.nik, call)
    if spec.quota.person_required and not person_key:
        raise PersonRequired(f"{spec.name} gives tickets to a person; tell the NIK", field="nik")
    holder = _holder(app, request, person_key, call)
    if person_key and app.guard is not None:
        app.guard.check(spec, holder.key, call.now)
    owners = call.caller.owner_keys if call.role == "citizen" else {f"nik:{person_key}"} if person_key else ()
    return Admission(
        name=name,
        queue=spec.name,
        channel=request.channel or CHANNEL_OF_ROLE.get(call.role, "counter"),
        arrived_at=call.now,
        offering=request.offering,
        group=messages.group_of(request.priority_group),
        priority_class=request.priority_class,
        owners=tuple(sorted(owners)),
        sealed_phone=app.cipher.seal(request.phone, "phone"),
        masked_phone=mask_phone(request.phone),
        person_key=person_key,
        holder=holder,
        phone_key=app.index.of(request.phone, "phone"),
        device_key=app.index.of(request.device, "device"),
    )


def _person(app: App, nik: str, call: Call) -> str:
    """The blind index of who the ticket is for; of the caller when the token proves a NIK. Raises InvalidField."""
    if nik:
        domain.check_nik(nik)
    if call.role == "citizen" and call.caller.nik:
        if nik and nik != call.caller.nik:
            raise InvalidField("nik", "is not the caller's own")
        nik = call.caller.nik
    return app.index.of(nik, "nik")


def _holder(app: App, request: queue_service_pb2.TakeTicketRequest, person_key: str, call: Call) -> domain.Holder:
    """Under whom the ticket counts. The token proves a NIK, and an officer who has the card; all others typed it."""
    if not person_key or call.role not in CHANNEL_OF_ROLE or (call.role == "citizen" and call.caller.nik):
        return domain.proven(person_key)
    phone, device = app.index.of(request.phone, "phone"), app.index.of(request.device, "device")
    if call.role == "kiosk":  # its own device takes for all
        return domain.typed(person_key, phone=phone, door=call.actor)
    return domain.typed(person_key, account=call.caller.subject, phone=phone, device=device)


def admit(app: App, admission: Admission, command: Command, reply_of: Callable[[Ticket], M]) -> M:
    """Let somebody into the line: the one way to make a ticket. One insert; the stored reply for a repeated command.

    A walk-in (whose arrival is the command's own time) arrives with the number: in one process whoever has the lower
    number did not come later. Raises NotFound, FailedPrecondition, InvalidField, ContingentExhausted, QuotaReached,
    NumberTaken, Aborted.
    """
    spec = app.queues.find(admission.queue)
    day = local_day(spec.zone, admission.issued_at or command.at)
    with app.guard.claimed(spec, day, admission, command.at) if app.guard else nullcontext():
        for attempt in range(NUMBER_ATTEMPTS):
            reply = _try_to_admit(app, spec, day, admission, command, reply_of)
            if reply is not None:
                return reply
            time.sleep(app.rng.uniform(0, 0.001 * 2 ** min(attempt, 5)))
    raise Aborted(f"too many take a ticket of {spec.name} at once; try again")


def _try_to_admit(
    app: App, spec: QueueSpec, day: str, admission: Admission, command: Command, reply_of: Callable[[Ticket], M]
) -> M | None:
    """None when another process has the number by now."""
    seq, used = admission.seq, True
    if not seq:
        used = False
        # Of a moment ago, and often just read: in a quiet queue it saves the race with other processes.
        app.numbering.seen(spec.name, day, app.views.of(spec, day).last_seq)
        seq, at = app.numbering.reserve_at(spec.name, day, command.at)
        if admission.arrived_at == command.at:
            admission = replace(admission, arrived_at=at)
    try:
        _check_contingent(app, spec, day, seq, admission)
        reply, used = _insert(app, spec, day, seq, admission, command, reply_of)
        return reply
    except Taken as e:
        if e.index not in (NUMBER_INDEX, ""):
            raise
        if admission.seq:
            raise NumberTaken(
                f"{admission.number or seq} is given already", metadata={"number": admission.number}
            ) from e
        used = True  # by another process
        app.numbering.lost(spec.name, day)
        return None
    finally:
        if not used:
            app.numbering.give_back(spec.name, day, seq)


def _insert(
    app: App,
    spec: QueueSpec,
    day: str,
    seq: int,
    admission: Admission,
    command: Command,
    reply_of: Callable[[Ticket], M],
) -> tuple[M, bool]:
    """The reply, and whether the number is used. Of several tickets of one person each holds a quota key of its own."""
    ticket = domain.issue(
        spec,
        admission,
        day=day,
        seq=seq,
        event=_forecast(app, spec, day, seq, admission),
        now=command.at,
        actor=command.actor,
        rules=app.rules,
    )
    for key in _quota_keys(spec, day, admission):
        held = replace(ticket, quota_key=key)
        fresh = reply_of(held)
        try:
            reply = app.tickets.create(held, command, fresh, messages.events(held))
        except Taken as e:
            if key and e.index == QUOTA_INDEX:
                continue
            raise
        if reply is fresh:
            metrics.count(held)
        return reply, reply == fresh  # else: the stored reply of a repeated command
    raise QuotaReached(
        f"one person may take {spec.quota.per_day} tickets of {spec.name} a day",
        metadata={"per_day": str(spec.quota.per_day)},
    )


def _quota_keys(spec: QueueSpec, day: str, admission: Admission) -> Sequence[str]:
    limited = admission.holder.key and spec.quota.per_day and not admission.parent
    return domain.quota_keys(admission.holder.key, spec.name, day, spec.quota.per_day) if limited else [""]


def _check_contingent(app: App, spec: QueueSpec, day: str, seq: int, admission: Admission) -> None:
    """Numbers have no gap while nothing fails, so the number itself says how many were given out."""
    if not spec.daily_contingent or not admission.counts or seq <= spec.daily_contingent:
        return
    uncounted = app.tickets.count_uncounted(spec.site_id, spec.name, day, seq) if spec.appointments else 0
    if seq - uncounted > spec.daily_contingent:
        raise ContingentExhausted(
            f"the {spec.daily_contingent} numbers of today are given out",
            metadata={"contingent": str(spec.daily_contingent)},
        )


def _forecast(app: App, spec: QueueSpec, day: str, seq: int, admission: Admission) -> domain.Issued:
    """What the citizen hears: people ahead and how long it will take, from a snapshot that is a moment old."""
    snapshot = app.views.of(spec, day)
    index = app.rules.policy_of(spec).index_of(admission.group, admission.priority_class)
    ahead = snapshot.ahead_of(seq if 0 < seq < domain.OFFLINE_BASE else snapshot.last_seq + 1, index)
    wait = snapshot.range_of(ahead, first_class=index == 0)
    return domain.Issued(ahead, wait.expected, wait.low, wait.high)
