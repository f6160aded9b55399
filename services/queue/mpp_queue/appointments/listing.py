"""What is free, what is booked, what no longer fits. Reads only; never changes a booking.

Listing slots reads no person: it goes by what the days' documents keep of capacity alone.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from mpp.queue.v1 import appointment_pb2, appointments_service_pb2
from mpp_chassis.call import Call
from mpp_chassis.errors import InvalidField

from mpp_queue.appointments import messages
from mpp_queue.appointments.app import App
from mpp_queue.appointments.codes import CODE_ROLES, link_of
from mpp_queue.appointments.domain.agenda_day import AgendaDay, free_in, taken_in, window
from mpp_queue.appointments.domain.booking import GIVEN_BACK, Booking
from mpp_queue.appointments.domain.calendar import Agenda, Slot
from mpp_queue.appointments.domain.conflicts import SEARCH_DAYS, Conflict, conflicts_of, nearest_days, propose
from mpp_queue.appointments.steps import day_of, load, own, split
from mpp_queue.appointments.store import Occupancy
from mpp_queue.messages import group_of

pb = appointments_service_pb2
DAYS, PAGE, CONFLICTS = 7, 100, 50  # when the caller does not say
MOST_OWN = 100
LATEST = 181  # days from today that may hold a booking: the contract's most
_KEY = re.compile(r"[0-9T:+.-]{1,40}\|[a-z0-9-]{1,40}")


def list_slots(app: App, request: pb.ListSlotsRequest, call: Call) -> pb.ListSlotsResponse:
    """Slots of the asked days that the public may book now, each with its free places. Raises as Agendas.find."""
    agenda = app.agendas.find(request.parent)
    days = bookable_days(agenda, request.from_day, request.days, call.now)
    if request.area:
        days = [day for day in days if agenda.serves(request.area, day)]
    first_last = window(agenda, call.now)
    reply = pb.ListSlotsResponse(
        first_day=first_last["first_day"],
        last_day=first_last["last_day"],
        slot_minutes=int(agenda.slot.total_seconds() // 60),
        max_slots=agenda.max_slots,
        variants=messages.variants(agenda.variants),
    )
    group = group_of(request.priority_group).value
    reply.slots.extend(slots_of_days(app, agenda, days, request.slots, group, call.now))
    return reply


def slots_of_days(
    app: App, agenda: Agenda, days: Sequence[date], count: int, group: str, now: datetime
) -> Iterator[appointment_pb2.Slot]:
    """`count`: slots in a row, 0 for one; `group`: of priority, or ""."""
    known = app.days.occupancy(agenda.site_id, agenda.parent, days[0], days[-1]) if days else {}
    in_a_row, priority = min(count or 1, agenda.max_slots), group in agenda.kept.groups
    for day in days:
        yield from _slots(agenda, day, known.get(day, Occupancy()), in_a_row, priority, now)


def bookable_days(agenda: Agenda, from_day: str, count: int, now: datetime) -> list[date]:
    """Of `count` days (0: seven) from `from_day` (empty: today) those that the public may book now."""
    first = _day(from_day) if from_day else agenda.local_day(now)
    days = (first + timedelta(days=n) for n in range(count or DAYS))
    return [day for day in days if agenda.bookable(day, now, internal=False)]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as e:
        raise InvalidField("from_day", "is no day of the calendar") from e


def _slots(
    agenda: Agenda, day: date, known: Occupancy, count: int, priority: bool, now: datetime
) -> Iterator[appointment_pb2.Slot]:
    slots, ahead = agenda.slots_of(day), agenda.days_ahead(day, now)
    free = []
    for slot in slots:
        taken = taken_in(slot, known.occupied, known.blocks, agenda, now)
        free.append(free_in(agenda, taken, internal=False, priority=priority, days_ahead=ahead))
    for n, slot in enumerate(slots):
        if slot.start > now:
            yield messages.slot(agenda, slot, _free_run(slots, free, n, count))


def _free_run(slots: Sequence[Slot], free: Sequence[int], first: int, count: int) -> int:
    """Of `count` slots in a row from `first`; 0 where a break or the end of the day comes."""
    last = first + count
    if last > len(slots) or any(slots[n].end != slots[n + 1].start for n in range(first, last - 1)):
        return 0
    return min(free[first:last])


def get_appointment(app: App, request: pb.GetAppointmentRequest, call: Call) -> appointment_pb2.Appointment:
    """With its code for the citizen and the agency; with the address for the agency's officers, which is recorded.

    Raises NotFound, PermissionDenied.
    """
    loaded = load(app, request.name)
    booking = own(loaded.day, split(request.name)[1], call)
    address = ""
    if call.role == "officer" and booking.personal.sealed_address:
        app.audit.record(call.actor, "read_appointment_address", request.name, call.now)
        address = app.cipher.open(booking.personal.sealed_address, messages.SEALED_ADDRESS)
    code = app.cipher.open(booking.sealed_code, messages.SEALED_CODE) if call.role in CODE_ROLES else ""
    link = link_of(app, request.name, booking, call)
    return messages.appointment(loaded.day, booking, code=code, address=address, link=link)


def list_appointments(app: App, request: pb.ListAppointmentsRequest, call: Call) -> pb.ListAppointmentsResponse:
    """A day for those who serve it, by time. Raises InvalidField for a strange token."""
    parent = request.parent.rsplit("/agendas/", 1)[0]
    loaded = app.days.load(request.parent)
    agenda = app.agendas.known(parent, loaded.day.agency) if loaded else app.agendas.find(parent)
    call.require(agency=agenda.agency)
    day = replace(loaded.day if loaded else AgendaDay(request.parent, "", day_of(request.parent)), agency=agenda.agency)
    after, limit = _after(request.page_token), request.page_size or PAGE
    rows = sorted((b for b in day.bookings if request.show_ended or b.state not in GIVEN_BACK), key=_key)
    rest = [b for b in rows if _key(b) > after]
    shown = rest[:limit]
    return pb.ListAppointmentsResponse(
        appointments=[messages.appointment(day, b) for b in shown],
        next_page_token=_token(_key(shown[-1])) if len(rest) > limit else "",
        agenda=messages.agenda(agenda, day, call.now),
    )


def list_my_appointments(app: App, request: pb.ListMyAppointmentsRequest, call: Call) -> pb.ListMyAppointmentsResponse:
    """The caller's own, from yesterday on in any zone, so that nothing of today is left out."""
    mine = call.caller.owner_keys
    site_id = request.parent.removeprefix("sites/")
    days = app.days.of_owner(site_id, mine, (call.now - timedelta(days=1)).date(), MOST_OWN)
    rows = [(d, b) for d in days for b in d.bookings if mine & set(b.owners)]
    rows.sort(key=lambda row: _key(row[1]))
    return pb.ListMyAppointmentsResponse(appointments=messages.appointments(rows[:MOST_OWN]))


def list_conflicts(app: App, request: pb.ListConflictsRequest, call: Call) -> pb.ListConflictsResponse:
    """What no longer fits from today on, by day and time; where the catalogue took everything back, all of it."""
    site_id, today = request.parent.split("/")[1], (call.now - timedelta(days=1)).date()
    days = app.days.days(site_id, request.parent, today, today + timedelta(days=LATEST + SEARCH_DAYS))
    agenda = app.agendas.known(request.parent, days[0].agency) if days else app.agendas.find(request.parent)
    call.require(agency=agenda.agency)
    days = [replace(day, agency=agenda.agency) for day in days]
    by_date = {d.day: d for d in days}
    found = sorted(((d, *c) for d in days for c in conflicts_of(agenda, d, call.now)), key=lambda row: _key(row[1]))
    after, limit = _after(request.page_token), request.page_size or CONFLICTS
    rest = [row for row in found if _key(row[1]) > after]
    shown = [
        Conflict(booking, day, reason, _proposed(agenda, booking, by_date, call.now))
        for day, booking, reason in rest[:limit]
    ]
    return pb.ListConflictsResponse(
        conflicts=[messages.conflict(agenda, c) for c in shown],
        next_page_token=_token(_key(shown[-1].booking)) if len(rest) > limit else "",
    )


def _proposed(agenda: Agenda, booking: Booking, days: dict[date, AgendaDay], now: datetime) -> tuple[Slot, ...]:
    today = agenda.local_day(now)
    last = today + timedelta(days=agenda.last_day)
    return propose(agenda, booking, days, nearest_days(agenda.local_day(booking.start), today, last), now)


def _key(booking: Booking) -> str:
    return f"{booking.start.isoformat()}|{booking.id}"


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _after(token: str) -> str:
    if not token:
        return ""
    try:
        key = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not _KEY.fullmatch(key):
        raise InvalidField("page_token", "is not a token of this listing; start again without one")
    return key
