"""When a kiosk must print nothing, told ahead: one that is cut off stops by itself when TakeTicket would refuse. Pure.

Knows a queue's doors and a kiosk's days off; never a ticket. What nobody announced, a kiosk that is cut off cannot know: it
prints, and its paper counts (see `printed_while`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from mpp_queue.domain import QueueSpec, shut
from mpp_queue.domain.doors import CLOSURE
from mpp_queue.domain.spec import Text, clock
from mpp_queue.kiosks.buttons import CLOSED, NOT_AT_WORK
from mpp_queue.kiosks.domain import Duty
from mpp_queue.kiosks.views import KioskSpec

KIOSK_INACTIVE = "KIOSK_INACTIVE"


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `starts` until before `ends` (aware UTC) nothing is printed; `text` is for the citizen, never empty."""

    starts: datetime
    ends: datetime
    reason: str
    text: Text


def quiet_times(
    spec: QueueSpec, kiosk: KioskSpec | None, duty: Duty, starts: datetime, ends: datetime
) -> tuple[Quiet, ...]:
    """All of them from `starts` until `ends`, in their order, none overlapping or touching one that says the same.

    Guaranteed: a moment is in one of them exactly when the doors, the kiosk's day off or its manager close it then, by what
    is known now. `kiosk` None: it is not in the catalogue any more; then the queue alone counts.
    """
    found: list[Quiet] = []
    for at, until in pairwise([starts, *sorted(_edges(spec, starts, ends)), ends] if starts < ends else []):
        told = _closed(spec, kiosk, duty, at)
        if told is None:
            continue
        reason, text = told
        if found and (found[-1].ends, found[-1].reason, found[-1].text) == (at, reason, text):
            found[-1] = replace(found[-1], ends=until)
        else:
            found.append(Quiet(at, until, reason, text))
    return tuple(found)


def printed_while(spec: QueueSpec, kiosk: KioskSpec | None, at: datetime) -> str:
    """Why nothing should have been printed at `at`, empty when it was right: MAINTENANCE, CLOSURE, HOLIDAY, OUTSIDE_HOURS.
    Not DRAINING nor a manager's word: nobody knows since when they hold.
    """
    told = _closed(replace(spec, draining=False), kiosk, Duty(active=True), at)
    return told[0] if told else ""


def _closed(spec: QueueSpec, kiosk: KioskSpec | None, duty: Duty, at: datetime) -> tuple[str, Text] | None:
    """In the order of the buttons: a manager's word, the kiosk's day off, the queue's doors."""
    if kiosk is not None and not duty.works(required=kiosk.activation_required):
        return KIOSK_INACTIVE, NOT_AT_WORK
    today = at.astimezone(ZoneInfo(spec.zone)).date().isoformat()
    if kiosk is not None and (off := kiosk.day_off(today)):
        return CLOSURE, off
    if found := shut(spec, at):
        return found.reason, found.text if found.text.id else CLOSED
    return None


def _edges(spec: QueueSpec, starts: datetime, ends: datetime) -> set[datetime]:
    """Each moment strictly between the two at which something can change."""
    return {edge for edge in _changes(spec, starts, ends) if starts < edge < ends}


def _changes(spec: QueueSpec, starts: datetime, ends: datetime) -> Iterator[datetime]:
    for window in spec.maintenance:
        yield from (window.starts, window.ends)
    zone = ZoneInfo(spec.zone)
    day, last = starts.astimezone(zone).date(), ends.astimezone(zone).date()
    walls = {time(0), *(clock(told) for hours in spec.opening_hours for told in (hours.opens, hours.closes))}
    while day <= last:
        yield from (datetime.combine(day, wall, zone).astimezone(UTC) for wall in walls)
        day += timedelta(days=1)
