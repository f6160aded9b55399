"""What every command of bookings does: from a name to its day, one compare-and-set, the reply. Knows names and the order of
steps; decides nothing about a booking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from mpp.queue.v1 import appointment_pb2
from mpp_chassis.call import Call, Command
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.events import Event

from mpp_queue.appointments import messages, metrics
from mpp_queue.appointments.app import App
from mpp_queue.appointments.domain.agenda_day import AgendaDay
from mpp_queue.appointments.domain.booking import Booking
from mpp_queue.appointments.domain.calendar import Agenda
from mpp_queue.appointments.store import Loaded
from mpp_queue.domain import InvalidField

Appointment = appointment_pb2.Appointment
ACTOR = "service:queue"


def change_booking(
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
    day_of(day_name)

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


def own(day: AgendaDay, booking_id: str, call: Call) -> Booking:
    booking = day.find(booking_id)
    if booking is None:
        raise NotFound(f"there is no {messages.name_of(day, booking_id)}", field="name")
    call.require(agency=day.agency, owners=booking.owners)
    return booking


def refuse_known(day: AgendaDay, booking_id: str) -> None:
    """Replies are kept for a day, bookings longer: who repeats a command after that does not get two of one name. Raises
    FailedPrecondition (REQUEST_ID_REUSED).
    """
    if day.find(booking_id) is not None:
        raise FailedPrecondition("this request_id was used before", reason="REQUEST_ID_REUSED", field="request_id")


def load(app: App, name: str) -> Loaded:
    """The day of an appointment, as of the agency that has the agenda now. Raises NotFound."""
    loaded = app.days.load(split(name)[0])
    if loaded is None or loaded.day.find(split(name)[1]) is None:
        raise NotFound(f"there is no {name}", field="name")
    agenda = app.agendas.known(loaded.parent, loaded.day.agency)
    return replace(loaded, day=replace(loaded.day, agency=agenda.agency))


def agenda_of(app: App, name: str) -> tuple[Agenda, str, str]:
    """What an appointment belongs to, its day's document, its id. What cannot be booked any more is known all the same."""
    day_name, booking_id = split(name)
    parent = day_name.rsplit("/agendas/", 1)[0]
    try:
        return app.agendas.find(parent), day_name, booking_id
    except (NotFound, FailedPrecondition):
        loaded = load(app, name)
        return app.agendas.known(parent, loaded.day.agency), day_name, booking_id


def split(name: str) -> tuple[str, str]:
    day, booking_id = name.rsplit("/appointments/", 1)
    return day, booking_id


def day_name_of(agenda: Agenda, start: datetime) -> str:
    return f"{agenda.parent}/agendas/{agenda.local_day(start).isoformat()}"


def day_of(day_name: str) -> date:
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


def derived(method: str, name: str, now: datetime) -> Command:
    """The same command whoever completes the work: a repetition finds what was done."""
    return Command(name, method, name, ACTOR, now)
