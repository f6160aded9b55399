"""One vehicle's way through a lane: its states, what the queue says of its ticket, the steps. Never the store or a clock:
`now` (aware UTC) comes in, and so do those who are before it in the lane.

A lane is first in, first out: a vehicle cannot overtake. What makes that hold with any number of processes is that a lane
only moves forward: `place` is given once (a unique index), and those before a vehicle only advance or leave. So a look at
them that is a moment old may refuse what has become possible, but never allows what is not (see `Pass.start`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from mpp_drivethru.domain.channels import ChannelSpec
from mpp_drivethru.domain.errors import InvalidField, LaneBlocked, StageTaken, WrongState


class State(StrEnum):
    WAITING = "waiting"
    CALLED = "called"
    IN_LANE = "in_lane"
    DONE = "done"
    ASIDE = "aside"
    ABANDONED = "abandoned"


OPEN = frozenset({State.WAITING, State.CALLED, State.IN_LANE})


class Cause(StrEnum):
    """Why a pass ended before its hand-over."""

    NONE = ""
    INCOMPLETE_DOCUMENTS = "incomplete_documents"
    PAYMENT = "payment"
    IDENTITY = "identity"
    EQUIPMENT = "equipment"
    OTHER = "other"
    TRANSFERRED = "transferred"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    CLOSED_AT_DAY_END = "closed_at_day_end"
    SERVED_ELSEWHERE = "served_elsewhere"


class Step(StrEnum):
    """What an event of a pass that goes on tells."""

    CALLED = "called"
    BACK_TO_WAITING = "back_to_waiting"
    STAGE_STARTED = "stage_started"
    STAGE_FINISHED = "stage_finished"


class TicketState(StrEnum):
    """What the queue says of a ticket, as far as a lane minds."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    FINISHED = "finished"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    CLOSED_AT_DAY_END = "closed_at_day_end"
    TRANSFERRED = "transferred"


_ENDS: Mapping[TicketState, tuple[State, Cause]] = {
    TicketState.NO_SHOW: (State.ABANDONED, Cause.NO_SHOW),
    TicketState.CANCELLED: (State.ABANDONED, Cause.CANCELLED),
    TicketState.CLOSED_AT_DAY_END: (State.ABANDONED, Cause.CLOSED_AT_DAY_END),
    TicketState.TRANSFERRED: (State.ASIDE, Cause.TRANSFERRED),
}


@dataclass(frozen=True, slots=True)
class TicketNews:
    """The state of a ticket as the queue told it. `sequence` orders what its events say; 0: asked just now."""

    ticket: str
    state: TicketState
    at: datetime
    counter: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class StageTime:
    stage: str
    started_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    pass


@dataclass(frozen=True, slots=True)
class Advanced:
    step: Step
    at: datetime
    stage: str = ""
    took: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Ended:
    at: datetime


PassEvent = Registered | Advanced | Ended


@dataclass(frozen=True, slots=True)
class Pass:
    """One vehicle's way. Each method returns a new pass that carries the event of its step in `events`."""

    name: str
    site_id: str
    channel: str
    agency: str
    ticket: str
    number: str
    offering: str
    day: str
    registered_at: datetime
    sealed_plate: str = ""
    plate_index: str = ""
    masked_plate: str = ""
    state: State = State.WAITING
    lane: str = ""
    place: int = 0
    counter: int = 0
    stages: tuple[StageTime, ...] = ()
    cause: Cause = Cause.NONE
    called_at: datetime | None = None
    ended_at: datetime | None = None
    heard: int = 0
    events: tuple[PassEvent, ...] = field(default=(), compare=False)

    # -- where it is

    @property
    def at_stage(self) -> str:
        """The stage at which the vehicle stands; empty between two and outside the lane."""
        last = self.stages[-1] if self.stages else None
        return last.stage if last and last.finished_at is None and self.state is State.IN_LANE else ""

    def next_stage(self, spec: ChannelSpec) -> str:
        """The first stage that it has not come to; empty when there is none, or when it is not its turn."""
        if self.state not in (State.CALLED, State.IN_LANE) or self.at_stage:
            return ""
        after = self._passed(spec) + 1
        return spec.stages[after].id if after < len(spec.stages) else ""

    def position(self, spec: ChannelSpec) -> int:
        """How far into the lane: 2i at stage i, 2i + 1 between it and the next, -1 before the first."""
        passed = self._passed(spec)
        return 2 * passed + (0 if self.at_stage else 1) if passed >= 0 else -1

    def _passed(self, spec: ChannelSpec) -> int:
        """The index of the last stage it came to; the channel may have lost some since."""
        return next((i for s in reversed(self.stages) if (i := spec.index(s.stage)) >= 0), -1)

    # -- what happens to it

    def with_ticket(self, ticket: str, number: str, offering: str) -> Pass:
        """At the gate, its number came."""
        return replace(self, ticket=ticket, number=number, offering=offering)

    def hear(self, news: TicketNews, spec: ChannelSpec) -> Pass:
        """The queue said something of the ticket. The same pass when it changes nothing: what is older than what was
        heard, and what a lane does not mind (a vehicle in the lane is the lane's).
        """
        if self.state not in OPEN or (news.sequence and news.sequence <= self.heard):
            return self
        known = replace(self, heard=max(self.heard, news.sequence), events=())
        if news.state in _ENDS:
            state, cause = _ENDS[news.state]
            return known._end(state, cause, news.at)
        if news.state is TicketState.FINISHED:
            return known._served(news.at, spec)
        if news.state in (TicketState.CALLED, TicketState.SERVING) and self.state is not State.IN_LANE:
            return known._called(news, spec)
        if news.state is TicketState.WAITING and self.state is State.CALLED and news.sequence:
            back = replace(known, state=State.WAITING, lane="", counter=0, called_at=None)
            return replace(back, events=(Advanced(Step.BACK_TO_WAITING, news.at),))
        return self

    def _called(self, news: TicketNews, spec: ChannelSpec) -> Pass:
        if self.state is State.CALLED and news.counter == self.counter:
            return self
        lane = spec.lane_of(news.counter)
        called = replace(self, state=State.CALLED, counter=news.counter, called_at=news.at, lane=lane)
        return replace(called, events=(Advanced(Step.CALLED, news.at),))

    def _served(self, at: datetime, spec: ChannelSpec) -> Pass:
        """The ticket was finished at the queue, not by the last stage."""
        closed = self._close_stage(at) if self.at_stage else self
        if closed.state is State.IN_LANE and not closed._due_after(spec):
            return closed._end(State.DONE, Cause.NONE, at)
        return closed._end(State.ABANDONED, Cause.SERVED_ELSEWHERE, at)

    def start(
        self, stage: str, lane: str, spec: ChannelSpec, *, ahead: Sequence[Pass], last_place: int, now: datetime
    ) -> Pass:
        """Come to a stage; to the first one with a lane. `ahead`: who is in that lane (any order, this one may be
        among them). `last_place`: the greatest place given in it today.

        `ahead` may be a moment old. Those in front only go forward or leave, and nobody comes in front, so what is
        allowed by an old look is allowed by the new one. Raises WrongState, InvalidField, StageTaken, LaneBlocked.
        """
        wanted = self._wanted(stage, spec)
        here = self._entered(lane, spec, last_place)
        for other in ahead:
            if other.name == self.name or other.place >= here.place or other.state is not State.IN_LANE:
                continue
            if other.position(spec) <= 2 * wanted:
                self._refuse(other, other.position(spec) == 2 * wanted, spec.stages[wanted].id)
        record = StageTime(spec.stages[wanted].id, self._not_before(now))
        started = replace(here, state=State.IN_LANE, stages=(*self.stages, record))
        return replace(started, events=(Advanced(Step.STAGE_STARTED, record.started_at, record.stage),))

    @staticmethod
    def _refuse(other: Pass, there: bool, stage: str) -> None:
        kind = StageTaken if there else LaneBlocked
        text = f"{other.number} is at {stage}" if there else f"{other.number} is before it and not past {stage}"
        raise kind(text, metadata={"number": other.number, "stage": stage})

    def _wanted(self, stage: str, spec: ChannelSpec) -> int:
        """The index of the stage to come to."""
        if self.state not in (State.CALLED, State.IN_LANE):
            raise WrongState(f"{self.number} is {self.state}", metadata={"state": self.state})
        if self.at_stage:
            raise WrongState(f"{self.number} is at {self.at_stage}; finish it first", metadata={"state": self.at_stage})
        first = self._passed(spec) + 1
        wanted = spec.index(stage) if stage else first
        if wanted < 0 or wanted >= len(spec.stages):
            raise InvalidField("stage", f"the channel has no stage {stage!r}" if stage else "there is no further stage")
        if wanted < first:
            raise InvalidField("stage", f"{self.number} is past {stage}")
        for passed_over in spec.stages[first:wanted]:
            if not passed_over.optional:
                raise InvalidField("stage", f"{passed_over.id} comes first and is not optional")
        return wanted

    def _entered(self, lane: str, spec: ChannelSpec, last_place: int) -> Pass:
        if self.state is State.IN_LANE:
            if lane not in ("", self.lane):
                raise InvalidField("lane", f"{self.number} is in lane {self.lane}")
            return self
        chosen = lane or self.lane or (spec.lanes[0].id if len(spec.lanes) == 1 else "")
        if spec.lane(chosen) is None:
            raise InvalidField("lane", f"the channel has no lane {chosen!r}" if chosen else "say which lane")
        return replace(self, lane=chosen, place=last_place + 1)

    def finish(self, spec: ChannelSpec, *, now: datetime) -> Pass:
        """End the stage at which it stands; after the last one the pass is done. Raises WrongState."""
        if not self.at_stage:
            raise WrongState(f"{self.number} is at no stage", metadata={"state": self.state})
        closed = self._close_stage(now)
        return closed if closed._passed(spec) + 1 < len(spec.stages) else closed._end(State.DONE, Cause.NONE, now)

    def send_aside(self, cause: Cause, *, now: datetime) -> Pass:
        """Leave the lane for a counter. Raises WrongState."""
        if self.state not in (State.CALLED, State.IN_LANE):
            raise WrongState(f"{self.number} is {self.state}", metadata={"state": self.state})
        return replace(self, events=())._end(State.ASIDE, cause, now)  # a stage that was cut short has no end

    def forget_plate(self) -> Pass:
        """Nobody needs the plate of a pass that ended long ago."""
        return replace(self, sealed_plate="", plate_index="", masked_plate="", events=())

    def _due_after(self, spec: ChannelSpec) -> list[str]:
        return [s.id for s in spec.stages[self._passed(spec) + 1 :] if not s.optional]

    def _close_stage(self, at: datetime) -> Pass:
        last = self.stages[-1]
        ended = max(at, last.started_at)
        event = Advanced(Step.STAGE_FINISHED, ended, last.stage, ended - last.started_at)
        return replace(self, stages=(*self.stages[:-1], replace(last, finished_at=ended)), events=(event,))

    def _not_before(self, at: datetime) -> datetime:
        """A clock may go back, and two clocks differ: what comes next is not earlier than what was."""
        last = self.stages[-1] if self.stages else None
        return max(at, self.registered_at, (last.finished_at or last.started_at) if last else self.registered_at)

    def _end(self, state: State, cause: Cause, at: datetime) -> Pass:
        ended = self._not_before(at)
        return replace(self, state=state, cause=cause, ended_at=ended, events=(*self.events, Ended(ended)))


def register(name: str, spec: ChannelSpec, *, ticket: str, number: str, offering: str, day: str, now: datetime) -> Pass:
    """A vehicle at the gate with its ticket. The plate is put in by who can seal it."""
    return Pass(
        name, spec.site_id, spec.name, spec.agency, ticket, number, offering, day, now, events=(Registered(),)
    )  # fmt: skip
