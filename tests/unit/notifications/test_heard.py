"""What each event says about something open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications
from mpp.queue.v1 import events_pb2 as queue
from mpp.queue.v1 import ticket_pb2
from mpp_notifications.matters import heard

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
TICKET = "sites/malang/queues/dukcapil/tickets/t1"
APPOINTMENT = "sites/malang/queues/imigrasi/agendas/2026-03-10/appointments/a"


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def test_a_ticket_stands_in_the_line_of_its_queue_from_its_arrival() -> None:
    early = AT - timedelta(minutes=40)
    said = heard.ticket_issued(
        queue.TicketIssued(ticket=TICKET, number="D-001", people_ahead=4, arrived_at=stamp(early), sealed_phone="s"), AT
    )
    assert said.facts is not None
    assert (said.open, said.waiting, said.ahead) == (True, True, 4)
    assert (said.facts.line, said.facts.arrived_at) == ("sites/malang/queues/dukcapil", early)
    assert "sealed_phone" not in repr(said)
    without = heard.ticket_issued(queue.TicketIssued(ticket=TICKET), AT).facts
    assert without is not None
    assert without.arrived_at == AT, "an event of before 0.2.0"


@pytest.mark.parametrize(
    ("said", "standing"),
    [
        (heard.ticket_called(queue.TicketCalled(ticket=TICKET), AT), (True, False)),
        (heard.ticket_returned(queue.TicketReturned(state=ticket_pb2.Ticket.STATE_WAITING), AT), (True, True)),
        (heard.ticket_returned(queue.TicketReturned(state=ticket_pb2.Ticket.STATE_PARKED), AT), (True, False)),
        (heard.ticket_ended(queue.TicketEnded(state=ticket_pb2.Ticket.STATE_MISSED), AT), (True, True)),
        (heard.ticket_ended(queue.TicketEnded(state=ticket_pb2.Ticket.STATE_FINISHED), AT), (False, False)),
        (heard.ticket_transferred(queue.TicketTransferred(ticket=TICKET), AT), (False, False)),
        (heard.appointment_over(queue.AppointmentNoShow(appointment=APPOINTMENT), AT), (False, False)),
        (heard.appointment_over(queue.AppointmentCheckedIn(appointment=APPOINTMENT), AT), (False, False)),
    ],
)
def test_what_moves_a_standing(said: heard.Heard, standing: tuple[bool, bool]) -> None:
    assert (said.open, said.waiting) == standing
    assert said.facts is None
    assert said.forget_at is not None
    assert said.forget_at > AT


def test_an_appointment_is_forgotten_after_it_was() -> None:
    start = AT + timedelta(days=20)
    said = heard.appointment_made(queue.AppointmentConfirmed(appointment=APPOINTMENT, start=stamp(start)), AT)
    assert said.forget_at is not None
    assert said.forget_at > start


@pytest.mark.parametrize("state", application_pb2.Application.State.keys())
def test_an_application_is_open_until_an_end_of_its_own(state: str) -> None:
    """A new state of an application needs a decision here."""
    ends = {f"STATE_{each}" for each in ("COLLECTED", "REJECTED", "WITHDRAWN", "EXPIRED", "CORRECTED", "REVOKED")}
    said = heard.application(
        applications.ApplicationAdvanced(application="sites/malang/applications/a", state=state),
        AT,  # type: ignore[arg-type]
    )
    assert said.open is (state not in ends)
    assert (said.forget_at is None) is said.open, "however long it takes"


@pytest.mark.parametrize(
    "said",
    [
        heard.ticket_called(queue.TicketCalled(ticket=TICKET), AT),
        heard.ticket_returned(queue.TicketReturned(state=ticket_pb2.Ticket.STATE_WAITING), AT),
        heard.ticket_ended(queue.TicketEnded(state=ticket_pb2.Ticket.STATE_MISSED), AT),
    ],
)
def test_who_was_called_needs_no_reminder_whichever_event_tells_it_first(said: heard.Heard) -> None:
    assert said.called
    assert not heard.ticket_issued(queue.TicketIssued(ticket=TICKET), AT).called
