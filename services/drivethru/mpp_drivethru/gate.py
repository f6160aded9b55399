"""A vehicle at the gate: its ticket and its pass. Knows the order of the two, and what a crash between them leaves.

Who is at the gate is kept before the ticket is taken: then the event of the ticket's issue makes the pass of whoever was
left without (`complete_arrival`). Nobody has to repeat anything.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

from mpp.drivethru.v1 import drivethru_service_pb2, pass_pb2
from mpp_chassis.aggregates import Taken as IndexTaken
from mpp_chassis.call import Call, new_id
from mpp_chassis.errors import Aborted, AlreadyExists, Fault, Unavailable

from mpp_drivethru import domain, messages, metrics
from mpp_drivethru.app import App, Taken, TicketOffice, now_of
from mpp_drivethru.domain import ChannelSpec, DriveThruError, InvalidField, Pass, Registered, SiteSpec
from mpp_drivethru.hearing import follow
from mpp_drivethru.store import Arrival

CREATE_ATTEMPTS = 5


def register_vehicle(
    app: App, office: TicketOffice, request: drivethru_service_pb2.RegisterVehicleRequest, call: Call
) -> pass_pb2.Pass:
    """A vehicle at the gate: a ticket of the channel's queue, and the pass.

    Guaranteed: a repeated request_id gets the same ticket and the same pass; and a ticket that was taken has its pass,
    also after a crash between the two and without a repetition: who is at the gate is kept before the ticket is taken, and
    `complete_arrival` hears of the ticket. Not guaranteed for a caller whose roles the queue reads otherwise (several
    roles in one token): then the repetition is needed. Raises InvalidField, AlreadyExists, UnderMaintenance, ChannelClosed,
    and what the queue raises (its CHALLENGE_REQUIRED too: `proof` is handed on).
    """
    name = f"{request.parent}/passes/{new_id(call.mutation)}"
    known = app.passes.reply(name, call.mutation, pass_pb2.Pass)
    if known is not None:
        return known
    spec = app.channels.find(request.parent, to_begin=True)
    site = app.channels.site(spec)
    offering = domain.offering_of(spec, request.offering)
    plate = domain.plate(request.plate)
    index = app.index.of(plate, "plate")
    if refusal := _in_line(app, spec, index, name):
        raise refusal
    expected = request.ticket or office.ticket_of(spec.queue, call)
    _refuse_new(app, spec, site, call.now, expected, has_ticket=request.ticket != "")
    day = site.day(call.now)
    fresh = domain.register(name, spec, ticket=expected, number="", offering=offering, day=day, now=now_of(call))
    sealed = app.cipher.seal(plate, "plate")
    fresh = replace(fresh, sealed_plate=sealed, plate_index=index, masked_plate=domain.mask_plate(plate))
    if request.ticket:
        ticket = _given(office, spec, offering, request.ticket, call)
        return _with_pass(app, spec, Arrival(fresh, call.mutation), ticket)
    arrival = app.arrivals.note(fresh, call.mutation)
    try:
        ticket = office.take(spec.queue, offering, request, call)
    except Unavailable:
        raise  # it may have been taken all the same
    except Fault:
        app.arrivals.forget(expected)
        raise
    return _with_pass(app, spec, arrival, ticket)


def _with_pass(app: App, spec: ChannelSpec, arrival: Arrival, ticket: Taken) -> pass_pb2.Pass:
    """The pass of a ticket that is there; the same for whoever comes second. Raises AlreadyExists, REQUEST_ID_REUSED."""
    expected = arrival.vehicle.ticket
    vehicle = arrival.vehicle.with_ticket(ticket.ticket, ticket.number, ticket.offering)
    vehicle = replace(vehicle, events=(Registered(),))
    first = messages.vehicle(vehicle, spec)
    for _ in range(CREATE_ATTEMPTS):
        try:
            reply = app.passes.create(vehicle, arrival.command, first, messages.events(vehicle))
            break
        except IndexTaken:
            if refusal := _in_the_way(app, spec, vehicle):
                app.arrivals.forget(expected)
                raise refusal from None
            time.sleep(0.002)  # what was in the way has gone meanwhile
    else:
        raise Aborted("too many come and go with this plate at once; try again")
    app.arrivals.forget(expected)
    if reply is first:
        metrics.count(vehicle)
    follow(app, ticket.ticket, arrival.command.at)
    return reply


def _in_the_way(app: App, spec: ChannelSpec, vehicle: Pass) -> AlreadyExists | None:
    """The pass that its ticket has already, or that its plate has in this line. The store's message need not tell which."""
    there = app.passes.of_ticket(vehicle.ticket)
    if there is not None:  # also its own, of a command so old that its reply is gone
        return AlreadyExists(f"{vehicle.number} has a pass", reason="TICKET_HAS_PASS", field="ticket")
    return _in_line(app, spec, vehicle.plate_index, vehicle.name)


def _refuse_new(app: App, spec: ChannelSpec, site: SiteSpec, now: datetime, ticket: str, *, has_ticket: bool) -> None:
    """Raises UnderMaintenance, ChannelClosed; not to a command that began before: it was let in."""
    try:
        domain.refuse_new(spec, site, now, has_ticket=has_ticket)
    except DriveThruError:
        if app.arrivals.of(ticket) is None:
            raise


def complete_arrival(app: App, ticket: Taken) -> bool:
    """A ticket was issued: who took it at a gate has a pass, also when the process that took it is gone. Idempotent.

    False when nobody at a gate waits for it. A vehicle that came again meanwhile keeps the pass it got then.
    """
    arrival = app.arrivals.of(ticket.ticket)
    if arrival is None:
        return False
    try:
        _with_pass(app, app.channels.find(arrival.vehicle.channel), arrival, ticket)
    except AlreadyExists:
        return False
    return True


def _given(office: TicketOffice, spec: ChannelSpec, offering: str, name: str, call: Call) -> Taken:
    """A ticket that the citizen has already. Raises InvalidField, and what the queue raises."""
    if not name.startswith(f"{spec.queue}/tickets/"):
        raise InvalidField("ticket", f"not a ticket of {spec.queue}")
    ticket, news = office.look(name, call)
    if news is None or news.state not in ("waiting", "called"):
        raise InvalidField("ticket", f"{ticket.number} does not wait any more")
    return replace(ticket, offering=ticket.offering or offering)


def _in_line(app: App, spec: ChannelSpec, plate_index: str, name: str) -> AlreadyExists | None:
    there = app.passes.of_plate(spec.name, plate_index)
    if there is None or there.name == name:  # its own pass: the same command, at the same moment
        return None
    text, known = f"this vehicle is in the line with {there.number}", {"pass": there.name, "number": there.number}
    return AlreadyExists(text, reason="VEHICLE_IN_LINE", metadata=known)
