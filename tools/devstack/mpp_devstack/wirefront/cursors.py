"""The open cursors: continuation documents of the engine, by cursor id. Knows no SQL and no wire protocol.

A continuation is a value, not an open portal, so the next page can be asked for on any connection to the engine.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

IDLE_SECONDS = 600.0  # as MongoDB's cursorTimeoutMillis
LIMIT = 10_000


@dataclass(slots=True)
class OpenCursor:
    database: str
    continuation: bytes
    used: float


class Cursors:
    """Bounded: the cursor unused for longest is forgotten first; a forgotten one answers CursorNotFound."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._open: OrderedDict[int, OpenCursor] = OrderedDict()
        self._clock = clock

    def add(self, number: int, database: str, continuation: bytes) -> None:
        now = self._clock()
        self._open[number] = OpenCursor(database, continuation, now)
        self._open.move_to_end(number)
        while self._open and (len(self._open) > LIMIT or next(iter(self._open.values())).used < now - IDLE_SECONDS):
            self._open.popitem(last=False)

    def get(self, number: int) -> OpenCursor | None:
        return self._open.get(number)

    def drop(self, number: int) -> bool:
        """Forget a cursor; tells whether it was open."""
        return self._open.pop(number, None) is not None
