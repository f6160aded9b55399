"""Load, decide, save: one function a command on a pass, or a look. Knows the order of steps; rules are in domain/,
queries in store.py. How a pass begins is in gate.py.

A command changes one pass in one write. What it also needs of the queue is asked as the caller, with request ids derived
from the command, and before the write: when the queue is away nothing is written. A crash between the two is made good by
the queue's event of the ticket's end (hearing.py). Nobody has to repeat anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from mpp.drivethru.v1 import drivethru_service_pb2, pass_pb2
from mpp_chassis.aggregates import Taken as IndexTaken
from mpp_chassis.call import Call
from mpp_chassis.errors import Aborted, NotFound

from mpp_drivethru import domain, messages, metrics
from mpp_drivethru.app import App, Decided, TicketOffice, now_of
from mpp_drivethru.displays import BEAT_SECONDS, LOOK_SECONDS
from mpp_drivethru.domain import ChannelSpec, InvalidField, Pass, State
from mpp_drivethru.store import PLACE_INDEX, STAGE_INDEX

LANE_ATTEMPTS = 30
LINE_LIMIT = 500  # vehicles of a channel that a display counts
REPORT_DAYS = 92


def get_pass(app: App, request: drivethru_service_pb2.GetPassRequest, call: Call) -> pass_pb2.Pass:
    """Raises NotFound, PermissionDenied."""
    return _told(app, _allowed(app.passes.load(request.name), request.name, call))


def find_pass(app: App, request: drivethru_service_pb2.FindPassRequest, call: Call) -> pass_pb2.Pass:
    """The open pass of a vehicle. Audited. Raises InvalidField, NotFound, PermissionDenied."""
    spec = app.channels.find(request.parent)
    call.require(agency=spec.agency)
    found = app.passes.of_plate(spec.name, app.index.of(domain.plate(request.plate), "plate"))
    app.audit.record(call.actor, "find_by_plate", found.name if found else spec.name, call.now)
    return _told(app, _allowed(found, "open pass of this vehicle", call))


def list_passes(
    app: App, request: drivethru_service_pb2.ListPassesRequest, call: Call
) -> drivethru_service_pb2.ListPassesResponse:
    """Open passes, first come first. Raises InvalidField, NotFound, PermissionDenied."""
    spec = app.channels.find(request.parent)
    call.require(agency=spec.agency)
    size = request.page_size or 50
    found = app.passes.open_of(spec.name, size + 1, _after(request.page_token, spec))
    more = ""
    if len(found) > size:
        last = found[size - 1]
        more = f"{last.registered_at.isoformat()}~{last.name.rsplit('/', 1)[1]}"
    told = [_told(app, p, spec) for p in found[:size]]
    return drivethru_service_pb2.ListPassesResponse(passes=told, next_page_token=more)


def _after(token: str, spec: ChannelSpec) -> tuple[datetime, str] | None:
    """Time and name of the last pass of the page before. Raises InvalidField."""
    if not token:
        return None
    moment, _, last = token.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError as e:
        raise InvalidField("page_token", "not a token of this listing") from e
    if at.tzinfo is None:
        raise InvalidField("page_token", "not a token of this listing")
    return at, f"{spec.name}/passes/{last}"


def start_stage(
    app: App, office: TicketOffice, request: drivethru_service_pb2.StartStageRequest, call: Call
) -> pass_pb2.Pass:
    """Come to a stage. At the first one the queue hears first that the citizen is there: if it is away, nothing is written.

    Guaranteed: one vehicle a stage of a lane, and no overtaking, whatever the number of processes. Raises WrongState,
    InvalidField, StageTaken, LaneBlocked, NotFound, PermissionDenied, and what the queue raises.
    """
    before = _allowed(app.passes.load(request.name), request.name, call)
    spec = app.channels.find(before.channel)
    lane = request.lane

    def decide(now_there: Pass) -> Pass:
        vehicle = _heard(now_there, spec, office, call)
        chosen = lane or vehicle.lane or spec.lanes[0].id
        inside = app.passes.in_lane(vehicle.channel, chosen, vehicle.day)
        last = app.passes.last_place(vehicle.channel, chosen, vehicle.day)
        started = vehicle.start(request.stage, lane, spec, ahead=inside, last_place=last, now=now_of(call))
        earlier = vehicle.events if vehicle is not now_there else ()
        return replace(started, events=(*earlier, *started.events))

    if before.state in (State.WAITING, State.CALLED):
        decide(before)  # what is refused is not told to the queue
        office.serving(before.ticket, call)
    return _step(app, request.name, call, decide, spec)


def _heard(vehicle: Pass, spec: ChannelSpec, office: TicketOffice, call: Call) -> Pass:
    """The officer may be faster than the event of the call: then the queue is asked."""
    if vehicle.state is not State.WAITING:
        return vehicle
    _, news = office.look(vehicle.ticket, call)
    return vehicle.hear(news, spec) if news else vehicle


def finish_stage(
    app: App, office: TicketOffice, request: drivethru_service_pb2.FinishStageRequest, call: Call
) -> pass_pb2.Pass:
    """End the stage; after the last one the ticket, and with it the pass.

    The ticket first: when the queue is away, nothing is written, and after a crash between the two the event of the
    ticket's end ends the pass. So a pass that is done already is told as it is. Raises WrongState, NotFound,
    PermissionDenied, and what the queue raises.
    """
    before = _allowed(app.passes.load(request.name), request.name, call)
    spec = app.channels.find(before.channel)

    def decide(now_there: Pass) -> Pass:
        if now_there.state is State.DONE:
            return replace(now_there, events=())
        return now_there.finish(spec, now=now_of(call))

    if app.passes.reply(request.name, call.mutation, pass_pb2.Pass) is None and decide(before).state is State.DONE:
        office.finish(before.ticket, call)
    return _step(app, request.name, call, decide, spec)


def send_aside(app: App, request: drivethru_service_pb2.SendAsideRequest, call: Call) -> pass_pb2.Pass:
    """Out of the lane, to a counter. The ticket stays open. Raises WrongState, NotFound, PermissionDenied."""
    spec, cause = _spec_of(app, request.name, call), messages.cause_of(request.cause)
    return _step(app, request.name, call, lambda p: p.send_aside(cause, now=now_of(call)), spec)


def _step(app: App, name: str, call: Call, decide: Callable[[Pass], Pass], spec: ChannelSpec) -> pass_pb2.Pass:
    decided: list[Pass] = []  # empty when the command was repeated

    def decision(before: Pass) -> Decided:
        call.require(agency=before.agency)
        after = decide(before)
        decided[:] = [after]
        return after, messages.vehicle(after, spec, app.applications.of(after.ticket)), messages.events(after)

    for _ in range(LANE_ATTEMPTS):
        try:
            reply = app.passes.change(name, call.mutation, pass_pb2.Pass, decision)
        except IndexTaken as e:
            if e.index not in (PLACE_INDEX, STAGE_INDEX, ""):
                raise
            time.sleep(0.002)  # another vehicle came at the same moment: look at the lane again
            continue
        for vehicle in decided:
            metrics.count(vehicle)
        return reply
    raise Aborted("too many come into this lane at once; try again")


def get_lane(app: App, name: str, now: datetime) -> pass_pb2.Lane:
    """What the display shows. Raises NotFound LANE_UNKNOWN, CHANNEL_UNKNOWN."""
    channel, _, lane = name.partition("/lanes/")
    spec = app.channels.find(channel)
    if spec.lane(lane) is None:
        raise NotFound(f"there is no {name}", reason="LANE_UNKNOWN")
    site = app.channels.site(spec)
    today = site.day(now)
    here = [p for p in app.passes.open_of(channel, LINE_LIMIT) if p.day == today]
    called = sorted((p for p in here if p.state is State.CALLED and p.lane in ("", lane)), key=_called_at)
    waiting = sum(p.state is State.WAITING for p in here)
    inside = sorted((p for p in here if p.state is State.IN_LANE and p.lane == lane), key=lambda p: p.place)
    return messages.lane(name, spec, domain.shut(spec, site, now), inside, called, waiting)


def _called_at(p: Pass) -> datetime:
    return p.called_at or p.registered_at


def watch_lane(app: App, request: drivethru_service_pb2.WatchLaneRequest, call: Call) -> Iterator[pass_pb2.Lane | None]:
    """The lane now, with every change, and every 15 s; None each second while nothing happens. What the clock alone changes
    (maintenance that begins or ends) is told within 5 s.

    Not guaranteed: each state in between. Raises NotFound.
    """
    channel = request.name.partition("/lanes/")[0]
    get_lane(app, request.name, call.now)  # before it is watched: names that are none must not be remembered
    sent, sent_at = None, float("-inf")
    while True:
        seen, looked_at = app.displays.version(channel), time.monotonic()
        lane = get_lane(app, request.name, app.clock())
        if lane != sent or looked_at - sent_at >= BEAT_SECONDS:
            sent, sent_at = lane, looked_at
            yield lane
        while not app.displays.wait(channel, seen, 1.0):
            yield None
            if time.monotonic() - looked_at >= LOOK_SECONDS:
                break


def report_stages(app: App, request: drivethru_service_pb2.ReportStagesRequest, call: Call) -> pass_pb2.StageReport:
    """Raises InvalidField, NotFound, PermissionDenied."""
    spec = app.channels.find(request.parent)
    call.require(agency=spec.agency)
    first, last = _day("first_day", request.first_day), _day("last_day", request.last_day)
    if not timedelta(0) <= last - first < timedelta(days=REPORT_DAYS):
        raise InvalidField("last_day", f"from first_day on, at most {REPORT_DAYS} days")
    return messages.report(app.passes.of_days(spec.name, first.isoformat(), last.isoformat()), spec)


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as e:
        raise InvalidField(name, f"{text} is no day") from e


# -- small things


def _allowed(found: Pass | None, name: str, call: Call) -> Pass:
    if found is None:
        raise NotFound(f"there is no {name}")
    call.require(agency=found.agency)
    return found


def _spec_of(app: App, name: str, call: Call) -> ChannelSpec:
    return app.channels.find(_allowed(app.passes.load(name), name, call).channel)


def _told(app: App, vehicle: Pass, spec: ChannelSpec | None = None) -> pass_pb2.Pass:
    return messages.vehicle(vehicle, spec or app.channels.find(vehicle.channel), app.applications.of(vehicle.ticket))
