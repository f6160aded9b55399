"""Mail by SMTP (RFC 5321) to the operator's own relay. One message, one connection.

| what happens                                                            | outcome                                  |
|-------------------------------------------------------------------------|------------------------------------------|
| 250 to the end of DATA                                                  | DELIVERED: the relay answers for it now  |
| RCPT or the content refused by 5yz                                      | PERMANENT                                |
| any 4yz; no connection; it broke off; nothing in time; bad certificate  | TEMPORARY: again, the same Message-ID    |
| EHLO, STARTTLS, AUTH or MAIL FROM refused by 5yz; RCPT by 530, 5.7.8 ...| TECHNICAL: credentials or configuration  |

Knows smtplib, MIME and TLS. Never knows a template's words, a retry or a receipt.

Guaranteed: an answer within `seconds` after the name was looked up; without `tls="none"` (development) nothing of a message
and no password goes over a connection that is not encrypted and checked; nothing personal, no password and nothing of what
a server said in an outcome. NOT guaranteed: one effect a key. SMTP has no such thing: where a relay took a mail and the
connection broke before it said so, the mail goes out again. Its Message-ID is made of the key, so that mail systems which
drop doubles (RFC 7352) do. Nor that a person has read it, or has it: a relay tells of a later failure by a mail to the
sender (RFC 5321, 6.1), and nobody here reads that.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL

from mpp_notifications.calendar_file import method_of
from mpp_notifications.domain import Channel, Outcome, OutcomeKind
from mpp_notifications.providers import wire
from mpp_notifications.providers.base import BadProvider, OutgoingMessage

SECONDS = 6.0  # for one message, as with http: with the 8 s of a sweep it stays within the sweep's lease (15 s)
QUIT_SECONDS = 0.5
PORTS = {"starttls": 587, "implicit": 465, "none": 25}

_KEY = re.compile(r"[a-z0-9-]{8,80}")
# A dot-atom of RFC 5322, 3.4.1, in the lengths of RFC 5321, 4.5.3.1. Without SMTPUTF8 (RFC 6531), and without quoted local
# parts: nobody in the field has one.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(
    rf"(?=.{{1,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}})+"
)
_HOST = re.compile(r"[A-Za-z0-9.\-_]{1,253}|[0-9a-fA-F:.]{2,45}")
_OUR_FAULT = frozenset({500, 501, 502, 503, 504, 530, 534, 535, 538})  # commands and credentials, whatever the step
_CREDENTIALS = re.compile(rb"5\.7\.(8|9|11|13|14)\b")  # RFC 4954 and 5248, in an enhanced status


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mails go. `tls`: `starttls` (RFC 3207), `implicit` (RFC 8314) or `none` (development only). `user` empty: no
    AUTH. `context` None: the system's certificates."""

    host: str
    sender: str
    port: int = 0  # 0: the usual one
    tls: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender_name: str = ""
    context: ssl.SSLContext | None = field(default=None, repr=False)


def is_address(text: str) -> bool:
    """Whether a mail can go to it, or come from it."""
    return _EMAIL.fullmatch(text) is not None


class SmtpProvider:
    """Safe from several threads, green threads and processes: it keeps nothing between two messages.

    Raises BadProvider naming what is wrong, never its value.
    """

    name = "smtp"

    def __init__(
        self, relay: Relay, clock: Callable[[], datetime], *, plain: bool = False, seconds: float = SECONDS
    ) -> None:
        if not _HOST.fullmatch(relay.host):
            raise BadProvider("HOST: is no host name")
        if relay.tls not in PORTS:
            raise BadProvider(f"TLS: is none of {', '.join(PORTS)}")
        if relay.tls == "none" and not plain:
            raise BadProvider("TLS: none is for MPP_ENV=development")
        if not is_address(relay.sender):
            raise BadProvider("FROM: is no e-mail address")
        if not relay.sender_name.isprintable():
            raise BadProvider("FROM_NAME: holds a control character")
        if bool(relay.user) != bool(relay.password):
            raise BadProvider("USER: user and password come together")
        if not 0 <= relay.port <= 65535:
            raise BadProvider("PORT: is no port")
        self._relay, self._clock, self._seconds = relay, clock, seconds
        self._port = relay.port or PORTS[relay.tls]
        self._context = (relay.context or ssl.create_default_context()) if relay.tls != "none" else None

    def send(self, message: OutgoingMessage) -> Outcome:
        if not _KEY.fullmatch(message.key):
            return Outcome(OutcomeKind.TECHNICAL, "bad_key")
        if message.channel is not Channel.EMAIL:
            return Outcome(OutcomeKind.TECHNICAL, "channel_not_carried")
        if not is_address(message.recipient):
            return Outcome(OutcomeKind.PERMANENT, "invalid_recipient")
        mail = compose(message, self._relay, self._clock()).as_bytes(policy=MAIL)
        try:
            self._hand_over(message.recipient, mail)
        except _Refused as refused:
            return refused.outcome
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            return Outcome(OutcomeKind.TEMPORARY, _code(error))
        return Outcome(OutcomeKind.DELIVERED)

    def _hand_over(self, recipient: str, mail: bytes) -> None:
        found = wire.addresses(self._relay.host, self._port)
        end = time.monotonic() + self._seconds
        raw = wire.connect(found, end)
        client = smtplib.SMTP(local_hostname=self._relay.sender.rpartition("@")[2], timeout=self._seconds)
        try:
            with wire.deadline(raw, end):
                self._greet(client, raw)
                _step(lambda: client.docmd("MAIL", f"FROM:<{self._relay.sender}>"), OutcomeKind.TECHNICAL)
                _step(lambda: client.docmd("RCPT", f"TO:<{recipient}>"), OutcomeKind.PERMANENT)
                _step(lambda: client.data(mail), OutcomeKind.PERMANENT)
                with contextlib.suppress(OSError):  # what was said to DATA holds, whatever becomes of this
                    if client.sock:
                        client.sock.settimeout(QUIT_SECONDS)
                    client.docmd("QUIT")
        finally:
            client.close()
            raw.close()

    def _greet(self, client: smtplib.SMTP, raw: socket.socket) -> None:
        """Until the relay knows us, over TLS unless it is `none`. smtplib's own `connect` knows no deadline."""
        tls, context = self._relay.tls, self._context
        client.sock = (
            context.wrap_socket(raw, server_hostname=self._relay.host) if context and tls == "implicit" else raw
        )
        client._host = self._relay.host  # type: ignore[attr-defined]  # for the certificate of STARTTLS
        _step(client.getreply, OutcomeKind.TECHNICAL)
        _step(client.ehlo, OutcomeKind.TECHNICAL)
        if context and tls == "starttls":
            if not client.has_extn("starttls"):
                raise _Refused(OutcomeKind.TECHNICAL, "tls_not_offered")
            _step(lambda: client.starttls(context=context), OutcomeKind.TECHNICAL)
            _step(client.ehlo, OutcomeKind.TECHNICAL)
        if self._relay.user:
            self._log_in(client)

    def _log_in(self, client: smtplib.SMTP) -> None:
        try:
            client.login(self._relay.user, self._relay.password)
        except smtplib.SMTPNotSupportedError:
            raise _Refused(OutcomeKind.TECHNICAL, "auth_not_offered") from None
        except smtplib.SMTPAuthenticationError as error:
            kind = OutcomeKind.TEMPORARY if 400 <= error.smtp_code < 500 else OutcomeKind.TECHNICAL
            raise _Refused(kind, f"smtp_{error.smtp_code}") from None


class _Refused(Exception):
    """The relay said no, or cannot do what we need."""

    def __init__(self, kind: OutcomeKind, failure: str) -> None:
        super().__init__(failure)
        self.outcome = Outcome(kind, failure)


def compose(message: OutgoingMessage, relay: Relay, now: datetime) -> EmailMessage:
    """The mail: plain text, and beside it the calendar file where there is one (RFC 6047, 2.4)."""
    mail = EmailMessage(policy=MAIL)
    mail["From"] = Address(relay.sender_name, addr_spec=relay.sender)
    mail["To"] = Address(addr_spec=message.recipient)
    mail["Subject"] = " ".join(message.title.split())
    mail["Date"] = now
    mail["Message-ID"] = f"<{message.key}@{relay.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday note answers it
    mail["Content-Language"] = "id, en"
    mail.set_content(message.body, cte="base64")
    if message.calendar:
        mail.add_alternative(
            message.calendar.encode(),
            maintype="text",
            subtype="calendar",
            params={"method": method_of(message.calendar), "charset": "utf-8"},
        )
    return mail


def _step(command: Callable[[], tuple[int, bytes]], refused: OutcomeKind) -> None:
    """One command, done when 2yz says so. A reply of 4yz is temporary, 5yz `refused` (RFC 5321, 4.2.1); raises _Refused for
    both, and for what is no answer to the command.
    """
    done = False
    try:
        code, text = command()
        done = 200 <= code < 300
    except smtplib.SMTPResponseException as error:  # how smtplib tells some replies: no 354 to DATA, say, whatever else
        code, text = error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else b""
    if done:
        return
    if not 400 <= code < 600:
        raise _Refused(OutcomeKind.TEMPORARY, "not_smtp")
    if code < 500:
        raise _Refused(OutcomeKind.TEMPORARY, f"smtp_{code}")
    ours = code in _OUR_FAULT or _CREDENTIALS.match(text) is not None
    raise _Refused(OutcomeKind.TECHNICAL if ours else refused, f"smtp_{code}")


def _code(error: Exception) -> str:
    """Short words, bounded in number; nothing of what a server said."""
    if word := wire.failure_of(error):
        return word
    # smtplib says "disconnected" of a read that took too long.
    return "timeout" if isinstance(error.__context__, TimeoutError) else "connection_lost"
