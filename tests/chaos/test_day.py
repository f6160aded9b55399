"""A simulated day of ten sites while the queue's `serve` process is killed: what was acknowledged holds, for the answers,
the store and the events alike. `make bench-long` plays 192 sites of 300 visits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from mppctl.simulation.day import Mix, Shape
from mppctl.simulation.play import Theatre

from tests.bench.day import Replay, replay

SITES = range(101, 111)  # other sites than those of the command's own tests
VISITS = 30
pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(300)]
RUSH = Shape(spread=15 * 60, peak_share=0.9)  # so few visits only make queues when they come together
MIX = Mix(priority=0.2, late=0.1, no_show=0.1, cancels=0.2, patience=(30.0, 300.0))


def test_a_day_of_ten_sites_survives_a_kill(services: Any, eventually: Callable[..., Any]) -> None:
    services.service("catalog", "queue")

    def kill(theatre: Theatre) -> None:
        eventually(lambda: _ended(theatre) > len(SITES) * VISITS // 2, seconds=60)
        services.kill("queue-serve")
        services.service("queue")

    killers: list[threading.Thread] = []

    def begun(theatre: Theatre) -> None:
        killers.append(threading.Thread(target=kill, args=(theatre,)))
        killers[0].start()

    played = replay(services.platform, services.database("queue"), SITES, VISITS, shape=RUSH, mix=MIX, begun=begun)
    killers[0].join(60)
    _all_is_well(played)
    tracks = played.result.ledger.tickets.values()
    assert {t.where.value for t in tracks} == {"finished", "no_show", "cancelled"}
    assert any(t.misses and t.where.value == "finished" for t in tracks)
    assert played.result.repeats > 0, "nobody noticed the kill"


def _ended(theatre: Theatre) -> int:
    return sum(line.ended for line in theatre.ledger.lines.values())


def _all_is_well(played: Replay) -> None:
    assert played.breaches == {"the answers": [], "the store": [], "the events": []}
    assert not played.result.ledger.errors
    lines = played.result.ledger.lines.values()
    assert sum(line.came for line in lines) == len(SITES) * VISITS
    assert max(line.most_waiting for line in lines) > 1, "nobody ever waited"
