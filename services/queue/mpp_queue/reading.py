"""What is told of tickets and queues: GetTicket, GetQueue, WatchQueue, ListTickets. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mpp.queue.v1 import queue_service_pb2, ticket_pb2
from mpp_chassis.call import Call
from mpp_chassis.errors import NotFound

from mpp_queue import domain, messages
from mpp_queue.app import App, local_day
from mpp_queue.boards import merged
from mpp_queue.domain import InvalidField, QueueSpec, Ticket
from mpp_queue.messages import Doors
from mpp_queue.views import Snapshot

PAGE_SIZE, LARGEST_PAGE = 50, 500


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


def _status(app: App, spec: QueueSpec, snapshot: Snapshot, now: datetime) -> ticket_pb2.QueueStatus:
    doors = doors_of(spec, now)
    used_up = spec.daily_contingent and spec.appointments is None and snapshot.last_seq >= spec.daily_contingent
    if used_up and not doors.closed:
        doors = Doors("CONTINGENT_EXHAUSTED")
    return messages.queue_status(spec, snapshot, app.rules.policy_of(spec), doors)


def doors_of(spec: QueueSpec, now: datetime) -> Doors:
    """Whether TakeTicket may give a number, as far as hours, days off, draining and maintenance say."""
    shut = domain.shut(spec, now)
    return Doors(shut.reason, shut.opens_at, shut.text) if shut else Doors()


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
