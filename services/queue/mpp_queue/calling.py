"""Who is called next, and the commands that call: CallNext, PreviewNext, CallTicket, ResumeTicket.

Knows the order of steps; the order of the line is domain/policy.py, queries are in store.py, who may work at a counter
is counters/. What must hold - a ticket is called by one counter, a counter has one citizen, a citizen one counter -
is decided by compare-and-set and by unique indexes, never by what was read here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mpp.queue.v1 import queue_service_pb2, ticket_pb2
from mpp_chassis.aggregates import Stale, Taken
from mpp_chassis.call import Call, Command
from mpp_chassis.errors import Aborted, NotFound

from mpp_queue import domain, messages, metrics
from mpp_queue.app import App, local_day
from mpp_queue.counters import domain as counters
from mpp_queue.counters.domain import CounterPausedNow, CounterTaken
from mpp_queue.counters.usecases import desk_for_call, held_desk
from mpp_queue.domain import CounterBusy, InvalidField, QueueSpec, Ticket, VisitorBusy
from mpp_queue.store import Desk, Loaded, Visit
from mpp_queue.usecases import change_ticket, refuse_personal, written

CALL_ATTEMPTS = 20
CANDIDATES = 3  # waiting tickets of a class read at once: as many processes may call the next of one queue and not meet
MOST_CANDIDATES = 256  # of a class, while all before are at other counters
PREVIEW = 3


def call_next(app: App, request: queue_service_pb2.CallNextRequest, call: Call) -> ticket_pb2.Ticket:
    """Call the next waiting ticket to a counter.

    Guaranteed: a ticket is called by one counter; a counter has one citizen, and the citizen of a visit one counter; a
    repeated request_id, also at the same moment in another process, gets the same ticket. Not guaranteed: when two
    processes call at the same moment, which of the two gets the earlier ticket; nor that a repetition is known once its
    ticket was called twice more.
    """
    spec = app.queues.find(request.parent)
    call.require(agency=spec.agency)
    desk = _desk_held(app, spec, request.counter, call)
    known = _called_before(app, spec, call.mutation, write_refused=desk is not None)
    if known is not None:
        return known
    if desk is None:
        spec = _with_counter(app, spec, request.counter)
        desk = desk_for_call(app.counters, spec, request.counter, call)
    with app.lines.of(spec.name):
        return _call_first(app, spec, request.counter, desk, call)


def _desk_held(app: App, spec: QueueSpec, counter: int, call: Call) -> Desk | None:
    """None when the caller may not call from this counter as it stands: a repeated command must hear its reply first."""
    if counter not in spec.counters:
        return None
    try:
        return held_desk(app.counters, spec, counter, call)
    except (CounterTaken, CounterPausedNow):
        return None


def _call_first(app: App, spec: QueueSpec, counter: int, desk: Desk, call: Call) -> ticket_pb2.Ticket:
    day = local_day(spec.zone, call.now)
    elsewhere: set[str] = set()  # tickets whose citizens are at other counters
    for _ in range(CALL_ATTEMPTS):
        order = _in_order(app, spec, day, desk, call, min(CANDIDATES + 4 * len(elsewhere), MOST_CANDIDATES))
        fresh = [waiting for waiting in order if waiting.ticket.name not in elsewhere]
        if not fresh:
            return _nobody_waits(app, spec, counter, day, bool(elsewhere), call)
        # Only saves refused writes: that a visitor is at one counter is decided by the index.
        seen = app.tickets.visitors_at_counters(spec.site_id, (one.ticket.visit for one in fresh))
        for waiting in fresh:
            if waiting.ticket.visit in seen:
                _pass_over(waiting.ticket, elsewhere)
                continue
            # Of a ticket that was called before `first_call` refuses no repetition: its first key stays another's.
            if waiting.ticket.call_key and (known := _called_before(app, spec, call.mutation)) is not None:
                return known
            called = waiting.ticket.call(now=call.now, actor=call.actor, counter=counter, call_key=call.mutation.key)
            reply = messages.ticket(called)
            try:
                app.tickets.save(waiting, called, call.mutation, reply, messages.events(called))
                written(app, called)
                return reply
            except Stale:
                continue  # another process called it
            except Taken:
                known = _called_before(app, spec, call.mutation)
                if known is not None:
                    return known
                _refuse_if_busy(app, spec, counter, day)
                if not app.tickets.with_visitor(spec.site_id, called.visit_key):
                    break  # the counter, or the citizen, came free meanwhile
                _pass_over(called, elsewhere)
    raise Aborted(f"too many call the next of {spec.name} at once; try again")


def _pass_over(ticket: Ticket, elsewhere: set[str]) -> None:
    elsewhere.add(ticket.name)
    metrics.PASSED_OVER.labels(ticket.site_id).inc()


def _in_order(app: App, spec: QueueSpec, day: str, desk: Desk, call: Call, limit: int = CANDIDATES) -> Sequence[Loaded]:
    """The first waiting tickets in the order to call them. One query a class that has anybody, and one for the last
    calls when classes take turns.
    """
    policy = app.rules.policy_of(spec)
    where = (spec.site_id, spec.name, day)
    lines: dict[int, list[Loaded]] = {}
    from_rank = ""
    while True:
        found = app.tickets.waiting(*where, limit=limit, from_rank=from_rank, desk=desk)
        for one in found:
            lines.setdefault(domain.index_of(policy, one.ticket.class_digit), []).append(one)
        if len(found) < limit or found[-1].ticket.class_digit == domain.OTHERS_DIGIT:
            break
        from_rank = domain.after_class(found[-1].ticket.class_digit)
    if others := lines.get(len(policy.classes)):
        others.sort(key=lambda one: one.ticket.effective)  # also of classes that the policy no longer has
    recent: list[int] = []
    if len(lines) > 1 and (wanted := domain.window(policy)):
        turns = _latest_turns(app, where, wanted, len(spec.counters))
        recent = [policy.index_named(v.priority_class) for v in turns]
    return list(domain.upcoming(policy, lines, recent, call.now, lambda one: one.ticket.effective))


def _latest_turns(app: App, where: tuple[str, str, str], wanted: int, counters: int) -> list[Visit]:
    """The last turns, newest first, the `wanted` first of them without a gap. A recall, and who is called back after
    parking, are called later than their turn began: where these are many, more is read.
    """
    limit = wanted + counters
    while True:
        lately = app.tickets.lately_called(*where, limit=limit)
        turns = sorted((v for v in lately if v.turn_at), key=lambda v: v.turn_at or v.called_at, reverse=True)
        # Whoever was not read was called before the last of these, so its turn began before that, too.
        sure = sum(1 for v in turns if v.turn_at and v.turn_at >= lately[-1].called_at)
        if len(lately) < limit or sure >= wanted:
            return turns
        limit *= 2


def preview_next(
    app: App, request: queue_service_pb2.PreviewNextRequest, call: Call
) -> queue_service_pb2.PreviewNextResponse:
    """What CallNext would do, without doing it, nor opening the counter. Tickets of visitors who are at other counters
    are not in it. Raises InvalidField, CounterTaken, CounterPausedNow, NotFound, PermissionDenied.
    """
    spec = app.queues.find(request.parent)
    call.require(agency=spec.agency)
    spec = _with_counter(app, spec, request.counter)
    day, skip, count = local_day(spec.zone, call.now), set(request.skip), request.count or PREVIEW
    there = app.counters.counters.load(counters.counter_name(spec.site_id, request.counter))
    desk = there.desk(today=day, queue=spec.name, officer=call.actor) if there else None
    order = _in_order(app, spec, day, desk or counters.Desk(), call, limit=count + len(skip) + CANDIDATES)
    seen = app.tickets.visitors_at_counters(spec.site_id, (one.ticket.visit for one in order))
    free = [one.ticket for one in order if one.ticket.name not in skip and one.ticket.visit not in seen]
    return queue_service_pb2.PreviewNextResponse(tickets=map(messages.anonymous, free[:count]))


def call_ticket(app: App, request: queue_service_pb2.CallTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Call a chosen waiting ticket. Audited, and counted as out of turn, also when it was next anyhow.

    Raises WrongState, CounterBusy, VisitorBusy, InvalidField, NotFound, PermissionDenied, and what the counter says.
    """
    refuse_personal(request.reason)
    spec = _spec_of(app, request.name, request.counter, call)
    app.audit.record(call.actor, "call_out_of_turn", request.name, call.now)
    return _to_counter(
        app,
        spec,
        request.name,
        request.counter,
        call,
        lambda t: t.call(
            now=call.now,
            actor=call.actor,
            counter=request.counter,
            out_of_turn=True,
            reason=request.reason,
        ),
    )


def resume_ticket(app: App, request: queue_service_pb2.ResumeTicketRequest, call: Call) -> ticket_pb2.Ticket:
    """Call a parked ticket back. Raises WrongState, CounterBusy, VisitorBusy, InvalidField, NotFound, PermissionDenied."""
    spec = _spec_of(app, request.name, request.counter, call)
    return _to_counter(
        app,
        spec,
        request.name,
        request.counter,
        call,
        lambda t: t.resume(now=call.now, actor=call.actor, counter=request.counter),
    )


def _spec_of(app: App, ticket: str, counter: int, call: Call) -> QueueSpec:
    """The queue of a ticket, its counter checked to be one of it, and its officer to work there."""
    spec = app.queues.find(ticket.rpartition("/tickets/")[0])
    call.require(agency=spec.agency)
    spec = _with_counter(app, spec, counter)
    desk_for_call(app.counters, spec, counter, call)
    return spec


def _to_counter(
    app: App, spec: QueueSpec, name: str, counter: int, call: Call, decide: Callable[[Ticket], Ticket]
) -> ticket_pb2.Ticket:
    """Raises CounterBusy, VisitorBusy when a unique index says that one of them has somebody else."""
    wanted: list[Ticket] = []

    def noted(before: Ticket) -> Ticket:
        wanted.append(decide(before))
        return wanted[-1]

    for _ in range(CALL_ATTEMPTS):
        try:
            return change_ticket(app, name, call, noted)
        except Taken:
            _refuse_if_busy(app, spec, counter, wanted[-1].day)
            there = app.tickets.with_visitor(spec.site_id, wanted[-1].visit_key)
            if there is not None:
                raise VisitorBusy(
                    f"the citizen of {wanted[-1].number} is at counter {there.counter} with {there.number}",
                    metadata={"ticket": there.name, "number": there.number, "counter": str(there.counter)},
                ) from None
    raise Aborted(f"{name} is being called by too many at once; try again")


def _with_counter(app: App, spec: QueueSpec, counter: int) -> QueueSpec:
    if counter not in spec.counters:
        spec = app.queues.find(spec.name, fresh=True)
    if counter not in spec.counters:
        raise InvalidField("counter", f"{spec.name} has no counter {counter}")
    return spec


def _nobody_waits(app: App, spec: QueueSpec, counter: int, day: str, elsewhere: bool, call: Call) -> ticket_pb2.Ticket:
    """The same command may have taken the last one; a counter that is busy should hear that first."""
    known = _called_before(app, spec, call.mutation)
    if known is not None:
        return known
    _refuse_if_busy(app, spec, counter, day)
    who = "who waits is at another counter" if elsewhere else "nobody waits"
    raise NotFound(f"{who} in {spec.name}", reason="QUEUE_EMPTY")


def _called_before(
    app: App, spec: QueueSpec, command: Command, *, write_refused: bool = False
) -> ticket_pb2.Ticket | None:
    """`write_refused`: only where a repetition's write would not be refused anyhow, by the index `first_call`."""
    return app.tickets.reply_of_call(spec.site_id, command, ticket_pb2.Ticket, second_only=write_refused)


def _refuse_if_busy(app: App, spec: QueueSpec, counter: int, day: str) -> None:
    there = app.tickets.at_counter(spec.site_id, domain.busy_key(spec.name, counter, day))
    if there is not None:
        raise CounterBusy(
            f"counter {counter} still has {there.number}",
            metadata={"ticket": there.name, "number": there.number, "counter": str(counter)},
        )
