"""Commands go on, and no event is lost or has its effect twice, while processes and the broker are killed.

The command is TakeTicket with a phone; the effect is the message in the provider's outbox. Both are counted.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from mpp.queue.v1 import queue_service_pb2, queue_service_pb2_grpc

from tests.chaos.board import OpenBoard

# After these a client cannot know whether the command was done: it asks again with the same request_id.
AMBIGUOUS = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
QUEUE = "sites/malang/queues/dukcapil"
pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(300)]


class Kiosk:
    """Takes tickets and remembers what was acknowledged."""

    def __init__(self, malang: Any) -> None:
        self._malang = malang
        self.batch = f"{uuid.uuid4().int % 10**6:06d}"
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.repeats = 0
        self._lock = threading.Lock()

    def take(self, number: int) -> None:
        """One ticket, with retries under the same request_id where the transport failed, as any client must."""
        stub = self._malang.stub("queue", queue_service_pb2_grpc.QueueServiceStub)
        request = queue_service_pb2.TakeTicketRequest(
            parent=QUEUE, phone=f"+62811{self.batch}{number:04d}"[:15], request_id=str(uuid.uuid4())
        )
        end = time.monotonic() + 60
        while True:
            try:
                reply = stub.TakeTicket(
                    request, metadata=self._malang.auth("kiosk", site="malang"), timeout=30, wait_for_ready=True
                )
                break
            except grpc.RpcError as e:
                with self._lock:
                    self.repeats += 1
                    if e.code() not in AMBIGUOUS or time.monotonic() > end:
                        self.refused.append(f"{e.code().name} {e.details()}")
                        return
        with self._lock:
            self.acknowledged.append(reply.ticket.name)

    def effects(self) -> list[str]:
        """Keys of messages about this kiosk's tickets that the provider was handed, doubles included."""
        file = self._malang.platform.outbox / "messages.jsonl"
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        mine = [line for line in lines if line.endswith("\n") and f"+62811{self.batch}" in line]  # not one half written
        return [json.loads(line)["key"] for line in mine]


@pytest.fixture
def kiosk(malang: Any) -> Kiosk:
    return Kiosk(malang)


def all_told_once(kiosk: Kiosk, count: int, eventually: Callable[..., Any], seconds: float) -> None:
    eventually(lambda: len(set(kiosk.effects())) >= count, seconds=seconds)
    assert kiosk.refused == []
    assert len(set(kiosk.acknowledged)) == count
    assert len(kiosk.effects()) == len(set(kiosk.effects())) == count


def test_kill_9_of_serve_between_commit_and_dispatch(malang: Any, kiosk: Kiosk, eventually: Callable[..., Any]) -> None:
    """A serve that commits and never dispatches is what a kill at that moment leaves behind."""
    malang.stop("queue-work")  # it would sweep for the other one at once
    malang.stop("queue-serve")
    malang.service("queue", verbs=("serve",), MPP_DISPATCH="off")
    for number in range(60):
        kiosk.take(number)
    assert len(kiosk.acknowledged) == 60
    assert malang.database("queue")["tickets"].count_documents({"outbox.last": {"$gt": ""}}) >= 60
    malang.kill("queue-serve")
    assert kiosk.effects() == []
    malang.service("queue")
    all_told_once(kiosk, 60, eventually, seconds=120)


def test_kill_9_of_serve_under_load(malang: Any, kiosk: Kiosk, eventually: Callable[..., Any]) -> None:
    def run() -> None:
        for number in range(150):
            kiosk.take(number)

    thread = threading.Thread(target=run)
    thread.start()
    for at in (30, 90):
        eventually(lambda at=at: len(kiosk.acknowledged) >= at, seconds=120)
        malang.kill("queue-serve")
        malang.service("queue")
    thread.join(120)
    all_told_once(kiosk, 150, eventually, seconds=120)


def test_kill_9_of_the_notifier_under_load(malang: Any, kiosk: Kiosk, eventually: Callable[..., Any]) -> None:
    threads = [threading.Thread(target=kiosk.take, args=(n,)) for n in range(80)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(kiosk.effects()) >= 10, seconds=120)
    malang.kill("notifications-work")
    for thread in threads:
        thread.join()
    malang.service("notifications")
    # A message whose hand-over was cut is finished by the sweep after its claim has run out.
    all_told_once(kiosk, 80, eventually, seconds=120)


def test_restart_of_the_broker_under_load(malang: Any, kiosk: Kiosk, eventually: Callable[..., Any]) -> None:
    done = threading.Event()
    count = 0

    def run() -> None:
        nonlocal count
        # A busy site's pace: each ticket is a message in the end; what comes faster than they are made is only waited for.
        while not done.wait(0.03):
            kiosk.take(count)
            count += 1

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: len(kiosk.acknowledged) >= 30)
    malang.platform.stack.broker.restart()
    seen = len(kiosk.acknowledged)
    eventually(lambda: len(kiosk.acknowledged) >= seen + 30, seconds=120)
    done.set()
    thread.join(60)
    assert kiosk.repeats == 0, "a command failed because the broker was away"
    all_told_once(kiosk, count, eventually, seconds=120)


def test_sixty_seconds_without_a_broker_refuse_no_command_and_cost_a_board_nothing_but_time(
    malang: Any, kiosk: Kiosk, eventually: Callable[..., Any]
) -> None:
    board = OpenBoard(malang)
    eventually(lambda: board.seen)
    before = board.seen[-1].waiting
    malang.platform.stack.broker.kill()
    board.take()
    slowest, count, start = 0.0, 0, time.monotonic()
    while time.monotonic() - start < 60:
        began = time.monotonic()
        kiosk.take(count)
        slowest = max(slowest, time.monotonic() - began)
        count += 1
        threading.Event().wait(0.1)  # a kiosk's pace, not a wait for a condition
    assert kiosk.repeats == 0
    assert kiosk.effects() == []
    assert board.seen[-1].waiting == before + 1, "committed; its event waits; the board did not look"
    malang.platform.stack.broker.start()
    number = board.call_next()
    eventually(lambda: any(line.number == number for line in board.seen[-1].board), seconds=60)
    assert not board.problems, "an open board was ended"
    board.close()
    all_told_once(kiosk, count, eventually, seconds=120)
    assert slowest < 20, "a command waited for the broker"
