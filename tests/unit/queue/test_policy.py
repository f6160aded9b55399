"""The order of the line: each policy's rule, and its bound, for any arrivals and any moments of calling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_queue import domain
from mpp_queue.domain import Policy, PolicyKind, PriorityClass, Rules

T0 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Waiting:
    """Number, class and effective arrival (milliseconds)."""

    n: int
    index: int
    arrival: int


def at(minutes: float) -> datetime:
    return T0 + minutes * MINUTE


def one(n: int, index: int, minutes: float) -> Waiting:
    return Waiting(n, index, domain.milliseconds(at(minutes)))


def policy(kind: PolicyKind, classes: int, **given_: object) -> Policy:
    boosts = given_.pop("boosts", (0,) * classes)
    made = tuple(PriorityClass(f"c{n}", boost=boost * MINUTE) for n, boost in enumerate(boosts))  # type: ignore[arg-type,var-annotated]
    return Policy(kind, made, **given_)  # type: ignore[arg-type]


def order(rule: Policy, waiting: Sequence[Waiting], recent: Sequence[int], now: datetime) -> list[int]:
    lines: dict[int, list[Waiting]] = {}
    for w in sorted(waiting, key=lambda w: (w.arrival, w.n)):
        lines.setdefault(w.index, []).append(w)
    return [w.n for w in domain.upcoming(rule, lines, recent, now, lambda w: w.arrival)]


DEFAULT = Rules().policy


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ([], [2, 3, 4, 1, 5]),
        ([0, 0], [2, 1, 3, 4, 5]),
        ([0, 0, 1, 0], [2, 1, 3, 4, 5]),
        ([0, 0, 0], [1, 2, 3, 4, 5]),
        ([1, 0, 0, 0], [2, 3, 4, 1, 5]),
    ],
)
def test_the_default_is_priority_first_and_one_other_after_three(recent: list[int], expected: list[int]) -> None:
    waiting = [one(1, 1, 0), *(one(n, 0, n) for n in (2, 3, 4, 5))]
    assert order(DEFAULT, waiting, recent, at(10)) == expected


def test_with_one_class_it_is_the_order_of_arrival() -> None:
    waiting = [one(1, 1, 3), one(2, 1, 1), one(3, 1, 2)]
    for kind in PolicyKind:
        assert order(policy(kind, 1), waiting, [], at(5)) == [2, 3, 1]


def test_ratio_takes_turns_among_those_who_wait() -> None:
    rule = policy(PolicyKind.RATIO, 2, run=2)
    waiting = [one(n, n % 3, n) for n in range(12)]
    assert [n % 3 for n in order(rule, waiting, [], at(20))][:8] == [0, 0, 1, 0, 2, 0, 1, 2]
    only_later = [one(n, n % 2 + 1, n) for n in range(6)]
    assert [n % 2 + 1 for n in order(rule, only_later, [], at(20))] == [1, 1, 2, 1, 2, 2]


def test_strict_is_strict_until_somebody_has_waited_too_long() -> None:
    rule = policy(PolicyKind.STRICT, 1, max_wait=30 * MINUTE)
    waiting = [one(1, 1, 0), one(2, 1, 1), one(3, 0, 2), one(4, 0, 25)]
    assert order(rule, waiting, [0, 0, 0, 0], at(29)) == [3, 4, 1, 2]
    assert order(rule, waiting, [], at(30)) == [1, 3, 4, 2]
    assert order(rule, waiting, [], at(32)) == [1, 2, 3, 4]


def test_ageing_compares_arrivals_less_the_boost() -> None:
    rule = policy(PolicyKind.AGEING, 2, boosts=(20, 10))
    waiting = [one(1, 2, 0), one(2, 1, 8), one(3, 0, 21), one(4, 0, 19)]
    assert order(rule, waiting, [], at(30)) == [2, 4, 1, 3]


@pytest.mark.parametrize("kind", PolicyKind)
def test_who_rests_is_passed_over_while_others_wait(kind: PolicyKind) -> None:
    waiting = [one(1, 0, 15), one(2, 1, 3), one(3, 1, 16)]
    assert order(policy(kind, 1), waiting, [], at(10)) == [2, 1, 3]
    assert order(policy(kind, 1), waiting[:1], [], at(10)) == [1]


# -- the bounds

steps = st.lists(st.one_of(st.integers(0, 3), st.just("call"), st.just("call")), min_size=1, max_size=120)


@dataclass
class Day:
    """Plays arrivals (a class) and calls; between two steps `pace` minutes go by."""

    rule: Policy
    pace: float = 1.0

    def play(self, plan: Sequence[object], before: Sequence[int] = ()) -> list[tuple[Waiting, datetime, list[Waiting]]]:
        """(called, when, who waited then and was not called), call by call."""
        waiting: list[Waiting] = []
        calls, done = list(before), []
        wanted = domain.window(self.rule)
        for n, step in enumerate(plan):
            now = at(n * self.pace)
            if isinstance(step, int):
                waiting.append(one(n, min(step, len(self.rule.classes)), n * self.pace))
            elif waiting:
                first = order(self.rule, waiting, calls[:wanted], now)[0]
                called = next(w for w in waiting if w.n == first)
                waiting.remove(called)
                calls.insert(0, called.index)
                done.append((called, now, list(waiting)))
        return done


@given(plan=steps, classes=st.integers(1, 3), run=st.integers(1, 4), before=st.lists(st.integers(0, 3), max_size=20))
@settings(deadline=None)
def test_bound_of_ratio(plan: list[object], classes: int, run: int, before: list[int]) -> None:
    """While class i waits, it gets at least one of any run x i + N calls in a row."""
    rule = policy(PolicyKind.RATIO, classes, run=run)
    before = [min(b, classes) for b in before]
    without = dict.fromkeys(range(classes + 1), 0)  # calls in a row without one of the class, while it waited
    for called, _, left in Day(rule).play(plan, before):
        for index in without:
            passed = called.index != index and any(w.index == index for w in left)
            without[index] = without[index] + 1 if passed else 0
            assert without[index] < run * index + classes + 1, (index, without)


@given(plan=steps, classes=st.integers(1, 3), most=st.integers(0, 40), pace=st.sampled_from([0.3, 1.0, 4.0]))
@settings(deadline=None)
def test_bound_of_strict(plan: list[object], classes: int, most: int, pace: float) -> None:
    """Nobody who came later is called before a ticket that has waited `max_wait`."""
    rule = policy(PolicyKind.STRICT, classes, max_wait=most * MINUTE)
    for called, now, left in Day(rule, pace).play(plan):
        for w in left:
            if domain.milliseconds(now) - w.arrival >= most * 60_000:
                assert called.arrival <= w.arrival


@given(plan=steps, boosts=st.lists(st.integers(0, 60), min_size=1, max_size=3), pace=st.sampled_from([0.3, 1.0, 4.0]))
@settings(deadline=None)
def test_bound_of_ageing(plan: list[object], boosts: list[int], pace: float) -> None:
    """Nobody who came more than the greatest boost later is called before a ticket."""
    rule = policy(PolicyKind.AGEING, len(boosts), boosts=tuple(boosts))
    for called, _, left in Day(rule, pace).play(plan):
        for w in left:
            assert called.arrival - w.arrival <= max(boosts) * 60_000


@given(plan=steps, kind=st.sampled_from(PolicyKind), classes=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_within_a_class_it_is_always_the_order_of_arrival(plan: list[object], kind: PolicyKind, classes: int) -> None:
    for called, _, left in Day(policy(kind, classes, boosts=(30,) * classes)).play(plan):
        assert all(called.arrival <= w.arrival for w in left if w.index == called.index)


@given(plan=steps, kind=st.sampled_from(PolicyKind))
@settings(max_examples=60, deadline=None)
def test_the_order_told_before_is_the_order_of_the_calls(plan: list[object], kind: PolicyKind) -> None:
    """`upcoming` foresees the calls that follow, if nothing else happens and no time goes by."""
    rule = policy(kind, 2, boosts=(30, 10))
    waiting = [one(n, min(step, 2), n) for n, step in enumerate(plan) if isinstance(step, int)]
    now, calls, seen = at(200), [0, 0, 0, 0], []
    foreseen = order(rule, waiting, calls, now)
    while waiting:
        first = order(rule, waiting, calls, now)[0]
        called = next(w for w in waiting if w.n == first)
        waiting.remove(called)
        calls.insert(0, called.index)
        seen.append(first)
    assert seen == foreseen


@given(tickets=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 10**9), st.integers(-5, 99_999)), unique=True))
def test_rank_sorts_as_class_and_arrival(tickets: list[tuple[int, int, int]]) -> None:
    ranked = sorted(tickets, key=lambda t: domain.rank_of(t[0], T0 + timedelta(milliseconds=t[1]), max(t[2], 0)))
    assert [t[:2] for t in ranked] == sorted(t[:2] for t in tickets)
    for index, _, _ in tickets:
        assert all(r < domain.after_class(index) for r in [domain.rank_of(index, at(10**6), 99)])
        assert domain.rank_of(index + 1, T0, 1) > domain.after_class(index)
