"""The interface that every provider keeps; `tests/contract/providers` checks it for each kind.

Knows what a hand-over is. Never knows a particular provider.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from mpp_notifications.domain import Channel, Outcome


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to one person. `key` is the idempotency key, `template` the key of what was rendered (some
    aggregators want it registered); recipient and body never show in a repr.
    """

    key: str
    channel: Channel
    recipient: str = field(repr=False)  # E.164 for sms and whatsapp, an address for email
    body: str = field(repr=False)
    template: str = ""
    title: str = ""  # for mail; nothing personal
    calendar: str = field(default="", repr=False)  # RFC 5545, for mail; empty: none


class BadProvider(Exception):
    """A provider cannot be used as it is configured, or not in this environment."""


class Provider(Protocol):
    """Hands messages over to the world outside.

    A provider promises:

    - The same key again has no second effect and answers as the first time, from any process and after a
    crash of
      the caller at any point. What the second call carries is not looked at.
    - It answers within its own bounded time, well below the claim of a message (60 s by default).
    - Everything it can foresee is told as an Outcome:

      | kind       | when                                                      | what the service does
        |
        |------------|-----------------------------------------------------------|---------------------------------|
      | ACCEPTED   | it has the message; a receipt follows                     | waits for the receipt
        | | DELIVERED  | the person has it                                         | ends
              |
      | TEMPORARY  | not taken: busy, rate limited, unreachable; or not known  | tries again later, the same
      key | | PERMANENT  | this recipient cannot be reached: wrong or dead number    | ends, perhaps another
      channel   | | TECHNICAL  | our fault: credentials, configuration, a refused message  | ends, perhaps
      another channel   |

    - `failure` is a short code in snake_case without anything personal.

    An exception that escapes `send` says nothing about the effect; the service treats it as TEMPORARY. Called
    under eventlet (no threads of C libraries, no gRPC) and from several processes at once.
    """

    @property
    def name(self) -> str:
        """Short and stable: it is stored with each message and is a metric label."""

    def send(self, message: OutgoingMessage) -> Outcome:
        """Hand one message over."""
