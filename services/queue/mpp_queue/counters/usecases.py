"""Load, decide, save of counters: one function a command, and `desk_for_call` for whoever calls a ticket.

Knows the order of steps; rules are in domain.py, queries in store.py. Never imports the tickets' use cases: they import
this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mpp.queue.v1 import counter_pb2, counters_service_pb2
from mpp_chassis import logs
from mpp_chassis.aggregates import Stale, Taken
from mpp_chassis.call import Call, Command
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event
from mpp_chassis.privacy import looks_personal

from mpp_queue import metrics
from mpp_queue.counters import domain, messages
from mpp_queue.counters.domain import Counter, Desk, OfficerHasCounter
from mpp_queue.counters.store import HOLDER_INDEX, Counters, Desks, Layout, Loaded, Place
from mpp_queue.domain import CounterBusy, InvalidField, QueueSpec, busy_key
from mpp_queue.views import Queues

SWEEP_BATCH = 200
ACTOR = "service:queue"
log = logs.get(part="counters")


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    counters: Counters
    desks: Desks
    layout: Layout
    queues: Queues


def desk_for_call(app: App, spec: QueueSpec, counter: int, call: Call) -> Desk:
    """What the caller may call from this counter, which the caller has checked to be one of `spec.counters`.

    One read when the counter is the caller's already. A counter that nobody opened is opened for the caller, also after
    another officer whose citizen has left: small sites never open one. Raises CounterTaken, CounterPausedNow, CounterBusy,
    OfficerHasCounter, NotFound, Aborted.

    Guaranteed: nobody calls from a counter that somebody else opened by OpenCounter. Not guaranteed: that it is still the
    caller's when the call is written; of two who call from a free counter at once, the tickets' `counter_taken` decides.
    """
    desk = held_desk(app, spec, counter, call)
    return desk if desk is not None else _open_for_call(app, spec, counter, call)


def held_desk(app: App, spec: QueueSpec, counter: int, call: Call) -> Desk | None:
    """As `desk_for_call`, but opens nothing: None when the counter is to be opened first. One read. Raises CounterTaken,
    CounterPausedNow.
    """
    there = app.counters.load(domain.counter_name(spec.site_id, counter))
    today = local_day(spec.zone, call.now)
    return there.desk(today=today, queue=spec.name, officer=call.actor) if there else None


def _open_for_call(app: App, spec: QueueSpec, counter: int, call: Call) -> Desk:
    name, today = domain.counter_name(spec.site_id, counter), local_day(spec.zone, call.now)
    _refuse_second(app, spec.site_id, name, call.actor, today)
    given = call.mutation
    command = Command(given.request_id, "OpenForCall", name, call.actor, call.now, given.traceparent)
    desks = [Desk()]

    def decide(c: Counter) -> Counter:
        _refuse_working(app, c, today, spec.name, call.actor)
        opened = c.open_for_call(
            now=call.now,
            today=today,
            ends=ends_of(c, spec.zone, call.now),
            queue=spec.name,
            agency=spec.agency,
            officer=call.actor,
        )
        desks.append(opened.desk(today=today, queue=spec.name, officer=call.actor) or Desk())
        return opened

    _change(app, name, command, call, spec.zone, decide, _maker(spec, counter))
    return desks[-1]


def open_counter(app: App, request: counters_service_pb2.OpenCounterRequest, call: Call) -> counter_pb2.Counter:
    """Raises CounterTaken, CounterBusy, OfficerHasCounter, InvalidField, NotFound, FailedPrecondition, PermissionDenied."""
    number = number_of(request.name)
    spec = app.queues.find(request.queue)
    call.require(agency=spec.agency)
    if number not in spec.counters:
        spec = app.queues.find(request.queue, fresh=True)
    if number not in spec.counters:
        raise InvalidField("name", f"{spec.name} has no counter {number}")
    services = domain.services_of(spec.site_id, request.offerings, appointments_only=request.appointments_only)
    planned, today = _planned_close(request, call.now), local_day(spec.zone, call.now)

    def decide(c: Counter) -> Counter:
        _refuse_working(app, c, today, spec.name, call.actor)
        return c.open(
            now=call.now,
            today=today,
            ends=ends_of(c, spec.zone, call.now),
            queue=spec.name,
            agency=spec.agency,
            officer=call.actor,
            services=services,
            planned_close=planned,
        )

    return _change(app, request.name, call.mutation, call, spec.zone, decide, _maker(spec, number))


def pause_counter(app: App, request: counters_service_pb2.PauseCounterRequest, call: Call) -> counter_pb2.Counter:
    """Raises CounterNotOpen, CounterTaken, InvalidField, NotFound, PermissionDenied."""
    _refuse_personal(request.reason)
    return _step(
        app,
        request.name,
        call,
        lambda c, today: c.pause(now=call.now, today=today, officer=call.actor, reason=request.reason),
    )


def resume_counter(app: App, request: counters_service_pb2.ResumeCounterRequest, call: Call) -> counter_pb2.Counter:
    """Raises CounterNotOpen, CounterTaken, NotFound, PermissionDenied."""
    return _step(app, request.name, call, lambda c, today: c.resume(now=call.now, today=today, officer=call.actor))


def close_counter(app: App, request: counters_service_pb2.CloseCounterRequest, call: Call) -> counter_pb2.Counter:
    """Raises CounterBusy while a ticket is there, CounterNotOpen, CounterTaken, NotFound, PermissionDenied."""

    def close(c: Counter, today: str) -> Counter:
        closed = c.close(now=call.now, today=today, officer=call.actor)
        _refuse_busy(app, c, today)
        return closed

    return _step(app, request.name, call, close)


def release_counter(app: App, request: counters_service_pb2.ReleaseCounterRequest, call: Call) -> counter_pb2.Counter:
    """Also with a ticket there: whoever opens next goes on with it. Raises CounterNotOpen, InvalidField, NotFound."""
    _refuse_personal(request.reason)
    return _step(
        app,
        request.name,
        call,
        lambda c, today: c.release(now=call.now, today=today, actor=call.actor, reason=request.reason),
    )


def set_counter_services(
    app: App, request: counters_service_pb2.SetCounterServicesRequest, call: Call
) -> counter_pb2.Counter:
    """Raises CounterNotOpen, CounterTaken, InvalidField, NotFound, PermissionDenied."""
    site_id = request.name.split("/")[1]
    services = domain.services_of(site_id, request.offerings, appointments_only=request.appointments_only)
    return _step(
        app,
        request.name,
        call,
        lambda c, today: c.serve(
            now=call.now, today=today, actor=call.actor, services=services, manager="site" in call.scopes
        ),
    )


def get_counter(app: App, name: str, call: Call) -> counter_pb2.Counter:
    """Raises NotFound when the catalogue lists no such counter and nobody ever worked there."""
    site_id, number = name.split("/")[1], number_of(name)
    found = app.counters.load(name) or _listed(app, site_id, number)
    return _shown(app, site_id, [found], call)[0]


def list_counters(
    app: App, request: counters_service_pb2.ListCountersRequest, call: Call
) -> counters_service_pb2.ListCountersResponse:
    """Every counter that the catalogue lists, also those where nobody ever worked, by number. Raises NotFound."""
    site_id = request.parent.split("/")[1]
    wanted = [
        (number, place)
        for place in app.layout.places(site_id)
        if request.queue in ("", place.queue) and request.agency in ("", place.agency)
        for number in place.counters
    ]
    known = app.counters.named([domain.counter_name(site_id, number) for number, _ in wanted])
    counters = [_as_listed(known.get(domain.counter_name(site_id, n)), site_id, n, place) for n, place in wanted]
    shown = _shown(app, site_id, sorted(counters, key=lambda c: (c.number, c.queue)), call)
    return counters_service_pb2.ListCountersResponse(counters=shown)


def raise_alarm(
    app: App, request: counters_service_pb2.RaiseCounterAlarmRequest, call: Call
) -> counter_pb2.CounterAlarm:
    """By anybody who works at the site, whatever state the counter is in. Raises NotFound, Aborted."""
    site_id, number = request.name.split("/")[1], number_of(request.name)
    return _alarm_step(
        app,
        request.name,
        call,
        lambda c: c.raise_alarm(now=call.now, actor=call.actor),
        lambda: _listed(app, site_id, number),
    )


def acknowledge_alarm(
    app: App, request: counters_service_pb2.AcknowledgeCounterAlarmRequest, call: Call
) -> counter_pb2.CounterAlarm:
    """Raises NoAlarm, OwnAlarm, NotFound."""
    return _alarm_step(app, request.name, call, lambda c: c.acknowledge(now=call.now, actor=call.actor), None)


def list_alarms(
    app: App, request: counters_service_pb2.ListCounterAlarmsRequest, call: Call
) -> counters_service_pb2.ListCounterAlarmsResponse:
    found = app.counters.alarms(request.parent.split("/")[1])
    return counters_service_pb2.ListCounterAlarmsResponse(alarms=map(messages.alarm, found))


def close_earlier_days(app: App, now: datetime) -> int:
    """Write down which sessions ended with their day; returns how many. Safe to run twice and by several. A damaged document
    keeps its own site's from being written down, no other: it is told in the log, for an operator to look at.
    """
    closed = 0
    for site_id, zone in app.layout.zones():
        try:
            closed += _close_site(app, site_id, zone, now)
        except (KeyError, TypeError, ValueError) as e:
            log.error("counter_unreadable", site=site_id, error=type(e).__name__)
    return closed


def _close_site(app: App, site_id: str, zone: str, now: datetime) -> int:
    closed, today = 0, local_day(zone, now)
    while batch := app.counters.left_over(site_id, today, SWEEP_BATCH):
        done = sum(_lapse(app, loaded, zone, today, now) for loaded in batch)
        closed += done
        if done < len(batch) or len(batch) < SWEEP_BATCH:
            break
    return closed


def _lapse(app: App, loaded: Loaded, zone: str, today: str, now: datetime) -> bool:
    before = loaded.counter
    assert before.session is not None
    after = before.lapse(now=now, today=today, ends=ends_of(before, zone, now), actor=ACTOR)
    command = Command(f"lapse:{before.session.day}", "LapseCounter", before.name, ACTOR, now)
    reply = messages.counter(after, today, viewer=ACTOR, manager=False)
    try:
        app.counters.save(loaded, after, command, reply, messages.events(after))
    except Stale:
        return False  # somebody opened it; that wrote the end down too
    metrics.count_counter(after)
    return True


# -- inside


def _step(app: App, name: str, call: Call, decide: Callable[[Counter, str], Counter]) -> counter_pb2.Counter:
    zone = app.layout.zone(name.split("/")[1])
    today = local_day(zone, call.now)

    def own(c: Counter) -> Counter:
        call.require(agency=c.agency)
        return decide(c, today)

    return _change(app, name, call.mutation, call, zone, own, None)


def _change(
    app: App,
    name: str,
    command: Command,
    call: Call,
    zone: str,
    decide: Callable[[Counter], Counter],
    first: Callable[[], Counter] | None,
) -> counter_pb2.Counter:
    today, decided = local_day(zone, call.now), list[Counter]()  # empty when the command was repeated

    def decision(before: Counter) -> tuple[Counter, counter_pb2.Counter, Sequence[Event]]:
        decided.append(decide(before))
        after = decided[-1]
        reply = messages.counter(after, today, viewer=call.actor, manager="site" in call.scopes)
        return after, reply, messages.events(after)

    try:
        reply = app.counters.change(name, command, counter_pb2.Counter, decision, first)
    except Taken as e:
        if e.index not in (HOLDER_INDEX, ""):
            raise
        _refuse_second(app, name.split("/")[1], name, call.actor, today)
        raise
    for counter in decided[-1:]:
        metrics.count_counter(counter)
    return reply


def _alarm_step(
    app: App, name: str, call: Call, decide: Callable[[Counter], Counter], first: Callable[[], Counter] | None
) -> counter_pb2.CounterAlarm:
    decided: list[Counter] = []

    def decision(before: Counter) -> tuple[Counter, counter_pb2.CounterAlarm, Sequence[Event]]:
        decided.append(decide(before))
        return decided[-1], messages.alarm(decided[-1]), messages.events(decided[-1])

    reply = app.counters.change(name, call.mutation, counter_pb2.CounterAlarm, decision, first)
    for counter in decided[-1:]:
        metrics.count_counter(counter)
    return reply


def _shown(app: App, site_id: str, counters: Sequence[Counter], call: Call) -> list[counter_pb2.Counter]:
    """With who is there: one query for all."""
    today = local_day(app.layout.zone(site_id), call.now)
    keys = {c.name: busy_key(c.queue, c.number, today) for c in counters}
    there = app.desks.at(site_id, list(keys.values()))
    manager = "site" in call.scopes and "site_manager" in call.caller.roles
    return [
        messages.counter(c, today, viewer=call.actor, manager=manager, there=there.get(keys[c.name])) for c in counters
    ]


def _as_listed(known: Counter | None, site_id: str, number: int, place: Place) -> Counter:
    """What the catalogue says now; of the document only what belongs to this queue."""
    if known is None or known.queue != place.queue:
        return domain.never_opened(site_id, number, place.queue, place.agency)
    return known


def _listed(app: App, site_id: str, number: int) -> Counter:
    """A counter of the catalogue that nobody worked at. Raises NotFound."""
    for place in app.layout.places(site_id):
        if number in place.counters:
            return domain.never_opened(site_id, number, place.queue, place.agency)
    raise NotFound(f"sites/{site_id} has no counter {number}", field="name")


def _maker(spec: QueueSpec, number: int) -> Callable[[], Counter]:
    return lambda: domain.never_opened(spec.site_id, number, spec.name, spec.agency)


def _refuse_working(app: App, c: Counter, today: str, queue: str, officer: str) -> None:
    """Raises CounterBusy while somebody who did not open the counter has a citizen there."""
    if c.yields(today=today, queue=queue, officer=officer):
        _refuse_busy(app, c, today)


def _refuse_busy(app: App, c: Counter, today: str) -> None:
    key = busy_key(c.queue, c.number, today)
    there = app.desks.at(c.site_id, [key]).get(key)
    if there is not None:
        raise CounterBusy(
            f"counter {c.number} still has {there.number}",
            metadata={"ticket": there.ticket, "number": there.number, "counter": str(c.number)},
        )


def _refuse_second(app: App, site_id: str, name: str, officer: str, today: str) -> None:
    held = app.counters.held_by(site_id, f"{officer}#{today}")
    if held is not None and held.name != name:
        raise OfficerHasCounter(f"you work at counter {held.number} already", metadata={"counter": held.name})


def _refuse_personal(reason: str) -> None:
    if looks_personal(reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")


def _planned_close(request: counters_service_pb2.OpenCounterRequest, now: datetime) -> datetime | None:
    """Raises InvalidField when it is past or more than a day away."""
    if not request.HasField("planned_close"):
        return None
    planned = request.planned_close.ToDatetime(UTC)
    if not now < planned <= now + timedelta(days=1):
        raise InvalidField("planned_close", "must be within the next 24 hours")
    return planned


def number_of(name: str) -> int:
    return int(name.rsplit("/", 1)[1])


def local_day(zone: str, now: datetime) -> str:
    """The ISO date that a clock on the site's wall shows."""
    return now.astimezone(ZoneInfo(zone)).date().isoformat()


def ends_of(c: Counter, zone: str, now: datetime) -> datetime:
    """The midnight after the session's day, `now` when there is none."""
    if c.session is None:
        return now
    after = date.fromisoformat(c.session.day) + timedelta(days=1)
    return datetime.combine(after, time(), ZoneInfo(zone)).astimezone(UTC)
