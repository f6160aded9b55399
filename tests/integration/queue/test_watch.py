"""The board as a stream: every change, whichever process made it; hundreds of watchers beside unary calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_localrun.platform import free_ports, stop, wait_ready

WATCHERS = 300


class Watcher:
    """Reads a stream in a thread and keeps what came."""

    def __init__(self, stub: QueueServiceStub, queue: str) -> None:
        self.seen: list[Any] = []
        self.problem: grpc.RpcError | None = None
        self._stream = stub.WatchQueue(pb.WatchQueueRequest(name=queue), timeout=110)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for status in self._stream:
                self.seen.append(status)
        except grpc.RpcError as e:
            self.problem = e

    def numbers(self) -> list[str]:
        return [b.number for b in self.seen[-1].board] if self.seen else []

    def leave(self) -> None:
        self._stream.cancel()
        self._thread.join(10)


@pytest.fixture
def watchers() -> Iterator[list[Watcher]]:
    here: list[Watcher] = []
    yield here
    for one in here:
        one.leave()


@pytest.fixture
def second(services: Any, hall: Any) -> Iterator[QueueServiceStub]:
    """A second `serve` process of the queue service."""
    grpc_port, http_port = free_ports(2)
    process = services.platform.process("queue", "serve", MPP_GRPC_PORT=str(grpc_port), MPP_HTTP_PORT=str(http_port))
    process = type(process)(
        "queue-serve-2", process.command, process.environment, f"http://127.0.0.1:{http_port}/readyz"
    )
    popen = services.platform.start(process)
    wait_ready([(process, popen)], services.platform.logs)
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
        yield QueueServiceStub(channel)
    assert stop(popen) == 0


def test_a_call_made_in_one_process_shows_on_a_board_of_another(
    hall: Any, line: Any, second: QueueServiceStub, watchers: list[Watcher], eventually: Callable[..., Any]
) -> None:
    board = Watcher(second, line.name)
    watchers.append(board)
    eventually(lambda: board.seen)
    assert board.seen[0].waiting == 0
    first = hall.take(line)
    eventually(lambda: board.seen[-1].waiting == 1)
    hall.call(line, 3)
    eventually(lambda: board.numbers() == [first.ticket.number])
    eventually(lambda: board.seen[-1].waiting == 0)  # a call is shown before the store is read again
    assert board.seen[-1].board[0].counter == 3


def test_a_queue_that_is_none_is_refused(hall: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        next(hall.stub.WatchQueue(pb.WatchQueueRequest(name="sites/malang/queues/tidak-ada"), timeout=30))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_hundreds_of_watchers_see_each_call_and_starve_nobody(
    hall: Any, line: Any, watchers: list[Watcher], eventually: Callable[..., Any]
) -> None:
    watchers.extend(Watcher(hall.stub, line.name) for _ in range(WATCHERS))
    eventually(lambda: all(w.seen for w in watchers), seconds=60)
    for counter in (1, 2, 3):
        ticket = hall.take(line)  # a unary call while 300 streams are open
        hall.call(line, counter)
        started = time.monotonic()
        eventually(lambda n=ticket.ticket.number: all(n in w.numbers() for w in watchers), seconds=60)
        print(f"{WATCHERS} boards showed a call after {time.monotonic() - started:.3f} s")
    assert all(w.problem is None for w in watchers)
