"""A counter against a plain model: who holds it, in which state, since when, over officers, queues and days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from mpp_queue.counters import domain
from mpp_queue.counters.domain import Cause, Closed, Counter, Services, State
from mpp_queue.domain import InvalidField

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
OFFICERS = st.sampled_from(["officer:ani", "officer:budi", "officer:cici"])
QUEUES = st.sampled_from(["sites/x/queues/a", "sites/x/queues/a", "sites/x/queues/a", "sites/x/queues/b"])


@dataclass
class Held:
    officer: str
    queue: str
    day: str
    opened: datetime
    paused: timedelta = timedelta(0)
    pausing_since: datetime | None = None
    chosen: bool = True


class CounterMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.counter = domain.never_opened("x", 7, "sites/x/queues/a", "sites/x/agencies/a")
        self.held: Held | None = None
        self.alarm_by: str | None = None
        self.ended = 0
        self.closed_events: list[Closed] = []

    # -- the model

    @property
    def today(self) -> str:
        return self.now.date().isoformat()

    @property
    def midnight(self) -> datetime:
        day = self.held.day if self.held else self.today
        return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)

    def valid(self) -> Held | None:
        return self.held if self.held and self.held.day == self.today else None

    def expect(self, reason: str | None, act: object) -> bool:
        """True when the step was taken."""
        if reason is None:
            after: Counter = act()  # type: ignore[operator]
            self.closed_events += [e for e in after.events if isinstance(e, Closed)]
            self.counter = after
            return True
        with pytest.raises(domain.QueueError) as caught:
            act()  # type: ignore[operator]
        assert caught.value.reason == reason
        assert "officer:" not in str(caught.value) + str(caught.value.metadata)
        return False

    def over(self, at: datetime) -> None:
        """The model's session ends."""
        assert self.held is not None
        if self.held.pausing_since is not None:
            self.held.paused += max(at - self.held.pausing_since, timedelta(0))
        event = self.closed_events[-1]
        assert (event.session.officer, event.session.queue) == (self.held.officer, self.held.queue)
        assert event.at == at
        assert event.paused == self.held.paused
        assert event.worked + event.paused == at - self.held.opened
        self.held, self.ended = None, self.ended + 1

    # -- steps

    @rule(seconds=st.sampled_from([1, 60, 3600, 20_000, 86_400, 200_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(officer=OFFICERS, queue=QUEUES, chosen=st.booleans())
    def open(self, officer: str, queue: str, chosen: bool) -> None:
        held = self.valid()
        binding = held if held is not None and held.queue == queue else None
        soft = binding and binding.officer != officer and not binding.chosen and not binding.pausing_since
        binding = None if soft else binding
        reason = "COUNTER_TAKEN" if binding and binding.officer != officer else None
        if not chosen and reason is None and binding and binding.pausing_since:
            reason = "COUNTER_PAUSED"
        given = {"now": self.now, "today": self.today, "ends": self.midnight, "queue": queue, "officer": officer}
        step = self.counter.open if chosen else self.counter.open_for_call
        if not self.expect(reason, lambda: step(agency="sites/x/agencies/a", **given)):
            return
        if binding is not None:
            if chosen:
                binding.chosen = True
                if binding.pausing_since is not None:
                    binding.paused += self.now - binding.pausing_since
                    binding.pausing_since = None
            return
        if self.held is not None:
            late = self.held.day != self.today
            other = Cause.HANDED_OVER if soft else Cause.MOVED
            assert self.closed_events[-1].cause is (Cause.DAY_END if late else other)
            self.over(self.midnight if late else self.now)
        self.held = Held(officer, queue, self.today, self.now, chosen=chosen)

    def refusal(self, officer: str) -> str | None:
        held = self.valid()
        if held is None:
            return "COUNTER_CLOSED"
        return None if held.officer == officer else "COUNTER_TAKEN"

    @rule(officer=OFFICERS)
    def pause(self, officer: str) -> None:
        given = {"now": self.now, "today": self.today, "officer": officer, "reason": "istirahat"}
        if self.expect(self.refusal(officer), lambda: self.counter.pause(**given)) and self.held:
            self.held.pausing_since = self.held.pausing_since or self.now

    @rule(officer=OFFICERS)
    def resume(self, officer: str) -> None:
        given = {"now": self.now, "today": self.today, "officer": officer}
        if self.expect(self.refusal(officer), lambda: self.counter.resume(**given)) and self.held:
            if self.held.pausing_since is not None:
                self.held.paused += self.now - self.held.pausing_since
            self.held.pausing_since = None

    @rule(officer=OFFICERS)
    def close(self, officer: str) -> None:
        given = {"now": self.now, "today": self.today, "officer": officer}
        if self.expect(self.refusal(officer), lambda: self.counter.close(**given)):
            self.over(self.now)

    @rule()
    def release(self) -> None:
        reason = None if self.valid() else "COUNTER_CLOSED"
        given = {"now": self.now, "today": self.today, "actor": "site_manager:dewi", "reason": "pulang"}
        if self.expect(reason, lambda: self.counter.release(**given)):
            assert self.closed_events[-1].cause is Cause.RELEASED
            self.over(self.now)

    @rule()
    def sweep(self) -> None:
        ends = self.midnight
        self.expect(None, lambda: self.counter.lapse(now=self.now, today=self.today, ends=ends, actor="service:queue"))
        if self.held is not None and self.valid() is None:
            self.over(ends)

    @rule(officer=OFFICERS)
    def press(self, officer: str) -> None:
        before = self.counter.alarm
        self.expect(None, lambda: self.counter.raise_alarm(now=self.now, actor=officer))
        assert self.counter.alarm is not None
        if self.alarm_by is not None and before is not None:
            assert self.counter.alarm.raised_at == before.raised_at
            assert self.counter.alarm.presses == before.presses + 1
        self.alarm_by = self.alarm_by or officer

    @rule(officer=OFFICERS)
    def acknowledge(self, officer: str) -> None:
        reason = "NO_ALARM" if self.alarm_by is None else "ALARM_OWN" if self.alarm_by == officer else None
        if self.expect(reason, lambda: self.counter.acknowledge(now=self.now, actor=officer)):
            self.alarm_by = None

    # -- what always holds

    @invariant()
    def the_counter_is_what_the_model_says(self) -> None:
        held = self.valid()
        state = State.CLOSED if held is None else State.PAUSED if held.pausing_since else State.OPEN
        assert self.counter.state_on(self.today) is state
        working = self.counter.working(self.today)
        assert (working.officer if working else None) == (held.officer if held else None)
        assert (self.counter.holder_key != "") == (self.held is not None and self.held.chosen)
        assert (self.counter.alarm is not None and self.counter.alarm.open) == (self.alarm_by is not None)

    @invariant()
    def every_session_ends_once(self) -> None:
        assert len(self.closed_events) == self.ended
        assert len(self.counter.history) <= domain.HISTORY_KEPT

    @invariant()
    def a_call_is_for_the_holder_alone(self) -> None:
        held = self.valid()
        if held is None or held.pausing_since is not None:
            return
        assert self.counter.desk(today=self.today, queue=held.queue, officer=held.officer) is not None
        other = {"today": self.today, "queue": held.queue, "officer": "officer:someone-else"}
        assert self.counter.yields(**other) == (not held.chosen)
        if held.chosen:
            with pytest.raises(domain.CounterTaken):
                self.counter.desk(**other)
        else:
            assert self.counter.desk(**other) is None


TestCounterMachine = CounterMachine.TestCase
TestCounterMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_what_is_served_is_told_to_the_call_and_a_call_changes_nothing_of_it() -> None:
    counter = domain.never_opened("x", 7, "sites/x/queues/a", "sites/x/agencies/a")
    here = {"now": START, "today": "2026-11-23", "ends": START, "queue": counter.queue, "agency": counter.agency}
    services = Services(("sites/x/offerings/ktp",), appointments_only=True)
    opened = counter.open(officer="officer:ani", services=services, **here)
    called = opened.open_for_call(officer="officer:ani", **here)
    assert called.events == ()
    desk = called.desk(today="2026-11-23", queue=counter.queue, officer="officer:ani")
    assert desk == domain.Desk(frozenset(services.offerings), True)
    other = opened.serve(now=START, today="2026-11-23", actor="site_manager:dewi", services=Services(), manager=True)
    assert other.desk(today="2026-11-23", queue=counter.queue, officer="officer:ani") == domain.Desk()
    with pytest.raises(domain.CounterTaken):
        opened.serve(now=START, today="2026-11-23", actor="officer:budi", services=Services())


def test_a_forgotten_session_ended_when_its_officer_meant_to_leave() -> None:
    counter = domain.never_opened("x", 7, "sites/x/queues/a", "sites/x/agencies/a")
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    planned = START + timedelta(hours=6)
    opened = counter.open(
        now=START, today="2026-11-23", ends=START, queue=counter.queue, agency=counter.agency, officer="officer:ani",
        planned_close=planned,
    )  # fmt: skip
    next_day = opened.lapse(now=midnight + timedelta(hours=2), today="2026-11-24", ends=midnight, actor="service:queue")
    (event,) = next_day.events
    assert isinstance(event, Closed)
    assert (event.cause, event.at, event.worked) == (Cause.DAY_END, planned, timedelta(hours=6))


def test_what_is_served_is_of_the_site() -> None:
    """`sites/x2/...` begins with `sites/x` too."""
    ours = ["sites/x/offerings/ktp", "sites/x/offerings/kk"]
    assert domain.services_of("x", ours, appointments_only=True) == Services(tuple(ours), True)
    with pytest.raises(InvalidField, match="sites/x") as refused:
        domain.services_of("x", [ours[0], "sites/x2/offerings/ktp"], appointments_only=False)
    assert refused.value.field == "offerings[1]"
