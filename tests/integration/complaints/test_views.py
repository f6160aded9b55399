"""The projection of waits on the real store: several queues feed it at once, so its events race."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from mpp_chassis.aggregates import Store
from mpp_complaints.views import Waits

AT = datetime(2026, 3, 2, tzinfo=UTC)
RACERS = 6


@pytest.fixture
def waits(database: Any) -> Waits:
    database.create_collection("ticket_waits")
    return Waits(Store(database, None, lambda: AT, random.Random(1)))


def test_the_newest_event_wins_however_they_race(waits: Waits) -> None:
    """Also when none was there before: two inserts at once, of which the older comes first."""
    barrier = Barrier(RACERS)
    tickets = [f"sites/uji/queues/q1/tickets/race-{n:04}" for n in range(60)]

    def race(sequence: int) -> None:
        for ticket in tickets:
            barrier.wait(20)
            waits.learn(ticket, sequence, "a", sequence * 10, AT)

    with ThreadPoolExecutor(RACERS) as pool:
        list(pool.map(race, range(1, RACERS + 1)))
    assert {t: waits.seconds(t, "a") for t in tickets} == dict.fromkeys(tickets, RACERS * 10)
