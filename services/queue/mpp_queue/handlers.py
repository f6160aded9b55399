"""What other services tell and what time does: events and sweeps to views and use cases. No gRPC server.

Every handler is idempotent: projections look at the event's sequence, tickets at the event's id.
"""

from __future__ import annotations

from datetime import datetime

from mpp.applications.v1 import events_pb2 as applications_events
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import events_pb2 as queue_events
from mpp_chassis import logs
from mpp_chassis.entrypoint import Composed, EventMeta, every, on

from mpp_queue import sweeps, usecases
from mpp_queue.appointments.handlers import AppointmentHandlers
from mpp_queue.counters.handlers import CounterHandlers
from mpp_queue.guard.handlers import GuardHandlers
from mpp_queue.kiosks.handlers import KioskHandlers
from mpp_queue.reports.handlers import ReportHandlers
from mpp_queue.visits.handlers import VisitHandlers

MEASURE_SECONDS = 15
DAY_END_SECONDS = 300  # how long after midnight of a site its open tickets may stay open
log = logs.get(part="queue")


class Handlers(CounterHandlers, AppointmentHandlers, GuardHandlers, KioskHandlers, ReportHandlers, VisitHandlers):
    name = "queue"
    app = Composed()

    @on(catalog_events.SitePublished)
    def learn_site(self, event: catalog_events.SitePublished, meta: EventMeta) -> None:
        self.app.queues.learn_site(event.site, meta.sequence)

    @on(catalog_events.AgencyPublished)
    def learn_agency(self, event: catalog_events.AgencyPublished, meta: EventMeta) -> None:
        self.app.queues.learn_agency(event.agency, meta.sequence)

    @on(catalog_events.AgencyRetired)
    def forget_agency(self, event: catalog_events.AgencyRetired, meta: EventMeta) -> None:
        self.app.queues.forget_agency(event.agency, meta.sequence)

    @on(catalog_events.OfferingPublished)
    def learn_fee(self, event: catalog_events.OfferingPublished, meta: EventMeta) -> None:
        self.app.fees.learn(event.offering, meta.sequence)

    @on(catalog_events.OfferingRetired)
    def retire_fee(self, event: catalog_events.OfferingRetired, meta: EventMeta) -> None:
        self.app.fees.retire(event.offering, meta.sequence)

    @on(applications_events.ApplicationOpened)
    def attach_application(self, event: applications_events.ApplicationOpened, meta: EventMeta) -> None:
        if not event.ticket:
            return
        command = meta.command("AttachApplication")
        if not usecases.attach_application(self.app, event.ticket, event.application, command):
            log.warning("ticket_unknown", ticket=event.ticket, application=event.application)

    @on(queue_events.TicketTransferred)
    def complete_transfer(self, event: queue_events.TicketTransferred, meta: EventMeta) -> None:
        usecases.complete_transfer(self.app, event.ticket, event.target, event.target_offering)

    @every(MEASURE_SECONDS, lease="measure")
    def measure(self, now: datetime) -> None:
        sweeps.measure(self.app, now)

    @every(DAY_END_SECONDS, lease="day-end")
    def close_earlier_days(self, now: datetime) -> None:
        closed = sweeps.close_earlier_days(self.app, now)
        if closed:
            log.info("day_closed", tickets=closed)
