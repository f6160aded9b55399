"""One POST to a stranger: over real sockets and real TLS, to servers that behave, misbehave and lie."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mpp_subscriptions.webhooks.guard import Guard
from mpp_subscriptions.webhooks.posting import MOST_READ, Poster

OPEN = Guard(allow_private=True)
Behave = Callable[[socket.socket], None]


class Server:
    """Takes connections, and does with each what the test says."""

    def __init__(self, behave: Behave, tls: ssl.SSLContext | None = None) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port = self._sock.getsockname()[1]
        self.connections = 0
        self._behave, self._tls = behave, tls
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                conn, _ = self._sock.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        with contextlib.suppress(OSError), conn:
            self._behave(self._tls.wrap_socket(conn, server_side=True) if self._tls else conn)

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(behave: Behave, tls: ssl.SSLContext | None = None) -> Server:
        made.append(Server(behave, tls))
        return made[-1]

    yield make
    for one in made:
        one.close()


def request(conn: socket.socket) -> bytes:
    """Reads one request with the body `{}`; empty when the other side closed."""
    got = b""
    while not got.endswith(b"\r\n\r\n{}"):
        part = conn.recv(4096)
        if not part:
            return b""
        got += part
    return got


def answering(reply: bytes, seen: list[bytes] | None = None) -> Behave:
    """Answers each request of a connection so."""

    def behave(conn: socket.socket) -> None:
        while got := request(conn):
            if seen is not None:
                seen.append(got)
            conn.sendall(reply)

    return behave


FINE = b"HTTP/1.1 204 No Content\r\n\r\n"


def post(port: int, poster: Poster | None = None, host: str = "127.0.0.1", scheme: str = "http") -> Any:
    given = poster or Poster(OPEN, 2.0, ssl.create_default_context())
    return given.post(f"{scheme}://{host}:{port}/in", {"webhook-id": "e1"}, b"{}")


def test_a_good_answer_and_what_was_asked(server: Callable[..., Server]) -> None:
    seen: list[bytes] = []
    here = server(answering(FINE, seen))
    assert (post(here.port).status, post(here.port).failure) == (204, "")
    head = seen[0].decode()
    assert head.startswith("POST /in HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{here.port}\r\n" in head
    assert head.lower().count("host:") == 1
    assert "webhook-id: e1\r\n" in head


def test_the_connection_is_kept_and_made_anew_when_it_was_closed(server: Callable[..., Server]) -> None:
    once = [True]

    def behave(conn: socket.socket) -> None:
        while request(conn):
            conn.sendall(FINE)
            if once and here.connections == 1:
                once.clear()
                request(conn)  # takes the second request and closes without a word
                return

    here = server(behave)
    poster = Poster(OPEN, 2.0, ssl.create_default_context())
    assert [post(here.port, poster).failure for _ in range(4)] == [""] * 4
    assert here.connections == 2
    poster.close()


@pytest.mark.parametrize(
    ("reply", "status", "failure"),
    [
        (b"HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 301, "http_301"),
        (b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", 410, "http_410"),
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", 500, "http_500"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 0, "not_http"),
        (b"", 0, "timeout"),
    ],
)
def test_every_other_answer_is_a_failure(
    server: Callable[..., Server], reply: bytes, status: int, failure: str
) -> None:
    answer = post(server(answering(reply)).port, Poster(OPEN, 0.4, ssl.create_default_context()))
    assert (answer.status, answer.failure) == (status, failure)


def test_a_wish_to_wait_is_heard(server: Callable[..., Server]) -> None:
    reply = b"HTTP/1.1 429 Slow down\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n"
    assert post(server(answering(reply)).port).retry_after == timedelta(seconds=120)


def test_a_body_without_end_is_not_read(server: Callable[..., Server]) -> None:
    sent = [0]

    def flood(conn: socket.socket) -> None:
        request(conn)
        conn.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                sent[0] += conn.send(b"x" * 65536)

    began = time.monotonic()
    assert post(server(flood).port).failure == ""
    assert time.monotonic() - began < 20
    assert sent[0] < 50_000_000, f"much more than {MOST_READ} bytes and the sockets' buffers"


@pytest.mark.parametrize("drip", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"])
def test_a_server_that_sends_a_byte_now_and_then_keeps_nobody(server: Callable[..., Server], drip: bytes) -> None:
    """Each read gets something in time; only the deadline over all of it ends this."""

    def behave(conn: socket.socket) -> None:
        request(conn)
        conn.sendall(drip)
        while True:
            time.sleep(0.1)
            conn.sendall(b"x")

    began = time.monotonic()
    answer = post(server(behave).port, Poster(OPEN, 0.6, ssl.create_default_context()))
    assert time.monotonic() - began < 20
    assert answer.failure == "timeout"


def test_nobody_there_and_no_such_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert post(port).failure == "connection_refused"
    unknown = Guard(allow_private=True, resolve=lambda *_: (_ for _ in ()).throw(socket.gaierror("unknown")))
    assert post(1, Poster(unknown, 1.0, ssl.create_default_context()), host="nobody.test").failure == "name_unknown"


def test_a_name_that_changes_its_mind_is_not_followed(server: Callable[..., Server]) -> None:
    """DNS rebinding: public when it is checked, inner when it is connected to. It is looked up once, and checked."""
    here = server(answering(FINE))
    answers = ["127.0.0.1", "93.184.215.14"]
    strict = Guard(resolve=lambda host, port, *_: [(socket.AF_INET, 1, 6, "", (answers.pop(), port))])
    poster = Poster(strict, 0.3, ssl.create_default_context())
    answer = post(here.port, poster, host="rebind.test", scheme="https")
    assert len(answers) == 1, "one look-up, and the connection went to what it said"
    assert answer.failure in ("timeout", "connection_lost", "connection_refused")
    again = post(here.port, poster, host="rebind.test", scheme="https")
    assert (again.status, again.failure) == (0, "address_forbidden")
    assert here.connections == 0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A throw-away authority, and a server's certificate for hooks.test and 127.0.0.1."""
    folder: Path = tmp_path_factory.mktemp("tls")
    now = datetime.now(UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def signed(subject: str, key: Any, signer: Any, *extensions: Any) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("throw-away"))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(signer, hashes.SHA256())

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = signed("throw-away", ca_key, ca_key, x509.BasicConstraints(ca=True, path_length=None))
    names = [x509.DNSName("hooks.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    own = signed("hooks.test", key, ca_key, x509.SubjectAlternativeName(names))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(own.public_bytes(pem) + private)
    return folder


def test_tls_is_checked_against_the_name_and_the_authority(certificates: Path, server: Callable[..., Server]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem")
    here = server(answering(FINE), context)
    local = Guard(allow_private=True, resolve=lambda host, port, *_: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))])
    trusting = Poster(local, 2.0, ssl.create_default_context(cafile=str(certificates / "ca.pem")))
    assert post(here.port, trusting, host="hooks.test", scheme="https").failure == ""
    assert post(here.port, trusting, host="hooks.test", scheme="https").failure == ""
    assert here.connections == 1
    assert post(here.port, trusting, host="other.test", scheme="https").failure == "certificate"
    strange = Poster(local, 2.0, ssl.create_default_context())
    assert post(here.port, strange, host="hooks.test", scheme="https").failure == "certificate"


def test_a_server_that_never_finishes_its_handshake_keeps_nobody(server: Callable[..., Server]) -> None:
    def behave(conn: socket.socket) -> None:
        while conn.recv(4096):  # until the caller leaves
            pass

    here = server(behave)
    began = time.monotonic()
    answer = post(here.port, Poster(OPEN, 0.4, ssl.create_default_context()), scheme="https")
    assert time.monotonic() - began < 20
    assert answer.failure == "timeout"
