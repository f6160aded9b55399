"""Alarms as the public contract shows them: never the key of the phone, device or
person. Knows both shapes; decides nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mpp.queue.v1 import events_pb2
from mpp.queue.v1 import guard_service_pb2 as pb
from mpp_chassis.events import Event

from mpp_queue.guard.domain import Alarm

_ORIGINS = {
    "phone": pb.BookingAlarm.ORIGIN_PHONE,
    "device": pb.BookingAlarm.ORIGIN_DEVICE,
    "person": pb.BookingAlarm.ORIGIN_PERSON,
}
_REACHES = {"queue": pb.BookingAlarm.REACH_QUEUE, "site": pb.BookingAlarm.REACH_SITE}
_SUBJECTS = {"taken": pb.BookingAlarm.SUBJECT_TAKEN, "held": pb.BookingAlarm.SUBJECT_HELD}


def alarm(a: Alarm) -> pb.BookingAlarm:
    reply = pb.BookingAlarm(
        name=a.name,
        queue=a.queue,
        agency=a.agency,
        origin=_ORIGINS[a.origin],
        count=a.count,
        window_minutes=_minutes(a),
        tickets=a.tickets,
        acknowledged_by=a.acknowledged_by,
        reason=a.reason,
        reach=_REACHES[a.reach],
        subject=_SUBJECTS[a.subject],
        pseudonym=a.pseudonym,
    )
    _stamp(reply.raised_at, a.raised_at)
    if a.acknowledged_at is not None:
        _stamp(reply.acknowledged_at, a.acknowledged_at)
    return reply


def raised(a: Alarm) -> Event:
    event = events_pb2.BookingAlarmRaised(
        alarm=a.name, queue=a.queue, agency=a.agency, origin=a.origin, count=a.count, window_minutes=_minutes(a),
        reach=a.reach, subject=a.subject,
    )  # fmt: skip
    _stamp(event.raised_at, a.raised_at)
    return Event(event, a.name)


def acknowledged(a: Alarm) -> Event:
    event = events_pb2.BookingAlarmAcknowledged(alarm=a.name, queue=a.queue)
    assert a.acknowledged_at is not None
    _stamp(event.at, a.acknowledged_at)
    return Event(event, a.name)


def _minutes(a: Alarm) -> int:
    return int(a.window.total_seconds() // 60)


def _stamp(field: Any, moment: datetime) -> None:
    field.FromDatetime(moment)
