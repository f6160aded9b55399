"""Bookings, slots and their events as the public contract shows them. Knows both shapes; decides nothing.

A person shows in replies only as masks; sealed texts and blind indexes leave only in events' personal fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf.message import Message
from mpp.queue.v1 import appointment_pb2 as pb
from mpp.queue.v1 import events_pb2, ticket_pb2
from mpp_chassis.events import Event

from mpp_queue.appointments.domain.agenda_day import AgendaDay, Block, free_in, occupied, taken_in
from mpp_queue.appointments.domain.booking import Booking, Change, State
from mpp_queue.appointments.domain.calendar import ON_SITE, PHONE, VIDEO, Agenda, Slot
from mpp_queue.appointments.domain.conflicts import Conflict, Reason
from mpp_queue.domain import Text

_STATES: dict[State, Any] = {state: pb.Appointment.State.Value(f"STATE_{state.name}") for state in State}
_REASONS: dict[Reason, Any] = {r: pb.AppointmentConflict.Reason.Value(f"REASON_{r.name}") for r in Reason}
_CAUSES: dict[State, Any] = {
    State.CANCELLED: events_pb2.AppointmentCancelled.CAUSE_CANCELLED,
    State.EXPIRED: events_pb2.AppointmentCancelled.CAUSE_HOLD_EXPIRED,
    State.RESCHEDULED: events_pb2.AppointmentCancelled.CAUSE_RESCHEDULED,
}
SEALED_PHONE, SEALED_NIK, SEALED_ADDRESS, SEALED_CODE = "phone", "nik", "address", "booking_code"
SEALED_EMAIL, SEALED_LINK = "email", "video_link"
_VARIANTS: dict[str, Any] = {
    ON_SITE: pb.APPOINTMENT_VARIANT_ON_SITE,
    PHONE: pb.APPOINTMENT_VARIANT_PHONE,
    VIDEO: pb.APPOINTMENT_VARIANT_VIDEO,
}


def name_of(day: AgendaDay, booking_id: str) -> str:
    return f"{day.name}/appointments/{booking_id}"


def variant_of(told: int) -> str:
    """Unspecified is on site."""
    return next((variant for variant, value in _VARIANTS.items() if value == told), ON_SITE)


def variants(told: Iterable[str]) -> list[Any]:
    """In the contract's order; what this version does not know is left out."""
    return sorted(_VARIANTS[one] for one in told if one in _VARIANTS)


def mask_email(email: str) -> str:
    """`b***@g***.com`: the first letters and the ending. Neither part's length is told."""
    box, _, host = email.partition("@")
    return f"{box[:1]}***@{host[:1]}***.{host.rpartition('.')[2]}" if host else ""


def appointment(day: AgendaDay, b: Booking, *, code: str = "", address: str = "", link: str = "") -> pb.Appointment:
    """The reply. `code`, `address` and `link` only for those who may see them."""
    reply = pb.Appointment(
        name=name_of(day, b.id),
        state=_STATES[b.state],
        slots=b.slots,
        agency=day.agency,
        offering=b.offering,
        priority_group=_group(b.group),
        internal=b.internal,
        booking_code=code,
        masked_nik=b.personal.masked_nik,
        masked_phone=b.personal.masked_phone,
        address=address,
        has_address=b.personal.sealed_address != "",
        area=b.area,
        ticket=b.ticket,
        late=b.late,
        replaces=b.replaces,
        replaced_by=b.replaced_by,
        reason=b.reason,
        variant=_VARIANTS.get(b.variant, 0),
        video_link=link,
        masked_email=b.personal.masked_email,
    )
    _stamp(reply.start, b.start)
    _stamp(reply.end, b.end)
    if b.state is State.HELD:
        _stamp(reply.hold_until, b.hold_until)
    if b.arrived_at:
        _stamp(reply.arrived_at, b.arrived_at)
    for line in b.history:
        _stamp(reply.history.add(state=_STATES[line.state], actor=_shown(line.actor), note=line.note).at, line.at)
    return reply


def _shown(actor: str) -> str:
    """Of a citizen the role alone: officers need not learn whose account it was."""
    return actor.split(":")[0] if actor.startswith("citizen:") else actor


def slot(agenda: Agenda, s: Slot, free: int) -> pb.Slot:
    local = s.start.astimezone(ZoneInfo(agenda.zone))
    reply = pb.Slot(day=local.date().isoformat(), time=f"{local:%H:%M}", free=free)
    _stamp(reply.start, s.start)
    _stamp(reply.end, s.end)
    return reply


def agenda(a: Agenda, day: AgendaDay, now: datetime) -> pb.Agenda:
    """How full the day is, for those who serve it."""
    reply = pb.Agenda(name=day.name)
    there, ahead = [occupied(b, a.kept.groups) for b in day.bookings], a.days_ahead(day.day, now)
    for s in a.slots_of(day.day):
        taken = taken_in(s, there, day.blocks, a, now)
        use = reply.slots.add(
            time=f"{s.start.astimezone(ZoneInfo(a.zone)):%H:%M}",
            places=a.places,
            taken=taken.all,
            blocked=taken.blocked,
            free=free_in(a, taken, internal=False, priority=True, days_ahead=ahead),
            free_internal=free_in(a, taken, internal=True, priority=True, days_ahead=ahead),
        )
        _stamp(use.start, s.start)
        _stamp(use.end, s.end)
    reply.blocks.extend(_block(day, b) for b in day.blocks)
    return reply


def _block(day: AgendaDay, b: Block) -> pb.SlotBlock:
    reply = pb.SlotBlock(name=f"{day.name}/blocks/{b.id}", places=b.places, reason=b.reason)
    _stamp(reply.start, b.start)
    _stamp(reply.end, b.end)
    return reply


def conflict(a: Agenda, c: Conflict) -> pb.AppointmentConflict:
    return pb.AppointmentConflict(
        appointment=appointment(c.day, c.booking),
        reason=_REASONS[c.reason],
        proposed=[slot(a, s, 1) for s in c.proposed],
    )


def events(day: AgendaDay, now: datetime, place: Text) -> list[Event]:
    """The day's new events, in the order in which they happened. Made before the day forgets a person. `place`: where
    people come to.
    """
    found = []
    for booking_id, change in day.events:
        booking = day.find(booking_id)
        assert booking is not None
        found.append(Event(_event(day, booking, change, now, place), name_of(day, booking_id)))
    return found


def _event(day: AgendaDay, b: Booking, change: Change, now: datetime, place: Text) -> Message:
    if change.reminder:
        message: Any = events_pb2.AppointmentDue(
            sealed_phone=b.personal.sealed_phone, sealed_booking_code=b.sealed_code
        )
    elif change.state in _CAUSES:
        message = _given_back(b, change.state)
    elif change.state is State.HELD:
        message = events_pb2.AppointmentHeld(
            slots=b.slots,
            internal=b.internal,
            person_key=b.personal.person_key,
            booker_key=b.owners[0] if b.owners else "",
        )
        _stamp(message.hold_until, b.hold_until)
    elif change.state is State.CONFIRMED:
        message = _confirmed(b)
    elif change.state is State.CHECKED_IN:
        message = events_pb2.AppointmentCheckedIn(late=b.late, ticket=b.ticket)
        _stamp(message.arrived_at, b.arrived_at or now)
    elif change.state is State.NO_SHOW:
        message = events_pb2.AppointmentNoShow(
            after_no_show=b.after_no_show,
            person_key=b.personal.person_key,
            sealed_phone=b.personal.sealed_phone,
        )
    else:
        message = events_pb2.AppointmentFulfilled()
    message.appointment, message.agency, message.offering = name_of(day, b.id), day.agency, b.offering
    _stamp(message.start, b.start)
    _stamp(message.end, b.end)
    message.variant = _VARIANTS.get(b.variant, 0)
    if not change.reminder:
        _stamp(message.at, now)
    _tell(message, b, place)
    return message  # type: ignore[no-any-return]


def _tell(message: Any, b: Booking, place: Text) -> None:
    """What a message to the citizen needs, where the event has it."""
    if "place" in message.DESCRIPTOR.fields_by_name and not b.remote:
        # A team comes to the citizen: the district is all that may be said of where.
        message.place, message.place_en = (b.area, b.area) if b.area else (place.id, place.en)
    if "sealed_email" in message.DESCRIPTOR.fields_by_name:
        message.sealed_email = b.personal.sealed_email
    if "sealed_link" in message.DESCRIPTOR.fields_by_name:
        message.sealed_link = b.sealed_link


def _confirmed(b: Booking) -> Any:
    kind = events_pb2.AppointmentRescheduled if b.replaces else events_pb2.AppointmentConfirmed
    message: Any = kind(
        slots=b.slots,
        internal=b.internal,
        person_key=b.personal.person_key,
        sealed_phone=b.personal.sealed_phone,
        sealed_booking_code=b.sealed_code,
    )
    if b.replaces:
        message.replaces = b.replaces
    else:
        message.phone_key = b.personal.phone_key
    return message


def _given_back(b: Booking, state: State) -> events_pb2.AppointmentCancelled:
    return events_pb2.AppointmentCancelled(
        slots=b.slots,
        cause=_CAUSES[state],
        reason=b.reason,
        person_key=b.personal.person_key,
        sealed_phone=b.personal.sealed_phone,
    )


def _group(group: str) -> Any:
    return ticket_pb2.PriorityGroup.Value(f"PRIORITY_GROUP_{group.upper()}" if group else "PRIORITY_GROUP_UNSPECIFIED")


def appointments(days: Sequence[tuple[AgendaDay, Booking]]) -> list[pb.Appointment]:
    return [appointment(day, booking) for day, booking in days]


def _stamp(field: Any, moment: datetime) -> None:
    field.FromDatetime(moment)
