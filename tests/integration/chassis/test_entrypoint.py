"""The `@on` entrypoint against the real broker: what nameko would lose is not lost here. Counted, in events."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from mpp_chassis.broker import BACK_EXCHANGE, Outgoing, Publisher

from .conftest import Probe, depth, parked, publish

EVENTS = 1000
pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


def repeats(probe: Probe) -> int:
    return int(probe.database["repeats"].count_documents({}))


@pytest.mark.chaos
def test_kill_9_of_a_worker_in_the_middle_loses_and_doubles_nothing(
    probe: Probe, amqp_uri: str, eventually: Callable[..., Any]
) -> None:
    publish(amqp_uri, range(EVENTS))
    for kill_at in (EVENTS // 5, EVENTS // 2):
        worker = probe.start()
        eventually(lambda at=kill_at: len(probe.effects()) >= at, seconds=120)
        worker.kill()
        worker.wait()
    probe.start()
    eventually(lambda: len(set(probe.effects())) == EVENTS, seconds=120)
    assert probe.effects() == list(range(EVENTS))  # none lost, none doubled
    assert repeats(probe) <= 2 * 16 + 2  # redelivered and recognised: at most what two workers had in hand
    assert parked(amqp_uri, "probe.record") == []


@pytest.mark.chaos
def test_one_percent_of_poison_is_parked_with_its_reason_and_the_neighbours_pass(
    probe: Probe, amqp_uri: str, eventually: Callable[..., Any]
) -> None:
    publish(amqp_uri, range(EVENTS))
    probe.start(PROBE_FAULT="percent")
    good = [n for n in range(EVENTS) if n % 100]
    eventually(lambda: len(probe.effects()) == len(good), seconds=120)
    eventually(lambda: depth(amqp_uri, "probe.record.parked") >= EVENTS // 100)
    probe.stop()
    found = parked(amqp_uri, "probe.record")
    assert probe.effects() == good
    # A set: a move whose confirm was late on a busy machine is done again.
    assert {int(p["json"]["number"].split("-")[1]) for p in found} == set(range(0, EVENTS, 100))
    for item in found:
        assert item["headers"]["x-mpp-error"].startswith("Broken: cannot digest number")
        assert "3573010101900001" not in str(item["headers"])  # the reason is scrubbed
        assert int(item["headers"]["x-mpp-attempt"]) == 3  # first try and two rungs


@pytest.mark.chaos
def test_a_handler_that_always_raises_stops_at_the_limit_and_all_recover_after_the_fix(
    probe: Probe, amqp_uri: str, eventually: Callable[..., Any]
) -> None:
    publish(amqp_uri, range(EVENTS))
    broken = probe.start(PROBE_FAULT="always")

    def paused() -> bool:
        with urllib.request.urlopen(broken.metrics_url, timeout=30) as reply:
            return bool(re.search(r'mpp_consumer_paused\{queue="probe.record"\} 1.0', reply.read().decode()))

    eventually(paused, seconds=60)
    left = depth(amqp_uri, "probe.record")
    assert left > EVENTS - 200, "the queue was drained although every attempt failed"
    probe.stop()
    assert len(parked(amqp_uri, "probe.record")) <= 20  # at most what failed its whole ladder before the limit
    probe.start()
    count = EVENTS - len({p["json"]["number"] for p in parked(amqp_uri, "probe.record")})
    eventually(lambda: len(probe.effects()) >= count, seconds=120)
    assert len(set(probe.effects())) == len(probe.effects()) == count


def test_a_transient_failure_is_tried_again_later_and_not_parked(
    probe: Probe, amqp_uri: str, eventually: Callable[..., Any]
) -> None:
    publish(amqp_uri, range(15))  # fewer than the limit's minimum
    probe.start(PROBE_FAULT="flaky")
    eventually(lambda: len(probe.effects()) == 15)
    assert {d["attempt"] for d in probe.database["effects"].find()} == {2}
    assert parked(amqp_uri, "probe.record") == []


def test_an_undecodable_message_is_parked_at_once_and_its_body_kept(
    probe: Probe, amqp_uri: str, eventually: Callable[..., Any]
) -> None:
    bodies = ["{}", '{"ticket": 5', "\x00 not json"]
    publisher = Publisher(amqp_uri)
    # Straight to the probe's queue: nobody else, no agency's stream least of all, should get rubbish from a test.
    rubbish = [Outgoing(f"m{n}", BACK_EXCHANGE, "0.probe.record", {}, body) for n, body in enumerate(bodies)]
    assert len(publisher.publish(rubbish).accepted) == 3
    publisher.close()
    publish(amqp_uri, range(3))
    probe.start()
    eventually(lambda: probe.effects() == [0, 1, 2])
    # At least once: a move whose confirm was late on a busy machine is done again, so copies are allowed, loss is not.
    eventually(lambda: depth(amqp_uri, "probe.record.parked") >= 3 and depth(amqp_uri, "probe.record") == 0)
    probe.stop()
    found = parked(amqp_uri, "probe.record")
    assert {p["body"] for p in found} == set(bodies)
    assert {p["headers"]["x-mpp-error"] for p in found} == {"header ce-type is missing"}


def test_sigterm_finishes_what_is_under_way_and_exits_cleanly(
    probe: Probe, amqp_uri: str, eventually: Callable[..., Any]
) -> None:
    publish(amqp_uri, range(300))
    worker = probe.start(PROBE_PACE="0.02")
    eventually(lambda: len(probe.effects()) >= 30)
    worker.terminate()
    assert worker.wait(30) == 0
    probe.start()
    eventually(lambda: len(set(probe.effects())) == 300, seconds=60)
    assert probe.effects() == list(range(300))
    assert repeats(probe) == 0  # nothing was cut in the middle
