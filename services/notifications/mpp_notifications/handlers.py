"""Events to use cases, one thin handler an event. Knows nameko's entrypoints; never a gRPC server.

Every handler may see the same event again and events in any order: messages are named by their event, names
by their sequence.
"""

from __future__ import annotations

from datetime import datetime

from mpp.applications.v1 import events_pb2 as applications
from mpp.catalog.v1 import events_pb2 as catalog
from mpp.complaints.v1 import events_pb2 as complaints
from mpp.queue.v1 import events_pb2 as queue
from mpp_chassis.entrypoint import Composed, EventMeta, every, on

from mpp_notifications import news, usecases


class Handlers:
    """The `work` process."""

    name = "notifications"
    app = Composed()

    @on(queue.TicketIssued)
    def tell_ticket_issued(self, event: queue.TicketIssued, meta: EventMeta) -> None:
        self._tell(news.ticket_issued(event), meta)

    @on(queue.TicketCalled)
    def tell_ticket_called(self, event: queue.TicketCalled, meta: EventMeta) -> None:
        self._tell(news.ticket_called(event), meta)

    @on(queue.TicketEnded)
    def tell_ticket_ended(self, event: queue.TicketEnded, meta: EventMeta) -> None:
        self._tell(news.ticket_ended(event), meta)

    @on(queue.AppointmentConfirmed)
    def tell_appointment_confirmed(self, event: queue.AppointmentConfirmed, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)

    @on(queue.AppointmentRescheduled)
    def tell_appointment_rescheduled(self, event: queue.AppointmentRescheduled, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)

    @on(queue.AppointmentCancelled)
    def tell_appointment_cancelled(self, event: queue.AppointmentCancelled, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)

    @on(queue.AppointmentNoShow)
    def tell_appointment_missed(self, event: queue.AppointmentNoShow, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)

    @on(queue.AppointmentDue)
    def tell_appointment_due(self, event: queue.AppointmentDue, meta: EventMeta) -> None:
        self._tell(news.appointment(event), meta)

    @on(applications.ApplicationOpened)
    def tell_application_opened(self, event: applications.ApplicationOpened, meta: EventMeta) -> None:
        self._tell(news.application_opened(event), meta)

    @on(applications.ApplicationAdvanced)
    def tell_application_advanced(self, event: applications.ApplicationAdvanced, meta: EventMeta) -> None:
        self._tell(news.application_advanced(event), meta)

    @on(complaints.ComplaintFiled)
    def tell_complaint_filed(self, event: complaints.ComplaintFiled, meta: EventMeta) -> None:
        self._tell(news.complaint_filed(event), meta)

    @on(complaints.ComplaintAdvanced)
    def tell_complaint_advanced(self, event: complaints.ComplaintAdvanced, meta: EventMeta) -> None:
        self._tell(news.complaint_advanced(event), meta)

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
