"""Events to use cases, one thin handler an event. Knows nameko's entrypoints; never a gRPC server.

Every handler may see the same event again and events in any order: messages are named by their event, names
by their sequence.
"""

from __future__ import annotations

from datetime import datetime

from mpp.applications.v1 import events_pb2 as applications
from mpp.catalog.v1 import events_pb2 as catalog
from mpp.complaints.v1 import events_pb2 as complaints
from mpp.notifications.v1 import events_pb2 as notifications
from mpp.queue.v1 import events_pb2 as queue
from mpp.queue.v1 import ticket_pb2
from mpp_chassis.entrypoint import Composed, EventMeta, every, on

from mpp_notifications import news, usecases
from mpp_notifications.matters import heard
from mpp_notifications.matters import usecases as matters


class Handlers:
    """The `work` process."""

    name = "notifications"
    app = Composed()

    @on(queue.TicketIssued)
    def tell_ticket_issued(self, event: queue.TicketIssued, meta: EventMeta) -> None:
        self._tell(news.ticket_issued(event, matters.tracking_link(self.app, event.ticket)), meta)
        self._hear(heard.ticket_issued(event, meta.time), meta)

    @on(queue.TicketCalled)
    def tell_ticket_called(self, event: queue.TicketCalled, meta: EventMeta) -> None:
        self._tell(news.ticket_called(event), meta)
        self._hear(heard.ticket_called(event, meta.time), meta)
        self._line_moved(event.ticket, event.agency, meta)

    @on(queue.TicketEnded)
    def tell_ticket_ended(self, event: queue.TicketEnded, meta: EventMeta) -> None:
        remote = bool(event.sealed_phone) and self.app.matters.is_remote(event.ticket)
        self._tell(news.ticket_ended(event, remote=remote), meta)
        self._hear(heard.ticket_ended(event, meta.time), meta)
        if event.state != ticket_pb2.Ticket.STATE_CLOSED_AT_DAY_END:  # nobody's turn comes nearer when a day ends
            self._line_moved(event.ticket, event.agency, meta)
        matters.ask_how_it_was(self.app, event, meta.time, meta.command("TicketFinished"))

    @on(queue.TicketReturned)
    def hear_ticket_returned(self, event: queue.TicketReturned, meta: EventMeta) -> None:
        self._hear(heard.ticket_returned(event, meta.time), meta)

    @on(queue.TicketTransferred)
    def hear_ticket_transferred(self, event: queue.TicketTransferred, meta: EventMeta) -> None:
        self._hear(heard.ticket_transferred(event, meta.time), meta)
        self._line_moved(event.ticket, event.agency, meta)

    @on(queue.AppointmentConfirmed)
    def tell_appointment_confirmed(self, event: queue.AppointmentConfirmed, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)
        self._hear(heard.appointment_made(event, meta.time), meta)

    @on(queue.AppointmentRescheduled)
    def tell_appointment_rescheduled(self, event: queue.AppointmentRescheduled, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)
        self._hear(heard.appointment_made(event, meta.time), meta)

    @on(queue.AppointmentCancelled)
    def tell_appointment_cancelled(self, event: queue.AppointmentCancelled, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)
        self._hear(heard.appointment_over(event, meta.time), meta)

    @on(queue.AppointmentCheckedIn)
    def hear_appointment_checked_in(self, event: queue.AppointmentCheckedIn, meta: EventMeta) -> None:
        self._hear(heard.appointment_over(event, meta.time), meta)

    @on(queue.AppointmentNoShow)
    def tell_appointment_missed(self, event: queue.AppointmentNoShow, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)
        self._hear(heard.appointment_over(event, meta.time), meta)

    @on(queue.AppointmentDue)
    def tell_appointment_due(self, event: queue.AppointmentDue, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)

    @on(applications.ApplicationOpened)
    def tell_application_opened(self, event: applications.ApplicationOpened, meta: EventMeta) -> None:
        self._tell(news.application_opened(event), meta)
        self._hear(heard.application(event, meta.time), meta)

    @on(applications.ApplicationAdvanced)
    def tell_application_advanced(self, event: applications.ApplicationAdvanced, meta: EventMeta) -> None:
        self._tell(news.application_advanced(event), meta)
        self._hear(heard.application(event, meta.time), meta)

    @on(complaints.ComplaintFiled)
    def tell_complaint_filed(self, event: complaints.ComplaintFiled, meta: EventMeta) -> None:
        self._tell(news.complaint_filed(event), meta)

    @on(complaints.ComplaintAdvanced)
    def tell_complaint_advanced(self, event: complaints.ComplaintAdvanced, meta: EventMeta) -> None:
        self._tell(news.complaint_advanced(event), meta)

    @on(notifications.OverviewAsked)
    def tell_overview(self, event: notifications.OverviewAsked, meta: EventMeta) -> None:
        matters.tell_overview(self.app, event, meta.time, meta.command("OverviewAsked"))

    @on(catalog.SitePublished)
    def learn_site(self, event: catalog.SitePublished, meta: EventMeta) -> None:
        site = event.site
        self.app.names.learn(site.name, meta.sequence, site.display_name, site.time_zone)

    @on(catalog.AgencyPublished)
    def learn_agency(self, event: catalog.AgencyPublished, meta: EventMeta) -> None:
        self.app.names.learn(event.agency.name, meta.sequence, event.agency.display_name)

    @on(catalog.OfferingPublished)
    def learn_offering(self, event: catalog.OfferingPublished, meta: EventMeta) -> None:
        self.app.names.learn(event.offering.name, meta.sequence, event.offering.display_name)

    @every(2, lease="attend_due")
    def attend_due(self, now: datetime) -> None:
        """Finishes what a crash, a busy provider or a missing receipt left behind."""
        usecases.attend_due(self.app, now)

    @every(15, lease="measure")
    def measure(self, now: datetime) -> None:
        usecases.measure(self.app, now)

    def _tell(self, what: news.News | None, meta: EventMeta) -> None:
        if what is not None:
            usecases.tell(self.app, what, meta.time, meta.command(what.event))

    def _hear(self, what: heard.Heard, meta: EventMeta) -> None:
        matters.hear(self.app, what, meta.sequence)

    def _line_moved(self, ticket: str, agency: str, meta: EventMeta) -> None:
        matters.remind_of_turns(self.app, ticket, agency, meta.time, meta.command("TicketNear"))
