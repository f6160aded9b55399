"""Tells, as a metric, how many messages lie ready in each handler's queue and how many are parked.

Knows AMQP's passive declare; knows no handler. One connection of its own, so that a slow answer holds up no event. Not
guaranteed: exactness. A number is up to `EVERY` seconds old, and stays as it was while the broker does not answer.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

from mpp_chassis import broker, logs, metrics

EVERY = 15.0  # seconds
log = logs.get(part="depths")


class Depths:
    """A daemon thread (a green one under eventlet) that measures `queues` until `stop`."""

    def __init__(self, uri: str, queues: Sequence[str], every: float = EVERY) -> None:
        self._uri, self._queues, self._every = uri, tuple(queues), every
        self._stop = threading.Event()
        self._conn: Any = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="depths", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def measure(self) -> None:
        """Set the gauges now. Raises what amqp and sockets raise; the next call connects anew then."""
        try:
            if self._conn is None:
                self._conn = broker.connection(self._uri)
            channel = self._conn.channel()
            for queue in self._queues:
                for kind, name in (("ready", queue), ("parked", f"{queue}.parked")):
                    count = channel.queue_declare(name, passive=True).message_count
                    metrics.HANDLER_MESSAGES.labels(queue, kind).set(count)
            channel.close()
        except Exception:
            conn, self._conn = self._conn, None
            with contextlib.suppress(Exception):
                conn.collect()
            raise

    def _run(self) -> None:
        while True:
            try:
                self.measure()
            except Exception as e:  # whatever it is, the next round tries again
                log.warning("depths_failed", error=type(e).__name__)
            if self._stop.wait(self._every):
                return
