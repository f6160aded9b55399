"""What a screen says of a queue's doors: open or closed, why, until when, and when it is open today. Pure.

Knows the published hours and holidays (the house's, whether or not the queue refuses tickets outside them) and the words,
Indonesian first. Never knows a ticket.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mpp_queue.domain import QueueSpec, is_open, out_of_service
from mpp_queue.domain.spec import Text, clock, next_opening

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
    "Desember",
)  # fmt: skip
_MONTHS_EN = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
NOT_KNOWN = Text("Antrean ini belum tersedia.", "This queue is not available yet.")
NO_TEXT = Text()
GIVEN_UP = Text("Antrean ini sudah ditutup.", "This queue has been closed.")


@dataclass(frozen=True, slots=True)
class Doors:
    """`reason` is empty while they are open. `again`: when they open, in words; `text` ends with it."""

    reason: str = ""
    text: Text = NO_TEXT
    opens_at: datetime | None = None
    again: Text = NO_TEXT

    @property
    def open(self) -> bool:
        return not self.reason


OPEN = Doors()


def doors_of(spec: QueueSpec, now: datetime) -> Doors:
    """By the minute. Maintenance, draining and a day off (domain.out_of_service) go before the hours. The agency's own
    closing words come first, the next opening follows them. A break is a time between two open times of one day.
    """
    local = now.astimezone(ZoneInfo(spec.zone))
    if decided := out_of_service(spec, now):
        again = _again(decided.opens_at, local) if decided.opens_at else NO_TEXT
        return Doors(decided.reason, plus(decided.text, again), decided.opens_at, again)
    if is_open(spec, now):
        return OPEN
    opens = next_opening(spec, now)
    today = local.date().isoformat()
    again = _again(opens, local) if opens else NO_TEXT
    if today in spec.holidays:
        return Doors("HOLIDAY", _joined(spec, Text("Hari ini libur.", "Today is a holiday."), again), opens, again)
    earlier = any(h.weekday == local.isoweekday() and clock(h.closes) <= local.time() for h in spec.opening_hours)
    if earlier and opens is not None and opens.astimezone(local.tzinfo).date() == local.date():
        return Doors("BREAK", plus(Text("Sedang istirahat.", "We are on a break."), again), opens, again)
    return Doors("OUTSIDE_HOURS", _joined(spec, Text("Sedang tutup.", "We are closed now."), again), opens, again)


def hours_today(spec: QueueSpec, now: datetime) -> Text:
    """`Buka hari ini 08.00-11.30 dan 13.00-15.00`; empty where no hours are published."""
    if not spec.opening_hours:
        return Text()
    local = now.astimezone(ZoneInfo(spec.zone))
    today = sorted((h.opens, h.closes) for h in spec.opening_hours if h.weekday == local.isoweekday())
    if not today or local.date().isoformat() in spec.days_off:
        return Text("Hari ini tutup", "Closed today")
    dotted = [f"{opens.replace(':', '.')}-{closes.replace(':', '.')}" for opens, closes in today]
    plain = [f"{opens}-{closes}" for opens, closes in today]
    return Text(f"Buka hari ini {' dan '.join(dotted)}", f"Open today {' and '.join(plain)}")


def _joined(spec: QueueSpec, usual: Text, again: Text) -> Text:
    own = spec.closed_text
    return plus(Text(own.id, own.en or usual.en) if own.id else usual, again)


def plus(first: Text, then: Text) -> Text:
    """One sentence after the other."""
    return Text(f"{first.id} {then.id}".strip(), f"{first.en} {then.en}".strip())


def _again(opens: datetime, local: datetime) -> Text:
    at = opens.astimezone(local.tzinfo)
    time, time_en = f"{at:%H.%M}", f"{at:%H:%M}"
    if at.date() == local.date():
        return Text(f"Buka lagi pukul {time}.", f"Open again at {time_en}.")
    if at.date() == local.date() + timedelta(days=1):
        return Text(f"Buka lagi besok pukul {time}.", f"Open again tomorrow at {time_en}.")
    day, month = at.isoweekday() - 1, at.month - 1
    return Text(
        f"Buka lagi {_DAYS[day]}, {at.day} {_MONTHS[month]} pukul {time}.",
        f"Open again on {_DAYS_EN[day]}, {at.day} {_MONTHS_EN[month]} at {time_en}.",
    )
