"""A real provider: the HTTPS endpoint of an aggregator (SMS, WhatsApp, e-mail) that the operator configured.

    POST <url>
    Authorization: Bearer <token>
    Idempotency-Key: <key>
    {"key": ..., "channel": "sms", "recipient": "+62...", "body": ..., "template": ...}

With channel `email` also "title", and "calendar" (RFC 5545, its METHOD inside) where there is one.

| answer                                       | outcome                                                           |
|----------------------------------------------|-------------------------------------------------------------------|
| 2xx                                          | ACCEPTED; `id` of its JSON, if there is one, is the reference     |
| 401 to 407, 413 to 415, 431; 1xx; 3xx        | TECHNICAL: our token, URL or form; a redirect is never followed   |
| every other 4xx                              | PERMANENT                                                         |
| 408, 425, 429, 5xx, no answer, no connection | TEMPORARY: the service tries again under the same key             |

Knows HTTP/1.1, TLS and that contract. Never knows a template's words, a retry or a receipt.

Guaranteed: an answer within `seconds` after the name was looked up, also from a server that sends a byte now and then; at
most MOST_READ bytes of a body are read; nothing personal, no token and no URL in an outcome or an error. NOT guaranteed:
one effect a key; that is the endpoint's to keep. What a `Retry-After` asks is passed on; the service caps it.
No proxy of the environment is used. Each message has a connection of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from mpp_notifications.domain import Channel, Outcome, OutcomeKind
from mpp_notifications.providers import wire
from mpp_notifications.providers.base import BadProvider, OutgoingMessage

SECONDS = 6.0  # for one message: with the 8 s of a sweep it stays within the sweep's lease (15 s)
MOST_READ = 4096  # bytes

_KEY = re.compile(r"[a-z0-9-]{8,80}")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[A-Za-z0-9.-]{3,253}")
_RECIPIENTS = {Channel.SMS: _PHONE, Channel.WHATSAPP: _PHONE, Channel.EMAIL: _EMAIL}
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, 2.1
_HOST = re.compile(r"[A-Za-z0-9.\-_]{1,253}|[0-9a-fA-F:.]{2,45}")
_REFERENCE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TRY_AGAIN = frozenset({408, 425, 429})
_OUR_FAULT = frozenset({401, 402, 403, 404, 405, 406, 407, 413, 414, 415, 431})


class HttpProvider:
    """Safe from several threads, green threads and processes: it keeps nothing between two messages.

    `url` is https; `plain` allows http too (development). Raises BadProvider naming what is wrong, never its value.
    """

    name = "http"

    def __init__(
        self,
        url: str,
        token: str,
        *,
        plain: bool = False,
        tls: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise BadProvider("URL: is not a URL") from error
        if parts.scheme != "https" and not (plain and parts.scheme == "http"):
            raise BadProvider("URL: must begin with https:// (http:// only when MPP_ENV=development)")
        if "@" in parts.netloc or parts.fragment:
            raise BadProvider("URL: must have neither a user name nor a fragment")
        if not _HOST.fullmatch(host) or port == 0 or not re.fullmatch(r"[\x21-\x7e]*", parts.path + parts.query):
            raise BadProvider("URL: must have a host name, and be written in ASCII (percent-encoded)")
        if not _TOKEN.fullmatch(token):
            raise BadProvider("TOKEN: is empty or no bearer token (RFC 6750)")
        secure = parts.scheme == "https"
        self._host, self._port = host, port or (443 if secure else 80)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._tls = (tls or ssl.create_default_context()) if secure else None
        self._token, self._seconds, self._clock = token, seconds, clock

    def send(self, message: OutgoingMessage) -> Outcome:
        if not _KEY.fullmatch(message.key):
            return Outcome(OutcomeKind.TECHNICAL, "bad_key")
        known = _RECIPIENTS.get(message.channel)
        if known is None:
            return Outcome(OutcomeKind.TECHNICAL, "channel_not_carried")
        if not known.fullmatch(message.recipient):
            return Outcome(OutcomeKind.PERMANENT, "invalid_recipient")
        try:
            status, answer, after = self._exchange(message)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            return Outcome(OutcomeKind.TEMPORARY, _code(error))
        return _outcome(status, answer, message.recipient, retry_after(after, self._clock()))

    def _exchange(self, message: OutgoingMessage) -> tuple[int, bytes, str]:
        """The status, the beginning of the body, which is empty when it broke off, and `Retry-After`."""
        found = wire.addresses(self._host, self._port)
        end = time.monotonic() + self._seconds
        raw = wire.connect(found, end)
        conn = http.client.HTTPConnection(self._host, self._port)
        try:
            with wire.deadline(raw, end):
                # The context, not http.client, does TLS: the handshake is under the deadline too.
                conn.sock = raw = self._tls.wrap_socket(raw, server_hostname=self._host) if self._tls else raw
                conn.request("POST", self._path, _body(message), self._headers(message.key))
                response = conn.getresponse()
                answer = b""
                # What was said in the status line holds, whatever becomes of the rest.
                with contextlib.suppress(OSError, http.client.HTTPException):
                    answer = response.read(MOST_READ)
                return response.status, answer, response.getheader("Retry-After") or ""
        finally:
            conn.close()
            raw.close()

    def _headers(self, key: str) -> dict[str, str]:
        # Set by hand: http.client does not see that TLS is spoken and would name port 443.
        host = f"[{self._host}]" if ":" in self._host else self._host
        return {
            "Host": host if self._port == (443 if self._tls else 80) else f"{host}:{self._port}",
            "Authorization": f"Bearer {self._token}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "mpp-notifications",
            "Connection": "close",
        }


def _body(message: OutgoingMessage) -> bytes:
    fields = {
        "key": message.key,
        "channel": str(message.channel),
        "recipient": message.recipient,
        "body": message.body,
        "template": message.template,
    }
    if message.channel is Channel.EMAIL:
        fields["title"] = message.title
        if message.calendar:
            fields["calendar"] = message.calendar
    return json.dumps(fields).encode("ascii")


def retry_after(value: str, now: datetime) -> timedelta | None:
    """`Retry-After` (RFC 9110, 10.2.3): seconds, or a date; None when there is none or it says nothing. Never negative."""
    if re.fullmatch(r"[0-9]{1,9}", text := value.strip()):
        return timedelta(seconds=int(text))
    try:
        asked = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    return max(timedelta(0), aware - now)


def _outcome(status: int, answer: bytes, recipient: str, after: timedelta | None) -> Outcome:
    failure = f"http_{status}"
    if 200 <= status < 300:
        return Outcome(OutcomeKind.ACCEPTED, reference=_reference(answer, recipient))
    if status >= 500 or status in _TRY_AGAIN:
        return Outcome(OutcomeKind.TEMPORARY, failure, retry_after=after)
    if status < 400 or status in _OUR_FAULT:
        return Outcome(OutcomeKind.TECHNICAL, failure)
    return Outcome(OutcomeKind.PERMANENT, failure)


def _reference(answer: bytes, recipient: str) -> str:
    """The provider's id; empty when there is none, when it has another form, or when the recipient shows in it."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    given = found.get("id") if isinstance(found, dict) else None
    text = str(given) if isinstance(given, (str, int)) and not isinstance(given, bool) else ""
    person = recipient.partition("@")[0] if "@" in recipient else recipient[-8:]
    return text if _REFERENCE.fullmatch(text) and person not in text else ""


def _code(error: Exception) -> str:
    """Short words, bounded in number; nothing of what a server said."""
    if word := wire.failure_of(error):
        return word
    not_http = isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected)
    return "not_http" if not_http else "connection_lost"
