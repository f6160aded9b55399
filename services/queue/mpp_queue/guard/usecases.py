"""Load, decide, save against brokers: one function a command. Knows the order of steps; rules are in domain.py.

The count of a phone or device follows the service's own TicketIssued, in the `work` process: taking a ticket stays one
insert. An alarm is raised after the count that found it; when the process dies between the two, the event comes again
and finds its own ticket as the trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mpp.queue.v1 import guard_service_pb2 as pb
from mpp_chassis import logs
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.events import Event
from mpp_chassis.metrics import replace_all
from mpp_chassis.privacy import looks_personal

from mpp_queue import metrics
from mpp_queue.domain import InvalidField, QueueSpec
from mpp_queue.guard import domain, messages
from mpp_queue.guard.domain import Alarm, CoolDown
from mpp_queue.guard.store import Alarms, Counts, Endings
from mpp_queue.views import Queues

SHORTEST_WINDOW = timedelta(minutes=1)
log = logs.get(part="guard")


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    endings: Endings
    counts: Counts
    alarms: Alarms
    queues: Queues


@dataclass(frozen=True, slots=True)
class Guard:
    """What tickets and bookings ask before they let a person in."""

    endings: Endings

    def check(self, spec: QueueSpec, person_key: str, now: datetime) -> None:
        """Raises CoolDown. Reads nothing where the queue has no cool-down or the person is unknown.

        Not guaranteed: that two requests at the same moment see each other; the quota's unique keys decide those.
        """
        if not person_key or not spec.quota.cool_down:
            return
        since = now - spec.quota.cool_down
        endings = self.endings.since(spec.site_id, spec.name, person_key, since)
        try:
            domain.refuse_while_cooling(endings, spec.quota.cool_down, now)
        except CoolDown:
            metrics.COOLING_REFUSALS.labels(spec.site_id, metrics.short(spec.name)).inc()
            raise


def note(app: App, *, place: str, origin: str, key: str, at: datetime, command: Command) -> None:
    """One ticket or appointment more (`place`, its name) of a phone or device (`origin`, `key`). Idempotent; may raise an
    alarm. Raises Aborted.
    """
    queue = "/".join(place.split("/")[:4])
    try:
        spec = app.queues.find(queue)
    except (NotFound, FailedPrecondition):
        return  # closed meanwhile: nothing to guard
    after, window = spec.quota.alarm_after, max(spec.quota.alarm_window, SHORTEST_WINDOW)
    if not key or not after:
        return
    count = app.counts.change(
        f"{queue}#{origin}#{key}", window, lambda v: v.with_ticket(place, at, window=window, alarm_after=after)
    )
    if count.trigger == place and count.raised_at is not None:
        tickets = tuple(t.ticket for t in reversed(count.taken))[: domain.SHOWN]
        _raise(app, spec, origin, key, count.count, window, count.raised_at, tickets, place, command)


def _raise(
    app: App, spec: QueueSpec, origin: str, key: str, count: int, window: timedelta, raised_at: datetime,
    tickets: Sequence[str], trigger: str, command: Command,
) -> None:  # fmt: skip
    own = Command(f"{origin}:{trigger}", "RaiseBookingAlarm", trigger, "service:queue", command.at, command.traceparent)
    alarm = Alarm(
        name=f"sites/{spec.site_id}/bookingAlarms/{new_id(own)}", site_id=spec.site_id, queue=spec.name,
        agency=spec.agency, origin=origin, key=key, count=count, window=window, raised_at=raised_at,
        tickets=tuple(tickets),
    )  # fmt: skip
    if app.alarms.create(alarm, own, messages.alarm(alarm), [messages.raised(alarm)]):
        metrics.BOOKING_ALARMS.labels(spec.site_id, metrics.short(spec.name), origin).inc()
        log.warning("booking_alarm", alarm=alarm.name, queue=spec.name, origin=origin, count=count)


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
