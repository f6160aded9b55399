"""Load, decide, save of displays, and the stream of frames. Knows the order of steps; rules are in domain.py, what is
read of queues in halls.py, queries in store.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from mpp.queue.v1 import display_pb2
from mpp.queue.v1 import displays_service_pb2 as pb
from mpp_chassis.call import Call
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.events import Event

from mpp_queue import metrics
from mpp_queue.boards import BEAT_SECONDS, LOOK_SECONDS
from mpp_queue.counters.store import Layout
from mpp_queue.displays import messages
from mpp_queue.displays.domain import Display, EtagMismatch, Session
from mpp_queue.displays.halls import SETTLE_SECONDS, Halls
from mpp_queue.displays.picture import Picture, picture_of
from mpp_queue.displays.store import Displays, Kept
from mpp_queue.domain import InvalidField

PAGE_SIZE = 100
# A watcher looks by itself every LOOK_SECONDS: whoever has been quiet for so long would be late at its next look.
QUIET_SECONDS = BEAT_SECONDS - LOOK_SECONDS - 1.0


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    displays: Displays
    halls: Halls
    layout: Layout
    clock: Callable[[], datetime]


def set_display(app: App, request: pb.SetDisplayRequest, call: Call) -> display_pb2.Display:
    """Create or replace. The same content again writes nothing. Raises InvalidField, EtagMismatch, FailedPrecondition for a
    site that the catalogue has not told of (yet), Aborted.
    """
    _need_site(app, request.parent)
    wanted = display_pb2.Display()
    wanted.CopyFrom(request.display)
    wanted.ClearField("etag")
    messages.display_of(wanted).check(request.parent)

    def decide(
        there: Kept | None, version: int
    ) -> tuple[display_pb2.Display | None, display_pb2.Display, Sequence[Event]] | display_pb2.Display:
        _check_etag(request.display.etag, wanted.name, there, "display.etag")
        if there is not None and there.told == wanted:
            return messages.reply(there.told, there.version)
        if request.validate_only:
            return wanted  # the version does not exist, so neither does its etag
        return wanted, messages.reply(wanted, version), [messages.changed(wanted.name, call.now)]

    return app.displays.change(wanted.name, call.mutation, display_pb2.Display, decide)


def get_display(app: App, request: pb.GetDisplayRequest) -> display_pb2.Display:
    """Raises NotFound."""
    kept = app.displays.load(request.name)
    if kept is None:
        raise _unknown(request.name)
    return messages.reply(kept.told, kept.version)


def list_displays(app: App, request: pb.ListDisplaysRequest) -> pb.ListDisplaysResponse:
    """By name."""
    size = request.page_size or PAGE_SIZE
    after = f"{request.parent}/displays/{request.page_token}"
    found = app.displays.page(request.parent.split("/")[1], after, size + 1)
    reply = pb.ListDisplaysResponse(displays=[messages.reply(k.told, k.version) for k in found[:size]])
    if len(found) > size:
        reply.next_page_token = found[size - 1].told.name.rpartition("/")[2]
    return reply


def delete_display(app: App, request: pb.DeleteDisplayRequest, call: Call) -> pb.DeleteDisplayResponse:
    """Raises NotFound, EtagMismatch, Aborted."""
    gone = pb.DeleteDisplayResponse()

    def decide(
        there: Kept | None, version: int
    ) -> tuple[display_pb2.Display | None, pb.DeleteDisplayResponse, Sequence[Event]] | pb.DeleteDisplayResponse:
        if there is None:
            raise _unknown(request.name)
        _check_etag(request.etag, request.name, there, "etag")
        return gone if request.validate_only else (None, gone, [messages.changed(request.name, call.now, deleted=True)])

    return app.displays.change(request.name, call.mutation, pb.DeleteDisplayResponse, decide)


def watch_display(app: App, request: pb.WatchDisplayRequest, call: Call) -> Iterator[display_pb2.DisplayFrame | None]:
    """The display's frame now, with every change, and at least every 15 s (`BEAT_SECONDS`); None each second while nothing
    happens.

    Guaranteed: a call is announced in one frame only of a session, whichever processes its streams are at. Not guaranteed:
    each state in between; what happens within a tenth of a second may be one frame. Raises NotFound, also when the display
    is deleted meanwhile; InvalidField for a `resume` that is none; Unavailable.
    """
    session = _resumed(request.resume)
    shown = app.halls.shown(request.name)
    watch = app.halls.boards.watch(shown.display.site)
    sent: tuple[Display, Picture] | None = None
    version, sent_at = 0, float("-inf")
    while True:
        seen = watch.look()
        shown, now = app.halls.shown(request.name), app.clock()
        queues, settled = app.halls.queues(shown.display, now, seen.at)
        picture = picture_of(shown.display, queues, now)
        if sent != (shown.display, picture) or version != shown.kept.version or seen.at - sent_at >= QUIET_SECONDS:
            session = session or Session.begin(picture.calls, now)
            due, session = session.hear(picture.calls, now)
            frame = messages.frame(shown.display, picture, due, session, now, int(BEAT_SECONDS))
            if version != shown.kept.version:
                frame.display.CopyFrom(messages.reply(shown.kept.told, shown.kept.version))
            sent, version, sent_at = (shown.display, picture), shown.kept.version, seen.at
            watch.sent()
            _count(shown.display.site, len(due))
            yield frame
        while not watch.wait(seen, 1.0 if settled else SETTLE_SECONDS) and settled:
            yield None


def _need_site(app: App, site: str) -> None:
    try:
        app.layout.zone(site.rpartition("/")[2])
    except NotFound as e:
        raise FailedPrecondition(str(e), reason="SITE_NOT_FOUND", field="parent") from e


def _resumed(told: str) -> Session | None:
    """None for a screen that was just switched on."""
    try:
        return Session.resumed(told) if told else None
    except ValueError as e:
        raise InvalidField("resume", "is not one that a frame told") from e


def _count(site: str, announced: int) -> None:
    site_id = site.rpartition("/")[2]
    metrics.DISPLAY_FRAMES.labels(site_id).inc()
    if announced:
        metrics.DISPLAY_ANNOUNCEMENTS.labels(site_id).inc(announced)


def _check_etag(given: str, name: str, there: Kept | None, field: str) -> None:
    if given and (there is None or given != messages.etag(name, there.version)):
        raise EtagMismatch(f"{name} was changed since it was read; read it again", field=field)


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no {name}", reason="DISPLAY_UNKNOWN")
