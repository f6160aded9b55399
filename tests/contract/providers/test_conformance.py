"""What every provider promises (providers/base.py), checked for each kind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from typing import Any

import pytest
from mpp_notifications.domain import Channel, OutcomeKind
from mpp_notifications.providers.base import OutgoingMessage

TAKEN = {OutcomeKind.ACCEPTED, OutcomeKind.DELIVERED}
FORK = multiprocessing.get_context("fork")


def message(recipient: str, key: str = "key-00000001", body: str = "Halo.\n\nHello.") -> OutgoingMessage:
    return OutgoingMessage(key, Channel.SMS, recipient, body)


def test_it_hands_over_what_it_was_given(harness: Any) -> None:
    sent = message(harness.good, body='Nomor D-001 — silakan ✓\n\nA "quoted" line {x}\n\u2028')
    assert harness.make().send(sent).kind in TAKEN
    [effect] = harness.effects()
    assert (effect.key, effect.recipient, effect.body) == (sent.key, sent.recipient, sent.body)


def test_it_has_a_short_stable_name(harness: Any) -> None:
    assert harness.make().name == harness.make().name
    assert harness.make().name.isidentifier()


def test_the_same_key_has_one_effect_and_one_answer(harness: Any) -> None:
    provider = harness.make()
    first = provider.send(message(harness.good))
    assert provider.send(message(harness.good)) == first
    assert harness.make().send(message(harness.good)) == first, "another process knows it too"
    assert len(harness.effects()) == 1


def test_what_a_repetition_carries_is_not_looked_at(harness: Any) -> None:
    provider = harness.make()
    provider.send(message(harness.good, body="first"))
    provider.send(message(harness.good, body="second"))
    assert [effect.body for effect in harness.effects()] == ["first"]


def test_other_keys_are_other_messages(harness: Any) -> None:
    provider = harness.make()
    for n in range(5):
        assert provider.send(message(harness.good, key=f"key-0000000{n}")).kind in TAKEN
    assert [effect.key for effect in harness.effects()] == [f"key-0000000{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("recipient", "kind"),
    [
        ("busy", OutcomeKind.TEMPORARY),
        ("unknown", OutcomeKind.PERMANENT),
        ("refused", OutcomeKind.TECHNICAL),
    ],
)
def test_failures_are_told_and_have_no_effect(harness: Any, recipient: str, kind: OutcomeKind) -> None:
    outcome = harness.make().send(message(getattr(harness, recipient)))
    assert outcome.kind is kind
    assert outcome.failure.isidentifier(), "a short code"
    assert harness.effects() == []


def test_a_receipt_may_be_owed(harness: Any) -> None:
    assert harness.make().send(message(harness.accepts_only)).kind is OutcomeKind.ACCEPTED
    assert len(harness.effects()) == 1


@pytest.mark.parametrize("recipient", ["", "08123456789", "+62", "nobody", "+6281234567890\n", "../../etc/passwd"])
def test_a_recipient_that_cannot_be_is_a_permanent_failure(harness: Any, recipient: str) -> None:
    assert harness.make().send(message(recipient)).kind is OutcomeKind.PERMANENT
    assert harness.effects() == []


@pytest.mark.parametrize("key", ["", "short", "../../../escape", "UPPER-CASE-KEY", "a" * 200, "key-0000\x00001"])
def test_a_key_that_cannot_be_is_our_own_fault(harness: Any, key: str) -> None:
    assert harness.make().send(message(harness.good, key=key)).kind is OutcomeKind.TECHNICAL
    assert harness.effects() == []


def test_nothing_personal_shows_in_a_message(harness: Any) -> None:
    shown = repr(message(harness.good, body="kode 123456"))
    assert harness.good not in shown
    assert "123456" not in shown


def test_threads_that_send_one_key_have_one_effect(harness: Any) -> None:
    provider, outcomes = harness.make(), []
    threads = [threading.Thread(target=lambda: outcomes.append(provider.send(message(harness.good)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert len(set(outcomes)) == 1
    assert len(harness.effects()) == 1


def _send_all(harness: Any, keys: list[str], start: Any, done: Any) -> None:
    provider = harness.make()
    start.wait()
    for key in keys:
        if provider.send(message(harness.good, key=key)).kind in TAKEN:
            done.send(key)
    done.close()


def test_processes_that_send_the_same_keys_have_one_effect_each(harness: Any) -> None:
    keys = [f"key-{n:08d}" for n in range(40)]
    start = FORK.Event()
    processes = []
    for turn in range(4):
        receiving, sending = FORK.Pipe(duplex=False)
        mine = keys[turn * 10 :] + keys[: turn * 10]
        process = FORK.Process(target=_send_all, args=(harness, mine, start, sending))
        process.start()
        sending.close()
        processes.append((process, receiving))
    start.set()
    for process, _ in processes:
        process.join(30)
        assert process.exitcode == 0
    assert sorted(effect.key for effect in harness.effects()) == keys


@pytest.mark.parametrize("nth", range(8))
def test_a_killed_caller_that_asks_again_has_one_effect(harness: Any, nth: int) -> None:
    """kill -9 in the middle of a stream; then all keys again, as the service's sweep does."""
    keys = [f"key-{n:08d}" for n in range(400)]
    receiving, sending = FORK.Pipe(duplex=False)
    start = FORK.Event()
    start.set()
    process = FORK.Process(target=_send_all, args=(harness, keys, start, sending))
    process.start()
    sending.close()
    answered = [receiving.recv() for _ in range(5 + 7 * nth)]
    time.sleep(nth * 0.0003)  # the kill shall hit different places of a hand-over; nothing waits for this
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    provider = harness.make()
    for key in keys[: len(answered) + 200]:
        assert provider.send(message(harness.good, key=key)).kind in TAKEN
    found = [effect.key for effect in harness.effects()]
    assert len(found) == len(set(found)), "nobody is told twice"
    assert set(answered) <= set(found), "what was answered is there"
    assert set(keys[: len(answered) + 200]) <= set(found)
