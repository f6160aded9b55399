"""Load, decide, save: one function a command. Knows the order of steps; rules are in domain.py, queries in store.py.

A command changes one pass in one write. What it also needs of the queue is asked as the caller, with request ids derived
from the command, and before the write: when the queue is away nothing is written. A crash between the two is made good by
the queue's event: of the ticket's issue (`complete_arrival`) or of its end (`hear_ticket`). Nobody has to repeat anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from mpp.drivethru.v1 import drivethru_service_pb2, pass_pb2
from mpp_chassis import trace
from mpp_chassis.aggregates import Taken as IndexTaken
from mpp_chassis.audit import AuditLog
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import Aborted, AlreadyExists, Fault, NotFound, Unavailable
from mpp_chassis.events import Event
from mpp_chassis.privacy import BlindIndex, FieldCipher

from mpp_drivethru import domain, messages, metrics
from mpp_drivethru.displays import BEAT_SECONDS, LOOK_SECONDS, Displays
from mpp_drivethru.domain import (
    ChannelSpec,
    DriveThruError,
    InvalidField,
    Pass,
    Registered,
    SiteSpec,
    State,
    TicketNews,
)
from mpp_drivethru.store import PLACE_INDEX, STAGE_INDEX, Arrival, Arrivals, Passes
from mpp_drivethru.views import Applications, Channels, Tickets

LANE_ATTEMPTS, CREATE_ATTEMPTS = 30, 5
LINE_LIMIT = 500  # vehicles of a channel that a display counts
REPORT_DAYS = 92
FORGET_BATCH = 200
Decided = tuple[Pass, pass_pb2.Pass, Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A ticket of the queue."""

    ticket: str
    number: str
    offering: str


class TicketOffice(Protocol):
    """The queue, as a command needs it; `neighbours.Queue` in a running process."""

    def ticket_of(self, queue: str, call: Call) -> str: ...

    def take(
        self, queue: str, offering: str, vehicle: drivethru_service_pb2.RegisterVehicleRequest, call: Call
    ) -> Taken: ...

    def look(self, ticket: str, call: Call) -> tuple[Taken, TicketNews | None]: ...

    def serving(self, ticket: str, call: Call) -> None: ...

    def finish(self, ticket: str, call: Call) -> None: ...


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    passes: Passes
    arrivals: Arrivals
    channels: Channels
    tickets: Tickets
    applications: Applications
    cipher: FieldCipher
    index: BlindIndex
    audit: AuditLog
    clock: Callable[[], datetime]
    settings: Mapping[str, str]  # where other services are, for main.py
    plate_days: int = 30
    displays: Displays = field(default_factory=Displays)


def register_vehicle(
    app: App, office: TicketOffice, request: drivethru_service_pb2.RegisterVehicleRequest, call: Call
) -> pass_pb2.Pass:
    """A vehicle at the gate: a ticket of the channel's queue, and the pass.

    Guaranteed: a repeated request_id gets the same ticket and the same pass; and a ticket that was taken has its pass,
    also after a crash between the two and without a repetition: who is at the gate is kept before the ticket is taken, and
    `complete_arrival` hears of the ticket. Not guaranteed for a caller whose roles the queue reads otherwise (several
    roles in one token): then the repetition is needed. Raises InvalidField, AlreadyExists, UnderMaintenance, ChannelClosed,
    and what the queue raises (its CHALLENGE_REQUIRED too: `proof` is handed on).
    """
    name = f"{request.parent}/passes/{new_id(call.mutation)}"
    known = app.passes.reply(name, call.mutation, pass_pb2.Pass)
    if known is not None:
        return known
    spec = app.channels.find(request.parent, to_begin=True)
    site = app.channels.site(spec)
    offering = domain.offering_of(spec, request.offering)
    plate = domain.plate(request.plate)
    index = app.index.of(plate, "plate")
    if refusal := _in_line(app, spec, index, name):
        raise refusal
    expected = request.ticket or office.ticket_of(spec.queue, call)
    _refuse_new(app, spec, site, call.now, expected, has_ticket=request.ticket != "")
    day = site.day(call.now)
    fresh = domain.register(name, spec, ticket=expected, number="", offering=offering, day=day, now=_now(call))
    sealed = app.cipher.seal(plate, "plate")
    fresh = replace(fresh, sealed_plate=sealed, plate_index=index, masked_plate=domain.mask_plate(plate))
    if request.ticket:
        ticket = _given(office, spec, offering, request.ticket, call)
        return _with_pass(app, spec, Arrival(fresh, call.mutation), ticket)
    arrival = app.arrivals.note(fresh, call.mutation)
    try:
        ticket = office.take(spec.queue, offering, request, call)
    except Unavailable:
        raise  # it may have been taken all the same
    except Fault:
        app.arrivals.forget(expected)
        raise
    return _with_pass(app, spec, arrival, ticket)


def _with_pass(app: App, spec: ChannelSpec, arrival: Arrival, ticket: Taken) -> pass_pb2.Pass:
    """The pass of a ticket that is there; the same for whoever comes second. Raises AlreadyExists, REQUEST_ID_REUSED."""
    expected = arrival.vehicle.ticket
    vehicle = arrival.vehicle.with_ticket(ticket.ticket, ticket.number, ticket.offering)
    vehicle = replace(vehicle, events=(Registered(),))
    first = messages.vehicle(vehicle, spec)
    for _ in range(CREATE_ATTEMPTS):
        try:
            reply = app.passes.create(vehicle, arrival.command, first, messages.events(vehicle))
            break
        except IndexTaken:
            if refusal := _in_the_way(app, spec, vehicle):
                app.arrivals.forget(expected)
                raise refusal from None
            time.sleep(0.002)  # what was in the way has gone meanwhile
    else:
        raise Aborted("too many come and go with this plate at once; try again")
    app.arrivals.forget(expected)
    if reply is first:
        metrics.count(vehicle)
    follow(app, ticket.ticket, arrival.command.at)
    return reply


def _in_the_way(app: App, spec: ChannelSpec, vehicle: Pass) -> AlreadyExists | None:
    """The pass that its ticket has already, or that its plate has in this line. The store's message need not tell which."""
    there = app.passes.of_ticket(vehicle.ticket)
    if there is not None and there.name != vehicle.name:
        return AlreadyExists(f"{vehicle.number} has a pass", reason="TICKET_HAS_PASS", field="ticket")
    return _in_line(app, spec, vehicle.plate_index, vehicle.name)


def _refuse_new(app: App, spec: ChannelSpec, site: SiteSpec, now: datetime, ticket: str, *, has_ticket: bool) -> None:
    """Raises UnderMaintenance, ChannelClosed; not to a command that began before: it was let in."""
    try:
        domain.refuse_new(spec, site, now, has_ticket=has_ticket)
    except DriveThruError:
        if app.arrivals.of(ticket) is None:
            raise


def complete_arrival(app: App, ticket: Taken) -> bool:
    """A ticket was issued: who took it at a gate has a pass, also when the process that took it is gone. Idempotent.

    False when nobody at a gate waits for it. A vehicle that came again meanwhile keeps the pass it got then.
    """
    arrival = app.arrivals.of(ticket.ticket)
    if arrival is None:
        return False
    try:
        _with_pass(app, app.channels.find(arrival.vehicle.channel), arrival, ticket)
    except AlreadyExists:
        return False
    return True


def _given(office: TicketOffice, spec: ChannelSpec, offering: str, name: str, call: Call) -> Taken:
    """A ticket that the citizen has already. Raises InvalidField, and what the queue raises."""
    if not name.startswith(f"{spec.queue}/tickets/"):
        raise InvalidField("ticket", f"not a ticket of {spec.queue}")
    ticket, news = office.look(name, call)
    if news is None or news.state not in ("waiting", "called"):
        raise InvalidField("ticket", f"{ticket.number} does not wait any more")
    return replace(ticket, offering=ticket.offering or offering)


def _in_line(app: App, spec: ChannelSpec, plate_index: str, name: str) -> AlreadyExists | None:
    there = app.passes.of_plate(spec.name, plate_index)
    if there is None or there.name == name:  # its own pass: the same command, at the same moment
        return None
    text, known = f"this vehicle is in the line with {there.number}", {"pass": there.name, "number": there.number}
    return AlreadyExists(text, reason="VEHICLE_IN_LINE", metadata=known)


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
        started = vehicle.start(request.stage, lane, spec, ahead=inside, last_place=last, now=_now(call))
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
        return now_there.finish(spec, now=_now(call))

    if app.passes.reply(request.name, call.mutation, pass_pb2.Pass) is None and decide(before).state is State.DONE:
        office.finish(before.ticket, call)
    return _step(app, request.name, call, decide, spec)


def send_aside(app: App, request: drivethru_service_pb2.SendAsideRequest, call: Call) -> pass_pb2.Pass:
    """Out of the lane, to a counter. The ticket stays open. Raises WrongState, NotFound, PermissionDenied."""
    spec, cause = _spec_of(app, request.name, call), messages.cause_of(request.cause)
    return _step(app, request.name, call, lambda p: p.send_aside(cause, now=_now(call)), spec)


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


# -- what other services tell


def hear_ticket(app: App, news: TicketNews, now: datetime) -> bool:
    """What the queue's event says, kept and brought to the ticket's pass. Idempotent. False when it is none of ours.

    The news are kept before the pass is looked for, and a pass looks for news after it was written: so one of the two
    finds the other, in whatever order they come.
    """
    if not _ours(app, news.ticket):
        return False
    app.tickets.learn(news, now)
    return follow(app, news.ticket, now)


def follow(app: App, ticket: str, now: datetime) -> bool:
    """Bring what is known of a ticket to its pass; False when there is nothing to bring. Idempotent."""
    vehicle, news = app.passes.of_ticket(ticket), app.tickets.latest(ticket)
    if vehicle is None or news is None:
        return False
    spec, latest = app.channels.find(vehicle.channel), news
    if vehicle.hear(latest, spec) is vehicle:
        return False
    decided: list[Pass] = []

    def decision(before: Pass) -> Decided:
        after = before.hear(latest, spec)
        after = replace(after, events=()) if after is before else after
        decided[:] = [after]
        return after, messages.vehicle(after, spec), messages.events(after)

    command = Command(
        f"{ticket}:{latest.sequence}", "FollowTicket", str(latest.sequence), "service:drivethru", now, trace.current()
    )
    app.passes.change(vehicle.name, command, pass_pb2.Pass, decision)
    for changed in decided:
        metrics.count(changed)
    return True


def _ours(app: App, ticket: str) -> bool:
    """A ticket of a queue that a drive-thru uses, or used when the vehicle came: its settings may have changed since."""
    return app.channels.uses(ticket.partition("/tickets/")[0]) or app.passes.of_ticket(ticket) is not None


def learn_application(app: App, application: str, ticket: str, state: int, sequence: int) -> bool:
    """Idempotent. False when the ticket is none of ours."""
    if not ticket or not _ours(app, ticket):
        return False
    app.applications.learn(application, ticket, state, sequence)
    return True


def forget_plates(app: App, now: datetime) -> int:
    """Take the plates out of passes that ended long ago; returns how many. Safe to run twice and by several."""
    before, done = now - timedelta(days=app.plate_days), 0
    while names := app.passes.with_old_plate(before, FORGET_BATCH):
        for name in names:
            command = Command(f"forget:{name}", "ForgetPlate", "", "service:drivethru", now)
            app.passes.change(name, command, pass_pb2.Pass, _forget)
        done += len(names)
    return done


def _forget(before: Pass) -> Decided:
    after = before.forget_plate()
    return after, messages.vehicle(after, None), ()


# -- small things


def _now(call: Call) -> datetime:
    """To the millisecond, as the store keeps it: a reply says what a later look finds."""
    return call.now.replace(microsecond=call.now.microsecond // 1000 * 1000)


def _allowed(found: Pass | None, name: str, call: Call) -> Pass:
    if found is None:
        raise NotFound(f"there is no {name}")
    call.require(agency=found.agency)
    return found


def _spec_of(app: App, name: str, call: Call) -> ChannelSpec:
    return app.channels.find(_allowed(app.passes.load(name), name, call).channel)


def _told(app: App, vehicle: Pass, spec: ChannelSpec | None = None) -> pass_pb2.Pass:
    return messages.vehicle(vehicle, spec or app.channels.find(vehicle.channel), app.applications.of(vehicle.ticket))
