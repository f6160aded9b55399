"""Events to use cases. The catalogue hears itself (a renamed agency changes what its services are found by), and which
tickets, applications and bookings are open (a service with open ones cannot vanish).

Knows nameko entrypoints; never a gRPC server. Every handler is idempotent: the projection looks at the sequence.
"""

from __future__ import annotations

from typing import Any

from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications_events
from mpp.catalog.v1 import events_pb2
from mpp.queue.v1 import events_pb2 as queue_events
from mpp.queue.v1 import ticket_pb2
from mpp_chassis.entrypoint import Composed, EventMeta, on

from mpp_catalog import usecases
from mpp_catalog.openwork import APPLICATIONS, APPOINTMENTS, TICKETS

_STATE = application_pb2.Application.State
APPLICATION_ENDS = frozenset(
    {
        _STATE.STATE_COLLECTED,
        _STATE.STATE_REJECTED,
        _STATE.STATE_WITHDRAWN,
        _STATE.STATE_EXPIRED,
        _STATE.STATE_REVOKED,
    }
)


class Handlers:
    """The `work` process of the catalogue."""

    name = "catalog"
    app = Composed()

    @on(events_pb2.AgencyPublished)
    def reindex_agency(self, event: events_pb2.AgencyPublished, meta: EventMeta) -> None:
        """Idempotent, and order does not matter: it looks at the agency as it is now, not as the event
        tells it.
        """
        usecases.reindex_agency(self.app, event.agency.name)

    @on(queue_events.TicketIssued)
    def learn_ticket(self, event: queue_events.TicketIssued, meta: EventMeta) -> None:
        self.app.open_work.opened(
            event.ticket, meta.sequence, what=TICKETS, agency=event.agency, offering=event.offering
        )

    @on(queue_events.TicketEnded)
    def learn_ticket_end(self, event: queue_events.TicketEnded, meta: EventMeta) -> None:
        """A missed ticket waits again: it has not ended."""
        if event.state != ticket_pb2.Ticket.STATE_MISSED:
            self.app.open_work.ended(event.ticket, meta.sequence, meta.time)

    @on(queue_events.TicketTransferred)
    def learn_transfer(self, event: queue_events.TicketTransferred, meta: EventMeta) -> None:
        """The ticket ends here; the one that goes on elsewhere is told by a TicketIssued of its own."""
        self.app.open_work.ended(event.ticket, meta.sequence, meta.time)

    @on(applications_events.ApplicationOpened)
    def learn_application(self, event: applications_events.ApplicationOpened, meta: EventMeta) -> None:
        self.app.open_work.opened(
            event.application, meta.sequence, what=APPLICATIONS, agency=event.agency, offering=event.offering
        )

    @on(applications_events.ApplicationAdvanced)
    def learn_application_state(self, event: applications_events.ApplicationAdvanced, meta: EventMeta) -> None:
        if event.state in APPLICATION_ENDS:
            self.app.open_work.ended(event.application, meta.sequence, meta.time)
            return
        self.app.open_work.opened(
            event.application, meta.sequence, what=APPLICATIONS, agency=event.agency, offering=event.offering
        )

    @on(queue_events.AppointmentHeld)
    def learn_held(self, event: queue_events.AppointmentHeld, meta: EventMeta) -> None:
        self._booked(event, meta)

    @on(queue_events.AppointmentConfirmed)
    def learn_confirmed(self, event: queue_events.AppointmentConfirmed, meta: EventMeta) -> None:
        self._booked(event, meta)

    @on(queue_events.AppointmentRescheduled)
    def learn_rescheduled(self, event: queue_events.AppointmentRescheduled, meta: EventMeta) -> None:
        """The one that it took the place of is told of by an AppointmentCancelled."""
        self._booked(event, meta)

    @on(queue_events.AppointmentCancelled)
    def learn_cancelled(self, event: queue_events.AppointmentCancelled, meta: EventMeta) -> None:
        self.app.open_work.ended(event.appointment, meta.sequence, meta.time)

    @on(queue_events.AppointmentCheckedIn)
    def learn_checked_in(self, event: queue_events.AppointmentCheckedIn, meta: EventMeta) -> None:
        """From here on it is the ticket that is open; without one, the booking until it is fulfilled."""
        if event.ticket:
            self.app.open_work.ended(event.appointment, meta.sequence, meta.time)

    @on(queue_events.AppointmentFulfilled)
    def learn_fulfilled(self, event: queue_events.AppointmentFulfilled, meta: EventMeta) -> None:
        self.app.open_work.ended(event.appointment, meta.sequence, meta.time)

    @on(queue_events.AppointmentNoShow)
    def learn_no_show(self, event: queue_events.AppointmentNoShow, meta: EventMeta) -> None:
        self.app.open_work.ended(event.appointment, meta.sequence, meta.time)

    def _booked(self, event: Any, meta: EventMeta) -> None:
        name, agency, offering = event.appointment, event.agency, event.offering
        self.app.open_work.opened(name, meta.sequence, what=APPOINTMENTS, agency=agency, offering=offering)
