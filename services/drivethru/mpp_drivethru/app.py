"""What the use cases of a drive-thru work with: the stores, the read models, the queue as a command needs it. No step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mpp.drivethru.v1 import drivethru_service_pb2, pass_pb2
from mpp_chassis.audit import AuditLog
from mpp_chassis.call import Call
from mpp_chassis.events import Event
from mpp_chassis.privacy import BlindIndex, FieldCipher

from mpp_drivethru.displays import Displays
from mpp_drivethru.domain import Pass, TicketNews
from mpp_drivethru.store import Arrivals, Passes
from mpp_drivethru.views import Applications, Channels, Tickets

Decided = tuple[Pass, pass_pb2.Pass, Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A ticket of the queue."""

    ticket: str
    number: str
    offering: str


class TicketOffice(Protocol):
    """The queue, as a command needs it; `neighbours.Queue` in a running process."""

    def ticket_of(self, queue: str, call: Call) -> str: ...

    def take(
        self, queue: str, offering: str, vehicle: drivethru_service_pb2.RegisterVehicleRequest, call: Call
    ) -> Taken: ...

    def look(self, ticket: str, call: Call) -> tuple[Taken, TicketNews | None]: ...

    def serving(self, ticket: str, call: Call) -> None: ...

    def finish(self, ticket: str, call: Call) -> None: ...


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    passes: Passes
    arrivals: Arrivals
    channels: Channels
    tickets: Tickets
    applications: Applications
    cipher: FieldCipher
    index: BlindIndex
    audit: AuditLog
    clock: Callable[[], datetime]
    settings: Mapping[str, str]  # where other services are, for main.py
    plate_days: int = 30
    displays: Displays = field(default_factory=Displays)


def now_of(call: Call) -> datetime:
    """To the millisecond, as the store keeps it: a reply says what a later look finds."""
    return call.now.replace(microsecond=call.now.microsecond // 1000 * 1000)
