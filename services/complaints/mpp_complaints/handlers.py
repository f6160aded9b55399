"""What other services tell and what time does: events and sweeps to views and use cases. No gRPC server.

Every handler is idempotent: projections look at the event's sequence, the sweep at the complaint's state.
"""

from __future__ import annotations

from datetime import UTC, datetime

from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.complaints.v1 import complaint_pb2
from mpp.complaints.v1 import events_pb2 as complaint_events
from mpp.queue.v1 import events_pb2 as queue_events
from mpp_chassis.entrypoint import Composed, EventMeta, every, on
from mpp_chassis.errors import Poison

from mpp_complaints import usecases

SWEEP_SECONDS = 5
MEASURE_SECONDS = 15


class Handlers:
    name = "complaints"
    app = Composed()

    @on(catalog_events.SitePublished)
    def learn_site(self, event: catalog_events.SitePublished, meta: EventMeta) -> None:
        try:
            self.app.sites.learn(event.site, meta.sequence)
        except ValueError as e:
            raise Poison(f"the site's times are no calendar: {e}") from e

    @on(catalog_events.AgencyPublished)
    def learn_agency(self, event: catalog_events.AgencyPublished, meta: EventMeta) -> None:
        self.app.agencies.learn(event.agency, meta.sequence)

    @on(catalog_events.OfferingPublished)
    def learn_offering(self, event: catalog_events.OfferingPublished, meta: EventMeta) -> None:
        self.app.offerings.learn(event.offering, meta.sequence)

    @on(catalog_events.OfferingRetired)
    def retire_offering(self, event: catalog_events.OfferingRetired, meta: EventMeta) -> None:
        self.app.offerings.retire(event.offering, meta.sequence)

    @on(queue_events.BookingAlarmRaised)
    def learn_alarm(self, event: queue_events.BookingAlarmRaised, meta: EventMeta) -> None:
        self.app.alarms.learn(event.alarm, meta.sequence, event.raised_at.ToDatetime(tzinfo=UTC), False)

    @on(queue_events.BookingAlarmAcknowledged)
    def forget_alarm(self, event: queue_events.BookingAlarmAcknowledged, meta: EventMeta) -> None:
        self.app.alarms.learn(event.alarm, meta.sequence, event.at.ToDatetime(tzinfo=UTC), True)

    @on(queue_events.TicketServing)
    def learn_wait(self, event: queue_events.TicketServing, meta: EventMeta) -> None:
        self.app.waits.learn(event.ticket, meta.sequence, event.agency, event.waited_seconds, meta.time, event.offering)

    @on(queue_events.TicketEnded)
    def learn_end(self, event: queue_events.TicketEnded, meta: EventMeta) -> None:
        self.app.waits.learn(event.ticket, meta.sequence, event.agency, event.waited_seconds, meta.time, event.offering)

    @on(complaint_events.ComplaintAdvanced)
    def restore_merged(self, event: complaint_events.ComplaintAdvanced, meta: EventMeta) -> None:
        if event.state == complaint_pb2.Complaint.STATE_WITHDRAWN:
            usecases.restore_merged(self.app, event.complaint, meta.command("RestoreMerged"))

    @every(SWEEP_SECONDS, lease="deadlines")
    def pass_deadlines(self, now: datetime) -> None:
        usecases.sweep(self.app, now)

    @every(MEASURE_SECONDS, lease="measure")
    def measure(self, now: datetime) -> None:
        usecases.measure(self.app, now)
