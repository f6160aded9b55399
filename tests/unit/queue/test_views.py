"""How old an answer may be, who reads, and repeats that meet in one process. A store that counts its reads stands in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mpp_chassis.settings import BadSettings
from mpp_queue.domain import PriorityGroup, QueueSpec, Rules
from mpp_queue.flights import Flights
from mpp_queue.main import rules_from
from mpp_queue.store import Standing, Visit
from mpp_queue.views import QueueViews

SPEC = QueueSpec("sites/malang/queues/dukcapil", "malang", "a", "D", (1, 2), 10, "Asia/Jakarta")
DAY = "2026-11-23"


class CountingTickets:
    """Answers as the store would for a queue of three who wait, and knows how often it was asked."""

    def __init__(self, clock: Clock, cost: float = 0.001) -> None:
        self.reads, self._clock, self._cost = 0, clock, cost
        self.gate: Callable[[], Any] = lambda: None
        self.tried_short = 0

    def short_day(self, *_: str, limit: int) -> None:
        """The day is long."""
        self.tried_short += 1

    def last_seq(self, *_: str) -> int:
        self.reads += 1
        self.gate()
        self._clock.now += self._cost
        return 5

    def count_waiting(self, *_: str) -> list[Standing]:
        return [Standing("priority", "", 0.0, 1), Standing("others", "", 0.0, 2)]

    def lately_called(self, *_: str, limit: int) -> list[Visit]:
        at = datetime(2026, 11, 23, 1, tzinfo=UTC)
        lengths = [timedelta(minutes=m) for m in (2, 4, 9)]
        return [Visit(f"D-00{n}", n, at, "others", length) for n, length in enumerate(lengths, 1)]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def views(cost: float = 0.001) -> tuple[QueueViews, CountingTickets, Clock]:
    clock = Clock()
    tickets = CountingTickets(clock, cost)
    return QueueViews(tickets, clock), tickets, clock  # type: ignore[arg-type]


def test_what_a_snapshot_tells() -> None:
    snapshot = views()[0].of(SPEC, DAY)
    assert (snapshot.waiting, snapshot.counters, snapshot.visit) == (3, 3, timedelta(minutes=4))
    assert [b.number for b in snapshot.board] == ["D-001", "D-002", "D-003"]
    assert snapshot.ahead_of(6, 1) == 3
    assert snapshot.ahead_of(8, 1) == 5  # 6 and 7 came after the count
    assert snapshot.ahead_of(8, 0) == 1
    assert snapshot.wait_of(3) == timedelta(minutes=5)  # one of three visits that just begin ends: declared 10 minutes
    assert snapshot.range_of(3).low <= snapshot.wait_of(3) <= snapshot.range_of(3).high


def test_a_long_day_stays_long() -> None:
    view, tickets, clock = views()
    for _ in range(3):
        view.of(SPEC, DAY)
        clock.now += 1
    assert (tickets.reads, tickets.tried_short) == (3, 1)
    view.of(SPEC, "2026-11-24")
    assert tickets.tried_short == 2


def test_a_fresh_answer_reads_nothing() -> None:
    view, tickets, clock = views()
    for _ in range(100):
        view.of(SPEC, DAY)
        clock.now += 0.001
    assert tickets.reads == 1


def test_an_old_answer_is_never_given() -> None:
    view, tickets, clock = views()
    view.of(SPEC, DAY)
    clock.now += 0.26
    view.of(SPEC, DAY)
    assert tickets.reads == 2


def test_under_load_it_is_read_ahead_while_callers_go_on() -> None:
    view, tickets, clock = views()
    view.of(SPEC, DAY)
    entered, release = threading.Event(), threading.Event()
    tickets.gate = lambda: (entered.set(), release.wait(10))
    clock.now += 0.15
    for _ in range(50):
        view.of(SPEC, DAY)  # none of them waits for the one who reads
    assert entered.wait(10)
    assert tickets.reads == 2
    release.set()


def test_one_reads_at_a_time() -> None:
    view, tickets, _ = views()
    barrier = threading.Barrier(16)

    def ask() -> None:
        barrier.wait()
        view.of(SPEC, DAY)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tickets.reads == 1


def test_what_is_dear_to_read_is_read_less_often() -> None:
    view, tickets, clock = views(cost=0.1)  # thousands wait: allowed age is 2 s
    view.of(SPEC, DAY)
    clock.now += 0.8
    view.of(SPEC, DAY)
    assert tickets.reads == 1


def test_a_new_day_begins_with_a_read_and_forgets_the_old() -> None:
    view, tickets, _ = views()
    view.of(SPEC, DAY)
    view.of(SPEC, "2026-11-24")
    assert tickets.reads == 2
    assert len(view._entries) == 1


def test_flights_let_one_through_and_tell_the_others() -> None:
    flights = Flights()
    inside, most, firsts = 0, 0, []
    lock = threading.Lock()

    def fly() -> None:
        nonlocal inside, most
        with flights.alone("a") as first:
            with lock:
                inside += 1
                most = max(most, inside)
                firsts.append(first)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=fly) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert sorted(firsts) == [False] * 31 + [True]
    assert not flights._flights


def test_a_flight_that_hangs_does_not_hold_up_the_repeat_for_ever() -> None:
    flights = Flights(patience=0.01)
    with flights.alone("a") as first, flights.alone("a") as second:
        assert (first, second) == (True, False)
    with flights.alone("a") as third:
        assert not third
    assert not flights._flights


def test_flights_do_not_hold_others_up_and_forget() -> None:
    flights = Flights(remembered=2)
    with flights.alone("a") as a, flights.alone("b") as b:
        assert (a, b) == (True, True)
    with flights.alone("c"):
        pass
    with flights.alone("b") as again:
        assert not again
    with flights.alone("a") as forgotten:
        assert forgotten


def test_rules_from_the_environment() -> None:
    assert rules_from({}) == Rules()
    rules = rules_from(
        {
            "MPP_QUEUE_RECALL_GAP_SECONDS": "5",
            "MPP_QUEUE_MAX_CALLS": "2",
            "MPP_QUEUE_PRIORITY_RUN": "1",
            "MPP_QUEUE_REST_SECONDS": "0",
            "MPP_QUEUE_UNDO_SECONDS": "90",
            "MPP_QUEUE_PRIORITY_GROUPS": "elderly, child",
        }
    )
    assert (rules.recall_gap, rules.max_calls, rules.priority_run) == (timedelta(seconds=5), 2, 1)
    assert (rules.rest, rules.undo) == (timedelta(0), timedelta(seconds=90))
    assert rules.priority_groups == {PriorityGroup.ELDERLY, PriorityGroup.CHILD}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MPP_QUEUE_RECALL_GAP_SECONDS", "soon"),
        ("MPP_QUEUE_MAX_CALLS", "0"),
        ("MPP_QUEUE_PRIORITY_GROUPS", "friends"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        rules_from({name: value})
