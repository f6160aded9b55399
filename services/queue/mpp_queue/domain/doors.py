"""Whether a queue gives numbers now, and what citizens are told when it does not. Pure; never knows a ticket.

In the order in which they are told: maintenance of the whole site, a queue that is being emptied (drained), a day off of the
agency alone, and, where hours are enforced, a holiday or the hours themselves. What is under way goes on in each of them:
who has a ticket is called and served, who has booked checks in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from mpp_queue.domain.errors import QueueNotOpen, UnderMaintenance
from mpp_queue.domain.spec import NO_TEXT, Maintenance, QueueSpec, Text, is_open, next_opening

MAINTENANCE, DRAINING, CLOSURE, HOLIDAY, OUTSIDE_HOURS = (
    "MAINTENANCE",
    "DRAINING",
    "CLOSURE",
    "HOLIDAY",
    "OUTSIDE_HOURS",
)
NOBODY_NEW = Text("Antrean ini tidak menerima pengunjung baru.", "This queue takes nobody new.")
DAY_OFF = Text("Layanan ini libur hari ini.", "This service is closed today.")


@dataclass(frozen=True, slots=True)
class Shut:
    """Why nobody gets a number. `text` is empty where nothing but the hours says so; `opens_at` None: not known."""

    reason: str
    text: Text = NO_TEXT
    opens_at: datetime | None = None


def out_of_service(spec: QueueSpec, now: datetime) -> Shut | None:
    """What somebody decided apart from the hours: maintenance, draining, a day off. This is what a screen asks."""
    window = under_maintenance(spec.maintenance, now)
    if window is not None:
        return Shut(MAINTENANCE, window.text, _opens_after(spec, window))
    if spec.draining:
        return Shut(DRAINING, _first(spec.draining_text, spec.closed_text, NOBODY_NEW))
    today = now.astimezone(ZoneInfo(spec.zone)).date().isoformat()
    for closure in spec.closures:
        if closure.date == today:
            return Shut(CLOSURE, _first(closure.text, spec.closed_text, DAY_OFF), next_opening(spec, now))
    return None


def shut(spec: QueueSpec, now: datetime) -> Shut | None:
    """Why TakeTicket gives no number now, None when it does as far as data and hours say."""
    found = out_of_service(spec, now)
    if found is not None or not spec.hours_enforced or is_open(spec, now):
        return found
    holiday = now.astimezone(ZoneInfo(spec.zone)).date().isoformat() in spec.holidays
    return Shut(HOLIDAY if holiday else OUTSIDE_HOURS, spec.closed_text, next_opening(spec, now))


def refuse_shut(spec: QueueSpec, now: datetime) -> None:
    """Raises UnderMaintenance or QueueNotOpen (metadata `cause`, `opens_at`)."""
    found = shut(spec, now)
    if found is None:
        return
    if found.reason == MAINTENANCE:
        refuse_in_maintenance(spec.maintenance, now)
    opens = {"opens_at": found.opens_at.isoformat()} if found.opens_at else {}
    said = {"text_id": found.text.id, "text_en": found.text.en} if found.reason in (DRAINING, CLOSURE) else {}
    raise QueueNotOpen(f"{spec.name} is not open now", metadata={"cause": found.reason, **opens, **said})


def refuse_drained(spec: QueueSpec, field: str) -> None:
    """For who would come from elsewhere: another queue's ticket, a new booking. Raises QueueNotOpen."""
    if spec.draining:
        text = _first(spec.draining_text, spec.closed_text, NOBODY_NEW)
        said = {"cause": DRAINING, "text_id": text.id, "text_en": text.en}
        raise QueueNotOpen(f"{spec.name} takes nobody new", field=field, metadata=said)


def under_maintenance(windows: tuple[Maintenance, ...], now: datetime) -> Maintenance | None:
    """The window that holds `now`; of several the one that ends last."""
    return max((w for w in windows if w.starts <= now < w.ends), key=lambda w: w.ends, default=None)


def refuse_in_maintenance(windows: tuple[Maintenance, ...], now: datetime) -> None:
    """Raises UnderMaintenance, with the words for citizens and when it ends."""
    window = under_maintenance(windows, now)
    if window is not None:
        ends, text = window.ends.isoformat(), window.text
        said = {"ends_at": ends, "text_id": text.id, "text_en": text.en}
        raise UnderMaintenance(f"under maintenance until {ends}: {text.id}", metadata=said)


def _opens_after(spec: QueueSpec, window: Maintenance) -> datetime | None:
    """The end of the maintenance, or the first opening after it."""
    later = shut(spec, window.ends)
    return later.opens_at if later else window.ends


def _first(*texts: Text) -> Text:
    return next(text for text in texts if text.id)
