"""A lane with many vehicles, several processes and old looks: nobody overtakes, a stage has one vehicle.

Each command decides by a look at the lane that may be some steps old, and writes only when the vehicle itself has not
changed (its version) and its place and stage are free (the unique indexes), as in the store.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mpp_drivethru import domain
from mpp_drivethru.domain import (
    OPEN,
    Cause,
    DriveThruError,
    InvalidField,
    Pass,
    State,
    TicketNews,
    TicketState,
    WrongState,
)

STAGES = [{"id": "check"}, {"id": "pay"}, {"id": "photo", "optional": True}, {"id": "print"}, {"id": "hand-over"}]
SPEC = domain.channel(
    "sites/malang/channels/sim", "sites/malang/agencies/polresta", [],
    {"queue": "polresta", "lanes": [{"id": "1"}, {"id": "2"}], "stages": STAGES},
)  # fmt: skip


class Refused(Exception):
    """A unique index said no."""


class LaneMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
        self.passes: dict[str, Pass] = {}
        self.looks: list[dict[str, Pass]] = [{}]  # the lane as it was, newest last
        self.order: dict[str, list[str]] = {"1": [], "2": []}  # who came in, in that order: the model
        self.heard = 0

    def tick(self) -> datetime:
        self.now += timedelta(seconds=30)
        return self.now

    def write(self, after: Pass) -> None:
        """What the store's indexes allow."""
        for other in self.passes.values():
            if other.name == after.name or other.lane != after.lane:
                continue
            if after.place and other.place == after.place:
                raise Refused("place_taken")
            if after.at_stage and other.at_stage == after.at_stage:
                raise Refused("stage_taken")
        before = self.passes.get(after.name)
        if after.place and (before is None or not before.place):
            self.order[after.lane].append(after.name)
        self.passes[after.name] = after
        self.looks = [*self.looks[-5:], dict(self.passes)]

    def pick(self, data: st.DataObject, *states: State) -> Pass | None:
        found = sorted(name for name, p in self.passes.items() if p.state in states)
        return self.passes[data.draw(st.sampled_from(found))] if found else None

    def ready(self) -> list[str]:
        """Who might come to a stage."""
        return sorted(n for n, p in self.passes.items() if p.state in (State.CALLED, State.IN_LANE) and not p.at_stage)

    @rule()
    def come_and_be_called(self) -> None:
        self.register()
        newest = max(self.passes)
        self.heard += 1
        news = TicketNews(newest, TicketState.CALLED, self.tick(), 30, self.heard)
        self.write(self.passes[newest].hear(news, SPEC))

    @rule()
    def register(self) -> None:
        number = f"K-{len(self.passes) + 1:03d}"
        name = f"{SPEC.name}/passes/{number}"
        self.write(
            domain.register(name, SPEC, ticket=f"t/{number}", number=number, offering="", day="d", now=self.tick())
        )

    @rule(data=st.data(), state=st.sampled_from(TicketState), asked=st.booleans(), seldom=st.integers(0, 3))
    def hear(self, data: st.DataObject, state: TicketState, asked: bool, seldom: int) -> None:
        one = self.pick(data, *State)
        if one is not None and seldom == 3:
            self.heard += 1
            news = TicketNews(one.ticket, state, self.tick(), 30, 0 if asked else self.heard)
            after = one.hear(news, SPEC)
            if after is not one:
                self.write(after)

    @precondition(lambda self: self.ready())
    @rule(data=st.data(), lane=st.sampled_from(["1", "1", "2"]), skip=st.booleans(), age=st.integers(1, 3))
    def start(self, data: st.DataObject, lane: str, skip: bool, age: int) -> None:
        one = self.passes[data.draw(st.sampled_from(self.ready()))]
        look = self.looks[max(-age, -len(self.looks))]
        chosen = one.lane or lane
        ahead = [p for p in look.values() if p.lane == chosen and p.state is State.IN_LANE]
        last = max((p.place for p in look.values() if p.lane == chosen), default=0)
        stage = "print" if skip and one.next_stage(SPEC) == "photo" else ""
        try:
            self.write(one.start(stage, chosen, SPEC, ahead=ahead, last_place=last, now=self.tick()))
        except (DriveThruError, Refused):
            return

    @rule()
    def all_finish_their_stage(self) -> None:
        for one in list(self.passes.values()):
            if one.at_stage:
                self.write(one.finish(SPEC, now=self.tick()))

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        one = self.pick(data, State.IN_LANE)
        if one is not None and one.at_stage:
            self.write(one.finish(SPEC, now=self.tick()))
            with pytest.raises(WrongState):  # paid is paid
                self.passes[one.name].finish(SPEC, now=self.tick())

    @rule(data=st.data())
    def nobody_is_in_two_lanes(self, data: st.DataObject) -> None:
        one = self.pick(data, State.IN_LANE)
        if one is not None:
            other = "2" if one.lane == "1" else "1"
            with pytest.raises(WrongState if one.at_stage else InvalidField):
                one.start("", other, SPEC, ahead=[], last_place=0, now=self.tick())

    @precondition(lambda self: any(p.at_stage == "photo" for p in self.passes.values()))
    @rule(data=st.data())
    def the_photo_fails(self, data: st.DataObject) -> None:
        """It leaves the lane; the stage is free for who comes behind, and no photo is counted."""
        names = sorted(n for n, p in self.passes.items() if p.at_stage == "photo")
        one = self.passes[data.draw(st.sampled_from(names))]
        self.write(one.send_aside(Cause.EQUIPMENT, now=self.tick()))
        gone = self.passes[one.name]
        assert (gone.at_stage, gone.stages[-1].finished_at, gone.cause) == ("", None, Cause.EQUIPMENT)
        with pytest.raises(WrongState):
            gone.start("", gone.lane, SPEC, ahead=[], last_place=0, now=self.tick())

    @rule(data=st.data(), seldom=st.integers(0, 3))
    def aside(self, data: st.DataObject, seldom: int) -> None:
        one = self.pick(data, State.CALLED, State.IN_LANE)
        if one is not None and seldom == 3:
            self.write(one.send_aside(Cause.OTHER, now=self.tick()))

    @invariant()
    def nobody_overtakes(self) -> None:
        for lane, names in self.order.items():
            inside = [self.passes[n] for n in names if self.passes[n].state is State.IN_LANE]
            positions = [p.position(SPEC) for p in inside]
            assert positions == sorted(positions, reverse=True), (lane, positions)
            assert [p.place for p in inside] == sorted(p.place for p in inside)

    @invariant()
    def a_stage_has_one_vehicle(self) -> None:
        taken = [(p.lane, p.at_stage) for p in self.passes.values() if p.at_stage]
        assert len(taken) == len(set(taken))

    @invariant()
    def times_and_ends_make_sense(self) -> None:
        for p in self.passes.values():
            assert (p.ended_at is None) == (p.state in OPEN)
            assert all(s.finished_at is None or s.finished_at >= s.started_at for s in p.stages)
            assert [SPEC.index(s.stage) for s in p.stages] == sorted({SPEC.index(s.stage) for s in p.stages})
            if p.state is State.DONE:
                assert p.stages[-1].stage == "hand-over"


LaneMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=50, deadline=None)
TestLane = LaneMachine.TestCase
