"""`@on(EventProto)` and `@every(seconds)`: nameko entrypoints that do not lose events.

nameko's own event handler acknowledges a message even when the handler raised. This one acknowledges after success only;
a failure goes to a delay queue and comes back (retry ladder); after the last rung, or at once for `Poison` and for what
cannot be decoded, the message is parked with its reason and its neighbours pass. A dead-letter limit stops a consumer
whose handler fails nearly always, so that a bad deploy does not drain its queue into parking.

Guarantees: at least once. Does *not* guarantee once, nor order: handlers are idempotent and look at `sequence`.
Knows nameko, AMQP and the envelope; knows no service. Runs under eventlet; never imported by a gRPC server.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from google.protobuf.message import Message
from nameko.extensions import DependencyProvider, Entrypoint, SharedExtension

from mpp_chassis import broker, logs, metrics, trace
from mpp_chassis.broker import BACK_EXCHANGE, PARKED_EXCHANGE, RETRY_EXCHANGE, BrokerDown, Outgoing, Publisher
from mpp_chassis.call import Command
from mpp_chassis.errors import Poison
from mpp_chassis.events import Undecodable, decode, event_type
from mpp_chassis.lease import Lease
from mpp_chassis.privacy import scrub

PREFETCH = 16
HEARTBEAT = 10  # seconds
SILENCE = 40.0  # seconds without a sign of the broker
log = logs.get(part="events")


@dataclass(frozen=True, slots=True)
class WorkContext:
    """What the launcher hands to the extensions, as `container.config["mpp"]`."""

    service: str
    amqp_uri: str
    delays_ms: tuple[int, ...]
    app: Any
    lease: Callable[[str, float], Lease]


@dataclass(frozen=True, slots=True)
class EventMeta:
    """The envelope of the event at hand, and which attempt this is (1 is the first)."""

    id: str
    type: str
    source: str
    subject: str
    sequence: int
    time: datetime
    traceparent: str
    attempt: int
    service: str

    def command(self, method: str) -> Command:
        """The command that this event is to an aggregate: a repeated event is a repeated command."""
        return Command(
            self.id, method, f"event:{self.id}", f"service:{self.service}", datetime.now(UTC), trace.current()
        )


class DeadLetterLimit:
    """Decides when a consumer should stop: of the last `window` attempts (at least `minimum`), `share` failed.

    Then it pauses for `pause` seconds, lets one message through as a probe, and goes on after a success; each failed
    probe doubles the pause, up to `longest`. Pure: time comes in as an argument (seconds of any steady clock).
    """

    def __init__(
        self, *, window: int = 50, minimum: int = 20, share: float = 0.9, pause: float = 2.0, longest: float = 60.0
    ) -> None:
        self._outcomes: deque[bool] = deque(maxlen=window)
        self._minimum, self._share = minimum, share
        self._first_pause, self._longest = pause, longest
        self._pause = pause
        self.until: float | None = None  # paused until then; None when running or probing
        self.probing = False

    @property
    def stopped(self) -> bool:
        """Paused or probing: failures now say nothing about their own message."""
        return self.until is not None or self.probing

    def record(self, ok: bool, now: float) -> None:
        if self.until is not None:
            return  # stragglers that were under way when it stopped
        if self.probing:
            self.probing = False
            if ok:
                self._pause = self._first_pause
                self._outcomes.clear()
            else:
                self._pause = min(self._longest, self._pause * 2)
                self.until = now + self._pause
            return
        self._outcomes.append(ok)
        failed = self._outcomes.count(False)
        if len(self._outcomes) >= self._minimum and failed >= self._share * len(self._outcomes):
            self.until = now + self._pause

    def due(self, now: float) -> bool:
        """Time for a probe: from now on one message may pass."""
        if self.until is None or now < self.until:
            return False
        self.until, self.probing = None, True
        return True


class EventConsumer(SharedExtension):
    """One connection a process, one channel a handler; reconnects for ever."""

    def __init__(self) -> None:
        super().__init__()
        self._handlers: list[OnEvent] = []
        self._stopping = False
        self._thread: Any = None
        self._write = threading.Lock()  # frames of several green threads must not mix
        self._conn: Any = None
        self.attached = False
        self.ticked = time.monotonic()
        self.heard = time.monotonic()

    def setup(self) -> None:
        self.context: WorkContext = self.container.config["mpp"]
        self.container.config["mpp_consumer"] = self
        self._publisher = Publisher(self.context.amqp_uri)
        self._publishing = threading.Lock()

    def register(self, handler: OnEvent) -> None:
        self._handlers.append(handler)

    def start(self) -> None:
        if self._thread is None:
            self._thread = self.container.spawn_managed_thread(self._run, identifier="event-consumer")

    def stop(self) -> None:
        self._stopping = True
        if self._thread is not None:
            with contextlib.suppress(Exception):
                self._thread.wait()
        self._publisher.close()

    kill = stop

    def live(self, now: float) -> bool:
        """The loop turns, and the broker was heard lately: a heartbeat every 5 s, or its host refusing a connection.

        False when the broker froze or cannot be reached at all (a restart may help); a broker that is merely down is
        no fault of this process.
        """
        return now - self.ticked < 60 and now - self.heard < SILENCE

    def publish(self, message: Outgoing) -> None:
        """Copy a message to the retry ladder or to parking; returns when the broker has it. Raises BrokerDown."""
        with self._publishing:
            receipt = self._publisher.publish([message])
        if message.id not in receipt.accepted:
            raise BrokerDown(f"{message.exchange} {message.key} was not accepted")

    def settle(self, channel: Any, action: Callable[[], None]) -> None:
        """Acknowledge or give back. When the connection is gone the broker gives the message to somebody by itself."""
        try:
            with self._write:
                action()
        except Exception as e:
            log.warning("settle_failed", error=type(e).__name__)

    def _run(self) -> None:
        pause = 0.25
        while not self._stopping:
            self.ticked = time.monotonic()
            try:
                self._conn = broker.connection(self.context.amqp_uri, heartbeat=HEARTBEAT)
                self._attach()
                pause = 0.25
                self._drain()
            except Exception as e:  # amqp, socket and attribute errors alike: connect anew
                if isinstance(e, ConnectionRefusedError):
                    self.heard = time.monotonic()
                if not self._stopping:
                    log.warning("broker_lost", error=f"{type(e).__name__}: {scrub(str(e))[:200]}", retry_seconds=pause)
            finally:
                self._detach()
            if not self._stopping:
                time.sleep(pause)
                pause = min(3.0, pause * 2)

    def _attach(self) -> None:
        with contextlib.closing(self._conn.channel()) as channel:
            for handler in self._handlers:
                broker.declare_handler(channel, handler.queue, handler.kind, self.context.delays_ms)
        for handler in self._handlers:
            handler.consume(self._conn)
        self.heard = time.monotonic()
        self.attached = True
        metrics.CONSUMER_ATTACHED.set(1)
        log.info("consumers_attached", queues=len(self._handlers))

    def _detach(self) -> None:
        self.attached = False
        metrics.CONSUMER_ATTACHED.set(0)
        for handler in self._handlers:
            handler.channel = None
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(Exception):
                conn.collect()

    def _drain(self) -> None:
        received, beat = -1, time.monotonic()
        while not self._stopping:
            with contextlib.suppress(TimeoutError, socket.timeout):
                self._conn.drain_events(timeout=0.5)
            self.ticked = now = time.monotonic()
            if self._conn.bytes_recv != received:
                received, self.heard = self._conn.bytes_recv, now
            if now - beat >= HEARTBEAT / 2:
                beat = now
                with self._write:
                    self._conn.heartbeat_tick(rate=2)
            for handler in self._handlers:
                with self._write:
                    handler.tick(now)
        with self._write:
            self._conn.close()


class OnEvent(Entrypoint):
    """One handler and its queue `<consumer>.<handler>`."""

    consumer = EventConsumer()

    def __init__(self, event: type[Message], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = event_type(event)
        self.limit = DeadLetterLimit()
        self.channel: Any = None
        self._tag: str | None = None
        self._halted = False

    @property
    def queue(self) -> str:
        return f"{self.container.service_name}.{self.method_name}"

    def setup(self) -> None:
        self.consumer.register(self)

    def stop(self) -> None:
        self._halted = True  # the consumer's loop cancels; what is under way is finished first

    def consume(self, conn: Any) -> None:
        """A fresh channel: prefetch 1 while probing, else 16."""
        self.channel = conn.channel()
        self.channel.basic_qos(0, 1 if self.limit.stopped else PREFETCH, False)
        self._tag = None
        if self.limit.until is None:
            self._tag = self.channel.basic_consume(self.queue, callback=self._deliver)

    def tick(self, now: float) -> None:
        """Follow the dead-letter limit; called from the consumer's loop twice a second or more."""
        if self._halted:
            self._cancel()
            return
        if self.limit.until is not None and self._tag is not None:
            self._cancel()
            metrics.CONSUMER_PAUSED.labels(self.queue).set(1)
            log.error("consumer_paused", queue=self.queue, seconds=round(self.limit.until - now, 1))
        elif self.limit.due(now):
            self.channel.close()
            self.consume(self.consumer._conn)
        elif not self.limit.stopped and metrics.CONSUMER_PAUSED.labels(self.queue)._value.get():
            metrics.CONSUMER_PAUSED.labels(self.queue).set(0)
            log.info("consumer_resumed", queue=self.queue)
            self.channel.close()
            self.consume(self.consumer._conn)

    def _cancel(self) -> None:
        if self._tag is not None:
            self.channel.basic_cancel(self._tag)
            self._tag = None

    def _deliver(self, message: Any) -> None:
        headers = dict(message.headers or {})
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        started = time.monotonic()
        try:
            event, envelope = decode(self.kind, headers, body)
        except Undecodable as e:
            self.container.spawn_managed_thread(partial(self._give_up, message, headers, body, str(e), started))
            return
        attempt = broker.attempts(headers) + 1
        meta = EventMeta(
            envelope.id, envelope.type, envelope.source, envelope.subject, envelope.sequence, envelope.time,
            envelope.traceparent, attempt, self.container.service_name,
        )  # fmt: skip
        metrics.EVENT_LAG_SECONDS.labels(self.queue).observe(max(0.0, time.time() - envelope.time.timestamp()))
        try:
            self.container.spawn_worker(
                self, (event, meta), {}, handle_result=partial(self._done, message, headers, body, meta, started)
            )
        except Exception:  # the container is being killed
            self.consumer.settle(message.channel, partial(message.channel.basic_reject, message.delivery_tag, True))

    def _done(
        self, message: Any, headers: dict[str, Any], body: bytes, meta: EventMeta, started: float,
        _worker: Any, result: Any, exc_info: Any,
    ) -> tuple[Any, Any]:  # fmt: skip
        if exc_info is None:
            self.limit.record(True, time.monotonic())
            self.consumer.settle(message.channel, partial(message.channel.basic_ack, message.delivery_tag))
            seconds = time.monotonic() - started
            metrics.EVENT_SECONDS.labels(self.queue, "done").observe(seconds)
            log.info("event", queue=self.queue, id=meta.id, subject=meta.subject, ms=round(seconds * 1000, 1))
            return result, exc_info
        error: BaseException = exc_info[1]
        reason = f"{type(error).__name__}: {scrub(str(error))[:300]}"
        stopped = self.limit.stopped
        self.limit.record(False, time.monotonic())
        log.warning(
            "event_failed", queue=self.queue, id=meta.id, subject=meta.subject, attempt=meta.attempt, error=reason
        )
        if isinstance(error, Poison):
            self._give_up(message, headers, body, reason, started)
        elif stopped:
            # The handler is broken, not the message: its attempts are not used up.
            self._retry(message, headers, body, reason, started, attempt=meta.attempt - 1)
        elif meta.attempt > len(self.consumer.context.delays_ms):
            self._give_up(message, headers, body, reason, started)
        else:
            self._retry(message, headers, body, reason, started, attempt=meta.attempt)
        return result, None

    def _retry(
        self, message: Any, headers: dict[str, Any], body: bytes, reason: str, started: float, *, attempt: int
    ) -> None:
        delays = self.consumer.context.delays_ms
        delay = delays[max(0, min(attempt, len(delays)) - 1)]
        self._move(message, RETRY_EXCHANGE, f"{delay}.{self.queue}", headers, body, reason, attempt)
        metrics.EVENT_SECONDS.labels(self.queue, "retry").observe(time.monotonic() - started)

    def _give_up(self, message: Any, headers: dict[str, Any], body: bytes, reason: str, started: float) -> None:
        attempt = broker.attempts(headers) + 1
        log.error("event_parked", queue=self.queue, id=str(headers.get("ce-id", ""))[:64], reason=reason)
        self._move(message, PARKED_EXCHANGE, self.queue, headers, body, reason, attempt)
        metrics.EVENT_SECONDS.labels(self.queue, "parked").observe(time.monotonic() - started)

    def _move(
        self, message: Any, exchange: str, key: str, headers: dict[str, Any], body: bytes, reason: str, attempt: int
    ) -> None:
        """Copy first, acknowledge after the broker confirmed the copy: never neither, seldom both."""
        extra = {"x-mpp-attempt": attempt, "x-mpp-error": reason, "x-mpp-at": datetime.now(UTC).isoformat()}
        kept = {k: v for k, v in headers.items() if not k.startswith("x-death") and not k.startswith("x-first-")}
        event_id = str(headers.get("ce-id", "")) or f"untitled-{hashlib.blake2b(body, digest_size=12).hexdigest()}"
        try:
            self.consumer.publish(Outgoing(event_id, exchange, key, {**kept, **extra}, body))
        except BrokerDown as e:
            log.warning("move_failed", queue=self.queue, id=event_id[:64], error=str(e))
            self.consumer.settle(message.channel, partial(message.channel.basic_reject, message.delivery_tag, True))
            return
        self.consumer.settle(message.channel, partial(message.channel.basic_ack, message.delivery_tag))


class Composed(DependencyProvider):
    """Injects what the service's `compose` returned; also sets the trace of the event at hand."""

    def get_dependency(self, worker_ctx: Any) -> Any:
        return self.container.config["mpp"].app

    def worker_setup(self, worker_ctx: Any) -> None:
        if len(worker_ctx.args) == 2 and isinstance(worker_ctx.args[1], EventMeta):
            trace.enter(trace.child(worker_ctx.args[1].traceparent))
        else:
            trace.enter(trace.child(""))


class Every(Entrypoint):
    """Runs the method with `now` each `interval` seconds, in one process of the service at a time (by lease)."""

    def __init__(self, interval: float, lease: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._interval, self._lease_name = interval, lease
        self._stop = threading.Event()

    def start(self) -> None:
        context: WorkContext = self.container.config["mpp"]
        self._lease = context.lease(self._lease_name, max(15.0, 3 * self._interval))
        self._thread = self.container.spawn_managed_thread(self._run, identifier=f"every-{self._lease_name}")

    def stop(self) -> None:
        self._stop.set()
        self._thread.wait()
        with contextlib.suppress(Exception):
            self._lease.release()

    def kill(self) -> None:
        self._thread.kill()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                held = self._lease.acquire()
            except Exception as e:
                log.warning("lease_failed", lease=self._lease_name, error=type(e).__name__)
                continue
            if held:
                done = threading.Event()
                finish = partial(self._done, done, time.monotonic())
                self.container.spawn_worker(self, (datetime.now(UTC),), {}, handle_result=finish)
                done.wait()

    def _done(self, done: threading.Event, started: float, _worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        outcome = "done" if exc_info is None else "failed"
        metrics.SWEEP_SECONDS.labels(self._lease_name, outcome).observe(time.monotonic() - started)
        if exc_info is not None:
            reason = f"{type(exc_info[1]).__name__}: {scrub(str(exc_info[1]))[:300]}"
            log.error("sweep_failed", sweep=self._lease_name, error=reason)
        done.set()
        return result, None


on = OnEvent.decorator
every = Every.decorator


def handlers_of(service_class: type) -> list[tuple[str, Any]]:
    """(queue, event type) of each `@on` method, for declaring the topology without running anything."""
    found = []
    for name in dir(service_class):
        for entrypoint in getattr(getattr(service_class, name), "nameko_entrypoints", ()):
            if isinstance(entrypoint, OnEvent):
                found.append((f"{service_class.name}.{name}", entrypoint.kind))  # type: ignore[attr-defined]
    return found


__all__ = [
    "BACK_EXCHANGE", "Composed", "DeadLetterLimit", "EventMeta", "WorkContext", "every", "handlers_of", "on",
]  # fmt: skip
