"""What only the http provider promises: its contract, each class of failure, bounds in time and size, nothing personal
and no secret in what it says. Against real sockets; a server of the test answers what each test wants.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mpp_notifications.domain import Channel, Outcome, OutcomeKind
from mpp_notifications.providers.base import BadProvider, OutgoingMessage
from mpp_notifications.providers.http import MOST_READ, HttpProvider, retry_after

from tests.contract.providers.aggregator import TOKEN, Aggregator

HELLO = OutgoingMessage("key-00000001", Channel.SMS, "+6281234567890", "Halo.\n\nHello.", "ticket_called")
Answering = Callable[[socket.socket], None]


@contextmanager
def server(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server that reads a whole request and then does `answering`, each in a thread of its own."""
    listening = socket.create_server(("127.0.0.1", 0))

    def one(raw: socket.socket) -> None:
        try:
            with tls.wrap_socket(raw, server_side=True) if tls else raw as peer:
                seen = b""
                while b"\r\n\r\n" not in seen or not seen.endswith(b"}"):
                    seen += peer.recv(65536)
                answering(peer)
        except OSError:
            return  # the provider went away, which some tests want

    def serve() -> None:
        while True:
            try:
                raw, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(raw,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def says(status: int, body: bytes = b"", *headers: str) -> Answering:
    head = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return lambda peer: peer.sendall("\r\n".join(head).encode() + body)


def outcome(answering: Answering, message: OutgoingMessage = HELLO, seconds: float = 10.0) -> Outcome:
    with server(answering) as address:
        return HttpProvider(f"http://{address}/send", TOKEN, plain=True, seconds=seconds).send(message)


def test_the_endpoint_gets_what_the_contract_says() -> None:
    aggregator = Aggregator({})
    try:
        sent = HttpProvider(aggregator.url, TOKEN, plain=True).send(HELLO)
        assert aggregator.taken() == [
            {
                "key": "key-00000001",
                "channel": "sms",
                "recipient": "+6281234567890",
                "body": "Halo.\n\nHello.",
                "template": "ticket_called",
            }
        ]
    finally:
        aggregator.close()
    assert sent == Outcome(OutcomeKind.ACCEPTED, reference="agg-0")


def test_another_token_is_our_fault_and_has_no_effect() -> None:
    aggregator = Aggregator({})
    try:
        sent = HttpProvider(aggregator.url, "another", plain=True).send(HELLO)
        assert (sent, aggregator.taken()) == (Outcome(OutcomeKind.TECHNICAL, "http_401"), [])
    finally:
        aggregator.close()


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        (OutcomeKind.ACCEPTED, [200, 201, 202, 204]),
        (OutcomeKind.PERMANENT, [400, 409, 410, 418, 422, 451]),
        (OutcomeKind.TECHNICAL, [101, 301, 302, 307, 308, 401, 403, 404, 405, 413, 415]),
        (OutcomeKind.TEMPORARY, [408, 425, 429, 500, 502, 503, 504, 599]),
    ],
)
def test_each_status_has_its_class(kind: OutcomeKind, statuses: list[int]) -> None:
    for status in statuses:
        said = outcome(says(status, b"", "Retry-After: 3600"))
        asked = timedelta(hours=1) if kind is OutcomeKind.TEMPORARY else None
        assert said == Outcome(kind, "" if kind is OutcomeKind.ACCEPTED else f"http_{status}", retry_after=asked)


def test_a_redirect_is_not_followed() -> None:
    aggregator = Aggregator({})
    try:
        said = outcome(says(307, b"", f"Location: {aggregator.url}"))
        assert (said.kind, aggregator.taken()) == (OutcomeKind.TECHNICAL, [])
    finally:
        aggregator.close()


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        (b'{"id": "SM-1.a:b_c"}', "SM-1.a:b_c"),
        (b'{"id": 7001}', "7001"),
        (b"", ""),
        (b"accepted", ""),
        (b"[]", ""),
        (b'{"id": true}', ""),
        (b'{"id": {"a": 1}}', ""),
        (b'{"id": "two\\nlines"}', ""),
        (b'{"id": "6281234567890-1"}', ""),  # the recipient
        (b"[" * MOST_READ, ""),
        (json.dumps({"id": "late", "more": "x" * MOST_READ}).encode(), ""),  # not whole within what is read
    ],
)
def test_the_reference_is_an_id_or_nothing(body: bytes, reference: str) -> None:
    assert outcome(says(200, body)) == Outcome(OutcomeKind.ACCEPTED, reference=reference)


AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Mon, 02 Mar 2026 02:01:30 GMT", 90),
        ("Mon, 02 Mar 2026 01:00:00 GMT", 0),  # over already
        ("Monday, 02-Mar-26 02:01:30 GMT", 90),  # the obsolete form that RFC 9110 still wants understood
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("9" * 400, None),
    ],
)
def test_what_retry_after_says(value: str, seconds: int | None) -> None:
    assert retry_after(value, AT) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(("status", "heard"), [(429, True), (503, True), (202, False), (403, False)])
def test_an_endpoint_that_is_busy_says_when_to_come_again(status: int, heard: bool) -> None:
    said = outcome(says(status, b"", "Retry-After: 37"))
    assert said.retry_after == (timedelta(seconds=37) if heard else None)


def test_a_mail_has_a_title_and_a_calendar() -> None:
    aggregator = Aggregator({})
    mail = OutgoingMessage("key-00000001", Channel.EMAIL, "warga@example.org", "Halo", "t", "Kabar", "BEGIN:VCALENDAR")
    try:
        HttpProvider(aggregator.url, TOKEN, plain=True).send(mail)
        [taken] = aggregator.taken()
    finally:
        aggregator.close()
    assert (taken["title"], taken["calendar"]) == ("Kabar", "BEGIN:VCALENDAR")


def test_an_endless_answer_is_read_to_its_bound_only() -> None:
    sent = []

    def flood(peer: socket.socket) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            sent.append(peer.send(b"x" * 65536))

    assert outcome(flood) == Outcome(OutcomeKind.ACCEPTED)
    assert sum(sent) < 64 * 2**20, "what the buffers of the system took, no more"


def hangs(peer: socket.socket) -> None:
    peer.recv(1)


def trickles(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK"[:9])
    while True:
        peer.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize("slow", [hangs, trickles])
def test_a_slow_endpoint_is_left_in_time(slow: Answering) -> None:
    started = time.monotonic()
    assert outcome(slow, seconds=0.5) == Outcome(OutcomeKind.TEMPORARY, "timeout")
    assert time.monotonic() - started < 20


def test_what_broke_off_is_tried_again() -> None:
    assert outcome(lambda peer: None) == Outcome(OutcomeKind.TEMPORARY, "connection_lost")
    assert outcome(lambda peer: peer.sendall(b"SMTP ready\r\n")) == Outcome(OutcomeKind.TEMPORARY, "not_http")
    assert outcome(lambda peer: peer.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{")) == Outcome(
        OutcomeKind.ACCEPTED
    ), "its status was said"


def test_nobody_there_is_temporary() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        provider = HttpProvider(f"http://127.0.0.1:{taken.getsockname()[1]}/", TOKEN, plain=True)
        assert provider.send(HELLO) == Outcome(OutcomeKind.TEMPORARY, "connection_refused")
    provider = HttpProvider("https://no-such-host.invalid/", TOKEN, seconds=1.0)
    assert provider.send(HELLO) == Outcome(OutcomeKind.TEMPORARY, "name_unknown")


def test_channels_have_recipients_of_their_own() -> None:
    mail = OutgoingMessage("key-00000001", Channel.EMAIL, "warga@example.org", "Halo")
    assert outcome(says(202), mail).kind is OutcomeKind.ACCEPTED
    assert outcome(says(202, b'{"id": "to-warga"}'), mail).reference == "", "the person shows in it"
    phone = OutgoingMessage("key-00000001", Channel.EMAIL, "+6281234567890", "Halo")
    assert outcome(says(202), phone) == Outcome(OutcomeKind.PERMANENT, "invalid_recipient")
    push = OutgoingMessage("key-00000001", Channel.PUSH, "+6281234567890", "Halo")
    assert outcome(says(202), push) == Outcome(OutcomeKind.TECHNICAL, "channel_not_carried")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its own certificate for 127.0.0.1, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aggregator")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_tls_is_spoken_and_checked(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with server(says(202, b'{"id": "s1"}'), tls) as address:
        trusting = HttpProvider(f"https://{address}/", TOKEN, tls=ssl.create_default_context(cafile=certificate))
        assert trusting.send(HELLO) == Outcome(OutcomeKind.ACCEPTED, reference="s1")
        assert HttpProvider(f"https://{address}/", TOKEN).send(HELLO) == Outcome(OutcomeKind.TEMPORARY, "certificate")


def test_a_server_that_never_ends_its_handshake_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider = HttpProvider(f"https://127.0.0.1:{silent.getsockname()[1]}/", TOKEN, seconds=0.5)
        assert provider.send(HELLO) == Outcome(OutcomeKind.TEMPORARY, "timeout")


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("http://sms-gateway.example/", TOKEN, "URL: must begin with https"),
        ("ftp://sms-gateway.example/", TOKEN, "URL: must begin with https"),
        ("", TOKEN, "URL: must begin with https"),
        ("https://me:hush@sms-gateway.example/", TOKEN, "URL: must have neither a user name"),
        ("https:///hush", TOKEN, "URL: must have a host name"),
        ("https://sms-gateway.example:99999/hush", TOKEN, "URL: is not a URL"),
        ("https://sms-gateway.example/hush hush", TOKEN, "URL: must have a host name"),
        ("https://sms-gateway.example/", "", "TOKEN: is empty"),
        ("https://sms-gateway.example/", "hush\r\nX: y", "TOKEN: is empty or no bearer token"),
    ],
)
def test_what_cannot_be_right_is_said_at_the_start(url: str, token: str, said: str) -> None:
    with pytest.raises(BadProvider, match=said) as raised:
        HttpProvider(url, token)
    assert "hush" not in str(raised.value)


def test_nothing_of_it_shows() -> None:
    """Neither the person, nor the text, nor the token: whatever the endpoint answers."""
    echo = json.dumps({"error": f"{HELLO.recipient} {HELLO.body} {TOKEN}", "id": HELLO.recipient}).encode()
    for status in (200, 302, 400, 401, 503):
        said = repr(outcome(says(status, echo)))
        assert not any(secret in said for secret in ("81234567890", "Halo", TOKEN)), said


UNDER_EVENTLET = """
import eventlet
eventlet.monkey_patch()
import sys, time
from mpp_notifications.domain import Channel
from mpp_notifications.providers.base import OutgoingMessage
from mpp_notifications.providers.http import HttpProvider
slow, good = (
    HttpProvider(f"http://{address}/", "a-token", plain=True, seconds=seconds)
    for address, seconds in zip(sys.argv[1:], (1.0, 20.0), strict=True)
)
def send(n):
    provider = good if n == 20 else slow
    return str(provider.send(OutgoingMessage(f"key-000000{n:02}", Channel.SMS, "+6281234567890", "Halo")).kind)
started = time.monotonic()
print(*eventlet.GreenPool().imap(send, range(21)), time.monotonic() - started < 12)
"""


def test_green_threads_wait_side_by_side() -> None:
    """As in `work`: twenty slow hand-overs (a second each) take the time of few, and a quick one is not held up."""
    with server(trickles) as slow, server(says(202)) as good:
        command = [sys.executable, "-W", "ignore", "-c", UNDER_EVENTLET, slow, good]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.stdout.split() == ["temporary"] * 20 + ["accepted", "True"], done.stderr
