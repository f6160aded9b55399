"""Reports, what is learned from them, and planned staff: one function a command or sweep. Knows the order of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from mpp.queue.v1 import events_pb2, report_pb2, reports_service_pb2, ticket_pb2
from mpp_chassis import logs
from mpp_chassis.call import Call
from mpp_chassis.errors import FailedPrecondition, InvalidField, NotFound, PermissionDenied

from mpp_queue.domain.estimate import Times, declared
from mpp_queue.reports import csvform, messages
from mpp_queue.reports.domain import Offer, days_between, learn_times, report
from mpp_queue.reports.offered import Offered
from mpp_queue.reports.store import Learned, Past, Plan, Scope, Staffing
from mpp_queue.views import Queues

LEARN_DAYS = 28
LEARN_LINES = 2000  # of one queue: its newest
LEARN_QUEUES = 40  # at most so many in one sweep
KNOWN_VISITS = 100  # a queue with fewer is looked at each hour, others once a day
UNREADABLE = (KeyError, TypeError, ValueError)  # what a damaged document raises
AFTER_MIDNIGHT = time(0, 15)  # the site's; what was closed at the day's end is told by then

log = logs.get(part="reports")


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py. `zone_of`: a site's zone by its id; raises NotFound."""

    past: Past
    learned: Learned
    staffing: Staffing
    queues: Queues
    zone_of: Callable[[str], str]
    offered: Offered


def query_report(app: App, request: reports_service_pb2.QueryReportRequest, call: Call) -> report_pb2.Report:
    """Raises InvalidField, NotFound, PermissionDenied."""
    return _report(app, request, call)


def export_report(
    app: App, request: reports_service_pb2.ExportReportRequest, call: Call
) -> reports_service_pb2.ExportReportResponse:
    """Raises InvalidField, NotFound, PermissionDenied."""
    found = _report(app, request, call)
    indonesian = request.header == reports_service_pb2.ExportReportRequest.HEADER_INDONESIAN
    parts = (found.site.split("/")[1], found.from_day, found.to_day, messages.group_of(found.group_by).value)
    return reports_service_pb2.ExportReportResponse(
        filename=f"{'-'.join(parts)}.csv", csv=csvform.table(found, indonesian=indonesian)
    )


def _report(
    app: App,
    request: reports_service_pb2.QueryReportRequest | reports_service_pb2.ExportReportRequest,
    call: Call,
) -> report_pb2.Report:
    days_between(request.from_day, request.to_day)
    zone = app.zone_of(request.parent.split("/")[1])
    agency = _agency(request.parent, request.agency, call)
    if request.queue and not request.queue.startswith(f"{request.parent}/"):
        raise InvalidField("queue", f"{request.queue} is not of {request.parent}")
    scope = Scope(request.parent.split("/")[1], request.from_day, request.to_day, agency, request.queue)
    group = messages.group_of(request.group_by)
    rows, total = report(
        app.past.lines(scope, call.now),
        group,
        zone,
        app.past.sessions(scope, call.now),
        app.past.bookings(scope, call.now),
        _places(app, scope, local_day(zone, call.now), call.now),
    )
    found = messages.report(request.parent, request.from_day, request.to_day, agency, group, rows, total)
    found.queue, found.time_zone = request.queue, zone
    return found


def _places(app: App, scope: Scope, today: str, now: datetime) -> list[Offer]:
    """Of days that are over what they offered, of the others what is offered now."""
    kept = {day: offers for day, offers in app.past.places(scope, now).items() if day < today}
    first, last = date.fromisoformat(scope.from_day), date.fromisoformat(scope.to_day)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    others = app.offered.places(scope.site_id, [day for day in days if day.isoformat() not in kept])
    return [*chain.from_iterable(kept.values()), *filter(scope.holds, others)]


def keep_places(app: App, now: datetime) -> int:
    """Write down what each site's agendas offer today: a day keeps its rules. How many sites. Safe to run twice. A site
    whose rules cannot be read keeps no other from it.
    """
    kept = 0
    for site_id, zone in dict(app.offered.zones()).items():
        try:
            today = now.astimezone(ZoneInfo(zone)).date()
            app.past.keep_places(site_id, today.isoformat(), app.offered.places(site_id, [today]), now)
            kept += 1
        except UNREADABLE as e:
            log.error("places_unreadable", site=site_id, error=type(e).__name__)
    return kept


def _agency(site: str, wanted: str, call: Call) -> str:
    """Whose lines: who reaches the whole site may choose, an agency's admin gets the own agency's."""
    if wanted and not wanted.startswith(f"{site}/"):
        raise InvalidField("agency", f"{wanted} is not of {site}")
    reach = call.reach()
    if reach.all:
        return wanted
    if not reach.agency or wanted not in ("", reach.agency):
        raise PermissionDenied("not yours: the report is of another agency")
    return reach.agency


def set_staffing(app: App, request: reports_service_pb2.SetStaffingRequest, call: Call) -> report_pb2.Staffing:
    """Until the end of the local day. Raises InvalidField for more than the queue has, NotFound, PermissionDenied."""
    spec = app.queues.find(request.name.removesuffix("/staffing"))
    call.require(agency=spec.agency)
    if request.counters > len(spec.counters):
        raise InvalidField("counters", f"{spec.name} has {len(spec.counters)} counters")
    day = local_day(spec.zone, call.now) if request.counters else ""
    plan = Plan(request.counters, day)
    return app.staffing.set(spec.name, plan, call.mutation, _staffing(request.name, plan))


def get_staffing(app: App, request: reports_service_pb2.GetStaffingRequest, call: Call) -> report_pb2.Staffing:
    """What was planned for an earlier day is over. Raises NotFound, PermissionDenied."""
    spec = app.queues.find(request.name.removesuffix("/staffing"))
    call.require(agency=spec.agency)
    plan = app.staffing.get(spec.name)
    return _staffing(request.name, plan if plan.day == local_day(spec.zone, call.now) else Plan())


def _staffing(name: str, plan: Plan) -> report_pb2.Staffing:
    return report_pb2.Staffing(name=name, counters=plan.counters, day=plan.day)


def note_end(app: App, event: events_pb2.TicketEnded, sequence: int) -> bool:
    """The ticket's way at its queue is over. Idempotent, in any order. False when nothing is to be noted."""
    if event.state == ticket_pb2.Ticket.STATE_MISSED or not event.HasField("facts"):
        return False  # it waits again; or a service of version 0.2.0 told it
    return app.past.note_line(messages.line_of_end(event), sequence)


def note_transfer(app: App, event: events_pb2.TicketTransferred, sequence: int) -> bool:
    return event.HasField("facts") and app.past.note_line(messages.line_of_transfer(event), sequence)


def note_session(app: App, event: events_pb2.CounterClosed, sequence: int) -> bool:
    site_id, closed_at = event.counter.split("/")[1], event.closed_at.ToDatetime(tzinfo=ZoneInfo("UTC"))
    return app.past.note_session(event.counter, messages.session(event), site_id, closed_at, sequence)


def note_booking(app: App, event: object, state: str, sequence: int) -> bool:
    """`state`: booked, kept, missed or dropped."""
    name: str = event.appointment  # type: ignore[attr-defined]
    return app.past.note_booking(name, messages.booking(event, state), name.split("/")[1], sequence)


def learn(app: App, now: datetime) -> int:
    """Learn the times of queues that are due; how many. Safe to run twice. Each costs at most `LEARN_LINES` lines. A queue
    whose lines cannot be read goes by what it declares and is looked at again in an hour; it holds up no other.
    """
    zones = dict(app.queues.names())
    done = 0
    for queue in app.learned.due(zones, now)[:LEARN_QUEUES]:
        try:
            minutes = app.queues.find(queue).minutes_per_visit
        except (NotFound, FailedPrecondition):
            minutes = 10  # closed: nobody asks
        try:
            times = _learned(app, queue, zones[queue], minutes, now)
            done += 1
        except UNREADABLE as e:
            log.error("lines_unreadable", queue=queue, error=type(e).__name__)
            times = declared(minutes)
        app.learned.put(queue, times, now, _due(zones[queue], now, times.whole.visits))
    return done


def _learned(app: App, queue: str, zone: str, minutes: int, now: datetime) -> Times:
    since = local_day(zone, now - timedelta(days=LEARN_DAYS))
    lines = app.past.lines_of_queue(queue, since, LEARN_LINES)
    return learn_times(lines, minutes, zone, local_day(zone, now))


def _due(zone: str, now: datetime, visits: int) -> datetime:
    """After midnight, when who is usually there is known of one day more; while little is known, in an hour."""
    tomorrow = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, AFTER_MIDNIGHT, ZoneInfo(zone)).astimezone(UTC)
    return midnight if visits >= KNOWN_VISITS else min(midnight, now + timedelta(hours=1))


def local_day(zone: str, now: datetime) -> str:
    """The ISO date that a clock on the site's wall shows."""
    return now.astimezone(ZoneInfo(zone)).date().isoformat()
