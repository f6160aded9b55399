"""The domain as protos: replies and events. Knows both forms; decides nothing. No reply and no event has a plate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from mpp.catalog.v1 import site_pb2
from mpp.drivethru.v1 import events_pb2, pass_pb2
from mpp.queue.v1 import ticket_pb2
from mpp_chassis.events import Event

from mpp_drivethru import domain
from mpp_drivethru.domain import Cause, ChannelSpec, Pass, Shut, State, TicketState

_STATES: dict[State, Any] = {state: pass_pb2.Pass.State.Value(f"STATE_{state.name}") for state in State}
_CAUSES: dict[Cause, Any] = {
    cause: pass_pb2.Pass.Cause.Value("CAUSE_UNSPECIFIED" if cause is Cause.NONE else f"CAUSE_{cause.name}")
    for cause in Cause
}
_CAUSE_OF = {number: cause for cause, number in _CAUSES.items()}
_STEPS: dict[domain.Step, Any] = {step: events_pb2.PassAdvanced.Step.Value(f"STEP_{step.name}") for step in domain.Step}
# MISSED: nobody came, the ticket waits again. PARKED: stepped aside before it came to a lane. A state that a lane does not
# mind, or that is younger than this, is not here.
_TICKET_STATES = {
    **{f"STATE_{state.name}": state for state in TicketState},
    "STATE_MISSED": TicketState.WAITING,
    "STATE_PARKED": TicketState.WAITING,
}


def cause_of(number: int) -> Cause:
    """The domain's cause of a proto enum value (validated before)."""
    return _CAUSE_OF[number]


def ticket_state(number: int) -> TicketState | None:
    """What the queue's state means to a lane; None when a lane does not mind it."""
    known = ticket_pb2.Ticket.State.DESCRIPTOR.values_by_number.get(number)
    return _TICKET_STATES.get(known.name) if known else None


def vehicle(p: Pass, spec: ChannelSpec | None, applications: Mapping[str, int] | None = None) -> pass_pb2.Pass:
    """The reply: never the plate, only its mask. `applications`: state by name. Without `spec` no next stage is told."""
    reply = pass_pb2.Pass(
        name=p.name,
        ticket=p.ticket,
        number=p.number,
        agency=p.agency,
        offering=p.offering,
        state=_STATES[p.state],
        lane=p.lane,
        counter=p.counter,
        next_stage=p.next_stage(spec) if spec else "",
        masked_plate=p.masked_plate,
        cause=_CAUSES[p.cause],
    )
    for time in p.stages:
        told = reply.stages.add(stage=time.stage)
        _stamp(told.started_at, time.started_at)
        _stamp(told.finished_at, time.finished_at)
    for name, state in sorted((applications or {}).items()):
        told_application = reply.applications.add(application=name)
        told_application.state = state  # type: ignore[assignment]
    _stamp(reply.registered_at, p.registered_at)
    _stamp(reply.called_at, p.called_at)
    _stamp(reply.ended_at, p.ended_at)
    return reply


def lane(
    name: str, spec: ChannelSpec, shut: Shut | None, inside: Sequence[Pass], called: Iterable[Pass], waiting: int
) -> pass_pb2.Lane:
    """The display of a lane: numbers and stages, and why nobody new may come. `inside`: who is in it, first in first."""
    lane_spec = spec.lane(name.rsplit("/", 1)[1])
    reply = pass_pb2.Lane(name=name, waiting=waiting, called=[p.number for p in called])
    reply.display_name.CopyFrom(_text(lane_spec.text if lane_spec else domain.Text("")))
    for stage in spec.stages:
        told = reply.stages.add(stage=stage.id, display_name=_text(stage.text))
        for p in inside:
            if p.at_stage == stage.id:
                told.number = p.number
                _stamp(told.started_at, p.stages[-1].started_at)
            elif not p.at_stage and p.stages[-1].stage == stage.id:
                told.finished.append(p.number)
    if shut is not None:
        reply.closed_reason = shut.reason
        reply.closed_text.CopyFrom(_text(shut.text))
        _stamp(reply.opens_at, shut.opens_at)
    return reply


def report(passes: Sequence[Pass], spec: ChannelSpec) -> pass_pb2.StageReport:
    counts = {state: sum(p.state is state for p in passes) for state in State}
    reply = pass_pb2.StageReport(done=counts[State.DONE], aside=counts[State.ASIDE], abandoned=counts[State.ABANDONED])
    for stage in spec.stages:
        times = [
            s.finished_at - s.started_at for p in passes for s in p.stages if s.stage == stage.id and s.finished_at
        ]
        found = domain.statistics(times)
        line = reply.stages.add(stage=stage.id, count=found.count)
        line.median.FromTimedelta(found.median)
        line.p90.FromTimedelta(found.p90)
        line.declared.FromTimedelta(timedelta(minutes=stage.minutes))
    totals = [p.ended_at - p.registered_at for p in passes if p.state is State.DONE and p.ended_at]
    reply.median_total.FromTimedelta(domain.statistics(totals).median)
    return reply


def events(p: Pass) -> list[Event]:
    """The pass's new events in their envelope-ready form."""
    return [Event(_event(p, event), p.name) for event in p.events]


def _event(p: Pass, event: domain.PassEvent) -> Message:
    if isinstance(event, domain.Registered):
        return _registered(p)
    return _advanced(p, event) if isinstance(event, domain.Advanced) else _ended(p, event)


def _registered(p: Pass) -> events_pb2.PassRegistered:
    message = events_pb2.PassRegistered(
        pass_name=p.name, ticket=p.ticket, number=p.number, agency=p.agency, offering=p.offering
    )
    _stamp(message.registered_at, p.registered_at)
    return message


def _advanced(p: Pass, event: domain.Advanced) -> events_pb2.PassAdvanced:
    message = events_pb2.PassAdvanced(
        pass_name=p.name,
        number=p.number,
        agency=p.agency,
        lane=p.lane,
        step=_STEPS[event.step],
        stage=event.stage,
        seconds=int(event.took.total_seconds()),
    )
    _stamp(message.at, event.at)
    return message


def _ended(p: Pass, event: domain.Ended) -> events_pb2.PassEnded:
    message = events_pb2.PassEnded(
        pass_name=p.name,
        ticket=p.ticket,
        number=p.number,
        agency=p.agency,
        offering=p.offering,
        lane=p.lane,
        state=_STATES[p.state],
        cause=_CAUSES[p.cause],
        seconds=int((event.at - p.registered_at).total_seconds()),
    )
    _stamp(message.ended_at, event.at)
    return message


def _text(text: domain.Text) -> site_pb2.LocalizedText:
    return site_pb2.LocalizedText(id=text.id, en=text.en)


def _stamp(field: Any, moment: datetime | None) -> None:
    if moment is not None:
        field.FromDatetime(moment)
