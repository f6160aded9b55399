"""Who watches a lane, and whether something happened in its channel. Knows channel names; reads and writes nothing.

The service's own events tell every `serve` process of every change, whichever process made it. When the broker is away
nothing is told: then a watcher looks by itself every `LOOK_SECONDS`.
"""

from __future__ import annotations

import threading

LOOK_SECONDS = 5.0
BEAT_SECONDS = 15.0  # a proxy must not take a quiet stream for a dead one


class Displays:
    """Counts changes of each channel and wakes who waits for one. Starts listening to the broker with the first."""

    def __init__(self, amqp_uri: str = "") -> None:
        self._uri, self._listening = amqp_uri, False
        self._condition = threading.Condition()
        self._versions: dict[str, int] = {}
        self._gaps = 0

    def version(self, channel: str) -> int:
        """A number that grows with every change of a channel."""
        self._listen()
        with self._condition:
            return self._now(channel)

    def wait(self, channel: str, seen: int, seconds: float) -> bool:
        """True when there was a change since `seen`; False after `seconds` without one."""
        with self._condition:
            return self._condition.wait_for(lambda: self._now(channel) != seen, seconds)

    def changed(self, name: str) -> None:
        """Something happened to a pass (`sites/*/channels/*/passes/*`)."""
        channel = name.partition("/passes/")[0]
        with self._condition:
            self._versions[channel] = self._versions.get(channel, 0) + 1
            self._condition.notify_all()

    def all_changed(self) -> None:
        """Anything may have happened: the broker was away."""
        with self._condition:
            self._gaps += 1
            self._condition.notify_all()

    def _now(self, channel: str) -> int:
        return self._versions.get(channel, 0) + self._gaps

    def _listen(self) -> None:
        with self._condition:
            if self._listening or not self._uri:
                return
            self._listening = True
        # Not at the top: `work` composes the same App, and only a process with watchers needs a tail.
        from mpp.drivethru.v1 import events_pb2
        from mpp_chassis.events import event_types
        from mpp_chassis.tail import Tail

        Tail(self._uri, event_types(events_pb2), self.changed, self.all_changed).start()
