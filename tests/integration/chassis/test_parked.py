"""Parked events as an operator sees them: list, replay, drop, on a real queue."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from amqp import Message
from mpp.ops.v1 import ops_service_pb2 as pb
from mpp.queue.v1 import events_pb2
from mpp_chassis import broker
from mpp_chassis.broker import PARKED_EXCHANGE, BrokerDown
from mpp_chassis.call import Call, Caller
from mpp_chassis.errors import NotFound
from mpp_chassis.events import event_type
from mpp_chassis.parked import OpsApi

pytestmark = pytest.mark.stack
CALL = Call(Caller("root"), datetime(2026, 11, 22, tzinfo=UTC), role="platform_admin")
AT = "2026-11-22T04:30:00.250000+00:00"


class Queue:
    """A handler queue with its parking, and nobody who consumes it."""

    def __init__(self, amqp_uri: str) -> None:
        self.name = f"t{uuid.uuid4().hex[:8]}.handler"
        self.conn = broker.connection(amqp_uri)
        self.channel = self.conn.channel()
        broker.declare_handler(self.channel, self.name, event_type(events_pb2.TicketServing), (200, 1000))
        self.channel.queue_unbind(self.name, "queue.events", "ticket_serving.v1")
        self.api = OpsApi(amqp_uri, lambda: [self.name])

    def park(self, event_id: str, body: str | bytes = "{}", **headers: Any) -> None:
        known = {"ce-id": event_id, "ce-type": "T", "ce-subject": f"s/{event_id}", "x-mpp-attempt": 3, "x-mpp-at": AT,
                 "x-mpp-error": "Broken: why"}  # fmt: skip
        known = {k: v for k, v in {**known, **headers}.items() if v is not None}
        message = Message(body, message_id=f"m-{event_id}", application_headers=known, delivery_mode=2)
        self.channel.basic_publish_confirm(message, PARKED_EXCHANGE, self.name)

    def listed(self, **request: Any) -> list[str]:
        return [p.event_id for p in self.api.ListParked(pb.ListParkedRequest(**request), CALL).parked]

    def replay(self, *ids: str) -> int:
        return self.api.ReplayParked(pb.ReplayParkedRequest(queue=self.name, event_ids=ids), CALL).replayed

    def drop(self, *ids: str) -> int:
        return self.api.DropParked(pb.DropParkedRequest(queue=self.name, event_ids=ids, reason="why"), CALL).dropped

    def waiting(self) -> list[tuple[str, dict[str, Any], str]]:
        found = []
        while (message := self.channel.basic_get(self.name, no_ack=True)) is not None:
            found.append((message.headers.get("ce-id"), dict(message.headers), message.body))
        return found

    def close(self) -> None:
        for name in (self.name, f"{self.name}.parked"):
            self.channel.queue_delete(name)
        self.conn.close()


@pytest.fixture
def queue(amqp_uri: str) -> Iterator[Queue]:
    here = Queue(amqp_uri)
    yield here
    here.close()


def test_a_listing_tells_all_of_a_parked_event_and_takes_nothing_away(queue: Queue) -> None:
    queue.park("e1", '{"ticket":"t"}', traceparent="00-a")
    for _ in range(25):  # more often than any delivery limit
        found = queue.api.ListParked(pb.ListParkedRequest(queue=queue.name), CALL).parked
    assert len(found) == 1
    event = found[0]
    assert (event.queue, event.event_id, event.type, event.subject) == (queue.name, "e1", "T", "s/e1")
    assert (event.reason, event.attempts, event.body) == ("Broken: why", 3, '{"ticket":"t"}')
    assert event.parked_at.ToDatetime(tzinfo=UTC).isoformat() == AT
    assert event.headers["traceparent"] == "00-a"


def test_a_listing_is_in_order_bounded_and_can_ask_for_one(queue: Queue) -> None:
    ids = [f"e{n}" for n in range(10)]
    for n, event_id in enumerate(ids):
        queue.park(event_id, **{"x-mpp-at": f"2026-11-22T04:{n:02d}:00+00:00"})
    assert queue.listed() == queue.listed(queue=queue.name) == ids
    assert queue.listed(page_size=3) == ids[:3]
    assert queue.listed(event_id="e7") == ["e7"]
    assert queue.listed(event_id="e7", page_size=1) == ["e7"]
    assert queue.listed(event_id="none") == []
    assert queue.listed() == ids


def test_strange_parked_messages_do_not_spoil_the_listing(queue: Queue) -> None:
    queue.park("e1", b"\xff\xfe", **{"x-mpp-attempt": "many", "x-mpp-at": "yesterday", "x-mpp-error": None})
    queue.park("e2", "x" * 50_000, **{"x-mpp-attempt": -4, "x-mpp-at": None, "ce-id": None, "ce-type": None})
    queue.park("e3", **{"x-mpp-attempt": 10**15, "x-first-death-reason": "delivery_limit", "x-mpp-error": None})
    found = queue.api.ListParked(pb.ListParkedRequest(), CALL).parked
    by_id = {p.event_id: p for p in found}
    assert set(by_id) == {"e1", "m-e2", "e3"}
    assert [by_id[i].attempts for i in ("e1", "m-e2", "e3")] == [0, 0, 1_000_000]
    assert by_id["e1"].reason == "unknown by the broker"
    assert by_id["e3"].reason == "delivery_limit by the broker"
    assert len(by_id["m-e2"].body) == 20_000


def test_a_replay_sends_them_back_fresh_and_leaves_the_others(queue: Queue) -> None:
    for event_id in ("e1", "e2", "e3"):
        queue.park(event_id, f'{{"ticket":"{event_id}"}}')
    assert queue.replay("e2", "none") == 1
    assert sorted(queue.listed()) == ["e1", "e3"]
    ((event_id, headers, body),) = queue.waiting()
    assert (event_id, body) == ("e2", '{"ticket":"e2"}')
    assert {k for k in headers if k.startswith("x-")} <= {"x-delivery-count"}  # its attempts start anew
    assert queue.replay() == 2  # all
    assert sorted(w[0] for w in queue.waiting()) == ["e1", "e3"]
    assert queue.replay() == 0


def test_a_replay_of_what_fails_at_once_again_ends(queue: Queue, amqp_uri: str) -> None:
    """A consumer that parks each event in the moment it gets it: the replay must not run in a circle."""
    for n in range(5):
        queue.park(f"e{n}")
    conn = broker.connection(amqp_uri)
    channel = conn.channel()
    # The parking itself stands in for that consumer: what goes back is parked again at once.
    channel.queue_bind(f"{queue.name}.parked", "mpp.back", routing_key=f"0.{queue.name}")
    assert queue.replay() == 5
    assert sorted(queue.listed()) == [f"e{n}" for n in range(5)]
    channel.queue_unbind(f"{queue.name}.parked", "mpp.back", routing_key=f"0.{queue.name}")
    conn.close()


def test_a_drop_is_for_good_and_exact(queue: Queue) -> None:
    for event_id in ("e1", "e2", "e3"):
        queue.park(event_id)
    assert queue.drop("e2") == 1
    assert queue.drop("e2") == 0
    assert sorted(queue.listed()) == ["e1", "e3"]
    assert queue.waiting() == []


def test_only_the_service_s_own_queues(queue: Queue) -> None:
    for go in (
        lambda: queue.api.ListParked(pb.ListParkedRequest(queue="other.handler"), CALL),
        lambda: queue.api.ReplayParked(pb.ReplayParkedRequest(queue="other.handler"), CALL),
        lambda: queue.api.DropParked(pb.DropParkedRequest(queue="other.handler", event_ids=["e"]), CALL),
    ):
        with pytest.raises(NotFound) as caught:
            go()
        assert (caught.value.reason, caught.value.field) == ("QUEUE_UNKNOWN", "queue")


def test_a_broker_that_is_away_or_a_queue_that_is_gone_is_broker_down(amqp_uri: str) -> None:
    with pytest.raises(BrokerDown):
        OpsApi("amqp://127.0.0.1:1//", lambda: ["a.b"]).ListParked(pb.ListParkedRequest(), CALL)
    with pytest.raises(BrokerDown):
        OpsApi(amqp_uri, lambda: ["no.such"]).ListParked(pb.ListParkedRequest(), CALL)
