"""Load, decide, save: one function a command. Knows the order of steps; rules are in domain.py, queries in store.py.

Every command is one write. Locks and memory here only save work; what must hold is decided by compare-and-set
and by the store's unique indexes, so any number of processes may run the same command at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from mpp.queue.v1 import queue_service_pb2, ticket_pb2
from mpp_chassis.aggregates import Stale, Taken
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import Aborted, NotFound
from mpp_chassis.events import Event
from mpp_chassis.metrics import replace_all
from mpp_chassis.privacy import FieldCipher, looks_personal, mask_phone

from mpp_queue import domain, messages, metrics
from mpp_queue.boards import Boards
from mpp_queue.counters.usecases import App as Counters
from mpp_queue.domain import CounterBusy, InvalidField, QueueSpec, Rules, State, Ticket
from mpp_queue.flights import Flights
from mpp_queue.numbering import Numbering
from mpp_queue.store import NUMBER_INDEX, Loaded, Tickets
from mpp_queue.views import Queues, QueueViews

NUMBER_ATTEMPTS = 60  # lost races for a number before the caller is asked to try again
CALL_ATTEMPTS = 20
CANDIDATES = 4  # waiting tickets read at once by CallNext
SWEEP_BATCH = 200


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
    boards: Boards = field(default_factory=Boards)
    flights: Flights = field(default_factory=Flights)
    lines: Lines = field(default_factory=Lines)


def take_ticket(app: App, request: queue_service_pb2.TakeTicketRequest, call: Call) -> ticket_pb2.IssuedTicket:
    """Draw the next number of today. One insert in the common case.

    Guaranteed: a number is given once; a repeated request_id gets the same ticket; an acknowledged ticket is
    durable. Not guaranteed: no gap (a crash, or a store that refuses, may cost a number).
    """
    spec = app.queues.find(request.parent)
    name = f"{request.parent}/tickets/{new_id(call.mutation)}"
    with app.flights.alone(name) as first:
        if not first:
            known = app.tickets.reply(name, call.mutation, ticket_pb2.IssuedTicket)
            if known is not None:
                return known
        return _insert(app, spec, name, request, call)


def _insert(
    app: App, spec: QueueSpec, name: str, request: queue_service_pb2.TakeTicketRequest, call: Call
) -> ticket_pb2.IssuedTicket:
    day = local_day(spec.zone, call.now)
    sealed = app.cipher.seal(request.phone, "phone")
    for attempt in range(NUMBER_ATTEMPTS):
        seq = app.numbering.reserve(spec.name, day)
        used = False
        try:
            ticket = _issue(app, spec, name, day, seq, sealed, request, call)
            fresh = messages.issued(ticket)
            reply = app.tickets.create(ticket, call.mutation, fresh, messages.events(ticket))
            used = reply.ticket.number == ticket.number  # else: the stored reply of a repeated command
            if reply is fresh:
                metrics.count(ticket)
            return reply
        except Taken as e:
            if e.index not in (NUMBER_INDEX, ""):
                raise
            used = True  # by another process
            app.numbering.lost(spec.name, day)
        finally:
            if not used:
                app.numbering.give_back(spec.name, day, seq)
        time.sleep(app.rng.uniform(0, 0.001 * 2 ** min(attempt, 5)))
    raise Aborted(f"too many take a ticket of {spec.name} at once; try again")


def _issue(
    app: App,
    spec: QueueSpec,
    name: str,
    day: str,
    seq: int,
    sealed_phone: str,
    request: queue_service_pb2.TakeTicketRequest,
    call: Call,
) -> Ticket:
    group = messages.group_of(request.priority_group)
    snapshot = app.views.of(spec, day)
    ahead = snapshot.ahead_of(seq, priority=app.rules.has_priority(group))
    return domain.issue(
        spec,
        name=name,
        day=day,
        seq=seq,
        offering=request.offering,
        group=group,
        owners=sorted(call.caller.owner_keys) if call.role == "citizen" else (),
        sealed_phone=sealed_phone,
        masked_phone=mask_phone(request.phone),
        people_ahead=ahead,
        estimated_wait=snapshot.wait_of(ahead),
        now=call.now,
        actor=call.actor,
        rules=app.rules,
    )


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
    return messages.queue_status(spec, app.views.of(spec, local_day(spec.zone, call.now)))


def watch_queue(
    app: App, request: queue_service_pb2.WatchQueueRequest, call: Call
) -> Iterator[ticket_pb2.QueueStatus | None]:
    """The queue's state now, with every change, and every 15 s; None each second while nothing happens.

    Not guaranteed: each state in between. When much happens at once, several changes are one message.
    Raises NotFound, FailedPrecondition.
    """
    spec = app.queues.find(request.name)  # before it is watched: names that are none must not be remembered
    watch, sent = app.boards.watch(spec.name), None
    while True:
        seen = watch.look()
        spec = app.queues.find(request.name)
        snapshot = app.views.of(spec, local_day(spec.zone, app.clock()), since=seen.changed_at)
        status = messages.queue_status(spec, snapshot)
        if status != sent or seen.beat_due:
            watch.sent()
            sent = status
            yield status
        while not watch.wait(seen, 1.0):
            yield None


def call_next(app: App, request: queue_service_pb2.CallNextRequest, call: Call) -> ticket_pb2.Ticket:
    """Call the next waiting ticket to a counter.

    Guaranteed: a ticket is called by one counter; a counter has one citizen; a repeated request_id, also at
    the same moment in another process, gets the same ticket. Not guaranteed: when two processes call at the
    same moment, which of the two gets the earlier ticket.
    """
    spec = app.queues.find(request.parent)
    call.require(agency=spec.agency)
    known = _called_before(app, spec, call.mutation)
    if known is not None:
        return known
    if request.counter not in spec.counters:
        spec = app.queues.find(request.parent, fresh=True)
    if request.counter not in spec.counters:
        raise InvalidField("counter", f"{spec.name} has no counter {request.counter}")
    with app.lines.of(spec.name):
        return _call_first(app, spec, request.counter, call)


def _call_first(app: App, spec: QueueSpec, counter: int, call: Call) -> ticket_pb2.Ticket:
    day = local_day(spec.zone, call.now)
    for _ in range(CALL_ATTEMPTS):
        order = _turn_order(app, spec, day)
        if not order:
            return _nobody_waits(app, spec, counter, day, call)
        for waiting in order:
            called = waiting.ticket.call(now=call.now, actor=call.actor, counter=counter, call_key=call.mutation.key)
            reply = messages.ticket(called)
            try:
                app.tickets.save(waiting, called, call.mutation, reply, messages.events(called))
                metrics.count(called)
                return reply
            except Stale:
                continue  # another process called it
            except Taken:
                known = _called_before(app, spec, call.mutation)
                if known is not None:
                    return known
                _refuse_if_busy(app, spec, counter, day)
                break  # the counter came free meanwhile
    raise Aborted(f"too many call the next of {spec.name} at once; try again")


def _turn_order(app: App, spec: QueueSpec, day: str) -> Sequence[Loaded]:
    """The first waiting tickets in the order to call them. One query while nobody with priority waits."""
    where = (spec.site_id, spec.name, day)
    first = app.tickets.waiting(*where, limit=CANDIDATES)
    if not first or not first[0].ticket.priority:
        return first
    recent = app.tickets.lately_called(*where, limit=app.rules.priority_run)
    due = domain.others_are_due([visit.priority for visit in recent], app.rules)
    others = app.tickets.waiting(*where, limit=CANDIDATES, from_rank=domain.OTHER_CLASS) if due else []
    return [*others, *first]


def _nobody_waits(app: App, spec: QueueSpec, counter: int, day: str, call: Call) -> ticket_pb2.Ticket:
    """The same command may have taken the last one; a counter that is busy should hear that first."""
    known = _called_before(app, spec, call.mutation)
    if known is not None:
        return known
    _refuse_if_busy(app, spec, counter, day)
    raise NotFound(f"nobody waits in {spec.name}", reason="QUEUE_EMPTY")


def _called_before(app: App, spec: QueueSpec, command: Command) -> ticket_pb2.Ticket | None:
    return app.tickets.reply_of_call(spec.site_id, command, ticket_pb2.Ticket)


def _refuse_if_busy(app: App, spec: QueueSpec, counter: int, day: str) -> None:
    there = app.tickets.at_counter(spec.site_id, domain.busy_key(spec.name, counter, day))
    if there is not None:
        raise CounterBusy(
            f"counter {counter} still has {there.number}",
            metadata={"ticket": there.name, "number": there.number, "counter": str(counter)},
        )


def recall_ticket(app: App, request: queue_service_pb2.RecallTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises RecallTooSoon, RecallLimit, WrongState, NotFound, PermissionDenied."""
    return _step(app, request.name, call, lambda t: t.recall(now=call.now, actor=call.actor, rules=app.rules))


def start_serving(app: App, request: queue_service_pb2.StartServingRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises WrongState, NotFound, PermissionDenied."""
    return _step(app, request.name, call, lambda t: t.serve(now=call.now, actor=call.actor))


def finish_ticket(app: App, request: queue_service_pb2.FinishTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises WrongState, NotFound, PermissionDenied."""
    return _step(app, request.name, call, lambda t: t.finish(now=call.now, actor=call.actor))


def miss_ticket(app: App, request: queue_service_pb2.MissTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises WrongState, NotFound, PermissionDenied."""

    def miss(ticket: Ticket) -> Ticket:
        last = app.tickets.last_seq(ticket.site_id, ticket.queue, ticket.day)
        return ticket.miss(now=call.now, actor=call.actor, last_seq=last, rules=app.rules)

    return _step(app, request.name, call, miss)


def cancel_ticket(app: App, request: queue_service_pb2.CancelTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Raises InvalidField, WrongState, NotFound, PermissionDenied."""
    if looks_personal(request.reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")
    return _step(
        app,
        request.name,
        call,
        lambda t: t.cancel(now=call.now, actor=call.actor, reason=request.reason),
    )


def _step(app: App, name: str, call: Call, decide: Callable[[Ticket], Ticket]) -> ticket_pb2.Ticket:
    decided: list[Ticket] = []  # empty when the command was repeated

    def decision(before: Ticket) -> tuple[Ticket, ticket_pb2.Ticket, Sequence[Event]]:
        call.require(agency=before.agency, owners=before.owners)
        decided.append(decide(before))
        return decided[-1], messages.ticket(decided[-1]), messages.events(decided[-1])

    reply = app.tickets.change(name, call.mutation, ticket_pb2.Ticket, decision)
    for ticket in decided[-1:]:
        metrics.count(ticket)
    return reply


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


def close_earlier_days(app: App, now: datetime, actor: str = "service:queue") -> int:
    """End what is still open of local days that are over; returns how many. Safe to run twice and by several."""
    closed = 0
    for queue, zone in app.queues.names():
        today = local_day(zone, now)
        site_id = queue.split("/")[1]
        while batch := app.tickets.open_before(site_id, queue, today, SWEEP_BATCH):
            done = sum(_close(app, loaded, today, now, actor) for loaded in batch)
            closed += done
            if done < len(batch) or len(batch) < SWEEP_BATCH:
                break
    return closed


def _close(app: App, loaded: Loaded, today: str, now: datetime, actor: str) -> bool:
    after = loaded.ticket.close(now=now, actor=actor, today=today)
    assert after.state is State.CLOSED_AT_DAY_END
    command = Command(f"close:{after.name}", "CloseDay", after.day, actor, now)
    try:
        app.tickets.save(loaded, after, command, messages.ticket(after), messages.events(after))
    except Stale:
        return False  # somebody ended it; or the next sweep will
    metrics.count(after)
    return True


def measure(app: App, now: datetime) -> None:
    """Tell how full every queue of every site is now: one query a site, its cost follows who waits."""
    sites: dict[tuple[str, str], list[str]] = {}
    for queue, zone in app.queues.names():
        sites.setdefault((queue.split("/")[1], local_day(zone, now)), []).append(queue)
    tickets: dict[tuple[str, ...], float] = {}
    longest: dict[tuple[str, ...], float] = {}
    for (site, day), queues in sites.items():
        for queue in queues:
            tickets.update({(site, metrics.short(queue), state.value): 0.0 for state in domain.OPEN})
            longest[site, metrics.short(queue)] = 0.0
        for line in app.tickets.open_now(site, queues, day):
            queue = metrics.short(line.queue)
            tickets[site, queue, line.state.value] = line.count
            if line.state is State.WAITING:
                longest[site, queue] = max(0.0, (now - line.oldest).total_seconds())
    replace_all(metrics.OPEN_TICKETS, tickets)
    replace_all(metrics.LONGEST_WAIT_SECONDS, longest)


def local_day(zone: str, now: datetime) -> str:
    """The ISO date that a clock on the site's wall shows."""
    return now.astimezone(ZoneInfo(zone)).date().isoformat()
