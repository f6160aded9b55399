"""Which counters are at work, what is kept for two seconds, and what a ticket's history comes to. No store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mpp_queue.counters.domain import Counter
from mpp_queue.domain import (
    Admission,
    Facts,
    Issued,
    OpenHours,
    QueueSpec,
    Rules,
    State,
    Ticket,
    facts_of,
    issue,
)
from mpp_queue.domain.estimate import Desk, Pace, Times
from mpp_queue.reports.outlook import IDLE_PATIENCE, Outlook, at_work, starting
from mpp_queue.reports.store import Plan
from mpp_queue.store import Standing, Visit

DAY, QUEUE = "2026-11-23", "sites/malang/queues/dukcapil"
SPEC = QueueSpec(QUEUE, "malang", "a", "D", (1, 2, 3), 10, "Asia/Jakarta")
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)  # 09:00, a Monday
MINUTE = timedelta(minutes=1)
RULES = Rules()


def counter(number: int, since: datetime, queue: str = QUEUE, **given: Any) -> Counter:
    plain = Counter(f"sites/malang/counters/{number}", "malang", number, queue, "a")
    opened = plain.open(now=since, today=DAY, ends=NOW, queue=queue, agency="a", officer=f"o{number}")
    return replace(opened, **given)


def visit(number: int, called: datetime, state: State, minutes: int = 5) -> Visit:
    length = minutes * MINUTE if state is State.FINISHED else None
    return Visit("D-001", number, called, "others", length, state, called, "ktp", called + MINUTE)


def test_counters_that_are_at_work() -> None:
    long_ago = NOW - timedelta(hours=2)
    counters = [counter(1, long_ago), counter(2, long_ago), counter(3, NOW - MINUTE)]
    lately = [visit(1, NOW - 3 * MINUTE, State.SERVING), visit(2, NOW - 20 * MINUTE, State.FINISHED, 12)]
    busy = Desk("ktp", 180.0)
    assert at_work(SPEC, DAY, counters, lately, NOW, waiting=True) == ([busy, Desk(), Desk()], [])
    later = NOW + IDLE_PATIENCE  # 2 and 3 have called nobody although people wait: their officers are away
    desks, away = at_work(SPEC, DAY, counters, lately, later, waiting=True)
    assert desks == [replace(busy, busy_for=780.0)]
    assert away == [1020.0, 660.0]  # since the last citizen left, and since it was opened
    desks, away = at_work(SPEC, DAY, counters, lately, later, waiting=False)
    assert (len(desks), away) == (3, [])  # idle since nobody came


def test_the_first_minutes_of_a_day() -> None:
    fresh, old = counter(1, NOW - MINUTE), counter(2, NOW - timedelta(minutes=30))
    assert starting(SPEC, DAY, [fresh], NOW)
    assert not starting(SPEC, DAY, [fresh, old], NOW)
    assert starting(SPEC, DAY, [fresh, replace(old, session=None)], NOW)


def test_counters_that_are_not() -> None:
    paused = counter(1, NOW).pause(now=NOW, today=DAY, officer="o1", reason="")
    other = counter(2, NOW, queue="sites/malang/queues/pajak")
    later = NOW + 20 * MINUTE
    assert at_work(SPEC, DAY, [paused, other], [], later, waiting=True) == ([], [1200.0])  # the other's is not ours
    assert at_work(SPEC, "2026-11-24", [counter(3, NOW)], [], NOW, waiting=True) == ([], [])  # yesterday's session
    # For good: for a break there is the pause.
    closed = counter(1, NOW).close(now=NOW, today=DAY, officer="o1")
    left = visit(1, NOW - 9 * MINUTE, State.FINISHED)
    assert at_work(SPEC, DAY, [closed], [left], NOW, waiting=True) == ([], [])
    # Paused after the call.
    booked = replace(visit(1, NOW, State.SERVING), booked=1800.0)
    assert at_work(SPEC, DAY, [paused], [booked], NOW, waiting=True) == ([Desk("ktp", 0.0, 1800.0)], [])


class Known:
    """Stands for the read models, and counts."""

    def __init__(self) -> None:
        self.reads, self.plan = 0, Plan()

    def get(self, queue: str) -> Any:
        self.reads += 1
        return Times(Pace(300, 0.6, 400), gap=0)

    def staffing(self) -> Any:
        return type("Staffing", (), {"get": lambda _, queue: self.plan})()

    def named(self, names: Sequence[str]) -> dict[str, Counter]:
        assert names == [f"sites/malang/counters/{n}" for n in (1, 2, 3)]
        return {names[0]: counter(1, NOW)}


def test_what_is_learned_and_planned_is_read_once_in_fifteen_seconds() -> None:
    known, steady = Known(), [100.0]
    outlook = Outlook(known, known.staffing(), known.named, lambda: NOW, lambda: steady[0])  # type: ignore[arg-type]
    standing = [Standing("others", "ktp", 0.0, 12)]
    first = outlook.forecast(SPEC, DAY, standing, [])
    known.plan = Plan(3, DAY)
    assert outlook.forecast(SPEC, DAY, standing, []) == first
    assert known.reads == 1
    steady[0] += 15.1
    planned = outlook.forecast(SPEC, DAY, standing, [])
    assert known.reads == 2
    assert planned.wait(12).expected < first.wait(12).expected / 2


def test_before_the_doors_open() -> None:
    known = Known()
    opens_later = replace(SPEC, opening_hours=(OpenHours(1, "09:30", "16:00"),))
    outlook = Outlook(known, known.staffing(), known.named, lambda: NOW)  # type: ignore[arg-type]
    assert outlook.forecast(opens_later, DAY, [], []).wait(0).low == 30 * MINUTE
    assert outlook.forecast(SPEC, DAY, [], []).wait(0).high == timedelta(0)


def ticket() -> Ticket:
    admission = Admission(f"{QUEUE}/tickets/t", QUEUE, "kiosk", NOW)
    return issue(SPEC, admission, day=DAY, seq=1, event=Issued(0, timedelta(0)), now=NOW, actor="k", rules=RULES)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_a_plain_visit_in_figures() -> None:
    done = ticket().call(now=at(4), actor="o", counter=1).recall(now=at(5), actor="o", rules=RULES)
    done = done.serve(now=at(6), actor="o").finish(now=at(16), actor="o")
    assert facts_of(done) == Facts(at(4), at(5), 2, 1, 12 * MINUTE, timedelta(0))


def test_a_call_that_was_taken_back_never_was() -> None:
    undone = ticket().call(now=at(4), actor="o", counter=1).undo(now=at(4.5), actor="o", rules=RULES)
    assert facts_of(undone) == Facts()
    done = undone.call(now=at(9), actor="o", counter=2).serve(now=at(10), actor="o").finish(now=at(11), actor="o")
    assert facts_of(done) == Facts(at(9), at(9), 1, 1, 2 * MINUTE, timedelta(0))


def test_parked_time_is_no_counter_time_and_no_walk() -> None:
    there = ticket().call(now=at(4), actor="o", counter=1).serve(now=at(5), actor="o")
    back = there.park(now=at(8), actor="o", reason="").resume(now=at(20), actor="o", counter=2)
    done = back.serve(now=at(21), actor="o").finish(now=at(23), actor="o")
    assert facts_of(done) == Facts(at(4), at(4), 2, 1, 7 * MINUTE, 12 * MINUTE)


def test_missed_twice_is_two_turns() -> None:
    once = ticket().call(now=at(4), actor="o", counter=1).miss(now=at(6), actor="o", rules=RULES)
    twice = once.call(now=at(30), actor="o", counter=1).miss(now=at(31), actor="o", rules=RULES)
    assert facts_of(twice) == Facts(at(4), at(30), 2, 2, 3 * MINUTE, timedelta(0))
