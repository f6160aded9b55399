"""From a booking to a ticket, and back: the citizen is here, and how the visit ended.

Check-in is written down first and draws its ticket then. The event of the first write completes the second (handlers.py),
and so does a repetition; both are idempotent. Knows states of tickets; draws them through the room beside this one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mpp.queue.v1 import appointments_service_pb2, ticket_pb2
from mpp_chassis.call import Call, Command
from mpp_chassis.errors import NotFound

from mpp_queue.appointments import messages
from mpp_queue.appointments.app import App
from mpp_queue.appointments.codes import code_key
from mpp_queue.appointments.domain.agenda_day import AgendaDay
from mpp_queue.appointments.domain.booking import Booking, State
from mpp_queue.appointments.domain.calendar import TICKET_PREFIX
from mpp_queue.appointments.steps import ACTOR, agenda_of, change_booking, derived, load, own, split
from mpp_queue.domain import NOBODY, Admission, Holder, InvalidField, PriorityGroup, QuotaReached

pb = appointments_service_pb2


def check_in(app: App, request: pb.CheckInRequest, call: Call) -> pb.CheckInResponse:
    """The citizen is here: written down, then the ticket is drawn. Whoever checks in again gets the same ticket.

    Raises TooEarly, Missed, WrongState, InvalidField, NotFound; and what drawing a ticket raises.
    """
    name = _name_to_check_in(app, request)
    agenda, day_name, booking_id = agenda_of(app, name)

    def decide(day: AgendaDay) -> AgendaDay:
        before = own(day, booking_id, call)
        if before.state is State.CHECKED_IN:
            return day
        here = before.check_in(agenda, now=call.now, actor=call.actor, ticket=agenda.ticket_of(booking_id))
        return day.change(here)

    reply = change_booking(app, agenda, day_name, booking_id, call.mutation, decide)
    return pb.CheckInResponse(appointment=reply, issued=_draw(app, name, call.now) if reply.ticket else None)


def _name_to_check_in(app: App, request: pb.CheckInRequest) -> str:
    if bool(request.booking_code) == bool(request.name):
        raise InvalidField("booking_code", "give either the booking code or the name")
    if request.name:
        return request.name
    site_id = request.parent.split("/")[1]
    found = app.days.by_code(site_id, code_key(app, site_id, request.booking_code))
    if len(found) != 1:
        raise NotFound("no appointment has this code", reason="BOOKING_CODE_UNKNOWN", field="booking_code")
    loaded, booking = found[0]
    return messages.name_of(loaded.day, booking.id)


def complete_check_in(app: App, name: str, now: datetime) -> None:
    """Draw the ticket that a crash left undrawn. Idempotent. Nothing once the day is over: nobody stands in line."""
    agenda, _, _ = agenda_of(app, name)
    loaded = load(app, name)
    booking = loaded.day.find(split(name)[1])
    if booking is None or booking.state is not State.CHECKED_IN or not booking.ticket:
        return
    if agenda.local_day(now) == loaded.day.day and not app.appointment_of(booking.ticket):
        _draw(app, name, now)


def _draw(app: App, name: str, now: datetime) -> ticket_pb2.IssuedTicket:
    booking = load(app, name).day.find(split(name)[1])
    assert booking is not None
    assert booking.arrived_at is not None
    admission = Admission(
        name=booking.ticket,
        queue=booking.ticket.split("/tickets/")[0],
        channel=f"appointment_{booking.variant}" if booking.remote else "appointment",
        arrived_at=booking.arrived_at,
        offering=booking.offering,
        group=PriorityGroup(booking.group),
        owners=booking.owners,
        sealed_phone=booking.personal.sealed_phone,
        masked_phone=booking.personal.masked_phone,
        person_key=booking.personal.person_key,
        holder=Holder(booking.personal.counts_for),
        appointment=name,
        expected=booking.end - booking.start,
    )
    command = derived("AdmitAppointment", name, now)
    try:
        return app.admit(admission, command)
    except QuotaReached:
        # The booking counted when it was made. What else the person took today is no reason to send a booked citizen home.
        return app.admit(replace(admission, holder=NOBODY), command)


def ticket_ended(app: App, ticket: str, state: int, command: Command) -> None:
    """How the visit of a booked citizen ended, from the ticket. Idempotent; other tickets are none of its business."""
    if not ticket.rsplit("/", 1)[1].startswith(TICKET_PREFIX):
        return
    T = ticket_pb2.Ticket
    name = app.appointment_of(ticket)
    if not name or state == T.STATE_MISSED:
        return  # it waits again
    agenda, day_name, booking_id = agenda_of(app, name)

    def decide(day: AgendaDay) -> AgendaDay:
        booking = day.find(booking_id)
        if booking is None or booking.state is not State.CHECKED_IN:
            return day
        return day.change(as_ticket(booking, state, command.at))

    change_booking(app, agenda, day_name, booking_id, command, decide, missing_is_fine=True)


def as_ticket(booking: Booking, state: int, now: datetime) -> Booking:
    """The end of a booking by the state of its ticket; itself while that goes on."""
    T = ticket_pb2.Ticket
    if state == T.STATE_NO_SHOW:
        return booking.miss(now=now, actor=ACTOR, note="ticket")
    if state in (T.STATE_CANCELLED, T.STATE_CLOSED_AT_DAY_END):
        return booking.cancel(now=now, actor=ACTOR, reason="", cool=timedelta(0))
    return booking.fulfil(now=now, actor=ACTOR) if state in (T.STATE_FINISHED, T.STATE_TRANSFERRED) else booking
