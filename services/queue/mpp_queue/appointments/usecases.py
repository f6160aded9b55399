"""Load, decide, save: one function a command of bookings. Knows the order of steps; rules are in domain/, queries in
store.py.

A command is one compare-and-set of the day's document. Two commands touch a second document, each with a stated rule for
a crash in between: a check-in is written down first and draws its ticket then; a new time is taken first and the old one
given back then. The event of the first write completes the second (see handlers.py), and so does a repetition; both are
idempotent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from google.protobuf.empty_pb2 import Empty
from mpp.queue.v1 import appointment_pb2, appointments_service_pb2, ticket_pb2
from mpp_chassis.aggregates import Stale
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.events import Event
from mpp_chassis.privacy import BlindIndex, FieldCipher, looks_personal, mask_nik, mask_phone

from mpp_queue.appointments import messages, metrics
from mpp_queue.appointments.agendas import Agendas, Channels
from mpp_queue.appointments.domain.agenda_day import AgendaDay, Block, Wish
from mpp_queue.appointments.domain.booking import ACTIVE, Booking, Personal, State, cooling
from mpp_queue.appointments.domain.calendar import TICKET_PREFIX, VIDEO, Agenda
from mpp_queue.appointments.limits import claimed, limits_of
from mpp_queue.appointments.store import AgendaDays, Choices, Claims, Loaded
from mpp_queue.domain import Admission, InvalidField, PriorityGroup, QuotaReached, WrongState, check_nik
from mpp_queue.guard.domain import Ending, refuse_while_cooling
from mpp_queue.messages import group_of

pb = appointments_service_pb2
Appointment = appointment_pb2.Appointment
ACTOR = "service:queue"
SWEEP_BATCH, SWEEP_BATCHES = 50, 20
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that are taken for another one
CODE_LENGTH = 8

# Draws the ticket of a check-in: an idempotent insert by the admission's name.
Admit = Callable[[Admission, Command], ticket_pb2.IssuedTicket]
# Whether a person may book now at a queue, by what happened to the person's tickets there; raises a QueueError.
Check = Callable[[str, str, datetime], None]


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with. `rng` makes codes and cooling times: cryptographic in production."""

    days: AgendaDays
    claims: Claims
    choices: Choices
    agendas: Agendas
    channels: Channels
    cipher: FieldCipher
    index: BlindIndex
    audit: Any
    rng: random.Random
    clock: Callable[[], datetime]
    admit: Admit
    appointment_of: Callable[[str], str]  # of a ticket; "" when it has none
    state_of: Callable[[str], int]  # of a ticket, as the contract numbers it; 0 when there is none
    check: Check | None = None


def hold_slot(app: App, request: pb.HoldSlotRequest, call: Call) -> Appointment:
    """Take places for some minutes. Officers may take those that the public cannot.

    Guaranteed: however many ask at once, in however many processes, no more get a place than there are.
    Raises SlotFull, NotInWindow, InvalidField, QuotaReached, PersonRequired, NotFound, FailedPrecondition.
    """
    return hold_at(app, app.agendas.find(request.parent), request, call)


def hold_at(app: App, agenda: Agenda, request: pb.HoldSlotRequest, call: Call) -> Appointment:
    """As hold_slot."""
    call.require(agency=agenda.agency)
    start, person = moment("start", request.start), _person(app, request.nik, request.email, call)
    wish = Wish(
        start=start,
        slots=request.slots or 1,
        internal=call.role == "officer",
        offering=_offering(agenda, request.offering),
        group=group_of(request.priority_group).value,
        area=request.area,
        owners=_owners(person, call),
        personal=person,
        variant=messages.variant_of(request.variant),
    )
    booking_id = new_id(call.mutation)

    def decide(day: AgendaDay) -> AgendaDay:
        _refuse_while_cooling(app, agenda, wish.personal.person_key, call.now)
        return day.hold(agenda, wish, id=booking_id, now=call.now, actor=call.actor, rng=app.rng)

    day_name = _day_name(agenda, start)
    with _limited(app, agenda, wish.internal, person, f"{day_name}/appointments/{booking_id}", call.now):
        return _change(app, agenda, day_name, booking_id, call.mutation, decide)


def _limited(
    app: App, agenda: Agenda, internal: bool, person: Personal, name: str, now: datetime
) -> AbstractContextManager[None]:
    """What an officer books is not limited. Who repeats a command has claimed before, or needs none any more."""
    if internal or not limits_of(agenda, person) or _is_there(app, name, person):
        return nullcontext()
    return claimed(app.days, app.claims, agenda, person, name, now)


def _is_there(app: App, name: str, person: Personal) -> bool:
    """Whether the booking is written already, with this e-mail address."""
    day_name, booking_id = _split(name)
    loaded = app.days.load(day_name)
    booking = loaded.day.find(booking_id) if loaded else None
    return booking is not None and (booking.state not in ACTIVE or person.email_key in ("", booking.personal.email_key))


def release_hold(app: App, name: str, now: datetime) -> None:
    """Give a hold back that its request does not get. Idempotent; what is confirmed stays."""
    agenda, day_name, booking_id = _agenda_of(app, name)

    def undo(day: AgendaDay) -> AgendaDay:
        booking = day.find(booking_id)
        if booking is None or booking.state is not State.HELD:
            return day
        return day.change(booking.cancel(now=now, actor=ACTOR, reason="", cool=timedelta(0)))

    _change(app, agenda, day_name, booking_id, _derived("ReleaseHold", name, now), undo, missing_is_fine=True)


def _refuse_while_cooling(app: App, agenda: Agenda, person_key: str, now: datetime) -> None:
    """Raises CoolDown for who lately let an appointment go, or a ticket of the queue that this agenda leads to."""
    cool_down = agenda.quota.cool_down
    if not person_key or not cool_down:
        return
    given_up = app.days.given_up(agenda.site_id, agenda.parent, person_key)
    refuse_while_cooling([Ending(at) for at in given_up if at > now - cool_down], cool_down, now)
    if app.check is not None and agenda.queue:
        app.check(agenda.queue, person_key, now)


def confirm_appointment(app: App, request: pb.ConfirmAppointmentRequest, call: Call) -> Appointment:
    """Make a held time sure; the reply has the booking code. Raises HoldExpired, WrongState, InvalidField, NotFound."""
    agenda, day_name, booking_id = _agenda_of(app, request.name)
    code, link = new_code(app.rng), agenda.video_link.replace("{code}", new_link_code(app.rng))

    def decide(day: AgendaDay) -> AgendaDay:
        before = _own(day, booking_id, call)
        if agenda.address_required and not before.remote and not request.address.strip():
            raise InvalidField("address", "the team needs an address to come to")
        after = before.confirm(
            agenda,
            now=call.now,
            actor=call.actor,
            personal=_reachable(app, before.personal, request),
            code_key=_code_key(app, agenda.site_id, code),
            sealed_code=app.cipher.seal(code, messages.SEALED_CODE),
            sealed_link=app.cipher.seal(link, messages.SEALED_LINK) if before.variant == VIDEO else "",
        )
        return day.change(after)

    there = app.days.load(day_name)
    internal = any(b.internal for b in there.day.bookings if b.id == booking_id) if there else False
    told = _by_email(app, Personal(), request.email)
    with _limited(app, agenda, internal, told, request.name, call.now):
        reply = _change(app, agenda, day_name, booking_id, call.mutation, decide)
    return _with_code(app, reply, call)


def reschedule_appointment(app: App, request: pb.RescheduleAppointmentRequest, call: Call) -> Appointment:
    """Take another time, then give the old one back. One write when both are of the same day.

    Guaranteed: the citizen always has one of the two. Of a crash in between: the citizen has both until the event of the
    new one is handled. Of two changes of one appointment at the same moment: one wins, the other's new time is given
    back and it is refused. Raises WrongState, RescheduledBefore, and what hold_slot raises.
    """
    agenda, old_day, old_id = _agenda_of(app, request.name)
    agenda = app.agendas.find(agenda.parent)  # what cannot be booked any more gets no new time here
    start = moment("start", request.start)
    new_day, new = _day_name(agenda, start), new_id(call.mutation)
    new_name = f"{new_day}/appointments/{new}"

    def decide(day: AgendaDay) -> AgendaDay:
        old = day if new_day == old_day else _load(app, request.name).day
        before = _own(old, old_id, call)
        before.check_reschedule()
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

    before = _own(_load(app, request.name).day, old_id, call)
    # What is open is moved with its claim; what was missed holds none any more.
    unlimited = before.state is not State.NO_SHOW or call.role != "citizen"
    with _limited(app, agenda, unlimited, before.personal, new_name, call.now):
        reply = _change(app, agenda, new_day, new, call.mutation, decide)
    for limit in limits_of(agenda, before.personal):
        app.claims.move(limit.ids(agenda), request.name, new_name)
    if new_day != old_day:
        complete_reschedule(app, request.name, new_name, call.now)
    return _with_code(app, reply, call)


def complete_reschedule(app: App, old_name: str, new_name: str, now: datetime) -> None:
    """Give the old time back. Idempotent. Raises WrongState, after giving the new one back, when another change of the
    old one was faster.
    """
    agenda, old_day, old_id = _agenda_of(app, old_name)
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
        _change(app, agenda, old_day, old_id, _derived("ReleaseOldTime", new_name, now), release, missing_is_fine=True)
    except WrongState:
        _undo_new_time(app, new_name, now)
        raise


def _undo_new_time(app: App, name: str, now: datetime) -> None:
    agenda, day_name, booking_id = _agenda_of(app, name)

    def undo(day: AgendaDay) -> AgendaDay:
        booking = day.find(booking_id)
        if booking is None or booking.state is not State.CONFIRMED:
            return day
        return day.change(booking.cancel(now=now, actor=ACTOR, reason="", cool=cooling(agenda, app.rng)))

    _change(app, agenda, day_name, booking_id, _derived("UndoNewTime", name, now), undo, missing_is_fine=True)


def cancel_appointment(app: App, request: pb.CancelAppointmentRequest, call: Call) -> Appointment:
    """Give the time back; its places cool. Raises InvalidField, WrongState, NotFound."""
    if looks_personal(request.reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")
    agenda, day_name, booking_id = _agenda_of(app, request.name)

    def decide(day: AgendaDay) -> AgendaDay:
        before = _own(day, booking_id, call)
        if before.state is State.CHECKED_IN and before.ticket:
            raise WrongState("the citizen is in line: cancel the ticket", metadata={"ticket": before.ticket})
        cool = cooling(agenda, app.rng)
        return day.change(before.cancel(now=call.now, actor=call.actor, reason=request.reason, cool=cool))

    return _change(app, agenda, day_name, booking_id, call.mutation, decide)


def check_in(app: App, request: pb.CheckInRequest, call: Call) -> pb.CheckInResponse:
    """The citizen is here: written down, then the ticket is drawn. Whoever checks in again gets the same ticket.

    Raises TooEarly, Missed, WrongState, InvalidField, NotFound; and what drawing a ticket raises.
    """
    name = _name_to_check_in(app, request)
    agenda, day_name, booking_id = _agenda_of(app, name)

    def decide(day: AgendaDay) -> AgendaDay:
        before = _own(day, booking_id, call)
        if before.state is State.CHECKED_IN:
            return day
        here = before.check_in(agenda, now=call.now, actor=call.actor, ticket=agenda.ticket_of(booking_id))
        return day.change(here)

    reply = _change(app, agenda, day_name, booking_id, call.mutation, decide)
    return pb.CheckInResponse(appointment=reply, issued=_draw(app, name, call.now) if reply.ticket else None)


def complete_check_in(app: App, name: str, now: datetime) -> None:
    """Draw the ticket that a crash left undrawn. Idempotent. Nothing once the day is over: nobody stands in line."""
    agenda, _, _ = _agenda_of(app, name)
    loaded = _load(app, name)
    booking = loaded.day.find(_split(name)[1])
    if booking is None or booking.state is not State.CHECKED_IN or not booking.ticket:
        return
    if agenda.local_day(now) == loaded.day.day and not app.appointment_of(booking.ticket):
        _draw(app, name, now)


def _draw(app: App, name: str, now: datetime) -> ticket_pb2.IssuedTicket:
    booking = _load(app, name).day.find(_split(name)[1])
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
        appointment=name,
        expected=booking.end - booking.start,
    )
    command = _derived("AdmitAppointment", name, now)
    try:
        return app.admit(admission, command)
    except QuotaReached:
        # The booking counted when it was made. What else the person took today is no reason to send a booked citizen home.
        return app.admit(replace(admission, person_key=""), command)


def ticket_ended(app: App, ticket: str, state: int, command: Command) -> None:
    """How the visit of a booked citizen ended, from the ticket. Idempotent; other tickets are none of its business."""
    if not ticket.rsplit("/", 1)[1].startswith(TICKET_PREFIX):
        return
    T = ticket_pb2.Ticket
    name = app.appointment_of(ticket)
    if not name or state == T.STATE_MISSED:
        return  # it waits again
    agenda, day_name, booking_id = _agenda_of(app, name)

    def decide(day: AgendaDay) -> AgendaDay:
        booking = day.find(booking_id)
        if booking is None or booking.state is not State.CHECKED_IN:
            return day
        return day.change(_as_ticket(booking, state, command.at))

    _change(app, agenda, day_name, booking_id, command, decide, missing_is_fine=True)


def _as_ticket(booking: Booking, state: int, now: datetime) -> Booking:
    """The end of a booking by the state of its ticket; itself while that goes on."""
    T = ticket_pb2.Ticket
    if state == T.STATE_NO_SHOW:
        return booking.miss(now=now, actor=ACTOR, note="ticket")
    if state in (T.STATE_CANCELLED, T.STATE_CLOSED_AT_DAY_END):
        return booking.cancel(now=now, actor=ACTOR, reason="", cool=timedelta(0))
    return booking.fulfil(now=now, actor=ACTOR) if state in (T.STATE_FINISHED, T.STATE_TRANSFERRED) else booking


def get_appointment(app: App, request: pb.GetAppointmentRequest, call: Call) -> Appointment:
    """With its code for the citizen and the agency; with the address for the agency's officers, which is recorded.

    Raises NotFound, PermissionDenied.
    """
    loaded = _load(app, request.name)
    booking = _own(loaded.day, _split(request.name)[1], call)
    address = ""
    if call.role == "officer" and booking.personal.sealed_address:
        app.audit.record(call.actor, "read_appointment_address", request.name, call.now)
        address = app.cipher.open(booking.personal.sealed_address, messages.SEALED_ADDRESS)
    code = app.cipher.open(booking.sealed_code, messages.SEALED_CODE)
    link = _link(app, request.name, booking, call)
    return messages.appointment(loaded.day, booking, code=code, address=address, link=link)


def _link(app: App, name: str, booking: Booking, call: Call) -> str:
    """For the citizen, and for officers of the agency, which is recorded; for nobody else."""
    if call.role not in ("citizen", "officer") or not booking.sealed_link:
        return ""
    if call.role == "officer":
        app.audit.record(call.actor, "read_appointment_link", name, call.now)
    return app.cipher.open(booking.sealed_link, messages.SEALED_LINK)


def block_slots(app: App, request: pb.BlockSlotsRequest, call: Call) -> appointment_pb2.Agenda:
    """Take places out of booking. Raises InvalidField, WrongState, NotFound, FailedPrecondition."""
    if looks_personal(request.reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")
    agenda = app.agendas.find(request.parent.rsplit("/agendas/", 1)[0])
    call.require(agency=agenda.agency)
    start, end = moment("start", request.start), moment("end", request.end)
    if end <= start or agenda.local_day(start) != agenda.local_day(end - timedelta(microseconds=1)):
        raise InvalidField("end", "must be later than start, on the same local day")
    if agenda.local_day(start) != _date(request.parent):
        raise InvalidField("start", "is not of this day")
    block = Block(new_id(call.mutation), start, end, request.places, request.reason, call.actor, call.now)
    return _change_blocks(app, agenda, request.parent, call, lambda day: day.block(block))


def unblock_slots(app: App, request: pb.UnblockSlotsRequest, call: Call) -> appointment_pb2.Agenda:
    """Twice is once. Raises NotFound, FailedPrecondition."""
    day_name, block_id = request.name.rsplit("/blocks/", 1)
    agenda = app.agendas.find(day_name.rsplit("/agendas/", 1)[0])
    call.require(agency=agenda.agency)
    return _change_blocks(app, agenda, day_name, call, lambda day: day.unblock(block_id))


def _change_blocks(
    app: App, agenda: Agenda, name: str, call: Call, change: Callable[[AgendaDay], AgendaDay]
) -> appointment_pb2.Agenda:
    _date(name)

    def decide(day: AgendaDay) -> tuple[AgendaDay, appointment_pb2.Agenda, Sequence[Event]]:
        after = change(day)
        return after, messages.agenda(agenda, after, call.now), ()

    return app.days.change(agenda, name, call.mutation, appointment_pb2.Agenda, decide)


def sweep(app: App, now: datetime) -> int:
    """Do what is due by `now`: holds that ran out, reminders, no-shows. How many days were changed. Safe to run twice.

    One write a day that has something due, whatever happened on all the others.
    """
    changed = 0
    for _ in range(SWEEP_BATCHES):
        batch = app.days.due(now, SWEEP_BATCH)
        done = sum(_tick(app, loaded, now) for loaded in batch)
        changed += done
        if done < len(batch) or len(batch) < SWEEP_BATCH:
            break
    return changed


def _tick(app: App, loaded: Loaded, now: datetime) -> bool:
    agenda = app.agendas.known(loaded.parent, loaded.day.agency)
    heard = _by_tickets(app, agenda, loaded.day, now)
    after = heard.tick(agenda, now=now, actor=ACTOR)
    command = Command(f"{loaded.day.name}@{loaded.stored.version}", "SweepAgenda", loaded.day.name, ACTOR, now)
    try:
        app.days.save(agenda, loaded, after, command, Empty(), messages.events(after, now, agenda.place))
    except Stale:
        return False  # somebody changed it; the next sweep looks again
    metrics.count(agenda, after)
    return True


def _by_tickets(app: App, agenda: Agenda, day: AgendaDay, now: datetime) -> AgendaDay:
    """Bookings whose ticket ended without its event being heard in time end as the ticket did."""
    for booking in day.bookings:
        due = booking.due_at(agenda)
        if booking.state is State.CHECKED_IN and booking.ticket and due is not None and due <= now:
            day = day.change(_as_ticket(booking, app.state_of(booking.ticket), now))
    return day


# -- steps that the commands share


def _change(
    app: App,
    agenda: Agenda,
    day_name: str,
    booking_id: str,
    command: Command,
    decide: Callable[[AgendaDay], AgendaDay],
    *,
    missing_is_fine: bool = False,
) -> Appointment:
    """One compare-and-set; the reply is the booking as it then is."""
    decided: list[AgendaDay] = []  # empty when the command was repeated
    _date(day_name)

    def decision(before: AgendaDay) -> tuple[AgendaDay, Appointment, Sequence[Event]]:
        after = decide(before)
        decided.append(after)
        booking = after.find(booking_id)
        if booking is None and not missing_is_fine:
            raise NotFound(f"there is no {day_name}/appointments/{booking_id}", field="name")
        reply = messages.appointment(after, booking) if booking else Appointment()
        return after, reply, messages.events(after, command.at, agenda.place)

    reply = app.days.change(agenda, day_name, command, Appointment, decision)
    for day in decided[-1:]:
        metrics.count(agenda, day)
    return reply


def _own(day: AgendaDay, booking_id: str, call: Call) -> Booking:
    booking = day.find(booking_id)
    if booking is None:
        raise NotFound(f"there is no {messages.name_of(day, booking_id)}", field="name")
    call.require(agency=day.agency, owners=booking.owners)
    return booking


def _load(app: App, name: str) -> Loaded:
    loaded = app.days.load(_split(name)[0])
    if loaded is None or loaded.day.find(_split(name)[1]) is None:
        raise NotFound(f"there is no {name}", field="name")
    return loaded


def _agenda_of(app: App, name: str) -> tuple[Agenda, str, str]:
    """What an appointment belongs to, its day's document, its id. What cannot be booked any more is known all the same."""
    day_name, booking_id = _split(name)
    parent = day_name.rsplit("/agendas/", 1)[0]
    try:
        return app.agendas.find(parent), day_name, booking_id
    except (NotFound, FailedPrecondition):
        loaded = _load(app, name)
        return app.agendas.known(parent, loaded.day.agency), day_name, booking_id


def _split(name: str) -> tuple[str, str]:
    day, booking_id = name.rsplit("/appointments/", 1)
    return day, booking_id


def _day_name(agenda: Agenda, start: datetime) -> str:
    return f"{agenda.parent}/agendas/{agenda.local_day(start).isoformat()}"


def _date(day_name: str) -> date:
    try:
        return date.fromisoformat(day_name.rsplit("/", 1)[1])
    except ValueError as e:
        raise NotFound(f"there is no day {day_name.rsplit('/', 1)[1]}") from e


def moment(field: str, stamp: Any) -> datetime:
    """Raises InvalidField for what is no instant that a calendar knows, or so far off that no zone has it."""
    try:
        at: datetime = stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as e:
        raise InvalidField(field, "is no instant") from e
    if not 2000 <= at.year <= 2199:
        raise InvalidField(field, "is too far off")
    return at


def _offering(agenda: Agenda, offering: str) -> str:
    if offering and not offering.startswith(f"sites/{agenda.site_id}/"):
        raise InvalidField("offering", f"{offering} is not of site {agenda.site_id}")
    return offering


def _person(app: App, nik: str, email: str, call: Call) -> Personal:
    """Of the caller when the token proves a NIK. Raises InvalidField."""
    if nik:
        check_nik(nik)
    if call.role == "citizen" and call.caller.nik:
        if nik and nik != call.caller.nik:
            raise InvalidField("nik", "is not the caller's own")
        nik = call.caller.nik
    known = Personal(
        person_key=app.index.of(nik, "nik"),
        masked_nik=mask_nik(nik) if nik else "",
        sealed_nik=app.cipher.seal(nik, messages.SEALED_NIK),
    )
    return _by_email(app, known, email)


def _by_email(app: App, person: Personal, email: str) -> Personal:
    """With the address, when one is given."""
    if not email:
        return person
    return replace(
        person,
        masked_email=messages.mask_email(email),
        sealed_email=app.cipher.seal(email, messages.SEALED_EMAIL),
        email_key=app.index.of(normal_email(email), "email"),
    )


def normal_email(email: str) -> str:
    """What two spellings of one mailbox have in common: lower case, without a `+tag`. Only for comparing: some provider
    may tell them apart (RFC 5321, section 2.4, leaves that to the host), and then they count as one.
    """
    box, _, host = email.lower().partition("@")
    return f"{box.partition('+')[0] or box}@{host}"


def _owners(person: Personal, call: Call) -> tuple[str, ...]:
    """The citizen who books; of what a kiosk or an officer books, whoever proves the NIK later."""
    if call.role == "citizen":
        return tuple(sorted(call.caller.owner_keys))
    return (f"nik:{person.person_key}",) if person.person_key else ()


def _reachable(app: App, person: Personal, request: pb.ConfirmAppointmentRequest) -> Personal:
    phone = request.phone
    told = replace(
        person,
        masked_phone=mask_phone(phone),
        sealed_phone=app.cipher.seal(phone, messages.SEALED_PHONE),
        phone_key=app.index.of(phone, "phone"),
        sealed_address=app.cipher.seal(request.address.strip(), messages.SEALED_ADDRESS),
    )
    return _by_email(app, told, request.email)


def new_code(rng: random.Random) -> str:
    """`K7MP-2QXH`: what a citizen types at a kiosk. 31^8 codes: guessing one of a day's thousand takes 10^8 tries."""
    letters = "".join(rng.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def new_link_code(rng: random.Random) -> str:
    """128 bits as 32 hex digits: whoever has the link gets in, so nobody may guess it."""
    return f"{rng.getrandbits(128):032x}"


def _code_key(app: App, site_id: str, code: str) -> str:
    typed = "".join(c for c in code.upper() if c.isalnum())
    return app.index.of(f"{site_id}:{typed}", "booking_code")


def _with_code(app: App, reply: Appointment, call: Call) -> Appointment:
    """Code and link are in no stored reply: they are read from where they are sealed."""
    day_name, booking_id = _split(reply.name)
    loaded = app.days.load(day_name)
    booking = loaded.day.find(booking_id) if loaded else None
    shown = Appointment()
    shown.CopyFrom(reply)
    if booking is not None:
        shown.booking_code = app.cipher.open(booking.sealed_code, messages.SEALED_CODE)
        shown.video_link = _link(app, reply.name, booking, call)
    return shown


def _name_to_check_in(app: App, request: pb.CheckInRequest) -> str:
    if bool(request.booking_code) == bool(request.name):
        raise InvalidField("booking_code", "give either the booking code or the name")
    if request.name:
        return request.name
    site_id = request.parent.split("/")[1]
    found = app.days.by_code(site_id, _code_key(app, site_id, request.booking_code))
    if len(found) != 1:
        raise NotFound("no appointment has this code", reason="BOOKING_CODE_UNKNOWN", field="booking_code")
    loaded, booking = found[0]
    return messages.name_of(loaded.day, booking.id)


def _derived(method: str, name: str, now: datetime) -> Command:
    """The same command whoever completes the work: a repetition finds what was done."""
    return Command(name, method, name, ACTOR, now)
