"""RabbitMQ: the topology that events need, and a publisher that pipelines confirms. Knows AMQP; knows no store.

Topology (one place, so that producers, consumers and operators agree):
- `<service>.events` topic exchange; `public.events` gets from it what agencies may read. Streams keep that a week:
  `public.journal` all of it, `public.<service>` that of one service (an *entitlement* that an agency may be granted).
- One quorum queue a handler, `<consumer>.<handler>`; `mpp.retry` -> delay queues -> `mpp.back` -> the same queue;
  `mpp.parked` -> `<consumer>.<handler>.parked`.
- Every quorum queue that dead-letters does so at-least-once with reject-publish: the broker's default loses events when
  it is killed (RabbitMQ documentation, "Quorum queues: dead lettering"; measured in our lab: 3 runs of 5).
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from amqp import Message as AmqpMessage
from kombu import Connection

from mpp_chassis.events import PUBLIC_EXCHANGE, EventType, WireMessage

RETRY_EXCHANGE, BACK_EXCHANGE, PARKED_EXCHANGE = "mpp.retry", "mpp.back", "mpp.parked"
JOURNAL = "public.journal"
CONNECT_TIMEOUT, IO_TIMEOUT = 5.0, 10.0  # seconds
NO_LIMIT = 2_000_000_000  # RabbitMQ 4 would drop a parked message that was looked at 20 times; 3 knows no -1
DELIVERY_LIMIT = 20  # deliveries of one message before the broker itself parks it: a handler that kills its process
_AT_LEAST_ONCE = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
_TLS = {"cacertfile": "ca_certs", "certfile": "certfile", "keyfile": "keyfile"}


class BrokerDown(Exception):
    """The broker could not be reached, or did not confirm in time."""


def connection(uri: str, *, heartbeat: int = 0) -> Any:
    """A connected AMQP connection; each wait for the broker is bounded (5 s to connect, 10 s to read or write).

    The bare connection of `amqp`, not kombu's: kombu's object silently makes a new connection, without channels and
    consumers, when the old one is found dead, and a worker would then wait for events that never come.

    `amqps://` is TLS: the broker's certificate must be for the host's name and signed by who is in the file that the
    URI's parameter `cacertfile` names (as in RabbitMQ's own URIs), else by one that the system trusts.
    """
    address, tls = tls_of(uri)
    wanted = Connection(
        address,
        ssl=tls,
        heartbeat=heartbeat,
        connect_timeout=CONNECT_TIMEOUT,
        transport_options={"client_properties": {"product": "mpp"}},
    )
    conn = wanted.transport.establish_connection()
    # For every read and write without a timeout of its own, under eventlet too (where SO_RCVTIMEO has no effect).
    conn.transport.sock.settimeout(IO_TIMEOUT)
    return conn


def tls_of(uri: str) -> tuple[str, dict[str, Any] | bool]:
    """The URI without its TLS parameters, and what they ask for; False without TLS. Raises ValueError.

    `cacertfile` as above; `certfile` and `keyfile` when the broker asks clients for a certificate, too.
    """
    parts = urlsplit(uri)
    if parts.scheme != "amqps":
        return uri, False
    given = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if unknown := given.keys() - _TLS.keys():
        raise ValueError(f"unknown parameter of the broker's URI: {', '.join(sorted(unknown))}")
    options = {_TLS[name]: value for name, value in given.items()}
    checked = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname}
    return urlunsplit(parts._replace(query="")), {**checked, **options}


def declare_source(channel: Any, service: str, types: Iterable[EventType]) -> None:
    """The exchange of a service, and the way of its public events to agencies. Idempotent."""
    channel.exchange_declare(f"{service}.events", "topic", durable=True, auto_delete=False)
    channel.exchange_declare(PUBLIC_EXCHANGE, "topic", durable=True, auto_delete=False)
    stream = {"x-queue-type": "stream", "x-max-age": "7D", "x-stream-max-segment-size-bytes": 20_000_000}
    public = [kind for kind in types if kind.public_key]
    for name in (JOURNAL, *([entitlement_stream(service)] if public else [])):
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=stream)
    channel.queue_bind(JOURNAL, PUBLIC_EXCHANGE, routing_key="#")
    for kind in public:
        channel.queue_bind(entitlement_stream(service), PUBLIC_EXCHANGE, routing_key=kind.public_key)
        channel.exchange_bind(PUBLIC_EXCHANGE, kind.exchange, routing_key=kind.public_key)


def entitlement_stream(service: str) -> str:
    """The stream that keeps a service's public events for a week: what an agency with this entitlement may replay."""
    return f"public.{service}"


def declare_handler(channel: Any, queue: str, kind: EventType, delays_ms: Sequence[int]) -> None:
    """The queue of one handler with its retry ladder and its parking. Idempotent."""
    for exchange in (RETRY_EXCHANGE, BACK_EXCHANGE, PARKED_EXCHANGE, kind.exchange):
        channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
    quorum = {"x-queue-type": "quorum"}
    parked = f"{queue}.parked"
    kept = {**quorum, "x-delivery-limit": NO_LIMIT}
    channel.queue_declare(parked, durable=True, auto_delete=False, arguments=kept)
    channel.queue_bind(parked, PARKED_EXCHANGE, routing_key=queue)
    main = {
        **quorum,
        **_AT_LEAST_ONCE,
        "x-dead-letter-exchange": PARKED_EXCHANGE,
        "x-dead-letter-routing-key": queue,
        "x-delivery-limit": DELIVERY_LIMIT,
    }
    channel.queue_declare(queue, durable=True, auto_delete=False, arguments=main)
    channel.queue_bind(queue, BACK_EXCHANGE, routing_key=f"*.{queue}")
    for ms in delays_ms:
        delay = {**quorum, **_AT_LEAST_ONCE, "x-message-ttl": ms, "x-dead-letter-exchange": BACK_EXCHANGE}
        channel.queue_declare(f"{RETRY_EXCHANGE}.{ms}", durable=True, auto_delete=False, arguments=delay)
        channel.queue_bind(f"{RETRY_EXCHANGE}.{ms}", RETRY_EXCHANGE, routing_key=f"{ms}.#")
    # The binding comes last: from now on events arrive, and everything they may need exists.
    channel.queue_bind(queue, kind.exchange, routing_key=kind.routing_key)


def attempts(headers: Mapping[str, Any]) -> int:
    """How often a handler has tried this message so far; 0 for a fresh one and for a header that is no number."""
    try:
        return max(0, min(int(headers.get("x-mpp-attempt", 0)), 1_000_000))
    except (TypeError, ValueError):
        return 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on its way: exchange, routing key, CloudEvents headers and body."""

    id: str
    exchange: str
    key: str
    headers: dict[str, Any]
    body: str | bytes

    @classmethod
    def of(cls, exchange: str, wire: WireMessage) -> Outgoing:
        return cls(wire.id, exchange, wire.key, wire.headers, wire.body)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: `accepted` are confirmed *and* routed; `returned` reached no queue."""

    accepted: frozenset[str]
    returned: frozenset[str]


class Publisher:
    """Publishes batches as persistent, mandatory messages and waits for all confirms together (pipelined).

    Guarantees: an id in `accepted` is in every bound queue, on disk of a quorum. Does *not* guarantee once: after a
    BrokerDown any of the batch may have been accepted too. Not thread-safe: one thread at a time.
    """

    def __init__(self, uri: str, *, confirm_timeout: float = 8.0) -> None:
        self._uri, self._timeout = uri, confirm_timeout
        self._conn: Any = None
        self._channel: Any = None
        self._tag = 0
        self._waiting: dict[int, str] = {}
        self._accepted: set[str] = set()
        self._returned: set[str] = set()

    def publish(self, batch: Sequence[Outgoing]) -> Receipt:
        """Raises BrokerDown; the connection is dropped then, and made anew by the next call."""
        try:
            self._open()
            for message in batch:
                self._tag += 1
                self._waiting[self._tag] = message.id
                self._channel.basic_publish(
                    _amqp(message), exchange=message.exchange, routing_key=message.key, mandatory=True
                )
            end = time.monotonic() + self._timeout
            while self._waiting:
                self._conn.drain_events(timeout=max(0.01, end - time.monotonic()))
        except Exception as e:  # amqp raises socket, timeout, AMQP and attribute errors of a half-dead connection
            self.close()
            raise BrokerDown(f"{type(e).__name__} while publishing") from e
        receipt = Receipt(frozenset(self._accepted - self._returned), frozenset(self._returned))
        self._accepted, self._returned = set(), set()
        return receipt

    def close(self) -> None:
        """Drop the connection without manners: after an error its channel state is unknown."""
        conn, self._conn, self._channel = self._conn, None, None
        self._waiting, self._accepted, self._returned, self._tag = {}, set(), set(), 0
        if conn is not None:
            with contextlib.suppress(Exception):
                conn.collect()

    def _open(self) -> None:
        if self._conn is not None and self._conn.connected:
            return
        self.close()
        self._conn = connection(self._uri)
        self._channel = self._conn.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)

    def _settle(self, tag: int, multiple: bool) -> list[str]:
        tags = [t for t in self._waiting if t <= tag] if multiple else [tag]
        return [self._waiting.pop(t) for t in tags if t in self._waiting]

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._accepted.update(self._settle(tag, multiple))

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._settle(tag, multiple)  # refused by a full or failing queue: not accepted, tried again later

    def _on_return(self, _exc: Any, _exchange: str, _key: str, message: Any) -> None:
        self._returned.add(message.properties["message_id"])


def _amqp(message: Outgoing) -> Any:
    return AmqpMessage(
        message.body,
        content_type="application/json",
        content_encoding="utf-8",
        delivery_mode=2,
        message_id=message.id,
        application_headers=message.headers,
    )
