"""What a button of a kiosk says now. Knows when a queue gives tickets; never takes one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from mpp_chassis.errors import FailedPrecondition, NotFound

from mpp_queue.domain import QueueSpec, shut
from mpp_queue.domain.spec import NO_TEXT, Text
from mpp_queue.kiosks.domain import Duty
from mpp_queue.kiosks.views import Button, KioskSpec
from mpp_queue.views import Queues, QueueViews

NOT_AT_WORK = Text(
    "Kios ini sedang tidak digunakan. Silakan ke meja informasi.", "This kiosk is not in use. Please ask at the desk."
)
PAUSED = Text(
    "Layanan ini dijeda sebentar. Silakan ke meja informasi.", "This service is paused. Please ask at the desk."
)
CLOSED = Text("Layanan ini sedang tutup.", "This service is closed now.")
EXHAUSTED = Text("Nomor antrean hari ini sudah habis.", "All numbers of today are given out.")


class ButtonState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    EXHAUSTED = "exhausted"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Seen:
    """`text` is for the citizen, empty while the button is open."""

    state: ButtonState
    text: Text = NO_TEXT
    waiting: int = 0
    wait_low: timedelta = timedelta(0)
    wait_high: timedelta = timedelta(0)


def look(queues: Queues, views: QueueViews, kiosk: KioskSpec, duty: Duty, button: Button, now: datetime) -> Seen:
    """A manager's word goes before the clock, the clock before the contingent. Raises the store's errors."""
    if not duty.works(required=kiosk.activation_required):
        return Seen(ButtonState.PAUSED, NOT_AT_WORK)
    try:
        spec = queues.find(button.queue)
    except (NotFound, FailedPrecondition):
        return Seen(ButtonState.CLOSED, CLOSED)
    today = now.astimezone(ZoneInfo(spec.zone)).date().isoformat()
    if off := kiosk.day_off(today):
        return Seen(ButtonState.CLOSED, off)
    snapshot = views.of(spec, today)
    wait = snapshot.range_of(snapshot.waiting)
    state, text = state_of(spec, duty, button.id, last_seq=snapshot.last_seq, now=now)
    return Seen(state, text, snapshot.waiting, wait.low, wait.high)


def state_of(spec: QueueSpec, duty: Duty, button_id: str, *, last_seq: int, now: datetime) -> tuple[ButtonState, Text]:
    """`last_seq`: numbers of the day so far; those of offline blocks are none of them. Where there are bookings they may be
    many of these, and do not count: only TakeTicket can tell.
    """
    own = spec.closed_text if spec.closed_text.id else None
    if button_id in duty.paused:
        said = Text(duty.paused[button_id]) if duty.paused[button_id] else None
        return ButtonState.PAUSED, said or own or PAUSED
    if closed := shut(spec, now):
        return ButtonState.CLOSED, closed.text if closed.text.id else CLOSED
    if spec.daily_contingent and spec.appointments is None and last_seq >= spec.daily_contingent:
        return ButtonState.EXHAUSTED, EXHAUSTED
    return ButtonState.OPEN, NO_TEXT
