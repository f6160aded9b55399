"""The dead-letter limit against a model written another way, and what it promises to an operator."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from mpp_chassis.entrypoint import DeadLetterLimit

WINDOW, MINIMUM, SHARE, PAUSE, LONGEST = 6, 4, 0.75, 2.0, 10.0


class LimitMachine(RuleBasedStateMachine):
    """Model: a list of outcomes since the last recovery, and the state as a word."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = DeadLetterLimit(window=WINDOW, minimum=MINIMUM, share=SHARE, pause=PAUSE, longest=LONGEST)
        self.now, self.state, self.outcomes, self.pause, self.until = 0.0, "running", [], PAUSE, 0.0

    @rule(ok=st.booleans(), times=st.integers(1, 8))
    def attempts(self, ok: bool, times: int) -> None:
        for _ in range(times):
            self._attempt(ok)

    def _attempt(self, ok: bool) -> None:
        self.limit.record(ok, self.now)
        if self.state == "probing" and ok:
            self.state, self.outcomes, self.pause = "running", [], PAUSE
        elif self.state == "probing":
            self.pause = min(LONGEST, self.pause * 2)
            self.state, self.until = "paused", self.now + self.pause
        elif self.state == "running":
            self.outcomes = [*self.outcomes, ok][-WINDOW:]
            if len(self.outcomes) >= MINIMUM and self.outcomes.count(False) / len(self.outcomes) >= SHARE:
                self.state, self.until = "paused", self.now + self.pause

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.9, 2.0, 5.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def asked(self) -> None:
        due = self.state == "paused" and self.now >= self.until
        assert self.limit.due(self.now) == due
        if due:
            self.state = "probing"

    @invariant()
    def agrees(self) -> None:
        assert self.limit.stopped == (self.state != "running")
        assert self.limit.probing == (self.state == "probing")
        assert self.limit.until == (self.until if self.state == "paused" else None)

    @invariant()
    def never_pauses_longer_than_the_longest(self) -> None:
        if self.limit.until is not None:
            assert self.limit.until - self.now <= LONGEST


LimitMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLimit = LimitMachine.TestCase


def test_one_percent_of_poison_never_stops_a_consumer() -> None:
    limit = DeadLetterLimit()
    for n in range(20_000):
        limit.record(n % 100 != 0, float(n))
        assert not limit.stopped


def test_half_of_all_failing_does_not_stop_it_either() -> None:
    limit = DeadLetterLimit()
    for n in range(1000):
        limit.record(n % 2 == 0, float(n))
    assert not limit.stopped


def test_a_broken_handler_is_stopped_after_twenty_attempts() -> None:
    limit = DeadLetterLimit()
    for n in range(19):
        limit.record(False, float(n))
    assert not limit.stopped
    limit.record(False, 20.0)
    assert limit.until == 22.0


def test_a_single_event_failing_again_and_again_among_few_does_not_stop_it_before_the_minimum() -> None:
    limit = DeadLetterLimit()
    for n in range(5):
        limit.record(False, float(n))
    assert not limit.stopped


def test_stragglers_do_not_prolong_the_pause() -> None:
    limit = DeadLetterLimit()
    for _ in range(40):
        limit.record(False, 1.0)
    assert limit.until == 3.0


def test_each_failed_probe_doubles_the_pause_up_to_a_minute_and_a_success_forgets() -> None:
    limit, now, pauses = DeadLetterLimit(), 0.0, []
    for _ in range(20):
        limit.record(False, now)
    for _ in range(8):
        assert limit.until is not None
        pauses.append(limit.until - now)
        now = limit.until
        assert limit.due(now)
        limit.record(False, now)
    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    now += 60
    assert limit.due(now)
    limit.record(True, now)
    assert not limit.stopped
    for _ in range(20):
        limit.record(False, now)
    assert limit.until == now + 2.0
