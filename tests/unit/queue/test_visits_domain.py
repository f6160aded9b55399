"""The visit's life and the planner: never worse than any order, by its own estimate."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_queue.domain import InvalidField
from mpp_queue.visits import domain
from mpp_queue.visits.domain import Stop, duration, plan

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
VISIT = "sites/malang/visits/0123456789abcdefghjkmnpqrs"
A, B = "sites/malang/queues/dukcapil", "sites/malang/queues/samsat"
minutes = st.integers(0, 90).map(lambda m: timedelta(minutes=m))


def stops(most: int) -> st.SearchStrategy[list[Stop]]:
    one = st.tuples(minutes, minutes, minutes)
    return st.lists(one, max_size=most).map(lambda found: [Stop(f"t{n:02d}", *t) for n, t in enumerate(found)])


@settings(deadline=None, max_examples=60)
@given(stops(6), minutes)
def test_no_order_of_up_to_six_is_better(found: list[Stop], free_in: timedelta) -> None:
    planned = plan(found, free_in)
    assert sorted(planned.order) == [s.ticket for s in found]
    if found:
        assert planned.total == min(duration(order, free_in) for order in permutations(found))


@settings(deadline=None)
@given(stops(12), minutes, st.integers())
def test_the_plan_does_not_depend_on_how_the_stops_are_sorted(found: list[Stop], free_in: timedelta, seed: int) -> None:
    shuffled = list(found)
    random.Random(seed).shuffle(shuffled)
    assert plan(shuffled, free_in) == plan(found, free_in)


@settings(deadline=None)
@given(stops(12), minutes)
def test_many_stops_take_no_longer_than_in_the_order_of_their_turns(found: list[Stop], free_in: timedelta) -> None:
    planned = plan(found, free_in)
    if found:
        assert planned.total <= duration(sorted(found, key=lambda s: s.wait), free_in)
        assert planned.total >= sum((s.service for s in found), timedelta(0))


@given(stops(6), minutes, minutes)
def test_being_free_earlier_never_ends_later(found: list[Stop], one: timedelta, other: timedelta) -> None:
    early, late = sorted((one, other))
    assert plan(found, early).total <= plan(found, late).total or not found


def test_a_short_errand_fits_before_a_long_wait() -> None:
    long_wait = Stop("a", wait=timedelta(minutes=40), service=timedelta(minutes=10), again=timedelta(minutes=15))
    short = Stop("b", wait=timedelta(minutes=5), service=timedelta(minutes=5), again=timedelta(minutes=5))
    planned = plan([long_wait, short])
    assert planned.order == ("b", "a")
    assert planned.total == timedelta(minutes=50)


def _visit(*wishes: tuple[str, str]) -> domain.Visit:
    wanted = domain.wishes_of(VISIT, [(queue, offering, "") for queue, offering in wishes])
    return domain.start(name=VISIT, day="2026-11-23", now=NOW, actor="kiosk:k", channel="kiosk", wishes=wanted)


def test_its_tickets_have_names_of_their_own_that_never_change() -> None:
    one, other = _visit((A, ""), (B, "sites/malang/offerings/stnk")), _visit((B, ""))
    assert one.tickets[1] == other.tickets[0]
    assert one.tickets[0].startswith(f"{A}/tickets/")
    assert len(one.tickets[0].rsplit("/", 1)[1]) == 26
    assert domain.ticket_name(f"{VISIT[:-1]}x", A) != one.tickets[0]
    assert one.events == (domain.Started(),)


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ([], "wishes"),
        ([(A, ""), (A, "")], "wishes"),
        ([(f"sites/malang/queues/q{n:02d}", "") for n in range(13)], "wishes"),
        ([(A, ""), ("sites/batu/queues/samsat", "")], "wishes[1].queue"),
        ([(A, "sites/batu/offerings/ktp")], "wishes[0].offering"),
    ],
)
def test_what_is_no_visit_is_refused_with_the_field(wishes: list[tuple[str, str]], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        _visit(*wishes)
    assert caught.value.field == field


def test_a_refusal_stays_and_cancelling_twice_is_once() -> None:
    visit = _visit((A, ""), (B, ""))
    first = visit.refuse({visit.tickets[0]: "QUEUE_CLOSED"})
    assert first.refuse({visit.tickets[0]: "QUOTA_REACHED"}) == first
    assert first.tickets == visit.tickets[1:]
    cancelled = first.cancel(now=NOW, actor="citizen:ani", reason="")
    assert (cancelled.cancelled, cancelled.events) == (True, (domain.Cancelled(),))
    again = cancelled.cancel(now=NOW + timedelta(minutes=1), actor="citizen:ani", reason="x")
    assert (again, again.events) == (cancelled, ())
