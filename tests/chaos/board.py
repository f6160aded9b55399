"""An open board (WatchQueue) of a queue where no other test of this lane calls anybody, and what happens in that queue."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import grpc
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub

QUEUE, AGENCY, COUNTER = "sites/malang/queues/bapenda", "bapenda", 21


class OpenBoard:
    """`seen`: what the board was told, oldest first. `problems`: why its stream ended, if it did."""

    def __init__(self, malang: Any) -> None:
        self._stub: Any = malang.stub("queue", QueueServiceStub)
        self._kiosk = malang.auth("kiosk", site="malang")
        self._officer = malang.auth("officer", site="malang", agency=AGENCY, counter=COUNTER)
        self._stream = self._stub.WatchQueue(pb.WatchQueueRequest(name=QUEUE), timeout=250)
        self.seen: list[Any] = []
        self.problems: list[grpc.RpcError] = []
        self._made: set[str] = set()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        try:
            for status in self._stream:
                self.seen.append(status)
        except grpc.RpcError as e:
            self.problems.append(e)

    def take(self) -> None:
        request = pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))
        self._made.add(self._stub.TakeTicket(request, metadata=self._kiosk, timeout=30).ticket.name)

    def call_next(self) -> str:
        """The number that was called."""
        request = pb.CallNextRequest(parent=QUEUE, counter=COUNTER, request_id=str(uuid.uuid4()))
        called = self._stub.CallNext(request, metadata=self._officer, timeout=30)
        self._made.add(called.name)
        return str(called.number)

    def close(self) -> None:
        """Switch it off; whom it saw goes home."""
        self._stream.cancel()
        for name in self._made:
            request = pb.CancelTicketRequest(name=name, request_id=str(uuid.uuid4()))
            self._stub.CancelTicket(request, metadata=self._officer, timeout=30)
