"""What other services tell and what time does: events and the deadline sweep to views and use cases. No gRPC.

Every handler is idempotent: projections look at the event's sequence, the sweep at the file's own flags.
"""

from __future__ import annotations

from datetime import datetime

from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import events_pb2 as queue_events
from mpp_chassis.entrypoint import Composed, EventMeta, every, on
from mpp_chassis.errors import Poison

from mpp_applications import usecases

SWEEP_SECONDS = 10
MEASURE_SECONDS = 15


class Handlers:
    name = "applications"
    app = Composed()

    @on(catalog_events.OfferingPublished)
    def learn_offering(self, event: catalog_events.OfferingPublished, meta: EventMeta) -> None:
        self.app.offerings.learn(event.offering, meta.sequence)

    @on(catalog_events.OfferingRetired)
    def retire_offering(self, event: catalog_events.OfferingRetired, meta: EventMeta) -> None:
        self.app.offerings.retire(event.offering, meta.sequence)

    @on(catalog_events.SitePublished)
    def learn_site(self, event: catalog_events.SitePublished, meta: EventMeta) -> None:
        try:
            self.app.sites.learn(event.site, meta.sequence)
        except (ValueError, KeyError) as e:
            raise Poison(f"the site's times are no calendar: {e}") from e

    @on(queue_events.TicketServing)
    def learn_ticket(self, event: queue_events.TicketServing, meta: EventMeta) -> None:
        self.app.tickets.learn(event, meta.sequence)

    @every(SWEEP_SECONDS, lease="deadlines")
    def flag_deadlines(self, now: datetime) -> None:
        usecases.flag_deadlines(self.app, now)

    @every(MEASURE_SECONDS, lease="measure")
    def measure(self, now: datetime) -> None:
        usecases.measure(self.app, now)
