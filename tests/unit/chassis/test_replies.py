"""Which stored replies leave their document: none while they are few and small, else the oldest."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mpp_chassis.replies import LEAST, MOST, MOST_BYTES, divide


def entries(sizes: list[int]) -> list[dict[str, Any]]:
    return [{"key": str(n), "body": bytes(size)} for n, size in enumerate(sizes)]


def test_few_and_small_ones_stay() -> None:
    few = entries([300] * (MOST - 1))
    assert divide(few) == ((), few)
    moved, stay = divide(entries([300] * MOST))
    assert (len(moved), len(stay)) == (MOST - LEAST, LEAST)


@given(st.lists(st.sampled_from([0, 300, 5_000, 60_000, MOST_BYTES, 2 * MOST_BYTES]), max_size=2 * MOST))
def test_what_stays_is_the_newest_and_bounded_and_nothing_is_lost(sizes: list[int]) -> None:
    told = entries(sizes)
    moved, stay = divide(told)
    assert [*moved, *stay] == told
    assert len(stay) < MOST
    assert sum(len(e["body"]) for e in stay) < MOST_BYTES
