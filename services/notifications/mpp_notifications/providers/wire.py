"""A connection that ends when it must, whatever the other side does. Knows sockets; never a protocol or a message."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator

CONNECT_SECONDS = 3.0  # for one address, so that a second one still has its turn


def failure_of(error: Exception) -> str:
    """What went wrong with a connection, in a short word; "" when it is none of these. Nothing of what a server said."""
    for kind, word in (
        (ssl.SSLCertVerificationError, "certificate"),
        (TimeoutError, "timeout"),
        (ssl.SSLError, "tls"),
        (socket.gaierror, "name_unknown"),
        (UnicodeError, "name_unknown"),
        (ConnectionRefusedError, "connection_refused"),
    ):
        if isinstance(error, kind):
            return word
    return ""


def connect(addresses: list[tuple[str, int]], end: float) -> socket.socket:
    """Connected to the first that takes us. Raises OSError."""
    failure = OSError("the name has no address")
    for address in addresses:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            return socket.create_connection(address, timeout=min(left, CONNECT_SECONDS))
        except OSError as error:
            failure = error
    raise failure


@contextlib.contextmanager
def deadline(sock: socket.socket, end: float) -> Iterator[None]:
    """Cuts the connection at `end`: a socket's own timeout begins anew with every byte. Raises TimeoutError when what
    ran under it failed because of that.
    """
    left = max(0.01, end - time.monotonic())
    sock.settimeout(left)
    twin = socket.socket(fileno=socket.dup(sock.fileno()))  # lives on when TLS takes the first one over
    over = threading.Event()

    def cut() -> None:
        over.set()
        with contextlib.suppress(OSError):
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(left, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if over.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
        twin.close()


def addresses(host: str, port: int) -> list[tuple[str, int]]:
    """Where the name leads. Raises OSError. The time that the look-up takes is the system's."""
    return [(str(entry[4][0]), port) for entry in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)]
