"""Displays and frames as the public contract shows them. Knows both shapes; decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from mpp.catalog.v1 import site_pb2
from mpp.queue.v1 import display_pb2, events_pb2
from mpp_chassis.events import Event

from mpp_queue.displays.domain import CallState, Display, DisplayCall, Message, Session
from mpp_queue.displays.picture import Picture, QueueNow
from mpp_queue.displays.speech import spoken
from mpp_queue.domain.spec import Text

_STATES: dict[CallState, Any] = {s: display_pb2.DisplayCall.State.Value(f"STATE_{s.name}") for s in CallState}


def display_of(told: display_pb2.Display) -> Display:
    """What decides, of the contract's form. The default language is Indonesian; none where it does not speak."""
    return Display(
        name=told.name,
        queues=tuple(told.queues),
        agencies=tuple(told.agencies),
        languages=(tuple(told.speech_languages) or ("id",)) if told.speech else (),
        show_waiting=told.show_waiting,
        show_wait=told.show_wait,
        last_calls=told.last_calls,
        messages=tuple(Message(_text(m.text), _moment(m, "starts_at"), _moment(m, "ends_at")) for m in told.messages),
        closed_text=_text(told.closed_text),
        texts=tuple(_texts(told)),
    )


def _texts(told: display_pb2.Display) -> Iterator[tuple[str, Text]]:
    """All words of a display, by field."""
    yield "title", _text(told.title)
    yield "closed_text", _text(told.closed_text)
    for name in told.labels.DESCRIPTOR.fields_by_name:
        yield f"labels.{name}", _text(getattr(told.labels, name))
    for n, message in enumerate(told.messages):
        yield f"messages[{n}].text", _text(message.text)
    for n, slide in enumerate(told.slides):
        yield f"slides[{n}].caption", _text(slide.caption)


def reply(told: display_pb2.Display, version: int) -> display_pb2.Display:
    """With its etag, which is no part of what is kept."""
    shown = display_pb2.Display()
    shown.CopyFrom(told)
    shown.etag = etag(told.name, version)
    return shown


def etag(name: str, version: int) -> str:
    """The tag of one version of one display. Opaque; equal exactly when name and version are."""
    return hashlib.sha256(f"{name}\n{version}".encode()).hexdigest()[:16]


def changed(name: str, at: datetime, *, deleted: bool = False) -> Event:
    event = events_pb2.DisplayChanged(display=name, deleted=deleted)
    event.at.FromDatetime(at)
    return Event(event, name)


def frame(
    display: Display, picture: Picture, due: Sequence[DisplayCall], session: Session, now: datetime, beat_seconds: int
) -> display_pb2.DisplayFrame:
    """Without the display itself, which only some frames have."""
    told = display_pb2.DisplayFrame(
        beat_seconds=beat_seconds,
        queues=[_queue(display, q) for q in picture.queues],
        last_calls=map(_call, picture.last_calls),
        announcements=[_announcement(display, c) for c in due],
        messages=map(_localized, picture.messages),
        closed=picture.closed,
        resume=session.text,
    )
    told.beat.FromDatetime(now)
    if picture.closed:
        told.closed_text.CopyFrom(_localized(picture.closed_text))
    if picture.hours.id:
        told.hours_text.CopyFrom(_localized(picture.hours))
    return told


def _queue(display: Display, q: QueueNow) -> display_pb2.DisplayQueue:
    told = display_pb2.DisplayQueue(
        queue=q.queue, agency=q.agency, prefix=q.prefix, calls=map(_call, q.at_counters), open=q.doors.open,
        closed_reason=q.doors.reason,
    )  # fmt: skip
    if display.show_waiting:
        told.waiting = q.waiting
    if display.show_wait:
        told.wait_low.FromTimedelta(q.wait_low)
        told.wait_high.FromTimedelta(q.wait_high)
    if not q.doors.open:
        told.closed_text.CopyFrom(_localized(q.doors.text))
    if q.doors.opens_at:
        told.opens_at.FromDatetime(q.doors.opens_at.astimezone(UTC))
    return told


def _call(c: DisplayCall) -> display_pb2.DisplayCall:
    told = display_pb2.DisplayCall(
        id=c.id, queue=c.queue, number=c.number, counter=c.counter, state=_STATES[c.state], calls=c.calls
    )
    told.called_at.FromDatetime(c.called_at)
    return told


def _announcement(display: Display, c: DisplayCall) -> display_pb2.DisplayAnnouncement:
    texts = (display_pb2.SpokenText(language=one, text=spoken(one, c.number, c.counter)) for one in display.languages)
    return display_pb2.DisplayAnnouncement(call=_call(c), spoken=texts)


def _moment(message: display_pb2.DisplayMessage, name: str) -> datetime | None:
    """None when it was left out."""
    return getattr(message, name).ToDatetime(UTC) if message.HasField(name) else None


def _text(told: site_pb2.LocalizedText) -> Text:
    return Text(told.id, told.en)


def _localized(text: Text) -> site_pb2.LocalizedText:
    return site_pb2.LocalizedText(id=text.id, en=text.en)
