"""An event whose meaning changes: `ticket_called.v2` goes beside `v1` until the last consumer of `v1` has moved.

Through the real broker, with the chassis' own envelope, topology and publisher: one consumer of each version.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from mpp_chassis import broker
from mpp_chassis.events import Event, EventType, Undecodable, decode, encode, event_type

from tests.contract.evolution.generations import ROOT, message_class, pool_of

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PROTOS = Path(__file__).parent / "protos"
TICKET = "sites/malang/queues/dukcapil/tickets/00000000000000000000000000"
OLD_CONSUMER, NEW_CONSUMER = "rehearsal_display.on_called", "rehearsal_map.on_called"


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> tuple[EventType, EventType]:
    out = tmp_path_factory.mktemp("rehearsal") / "set.binpb"
    include = [f"-I{PROTOS}", f"-I{ROOT / 'proto'}", f"-I{files('grpc_tools') / '_proto'}"]
    sources = [str(p.relative_to(PROTOS)) for p in sorted(PROTOS.rglob("*.proto"))]
    command = [sys.executable, "-m", "grpc_tools.protoc", *include, "--include_imports", f"--descriptor_set_out={out}"]
    subprocess.run([*command, *sources], check=True)
    pool = pool_of(descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file)
    v1, v2 = (event_type(message_class(pool, f"mpp.rehearsal.{v}.TicketCalled")) for v in ("v1", "v2"))
    return v1, v2


def test_both_have_one_exchange_and_a_key_each(kinds: tuple[EventType, EventType]) -> None:
    v1, v2 = kinds
    assert v1.exchange == v2.exchange == "rehearsal.events"
    assert (v1.routing_key, v2.routing_key) == ("ticket_called.v1", "ticket_called.v2")


@pytest.mark.stack
def test_each_consumer_gets_its_version_and_only_that(kinds: tuple[EventType, EventType], amqp_uri: str) -> None:
    v1, v2 = kinds
    conn = broker.connection(amqp_uri)
    channel = conn.channel()
    broker.declare_source(channel, "rehearsal", kinds)
    broker.declare_handler(channel, OLD_CONSUMER, v1, [1000])
    broker.declare_handler(channel, NEW_CONSUMER, v2, [1000])
    publisher = broker.Publisher(amqp_uri)
    try:
        receipt = publisher.publish(both(v1, v2))
        assert receipt.accepted == {"called-v1", "called-v2"}
        assert not receipt.returned
        old = one(channel, OLD_CONSUMER)
        assert decode(v1, old.headers, old.body.encode())[0].counter == 3
        new = one(channel, NEW_CONSUMER)
        assert decode(v2, new.headers, new.body.encode())[0].counter.floor == "lantai 2"
        for kind, strange in ((v1, new), (v2, old)):
            with pytest.raises(Undecodable, match="type is"):
                decode(kind, strange.headers, strange.body.encode())
    finally:
        publisher.close()
        for queue in (OLD_CONSUMER, NEW_CONSUMER):
            channel.queue_delete(queue)
            channel.queue_delete(f"{queue}.parked")
        channel.exchange_delete("rehearsal.events")
        conn.close()


def both(v1: EventType, v2: EventType) -> list[Any]:
    """What a producer sends while both versions are alive: one happening, told twice, each with an id of its own."""
    old: Any = v1.message(ticket=TICKET, number="D-001", counter=3)
    new: Any = v2.message(ticket=TICKET, number="D-001", counter={"number": 3, "floor": "lantai 2"})
    wires = [
        wire
        for message, event_id in ((old, "called-v1"), (new, "called-v2"))
        for wire in encode(Event(message, TICKET), sequence=2, event_id=event_id, time=NOW, traceparent="")
    ]
    return [broker.Outgoing.of("rehearsal.events", wire) for wire in wires]


def one(channel: Any, queue: str) -> Any:
    """The only message of a queue."""
    message = channel.basic_get(queue, no_ack=True)
    assert message is not None, f"nothing came to {queue}"
    assert channel.basic_get(queue, no_ack=True) is None, f"{queue} got more than its version"
    return message
