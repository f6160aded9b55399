"""Subscribe, acknowledge, look. Knows subscriptions, the journal and what is granted. Never knows AMQP, gRPC servers or
pymongo.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mpp.subscriptions.v1 import events_pb2, feed_pb2
from mpp.subscriptions.v1 import feed_service_pb2 as rpc
from mpp_chassis.call import Call
from mpp_chassis.errors import Aborted, InvalidField, NotFound, ResourceExhausted
from mpp_chassis.events import Event

from mpp_subscriptions import cursor, metrics
from mpp_subscriptions.cursor import Position, Start
from mpp_subscriptions.feed.domain import DEFAULT_WINDOW, MOST_SUBSCRIPTIONS, Subscription, Window
from mpp_subscriptions.feed.store import Subscriptions
from mpp_subscriptions.granted import Granted
from mpp_subscriptions.journal import KEPT, Entry, Expired, Filter, Journal, Reader

LOOK = 1.0  # seconds: how soon a newer stream, or a revoked grant, ends this one
TICK = 0.5  # seconds without an event until the kit may look after the client
FULL_LOOK = 0.1  # seconds between looks for an acknowledgement that another process took
HEARTBEAT = 15.0  # seconds without a message
PREFETCH = 100
STREAMS_OF_AGENCY = 10  # open at a time in one process


@dataclass(slots=True)
class Places:
    """Open streams by agency: no agency takes all of a process."""

    most: int = STREAMS_OF_AGENCY
    open: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def one(self, agency: str) -> Iterator[None]:
        """Raises ResourceExhausted (TOO_MANY_STREAMS)."""
        with self.lock:
            if self.open[agency] >= self.most:
                raise ResourceExhausted("the agency has too many streams open here", reason="TOO_MANY_STREAMS")
            self.open[agency] += 1
        try:
            yield
        finally:
            with self.lock:
                self.open[agency] -= 1
                if not self.open[agency]:
                    del self.open[agency]


@dataclass(frozen=True, slots=True)
class App:
    """The feed, composed. `acknowledged` wakes streams of this process that wait for their window."""

    subscriptions: Subscriptions
    granted: Granted
    journal: Journal
    clock: Callable[[], datetime]
    rng: random.Random
    places: Places = field(default_factory=Places)
    acknowledged: threading.Condition = field(default_factory=threading.Condition)


def subscribe(app: App, request: rpc.SubscribeRequest, call: Call) -> Iterator[feed_pb2.FeedEvent | None]:
    """Events, signs of life, and None while there is neither. At least once, in the order of the journal.

    Raises PermissionDenied (GRANT_MISSING, NOT_GRANTED), InvalidField, Expired, Aborted (SUBSCRIPTION_TAKEN_OVER,
    SUBSCRIPTION_DELETED), ResourceExhausted, BrokerDown.
    """
    agency = agency_of(request.name)
    call.require(agency=agency)
    app.granted.require_types(agency, tuple(request.event_types))
    asked = _asked(app, request, call.now)
    with app.places.one(agency):
        subscription = _open(app, request.name, asked, call.now)
        with _reader(app, subscription, asked) as reader:
            metrics.FEED_OPEN.inc()
            try:
                yield from _Stream(app, request, subscription, reader).run()
            finally:
                metrics.FEED_OPEN.dec()


def acknowledge(app: App, request: rpc.AcknowledgeRequest, call: Call) -> feed_pb2.Subscription:
    """Forward only, as long as the journal has the place that was acknowledged. Raises NotFound, InvalidField."""
    call.require(agency=agency_of(request.name))
    place = _place(request.cursor)
    found = app.subscriptions.acknowledge(request.name, place.reached, request.cursor, call.now)
    if found is None:
        raise NotFound(f"there is no {request.name}", field="name")
    with app.acknowledged:
        app.acknowledged.notify_all()
    return _resource(found)


def get_subscription(app: App, name: str, call: Call) -> feed_pb2.Subscription:
    """Raises NotFound."""
    call.require(agency=agency_of(name))
    found = app.subscriptions.get(name)
    if found is None:
        raise NotFound(f"there is no {name}", field="name")
    return _resource(found)


def list_subscriptions(app: App, parent: str, after: str, limit: int, call: Call) -> list[feed_pb2.Subscription]:
    """Of one agency, in the order of their names, after the name `after`."""
    call.require(agency=parent)
    _, site, _, agency = parent.split("/")
    return [_resource(one) for one in app.subscriptions.page(site, agency, after, limit)]


def delete_subscription(app: App, name: str, call: Call) -> rpc.DeleteSubscriptionResponse:
    """Its open stream ends within `LOOK` seconds. Raises NotFound, Aborted."""
    call.require(agency=agency_of(name))
    told = events_pb2.SubscriptionDeleted(subscription=name, agency=name.split("/")[3], at=_stamp(call.now))
    return app.subscriptions.delete(name, call.mutation, rpc.DeleteSubscriptionResponse(), [Event(told, name)])


class _Stream:
    """One open stream: reads, filters, and holds back what the window does not take."""

    def __init__(self, app: App, request: rpc.SubscribeRequest, subscription: Subscription, reader: Reader) -> None:
        self._app, self._reader = app, reader
        self._name, self._agency = request.name, agency_of(request.name)
        self._holder = subscription.holder
        self._filter = Filter(frozenset(request.event_types), request.subject_prefix)
        self._window = Window(request.window or DEFAULT_WINDOW)
        self._granted: frozenset[str] = frozenset()
        self._place: Position | None = None
        self._looked = self._sent = 0.0

    def run(self) -> Iterator[feed_pb2.FeedEvent | None]:
        yield feed_pb2.FeedEvent()  # the stream stands
        self._sent = time.monotonic()
        while True:
            self._look(LOOK)
            if self._window.full:
                yield self._silence()
                with self._app.acknowledged:
                    self._app.acknowledged.wait(FULL_LOOK)
                self._look(0)
                continue
            entry = self._reader.read(TICK)
            if entry is not None:
                self._place = entry.position
                if self._filter.passes(entry, self._granted):
                    yield self._event(entry)
                    continue
            yield self._silence()

    def _event(self, entry: Entry) -> feed_pb2.FeedEvent:
        self._window.send(entry.offset)
        self._sent = time.monotonic()
        metrics.FEED_EVENTS.inc()
        return feed_pb2.FeedEvent(cursor=cursor.encode(entry.position), event=_cloud_event(entry))

    def _silence(self) -> feed_pb2.FeedEvent | None:
        """A sign of life when it is time. Its cursor is told only when nothing before it waits to be acknowledged."""
        if time.monotonic() - self._sent < HEARTBEAT:
            return None
        self._sent = time.monotonic()
        place = self._place if not self._window.sent else None
        return feed_pb2.FeedEvent(cursor=cursor.encode(place) if place else "")

    def _look(self, every: float) -> None:
        """Raises Aborted (SUBSCRIPTION_TAKEN_OVER, SUBSCRIPTION_DELETED), PermissionDenied."""
        now = time.monotonic()
        if now - self._looked < every:
            return
        self._looked = now
        self._granted = self._app.granted.require(self._agency)
        current = self._app.subscriptions.get(self._name)
        if current is None:
            raise _deleted()
        if current.holder != self._holder:
            raise Aborted("a newer stream of this subscription was opened", reason="SUBSCRIPTION_TAKEN_OVER")
        self._window.acknowledge(current.acknowledged)


def agency_of(name: str) -> str:
    """`sites/x/agencies/y` of anything below it."""
    return "/".join(name.split("/")[:4])


def _asked(app: App, request: rpc.SubscribeRequest, now: datetime) -> Start | None:
    """What the request says of its start; None: where it was acknowledged last."""
    kind = request.WhichOneof("start")
    if kind == "cursor":
        return _place(request.cursor)
    if kind == "start_time":
        moment = request.start_time.ToDatetime(UTC)
        if moment < now - KEPT:
            raise app.journal.expired()
        return moment
    return None


def _open(app: App, name: str, asked: Start | None, now: datetime) -> Subscription:
    if app.subscriptions.get(name) is None:
        _, site, _, agency, _, _ = name.split("/")
        if app.subscriptions.count(site, agency, MOST_SUBSCRIPTIONS) >= MOST_SUBSCRIPTIONS:
            raise ResourceExhausted(
                f"an agency has at most {MOST_SUBSCRIPTIONS} subscriptions", reason="TOO_MANY_SUBSCRIPTIONS"
            )
    parts = name.split("/")
    first = cursor.encode(asked) if isinstance(asked, Position) else ""
    first_time = asked if isinstance(asked, datetime) else now
    holder = f"{app.rng.getrandbits(64):016x}"
    opened = app.subscriptions.open(name, parts[1], parts[3], holder, now, first, first_time)
    if opened is None:
        raise _deleted()
    return opened


def _deleted() -> Aborted:
    return Aborted("the subscription was deleted", reason="SUBSCRIPTION_DELETED")


def _start(app: App, subscription: Subscription, asked: Start | None) -> Start:
    """Where nothing is acknowledged yet, that is where it first began: what was sent then and got lost comes again.

    Raises Expired when that is a time of which not everything is kept any more.
    """
    if asked is not None:
        return asked
    if text := subscription.cursor or subscription.start:
        return cursor.decode(text)
    return app.journal.since(subscription.start_time or subscription.created_at, app.clock())


def _reader(app: App, subscription: Subscription, asked: Start | None) -> Reader:
    """Raises Expired; then, when the acknowledged place is lost too, the next acknowledgement counts wherever it is: a
    journal that was made anew begins at 0, and one that only goes forward would never be heard again.
    """
    try:
        return app.journal.open(_start(app, subscription, asked), PREFETCH)
    except Expired:
        if subscription.cursor:
            try:
                app.journal.open(cursor.decode(subscription.cursor), 1).close()
            except Expired:
                app.subscriptions.loosen(subscription.name, subscription.cursor)
        raise


def _place(text: str) -> Position:
    try:
        return cursor.decode(text)
    except cursor.BadCursor as error:
        raise InvalidField("cursor", str(error)) from error


def _cloud_event(entry: Entry) -> feed_pb2.CloudEvent:
    event = feed_pb2.CloudEvent(
        id=entry.id,
        source=entry.source,
        type=entry.type,
        subject=entry.subject,
        time=_stamp(entry.time),
        sequence=entry.sequence,
        traceparent=entry.traceparent,
    )
    event.data.update(json.loads(entry.body))  # ten times faster than json_format
    return event


def _resource(subscription: Subscription) -> feed_pb2.Subscription:
    return feed_pb2.Subscription(
        name=subscription.name,
        acknowledged_cursor=subscription.cursor,
        acknowledged_at=_stamp(subscription.acknowledged_at),
        created_at=_stamp(subscription.created_at),
        opened_at=_stamp(subscription.opened_at),
    )


def _stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    found = Timestamp()
    found.FromDatetime(moment)
    return found
