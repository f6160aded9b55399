"""64 callers over 10,000 tickets of four queues, two `serve` processes, each killed with -9 on the way, while more tickets
are taken: no ticket called twice, no number twice, none lost.

Here 2,000 of 10,000 are called (all of them take four minutes beside the other lane: MPP_CROWD_CALLS=0); `make bench-long`
calls each of 100,000. Most are put into the store beforehand, as copies of one that the service wrote; some are taken, and
all calls are made, through gRPC. A caller repeats its request_id until it is answered, as every client must.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_localrun.platform import stop, wait_ready
from mppctl.simulation.calling import Caller, Refused

from tests.bench import history, proofs, serves

LINES, CALLERS, TAKERS = 4, 64, 8
WANTED = int(os.environ.get("MPP_CROWD_TICKETS", "10000"))
CALLS = int(os.environ.get("MPP_CROWD_CALLS", "2000"))  # 0: every ticket
TAKEN = (CALLS or WANTED) // 5 // TAKERS * TAKERS
WAITING = (WANTED - TAKEN) // LINES  # in each queue before the crowd comes
TICKETS = TAKEN + WAITING * LINES
pytestmark = [pytest.mark.stack, pytest.mark.timeout(300 + (CALLS or TICKETS) // 10)]


@dataclass
class Crowd:
    """Who got what, as far as it was acknowledged."""

    hall: Any
    lines: list[Any]
    callers: Caller
    called: list[tuple[str, int]] = field(default_factory=list)  # ticket, caller
    taken: dict[str, str] = field(default_factory=dict)  # ticket: number
    takers_left: int = TAKERS

    async def run(self) -> None:
        takers = [self._take(n) for n in range(TAKERS)]
        await asyncio.gather(*takers, *(self._call(n) for n in range(CALLERS)))

    async def _take(self, n: int) -> None:
        for turn in range(TAKEN // TAKERS):
            line = self.lines[(n + turn) % LINES]
            request = pb.TakeTicketRequest(parent=line.name, request_id=str(uuid.uuid4()))
            ticket = (await self.callers.call("TakeTicket", request, self.hall.kiosk())).ticket
            self.taken[ticket.name] = ticket.number
        self.takers_left -= 1

    async def _call(self, n: int) -> None:
        """Call and end until it is enough or nobody waits any more, at a counter of one's own."""
        line = self.lines[n % LINES]
        counter, officer = line.counters[n // LINES], self.hall.officer(line, f"petugas-{n}")
        while not CALLS or len(self.called) < CALLS or self.takers_left:
            last = not self.takers_left
            request = pb.CallNextRequest(parent=line.name, counter=counter, request_id=str(uuid.uuid4()))
            try:
                ticket = await self.callers.call("CallNext", request, officer)
            except Refused as refused:
                if refused.reason != "QUEUE_EMPTY":
                    raise
                if last:
                    return
                await asyncio.sleep(0.05)
                continue
            self.called.append((ticket.name, n))
            end = pb.CancelTicketRequest(name=ticket.name, reason="uji", request_id=str(uuid.uuid4()))
            await self.callers.call("CancelTicket", end, officer)


@pytest.fixture
def second(services: Any, hall: Any) -> Any:
    """A second `serve` process that can be killed and started again."""
    platform = services.platform
    process, address = serves.another(platform, "crowd")
    running = [platform.start(process)]

    def again() -> None:
        running[-1].kill()
        running[-1].wait()
        running.append(platform.start(process))
        wait_ready([(process, running[-1])], platform.logs)

    wait_ready([(process, running[-1])], platform.logs)
    yield address, again
    assert stop(running[-1]) == 0


def test_a_crowd_loses_and_doubles_nothing_through_kills(
    services: Any, hall: Any, second: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    address, kill_second = second
    lines = _lines(hall)

    def kill_first() -> None:
        services.kill("queue-serve")
        services.service("queue")

    async def play() -> Crowd:
        together = CALLERS + TAKERS
        callers = Caller(
            [services.platform.endpoints()["queue"], address], QueueServiceStub, together, random.Random(1)
        )
        crowd = Crowd(hall, lines, callers)
        killing = asyncio.ensure_future(_kill(crowd, [kill_first, kill_second]))
        try:
            await crowd.run()
            await killing
        finally:
            await callers.close()
        return crowd

    began = time.monotonic()
    crowd = asyncio.run(play())
    seconds = time.monotonic() - began
    _check(hall, crowd)
    for line in lines:  # who still waits is nobody's concern any more
        hall.database["tickets"].delete_many({"site_id": line.name.split("/")[1], "queue": line.name})
    with capsys.disabled():
        calls, repeats = crowd.callers.calls, crowd.callers.repeats
        print(f"\n{TICKETS} tickets, {len(crowd.called)} called by {CALLERS} callers, {TAKEN} taken meanwhile, 2 kills: "
              f"{seconds:.0f} s, {calls / seconds:.0f} answered calls/s, {repeats} tried again")  # fmt: skip


def _lines(hall: Any) -> list[Any]:
    """Queues with counters that no other of the site has, and the tickets that wait there already."""
    each = CALLERS // LINES
    lines = [hall.open_line(tuple(range(5001 + n * each, 5001 + (n + 1) * each))) for n in range(LINES)]
    tickets = hall.database["tickets"]
    for line in lines:
        name = hall.take(line).ticket.name
        hall.until(lambda name=name: tickets.count_documents({"_id": name, "outbox.last": {"$gt": ""}}) == 0)
        history.insert(tickets, history.waiting_like(tickets.find_one({"_id": name}), WAITING - 1))
    return lines


async def _kill(crowd: Crowd, kills: list[Callable[[], None]]) -> None:
    for part, kill in enumerate(kills, 1):
        while len(crowd.called) < part * (CALLS or TICKETS) // (len(kills) + 1):
            await asyncio.sleep(0.05)
        await asyncio.to_thread(kill)


def _check(hall: Any, crowd: Crowd) -> None:
    calls = Counter(name for name, _ in crowd.called)
    documents = [d for line in crowd.lines for d in hall.documents(line)]
    assert len(documents) == TICKETS  # none lost, and none that nobody asked for
    assert len(calls) == TICKETS if not CALLS else CALLS <= len(calls) < CALLS + 2 * CALLERS + TAKEN
    assert set(calls.values()) == {1}  # acknowledged once
    assert {d["_id"] for d in documents if d["state"] == "cancelled"} == set(calls)
    assert {d["state"] for d in documents if d["_id"] not in calls} <= {"waiting"}
    assert {d["_id"]: proofs.steps(d, "call") for d in documents} == {d["_id"]: calls[d["_id"]] for d in documents}
    assert proofs.numbers_twice(documents) == []
    numbers = {d["_id"]: d["number"] for d in documents}
    assert len(crowd.taken) == TAKEN
    assert crowd.taken.items() <= numbers.items()
    # Who stood there before the crowd is called in order; those who come meanwhile may be numbered by two processes.
    for caller in range(CALLERS):
        mine = [int(numbers[name].split("-")[1]) for name, n in crowd.called if n == caller and name not in crowd.taken]
        assert mine == sorted(mine)
    # A kill between reserving a number and its insert may cost the number; never more than were under way.
    for line in crowd.lines:
        mine = [d["seq"] for d in documents if d["queue"] == line.name]
        assert max(mine) - len(mine) <= 2 * TAKERS
    hall.until(lambda: hall.database["tickets"].count_documents({"outbox.last": {"$gt": ""}}) == 0, 90)
    assert crowd.callers.repeats > 0, "nobody noticed the kills"
