"""A machine of providers, crashes, receipts, opt-outs and time against a simple model of what a message owes
us.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mpp_notifications.domain import (
    TERMINAL,
    TRANSITIONS,
    UNSENT,
    Channel,
    Notification,
    Outcome,
    OutcomeKind,
    Policy,
    State,
    WrongState,
)

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ACTOR = "service:notifications"
RECEIPTS = [State.DELIVERED, State.TEMPORARY_FAILURE, State.PERMANENT_FAILURE, State.TECHNICAL_FAILURE]


class Life(RuleBasedStateMachine):
    """The provider honours its key: `delivered_keys` counts what a citizen really got."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = Policy(max_attempts=4)
        self.rng = random.Random(3)
        self.now = START
        self.opted_out = False
        self.in_flight: list[int] = []  # attempts whose process has not saved its outcome yet
        self.provider_has: dict[str, OutcomeKind] = {}
        self.keys_after_receipt = 1  # 1 + temporary receipts that counted
        self.ends = 0
        self.message = Notification(
            name="sites/malang/notifications/" + "a" * 26,
            site="malang",
            subject="sites/malang/applications/x",
            template="application_submitted",
            channel=Channel.SMS,
            source_event="e",
            sealed_phone="p",
            phone_index="i",
            sealed_text="t",
            created_at=START,
            expires_at=START + timedelta(minutes=20),
            sealed_email="m",
            email_index="n",
            sealed_calendar="c",
            fallbacks=(Channel.EMAIL,),
        )

    def become(self, new: Notification) -> None:
        old = self.message
        if old.state in TERMINAL:
            assert new.state is old.state, "a terminal state never changes"
        elif new.state is not old.state:
            assert new.state in TRANSITIONS[old.state]
        self.ends += len(new.events)
        self.message = replace(new, events=())

    @rule(seconds=st.sampled_from([1, 10, 60, 61, 600, 3 * 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def sweep_or_handler_takes_up(self) -> None:
        due = not self.message.ended and (self.message.due_at is None or self.message.due_at <= self.now)
        if not due:
            with pytest.raises(WrongState):
                self.message.take_up(self.now, self.policy, ACTOR, opted_out=self.opted_out)
            return
        before = self.message
        self.become(before.take_up(self.now, self.policy, ACTOR, opted_out=self.opted_out))
        if self.message.state is State.SENDING:
            assert not self.opted_out
            assert self.now < self.message.expires_at
            assert self.message.attempts == before.attempts + 1
            self.in_flight.append(self.message.attempts)
        else:
            assert self.message.ended

    @precondition(lambda self: self.in_flight)
    @rule(kind=st.sampled_from(OutcomeKind), data=st.data())
    def a_process_saves_its_outcome(self, kind: OutcomeKind, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self.in_flight))
        self.in_flight.remove(attempt)
        current = self.message.state is State.SENDING and attempt == self.message.attempts
        key = self.message.provider_key
        if current and kind in (OutcomeKind.ACCEPTED, OutcomeKind.DELIVERED):
            self.provider_has[key] = kind
        before = self.message
        asked = data.draw(st.sampled_from([None, timedelta(0), timedelta(seconds=40), timedelta(days=9)]))
        outcome = Outcome(kind, "code", retry_after=asked)
        self.become(before.settle(attempt, outcome, "fake", self.now, self.policy, self.rng))
        if current and self.message.state is State.TEMPORARY_FAILURE and asked is not None:
            assert self.message.due_at is not None
            waits = self.message.due_at - self.now
            assert min(asked, self.policy.longest_delay) <= waits <= self.policy.longest_delay * 1.2, (
                "heard, within bounds"
            )
        if not current:
            assert replace(self.message, history=()) == replace(before, history=())

    @precondition(lambda self: self.in_flight)
    @rule()
    def a_process_dies(self) -> None:
        self.in_flight.pop()

    @rule(state=st.sampled_from(RECEIPTS))
    def a_receipt_comes(self, state: State) -> None:
        before = self.message
        if before.state is State.CREATED:
            with pytest.raises(WrongState):
                before.report(state, "", self.now, self.policy, self.rng, "service:fake")
            return
        self.become(before.report(state, "", self.now, self.policy, self.rng, "service:fake"))
        if before.ended or before.state is state:
            assert replace(self.message, history=()) == replace(before, history=())
        elif state is not State.TEMPORARY_FAILURE:
            assert self.message.state is state
        else:
            self.keys_after_receipt += 1

    @rule()
    def newer_news(self) -> None:
        if self.message.state in UNSENT:
            self.become(self.message.cancel("superseded", self.now, ACTOR))
        else:
            with pytest.raises(WrongState):
                self.message.cancel("superseded", self.now, ACTOR)

    @rule()
    def opts_out_or_in(self) -> None:
        self.opted_out = not self.opted_out

    @precondition(lambda self: self.message.falls_back)
    @rule()
    def falls_back(self) -> None:
        child = self.message.child("sites/malang/notifications/" + "b" * 26, self.now)
        assert (child.state, child.attempts, child.parent) == (State.CREATED, 0, self.message.name)
        assert (child.sealed_text, child.sealed_calendar) == ("t", "c")
        assert (child.sealed_recipient, child.recipient_index) == ("m", "n"), "the next channel's own address"
        self.become(self.message.fell_back(self.now, ACTOR))

    @invariant()
    def its_end_is_told_exactly_once(self) -> None:
        assert self.ends == (1 if self.message.ended else 0)

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """Whatever is not finished has a time at which the sweep finds it; a first take-up comes with its
        creation.
        """
        if not self.message.ended and self.message.state is not State.CREATED:
            assert self.message.due_at is not None

    @invariant()
    def what_is_finished_costs_nothing_more(self) -> None:
        if self.message.ended and not self.message.falls_back:
            assert self.message.due_at is None
            assert self.message.sealed_text == self.message.sealed_calendar == ""

    @invariant()
    def attempts_are_bounded(self) -> None:
        assert self.message.attempts <= self.policy.max_attempts

    @invariant()
    def a_key_changes_only_after_a_receipt(self) -> None:
        assert self.message.dispatch == self.keys_after_receipt
        assert len(self.provider_has) <= self.keys_after_receipt


Life.TestCase.settings = settings(stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
