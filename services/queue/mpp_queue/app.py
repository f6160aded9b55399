"""What the use cases of tickets work with, built once by main.py. Knows which parts there are and what is asked of them;
decides nothing.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from mpp.catalog.v1 import offering_pb2
from mpp_chassis.errors import Aborted
from mpp_chassis.privacy import BlindIndex, FieldCipher

from mpp_queue.boards import Boards
from mpp_queue.counters.usecases import App as Counters
from mpp_queue.domain import Admission, QueueSpec, Rules
from mpp_queue.flights import Flights
from mpp_queue.numbering import Numbering
from mpp_queue.store import Tickets
from mpp_queue.views import Queues, QueueViews


class Lines:
    """At most one CallNext of a queue at a time in this process: the second would only lose the race for the
    same ticket. Striped: two queues may share a lock.
    """

    def __init__(self, stripes: int = 64, patience: float = 5.0) -> None:
        self._locks = tuple(threading.Lock() for _ in range(stripes))
        self._patience = patience

    @contextmanager
    def of(self, queue: str) -> Iterator[None]:
        """Raises Aborted when the line does not move for `patience` seconds."""
        lock = self._locks[hash(queue) % len(self._locks)]
        if not lock.acquire(timeout=self._patience):
            raise Aborted(f"too many call the next of {queue} at once; try again")
        try:
            yield
        finally:
            lock.release()


class Guard(Protocol):
    """Against brokers: what is asked before a person gets a ticket (guard/usecases.py)."""

    def check(self, spec: QueueSpec, holder_key: str, now: datetime) -> None:
        """Raises a QueueError when whoever counts under this key must wait."""

    def claimed(self, spec: QueueSpec, day: str, admission: Admission, now: datetime) -> AbstractContextManager[None]:
        """What whoever typed the NIK may take, while the ticket is written. Raises QuotaReached."""


class Gate(Protocol):
    """Whether a kiosk may take tickets (kiosks/gate.py)."""

    def check(self, spec: QueueSpec, kiosk: str, now: datetime) -> None:
        """Raises a QueueError when it is out of work or has a day off, NotFound when there is none of that name."""


class Fees(Protocol):
    """What offerings cost (fees.py)."""

    def of(self, offering: str) -> offering_pb2.Fee | None: ...


class Audit(Protocol):
    """The chassis' audit log."""

    def record(self, actor: str, action: str, resource: str, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    tickets: Tickets
    queues: Queues
    views: QueueViews
    numbering: Numbering
    cipher: FieldCipher
    rules: Rules
    rng: random.Random
    clock: Callable[[], datetime]
    counters: Counters
    index: BlindIndex
    audit: Audit
    guard: Guard | None = None
    gate: Gate | None = None
    fees: Fees | None = None
    boards: Boards = field(default_factory=Boards)
    flights: Flights = field(default_factory=Flights)
    lines: Lines = field(default_factory=Lines)


def local_day(zone: str, now: datetime) -> str:
    """The ISO date that a clock on the site's wall shows."""
    return now.astimezone(ZoneInfo(zone)).date().isoformat()
