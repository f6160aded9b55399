"""The broker is away: an open board stays open, looks by itself, and is told of changes again when the broker is back."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(180)]
QUEUE = "sites/malang/queues/bapenda"  # no other test of this lane calls here


def test_a_broker_that_was_away_costs_a_board_nothing_but_time(malang: Any, eventually: Callable[..., Any]) -> None:
    stub = malang.stub("queue", QueueServiceStub)
    stream = stub.WatchQueue(pb.WatchQueueRequest(name=QUEUE), timeout=150)
    seen: list[Any] = []
    problems: list[grpc.RpcError] = []

    def watch() -> None:
        try:
            for status in stream:
                seen.append(status)
        except grpc.RpcError as e:
            problems.append(e)

    threading.Thread(target=watch, daemon=True).start()
    eventually(lambda: seen)
    before = seen[-1].waiting
    malang.platform.stack.broker.stop()
    try:
        take = pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))
        ticket = stub.TakeTicket(take, metadata=malang.auth("kiosk", site="malang"), timeout=20).ticket
        eventually(lambda: seen[-1].waiting == before + 1, seconds=30)  # committed; its event waits; the board looked
    finally:
        malang.platform.stack.broker.start()
    officer = malang.auth("officer", site="malang", agency="bapenda", counter=21)
    call = pb.CallNextRequest(parent=QUEUE, counter=21, request_id=str(uuid.uuid4()))
    called = stub.CallNext(call, metadata=officer, timeout=20)
    eventually(lambda: any(b.number == called.number for b in seen[-1].board), seconds=30)
    assert not problems
    stream.cancel()
    for name in {called.name, ticket.name}:
        cancel = pb.CancelTicketRequest(name=name, request_id=str(uuid.uuid4()))
        stub.CancelTicket(cancel, metadata=officer, timeout=20)
    malang.settled()
