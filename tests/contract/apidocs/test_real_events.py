"""What the running services put into the public journal is what asyncapi.json describes, to the last field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mpp_chassis import broker
from mpp_chassis.broker import JOURNAL

from tests.contract.apidocs.schemas import document, faults, strict

pytestmark = pytest.mark.stack
ASYNCAPI = document("asyncapi.json")
CLOSED = strict(ASYNCAPI)
MESSAGES = ASYNCAPI["components"]["messages"]
# What a loaded site and one of the visits below make for certain; the rest is checked as it comes.
EXPECTED = {
    "mpp.catalog.v1.SitePublished",
    "mpp.catalog.v1.AgencyPublished",
    "mpp.catalog.v1.OfferingPublished",
    "mpp.queue.v1.TicketIssued",
}


def journal(amqp_uri: str, last: str) -> list[tuple[str, str, dict[str, Any], Any]]:
    """Everything in the journal up to the first event about `last`: type, routing key, headers, body."""
    conn = broker.connection(amqp_uri)
    try:
        channel = conn.channel()
        channel.basic_qos(0, 500, False)
        found: list[tuple[str, str, dict[str, Any], Any]] = []

        def take(message: Any) -> None:
            headers = dict(message.headers)
            found.append((headers["ce-type"], message.delivery_info["routing_key"], headers, json.loads(message.body)))
            channel.basic_ack(message.delivery_tag)

        channel.basic_consume(JOURNAL, callback=take, arguments={"x-stream-offset": "first"})
        while not any(headers["ce-subject"] == last for _, _, headers, _ in reversed(found)):
            conn.drain_events(timeout=60)
        return found
    finally:
        conn.close()


@pytest.fixture(scope="module")
def events(malang: Any) -> list[tuple[str, str, dict[str, Any], Any]]:
    from mpp.queue.v1 import queue_service_pb2, queue_service_pb2_grpc

    from tests.conftest import request_id

    stub = malang.stub("queue", queue_service_pb2_grpc.QueueServiceStub)
    take = queue_service_pb2.TakeTicketRequest(
        parent="sites/malang/queues/dlh", phone="+6281200000077", request_id=request_id()
    )
    last = stub.TakeTicket(take, metadata=malang.auth("kiosk", site="malang"), timeout=30).ticket.name
    malang.settled()
    return journal(malang.platform.stack.amqp_uri, last)


def test_every_event_is_described_and_keeps_to_its_schema(events: list[Any]) -> None:
    found = []
    for name, key, headers, body in events:
        message = MESSAGES.get(name)
        if message is None:
            found.append(f"{name} is not described")
            continue
        if key != message["x-mpp-routing-key"]:
            found.append(f"{name} came under {key}")
        found += [f"{name} payload {fault}" for fault in faults(message["payload"], CLOSED, body)]
        found += [f"{name} headers {fault}" for fault in faults(message["headers"], ASYNCAPI, headers)]
    assert found[:20] == []


def test_something_was_looked_at(events: list[Any]) -> None:
    assert {name for name, *_ in events} >= EXPECTED


def test_a_personal_field_would_be_seen(events: list[Any]) -> None:
    """The schemas are closed here: a field that agencies must not get is a fault, whatever it holds."""
    body = next(body for name, _, _, body in events if name == "mpp.queue.v1.TicketIssued")
    message = MESSAGES["mpp.queue.v1.TicketIssued"]
    for field in ("sealedPhone", "priorityGroup"):
        assert field not in body
        assert faults(message["payload"], CLOSED, {**body, field: "x"})
