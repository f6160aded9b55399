"""A connection to the gateway, or to one service. Knows channels, deadlines, retries, request ids and tokens."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import Message
from mpp.queue.v1 import queue_service_pb2, ticket_pb2

from mpp_client.errors import MppError, from_call
from mpp_client.services import Services

Token = str | Callable[[], str]
_Reply = TypeVar("_Reply", bound=Message)

SILENCE = 45.0  # seconds; the platform says something on a board every 15 s at the latest
_FINAL = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def connect(
    target: str,
    token: Token | None = None,
    *,
    timeout: float = 10.0,
    attempts: int = 4,
    credentials: grpc.ChannelCredentials | None = None,
) -> Client:
    """Connect to `https://host[:port]` (TLS), `http://host:port` (no TLS), or `host:port`.

    `host:port` means TLS, except on loopback. `token` is an access token, or what gives one (asked before each call, for
    example ClientCredentials). `timeout` is in seconds, for all tries of a unary call together; `attempts` counts the tries
    while the platform says UNAVAILABLE, each with the same request_id. `credentials` replace the system's trust (own CA,
    client certificate). Nothing is sent yet. Raises ValueError for a target that cannot be used.
    """
    address, secure = _address(target)
    options = [("grpc.max_receive_message_length", 16 * 1024 * 1024), ("grpc.primary_user_agent", "mpp-client/0.2.0")]
    if secure or credentials:
        channel = grpc.secure_channel(address, credentials or grpc.ssl_channel_credentials(), options)
    else:
        channel = grpc.insecure_channel(address, options)
    return Client(Wire(channel, token, timeout, max(1, attempts)))


class Wire:
    """Sends calls. `services.py` is written against its two methods."""

    def __init__(self, channel: grpc.Channel, token: Token | None, timeout: float, attempts: int) -> None:
        self._channel, self._token, self._timeout, self._attempts = channel, token, timeout, attempts

    def unary(self, method: str, request: Message, reply: type[_Reply], timeout: float | None) -> _Reply:
        """Raises MppError. A command without a request_id gets one; the caller's message stays as it is."""
        request = _identified(request)
        call = self._channel.unary_unary(method, request.__class__.SerializeToString, reply.FromString)
        end = time.monotonic() + (self._timeout if timeout is None else timeout)
        for attempt in range(1, self._attempts + 1):
            try:
                answer: _Reply = call(request, timeout=max(0.0, end - time.monotonic()), metadata=self._metadata())
                return answer
            except grpc.RpcError as e:
                error, pause = from_call(e), backoff(attempt)
                if not error.retryable or attempt == self._attempts or time.monotonic() + pause >= end:
                    raise error from e
                time.sleep(pause)
        raise AssertionError("unreachable")

    def stream(self, method: str, request: Message, reply: type[_Reply], timeout: float | None) -> Stream[_Reply]:
        """A server stream, without a time limit unless one is given."""
        call = self._channel.unary_stream(method, request.__class__.SerializeToString, reply.FromString)
        return Stream(call(request, timeout=timeout, metadata=self._metadata()))

    def close(self) -> None:
        self._channel.close()

    def _metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        token = self._token() if callable(self._token) else self._token
        return (("authorization", f"Bearer {token}"),) if token else ()


class Stream(Iterator[_Reply]):
    """Messages as they come; `close()` from any thread, or leaving a `with`, ends it. Iterating raises MppError."""

    def __init__(self, call: Any) -> None:
        self._call, self._closed = call, False

    def __next__(self) -> _Reply:
        try:
            message: _Reply = next(self._call)
            return message
        except grpc.RpcError as e:
            if self._closed:
                raise StopIteration from None
            raise from_call(e) from e

    def close(self) -> None:
        self._closed = True
        self._call.cancel()

    def abandon(self) -> None:
        """End it as if it had broken: whoever iterates gets an MppError (CANCELLED)."""
        self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Client(Services):
    """All services of the edge: `client.queue.take_ticket(TakeTicketRequest(...))`. Use it as a context, or `close()` it."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._wire = wire

    def watch_board(
        self,
        queue: str,
        *,
        on_reconnect: Callable[[MppError | None], None] = lambda error: None,
        silence: float = SILENCE,
    ) -> Iterator[ticket_pb2.QueueStatus]:
        """The state of a queue now and after each change, for ever; a broken or silent stream is opened again.

        The newest state arrives after any break; states in between may be left out, and one may come twice. Raises
        MppError for what a new stream cannot mend (an unknown queue).
        """
        failures = 0
        while True:
            problem = None
            with self.queue.watch_queue(queue_service_pb2.WatchQueueRequest(name=queue)) as stream:
                dog = _Watchdog(silence, stream.abandon)
                try:
                    for status in stream:
                        failures = 0
                        dog.hold()
                        yield status
                        dog.pat()
                except MppError as e:
                    if e.code in _FINAL:
                        raise
                    problem = e
                finally:
                    dog.hold()
            failures += 1
            on_reconnect(problem)
            time.sleep(backoff(failures))

    def close(self) -> None:
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Watchdog:
    """Calls `bite` when it was neither held nor patted for a while. Begins at once."""

    def __init__(self, seconds: float, bite: Callable[[], None]) -> None:
        self._seconds, self._bite = seconds, bite
        self.pat()

    def pat(self) -> None:
        self._timer = threading.Timer(self._seconds, self._bite)
        self._timer.daemon = True
        self._timer.start()

    def hold(self) -> None:
        self._timer.cancel()


def backoff(attempt: int) -> float:
    """Seconds before the next try: 0.1 doubling up to 5, half of it by chance so that clients do not come together."""
    longest = min(5.0, 0.1 * 2.0 ** min(attempt - 1, 10))
    return random.uniform(longest / 2, longest)


def _identified(request: Message) -> Message:
    if "request_id" not in request.DESCRIPTOR.fields_by_name or request.request_id:  # type: ignore[attr-defined]
        return request
    own = request.__class__()
    own.CopyFrom(request)
    own.request_id = str(uuid.uuid4())  # type: ignore[attr-defined]
    return own


def _address(target: str) -> tuple[str, bool]:
    """Host and port for gRPC, and whether to use TLS."""
    parts = urlsplit(target if "://" in target else f"//{target}")
    if parts.scheme not in ("", "http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError(f"target: {target!r} is neither host:port nor http(s)://host[:port]")
    secure = parts.scheme == "https" or (not parts.scheme and parts.hostname not in _LOOPBACK)
    port = parts.port or (443 if secure else 80)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port}", secure
