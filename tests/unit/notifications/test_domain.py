"""The rules of a message's life, one by one; the machine that mixes them is in test_domain_machine.py."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from mpp_notifications.domain import (
    HISTORY_KEPT,
    TERMINAL,
    TRANSITIONS,
    Channel,
    InvalidField,
    Notification,
    Outcome,
    OutcomeKind,
    Policy,
    State,
    WrongState,
    notification_id,
)

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
POLICY = Policy(max_attempts=3)
RNG = random.Random(7)
ACTOR = "service:notifications"
SECOND = timedelta(seconds=1)


def new(**changes: object) -> Notification:
    fresh = Notification(
        name="sites/malang/notifications/" + "a" * 26,
        site="malang",
        subject="sites/malang/queues/dukcapil/tickets/t1",
        template="ticket_called",
        channel=Channel.SMS,
        source_event="e1",
        sealed_phone="sealed-phone",
        phone_index="index",
        sealed_text="sealed-text",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    return replace(fresh, **changes)  # type: ignore[arg-type]


def claimed(**changes: object) -> Notification:
    return new(**changes).take_up(NOW, POLICY, ACTOR)


def settled(kind: OutcomeKind, failure: str = "", now: datetime = NOW, **changes: object) -> Notification:
    return claimed(**changes).settle(1, Outcome(kind, failure), "file", now, POLICY, RNG)


def test_the_terminal_states_are_those_of_the_domain() -> None:
    assert {str(state) for state in TERMINAL} == {
        "delivered",
        "permanent_failure",
        "technical_failure",
        "cancelled",
        "suppressed",
        "expired",
    }
    assert set(TRANSITIONS) == set(State)


def test_a_claim_holds_for_its_time_and_then_anyone_may_take_over() -> None:
    first = claimed()
    assert (first.state, first.attempts, first.due_at) == (State.SENDING, 1, NOW + POLICY.claim)
    with pytest.raises(WrongState):
        first.take_up(NOW + POLICY.claim - SECOND, POLICY, ACTOR)
    second = first.take_up(NOW + POLICY.claim, POLICY, ACTOR)
    assert (second.state, second.attempts) == (State.SENDING, 2)
    assert second.provider_key == first.provider_key == first.id, "the same key: the provider sends once"


def test_the_outcome_of_an_attempt_that_lost_its_claim_is_only_noted() -> None:
    taken_over = claimed().take_up(NOW + POLICY.claim, POLICY, ACTOR)
    late = taken_over.settle(1, Outcome(OutcomeKind.PERMANENT), "file", NOW + POLICY.claim, POLICY, RNG)
    assert replace(late, history=()) == replace(taken_over, history=())
    assert late.history[-1].note == "late outcome permanent of attempt 1"


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (OutcomeKind.DELIVERED, State.DELIVERED),
        (OutcomeKind.PERMANENT, State.PERMANENT_FAILURE),
        (OutcomeKind.TECHNICAL, State.TECHNICAL_FAILURE),
    ],
)
def test_an_end_is_told_once_and_forgets_the_text(kind: OutcomeKind, state: State) -> None:
    ended = settled(kind)
    assert ended.state is state
    assert [(event.state, event.at) for event in ended.events] == [(state, NOW)]
    assert (ended.sealed_text, ended.due_at, ended.provider) == ("", None, "file")
    assert ended.sealed_phone, "whom it went to stays known, sealed"


def test_an_accepted_message_waits_for_its_receipt_but_not_for_ever() -> None:
    pending = settled(OutcomeKind.ACCEPTED)
    assert (pending.state, pending.sent_at, pending.due_at) == (State.PENDING, NOW, NOW + POLICY.receipt_wait)
    given_up = pending.take_up(NOW + POLICY.receipt_wait, POLICY, ACTOR)
    assert (given_up.state, given_up.failure) == (State.TECHNICAL_FAILURE, "no_receipt")


def test_a_temporary_failure_is_tried_again_with_backoff_and_the_same_key() -> None:
    failed = settled(OutcomeKind.TEMPORARY, "busy")
    assert (failed.state, failed.failure, failed.events) == (State.TEMPORARY_FAILURE, "busy", ())
    assert failed.due_at is not None
    assert 0.8 * POLICY.first_delay <= failed.due_at - NOW <= 1.2 * POLICY.first_delay
    again = failed.take_up(failed.due_at, POLICY, ACTOR)
    assert (again.attempts, again.provider_key, again.failure) == (2, failed.id, "")


def test_retries_are_bounded() -> None:
    message, now = new(), NOW
    for attempt in range(1, POLICY.max_attempts + 1):
        now = message.due_at or now
        message = message.take_up(now, POLICY, ACTOR)
        message = message.settle(attempt, Outcome(OutcomeKind.TEMPORARY, "busy"), "file", now, POLICY, RNG)
    assert (message.state, message.failure) == (State.TECHNICAL_FAILURE, "retries_exhausted: busy")


def test_a_message_that_kills_every_process_is_given_up_too() -> None:
    message, now = new(), NOW
    while not message.ended:
        message = message.take_up(now, POLICY, ACTOR)
        now += POLICY.claim
    assert message.attempts == POLICY.max_attempts
    assert (message.state, message.failure) == (State.TECHNICAL_FAILURE, "retries_exhausted: outcome_unknown")


def test_delays_grow_to_a_cap_and_survive_absurd_settings() -> None:
    policy = Policy(max_attempts=10_000, factor=10)
    delays = [policy.delay(n, random.Random(1)) for n in (1, 2, 3, 9_999)]
    assert delays == sorted(delays)
    assert delays[-1] <= 1.2 * policy.longest_delay


def test_what_is_too_late_expires_before_it_is_sent() -> None:
    ended = new().take_up(NOW + timedelta(hours=1), POLICY, ACTOR)
    assert (ended.state, ended.attempts, ended.failure) == (State.EXPIRED, 0, "too_late")


def test_a_retry_that_would_come_too_late_expires_at_once() -> None:
    ended = settled(OutcomeKind.TEMPORARY, "busy", now=NOW + timedelta(minutes=59, seconds=59))
    assert (ended.state, ended.failure) == (State.EXPIRED, "too_late: busy")


def test_a_crashed_attempt_that_is_too_late_says_that_nobody_knows() -> None:
    ended = claimed().take_up(NOW + timedelta(hours=1), POLICY, ACTOR)
    assert (ended.state, ended.failure) == (State.EXPIRED, "too_late: outcome_unknown")


def test_who_opted_out_is_not_told_from_the_next_attempt_on() -> None:
    assert new().take_up(NOW, POLICY, ACTOR, opted_out=True).state is State.SUPPRESSED
    waiting = settled(OutcomeKind.TEMPORARY)
    assert waiting.due_at is not None
    ended = waiting.take_up(waiting.due_at, POLICY, ACTOR, opted_out=True)
    assert (ended.state, ended.failure, ended.sealed_text) == (State.SUPPRESSED, "opted_out", "")


def test_newer_news_cancels_only_what_is_not_with_a_provider() -> None:
    assert new().cancel("superseded", NOW, ACTOR).state is State.CANCELLED
    assert settled(OutcomeKind.TEMPORARY).cancel("superseded", NOW, ACTOR).state is State.CANCELLED
    for message in (claimed(), settled(OutcomeKind.ACCEPTED), settled(OutcomeKind.DELIVERED)):
        with pytest.raises(WrongState) as refused:
            message.cancel("superseded", NOW, ACTOR)
        assert refused.value.metadata == {"state": str(message.state)}


@pytest.mark.parametrize(
    "state",
    [State.DELIVERED, State.PERMANENT_FAILURE, State.TECHNICAL_FAILURE, State.TEMPORARY_FAILURE],
)
def test_receipts_decide_a_pending_message(state: State) -> None:
    done = settled(OutcomeKind.ACCEPTED).report(state, "", NOW + SECOND, POLICY, RNG, "service:sms")
    assert done.state is state
    assert done.delivered_at == (NOW + SECOND if state is State.DELIVERED else None)
    assert done.sent_at == NOW


def test_a_terminal_state_never_changes_and_a_repeated_receipt_is_logged() -> None:
    delivered = settled(OutcomeKind.DELIVERED)
    again = delivered.report(State.PERMANENT_FAILURE, "x", NOW + SECOND, POLICY, RNG, "service:sms")
    assert (again.state, again.failure, again.delivered_at) == (State.DELIVERED, "", NOW)
    assert again.history[-1].note == "repeated receipt permanent_failure"
    assert again.events == delivered.events, "the end is not told twice"


def test_a_repeated_temporary_receipt_does_not_move_the_retry() -> None:
    waiting = settled(OutcomeKind.ACCEPTED).report(
        State.TEMPORARY_FAILURE, "phone_off", NOW, POLICY, RNG, "service:sms"
    )
    again = waiting.report(State.TEMPORARY_FAILURE, "phone_off", NOW + SECOND, POLICY, RNG, "service:sms")
    assert (again.due_at, again.dispatch) == (waiting.due_at, waiting.dispatch)


def test_after_a_temporary_receipt_the_provider_gets_a_new_key() -> None:
    waiting = settled(OutcomeKind.ACCEPTED).report(
        State.TEMPORARY_FAILURE, "phone_off", NOW, POLICY, RNG, "service:sms"
    )
    assert waiting.due_at is not None
    again = waiting.take_up(waiting.due_at, POLICY, ACTOR)
    assert again.provider_key == f"{again.id}-2"


def test_a_receipt_may_overtake_the_outcome() -> None:
    delivered = claimed().report(State.DELIVERED, "", NOW, POLICY, RNG, "service:sms")
    assert delivered.state is State.DELIVERED
    assert delivered.settle(1, Outcome(OutcomeKind.ACCEPTED), "sms", NOW, POLICY, RNG).state is State.DELIVERED


def test_a_receipt_of_something_never_sent_is_refused() -> None:
    with pytest.raises(WrongState):
        new().report(State.DELIVERED, "", NOW, POLICY, RNG, "service:sms")
    with pytest.raises(InvalidField) as refused:
        claimed().report(State.CANCELLED, "", NOW, POLICY, RNG, "service:sms")
    assert refused.value.field == "state"


def test_a_failure_falls_back_to_a_child_on_the_next_channel() -> None:
    failed = settled(OutcomeKind.PERMANENT, fallbacks=(Channel.WHATSAPP, Channel.EMAIL))
    assert failed.falls_back
    assert (failed.due_at, failed.sealed_text) == (NOW, "sealed-text"), "the child still needs the text"
    child = failed.child("sites/malang/notifications/" + "b" * 26, NOW)
    assert (child.state, child.channel, child.fallbacks) == (
        State.CREATED,
        Channel.WHATSAPP,
        (Channel.EMAIL,),
    )
    assert (child.parent, child.sealed_text, child.due_at) == (failed.name, "sealed-text", NOW)
    parent = failed.fell_back(NOW, ACTOR)
    assert (parent.state, parent.due_at, parent.sealed_text) == (State.PERMANENT_FAILURE, None, "")
    with pytest.raises(WrongState):
        parent.child("sites/malang/notifications/" + "c" * 26, NOW)
    with pytest.raises(WrongState):
        parent.fell_back(NOW, ACTOR)


@pytest.mark.parametrize("kind", [OutcomeKind.DELIVERED, OutcomeKind.ACCEPTED])
def test_success_does_not_fall_back(kind: OutcomeKind) -> None:
    assert not settled(kind, fallbacks=(Channel.WHATSAPP,)).falls_back


def test_expiry_and_opt_out_do_not_fall_back() -> None:
    late = new(fallbacks=(Channel.WHATSAPP,)).take_up(NOW + timedelta(hours=1), POLICY, ACTOR)
    unwanted = new(fallbacks=(Channel.WHATSAPP,)).take_up(NOW, POLICY, ACTOR, opted_out=True)
    assert not late.falls_back
    assert not unwanted.falls_back
    assert (late.due_at, unwanted.due_at, late.sealed_text, unwanted.sealed_text) == (None, None, "", "")


def test_ids_depend_on_event_template_and_channel_only() -> None:
    one = notification_id("e1", "ticket_called", Channel.SMS)
    assert one == notification_id("e1", "ticket_called", Channel.SMS)
    others = {
        notification_id("e2", "ticket_called", Channel.SMS),
        notification_id("e1", "ticket_issued", Channel.SMS),
        notification_id("e1", "ticket_called", Channel.WHATSAPP),
    }
    assert len(others | {one}) == 4
    assert all(len(each) == 26 and each == each.lower() and each.isalnum() for each in others)


def test_the_history_is_bounded_and_names_nobody() -> None:
    message = settled(OutcomeKind.DELIVERED)
    for _ in range(2 * HISTORY_KEPT):
        message = message.report(State.DELIVERED, "", NOW, POLICY, RNG, "service:sms")
    assert len(message.history) == HISTORY_KEPT
    assert "sealed-phone" not in repr(message)
    assert "sealed-text" not in repr(message)
