"""Load, decide, save: one function a command. Knows the order of steps; rules are in domain/, queries in store.py. Who is
called next is in calling.py.

Every command is one write. Locks and memory here only save work; what must hold is decided by compare-and-set
and by the store's unique indexes, so any number of processes may run the same command at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from google.protobuf.message import Message
from mpp.catalog.v1 import offering_pb2
from mpp.queue.v1 import queue_service_pb2, ticket_pb2
from mpp_chassis.aggregates import Taken
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import Aborted, FailedPrecondition, NotFound
from mpp_chassis.events import Event
from mpp_chassis.privacy import BlindIndex, FieldCipher, looks_personal, mask_phone

from mpp_queue import domain, messages, metrics
from mpp_queue.boards import Boards, board_line, merged
from mpp_queue.counters.usecases import App as Counters
from mpp_queue.domain import (
    Admission,
    ContingentExhausted,
    InvalidField,
    NumberTaken,
    PersonRequired,
    QueueError,
    QueueSpec,
    QuotaReached,
    Rules,
    State,
    Ticket,
)
from mpp_queue.flights import Flights
from mpp_queue.guard.domain import refuse_another
from mpp_queue.messages import Doors
from mpp_queue.numbering import Numbering
from mpp_queue.store import NUMBER_INDEX, QUOTA_INDEX, Tickets
from mpp_queue.views import Queues, QueueViews, Snapshot

M = TypeVar("M", bound=Message)

NUMBER_ATTEMPTS = 60  # lost races for a number before the caller is asked to try again
PAGE_SIZE, LARGEST_PAGE = 50, 500
# Channels that a ticket gets by the way it came, never by what a request says.
OWN_CHANNELS = frozenset({"appointment", "offline_kiosk", "transfer"}) | domain.REMOTE_CHANNELS
CHANNEL_OF_ROLE = {"kiosk": "kiosk", "citizen": "online"}


class Lines:
    """At most one CallNext of a queue at a time in this process: the second would only lose the race for the
    same ticket. Striped: two queues may share a lock.
    """

    def __init__(self, stripes: int = 64, patience: float = 5.0) -> None:
        self._locks = tuple(threading.Lock() for _ in range(stripes))
        self._patience = patience

    @contextmanager
    def of(self, queue: str) -> Iterator[None]:
        """Raises Aborted when the line does not move for `patience` seconds."""
        lock = self._locks[hash(queue) % len(self._locks)]
        if not lock.acquire(timeout=self._patience):
            raise Aborted(f"too many call the next of {queue} at once; try again")
        try:
            yield
        finally:
            lock.release()


class Guard(Protocol):
    """Against brokers: what is asked before a person gets a ticket (guard/usecases.py)."""

    def check(self, spec: QueueSpec, holder_key: str, now: datetime) -> None:
        """Raises a QueueError when whoever counts under this key must wait."""

    def claimed(self, spec: QueueSpec, day: str, admission: Admission, now: datetime) -> AbstractContextManager[None]:
        """What whoever typed the NIK may take, while the ticket is written. Raises QuotaReached."""


class Gate(Protocol):
    """Whether a kiosk may take tickets (kiosks/gate.py)."""

    def check(self, spec: QueueSpec, kiosk: str, now: datetime) -> None:
        """Raises a QueueError when it is out of work or has a day off, NotFound when there is none of that name."""


class Fees(Protocol):
    """What offerings cost (fees.py)."""

    def of(self, offering: str) -> offering_pb2.Fee | None: ...


class Audit(Protocol):
    """The chassis' audit log."""

    def record(self, actor: str, action: str, resource: str, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    tickets: Tickets
    queues: Queues
    views: QueueViews
    numbering: Numbering
    cipher: FieldCipher
    rules: Rules
    rng: random.Random
    clock: Callable[[], datetime]
    counters: Counters
    index: BlindIndex
    audit: Audit
    guard: Guard | None = None
    gate: Gate | None = None
    fees: Fees | None = None
    boards: Boards = field(default_factory=Boards)
    flights: Flights = field(default_factory=Flights)
    lines: Lines = field(default_factory=Lines)


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


def doors_of(spec: QueueSpec, now: datetime) -> Doors:
    """Whether TakeTicket may give a number, as far as hours, days off, draining and maintenance say."""
    shut = domain.shut(spec, now)
    return Doors(shut.reason, shut.opens_at, shut.text) if shut else Doors()


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


def get_ticket(app: App, request: queue_service_pb2.GetTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises NotFound, PermissionDenied."""
    ticket = app.tickets.load(request.name)
    if ticket is None:
        raise NotFound(f"there is no {request.name}")
    call.require(agency=ticket.agency, owners=ticket.owners)
    return messages.ticket(ticket)


def get_queue(app: App, request: queue_service_pb2.GetQueueRequest, call: Call) -> ticket_pb2.QueueStatus:
    """At most a quarter of a second old. Raises NotFound, FailedPrecondition."""
    spec = app.queues.find(request.name)
    return _status(app, spec, app.views.of(spec, local_day(spec.zone, call.now)), call.now)


def _status(app: App, spec: QueueSpec, snapshot: Snapshot, now: datetime) -> ticket_pb2.QueueStatus:
    doors = doors_of(spec, now)
    used_up = spec.daily_contingent and spec.appointments is None and snapshot.last_seq >= spec.daily_contingent
    if used_up and not doors.closed:
        doors = Doors("CONTINGENT_EXHAUSTED")
    return messages.queue_status(spec, snapshot, app.rules.policy_of(spec), doors)


def watch_queue(
    app: App, request: queue_service_pb2.WatchQueueRequest, call: Call
) -> Iterator[ticket_pb2.QueueStatus | None]:
    """The queue's state now, with every change, and every 15 s; None each second while nothing happens.

    A call is shown at once; so is any change after a quiet moment. Under load all else is at most a quarter of a second
    late. Not guaranteed: each state in between. When much happens at once, several changes are one message.
    Raises NotFound, FailedPrecondition.
    """
    spec = app.queues.find(request.name)  # before it is watched: names that are none must not be remembered
    watch, sent = app.boards.watch(spec.name), None
    while True:
        seen = watch.look()
        spec = app.queues.find(request.name)
        now = app.clock()
        read = app.views.of(spec, local_day(spec.zone, now), since=seen.settled_at)
        snapshot = replace(read, board=merged(read.board, read.read_at, seen.heard))
        status = _status(app, spec, snapshot, now)
        if status != sent or seen.beat_due:
            watch.sent()
            sent = status
            yield status
        while not watch.wait(seen, 1.0, seen.again_at(read.read_at)):
            yield None


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


def list_tickets(
    app: App, request: queue_service_pb2.ListTicketsRequest, call: Call
) -> queue_service_pb2.ListTicketsResponse:
    """Open tickets of today, state by state in the order of the line. Raises InvalidField, NotFound, PermissionDenied."""
    spec = app.queues.find(request.parent)
    call.require(agency=spec.agency)
    size = min(request.page_size or PAGE_SIZE, LARGEST_PAGE)
    day = local_day(spec.zone, call.now)
    states = messages.states_of(request.state)
    first, after = _place_of(request.page_token, len(states))
    found: list[Ticket] = []
    for n, state in enumerate(states[first:], first):
        start = after if n == first else ("", "")
        page = app.tickets.open_page(spec.site_id, spec.name, day, state, size - len(found), start)
        found += [one.ticket for one in page]
        if len(found) == size:
            token = f"{n}|{found[-1].rank}|{found[-1].name}"
            return queue_service_pb2.ListTicketsResponse(tickets=map(messages.anonymous, found), next_page_token=token)
    return queue_service_pb2.ListTicketsResponse(tickets=map(messages.anonymous, found))


def _place_of(token: str, states: int) -> tuple[int, tuple[str, str]]:
    if not token:
        return 0, ("", "")
    parts = token.split("|")
    if len(parts) != 3 or not parts[0].isdecimal() or int(parts[0]) >= states:
        raise InvalidField("page_token", "is not one that ListTickets gave")
    return int(parts[0]), (parts[1], parts[2])


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


def local_day(zone: str, now: datetime) -> str:
    """The ISO date that a clock on the site's wall shows."""
    return now.astimezone(ZoneInfo(zone)).date().isoformat()
