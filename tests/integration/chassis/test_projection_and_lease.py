"""Projections end in the newest whatever the order; a lease has one holder. On the real store."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.errors import Unavailable
from mpp_chassis.lease import Lease
from mpp_chassis.projection import TOUCHED, Changes, Projection
from pymongo.errors import AutoReconnect

pytestmark = pytest.mark.stack


@pytest.fixture
def projection(database: Any) -> Projection:
    return Projection(Store(database, None, lambda: datetime.now(UTC), random.Random()), "boards")


# Each event carries its whole state, and not every state has every field.
STATES = {n: {"calls": n} | ({"note": n} if n % 2 else {}) for n in range(1, 7)}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(1, 6), min_size=1, max_size=12))
def test_any_order_with_duplicates_ends_in_the_newest(projection: Projection, order: list[int]) -> None:
    projection.collection.delete_many({})
    newest = 0
    for sequence in order:
        assert projection.apply("t/1", sequence, STATES[sequence]) == (sequence > newest)
        newest = max(newest, sequence)
        assert projection.get("t/1") == {"_id": "t/1", "sequence": newest, **STATES[newest]}
    assert projection.get("t/2") is None


def test_events_of_one_subject_at_once_end_in_the_newest(projection: Projection) -> None:
    """The first two inserts race: the loser may be the newer one."""
    gate = threading.Barrier(4)

    def go(sequence: int) -> None:
        for n in range(60):
            gate.wait(10)
            projection.apply(f"t/{n}", sequence, {"calls": sequence})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, (1, 2, 3, 4)))
    assert [d["sequence"] for d in projection.collection.find()] == [4] * 60


# --- changes ---------------------------------------------------------------------------------------------------------


class Watcher:
    """A process that keeps what it reads, with a steady clock of the test's; and one that writes, with a wall clock off by
    `skew` seconds.
    """

    def __init__(self, database: Any, skew: float = 0.0) -> None:
        storage.ensure_indexes(database, {"boards": [TOUCHED]}, [])
        store, self.now = Store(database, None, lambda: datetime.now(UTC), random.Random()), 1000.0
        self.meanwhile, self.idle = lambda: None, timedelta()
        there = timedelta(seconds=skew)
        self.writes = Projection(store, "boards", watched=True, wall=lambda: datetime.now(UTC) + there)
        self.asked = 0
        self.changes = Changes(self.writes, key=lambda name: name.split("/")[0], clock=self._clock, wall=self._wall)

    def _clock(self) -> float:
        return self.now

    def _wall(self) -> datetime:
        self.asked += 1
        self.meanwhile()
        return datetime.now(UTC) + self.idle


@pytest.mark.parametrize("skew", [-25, 0, 25])
def test_a_change_is_told_two_seconds_later_and_once(database: Any, skew: float) -> None:
    here = Watcher(database, skew)
    here.writes.apply("a/1", 1, {})
    here.changes.since("a", here.now)
    here.now += 5  # what was read now is newer than all that is told
    read_at = here.now
    assert not here.changes.since("a", read_at)
    here.writes.apply("a/1", 2, {})
    here.now += 1.9
    assert not here.changes.since("a", read_at)
    here.now += 0.2
    assert here.changes.since("a", read_at)
    assert not here.changes.since("b", read_at)
    read_at = here.now + 0.1
    for _ in range(20):
        here.now += 2.1
        assert not here.changes.since("a", read_at), "the same change is told again"
    here.writes.apply("a/2", 1, {})  # another subject of the same key
    here.now += 2.1
    assert here.changes.since("a", read_at)


def test_what_is_written_while_somebody_looks_is_told_to_who_read_before_it(database: Any) -> None:
    here, read_at = Watcher(database), list[float]()
    here.changes.since("a", here.now)

    def meanwhile() -> None:  # after the look began, before it asks
        here.now += 0.1
        read_at.append(here.now)  # what was before is read ...
        here.writes.apply("a/1", 1, {})
        here.now += 0.1

    here.meanwhile = meanwhile
    here.now += 2.1
    here.changes.since("a", here.now)
    here.meanwhile = lambda: None
    assert here.changes.since("a", read_at[0])


@pytest.mark.parametrize("looked", [False, True])
def test_what_was_written_while_nobody_asked_is_told_however_long_ago(database: Any, looked: bool) -> None:
    here = Watcher(database)
    if looked:
        here.changes.since("a", here.now)
    read_at = here.now + 0.1
    here.writes.apply("a/1", 1, {})
    here.now += 50
    here.idle = timedelta(seconds=50)
    assert here.changes.since("a", read_at)


def test_asking_costs_one_query_in_two_seconds_whoever_asks(database: Any) -> None:
    here = Watcher(database)
    here.asked = 0
    with ThreadPoolExecutor(16) as pool:
        for _ in range(5):
            list(pool.map(lambda _: here.changes.since("a", here.now), range(200)))
            here.now += 2.1
    assert here.asked == 5


def test_what_cannot_be_looked_up_is_said(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Watcher(database)
    here.changes.since("a", here.now)
    here.now += 2.1

    def away(*_: Any) -> None:
        raise AutoReconnect("away")

    with monkeypatch.context() as patched:
        patched.setattr(here.writes.collection.__class__, "find", away)
        with pytest.raises(AutoReconnect):
            here.changes.since("a", here.now)
    here.writes.apply("a/1", 1, {})
    assert here.changes.since("a", here.now - 1)  # asked again at once, and nothing was missed


def test_who_waits_too_long_for_anothers_look_is_told(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that hangs holds up one caller; the others go on with what is known for four seconds, and are refused then."""
    monkeypatch.setattr("mpp_chassis.projection.PATIENCE", 0.05)
    here = Watcher(database)
    here.changes.since("a", here.now)
    with here.changes._lock:  # somebody looks, and gets no answer
        here.now += 2.1
        assert not here.changes.since("a", here.now)
        here.now += 2.1
        with pytest.raises(Unavailable):
            here.changes.since("a", here.now)
    assert not here.changes.since("a", here.now)


# --- lease -----------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lease(database: Any, holder: str, clock: Clock) -> Lease:
    return Lease(database["leases"], "sweeper", holder, clock, 10)


def test_a_lease_is_held_renewed_expires_and_is_released(database: Any, clock: Clock) -> None:
    a, b = lease(database, "a", clock), lease(database, "b", clock)
    assert a.acquire()
    assert not b.acquire()
    clock.now += timedelta(seconds=9)
    assert a.acquire()  # renewed: ten more seconds
    clock.now += timedelta(seconds=9)
    assert not b.acquire()
    clock.now += timedelta(seconds=2)
    assert b.acquire()  # expired
    assert not a.acquire()
    a.release()  # not its own any more: harmless
    assert not a.acquire()
    b.release()
    assert a.acquire()
    Lease(database["leases"], "another", "b", clock, 10).acquire()
    assert a.acquire()


def test_of_many_at_once_one_holds_it_also_when_it_expires(database: Any, clock: Clock) -> None:
    for _ in range(8):
        gate = threading.Barrier(12)

        def go(n: int, gate: threading.Barrier = gate) -> bool:
            here = lease(database, f"h{n}", clock)
            gate.wait(10)
            return here.acquire()

        with ThreadPoolExecutor(12) as pool:
            held = list(pool.map(go, range(12)))
        assert held.count(True) == 1
        clock.now += timedelta(seconds=11)
