"""What only the smtp provider promises: the mail itself, each class of reply, TLS, bounds in time, nothing personal in what
it says. Against a real socket; tests/contract/providers/mailhost.py answers what each test wants.
"""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mpp_notifications.calendar_file import Entry, Method, render
from mpp_notifications.domain import Channel, Outcome, OutcomeKind
from mpp_notifications.providers.base import BadProvider, OutgoingMessage
from mpp_notifications.providers.smtp import Relay, SmtpProvider

from tests.contract.providers.mailhost import PASSWORD, USER, MailHost
from tests.contract.providers.test_http import certificate

__all__ = ["certificate"]  # the fixture

NOW = datetime(2026, 11, 20, 8, 0, 5, tzinfo=UTC)
START = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
BODY = "MPP Uji: nomor D-001 — silakan ✓\n.\nA line\n\nNews."
FILE = render(
    Entry(
        Method.CANCEL, "u@x", 3, NOW, START, START + timedelta(minutes=30), "Janji", "kabar@mpp.example", "w@x.example"
    )
)
MAIL = OutgoingMessage("key-00000001", Channel.EMAIL, "warga@example.org", BODY, "t", "Kabar dari MPP Uji — ✓", FILE)
RELAY = Relay("127.0.0.1", "kabar@mpp.example", tls="none", sender_name="MPP Uji")


@contextmanager
def host(says: dict[str, str] | None = None, **given: Any) -> Iterator[MailHost]:
    made = MailHost(says, **given)
    try:
        yield made
    finally:
        made.close()


def send(to: MailHost, relay: Relay = RELAY, message: OutgoingMessage = MAIL, seconds: float = 5.0) -> Outcome:
    return SmtpProvider(replace(relay, port=to.port), lambda: NOW, plain=True, seconds=seconds).send(message)


def test_a_mail_carries_text_and_calendar_file() -> None:
    with host() as relay:
        assert send(relay) == Outcome(OutcomeKind.DELIVERED)
        [mail] = relay.kept()
        assert relay.deliveries == [("kabar@mpp.example", "warga@example.org")]
    assert (mail["Subject"], mail["To"]) == (MAIL.title, MAIL.recipient)
    assert mail["From"] == "MPP Uji <kabar@mpp.example>"
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<key-00000001@mpp.example>", "auto-generated")
    assert mail["Date"].datetime == NOW
    text, calendar = mail.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == BODY + "\n"
    assert (calendar.get_content_type(), calendar.get_param("method")) == ("text/calendar", "CANCEL")
    assert calendar.get_payload(decode=True) == FILE.encode()


def test_a_mail_without_a_calendar_file_is_plain_text() -> None:
    with host() as relay:
        send(relay, message=replace(MAIL, calendar=""))
        [mail] = relay.kept()
    assert mail.get_content_type() == "text/plain"


def test_a_repetition_has_the_same_name_so_that_mailboxes_drop_it() -> None:
    with host() as relay:
        for _ in range(2):
            assert send(relay).kind is OutcomeKind.DELIVERED
        assert (len(relay.deliveries), len(relay.kept())) == (2, 1)


@pytest.mark.parametrize(
    ("step", "reply", "kind"),
    [
        ("greeting", "421 busy", OutcomeKind.TEMPORARY),
        ("greeting", "554 no service", OutcomeKind.TECHNICAL),
        ("EHLO", "550 not you", OutcomeKind.TECHNICAL),
        ("MAIL", "451 later", OutcomeKind.TEMPORARY),
        ("MAIL", "550 5.7.1 no such sender", OutcomeKind.TECHNICAL),
        ("RCPT", "450 4.2.1 mailbox busy", OutcomeKind.TEMPORARY),
        ("RCPT", "452 full", OutcomeKind.TEMPORARY),
        ("RCPT", "550 5.1.1 no such user", OutcomeKind.PERMANENT),
        ("RCPT", "553 name not allowed", OutcomeKind.PERMANENT),
        ("RCPT", "530 5.7.0 authenticate first", OutcomeKind.TECHNICAL),
        ("RCPT", "550 5.7.8 authenticate first", OutcomeKind.TECHNICAL),
        ("DATA", "451 later", OutcomeKind.TEMPORARY),
        ("DATA", "554 no valid recipients", OutcomeKind.PERMANENT),
        ("end", "451 later", OutcomeKind.TEMPORARY),
        ("end", "552 too large", OutcomeKind.PERMANENT),
        ("end", "554 5.6.0 refused", OutcomeKind.PERMANENT),
        ("RCPT", "220", OutcomeKind.DELIVERED),
    ],
)
def test_each_reply_has_its_class(step: str, reply: str, kind: OutcomeKind) -> None:
    """RFC 5321, 4.2.1: 4yz may be tried again, 5yz not."""
    with host({step: reply}) as relay:
        said = send(relay)
        assert said == Outcome(kind, "" if kind is OutcomeKind.DELIVERED else f"smtp_{reply[:3]}")
        assert len(relay.kept()) == (kind is OutcomeKind.DELIVERED)


@pytest.mark.parametrize("step", ["greeting", "MAIL", "DATA", "end", "late"])
def test_what_broke_off_is_tried_again(step: str) -> None:
    """Also when the mail was taken and only the answer was lost: nobody knows."""
    with host({"end": "late"} if step == "late" else {step: "hangup"}) as relay:
        assert send(relay) == Outcome(OutcomeKind.TEMPORARY, "connection_lost")


def test_what_is_said_after_the_mail_was_taken_changes_nothing() -> None:
    with host({"QUIT": "hangup"}) as relay:
        assert send(relay).kind is OutcomeKind.DELIVERED


@pytest.mark.parametrize("step", ["greeting", "RCPT"])
def test_a_slow_relay_is_left_in_time(step: str) -> None:
    started = time.monotonic()
    with host({step: "hush"}) as relay:
        assert send(relay, seconds=0.3) == Outcome(OutcomeKind.TEMPORARY, "timeout")
    assert time.monotonic() - started < 20


def test_another_protocol_is_named() -> None:
    with host({"greeting": "HTTP/1.1 400 Bad Request"}) as relay:
        assert send(relay) == Outcome(OutcomeKind.TEMPORARY, "not_smtp")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_over_tls_with_a_password(certificate: Path, tls: str) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    trusting = replace(
        RELAY, tls=tls, user=USER, password=PASSWORD, context=ssl.create_default_context(cafile=certificate)
    )
    with host(tls=ours, implicit=tls == "implicit", auth=True) as relay:
        assert send(relay, trusting) == Outcome(OutcomeKind.DELIVERED)
        assert send(relay, replace(trusting, password="wrong")) == Outcome(OutcomeKind.TECHNICAL, "smtp_535")
        assert send(relay, replace(trusting, context=None)) == Outcome(OutcomeKind.TEMPORARY, "certificate")
        assert len(relay.deliveries) == 1


def test_nothing_is_said_in_the_clear_to_a_relay_without_tls() -> None:
    strict = replace(RELAY, tls="starttls", user=USER, password=PASSWORD)
    with host(auth=True) as relay:
        assert send(relay, strict) == Outcome(OutcomeKind.TECHNICAL, "tls_not_offered")
        assert relay.commands == ["EHLO"]


def test_a_busy_door_is_temporary(certificate: Path) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    given = replace(RELAY, tls="starttls", user=USER, password=PASSWORD)
    given = replace(given, context=ssl.create_default_context(cafile=certificate))
    for step, reply, kind in (
        ("STARTTLS", "454 not now", OutcomeKind.TEMPORARY),
        ("STARTTLS", "502 never", OutcomeKind.TECHNICAL),
        ("AUTH", "454 4.7.0 not now", OutcomeKind.TEMPORARY),
    ):
        with host({step: reply}, tls=ours, auth=True) as relay:
            assert send(relay, given) == Outcome(kind, f"smtp_{reply[:3]}"), step


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "+6281234567890",
        "a@b",
        "a b@c.example",
        "a@c.example\r\nRCPT TO:<x@y.example>",
        "<a@c.example>",
        "a@c.example,b",
    ],
)
def test_a_recipient_that_cannot_be_is_never_said(recipient: str) -> None:
    with host() as relay:
        assert send(relay, message=replace(MAIL, recipient=recipient)) == Outcome(
            OutcomeKind.PERMANENT, "invalid_recipient"
        )
        assert relay.commands == []


def test_a_title_cannot_add_a_header() -> None:
    with host() as relay:
        send(relay, message=replace(MAIL, title="Kabar\r\nBcc: x@y.example"))
        [mail] = relay.kept()
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Kabar Bcc: x@y.example"


def test_only_mail_is_carried() -> None:
    with host() as relay:
        sms = replace(MAIL, channel=Channel.SMS, recipient="+6281234567890")
        assert send(relay, message=sms) == Outcome(OutcomeKind.TECHNICAL, "channel_not_carried")
        assert send(relay, message=replace(MAIL, key="../x")) == Outcome(OutcomeKind.TECHNICAL, "bad_key")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"host": ""}, "HOST"),
        ({"host": "hush hush"}, "HOST"),
        ({"tls": "hush"}, "TLS: is none of"),
        ({"tls": "none"}, "TLS: none is for"),
        ({"sender": "hush"}, "FROM"),
        ({"sender_name": "hush\r\nX: y"}, "FROM_NAME"),
        ({"user": "hush"}, "USER"),
        ({"port": 99_999}, "PORT"),
    ],
)
def test_what_cannot_be_right_is_said_at_the_start(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadProvider, match=said) as raised:
        SmtpProvider(replace(replace(RELAY, tls="starttls"), **change), lambda: NOW)
    assert "hush" not in str(raised.value)


def test_nothing_of_it_shows() -> None:
    """Neither the person, nor the text, nor the password, whatever the relay answers."""
    given = replace(RELAY, user=USER, password=PASSWORD)
    for step in ("RCPT", "end"):
        for code in ("451", "550"):
            with host({step: f"{code} {MAIL.recipient} {PASSWORD} nomor D-001"}, auth=True) as relay:
                said = repr((send(relay, given), MAIL, given))
                assert not any(secret in said for secret in ("warga", "D-001", PASSWORD, "VCALENDAR")), said


UNDER_EVENTLET = """
import eventlet
eventlet.monkey_patch()
import ssl, sys, time
from datetime import UTC, datetime
from mpp_notifications.domain import Channel
from mpp_notifications.providers.base import OutgoingMessage
from mpp_notifications.providers.smtp import Relay, SmtpProvider
slow, good, secure = (int(port) for port in sys.argv[1:4])
context = ssl.create_default_context(cafile=sys.argv[4])
def provider(port, tls):
    relay = Relay("127.0.0.1", "kabar@mpp.example", port, tls, context=context if tls != "none" else None)
    return SmtpProvider(relay, lambda: datetime.now(UTC), plain=True, seconds=1.0 if port == slow else 20.0)
providers = [provider(slow, "none")] * 20 + [provider(good, "none"), provider(secure, "starttls")]
def send(n):
    message = OutgoingMessage(f"key-000000{n:02}", Channel.EMAIL, "warga@example.org", "Halo", "t", "Kabar")
    return str(providers[n].send(message).kind)
started = time.monotonic()
print(*eventlet.GreenPool().imap(send, range(22)), time.monotonic() - started < 12)
"""


def test_green_threads_wait_side_by_side(certificate: Path) -> None:
    """As in `work`: twenty relays that hang, a second each, take few; those that answer are not held up; TLS too."""
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    with host({"RCPT": "hush"}) as slow, host() as good, host(tls=ours) as secure:
        ports = [str(each.port) for each in (slow, good, secure)]
        command = [sys.executable, "-W", "ignore", "-c", UNDER_EVENTLET, *ports, str(certificate)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.split() == ["temporary"] * 20 + ["delivered"] * 2 + ["True"], done.stderr
        assert (len(good.kept()), len(secure.kept())) == (1, 1)
