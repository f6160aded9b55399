"""A tail of a service's own events: tells a `serve` process at once what any process of the service committed.

For watch streams only: a hint to look, never a source of truth. Knows AMQP and the envelope; knows no service. Threads,
never eventlet.

Not guaranteed: an event may be missed while the broker is away; `on_gap` then says that anything may have changed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from mpp_chassis import broker, logs
from mpp_chassis.events import EventType

MOST_WAITING = 10_000  # hints that are older than so many others are dropped
log = logs.get(part="tail")


class Tail:
    """`on_event(subject)` for each event of `kinds` (all of one service), in a thread of its own. Reconnects for ever.

    `on_body(type, body)`, before it: the proto's full name and its JSON form as it came, not validated.
    """

    def __init__(
        self,
        amqp_uri: str,
        kinds: Sequence[EventType],
        on_event: Callable[[str], None],
        on_gap: Callable[[], None],
        on_body: Callable[[str, bytes | str], None] | None = None,
    ) -> None:
        self._uri, self._kinds, self._on_event, self._on_gap = amqp_uri, tuple(kinds), on_event, on_gap
        self._on_body = on_body
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-tail", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with contextlib.closing(broker.connection(self._uri, heartbeat=10)) as conn:
                    self._attach(conn.channel())
                    self._on_gap()
                    self._drain(conn)
            except Exception as e:  # amqp, socket and attribute errors alike: connect anew
                log.warning("tail_lost", error=type(e).__name__)
                self._stopping.wait(1.0)

    def _attach(self, channel: Any) -> None:
        """A queue that lives as long as this connection; nothing is kept for one who is gone."""
        queue = channel.queue_declare(
            "", exclusive=True, auto_delete=True, arguments={"x-max-length": MOST_WAITING}
        ).queue
        for kind in self._kinds:
            channel.queue_bind(queue, kind.exchange, routing_key=kind.routing_key)
        channel.basic_consume(queue, no_ack=True, callback=self._deliver)

    def _drain(self, conn: Any) -> None:
        beat = time.monotonic()
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                conn.drain_events(timeout=1.0)
            if time.monotonic() - beat > 5:
                beat = time.monotonic()
                conn.heartbeat_tick(rate=2)

    def _deliver(self, message: Any) -> None:
        headers = message.headers or {}
        subject = headers.get("ce-subject", "")
        if isinstance(subject, str) and subject:
            if self._on_body is not None:
                self._on_body(str(headers.get("ce-type", "")), message.body)
            self._on_event(subject)
