"""What the broker must say of one grant: account, permissions, queue, bindings. Standard library only; does nothing.

How RabbitMQ reads permissions (its documentation, "Access control" and "Topic authorisation"): a pattern is searched in
a resource's name, so it must be anchored, and with \\A and \\z: `$` also matches before a last line break. Binding a
queue needs *write* on the queue, *read* on the exchange and, on a topic exchange, a topic permission that matches the
binding key as it is written; so `#` is refused like any other key that was not granted. Consuming needs *read*.
Nothing is *configurable*: an agency that could declare its own queue anew could take its bounds away.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mpp_subscriptions.domain.grants import Grant

NOTHING = r"\A\z"  # of a pattern: matches no name (the broker names its default exchange `amq.default`)
PREFIX = "agency"  # of accounts and queues
_ID = re.compile(r"[a-z][a-z0-9-]{1,30}")


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What it opens. Derived from the protos by `entitlements`."""

    name: str
    routing_keys: tuple[str, ...]
    event_types: tuple[str, ...]
    stream: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one agency may use of the broker. A queue that is full or old loses its oldest events, never the newest."""

    queue_length: int = 100_000  # messages
    queue_bytes: int = 256 * 1024 * 1024
    queue_age_ms: int = 7 * 24 * 3600 * 1000
    connections: int = 20
    channels: int = 40


@dataclass(frozen=True, slots=True)
class Access:
    """The broker's side of an active grant."""

    username: str
    password_hash: str
    queue: str
    exchange: str
    routing_keys: tuple[str, ...]
    streams: tuple[str, ...]
    bounds: Bounds

    @property
    def configure(self) -> str:
        return NOTHING

    @property
    def write(self) -> str:
        """Its own queue only, which allows to bind it. To publish, one would need an exchange."""
        return _one_of([self.queue])

    @property
    def read(self) -> str:
        return _one_of([self.queue, self.exchange, *self.streams])

    @property
    def topic_write(self) -> str:
        return NOTHING

    @property
    def topic_read(self) -> str:
        return _one_of(self.routing_keys)

    @property
    def queue_arguments(self) -> dict[str, object]:
        """drop-head: a full queue of one agency must never hold up those who publish to all."""
        return {
            "x-queue-type": "quorum",
            "x-overflow": "drop-head",
            "x-max-length": self.bounds.queue_length,
            "x-max-length-bytes": self.bounds.queue_bytes,
            "x-message-ttl": self.bounds.queue_age_ms,
        }


def access_of(
    grant: Grant, known: Mapping[str, Entitlement], exchange: str, bounds: Bounds, prefix: str = PREFIX
) -> Access:
    """What the broker must say. An entitlement that is not known (any more) opens nothing."""
    opened = [known[name] for name in grant.entitlements if name in known]
    name = account_name(grant.agency, prefix)
    return Access(
        username=name,
        password_hash=grant.password_hash,
        queue=name,
        exchange=exchange,
        routing_keys=tuple(sorted({key for one in opened for key in one.routing_keys})),
        streams=tuple(sorted(one.stream for one in opened)),
        bounds=bounds,
    )


def account_name(agency: str, prefix: str = PREFIX) -> str:
    """`agency.malang.dukcapil`: of the user and of its queue. Raises ValueError for what is no agency's name.

    Ids have no dot, so no two agencies share a name, and no character that means something in a pattern.
    """
    parts = agency.split("/")
    if len(parts) != 4 or parts[0] != "sites" or parts[2] != "agencies":
        raise ValueError(f"not an agency's name: {agency[:80]!r}")
    if not _ID.fullmatch(parts[1]) or not _ID.fullmatch(parts[3]):
        raise ValueError(f"not an agency's name: {agency[:80]!r}")
    return f"{prefix}.{parts[1]}.{parts[3]}"


def hash_password(password: str, salt: bytes) -> str:
    """As RabbitMQ keeps it with `rabbit_password_hashing_sha256`: base64(salt + SHA-256(salt + password)), salt 4 bytes.

    A fast hash is enough only because the passwords are 256 random bits, never a person's choice.
    """
    if len(salt) != 4:
        raise ValueError("the salt has 4 bytes")
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _one_of(names: Iterable[str]) -> str:
    found = sorted({re.escape(name) for name in names})
    return rf"\A(?:{'|'.join(found)})\z" if found else NOTHING
