"""A counter's life: pure rules, standard library only.

Knows the states of a counter, who holds it and its alarm. Never knows the store, tickets, or the time of day: `now` (aware
UTC) and `today` (the site's ISO local date) come in as arguments. A method returns a new counter that carries the events
of the step; events are not persisted with it.

An officer holds a counter for one local day. Nothing happens at midnight: a session of an earlier day counts as closed
for every rule here, and the sweep that writes it down later only tells the others.

A counter that a call opened, and nobody by OpenCounter, *yields*: another officer may go on there as long as no citizen is
at it. So those who never open counters change shifts without a manager, and those who do hold what they opened.

Not decided here because no single counter can know it: that an officer has one counter (`holder_key` is unique in the
store while a session was opened by OpenCounter), and that nobody is at a counter that closes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from mpp_queue.domain import InvalidField, QueueError

HISTORY_KEPT = 60  # lines; a counter lives for years


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    PAUSED = "paused"


class Cause(StrEnum):
    """Why a session ended."""

    CLOSED = "closed"
    RELEASED = "released"
    DAY_END = "day_end"
    MOVED = "moved"
    HANDED_OVER = "handed_over"


class CounterTaken(QueueError):
    """Another officer works there; metadata: `counter`, `since`. Never who it is."""

    reason: ClassVar[str] = "COUNTER_TAKEN"


class CounterPausedNow(QueueError):
    """No calls until it is resumed; metadata: `counter`, `since`."""

    reason: ClassVar[str] = "COUNTER_PAUSED"


class CounterNotOpen(QueueError):
    """Nobody works there today; metadata: `counter`."""

    reason: ClassVar[str] = "COUNTER_CLOSED"


class OfficerHasCounter(QueueError):
    """An officer has one counter of a site; metadata: `counter`, the name of that one."""

    reason: ClassVar[str] = "OFFICER_HAS_COUNTER"


class NoAlarm(QueueError):
    reason: ClassVar[str] = "NO_ALARM"


class OwnAlarm(QueueError):
    """Whoever pressed the button cannot be the one who comes."""

    reason: ClassVar[str] = "ALARM_OWN"


@dataclass(frozen=True, slots=True)
class Opened:
    pass


@dataclass(frozen=True, slots=True)
class Paused:
    pass


@dataclass(frozen=True, slots=True)
class Resumed:
    pass


@dataclass(frozen=True, slots=True)
class Closed:
    """Of the session that ended, as it was: the counter may have a new one already. `worked` is without the pauses."""

    session: Session
    cause: Cause
    at: datetime
    worked: timedelta
    paused: timedelta


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    pass


@dataclass(frozen=True, slots=True)
class AlarmPressedAgain:
    """Told to nobody but the metrics: it is one alarm."""


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged:
    pass


CounterEvent = Opened | Paused | Resumed | Closed | AlarmRaised | AlarmPressedAgain | AlarmAcknowledged


@dataclass(frozen=True, slots=True)
class Services:
    """What is served at a counter. `offerings` empty: everything of the queue."""

    offerings: tuple[str, ...] = ()
    appointments_only: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One officer's time at the counter, within one local day. `since`: in the present state."""

    day: str
    queue: str
    agency: str
    officer: str
    opened_at: datetime
    since: datetime
    chosen: bool  # by OpenCounter; False: a call opened it, and it does not bind the officer
    services: Services = Services()
    planned_close: datetime | None = None
    paused: timedelta = timedelta(0)  # in the pauses that are over
    pause_reason: str = ""

    def pauses(self, state: State, at: datetime) -> timedelta:
        """All pauses until `at`, in `state` since `since`."""
        running = _span(self.since, at) if state is State.PAUSED else timedelta(0)
        return self.paused + running


@dataclass(frozen=True, slots=True)
class Alarm:
    raised_at: datetime
    raised_by: str
    presses: int
    last_pressed_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""

    @property
    def open(self) -> bool:
        return self.acknowledged_at is None


@dataclass(frozen=True, slots=True)
class HistoryLine:
    at: datetime
    actor: str
    step: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a call needs to know of the counter it is for."""

    offerings: frozenset[str] = frozenset()
    appointments_only: bool = False


@dataclass(frozen=True, slots=True)
class Counter:
    """`sites/{site}/counters/{number}`. `queue` and `agency` are those of the last session, or of whoever made it."""

    name: str
    site_id: str
    number: int
    queue: str
    agency: str
    state: State = State.CLOSED
    session: Session | None = None
    alarm: Alarm | None = None
    since: datetime | None = None  # in CLOSED
    history: tuple[HistoryLine, ...] = ()
    events: tuple[CounterEvent, ...] = field(default=(), compare=False)

    # -- what it is today

    def working(self, today: str) -> Session | None:
        """The session that counts today."""
        session = self.session
        return session if session is not None and session.day >= today else None

    def state_on(self, today: str) -> State:
        return self.state if self.working(today) else State.CLOSED

    @property
    def holder_key(self) -> str:
        """Unique in the site: one counter an officer and day. Empty when nobody is bound."""
        session = self.session
        return f"{session.officer}#{session.day}" if session is not None and session.chosen else ""

    def desk(self, *, today: str, queue: str, officer: str) -> Desk | None:
        """What this officer may call from here; None when nobody holds it and a call may open it.

        Raises CounterTaken, CounterPausedNow. A session for another queue is none: the catalogue gave the counter away.
        """
        session = self._binding(today, queue)
        if session is None or self.yields(today=today, queue=queue, officer=officer):
            return None
        self._refuse_other(session, officer)
        if self.state is State.PAUSED:
            raise CounterPausedNow(f"counter {self.number} is paused; resume it first", metadata=self._told(session))
        return Desk(frozenset(session.services.offerings), session.services.appointments_only)

    def yields(self, *, today: str, queue: str, officer: str) -> bool:
        """Whether somebody else has been calling from here without having opened it. They keep it while a citizen is there,
        which the caller must look for: a counter does not know.
        """
        session = self._binding(today, queue)
        return session is not None and session.officer != officer and not session.chosen and self.state is State.OPEN

    # -- steps

    def open(
        self,
        *,
        now: datetime,
        today: str,
        ends: datetime,
        queue: str,
        agency: str,
        officer: str,
        services: Services = Services(),
        planned_close: datetime | None = None,
        chosen: bool = True,
    ) -> Counter:
        """An officer begins to work here. `ends`: when an earlier day's session ended at the latest (its midnight).

        Again by the same officer: takes the new settings, and resumes. Raises CounterTaken.
        """
        session = self._binding(today, queue)
        if session is not None and not self.yields(today=today, queue=queue, officer=officer):
            self._refuse_other(session, officer)
            bound = replace(session, services=services, planned_close=planned_close, chosen=session.chosen or chosen)
            here = replace(self, session=bound, events=())
            if here.state is State.PAUSED:
                return here.resume(now=now, today=today, officer=officer)
            return here._note(now, officer, "services")
        before = self._lapsed(now, today, ends, queue)
        fresh = Session(today, queue, agency, officer, now, now, chosen, services, planned_close)
        here = replace(before, state=State.OPEN, session=fresh, queue=queue, agency=agency, since=None)
        return here._note(now, officer, "open", "", *before.events, Opened())

    def open_for_call(
        self, *, now: datetime, today: str, ends: datetime, queue: str, agency: str, officer: str
    ) -> Counter:
        """As `open`, for a call: what is served stays as it is, and the officer is not bound to this counter.

        Raises CounterTaken, CounterPausedNow.
        """
        if self.desk(today=today, queue=queue, officer=officer) is not None:
            return replace(self, events=())
        return self.open(now=now, today=today, ends=ends, queue=queue, agency=agency, officer=officer, chosen=False)

    def pause(self, *, now: datetime, today: str, officer: str, reason: str) -> Counter:
        """Once more: the reason changes, nothing else. Raises CounterNotOpen, CounterTaken."""
        session = self._own(today, officer)
        if self.state is State.PAUSED:
            return replace(self, session=replace(session, pause_reason=reason))._note(now, officer, "pause", reason)
        paused = replace(session, since=now, pause_reason=reason)
        return replace(self, state=State.PAUSED, session=paused)._note(now, officer, "pause", reason, Paused())

    def resume(self, *, now: datetime, today: str, officer: str) -> Counter:
        """Nothing when it is open. Raises CounterNotOpen, CounterTaken."""
        session = self._own(today, officer)
        if self.state is State.OPEN:
            return replace(self, events=())
        resumed = replace(session, paused=session.pauses(self.state, now), since=now, pause_reason="")
        return replace(self, state=State.OPEN, session=resumed)._note(now, officer, "resume", "", Resumed())

    def serve(self, *, now: datetime, today: str, actor: str, services: Services, manager: bool = False) -> Counter:
        """Other services from the next call on. Raises CounterNotOpen, CounterTaken."""
        session = self._any(today) if manager else self._own(today, actor)
        return replace(self, session=replace(session, services=services))._note(now, actor, "services")

    def close(self, *, now: datetime, today: str, officer: str) -> Counter:
        """The officer leaves. Raises CounterNotOpen, CounterTaken."""
        session = self._own(today, officer)
        return self._end(session, Cause.CLOSED, now, now, officer, "")

    def release(self, *, now: datetime, today: str, actor: str, reason: str) -> Counter:
        """The site manager takes it from whoever holds it. Raises CounterNotOpen."""
        return self._end(self._any(today), Cause.RELEASED, now, now, actor, reason)

    def lapse(self, *, now: datetime, today: str, ends: datetime, actor: str) -> Counter:
        """Write down that a session of an earlier day is over. Nothing when there is none."""
        if self.session is None or self.working(today) is not None:
            return replace(self, events=())
        return self._end(self.session, Cause.DAY_END, now, _end_of(self.session, ends), actor, "")

    # -- the emergency button

    def raise_alarm(self, *, now: datetime, actor: str) -> Counter:
        """In every state. Pressed again before somebody comes, it is the same alarm."""
        alarm = self.alarm
        if alarm is not None and alarm.open:
            again = replace(alarm, presses=alarm.presses + 1, last_pressed_at=max(now, alarm.last_pressed_at))
            return replace(self, alarm=again, events=(AlarmPressedAgain(),))
        fresh = Alarm(raised_at=now, raised_by=actor, presses=1, last_pressed_at=now)
        return replace(self, alarm=fresh)._note(now, actor, "alarm", "", AlarmRaised())

    def acknowledge(self, *, now: datetime, actor: str) -> Counter:
        """A colleague comes. Raises NoAlarm, OwnAlarm."""
        alarm = self.alarm
        if alarm is None or not alarm.open:
            raise NoAlarm(f"counter {self.number} has no open alarm", metadata={"counter": self.name})
        if actor == alarm.raised_by:
            raise OwnAlarm("somebody else must acknowledge it", metadata={"counter": self.name})
        seen = replace(alarm, acknowledged_at=max(now, alarm.raised_at), acknowledged_by=actor)
        return replace(self, alarm=seen)._note(now, actor, "acknowledge", "", AlarmAcknowledged())

    # -- inside

    def _binding(self, today: str, queue: str) -> Session | None:
        session = self.working(today)
        return session if session is not None and session.queue == queue else None

    def _any(self, today: str) -> Session:
        session = self.working(today)
        if session is None:
            raise CounterNotOpen(f"nobody works at counter {self.number}", metadata={"counter": self.name})
        return session

    def _own(self, today: str, officer: str) -> Session:
        session = self._any(today)
        self._refuse_other(session, officer)
        return session

    def _refuse_other(self, session: Session, officer: str) -> None:
        if session.officer != officer:
            raise CounterTaken(f"another officer works at counter {self.number}", metadata=self._told(session))

    def _told(self, session: Session) -> dict[str, str]:
        return {"counter": self.name, "since": session.since.isoformat()}

    def _lapsed(self, now: datetime, today: str, ends: datetime, queue: str) -> Counter:
        """Without the session that does not count any more: of an earlier day, of a queue that lost the counter, or one
        that yields.
        """
        if self.session is None:
            return replace(self, events=())
        if self.working(today) is None:
            return self._end(self.session, Cause.DAY_END, now, _end_of(self.session, ends), "system", "")
        cause = Cause.MOVED if self._binding(today, queue) is None else Cause.HANDED_OVER
        return self._end(self.session, cause, now, now, "system", "")

    def _end(self, session: Session, cause: Cause, now: datetime, at: datetime, actor: str, reason: str) -> Counter:
        at = max(at, session.opened_at)
        paused = session.pauses(self.state, at)
        worked = max(_span(session.opened_at, at) - paused, timedelta(0))
        over = Closed(session, cause, at, worked, paused)
        shut = replace(self, state=State.CLOSED, session=None, since=at)
        return shut._note(now, actor, cause.value, reason, over)

    def _note(self, now: datetime, actor: str, step: str, reason: str = "", *events: CounterEvent) -> Counter:
        lines = (*self.history, HistoryLine(now, actor, step, reason))[-HISTORY_KEPT:]
        return replace(self, history=lines, events=events)


def counter_name(site_id: str, number: int) -> str:
    return f"sites/{site_id}/counters/{number}"


def services_of(site_id: str, offerings: Sequence[str], *, appointments_only: bool) -> Services:
    """Raises InvalidField for what is of another site: nobody there could be called to this counter."""
    for n, offering in enumerate(offerings):
        if not offering.startswith(f"sites/{site_id}/"):
            raise InvalidField(f"offerings[{n}]", f"is not of sites/{site_id}")
    return Services(tuple(offerings), appointments_only)


def never_opened(site_id: str, number: int, queue: str, agency: str) -> Counter:
    return Counter(counter_name(site_id, number), site_id, number, queue, agency)


def by_number(counters: Sequence[Counter]) -> list[Counter]:
    return sorted(counters, key=lambda c: c.number)


def _end_of(session: Session, ends: datetime) -> datetime:
    """Nobody said when the officer left: when they meant to, else the end of the day."""
    planned = session.planned_close
    return min(planned, ends) if planned is not None else ends


def _span(start: datetime, end: datetime) -> timedelta:
    """Never negative: two machines' clocks may differ."""
    return max(end - start, timedelta(0))
