"""Counted proofs under concurrency: one request_id is one ticket and one call; two processes give one row of numbers.

Callers in a crowd, and kill -9, are in test_crowd.py.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import grpc
import pytest
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_localrun.platform import free_ports, stop, wait_ready


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
