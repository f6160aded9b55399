"""What the sweeps measure for dashboards and alerts, on the real store: emergency buttons, and blocks not given back."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from google.protobuf.empty_pb2 import Empty
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Command
from mpp_queue import metrics, rooms
from mpp_queue.counters.domain import Counter
from mpp_queue.counters.handlers import CounterHandlers
from mpp_queue.counters.store import Counters, Layout
from mpp_queue.kiosks import usecases
from mpp_queue.kiosks.domain import BlockDay, BlockRules
from mpp_queue.kiosks.store import Blocks
from mpp_queue.views import Queues

QUEUE, AGENCY, DAY = "sites/malang/queues/dukcapil", "sites/malang/agencies/dukcapil", "2026-11-23"
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)  # 09:00 in Malang
MINUTE = timedelta(minutes=1)


def command(what: str) -> Command:
    return Command(str(uuid.uuid4()), what, what, "t", NOW)


@pytest.fixture
def store(mongodb_uri: str) -> Iterator[Store]:
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True)
    name = f"t_{uuid.uuid4().hex[:12]}"
    storage.ensure_indexes(client[name], rooms.INDEXES, ("tickets",))
    made = Store(client[name], None, lambda: NOW, random.Random(7))
    queues = Queues(made)
    queues.learn_site(site_pb2.Site(name="sites/malang", time_zone="Asia/Jakarta"), 1)
    spec = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=[1, 2], minutes_per_visit=10)
    queues.learn_agency(agency_pb2.Agency(name=AGENCY, queue=spec), 1)
    yield made
    client.drop_database(name)
    client.close()


def test_blocks_that_no_kiosk_gave_back(store: Store) -> None:
    """Of three leases one ran out, one was given back, and one lasts; yesterday's are no longer asked for."""
    blocks, rules = Blocks(store), BlockRules(lease=30 * MINUTE)
    for day, leased in ((DAY, NOW - 40 * MINUTE), ("2026-11-22", NOW - timedelta(days=1))):
        made = BlockDay(QUEUE, day, leased + timedelta(hours=9))
        for block_id, since in (("lost", 0), ("returned", 0), ("lasts", 30)):
            made, block = made.lease(block_id, kiosk="k", holder="k", size=5, now=leased + since * MINUTE, rules=rules)
            if block_id == "returned":
                made, _ = made.give_back(block, 2)
        blocks.change(f"{QUEUE}/offlineDays/{day}", made, command(day), Empty, lambda day: (day, Empty()))
    app: Any = SimpleNamespace(blocks=blocks, tickets=SimpleNamespace(queues=Queues(store)))
    gauge = metrics.OFFLINE_BLOCKS_UNRETURNED.labels("malang")
    usecases.measure(app, NOW)
    assert gauge._value.get() == 1
    usecases.measure(app, NOW - 20 * MINUTE)
    assert gauge._value.get() == 0
    usecases.measure(app, NOW + 30 * MINUTE)
    assert gauge._value.get() == 2


def test_emergency_buttons_that_nobody_has_answered(store: Store) -> None:
    counters = Counters(store)
    name = "sites/malang/counters/1"
    pressed = Counter(name, "malang", 1, QUEUE, AGENCY).raise_alarm(now=NOW, actor="o1")
    counters.change(name, command("Raise"), Empty, lambda _: (pressed, Empty(), ()), lambda: pressed)
    handlers = CounterHandlers()
    handlers.app = SimpleNamespace(counters=SimpleNamespace(counters=counters, layout=Layout(store)))
    gauge = metrics.OPEN_ALARMS.labels("malang")
    CounterHandlers.measure_alarms(handlers, NOW)
    assert gauge._value.get() == 1
    came = pressed.acknowledge(now=NOW + MINUTE, actor="o2")
    counters.change(name, command("Acknowledge"), Empty, lambda _: (came, Empty(), ()), None)
    CounterHandlers.measure_alarms(handlers, NOW + MINUTE)
    assert gauge._value.get() == 0
