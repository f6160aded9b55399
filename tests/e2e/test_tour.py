"""The tour that `make run` shows after the visit: after an interruption, and when it must fail (test_run.py sees it too)."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from mpp.queue.v1 import counters_service_pb2, queue_service_pb2
from mpp_localrun import walk
from mpp_localrun.onlookers import now
from mpp_localrun.tour import counters, run_tour
from mpp_localrun.tour.ground import Ground, settle
from mpp_localrun.tour.program import scenes
from mpp_localrun.walk import VisitFailed
from rich.console import Console

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def interrupted(malang: Any) -> Ground:
    """Somebody is at the counter, others wait, and whoever showed it is gone."""
    malang.gateway()
    ground = settle(malang.platform, Console(file=io.StringIO()), now())
    counters.open_and_call(ground)
    return ground


def test_what_is_not_as_it_is_said_fails(interrupted: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground, queue = interrupted, interrupted.registry
    called = counters._at_the_counter(ground)
    assert ground.event("TicketCalled", called.name, counter=1)["number"] == called.number
    monkeypatch.setattr(walk, "PATIENCE", 0.05)
    for subject, wanted in ((called.name, {"counter": 2}), (f"{called.name}x", {})):
        with pytest.raises(VisitFailed, match="TicketCalled"):
            ground.event("TicketCalled", subject, **wanted)
    with pytest.raises(VisitFailed, match="a step: not as it should be: pigs fly"), ground.step("a step"):
        ground.check(False, "pigs fly")
    look = queue_service_pb2.GetQueueRequest(name=queue)
    with pytest.raises(VisitFailed, match="QUEUE_EMPTY was expected"):
        ground.refused("QUEUE_EMPTY", ground.queue.GetQueue, look)
    busy = queue_service_pb2.CallNextRequest(parent=queue, counter=1)
    ground.refused("COUNTER_BUSY", ground.queue.CallNext, busy, ground.officer(queue))
    with pytest.raises(VisitFailed, match="FAILED_PRECONDITION"), ground.step("another reason is no success"):
        ground.refused("QUEUE_EMPTY", ground.queue.CallNext, busy, ground.officer(queue))


def test_it_is_told_to_its_end_after_an_interruption(interrupted: Ground, malang: Any) -> None:
    told = io.StringIO()
    done = run_tour(malang.platform, Console(file=told, width=200))
    assert len(done.steps) == 16 + 3 * len(list(scenes(malang.platform.root)))
    assert (done.served, done.transferred) == (7, 1)
    for words in (
        r"istirahat \(COUNTER_PAUSED\)",
        r"came: (A-\d+), (A-\d+), (A-\d+); preview: \3, \1, \2",
        "“Nomor antrean A [a-z ]+, silakan ke loket satu”",
        r"(A-\d+) parked, A-\d+ served, \1 resumed at loket 1",
        "silakan ke loket sebelas”",
        "kode [0-9A-Z]{4}-[0-9A-Z]{4}",
        "digabung satu kali",
        "Periksa berkas → Bayar PNBP → Foto dan tanda tangan → Cetak SIM → Serah terima",
        r"Kependudukan: \d+ nomor, \d+ dilayani, \d+ dialihkan",
    ):
        assert re.search(words, told.getvalue()), words
    malang.settled()
    for queue in (done.registry, done.licences):
        status = interrupted.call(interrupted.queue.GetQueue, queue_service_pb2.GetQueueRequest(name=queue))
        assert status.waiting == 0
    listed = interrupted.call(
        interrupted.counters.ListCounters, counters_service_pb2.ListCountersRequest(parent=done.site), done.manager
    )
    assert {c.ticket for c in listed.counters} == {""}
