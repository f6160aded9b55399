"""Start a visit, show it, cancel it. Knows the order of steps; rules are in domain.py, tickets are admitted and ended by the
tickets' own use cases.

A visit takes several writes: first its own, with the names of its tickets, then a ticket each. Whatever dies in between
is gone on with by the handler of the visit's own event, and by a repetition of the command: a ticket that is there is left
alone, one that is not is admitted with the visit's time of arrival. Cancelling is the same way round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mpp.queue.v1 import queue_service_pb2, ticket_pb2, visit_pb2, visits_service_pb2
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import Aborted, FailedPrecondition, NotFound
from mpp_chassis.events import Event
from mpp_chassis.privacy import looks_personal

from mpp_queue import messages as ticket_messages
from mpp_queue import metrics as ticket_metrics
from mpp_queue.counters.store import Layout
from mpp_queue.counters.usecases import local_day
from mpp_queue.domain import Admission, InvalidField, QueueError, QueueSpec, State, Ticket
from mpp_queue.flights import Flights
from mpp_queue.store import Tickets
from mpp_queue.views import Queues, QueueViews
from mpp_queue.visits import domain, messages, metrics
from mpp_queue.visits.domain import Stop, Visit, Wish
from mpp_queue.visits.messages import Outlook
from mpp_queue.visits.store import Served, Visits, VisitTickets

# Draws a ticket: an idempotent insert by the admission's name.
Admit = Callable[[Admission, Command], ticket_pb2.IssuedTicket]
# What a request for one ticket comes to (name of the ticket, request), or its refusal.
WalkIn = Callable[[QueueSpec, str, queue_service_pb2.TakeTicketRequest, Call], Admission]
MOST_TRANSFERS = 50  # of one errand that are followed: a read each
DAY_OVER = "DAY_OVER"  # why a wish has no ticket that nobody admitted on its day
AT_A_COUNTER = frozenset({State.CALLED, State.SERVING})


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    visits: Visits
    tickets: Tickets
    looks: VisitTickets
    served: Served
    queues: Queues
    views: QueueViews
    layout: Layout
    walk_in: WalkIn
    admit: Admit
    flights: Flights = field(default_factory=Flights)


def start_visit(app: App, request: visits_service_pb2.StartVisitRequest, call: Call) -> visit_pb2.Visit:
    """A ticket in each queue. A queue that refuses is told in its stop; when all do, the first refusal is raised.

    Guaranteed: a repeated request_id finds the same visit and the same tickets; what was written down and not admitted is
    admitted after a crash. Not guaranteed: that all tickets get their numbers at the same moment.
    Raises InvalidField, NotFound, FailedPrecondition, QueueError.
    """
    name = f"{request.parent}/visits/{new_id(call.mutation)}"
    wanted = [
        (w.queue or _queue_of(app, n, w.offering), w.offering, w.priority_class) for n, w in enumerate(request.wishes)
    ]
    wishes = domain.wishes_of(name, wanted)
    with app.flights.alone(name):  # repetitions at the same moment would each draw numbers to use one
        new = app.visits.reply(name, call.mutation, visit_pb2.Visit) is None
        if new:
            visit = _visit(app, name, wishes, request, call)
            fresh = visit_pb2.Visit(name=name)
            new = app.visits.create(visit, call.mutation, fresh, messages.events(visit)) is fresh
        if not new:
            visit = _load(app, name)
            if visit.cancelled:
                return _shown(app, visit, call.now)
        visit, issued = _admit(app, visit, visit.started_at if new else call.now, new=new)
    if new:
        metrics.VISITS.labels(visit.site_id, "started").inc()
    if not issued:
        raise FailedPrecondition("none of the queues gives a ticket now", reason=visit.wishes[0].refused)
    return _issued(app, visit, issued)


def _queue_of(app: App, nth: int, offering: str) -> str:
    """Raises InvalidField."""
    queue = app.served.queue_of(offering) if offering else ""
    if not queue:
        raise InvalidField(f"wishes[{nth}].queue", "name the queue: the offering tells of none")
    return queue


def _visit(
    app: App, name: str, wishes: Sequence[Wish], request: visits_service_pb2.StartVisitRequest, call: Call
) -> Visit:
    """Asks for each queue what TakeTicket would ask. Raises the first refusal when every queue has one."""
    asked: list[Wish] = []
    refusals: list[QueueError | FailedPrecondition] = []
    given: Admission | None = None
    for wish in wishes:
        try:
            given = app.walk_in(app.queues.find(wish.queue), wish.ticket, _ticket_request(request, wish), call)
            asked.append(wish)
        except InvalidField:
            raise
        except (QueueError, FailedPrecondition) as e:
            refusals.append(e)
            asked.append(replace(wish, refused=e.reason))
    if given is None:
        raise refusals[0]
    return domain.start(
        name=name,
        day=local_day(app.layout.zone(name.split("/")[1]), call.now),
        now=call.now.replace(microsecond=call.now.microsecond // 1000 * 1000),  # as the store keeps it
        actor=call.actor,
        channel=given.channel,
        wishes=asked,
        owners=given.owners,
        group=given.group,
        sealed_phone=given.sealed_phone,
        masked_phone=given.masked_phone,
        person_key=given.person_key,
        phone_key=given.phone_key,
        device_key=given.device_key,
        holder=given.holder,
    )


def _ticket_request(request: visits_service_pb2.StartVisitRequest, wish: Wish) -> queue_service_pb2.TakeTicketRequest:
    return queue_service_pb2.TakeTicketRequest(
        parent=wish.queue,
        offering=wish.offering,
        phone=request.phone,
        priority_group=request.priority_group,
        priority_class=wish.priority_class,
        nik=request.nik,
        device=request.device,
        kiosk=request.kiosk,
        request_id=request.request_id,
    )


def lacks_tickets(app: App, name: str) -> bool:
    """Whether some are still to come: the process that started the visit may be at it."""
    visit = app.visits.load(name)
    return visit is not None and len(app.looks.named(visit.tickets)) < len(visit.tickets)


def complete(app: App, name: str, now: datetime) -> None:
    """After the event of a visit: admit what a crash left out, withdraw what was cancelled meanwhile. Idempotent.

    Raises Aborted while a ticket of a cancelled visit is between the two writes of a transfer: come again.
    """
    visit = app.visits.load(name)
    if visit is None:
        return
    if not visit.cancelled:
        _admit(app, visit, now, new=False)
        visit = app.visits.load(name) or visit  # a cancellation that did not see what was just admitted leaves it to us
    if visit.cancelled and _withdraw_all(app, visit, now):
        raise Aborted(f"a ticket of {name} is on its way to another queue: it is withdrawn when it is there")


def get_visit(app: App, name: str, call: Call) -> visit_pb2.Visit:
    """Raises NotFound, PermissionDenied."""
    visit = _load(app, name)
    call.require(owners=visit.owners)
    return _shown(app, visit, call.now)


def cancel_visit(app: App, request: visits_service_pb2.CancelVisitRequest, call: Call) -> visit_pb2.Visit:
    """What waits is given up; what is at a counter goes on. Raises InvalidField, NotFound, PermissionDenied."""
    if looks_personal(request.reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")

    decided: list[Visit] = []

    def cancel(before: Visit) -> tuple[Visit, visit_pb2.Visit, list[Event]]:
        call.require(owners=before.owners)
        after = before.cancel(now=call.now, actor=call.actor, reason=request.reason)
        decided.append(after)
        return after, visit_pb2.Visit(name=after.name, cancelled=True), messages.events(after)

    app.visits.change(request.name, call.mutation, visit_pb2.Visit, cancel)
    if decided and decided[-1].events:
        metrics.VISITS.labels(decided[-1].site_id, "cancelled").inc()
    visit = _load(app, request.name)
    _withdraw_all(app, visit, call.now)
    return _shown(app, visit, call.now)


# -- inside


def _load(app: App, name: str) -> Visit:
    visit = app.visits.load(name)
    if visit is None:
        raise NotFound(f"there is no {name}")
    return visit


def _known(app: App, queue: str) -> QueueSpec | None:
    """None when its agency closed it. Raises NotFound for a queue that never was: nothing is written for a mistake."""
    try:
        return app.queues.find(queue)
    except FailedPrecondition:
        return None


def _admit(app: App, visit: Visit, now: datetime, *, new: bool) -> tuple[Visit, dict[str, ticket_pb2.IssuedTicket]]:
    """Every wish that was not refused; the tickets by name, and the visit with the refusals of this time.

    `new`: nobody can have been here before, so no ticket is looked for. What is left of a visit of an earlier day is
    refused: the citizen went home, and must not stand first in the line of today.
    """
    issued: dict[str, ticket_pb2.IssuedTicket] = {}
    refused: dict[str, str] = {}
    over = not new and local_day(app.layout.zone(visit.site_id), now) > visit.day
    there = app.looks.named(visit.tickets) if over else {}
    for wish in visit.wishes:
        if wish.refused:
            continue
        # The same command whoever runs it, so that a ticket is admitted once.
        command = Command(wish.ticket, "AdmitVisit", visit.name, visit.started_by, now)
        known = None if new else app.tickets.reply(wish.ticket, command, ticket_pb2.IssuedTicket)
        if known is None and over:
            if wish.ticket not in there:
                refused[wish.ticket] = DAY_OVER
            continue
        try:
            issued[wish.ticket] = known or app.admit(_admission(visit, wish), command)
        except (QueueError, FailedPrecondition) as e:
            refused[wish.ticket] = e.reason
    if refused:
        visit = visit.refuse(refused)
        _note_refusals(app, visit.name, refused, visit.started_by, now)
    return visit, issued


def _admission(visit: Visit, wish: Wish) -> Admission:
    return Admission(
        name=wish.ticket,
        queue=wish.queue,
        channel=visit.channel,
        arrived_at=visit.started_at,
        offering=wish.offering,
        group=visit.group,
        priority_class=wish.priority_class,
        owners=visit.owners,
        sealed_phone=visit.sealed_phone,
        masked_phone=visit.masked_phone,
        person_key=visit.person_key,
        phone_key=visit.phone_key,
        device_key=visit.device_key,
        holder=visit.holder,
        visit=visit.name,
    )


def _note_refusals(app: App, name: str, refused: dict[str, str], actor: str, now: datetime) -> None:
    def note(before: Visit) -> tuple[Visit, visit_pb2.Visit, list[Event]]:
        return before.refuse(refused), visit_pb2.Visit(name=name), []

    command = Command("+".join(sorted(refused)), "RefuseVisit", "", actor, now)
    app.visits.change(name, command, visit_pb2.Visit, note)


class _Gone(Exception):
    """The ticket no longer waits."""


def _withdraw_all(app: App, visit: Visit, now: datetime) -> bool:
    """Cancel what waits. Safe to run twice and beside calls: who is called first stays called. True when a ticket is being
    transferred, and will wait elsewhere in a moment.
    """
    followed = _followed(app, visit).values()
    for ticket in followed:
        if ticket.state is State.WAITING:
            command = Command(f"{visit.name}:{ticket.name}", "WithdrawVisit", "", visit.cancelled_by, now)
            with suppress(_Gone):
                _withdraw(app, ticket.name, visit.reason, command)
    return any(ticket.state is State.TRANSFERRED for ticket in followed)


def _withdraw(app: App, name: str, reason: str, command: Command) -> None:
    decided: list[Ticket] = []  # empty when the command was repeated

    def decision(before: Ticket) -> tuple[Ticket, ticket_pb2.Ticket, Sequence[Event]]:
        if before.state is not State.WAITING:
            raise _Gone
        decided.append(before.cancel(now=command.at, actor=command.actor, reason=reason))
        return decided[-1], ticket_messages.ticket(decided[-1]), ticket_messages.events(decided[-1])

    app.tickets.change(name, command, ticket_pb2.Ticket, decision)
    for ticket in decided[-1:]:
        ticket_metrics.count(ticket)


def _followed(app: App, visit: Visit) -> dict[str, Ticket]:
    """The visit's tickets by the names that it knows; in the place of one that was transferred the ticket it became."""
    found = app.looks.named([wish.ticket for wish in visit.wishes])
    for _ in range(MOST_TRANSFERS):
        children = {t.child: name for name, t in found.items() if t.state is State.TRANSFERRED and t.child}
        if not children:
            break
        born = app.looks.named(list(children))
        if not born:
            break  # its admission is under way
        found.update({children[name]: child for name, child in born.items()})
    return found


def _issued(app: App, visit: Visit, issued: dict[str, ticket_pb2.IssuedTicket]) -> visit_pb2.Visit:
    """From the tickets' stored replies and what the agencies declare, so that a repeated command is answered alike."""
    outlooks, stops = {}, []
    for nth, wish in enumerate(visit.wishes):
        if wish.ticket in issued:
            spec = _known(app, wish.queue)
            service = timedelta(minutes=spec.minutes_per_visit if spec else 0)
            given = issued[wish.ticket]
            wait = given.estimated_wait.ToTimedelta()
            fee = given.fee if given.HasField("fee") else None
            outlooks[wish.ticket] = Outlook(given.ticket, given.people_ahead, wait, service, fee)
            stops.append(Stop(wish.ticket, wait, service, service / max(len(spec.counters) if spec else 1, 1), nth))
    plan = domain.plan(stops)
    return messages.visit(visit, outlooks, plan.order, plan.total)


def _shown(app: App, visit: Visit, now: datetime) -> visit_pb2.Visit:
    """As it stands now: over, at a counter, then the proposal for what waits, then what is parked."""
    tickets, nth = _followed(app, visit), {wish.ticket: n for n, wish in enumerate(visit.wishes)}
    outlooks, stops, free_in = dict[str, Outlook](), list[Stop](), timedelta(0)
    for key, ticket in tickets.items():
        outlooks[key], again = _outlook(app, ticket)
        if ticket.state in AT_A_COUNTER:
            free_in = max(free_in, outlooks[key].service - ticket.served(now))
        elif ticket.state is State.WAITING:
            stops.append(Stop(key, outlooks[key].wait, outlooks[key].service, again, nth[key]))
    plan = domain.plan(stops, free_in)
    shown = {key: n for n, key in enumerate(plan.order)}

    def place(key: str) -> tuple[int, int, datetime]:
        ticket = tickets[key]
        kind = 1 if ticket.state in AT_A_COUNTER else 2 if key in shown else 3 if ticket.ended_at is None else 0
        return kind, shown.get(key, 0), ticket.ended_at or ticket.issued_at

    return messages.visit(visit, outlooks, sorted(tickets, key=place), max(plan.total, free_in))


def _outlook(app: App, ticket: Ticket) -> tuple[Outlook, timedelta]:
    """What is left for a ticket, and until when a counter of its queue is next free."""
    spec = _known(app, ticket.queue) if ticket.ended_at is None else None
    if spec is None:
        return Outlook(ticket_messages.ticket(ticket)), timedelta(0)
    snapshot = app.views.of(spec, ticket.day)
    again = snapshot.wait_of(0)  # for somebody who stands first
    if ticket.state is not State.WAITING:
        return Outlook(ticket_messages.ticket(ticket), 0, timedelta(0), snapshot.visit), again
    ahead = app.looks.before(ticket)
    return Outlook(ticket_messages.ticket(ticket), ahead, snapshot.wait_of(ahead), snapshot.visit), again
