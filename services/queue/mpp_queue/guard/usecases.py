"""Load, decide, save against brokers: one function a command. Knows the order of steps; rules are in domain.py.

Counts follow the service's own events (tickets, held and confirmed times) in the `work` process: taking a ticket stays
one insert. An alarm is raised after the count that found it; when the process dies between the two, the event comes again
and finds its own ticket as the trigger.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mpp.queue.v1 import guard_service_pb2 as pb
from mpp_chassis import logs
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.challenge import Door
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.events import Event
from mpp_chassis.metrics import replace_all
from mpp_chassis.privacy import looks_personal

from mpp_queue import metrics
from mpp_queue.domain import Admission, InvalidField, QueueSpec
from mpp_queue.guard import domain, messages, typists
from mpp_queue.guard.domain import Alarm, CoolDown, Velocity
from mpp_queue.guard.policy import GuardPolicy
from mpp_queue.guard.store import Alarms, Counts, Endings, TypistClaims
from mpp_queue.views import Queues

SHORTEST_WINDOW = timedelta(minutes=1)
ALARM_KNOWN_SECONDS = 2.0
log = logs.get(part="guard")


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    endings: Endings
    counts: Counts
    alarms: Alarms
    queues: Queues
    policy: GuardPolicy
    door: Door


def alarmed(alarms: Alarms) -> Callable[[str, datetime], bool]:
    """Whether a site had an alarm since a moment, for the challenges; an answer is kept for a few seconds."""
    known: dict[str, tuple[float, bool]] = {}

    def told(site: str, since: datetime) -> bool:
        until, answer = known.get(site, (0.0, False))
        if time.monotonic() >= until:
            answer = alarms.raised_since(site.removeprefix("sites/"), since)
            known[site] = (time.monotonic() + ALARM_KNOWN_SECONDS, answer)
        return answer

    return told


@dataclass(frozen=True, slots=True)
class Guard:
    """What tickets and bookings ask before they let a person in."""

    endings: Endings
    claims: TypistClaims

    def check(self, spec: QueueSpec, holder_key: str, now: datetime) -> None:
        """Raises CoolDown. Reads nothing where the queue has no cool-down or the person is unknown.

        Not guaranteed: that two requests at the same moment see each other; the quota's unique keys decide those.
        """
        if not holder_key or not spec.quota.cool_down:
            return
        since = now - spec.quota.cool_down
        endings = self.endings.since(spec.site_id, spec.name, holder_key, since)
        try:
            domain.refuse_while_cooling(endings, spec.quota.cool_down, now)
        except CoolDown:
            metrics.COOLING_REFUSALS.labels(spec.site_id, metrics.short(spec.name)).inc()
            raise

    def claimed(self, spec: QueueSpec, day: str, admission: Admission, now: datetime) -> AbstractContextManager[None]:
        """See typists.py. Nothing is read or written where no NIK was typed, or the queue has no quota."""
        return typists.claimed(self.claims, spec, day, admission, now)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a phone, device or person did at a moment. `place`: the ticket's or appointment's name. `visit`: of
    which a ticket is a part; the site counts it once, since one visit to ten agencies is one person's errand."""

    place: str
    subject: str
    origin: str
    key: str
    at: datetime
    visit: str = ""


@dataclass(frozen=True, slots=True)
class _Watch:
    """Where a deed is counted: a queue, or the site (no queue, no agency)."""

    site_id: str
    queue: str
    agency: str
    window: timedelta
    alarm_after: int


def note(app: App, deed: Deed, command: Command) -> None:
    """Count it at its queue, as the catalogue's policy says, and over the site. Idempotent; may raise an alarm of each.
    Raises Aborted.

    Right with any number of processes: a count changes by compare-and-set, so they see what one would see.
    """
    if not deed.key:
        return
    for watch in (_of_queue(app, deed), _of_site(app, deed)):
        if watch is not None and watch.alarm_after:
            _count(app, deed, watch, command)


def _of_queue(app: App, deed: Deed) -> _Watch | None:
    if deed.subject != "taken" or deed.origin == "person":
        return None  # how much one person takes of a queue is the quota's
    try:
        spec = app.queues.find("/".join(deed.place.split("/")[:4]))
    except (NotFound, FailedPrecondition):
        return None  # a channel, or closed meanwhile: nothing to guard
    window = max(spec.quota.alarm_window, SHORTEST_WINDOW)
    return _Watch(spec.site_id, spec.name, spec.agency, window, spec.quota.alarm_after)


def _of_site(app: App, deed: Deed) -> _Watch:
    site_id = deed.place.split("/")[1]
    limit = app.policy.of(site_id).of(deed.subject, deed.origin)
    return _Watch(site_id, "", "", limit.window, limit.alarm_after)


def _count(app: App, deed: Deed, watch: _Watch, command: Command) -> None:
    where = watch.queue or f"sites/{watch.site_id}#{deed.subject}"
    deed = deed if watch.queue else replace(deed, place=deed.visit or deed.place)
    window, after = watch.window, watch.alarm_after
    count = app.counts.change(
        f"{where}#{deed.origin}#{deed.key}",
        window,
        lambda v: v.with_ticket(deed.place, deed.at, window=window, alarm_after=after),
    )
    if count.trigger == deed.place and count.raised_at is not None:
        _raise(app, deed, watch, count, count.raised_at, command)


def _raise(app: App, deed: Deed, watch: _Watch, count: Velocity, raised_at: datetime, command: Command) -> None:
    request = f"{deed.origin}:{deed.place}" if watch.queue else f"site:{deed.subject}:{deed.origin}:{deed.place}"
    own = Command(request, "RaiseBookingAlarm", deed.place, "service:queue", command.at, command.traceparent)
    alarm = Alarm(
        name=f"sites/{watch.site_id}/bookingAlarms/{new_id(own)}", site_id=watch.site_id, queue=watch.queue,
        agency=watch.agency, origin=deed.origin, key=deed.key, count=count.count, window=watch.window,
        raised_at=raised_at, tickets=tuple(t.ticket for t in reversed(count.taken))[: domain.SHOWN],
        subject=deed.subject,
    )  # fmt: skip
    if app.alarms.create(alarm, own, messages.alarm(alarm), [messages.raised(alarm)]):
        metrics.BOOKING_ALARMS.labels(watch.site_id, metrics.short(watch.queue or "/*"), deed.origin).inc()
        log.warning("booking_alarm", alarm=alarm.name, reach=alarm.reach, origin=deed.origin, count=count.count)


def list_alarms(
    app: App, request: pb.ListBookingAlarmsRequest, after: tuple[datetime, str] | None, limit: int, call: Call
) -> list[pb.BookingAlarm]:
    """Newest first."""
    site_id = request.parent.split("/")[1]
    found = app.alarms.page(site_id, open_only=request.open_only, after=after, limit=limit)
    return [messages.alarm(a) for a in found]


def acknowledge_alarm(app: App, request: pb.AcknowledgeBookingAlarmRequest, call: Call) -> pb.BookingAlarm:
    """Raises NotFound, InvalidField, AlreadyAcknowledged."""
    if looks_personal(request.reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")

    def decide(before: Alarm) -> tuple[Alarm, pb.BookingAlarm, list[Event]]:
        after = before.acknowledge(by=call.actor, reason=request.reason, now=call.now)
        return after, messages.alarm(after), [messages.acknowledged(after)]

    return app.alarms.change(request.name, call.mutation, decide)


def measure(app: App) -> None:
    """Tell how many alarms nobody has looked at, for each site: one query a site."""
    sites = sorted({queue.split("/")[1] for queue, _ in app.queues.names()})
    replace_all(metrics.OPEN_BOOKING_ALARMS, {(site,): float(app.alarms.count_open(site)) for site in sites})
