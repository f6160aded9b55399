"""Server streams in the gRPC kit, over a real server on loopback: places, ends, and unary calls beside them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import ticket_pb2
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_chassis import metrics
from mpp_chassis.call import Call, Caller
from mpp_chassis.server import GrpcServer, Kit

QUEUE = "sites/malang/queues/dukcapil"
SERVICE = pb.DESCRIPTOR.services_by_name["QueueService"]


class Tokens:
    """In the place of the issuer: a token's text says when it expires."""

    def caller(self, token: str) -> Caller:
        return Caller("someone", frozenset({"citizen"}), expires=float(token))


class Queue:
    """Streams a status whenever `tell` is set, and crashes when `crash` is."""

    def __init__(self) -> None:
        self.tell, self.crash = threading.Event(), threading.Event()
        self.tell.set()

    def __getattr__(self, name: str) -> Any:
        if not name[0].isupper():
            raise AttributeError(name)
        return lambda request, call: (_ for _ in ()).throw(NotImplementedError)

    def GetQueue(self, request: pb.GetQueueRequest, call: Call) -> ticket_pb2.QueueStatus:
        return ticket_pb2.QueueStatus(name=request.name)

    def WatchQueue(self, request: pb.WatchQueueRequest, call: Call) -> Iterator[ticket_pb2.QueueStatus | None]:
        while True:
            if self.crash.is_set():
                raise ValueError("secret detail")
            if self.tell.wait(0.02):
                self.tell.clear()
                yield ticket_pb2.QueueStatus(name=request.name)
            else:
                yield None


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def server(queue: Queue) -> Iterator[GrpcServer]:
    kit = Kit(Tokens(), lambda: datetime.now(UTC), streams=3)  # type: ignore[arg-type]
    here = GrpcServer(kit, [(SERVICE, queue, {})], "127.0.0.1:0", threads=2)
    here.start()
    yield here
    here.stop(0)


@pytest.fixture
def stub(server: GrpcServer) -> Iterator[QueueServiceStub]:
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield QueueServiceStub(channel)


def end_of(stream: Any) -> tuple[str, str]:
    """(code, reason) with which a stream ends."""
    with pytest.raises(grpc.RpcError) as caught:
        for _ in stream:
            pass
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(caught.value)
    assert status is None or status.details[0].Unpack(info)
    return caught.value.code().name, info.reason


def watch(stub: QueueServiceStub, **more: Any) -> Any:
    return stub.WatchQueue(pb.WatchQueueRequest(name=QUEUE), **{"timeout": 20, **more})


def test_all_places_taken_refuses_the_next_and_unary_calls_go_on(
    stub: QueueServiceStub, eventually: Callable[..., Any]
) -> None:
    streams = [watch(stub) for _ in range(3)]
    eventually(lambda: metrics.STREAMS_OPEN.labels("QueueService.WatchQueue")._value.get() == 3)
    assert end_of(watch(stub)) == ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS")
    for _ in range(20):  # only two threads serve unary calls, and three streams are open
        assert stub.GetQueue(pb.GetQueueRequest(name=QUEUE), timeout=30).name == QUEUE
    streams[1].cancel()

    def placed() -> bool:
        again = watch(stub, timeout=0.5)
        return end_of(again)[0] == "DEADLINE_EXCEEDED"

    eventually(placed)


def test_a_stop_ends_open_streams_so_that_clients_go_elsewhere(stub: QueueServiceStub, server: GrpcServer) -> None:
    stream = watch(stub)
    next(stream)
    started = time.monotonic()
    stopper = threading.Thread(target=server.stop, args=(60,))
    stopper.start()
    assert end_of(stream) == ("UNAVAILABLE", "SERVER_DRAINING")
    stopper.join()
    assert time.monotonic() - started < 30, "the stop waited for its grace although every stream had ended"


def test_a_stream_ends_with_its_token(stub: QueueServiceStub) -> None:
    metadata = [("authorization", f"Bearer {time.time() + 0.3}")]
    assert end_of(watch(stub, metadata=metadata)) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")


def test_a_crash_tells_nothing_of_its_inside(stub: QueueServiceStub, queue: Queue) -> None:
    stream = watch(stub)
    next(stream)
    queue.crash.set()
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(caught.value.details())


def test_a_bad_request_is_refused_before_the_stream(stub: QueueServiceStub) -> None:
    code, reason = end_of(stub.WatchQueue(pb.WatchQueueRequest(name="queues/x"), timeout=30))
    assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
