"""A place taken for some minutes, and given back when nobody gets it. Knows who may hold: the cool-down and the limits of
open bookings; whether a place is free the day decides (domain/agenda_day.py).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta

from mpp.queue.v1 import appointment_pb2, appointments_service_pb2
from mpp_chassis.call import Call, new_id

from mpp_queue.appointments import messages
from mpp_queue.appointments.app import App
from mpp_queue.appointments.domain.agenda_day import AgendaDay, Wish
from mpp_queue.appointments.domain.booking import ACTIVE, Personal, State
from mpp_queue.appointments.domain.calendar import Agenda
from mpp_queue.appointments.limits import claimed, limits_of
from mpp_queue.appointments.persons import owners_of, person_of
from mpp_queue.appointments.steps import (
    ACTOR,
    agenda_of,
    change_booking,
    day_name_of,
    derived,
    moment,
    refuse_known,
    split,
)
from mpp_queue.domain import InvalidField
from mpp_queue.guard.domain import Ending, refuse_while_cooling
from mpp_queue.messages import group_of

pb = appointments_service_pb2
Appointment = appointment_pb2.Appointment


def hold_slot(app: App, request: pb.HoldSlotRequest, call: Call) -> Appointment:
    """Take places for some minutes. Officers may take those that the public cannot.

    Guaranteed: however many ask at once, in however many processes, no more get a place than there are.
    Raises SlotFull, NotInWindow, InvalidField, QuotaReached, PersonRequired, NotFound, FailedPrecondition.
    """
    return hold_at(app, app.agendas.find(request.parent), request, call)


def hold_at(app: App, agenda: Agenda, request: pb.HoldSlotRequest, call: Call) -> Appointment:
    """As hold_slot, at an agenda that is found already."""
    call.require(agency=agenda.agency)
    start, person = moment("start", request.start), person_of(app, request.nik, request.email, call)
    wish = Wish(
        start=start,
        slots=request.slots or 1,
        internal=call.role == "officer",
        offering=_offering(agenda, request.offering),
        group=group_of(request.priority_group).value,
        area=request.area,
        owners=owners_of(person, call),
        personal=person,
        variant=messages.variant_of(request.variant),
    )
    booking_id = new_id(call.mutation)

    def decide(day: AgendaDay) -> AgendaDay:
        refuse_known(day, booking_id)
        _refuse_while_cooling(app, agenda, wish.personal.counts_for, call.now)
        return day.hold(agenda, wish, id=booking_id, now=call.now, actor=call.actor, rng=app.rng)

    day_name = day_name_of(agenda, start)
    with limited(app, agenda, wish.internal, person, f"{day_name}/appointments/{booking_id}", call.now):
        return change_booking(app, agenda, day_name, booking_id, call.mutation, decide)


def release_hold(app: App, name: str, now: datetime) -> None:
    """Give a hold back that its request does not get. Idempotent; what is confirmed stays."""
    agenda, day_name, booking_id = agenda_of(app, name)

    def undo(day: AgendaDay) -> AgendaDay:
        booking = day.find(booking_id)
        if booking is None or booking.state is not State.HELD:
            return day
        return day.change(booking.cancel(now=now, actor=ACTOR, reason="", cool=timedelta(0)))

    change_booking(app, agenda, day_name, booking_id, derived("ReleaseHold", name, now), undo, missing_is_fine=True)


def limited(
    app: App, agenda: Agenda, internal: bool, person: Personal, name: str, now: datetime
) -> AbstractContextManager[None]:
    """What an officer books is not limited. Who repeats a command has claimed before, or needs none any more."""
    if internal or not limits_of(agenda, person) or _is_there(app, name, person):
        return nullcontext()
    return claimed(app.days, app.claims, agenda, person, name, now)


def _is_there(app: App, name: str, person: Personal) -> bool:
    """Whether the booking is written already, with this e-mail address."""
    day_name, booking_id = split(name)
    loaded = app.days.load(day_name)
    booking = loaded.day.find(booking_id) if loaded else None
    return booking is not None and (booking.state not in ACTIVE or person.email_key in ("", booking.personal.email_key))


def _refuse_while_cooling(app: App, agenda: Agenda, holder_key: str, now: datetime) -> None:
    """Raises CoolDown for who lately let an appointment go, or a ticket of the queue that this agenda leads to."""
    cool_down = agenda.quota.cool_down
    if not holder_key or not cool_down:
        return
    given_up = app.days.given_up(agenda.site_id, agenda.parent, holder_key, now - cool_down)
    refuse_while_cooling([Ending(at) for at in given_up], cool_down, now)
    if app.check is not None and agenda.queue:
        app.check(agenda.queue, holder_key, now)


def _offering(agenda: Agenda, offering: str) -> str:
    if offering and not offering.startswith(f"sites/{agenda.site_id}/"):
        raise InvalidField("offering", f"{offering} is not of site {agenda.site_id}")
    return offering
