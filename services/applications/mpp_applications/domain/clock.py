"""The clock of the service standard: when a file is due, at risk and late. Knows no state and no zone.

Rules:

- It starts when the file is complete (UU 25/2009): at ACCEPT, with the time that the standard promised when
  the application was opened. A standard that promises no time has no clock.
- It stands still while a payment is due or the file is on hold. On resuming, the deadline moves by the
  *working time* that the pause took: a pause outside opening hours moves nothing, and a promise in whole
  working days may so come to end within a day. A deadline that had passed before the pause is not moved:
  late stays late.
- It ends when the document is issued, or the file ends otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from mpp_applications.domain.lifecycle import Flag


class Unit(StrEnum):
    WORKING_DAY = "WORKING_DAY"
    WORKING_HOUR = "WORKING_HOUR"
    MINUTE = "MINUTE"


@dataclass(frozen=True, slots=True)
class Promise:
    """The time that a standard promises, counted from the complete file. Minutes are minutes of opening
    time.
    """

    amount: int
    unit: Unit


class WorkingTime(Protocol):
    """What this module asks of a site's working calendar."""

    def add_working_days(self, start: datetime, days: int) -> datetime: ...
    def add_working_hours(self, start: datetime, hours: int) -> datetime: ...
    def add_working_minutes(self, start: datetime, minutes: int) -> datetime: ...
    def add_working_time(self, start: datetime, span: timedelta) -> datetime: ...
    def working_time_between(self, start: datetime, end: datetime) -> timedelta: ...


@dataclass(frozen=True, slots=True)
class Clock:
    """A running or paused deadline; all instants are aware UTC."""

    accepted_at: datetime
    at_risk_at: datetime
    due_at: datetime
    paused_at: datetime | None = None

    def pause(self, now: datetime) -> Clock:
        return replace(self, paused_at=now)

    def resume(self, now: datetime, calendar: WorkingTime) -> Clock:
        """Running again, each deadline that was still ahead moved by the working time of the pause."""
        if self.paused_at is None:
            return self
        pause = calendar.working_time_between(self.paused_at, now)
        at_risk, due = (
            moment if moment <= self.paused_at or not pause else calendar.add_working_time(moment, pause)
            for moment in (self.at_risk_at, self.due_at)
        )
        return replace(self, at_risk_at=at_risk, due_at=due, paused_at=None)

    def falls_due(self, flags: frozenset[Flag]) -> tuple[datetime, Flag] | None:
        """The next flag to raise and when; None while paused or when nothing is left to say."""
        if self.paused_at is not None or Flag.SLA_BREACHED in flags:
            return None
        if Flag.SLA_AT_RISK in flags or self.at_risk_at >= self.due_at:
            return self.due_at, Flag.SLA_BREACHED
        return self.at_risk_at, Flag.SLA_AT_RISK


def start_clock(promise: Promise, now: datetime, calendar: WorkingTime, at_risk_percent: int) -> Clock:
    """A clock that starts now; at risk once `at_risk_percent` of the working time to the deadline has
    passed.
    """
    add = {
        Unit.WORKING_DAY: calendar.add_working_days,
        Unit.WORKING_HOUR: calendar.add_working_hours,
        Unit.MINUTE: calendar.add_working_minutes,
    }[promise.unit]
    due = add(now, promise.amount)
    at_risk = calendar.add_working_time(now, calendar.working_time_between(now, due) * at_risk_percent / 100)
    return Clock(accepted_at=now, at_risk_at=min(at_risk, due), due_at=due)
