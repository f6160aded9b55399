"""Counters, alarms and their events as the public contract shows them. Knows both shapes; decides nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from mpp.queue.v1 import counter_pb2, events_pb2
from mpp_chassis.events import Event

from mpp_queue.counters import domain
from mpp_queue.counters.domain import Alarm, Cause, Counter, Session, State
from mpp_queue.counters.store import AtCounter

_STATES: dict[State, Any] = {state: counter_pb2.Counter.State.Value(f"STATE_{state.name}") for state in State}
_CAUSES: dict[Cause, Any] = {cause: events_pb2.CounterClosed.Cause.Value(f"CAUSE_{cause.name}") for cause in Cause}


def counter(c: Counter, today: str, *, viewer: str, manager: bool, there: AtCounter | None = None) -> Any:
    """The reply. The officer is told to themselves and to the site manager only."""
    session = c.working(today)
    reply = counter_pb2.Counter(
        name=c.name,
        number=c.number,
        queue=c.queue,
        agency=c.agency,
        state=_STATES[c.state_on(today)],
        alarm_open=c.alarm is not None and c.alarm.open,
    )
    since = session.since if session else c.since
    if since and not (
        session is None and c.session is not None
    ):  # a session of an earlier day: nobody said when it ended
        _stamp(reply.since, since)
    if session is not None:
        _working(reply, session, session.officer if manager or viewer == session.officer else "")
    if there is not None:
        reply.ticket, reply.ticket_number = there.ticket, there.number
        if there.since:
            _stamp(reply.ticket_since, there.since)
    return reply


def _working(reply: counter_pb2.Counter, session: Session, officer: str) -> None:
    reply.officer = officer
    reply.offerings.extend(session.services.offerings)
    reply.appointments_only = session.services.appointments_only
    reply.pause_reason = session.pause_reason
    _stamp(reply.opened_at, session.opened_at)
    if session.planned_close:
        _stamp(reply.planned_close, session.planned_close)


def alarm(c: Counter) -> counter_pb2.CounterAlarm:
    """Without who pressed it: the number of the counter is what a colleague needs."""
    assert c.alarm is not None
    reply = counter_pb2.CounterAlarm(counter=c.name, number=c.number, agency=c.agency, presses=c.alarm.presses)
    _stamp(reply.raised_at, c.alarm.raised_at)
    _stamp(reply.last_pressed_at, c.alarm.last_pressed_at)
    if c.alarm.acknowledged_at:
        _stamp(reply.acknowledged_at, c.alarm.acknowledged_at)
    return reply


def events(c: Counter) -> list[Event]:
    """The counter's new events in their envelope-ready form."""
    messages = (_event(c, event) for event in c.events)
    return [Event(message, c.name) for message in messages if message is not None]


def _event(c: Counter, event: domain.CounterEvent) -> Message | None:
    if isinstance(event, domain.Closed):
        return _closed(c, event)
    if isinstance(event, domain.AlarmPressedAgain):
        return None
    if isinstance(event, domain.AlarmRaised | domain.AlarmAcknowledged):
        assert c.alarm is not None
        return _alarm_event(c, c.alarm, event)
    assert c.session is not None
    if isinstance(event, domain.Opened):
        return _opened(c, c.session)
    kind = events_pb2.CounterPaused if isinstance(event, domain.Paused) else events_pb2.CounterResumed
    message = kind(
        counter=c.name,
        number=c.number,
        queue=c.session.queue,
        agency=c.session.agency,
    )
    _stamp(message.paused_at if isinstance(message, events_pb2.CounterPaused) else message.resumed_at, c.session.since)
    return message


def _opened(c: Counter, session: Session) -> events_pb2.CounterOpened:
    message = events_pb2.CounterOpened(
        counter=c.name,
        number=c.number,
        queue=session.queue,
        agency=session.agency,
        day=session.day,
        offerings=session.services.offerings,
        appointments_only=session.services.appointments_only,
    )
    _stamp(message.opened_at, session.opened_at)
    if session.planned_close:
        _stamp(message.planned_close, session.planned_close)
    return message


def _closed(c: Counter, event: domain.Closed) -> events_pb2.CounterClosed:
    session = event.session
    message = events_pb2.CounterClosed(
        counter=c.name,
        number=c.number,
        queue=session.queue,
        agency=session.agency,
        day=session.day,
        open_seconds=_seconds(event.worked),
        paused_seconds=_seconds(event.paused),
        cause=_CAUSES[event.cause],
    )
    _stamp(message.opened_at, session.opened_at)
    _stamp(message.closed_at, event.at)
    return message


def _alarm_event(c: Counter, alarm: Alarm, event: domain.AlarmRaised | domain.AlarmAcknowledged) -> Message:
    if isinstance(event, domain.AlarmRaised):
        raised = events_pb2.CounterAlarmRaised(counter=c.name, number=c.number, agency=c.agency)
        _stamp(raised.raised_at, alarm.raised_at)
        return raised
    seen = events_pb2.CounterAlarmAcknowledged(counter=c.name, number=c.number, agency=c.agency, presses=alarm.presses)
    _stamp(seen.raised_at, alarm.raised_at)
    if alarm.acknowledged_at:
        _stamp(seen.acknowledged_at, alarm.acknowledged_at)
    return seen


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _stamp(field: Any, moment: datetime) -> None:
    field.FromDatetime(moment)
