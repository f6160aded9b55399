"""The probe as a process, and a producer that publishes events as a service would."""

from __future__ import annotations

import json
import random
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymongo
import pytest
from mpp.queue.v1 import events_pb2
from mpp_chassis import broker
from mpp_chassis.broker import Outgoing, Publisher
from mpp_chassis.events import Event, encode, event_type, event_types, new_event_id
from mpp_localrun.platform import Process, free_ports, stop, wait_ready

PROBE = Path(__file__).with_name("probe.py")


class Probe:
    """Starts and kills probe workers over one fresh database; counts what they did."""

    def __init__(self, platform: Any) -> None:
        self.platform = platform
        self.prefix = f"p{uuid.uuid4().hex[:8]}_"
        client: pymongo.MongoClient[Any] = pymongo.MongoClient(platform.stack.mongodb_uri, tz_aware=True)
        self.database = client[f"{self.prefix}probe"]
        self.running: list[Any] = []
        self._environment: dict[str, str] = {}

    def process(self, verb: str, **extra: str) -> Process:
        port = next(iter(free_ports(1)))
        environment = {
            **self.platform.environment("queue", "work"),
            "MPP_DATABASE_PREFIX": self.prefix,
            "MPP_HTTP_PORT": str(port),
            "MPP_RETRY_DELAYS_MS": "200,1000",
            **extra,
        }
        return Process(
            f"probe-{verb}", (sys.executable, str(PROBE), verb), environment, f"http://127.0.0.1:{port}/readyz"
        )

    def start(self, **extra: str) -> Any:
        process = self.process("work", **extra)
        popen = self.platform.start(process)
        self.running.append(popen)
        wait_ready([(process, popen)], self.platform.logs)
        popen.metrics_url = process.ready_url.replace("/readyz", "/metrics")
        return popen

    def stop(self) -> None:
        for popen in self.running:
            stop(popen)
        self.running.clear()

    def effects(self) -> list[int]:
        return sorted(d["number"] for d in self.database["effects"].find({}, {"number": 1}))


@pytest.fixture
def probe(platform: Any) -> Iterator[Probe]:
    here = Probe(platform)
    conn = broker.connection(platform.stack.amqp_uri)
    channel = conn.channel()
    broker.declare_source(channel, "queue", event_types(events_pb2))
    for name, event in (("record", events_pb2.TicketServing), ("project", events_pb2.TicketCalled)):
        broker.declare_handler(channel, f"probe.{name}", event_type(event), (200, 1000))
        channel.queue_purge(f"probe.{name}")
        channel.queue_purge(f"probe.{name}.parked")
    yield here
    here.stop()
    here.database.client.drop_database(here.database.name)
    # Unbound, so that other tests' events do not pile up for a consumer that is gone.
    for name, event in (("record", events_pb2.TicketServing), ("project", events_pb2.TicketCalled)):
        channel.queue_unbind(f"probe.{name}", "queue.events", event_type(event).routing_key)
    conn.close()


def publish(amqp_uri: str, numbers: range | list[int]) -> None:
    """TicketServing events as the queue service would send them, all confirmed."""
    publisher, rng = Publisher(amqp_uri), random.Random()
    batch = []
    for number in numbers:
        now = datetime.now(UTC)
        event = Event(events_pb2.TicketServing(ticket=f"t/{number}", number=f"D-{number}"), f"t/{number}")
        wires = encode(event, sequence=1, event_id=new_event_id(now, rng), time=now, traceparent="")
        batch += [Outgoing.of("queue.events", wire) for wire in wires]
    for start in range(0, len(batch), 400):
        chunk = batch[start : start + 400]
        assert publisher.publish(chunk).accepted == {m.id for m in chunk}
    publisher.close()


def depth(amqp_uri: str, queue: str) -> int:
    """Messages ready in a queue."""
    conn = broker.connection(amqp_uri)
    try:
        return int(conn.channel().queue_declare(queue, passive=True).message_count)
    finally:
        conn.close()


def parked(amqp_uri: str, queue: str) -> list[dict[str, Any]]:
    """Parked messages with headers and body; they stay where they are."""
    conn = broker.connection(amqp_uri)
    found = []
    try:
        channel = conn.channel()
        while (message := channel.basic_get(f"{queue}.parked")) is not None:
            body = message.body if isinstance(message.body, str) else bytes(message.body).decode("utf-8", "replace")
            found.append({"headers": dict(message.headers), "body": body, "json": _json(body)})
        return found
    finally:
        conn.close()


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
