"""An operator meets a parked event: list, show, replay, drop, with mppctl against the running platform."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mpp.queue.v1 import events_pb2
from mpp_chassis.broker import PARKED_EXCHANGE, Outgoing, Publisher
from mpp_chassis.events import Event, encode, new_event_id

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.stack


def mppctl(malang: Any, *words: str, fails: bool = False) -> str:
    command = [sys.executable, "-m", "mppctl.main", "--profile", malang.platform.profile, "--json", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def parked(malang: Any, eventually: Callable[..., Any]) -> tuple[str, str]:
    """(queue, event id) of an event that was parked before its handler was mended."""
    queue = next(d["_id"] for d in malang.database("complaints")["handlers"].find({"key": "ticket_ended.v1"}))
    now = datetime.now(UTC)
    ticket = f"sites/malang/queues/dukcapil/tickets/parked{random.randrange(10**12):012d}"
    ended = events_pb2.TicketEnded(
        ticket=ticket, number="D-900", agency="sites/malang/agencies/dukcapil", waited_seconds=77
    )
    wire = encode(
        Event(ended, ticket), sequence=9, event_id=new_event_id(now, random.Random()), time=now, traceparent=""
    )[0]
    headers = {**wire.headers, "x-mpp-error": "Broken: as it was yesterday", "x-mpp-attempt": 5}
    publisher = Publisher(malang.platform.stack.amqp_uri)
    assert publisher.publish([Outgoing(wire.id, PARKED_EXCHANGE, queue, headers, wire.body)]).accepted
    publisher.close()
    return queue, wire.id


def listed(malang: Any, queue: str) -> list[Any]:
    return list(json.loads(mppctl(malang, "events", "parked", "list", "--service", "complaints", "--queue", queue)))


def test_a_parked_event_is_listed_shown_and_replayed(
    malang: Any, parked: tuple[str, str], eventually: Callable[..., Any]
) -> None:
    queue, event_id = parked
    assert event_id in json.dumps(listed(malang, queue))
    shown = mppctl(malang, "events", "parked", "show", event_id, "--service", "complaints")
    assert "Broken: as it was yesterday" in shown
    mppctl(malang, "events", "parked", "replay", event_id, "--service", "complaints", "--queue", queue)
    database = malang.database("complaints")

    first = "sites/malang/queues/dukcapil/tickets/parked"
    query = {"_id": {"$gte": first, "$lt": f"{first[:-1]}e"}}

    def arrived() -> bool:
        return any(database[name].find_one(query) for name in database.list_collection_names())

    eventually(arrived)
    assert event_id not in json.dumps(listed(malang, queue))


def test_a_parked_event_is_dropped_with_a_reason(malang: Any, parked: tuple[str, str]) -> None:
    queue, event_id = parked
    drop = ("events", "parked", "drop", event_id, "--service", "complaints", "--queue", queue)
    mppctl(malang, *drop, "--reason", "made by a test", "--yes")
    assert event_id not in json.dumps(listed(malang, queue))
    assert "parked_dropped" in malang.log("complaints-serve")
