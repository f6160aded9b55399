"""The life of a webhook against a simple model: whatever happens, nothing is lost, nothing overtakes, and what is
disabled is not delivered.

The journal is a list of events; the courier is replaced by rules that do with `Progress` what it does: read behind the
place, deliver or fail, save or die before saving.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mpp_subscriptions import cursor
from mpp_subscriptions.cursor import Position
from mpp_subscriptions.webhooks.domain import (
    ATTEMPTS_KEPT,
    MOST_SECRETS,
    Answer,
    Attempt,
    Progress,
    Reason,
    Schedule,
    Secret,
    State,
    Target,
    TooManySecrets,
    Webhook,
)

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
RETRIES = Schedule((timedelta(seconds=5), timedelta(seconds=30)))
OK, BUSY, GONE = Answer(200, "", 3), Answer(503, "http_503", 3), Answer(410, "http_410", 3)


class WebhookLife(RuleBasedStateMachine):
    @initialize()
    def made(self) -> None:
        self.now, self.rng = NOW, random.Random(4)
        self.journal: list[str] = []
        self.webhook = Webhook(
            "sites/x/agencies/y/webhooks/z", "x", "y", Target("https://example.test/"),
            (Secret("s0", "sealed", NOW),), NOW, NOW, start_time=NOW,
        )  # fmt: skip
        self.begins = 0  # index of the first event of this generation
        self.saved = self.held = Progress().under(self.webhook)  # in the store, and in the courier's memory
        self.received: list[int] = []  # of this generation, as the receiver saw it
        self.secrets = 1

    # -- the world

    @rule(count=st.integers(1, 4))
    def events_happen(self, count: int) -> None:
        self.journal += [f"event-{len(self.journal) + n}" for n in range(count)]

    @rule(seconds=st.sampled_from([1, 10, 60, 7200, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # -- the courier

    def _next(self) -> int | None:
        self.held = self.held.under(self.webhook)
        place = cursor.decode(self.held.cursor).offset + 1 if self.held.cursor else self.begins
        ready = self.webhook.enabled and (self.held.next_at is None or self.held.next_at <= self.now)
        return place if ready and place < len(self.journal) else None

    def _attempt(self, index: int, answer: Answer) -> Attempt:
        return Attempt(self.now, self.journal[index], "t", answer.status, answer.failure, 3)

    @rule(keep=st.booleans())
    def deliver(self, keep: bool) -> None:
        index = self._next()
        if index is None:
            return
        self.received.append(index)
        text = cursor.encode(Position.of(index, self.journal[index]))
        self.held = self.held.delivered(text, self._attempt(index, OK))
        if keep:
            self.saved = self.held

    @rule(answer=st.sampled_from([BUSY, BUSY, BUSY, GONE]))
    def fail(self, answer: Answer) -> None:
        index = self._next()
        if index is None:
            return
        before = self.held
        self.held = self.saved = before.failed(self._attempt(index, answer), answer, RETRIES, self.rng)
        assert self.held.cursor == before.cursor, "a failure moves nothing"
        reason = self.held.ended(answer)
        if reason is None:
            assert self.held.next_at is not None
            assert self.held.next_at > self.now
            return
        assert reason is (Reason.GONE if answer.gone else Reason.FAILING)
        assert answer.gone or self.held.failures == len(RETRIES.delays) + 1
        self.webhook = self.webhook.give_up(self.webhook.revision, reason, self.now)
        assert [e.reason for e in self.webhook.events] == [reason]
        self.webhook = replace(self.webhook, events=())

    @rule()
    def die_and_be_taken_over(self) -> None:
        """What was not saved is forgotten: it will come again."""
        self.held = self.saved

    @rule()
    def a_late_courier_gives_up_what_was_changed_since(self) -> None:
        assert self.webhook.give_up(self.webhook.revision - 1, Reason.FAILING, self.now) is self.webhook

    # -- people

    @rule()
    def disable(self) -> None:
        before, self.webhook = self.webhook, self.webhook.disable(self.now)
        assert self.webhook.reason is (Reason.BY_HAND if before.enabled else before.reason)

    @rule()
    def enable(self) -> None:
        self.webhook = self.webhook.enable(self.now)
        assert self.webhook.reason is None
        assert self.webhook.disabled_at is None

    @rule()
    def update(self) -> None:
        self.webhook = self.webhook.update(Target("https://other.test/"), self.now)

    @precondition(lambda self: self.journal)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.journal) - 1))
        text = cursor.encode(Position.of(index, self.journal[index]))
        self.webhook = self.webhook.replay(text, None, self.now)
        assert self.webhook.enabled
        self.begins, self.received = index + 1, []

    @rule(expire=st.booleans())
    def rotate(self, expire: bool) -> None:
        signing = len(self.webhook.signing(self.now))
        secret = Secret(f"s{self.secrets}", "sealed", self.now)
        try:
            self.webhook = self.webhook.rotate(secret, self.now, expire_previous=expire)
        except TooManySecrets:
            assert not expire
            assert signing >= MOST_SECRETS
            return
        self.secrets += 1
        assert len(self.webhook.signing(self.now)) == (1 if expire else signing + 1)

    # -- what always holds

    @invariant()
    def nothing_is_lost_and_nothing_overtakes(self) -> None:
        first_comings = list(dict.fromkeys(self.received))
        assert first_comings == list(range(self.begins, self.begins + len(first_comings)))

    @invariant()
    def the_place_never_passes_what_was_not_received(self) -> None:
        for progress in (self.saved, self.held):
            if progress.generation == self.webhook.generation and progress.cursor:
                place = cursor.decode(progress.cursor).offset
                assert place < self.begins or place in self.received

    @invariant()
    def the_newest_secret_signs_without_end_and_the_others_for_a_day_at_most(self) -> None:
        newest, *older = self.webhook.signing(self.now)
        assert newest.expires_at is None
        assert len(older) <= MOST_SECRETS
        for secret in older:
            assert secret.expires_at is not None
            assert self.now < secret.expires_at <= self.now + timedelta(hours=24)

    @invariant()
    def it_is_bounded(self) -> None:
        assert len(self.held.attempts) <= ATTEMPTS_KEPT
        assert (self.webhook.state is State.ENABLED) == (self.webhook.reason is None)


TestWebhookLife = WebhookLife.TestCase
TestWebhookLife.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
