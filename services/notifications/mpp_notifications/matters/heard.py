"""What an event says about something that is open: its facts, and whether it is still open, still in line.

Knows the protos of the events. Never knows a name from the catalogue, a message or a store. Sealed values stay sealed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from google.protobuf.timestamp_pb2 import Timestamp
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications
from mpp.queue.v1 import events_pb2 as queue
from mpp.queue.v1 import ticket_pb2

from mpp_notifications.news import REMOTE

# A day's ticket whose end was never told is forgotten; what ended is remembered as long as an older event may still come.
TICKET_KEPT = timedelta(hours=20)
ENDED_KEPT = timedelta(days=1)
_APPLICATION_ENDS = frozenset(
    application_pb2.Application.State.Value(f"STATE_{state}")
    for state in ("COLLECTED", "REJECTED", "WITHDRAWN", "EXPIRED", "CORRECTED", "REVOKED")
)


class Kind(StrEnum):
    TICKET = "ticket"
    APPOINTMENT = "appointment"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not change while it is open. `line`: the queue in which a ticket stands; empty for anything else."""

    kind: Kind
    agency: str
    offering: str = ""
    number: str = ""
    line: str = ""
    remote: bool = False
    arrived_at: datetime | None = None
    start: datetime | None = None
    sealed_phone: str = field(default="", repr=False)
    sealed_email: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """`facts` None: this event does not tell them. `ahead`: what a person was told of the line with it. `called`: the
    ticket was called by then, so that nobody needs to hear any more that the turn is near.
    """

    name: str
    open: bool
    waiting: bool = False
    facts: Facts | None = None
    forget_at: datetime | None = None
    ahead: int | None = None
    called: bool = False


def ticket_issued(event: queue.TicketIssued, at: datetime) -> Heard:
    facts = Facts(
        Kind.TICKET,
        event.agency,
        event.offering,
        event.number,
        line_of(event.ticket),
        event.channel in REMOTE,
        _moment(event.arrived_at) if event.HasField("arrived_at") else at,
        sealed_phone=event.sealed_phone,
    )
    # Who is at a phone or a screen need not come near a counter: told already, so to say.
    return Heard(event.ticket, True, True, facts, at + TICKET_KEPT, 0 if facts.remote else event.people_ahead)


def ticket_called(event: queue.TicketCalled, at: datetime) -> Heard:
    return Heard(event.ticket, True, False, forget_at=at + TICKET_KEPT, called=True)


def ticket_returned(event: queue.TicketReturned, at: datetime) -> Heard:
    waits = event.state != ticket_pb2.Ticket.STATE_PARKED
    return Heard(event.ticket, True, waits, forget_at=at + TICKET_KEPT, called=True)


def ticket_ended(event: queue.TicketEnded, at: datetime) -> Heard:
    """A missed ticket waits again. Its old place in this line stands; it was called already and is not reminded."""
    waits = event.state == ticket_pb2.Ticket.STATE_MISSED
    return Heard(event.ticket, waits, waits, forget_at=at + (TICKET_KEPT if waits else ENDED_KEPT), called=waits)


def ticket_transferred(event: queue.TicketTransferred, at: datetime) -> Heard:
    return Heard(event.ticket, False, forget_at=at + ENDED_KEPT)


def appointment_made(event: queue.AppointmentConfirmed | queue.AppointmentRescheduled, at: datetime) -> Heard:
    start = _moment(event.start)
    facts = Facts(
        Kind.APPOINTMENT,
        event.agency,
        event.offering,
        start=start,
        sealed_phone=event.sealed_phone,
        sealed_email=event.sealed_email,
    )
    return Heard(event.appointment, True, facts=facts, forget_at=max(at, start) + ENDED_KEPT)


def appointment_over(
    event: queue.AppointmentCancelled | queue.AppointmentCheckedIn | queue.AppointmentNoShow, at: datetime
) -> Heard:
    return Heard(event.appointment, False, forget_at=at + ENDED_KEPT)


def application(event: applications.ApplicationOpened | applications.ApplicationAdvanced, at: datetime) -> Heard:
    if isinstance(event, applications.ApplicationAdvanced) and event.state in _APPLICATION_ENDS:
        return Heard(event.application, False, forget_at=at + ENDED_KEPT)
    facts = Facts(Kind.APPLICATION, event.agency, event.offering, sealed_phone=event.sealed_phone)
    return Heard(event.application, True, facts=facts)


def line_of(ticket: str) -> str:
    """The queue of a ticket's name."""
    return ticket.rpartition("/tickets/")[0]


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
