"""One HTTP POST to a stranger's server: bounded in time and memory, to an address that was checked, nothing followed.

Knows sockets, TLS and HTTP/1.1; knows no webhook. Works in threads and in green threads alike: nothing here blocks but
sockets, and a timer cuts them off.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from datetime import timedelta

from mpp_subscriptions.webhooks.domain import Answer
from mpp_subscriptions.webhooks.guard import Forbidden, Guard, Place

MOST_READ = 1024  # bytes of an answer's body
KEPT_OPEN = 60.0  # seconds; then the name is looked up again


class Poster:
    """Posts to one server at a time and keeps that connection for the next. Not thread-safe."""

    def __init__(self, guard: Guard, timeout: float, tls: ssl.SSLContext) -> None:
        self._guard, self._timeout, self._tls = guard, timeout, tls
        self._open: http.client.HTTPConnection | None = None
        self._place: Place | None = None
        self._since = 0.0

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Never raises for what the other side, the network or its name do: that is in the answer.

        Delivered is 2xx within the timeout; a redirect is a failure.
        """
        started = time.monotonic()

        def answer(status: int, failure: str, retry_after: timedelta | None = None) -> Answer:
            return Answer(status, failure, round((time.monotonic() - started) * 1000), retry_after)

        try:
            place = self._guard.place(url)
            status, wish = self._exchange(place, headers, body, started + self._timeout)
        except Forbidden as error:
            return answer(0, error.code)
        except Exception as error:  # socket, TLS and HTTP errors, and what their libraries do not foresee
            self.close()
            late = time.monotonic() - started >= self._timeout
            return answer(0, "timeout" if late else _code(error))
        if 200 <= status < 300:
            return answer(status, "")
        return answer(status, f"http_{status}", wish)

    def close(self) -> None:
        conn, self._open = self._open, None
        if conn is not None:
            conn.close()

    def _exchange(
        self, place: Place, headers: Mapping[str, str], body: bytes, end: float
    ) -> tuple[int, timedelta | None]:
        if self._place != place or time.monotonic() - self._since > KEPT_OPEN:
            self.close()
        if self._open is not None:
            with contextlib.suppress(ConnectionError, http.client.BadStatusLine):  # closed by the other side meanwhile
                return self._ask(self._open, place, headers, body, end)
            self.close()
        conn = self._connect(place, end)
        self._open, self._place, self._since = conn, place, time.monotonic()
        return self._ask(conn, place, headers, body, end)

    def _ask(
        self, conn: http.client.HTTPConnection, place: Place, headers: Mapping[str, str], body: bytes, end: float
    ) -> tuple[int, timedelta | None]:
        with _Deadline(conn.sock, end):
            conn.request("POST", place.path, body, {"host": place.authority, **headers})
            response = conn.getresponse()
            response.read(MOST_READ)
            whole = response.isclosed()
            status, wish = response.status, _retry_after(response.headers.get("retry-after", ""))
        if not whole or response.will_close:
            self.close()
        return status, wish

    def _connect(self, place: Place, end: float) -> http.client.HTTPConnection:
        """To an address that was checked, never to a name. Raises Forbidden, OSError."""
        addresses = self._guard.addresses(place)
        raw = _first(addresses, place.port, end)
        conn = http.client.HTTPConnection(place.host, place.port)
        try:
            if place.tls:
                with _Deadline(raw, end):
                    raw = self._tls.wrap_socket(raw, server_hostname=place.host)
        except BaseException:
            raw.close()
            raise
        conn.sock = raw
        return conn


def _first(addresses: list[str], port: int, end: float) -> socket.socket:
    """Connected to the first that takes us."""
    failure: OSError = TimeoutError("no time left")
    for address in addresses:
        left = end - time.monotonic()
        if left <= 0:
            break
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.settimeout(left)
            sock.connect((address, port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


class _Deadline:
    """Ends whatever a socket waits for when the time is over: a server that sends a byte now and then keeps no one."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        left = max(0.01, end - time.monotonic())
        sock.settimeout(left)
        self._twin = socket.socket(fileno=socket.dup(sock.fileno()))  # lives on when TLS takes the first one over
        self._timer = threading.Timer(left, self._shut)
        self._timer.daemon = True
        self._over = False

    def _shut(self) -> None:
        self._over = True
        with contextlib.suppress(OSError):
            self._twin.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._twin.close()
        if self._over:  # what looks like a short answer was cut
            raise TimeoutError("the time was over")


def _code(error: Exception) -> str:
    """Short words, bounded in number; nothing of what a server said."""
    for kind, word in (
        (ssl.SSLCertVerificationError, "certificate"),
        (ssl.SSLError, "tls"),
        (TimeoutError, "timeout"),
        (socket.gaierror, "name_unknown"),
        (ConnectionRefusedError, "connection_refused"),
        (http.client.HTTPException, "not_http"),
    ):
        if isinstance(error, kind):
            return word
    return "connection_lost"


def _retry_after(text: str) -> timedelta | None:
    """Seconds only; a date is not heard."""
    return timedelta(seconds=int(text)) if text.isdecimal() and len(text) < 8 else None
