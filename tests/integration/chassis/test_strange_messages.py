"""Messages that nobody should have sent: parked one by one; the worker keeps its connection, neighbours pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from amqp import Message
from mpp.queue.v1 import events_pb2
from mpp_chassis import broker
from mpp_chassis.broker import BACK_EXCHANGE
from mpp_chassis.events import Event, encode

from .conftest import Probe, depth, publish

pytestmark = pytest.mark.stack
KEY = "0.probe.record"  # straight to the probe: no agency's stream should get rubbish from a test


def good(number: int) -> dict[str, Any]:
    message = events_pb2.TicketServing(number=f"D-{number}")
    now = datetime.now(UTC)
    return dict(encode(Event(message, "t/1"), sequence=1, event_id=f"e{number}", time=now, traceparent="")[0].headers)


def test_strange_messages_are_parked_and_the_worker_keeps_its_connection(
    probe: Probe, amqp_uri: str, eventually: Callable[..., Any]
) -> None:
    bad = [
        (good(1), b"[" * 200_000),
        (good(9), b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
        (good(2), b"[]"),
        (good(3), b"\xff"),
        ({**good(4), "ce-time": "0001-01-01T00:00:00"}, b'{"number":"D-4"}'),
        ({**good(5), "ce-sequence": "9" * 5000}, b'{"number":"D-5"}'),
        ({**good(6), "ce-type": "mpp.queue.v1.TicketCalled"}, b"{}"),
        ({}, b"x"),
        ({}, b"y"),
    ]
    fine = [
        ({**good(7), "x-mpp-attempt": "many"}, b'{"number":"D-7"}'),
        ({**good(8), "traceparent": "rubbish", "x-strange": {"a": [1, None]}}, b'{"number":"D-8"}'),
    ]
    conn = broker.connection(amqp_uri)
    channel = conn.channel()
    probe.start()
    log = probe.platform.logs / "probe-work.log"
    before = log.read_text().count("broker_lost")
    for headers, body in [*bad, *fine]:
        channel.basic_publish(Message(body, application_headers=headers, delivery_mode=2), BACK_EXCHANGE, KEY)
    publish(amqp_uri, range(10, 40))
    eventually(lambda: len(probe.effects()) == 32 and depth(amqp_uri, "probe.record.parked") >= len(bad), seconds=30)
    assert probe.effects() == [7, 8, *range(10, 40)]
    assert log.read_text().count("broker_lost") == before
    while (message := channel.basic_get("probe.record.parked", no_ack=True)) is not None:
        assert message.headers["x-mpp-error"], "parked without a reason"
    conn.close()
