"""Announced maintenance: when a window holds, and what a caller is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp.catalog.v1 import site_pb2
from mpp_chassis import downtime
from mpp_chassis.downtime import Downtime
from mpp_chassis.errors import FailedPrecondition

TOLD = [
    site_pb2.Maintenance(
        starts="2026-12-01T22:00", ends="2026-12-02T02:00", text={"id": "Sedang dirawat", "en": "Under maintenance"}
    )
]
MINUTES = st.integers(0, 20)
NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Jakarta", 7), ("Asia/Makassar", 8), ("Asia/Jayapura", 9)])
def test_a_window_is_of_the_sites_own_wall_clock(zone: str, hours: int) -> None:
    (window,) = downtime.of_fields(downtime.fields_of(TOLD), zone)
    assert window.starts == datetime(2026, 12, 1, 22 - hours, tzinfo=UTC)
    assert window.ends - window.starts == timedelta(hours=4)


def test_the_refusal_tells_the_words_and_the_end() -> None:
    windows = downtime.of_fields(downtime.fields_of(TOLD), "Asia/Jakarta")
    downtime.refuse_new(windows, windows[0].starts - timedelta(microseconds=1))
    downtime.refuse_new(windows, windows[0].ends)
    with pytest.raises(FailedPrecondition) as caught:
        downtime.refuse_new(windows, windows[0].starts)
    assert caught.value.reason == "MAINTENANCE"
    assert caught.value.metadata == {
        "ends_at": "2026-12-01T19:00:00+00:00",
        "text_id": "Sedang dirawat",
        "text_en": "Under maintenance",
    }


@given(st.lists(st.tuples(MINUTES, MINUTES), max_size=4), MINUTES)
def test_some_window_is_under_way_exactly_when_one_holds_the_moment(spans: list[tuple[int, int]], minute: int) -> None:
    windows = [Downtime(NOON + timedelta(minutes=a), NOON + timedelta(minutes=b), "x") for a, b in spans]
    found = downtime.under_way(windows, NOON + timedelta(minutes=minute))
    holding = [b for a, b in spans if a <= minute < b]
    assert (found is not None) == bool(holding)
    if found:
        assert found.ends == NOON + timedelta(minutes=max(holding))
