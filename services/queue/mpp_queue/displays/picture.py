"""What a display shows at one moment, put together from its queues as they are now. Pure.

Knows which calls stand where; never knows where a queue's state comes from, nor how a frame travels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mpp_queue.displays.domain import CallState, Display, DisplayCall, latest
from mpp_queue.displays.doors import NO_TEXT, OPEN, Doors, plus
from mpp_queue.domain.doors import CLOSURE
from mpp_queue.domain.spec import Text

CLOSED = Text("Layanan sedang tutup.", "We are closed now.")


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue as screens show it; `calls` the newest first. Equal when nothing of it changed."""

    queue: str
    agency: str = ""
    prefix: str = ""
    waiting: int = 0
    wait_low: timedelta = timedelta(0)
    wait_high: timedelta = timedelta(0)
    calls: tuple[DisplayCall, ...] = ()
    doors: Doors = OPEN
    hours: Text = NO_TEXT

    @property
    def at_counters(self) -> tuple[DisplayCall, ...]:
        return tuple(c for c in self.calls if c.state is not CallState.PAST)


@dataclass(frozen=True, slots=True)
class Picture:
    """Equal when a screen would show the same."""

    queues: tuple[QueueNow, ...]
    last_calls: tuple[DisplayCall, ...]
    messages: tuple[Text, ...]
    closed: bool
    closed_text: Text
    hours: Text

    @property
    def calls(self) -> list[DisplayCall]:
        return [c for queue in self.queues for c in queue.calls]


def picture_of(display: Display, queues: Sequence[QueueNow], now: datetime) -> Picture:
    """Closed: no queue is open and nobody is at a counter, so that who waits inside is still called after hours."""
    closed = not any(q.doors.open or q.at_counters for q in queues)
    return Picture(
        queues=tuple(_shown(display, q) for q in queues),
        last_calls=tuple(latest((c for q in queues for c in q.calls), display.last_calls)),
        messages=tuple(m.text for m in display.messages if m.runs(now)),
        closed=closed,
        closed_text=_closed_text(display, queues) if closed else NO_TEXT,
        hours=_hours(queues),
    )


def _shown(display: Display, q: QueueNow) -> QueueNow:
    """Without what the display does not show: then a change of it is no change."""
    if not display.show_waiting:
        q = replace(q, waiting=0)
    return q if display.show_wait else replace(q, wait_low=timedelta(0), wait_high=timedelta(0))


def _closed_text(display: Display, queues: Sequence[QueueNow]) -> Text:
    """The display's own words; else those that all its queues say; else a plain sentence and when the first one opens."""
    if display.closed_text.id:
        return display.closed_text
    if len(said := {q.doors.text for q in queues}) == 1:
        return said.pop()
    opening = sorted((q for q in queues if q.doors.opens_at), key=lambda q: (q.doors.opens_at, q.queue))
    return plus(CLOSED, opening[0].doors.again) if opening else CLOSED


def _hours(queues: Sequence[QueueNow]) -> Text:
    """They are the site's, so each queue tells the same, but one whose agency has a day off of its own: its "closed today"
    holds for the hall only when it does for all.
    """
    said = sorted((q for q in queues if q.hours.id), key=lambda q: q.doors.reason == CLOSURE)
    return said[0].hours if said else NO_TEXT
