"""Offices in turn: shares stay together, equals begin one after the other, nobody is forgotten."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_queue.appointments.domain.rotation import Office, in_turn

CAPACITIES = st.lists(st.integers(1, 60), min_size=1, max_size=6)


@settings(deadline=None)
@given(CAPACITIES, st.integers(0, 10_000), st.integers(1, 150))
def test_no_office_gets_ahead_by_more_than_a_booking(capacities: list[int], turn: int, bookings: int) -> None:
    offices = {f"o{n}": Office(f"o{n}", 0, c * 15) for n, c in enumerate(capacities)}
    for n in range(bookings):
        first = in_turn(offices.values(), turn + n)[0]
        offices[first] = replace(offices[first], booked=offices[first].booked + 15)
        shares = {o.name: o.share for o in offices.values()}
        for one in offices.values():
            for other in offices.values():
                step = Fraction(15, min(one.capacity, other.capacity))
                assert shares[one.name] - shares[other.name] <= step


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(0, 10_000))
def test_equal_offices_begin_in_turn(count: int, turn: int) -> None:
    offices = [Office(f"o{n}", 0, 60) for n in range(count)]
    first = Counter(in_turn(offices, turn + n)[0] for n in range(3 * count))
    assert set(first.values()) == {3}
    assert len(first) == count


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6), st.integers(0, 99))
def test_everyone_is_asked_once_and_who_has_no_place_last(told: list[tuple[int, int]], turn: int) -> None:
    offices = [Office(f"o{n}", booked, capacity) for n, (booked, capacity) in enumerate(told)]
    order = in_turn(offices, turn)
    assert sorted(order) == sorted(o.name for o in offices)
    capacity = {o.name: o.capacity for o in offices}
    assert sorted(not capacity[name] for name in order) == [not capacity[name] for name in order]


def test_the_less_booked_share_comes_first() -> None:
    small, large = Office("small", 1, 10), Office("large", 4, 100)
    assert in_turn([small, large], 0) == ["large", "small"]
    assert in_turn([small, large], 1) == ["large", "small"]
