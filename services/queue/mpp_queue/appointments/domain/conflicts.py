"""Bookings that no longer fit after hours, holidays or places changed, and times that could take their place.

Knows agendas and days; decides nothing and changes nothing: people look at the list and reschedule. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from mpp_queue.appointments.domain.agenda_day import AgendaDay, most_at_once, taken_in
from mpp_queue.appointments.domain.booking import Booking, State
from mpp_queue.appointments.domain.calendar import Agenda, Slot

SEARCH_DAYS = 31
PROPOSALS = 3


class Reason(StrEnum):
    CLOSED_DAY = "closed_day"
    OUTSIDE_HOURS = "outside_hours"
    OVER_CAPACITY = "over_capacity"
    BLOCKED = "blocked"
    AREA_NOT_SERVED = "area_not_served"


@dataclass(frozen=True, slots=True)
class Conflict:
    booking: Booking
    day: AgendaDay
    reason: Reason
    proposed: tuple[Slot, ...] = ()


def conflicts_of(agenda: Agenda, day: AgendaDay, now: datetime) -> Iterator[tuple[Booking, Reason]]:
    """Of bookings that are still to come. Of too many in a slot, the ones made last are in conflict."""
    coming = [b for b in day.bookings if b.state in (State.HELD, State.CONFIRMED) and b.is_real(now) and b.end > now]
    slots = agenda.slots_of(day.day)
    for booking in sorted(coming, key=lambda b: (b.made_at, b.id)):
        if reason := _reason(agenda, day, booking, slots, now):
            yield booking, reason


def _reason(agenda: Agenda, day: AgendaDay, booking: Booking, slots: tuple[Slot, ...], now: datetime) -> Reason | None:
    if not slots:
        return Reason.CLOSED_DAY
    if not _within(slots, booking):
        return Reason.OUTSIDE_HOURS
    if not booking.remote and not agenda.serves(booking.area, day.day):
        return Reason.AREA_NOT_SERVED
    for slot in slots:
        if booking.overlaps(slot.start, slot.end) and (reason := _too_many(agenda, day, booking, slot, now)):
            return reason
    return None


def _within(slots: tuple[Slot, ...], booking: Booking) -> bool:
    """Whether open time covers the booking without a break. The grid itself may have shifted: that is no harm."""
    reached = booking.start
    for slot in slots:
        if slot.start <= reached < slot.end:
            reached = slot.end
    return reached >= booking.end


def _too_many(agenda: Agenda, day: AgendaDay, booking: Booking, slot: Slot, now: datetime) -> Reason | None:
    """Of the part of the booking that lies in `slot`, with the time to make its place ready for the next."""
    start, end = max(slot.start, booking.start), min(slot.end, booking.end) + agenda.setup
    there = [b for b in day.bookings if b.is_real(now) and b.start < end and start < b.end + agenda.setup]
    earlier = most_at_once([b for b in there if _before(b, booking)], agenda.setup)
    blocked = taken_in(slot, (), day.blocks, agenda, now).blocked
    if earlier >= agenda.places:
        return Reason.OVER_CAPACITY
    return Reason.BLOCKED if earlier >= agenda.places - blocked else None


def _before(one: Booking, other: Booking) -> bool:
    return (one.made_at, one.id) < (other.made_at, other.id)


def propose(
    agenda: Agenda, booking: Booking, days: Mapping[date, AgendaDay], candidates: Iterable[date], now: datetime
) -> tuple[Slot, ...]:
    """Up to three times with enough free places for officers to give, the nearest to the old time first.

    `candidates`: days to look at, nearest first; a day that is not in `days` has no booking yet. A proposal is not held.
    """
    found: list[Slot] = []
    wanted = _minutes(agenda, booking.start)
    for date_ in candidates:
        day = days.get(date_) or AgendaDay("", agenda.agency, date_)
        for slot in sorted(agenda.slots_of(date_), key=lambda s: abs(_minutes(agenda, s.start) - wanted)):
            if len(found) < PROPOSALS and _fits(agenda, day, booking, slot, now):
                found.append(Slot(slot.start, slot.start + (agenda.slot * booking.slots)))
        if len(found) >= PROPOSALS:
            break
    return tuple(found)


def _minutes(agenda: Agenda, at: datetime) -> int:
    """Of the local day: where the zone's morning lies in two days of UTC, that of UTC would be a day off."""
    local = at.astimezone(ZoneInfo(agenda.zone))
    return local.hour * 60 + local.minute


def _fits(agenda: Agenda, day: AgendaDay, booking: Booking, slot: Slot, now: datetime) -> bool:
    if (
        slot.start <= now
        or not agenda.bookable(day.day, now, internal=True)
        or not (booking.remote or agenda.serves(booking.area, day.day))
    ):
        return False
    slots = {s.start: s for s in agenda.slots_of(day.day)}
    for n in range(booking.slots):
        part = slots.get(slot.start + n * agenda.slot)
        if part is None or not day.free(agenda, part, now, internal=True, priority=True):
            return False
    return True


def nearest_days(around: date, today: date, last: date) -> list[date]:
    """Days from `today` to `last` that are at most a month from `around`, the nearest first, later before earlier."""
    ordinals = range(max(today.toordinal(), around.toordinal() - SEARCH_DAYS), last.toordinal() + 1)
    near = [n for n in ordinals if abs(n - around.toordinal()) <= SEARCH_DAYS]
    near.sort(key=lambda n: (abs(n - around.toordinal()), n < around.toordinal()))
    return [date.fromordinal(n) for n in near]
