"""Counted proofs under concurrency and under kill -9: no ticket twice, no number twice, nothing acknowledged lost."""

from __future__ import annotations

import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_localrun.platform import free_ports, stop, wait_ready
from mpp_queue import domain, store
from mpp_queue.domain import PriorityGroup, QueueSpec, Rules


def together(callers: int, act: Callable[[int], Any]) -> list[Any]:
    """All start at the same moment, each in a thread."""
    gate = threading.Barrier(callers)

    def run(n: int) -> Any:
        gate.wait()
        return act(n)

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(run, range(callers)))


@pytest.fixture(scope="module")
def second_stub(services: Any, hall: Any) -> Any:
    """A second `serve` process of the service, on ports of its own."""
    platform = services.platform
    grpc_port, http_port = free_ports(2)
    made = platform.process("queue", "serve", MPP_GRPC_PORT=str(grpc_port), MPP_HTTP_PORT=str(http_port))
    process = replace(made, name="queue-serve-2", ready_url=f"http://127.0.0.1:{http_port}/readyz")
    popen = platform.start(process)
    wait_ready([(process, popen)], platform.logs)
    channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
    yield QueueServiceStub(channel)
    channel.close()
    assert stop(popen) == 0


def test_64_callers_with_one_request_id_make_one_ticket(hall: Any, second_stub: Any) -> None:
    line = hall.open_line()
    for round_ in range(3):
        request_id = str(uuid.uuid4())
        stubs = (hall.stub, second_stub)
        replies = together(64, lambda n, r=request_id, s=stubs: hall.take(line, request_id=r, stub=s[n % 2]))
        assert len({r.SerializeToString(deterministic=True) for r in replies}) == 1
        assert len(hall.documents(line)) == round_ + 1
    hall.take(line)
    assert [d["seq"] for d in hall.documents(line)] == [1, 2, 3, 4]  # and no number was burnt


def test_64_callers_with_one_request_id_call_one_ticket(hall: Any, second_stub: Any) -> None:
    line = hall.open_line()
    for _ in range(5):
        hall.take(line)
    request_id, officer = str(uuid.uuid4()), hall.officer(line)
    stubs = (hall.stub, second_stub)
    replies = together(64, lambda n: hall.call(line, request_id=request_id, who=officer, stub=stubs[n % 2]))
    assert len({r.SerializeToString(deterministic=True) for r in replies}) == 1
    assert Counter(d["state"] for d in hall.documents(line)) == {"called": 1, "waiting": 4}


def test_two_processes_number_one_queue(hall: Any, second_stub: Any) -> None:
    line = hall.open_line()
    stubs = (hall.stub, second_stub)

    def take(n: int) -> list[str]:
        return [hall.take(line, stub=stubs[n % 2]).ticket.number for _ in range(25)]

    numbers = [number for mine in together(16, take) for number in mine]
    assert len(set(numbers)) == len(numbers) == 400
    assert [d["seq"] for d in hall.documents(line)] == list(range(1, 401))


def test_16_callers_never_call_one_ticket_twice(hall: Any) -> None:
    """5,000 tickets, 16 callers. Every call is at a counter of its own, so no command is spent on freeing counters."""
    tickets, callers = 5000, 16
    line = hall.open_line(counters=tuple(range(1, tickets + callers + 1)))
    free = itertools.count(1)
    _fill(hall, line, tickets)
    started = time.monotonic()
    by_caller = _call_all(hall, line, (hall.stub,), lambda n: next(free), callers)
    seconds = time.monotonic() - started
    print(f"{tickets} calls by {callers} callers in {seconds:.1f} s ({tickets / seconds:.0f}/s)")
    _each_once_and_in_order(by_caller, tickets)
    documents = hall.documents(line)
    assert {d["state"] for d in documents} == {"called"}
    assert len({d["counter"] for d in documents}) == tickets


def test_16_counters_that_serve_one_after_the_other(hall: Any, second_stub: Any) -> None:
    """Two processes, and each counter must end its citizen's visit before it may call the next."""
    line = hall.open_line(counters=tuple(range(1, 17)))
    _fill(hall, line, 480)
    officer = hall.officer(line)
    by_counter = _call_all(
        hall,
        line,
        (hall.stub, second_stub),
        lambda n: n + 1,
        16,
        then=lambda t: (hall.do("StartServing", t, officer), hall.do("FinishTicket", t, officer)),
    )
    _each_once_and_in_order(by_counter, 480)


def _call_all(
    hall: Any,
    line: Any,
    stubs: tuple[Any, ...],
    counter: Callable[[int], int],
    callers: int,
    then: Callable[[Any], Any] = lambda ticket: None,
) -> list[list[str]]:
    """Everyone calls until the queue is empty; the numbers that each got. `counter(caller)`."""
    officer = hall.officer(line)

    def work(n: int) -> list[str]:
        called: list[str] = []
        while True:
            try:
                ticket = hall.call(line, counter(n), who=officer, stub=stubs[n % len(stubs)])
            except grpc.RpcError as e:
                if e.code() is grpc.StatusCode.NOT_FOUND:
                    return called
                raise
            called.append(ticket.number)
            then(ticket)

    return together(callers, work)


def _each_once_and_in_order(by_caller: list[list[str]], tickets: int) -> None:
    calls = Counter(number for called in by_caller for number in called)
    assert len(calls) == tickets
    assert set(calls.values()) == {1}
    for called in by_caller:
        numbers = [int(number.split("-")[1]) for number in called]
        assert numbers == sorted(numbers)


def _fill(hall: Any, line: Any, count: int) -> None:
    """Waiting tickets straight into the store, as the service would have written them."""
    now = datetime.now(UTC)
    day = (now + timedelta(hours=7)).date().isoformat()
    spec = QueueSpec(line.name, line.name.split("/")[1], line.agency, line.prefix, line.counters, 10, "Asia/Jakarta")
    documents = []
    for seq in range(1, count + 1):
        ticket = domain.issue(
            spec, name=f"{line.name}/tickets/{uuid.uuid4().hex[:26]}", day=day, seq=seq, offering="",
            group=PriorityGroup.NONE, owners=(), sealed_phone="", masked_phone="", people_ahead=0,
            estimated_wait=timedelta(0), now=now, actor="test", rules=Rules(),
        )  # fmt: skip
        state = store.to_state(ticket)
        documents.append({"_id": ticket.name, "site_id": ticket.site_id, "version": 1, "replies": [], **state})
    for start in range(0, count, 1000):
        hall.database["tickets"].insert_many(documents[start : start + 1000])


def test_kill_9_while_tickets_are_taken(services: Any, hall: Any, line: Any) -> None:
    """Callers repeat their request_id until they get an answer, through two kills of the process."""
    acknowledged: dict[str, str] = {}
    lock = threading.Lock()
    tickets = 240

    def take(n: int) -> None:
        rng = random.Random(n)
        for _ in range(tickets // 8):
            request_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
            end = time.monotonic() + 60
            while True:
                try:
                    number = hall.take(line, request_id=request_id).ticket.number
                    break
                except grpc.RpcError:
                    assert time.monotonic() < end, "no answer for 60 s"
                    time.sleep(0.05)
            with lock:
                acknowledged[request_id] = number

    def killer() -> None:
        for part in (1, 2):
            hall.until(lambda part=part: len(acknowledged) > part * tickets // 4, 60)
            services.kill("queue-serve")
            services.service("queue")

    with ThreadPoolExecutor(9) as pool:
        work = [pool.submit(take, n) for n in range(8)]
        pool.submit(killer).result()
        for one in work:
            one.result()
    documents = hall.documents(line)
    numbers = [d["number"] for d in documents]
    assert len(numbers) == len(set(numbers)) == tickets == len(acknowledged)
    assert set(acknowledged.values()) == set(numbers)
    # A kill between reserving and inserting may cost a number; it never costs more than was under way.
    assert max(d["seq"] for d in documents) - tickets <= 2 * 8
    # and every event leaves its document in the end, whoever was killed
    hall.until(lambda: hall.database["tickets"].count_documents({"outbox.last": {"$gt": ""}}) == 0, 60)
