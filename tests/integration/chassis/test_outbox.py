"""The outbox on the real broker and store: nothing lost, nothing stuck, nothing twice while nothing breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from mpp.queue.v1 import events_pb2
from mpp_chassis import metrics, outbox
from mpp_chassis.broker import BrokerDown, Outgoing
from mpp_chassis.outbox import Committed, Dispatcher

from .ground import NOTES, Ground, add_one

pytestmark = pytest.mark.stack
Reply = events_pb2.TicketServing
KEY = "ticket_serving.v1"


@pytest.fixture
def ground(database: Any, amqp_uri: str) -> Iterator[Ground]:
    here = Ground(database, amqp_uri)
    yield here
    here.close()


@pytest.fixture
def unbound(database: Any, amqp_uri: str) -> Iterator[Ground]:
    here = Ground(database, amqp_uri, bound=False)
    yield here
    here.close()


def committed(ground: Ground, name: str) -> Committed:
    stored = ground.aggregates().load(name)
    assert stored is not None
    return Committed(NOTES, name, stored.waiting[-1].id, stored.waiting)


def test_in_the_quiet_case_every_event_goes_out_once_and_every_document_is_cleared(
    ground: Ground, eventually: Callable[..., Any]
) -> None:
    dispatcher, sweeper = ground.dispatcher(), ground.sweeper()
    dispatcher.start()
    sweeper.start()
    notes = ground.aggregates(dispatcher)

    def visit(n: int) -> None:
        ground.create(notes, f"n/{n}")
        for _ in range(4):
            notes.change(f"n/{n}", ground.command(), Reply, add_one)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(60)))
    assert dispatcher.drained(20)
    eventually(lambda: ground.pending() == 0)
    sweeper.stop()
    found = ground.received()
    assert len({m["id"] for m in found}) == 300
    assert {(m["subject"], m["sequence"]) for m in found} == {(f"n/{n}", s) for n in range(60) for s in range(1, 6)}
    assert len(found) == 300
    for n in range(60):  # and of one aggregate in their order
        assert [m["sequence"] for m in found if m["subject"] == f"n/{n}"] == [1, 2, 3, 4, 5]


def test_an_unroutable_event_is_kept_counted_and_delivered_once_its_queue_exists(unbound: Ground) -> None:
    before = metrics.EVENTS_RETURNED.labels(KEY)._value.get()
    unbound.create(unbound.aggregates(), "n/1")
    dispatcher = unbound.dispatcher()
    assert dispatcher.deliver([committed(unbound, "n/1")]) == 0
    assert metrics.EVENTS_RETURNED.labels(KEY)._value.get() == before + 1
    assert unbound.pending() == 1
    unbound.bind()
    unbound.clock.ahead = timedelta(seconds=4)
    assert unbound.sweeper().sweep() == 1
    assert unbound.pending() == 0
    assert [m["subject"] for m in unbound.received()] == ["n/1"]


def test_unroutable_events_do_not_hold_up_what_waits_behind_them(
    unbound: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than a page: the sweep must step over them, end, and reach the newer ones."""
    monkeypatch.setattr(outbox, "SWEEP_LIMIT", 10)
    notes = unbound.aggregates()
    for n in range(25):
        unbound.create(notes, f"n/{n}")
    unbound.database[NOTES].update_many({}, {"$set": {"outbox.events.0.key": "nobody.wants.this"}})
    time.sleep(0.002)  # the ids of what follows are newer
    for n in range(25, 30):
        unbound.create(notes, f"n/{n}")
    unbound.channel.queue_declare(unbound.queue, durable=True, auto_delete=False)
    unbound.channel.queue_bind(unbound.queue, unbound.exchange, routing_key=KEY)
    unbound.clock.ahead = timedelta(seconds=4)
    sweeper = unbound.sweeper()
    assert sweeper.sweep() == 5
    assert {m["subject"] for m in unbound.received()} == {f"n/{n}" for n in range(25, 30)}
    assert unbound.pending() == 25
    returned = metrics.EVENTS_RETURNED.labels("nobody.wants.this")._value.get()
    assert sweeper.sweep() == 0
    assert metrics.EVENTS_RETURNED.labels("nobody.wants.this")._value.get() == returned, "tried again at once, for ever"
    sweeper._full_pass = 0.0  # ten seconds later
    unbound.channel.queue_bind(unbound.queue, unbound.exchange, routing_key="#")
    assert sweeper.sweep() == 25
    assert unbound.pending() == 0


def test_a_document_with_very_many_events_is_cleared_in_one_go(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a long outage: more messages than the dispatcher remembers ids."""
    monkeypatch.setattr(outbox, "BATCH", 5)
    notes = ground.aggregates()
    for n in range(4):
        ground.create(notes, f"n/{n}")
        for _ in range(19):
            notes.change(f"n/{n}", ground.command(), Reply, add_one)
    items = [committed(ground, f"n/{n}") for n in range(4)]
    assert ground.dispatcher().deliver(items) == 4
    assert ground.pending() == 0
    assert ground.depth() == 80


def test_clearing_never_removes_a_newer_event(ground: Ground) -> None:
    """A commit between publish and clear: the document keeps what was not published."""
    notes, dispatcher = ground.aggregates(), ground.dispatcher()
    ground.create(notes, "n/1")
    old = committed(ground, "n/1")
    published = dispatcher.publish([old])
    notes.change("n/1", ground.command(), Reply, add_one)
    assert dispatcher.clear(published) == 0
    stored = notes.load("n/1")
    assert stored is not None
    assert [int(w.headers["ce-sequence"]) for w in stored.waiting] == [1, 2]
    assert dispatcher.deliver([committed(ground, "n/1")]) == 1
    assert [m["sequence"] for m in ground.received()] == [1, 2]  # the first one not twice: it was remembered


def test_clearing_races_with_commits_and_loses_nothing(ground: Ground) -> None:
    dispatcher = ground.dispatcher()
    dispatcher.start()
    notes = [ground.aggregates(dispatcher) for _ in range(3)]
    ground.create(notes[0], "n/1")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: notes[n % 3].change("n/1", ground.command(), Reply, add_one), range(120)))
    assert dispatcher.drained(20)
    ground.clock.ahead = timedelta(seconds=5)
    ground.sweeper().sweep()
    assert ground.pending() == 0
    assert {m["sequence"] for m in ground.received()} == set(range(1, 122))


def test_two_dispatchers_and_a_sweeper_at_once_lose_nothing(ground: Ground) -> None:
    """Duplicates are allowed here; a loss is not."""
    first, second = ground.dispatcher(), ground.dispatcher()
    for dispatcher in (first, second):
        dispatcher.start()
    one, two = ground.aggregates(first), ground.aggregates(second)
    ground.clock.ahead = timedelta(seconds=-10)  # everything is old enough for the sweeper at once
    ground.create(one, "n/1")
    ground.clock.ahead = None
    sweeper, stop = ground.sweeper(), threading.Event()
    sweeping = threading.Thread(target=lambda: [sweeper.sweep() for _ in iter(stop.is_set, True)])
    sweeping.start()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: (one, two)[n % 2].change("n/1", ground.command(), Reply, add_one), range(60)))
    assert first.drained(20)
    assert second.drained(20)
    stop.set()
    sweeping.join()
    ground.clock.ahead = timedelta(seconds=5)
    sweeper._full_pass = 0.0
    sweeper.sweep()
    assert ground.pending() == 0
    assert {m["sequence"] for m in ground.received()} == set(range(1, 62))


class Faulty:
    """A publisher that raises what the test says, then works: for what a real broker does not do on demand."""

    def __init__(self, real: Any, *faults: Exception) -> None:
        self.real, self.faults = real, list(faults)

    def publish(self, batch: Any) -> Any:
        if self.faults:
            raise self.faults.pop(0)
        return self.real.publish(batch)

    def close(self) -> None:
        self.real.close()


def test_the_dispatcher_s_thread_survives_whatever_happens(ground: Ground, eventually: Callable[..., Any]) -> None:
    dispatcher = ground.dispatcher()
    dispatcher._publisher = Faulty(dispatcher._publisher, BrokerDown("x"), TypeError("x"), MemoryError("x"))  # type: ignore[assignment]
    dispatcher.start()
    notes = ground.aggregates(dispatcher)
    for n in range(4):
        ground.create(notes, f"n/{n}")
        assert dispatcher.drained(10)
    eventually(lambda: ground.depth() == 1)
    assert ground.pending() == 3  # left to the sweeper
    ground.clock.ahead = timedelta(seconds=5)
    assert ground.sweeper().sweep() == 3


def test_the_sweeper_s_thread_survives_a_document_that_is_no_outbox(
    ground: Ground, eventually: Callable[..., Any]
) -> None:
    ground.database[NOTES].insert_one(
        {"_id": "bad", "label": "bad", "outbox": {"last": "000-no-id", "events": [{"id": 1}]}}
    )
    ground.create(ground.aggregates(), "n/1")
    ground.clock.ahead = timedelta(seconds=5)
    sweeper = ground.sweeper()
    sweeper.start()
    eventually(lambda: ground.depth() == 1)
    eventually(lambda: metrics.OUTBOX_PENDING._value.get() == 1)  # it is still seen
    sweeper.stop()


def test_the_memory_of_a_dispatcher_is_bounded(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "WAITING_LIMIT", 10)
    stuck: Dispatcher = ground.dispatcher()  # not started: as while the broker hangs
    notes = ground.aggregates(stuck)
    for n in range(30):
        ground.create(notes, f"n/{n}")
    assert len(stuck._queue) == 10
    ground.clock.ahead = timedelta(seconds=5)
    assert ground.sweeper().sweep() == 30


def test_one_sweeper_at_a_time_and_another_takes_over(ground: Ground, eventually: Callable[..., Any]) -> None:
    first, second = ground.sweeper("first"), ground.sweeper("second")
    first.start()
    eventually(lambda: ground.database["leases"].find_one({"_id": "sweeper", "holder": "first"}))
    second.start()
    ground.create(ground.aggregates(), "n/1")
    ground.clock.ahead = timedelta(seconds=5)
    eventually(lambda: ground.pending() == 0)
    assert ground.database["leases"].find_one({"_id": "sweeper"})["holder"] == "first"
    first.stop()
    eventually(lambda: ground.database["leases"].find_one({"_id": "sweeper", "holder": "second"}))
    second.stop()


def test_the_gauges_tell_what_is_pending(ground: Ground) -> None:
    sweeper = ground.sweeper()
    sweeper.measure()
    assert metrics.OUTBOX_PENDING._value.get() == metrics.OUTBOX_OLDEST_SECONDS._value.get() == 0
    for n in range(3):
        ground.create(ground.aggregates(), f"n/{n}")
    ground.clock.ahead = timedelta(seconds=100)
    sweeper.measure()
    assert metrics.OUTBOX_PENDING._value.get() == 3
    assert 99 < metrics.OUTBOX_OLDEST_SECONDS._value.get() < 130


def test_the_sweeper_s_query_reads_the_outbox_index_only(ground: Ground) -> None:
    """From the store's own explain: cost follows what is pending, not history."""
    notes, dispatcher = ground.aggregates(), ground.dispatcher()
    for n in range(20):
        ground.create(notes, f"n/{n}")
    dispatcher.deliver([committed(ground, f"n/{n}") for n in range(18)])
    query = {"outbox.last": {"$gt": "", "$lt": "g"}}
    plan = ground.database[NOTES].find(query, {"outbox": 1}).sort("outbox.last", 1).limit(400).explain()
    stages = str(plan["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in stages
    assert "outbox_pending" in stages
    assert "COLLSCAN" not in stages


def test_an_event_too_wild_for_the_broker_does_not_stop_its_neighbours_for_ever(ground: Ground) -> None:
    """A routing key above 255 bytes cannot be encoded: the batch fails, the rest must get through by other batches."""
    publisher = ground.dispatcher()._publisher
    good = Outgoing("a", ground.exchange, KEY, {}, "{}")
    with pytest.raises(BrokerDown):
        publisher.publish([good, Outgoing("b", ground.exchange, "x" * 300, {}, "{}")])
    assert publisher.publish([good]).accepted == {"a"}
