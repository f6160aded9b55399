"""The Python client against a real gRPC server in this process, which fails as it is told; tokens from a real issuer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from mpp.queue.v1 import queue_service_pb2 as messages
from mpp.queue.v1 import queue_service_pb2_grpc, ticket_pb2
from mpp_client import ClientCredentials, FieldViolation, MppError, TokenRefused, connect
from mpp_client.connection import _address, backoff
from mpp_devissuer.keys import KeyRing
from mpp_devissuer.server import Issuer

QUEUE = "sites/malang/queues/dukcapil"


class Platform(queue_service_pb2_grpc.QueueServiceServicer):
    """Fails `failures` times with `code` before it answers; remembers what it heard."""

    def __init__(self) -> None:
        self.failures, self.code, self.details = 0, grpc.StatusCode.UNAVAILABLE, tuple[Any, ...]()
        self.heard: list[Any] = []
        self.tokens: list[str] = []
        self.boards: list[str] = []  # what each opened board does after its first state
        self.opened = 0

    def TakeTicket(self, request: Any, context: Any) -> Any:
        self.heard.append(request.request_id)
        self.tokens.append(dict(context.invocation_metadata()).get("authorization", ""))
        if len(self.heard) <= self.failures:
            packed = [any_pb2.Any() for _ in self.details]
            for one, detail in zip(packed, self.details, strict=True):
                one.Pack(detail)
            status = status_pb2.Status(code=self.code.value[0], message="not now", details=packed)
            context.abort_with_status(rpc_status.to_status(status))
        return ticket_pb2.IssuedTicket(ticket=ticket_pb2.Ticket(number="D-001"))

    def GetQueue(self, request: Any, context: Any) -> Any:
        gone = threading.Event()
        context.add_callback(gone.set)
        gone.wait(10)
        return ticket_pb2.QueueStatus()

    def WatchQueue(self, request: Any, context: Any) -> Iterator[Any]:
        fate = self.boards[min(self.opened, len(self.boards) - 1)]
        self.opened += 1
        if fate == "unknown":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such queue")
        yield ticket_pb2.QueueStatus(waiting=self.opened)
        if fate == "drain":
            context.abort(grpc.StatusCode.UNAVAILABLE, "draining")
        if fate == "silence":
            gone = threading.Event()
            context.add_callback(gone.set)
            gone.wait(10)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def address(platform: Platform) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4))
    queue_service_pb2_grpc.add_QueueServiceServicer_to_server(platform, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


def test_a_command_is_tried_again_with_one_request_id_and_the_message_stays_as_it_was(
    platform: Platform, address: str
) -> None:
    platform.failures = 2
    asked = messages.TakeTicketRequest(parent=QUEUE)
    with connect(address) as mpp:
        assert mpp.queue.take_ticket(asked).ticket.number == "D-001"
        assert mpp.queue.take_ticket(asked).ticket.number == "D-001"
    first, *again, other = platform.heard
    assert again == [first, first]
    assert other != first
    assert asked.request_id == ""


def test_an_own_request_id_is_kept(platform: Platform, address: str) -> None:
    with connect(address) as mpp:
        mpp.queue.take_ticket(messages.TakeTicketRequest(parent=QUEUE, request_id="mine"))
    assert platform.heard == ["mine"]


@pytest.mark.parametrize("code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ABORTED, grpc.StatusCode.INTERNAL])
def test_only_unavailable_is_tried_again(platform: Platform, address: str, code: grpc.StatusCode) -> None:
    platform.failures, platform.code = 1, code
    with connect(address) as mpp, pytest.raises(MppError) as failed:
        mpp.queue.take_ticket(messages.TakeTicketRequest(parent=QUEUE))
    assert (failed.value.code, len(platform.heard)) == (code, 1)


def test_there_is_an_end_to_trying(platform: Platform, address: str) -> None:
    platform.failures = 99
    with connect(address, attempts=3) as mpp, pytest.raises(MppError):
        mpp.queue.take_ticket(messages.TakeTicketRequest(parent=QUEUE))
    assert len(platform.heard) == 3


def test_all_tries_together_keep_the_time_limit(platform: Platform, address: str) -> None:
    began = time.monotonic()
    with connect(address, timeout=0.3) as mpp, pytest.raises(MppError) as late:
        mpp.queue.get_queue(messages.GetQueueRequest(name=QUEUE))
    assert late.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    platform.failures = 99
    with connect(address, timeout=0.5, attempts=99) as mpp, pytest.raises(MppError) as down:
        mpp.queue.take_ticket(messages.TakeTicketRequest(parent=QUEUE))
    assert down.value.retryable
    assert time.monotonic() - began < 30


def test_the_reason_and_the_fields_are_at_hand(platform: Platform, address: str) -> None:
    violation = error_details_pb2.BadRequest.FieldViolation(field="parent", description="is wrong")
    platform.failures, platform.code = 1, grpc.StatusCode.INVALID_ARGUMENT
    platform.details = (
        error_details_pb2.ErrorInfo(reason="INVALID_FIELD", metadata={"a": "b"}),
        error_details_pb2.BadRequest(field_violations=[violation]),
    )
    with connect(address) as mpp, pytest.raises(MppError, match="INVALID_FIELD: not now; parent: is wrong") as failed:
        mpp.queue.take_ticket(messages.TakeTicketRequest(parent=QUEUE))
    assert (failed.value.reason, failed.value.message) == ("INVALID_FIELD", "not now")
    assert failed.value.fields == (FieldViolation("parent", "is wrong"),)
    assert failed.value.metadata == {"a": "b"}


def test_nobody_there_is_an_error_of_ours_too() -> None:
    with connect("127.0.0.1:1", attempts=2) as mpp, pytest.raises(MppError) as failed:
        mpp.queue.take_ticket(messages.TakeTicketRequest(parent=QUEUE))
    assert failed.value.retryable


def test_a_board_is_opened_again_after_a_drain_an_end_and_a_silence(platform: Platform, address: str) -> None:
    platform.boards = ["drain", "end", "silence", "drain"]
    broken: list[Any] = []
    with connect(address) as mpp:
        board = mpp.watch_board(QUEUE, silence=0.2, on_reconnect=lambda e: broken.append(e.code if e else None))
        assert [next(board).waiting for _ in range(4)] == [1, 2, 3, 4]
        board.close()
    assert broken == [grpc.StatusCode.UNAVAILABLE, None, grpc.StatusCode.CANCELLED]


def test_an_unknown_queue_is_told_and_not_asked_for_again(platform: Platform, address: str) -> None:
    platform.boards = ["unknown"]
    with connect(address) as mpp, pytest.raises(MppError) as failed:
        next(mpp.watch_board(QUEUE))
    assert (failed.value.code, platform.opened) == (grpc.StatusCode.NOT_FOUND, 1)


def test_a_closed_stream_ends_quietly(platform: Platform, address: str) -> None:
    platform.boards = ["silence"]
    with connect(address) as mpp:
        stream = mpp.queue.watch_queue(messages.WatchQueueRequest(name=QUEUE))
        assert next(stream).waiting == 1
        threading.Timer(0.1, stream.close).start()
        assert list(stream) == []


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("127.0.0.1:8080", ("127.0.0.1:8080", False)),
        ("localhost:1", ("localhost:1", False)),
        ("[::1]:8080", ("[::1]:8080", False)),
        ("http://gateway:8080", ("gateway:8080", False)),
        ("http://127.0.0.1:8080/", ("127.0.0.1:8080", False)),
        ("https://mpp.example.go.id", ("mpp.example.go.id:443", True)),
        ("mpp.example.go.id:8443", ("mpp.example.go.id:8443", True)),  # no token in the clear by accident
    ],
)
def test_targets(target: str, found: tuple[str, bool]) -> None:
    assert _address(target) == found


@pytest.mark.parametrize("target", ["", "ftp://a:1", "https://a/b", "http://", "a:port", "https://a?x=1"])
def test_a_target_that_cannot_be_used_is_named(target: str) -> None:
    with pytest.raises(ValueError):
        _address(target)


def test_pauses_grow_and_stay_bounded() -> None:
    pauses = [backoff(n) for n in range(1, 2000)]
    assert 0.05 <= pauses[0] <= 0.1
    assert max(pauses) <= 5.0


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    server = Issuer(0, KeyRing(tmp_path))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_account_asks_once_for_many_calls_and_again_in_time(
    issuer: Issuer, platform: Platform, address: str
) -> None:
    now = [0.0]
    account = ClientCredentials(
        issuer.url, "agency-dukcapil", "development-only-dukcapil", clock=lambda: now[0], scope="x"
    )
    with connect(address, account) as mpp:
        for at in (0.0, 3539.0, 3541.0):
            now[0] = at
            mpp.queue.take_ticket(messages.TakeTicketRequest(parent=QUEUE))
    first, second, third = (text.removeprefix("Bearer ") for text in platform.tokens)
    assert first == second != third
    assert jwt.decode(first, options={"verify_signature": False})["sub"] == "agency-dukcapil"
    assert "development-only" not in repr(account)


def test_many_threads_ask_for_one_token(issuer: Issuer) -> None:
    account = ClientCredentials(issuer.url, "agency-dukcapil", "development-only-dukcapil")
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: account(), range(64)))) == 1


def test_a_refusal_says_why(issuer: Issuer) -> None:
    with pytest.raises(TokenRefused) as wrong:
        ClientCredentials(issuer.url, "agency-dukcapil", "guess")()
    assert wrong.value.error == "invalid_client"
    for away in ("http://127.0.0.1:1", issuer.url + "/nothing"):
        with pytest.raises(TokenRefused) as gone:
            ClientCredentials(away, "a", "b")()
        assert gone.value.error in ("issuer_unavailable", "invalid_request")
