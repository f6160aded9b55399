"""A held time made sure, another time, and a time given back.

Another time on another day touches two documents: the new one is taken first and the old one given back then. The event of
the first write completes the second (handlers.py), and so does a repetition; both are idempotent.
"""

from __future__ import annotations

from datetime import datetime

from mpp.queue.v1 import appointment_pb2, appointments_service_pb2
from mpp_chassis.call import Call, new_id
from mpp_chassis.privacy import looks_personal

from mpp_queue.appointments import messages
from mpp_queue.appointments.app import App
from mpp_queue.appointments.codes import code_key, new_code, new_link_code, with_code
from mpp_queue.appointments.domain.agenda_day import AgendaDay, Wish
from mpp_queue.appointments.domain.booking import Personal, State, cooling
from mpp_queue.appointments.domain.calendar import VIDEO, Agenda
from mpp_queue.appointments.holding import limited
from mpp_queue.appointments.limits import limits_of
from mpp_queue.appointments.persons import reachable, with_email
from mpp_queue.appointments.steps import (
    ACTOR,
    agenda_of,
    change_booking,
    day_name_of,
    derived,
    load,
    moment,
    own,
    refuse_known,
)
from mpp_queue.domain import InvalidField, WrongState

pb = appointments_service_pb2
Appointment = appointment_pb2.Appointment


def confirm_appointment(app: App, request: pb.ConfirmAppointmentRequest, call: Call) -> Appointment:
    """Make a held time sure; the reply has the booking code. Raises HoldExpired, WrongState, InvalidField, NotFound."""
    agenda, day_name, booking_id = agenda_of(app, request.name)
    code, link = new_code(app.rng), agenda.video_link.replace("{code}", new_link_code(app.rng))

    def decide(day: AgendaDay) -> AgendaDay:
        before = own(day, booking_id, call)
        if agenda.address_required and not before.remote and not request.address.strip():
            raise InvalidField("address", "the team needs an address to come to")
        after = before.confirm(
            agenda,
            now=call.now,
            actor=call.actor,
            personal=reachable(app, before.personal, request),
            code_key=code_key(app, agenda.site_id, code),
            sealed_code=app.cipher.seal(code, messages.SEALED_CODE),
            sealed_link=app.cipher.seal(link, messages.SEALED_LINK) if before.variant == VIDEO else "",
        )
        return day.change(after)

    there = app.days.load(day_name)
    held = there.day.find(booking_id) if there else None
    known = Personal(person_key=held.personal.person_key, holder_key=held.personal.holder_key) if held else Personal()
    told = with_email(app, known, request.email)
    with limited(app, agenda, held is not None and held.internal, told, request.name, call.now):
        reply = change_booking(app, agenda, day_name, booking_id, call.mutation, decide)
    return with_code(app, reply, call)


def reschedule_appointment(app: App, request: pb.RescheduleAppointmentRequest, call: Call) -> Appointment:
    """Take another time, then give the old one back. One write when both are of the same day.

    Guaranteed: the citizen always has one of the two. Of a crash in between: the citizen has both until the event of the
    new one is handled. Of two changes of one appointment at the same moment: one wins, the other's new time is given
    back and it is refused. Raises WrongState, RescheduledBefore, and what hold_slot raises.
    """
    agenda, old_day, old_id = agenda_of(app, request.name)
    agenda = app.agendas.find(agenda.parent)  # what cannot be booked any more gets no new time here
    start = moment("start", request.start)
    new_day, new = day_name_of(agenda, start), new_id(call.mutation)
    new_name = f"{new_day}/appointments/{new}"

    def decide(day: AgendaDay) -> AgendaDay:
        old = day if new_day == old_day else load(app, request.name).day
        before = own(old, old_id, call)
        refuse_known(day, new)
        before.check_reschedule(agenda, call.now)
        wish = Wish(
            start=start,
            slots=before.slots,
            internal=call.role != "citizen",
            offering=before.offering,
            group=before.group,
            area=before.area,
            owners=before.owners,
            personal=before.personal,
            variant=before.variant,
        )
        booked = day.book_instead(agenda, wish, before, request.name, id=new, now=call.now, actor=call.actor)
        if new_day != old_day:
            return booked
        return booked.change(before.move(now=call.now, actor=call.actor, to=new_name, cool=cooling(agenda, app.rng)))

    before = own(load(app, request.name).day, old_id, call)
    # What is open is moved with its claim; what was missed holds none any more.
    unlimited = before.state is not State.NO_SHOW or call.role != "citizen"
    with limited(app, agenda, unlimited, before.personal, new_name, call.now):
        reply = change_booking(app, agenda, new_day, new, call.mutation, decide)
    if new_day != old_day:
        complete_reschedule(app, request.name, new_name, call.now)
    else:
        _move_claims(app, agenda, before.personal, request.name, new_name)
    return with_code(app, reply, call)


def complete_reschedule(app: App, old_name: str, new_name: str, now: datetime) -> None:
    """Give the old time back. Idempotent. Raises WrongState, after giving the new one back, when another change of the
    old one was faster.
    """
    agenda, old_day, old_id = agenda_of(app, old_name)
    there = app.days.load(old_day)
    old = there.day.find(old_id) if there else None
    if old is None or old.replaced_by == new_name:
        return

    def release(day: AgendaDay) -> AgendaDay:
        now_there = day.find(old_id)
        if now_there is None or now_there.replaced_by == new_name:
            return day
        return day.change(now_there.move(now=now, actor=ACTOR, to=new_name, cool=cooling(agenda, app.rng)))

    try:
        change_booking(
            app, agenda, old_day, old_id, derived("ReleaseOldTime", new_name, now), release, missing_is_fine=True
        )
    except WrongState:
        _undo_new_time(app, new_name, now)
        raise
    _move_claims(app, agenda, old.personal, old_name, new_name)


def _move_claims(app: App, agenda: Agenda, person: Personal, old_name: str, new_name: str) -> None:
    """Only once the new time is sure. Until then, and when a process died before this, the old name leads to the new one."""
    for limit in limits_of(agenda, person):
        app.claims.move(limit.ids(agenda), old_name, new_name)


def _undo_new_time(app: App, name: str, now: datetime) -> None:
    agenda, day_name, booking_id = agenda_of(app, name)

    def undo(day: AgendaDay) -> AgendaDay:
        booking = day.find(booking_id)
        if booking is None or booking.state is not State.CONFIRMED:
            return day
        return day.change(booking.cancel(now=now, actor=ACTOR, reason="", cool=cooling(agenda, app.rng)))

    change_booking(app, agenda, day_name, booking_id, derived("UndoNewTime", name, now), undo, missing_is_fine=True)


def cancel_appointment(app: App, request: pb.CancelAppointmentRequest, call: Call) -> Appointment:
    """Give the time back; its places cool. Raises InvalidField, WrongState, NotFound."""
    if looks_personal(request.reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")
    agenda, day_name, booking_id = agenda_of(app, request.name)

    def decide(day: AgendaDay) -> AgendaDay:
        before = own(day, booking_id, call)
        if before.state is State.CHECKED_IN and before.ticket:
            raise WrongState("the citizen is in line: cancel the ticket", metadata={"ticket": before.ticket})
        cool = cooling(agenda, app.rng)
        return day.change(before.cancel(now=call.now, actor=call.actor, reason=request.reason, cool=cool))

    return change_booking(app, agenda, day_name, booking_id, call.mutation, decide)
