"""What the catalogue, the queue and the applications tell: events to views and use cases. No gRPC server, no gRPC client.

Every handler is idempotent: projections look at the event's sequence.
"""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications_events
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import events_pb2 as queue_events
from mpp_chassis import logs
from mpp_chassis.entrypoint import Composed, EventMeta, every, on
from mpp_chassis.errors import Poison

from mpp_drivethru import gate, hearing, messages
from mpp_drivethru.app import Taken
from mpp_drivethru.domain import TicketNews, TicketState

FORGET_SECONDS = 3600
log = logs.get(part="drivethru")


class Handlers:
    name = "drivethru"
    app = Composed()

    @on(catalog_events.SitePublished)
    def learn_site(self, event: catalog_events.SitePublished, meta: EventMeta) -> None:
        try:
            self.app.channels.learn_site(event.site, meta.sequence)
        except (ValueError, KeyError) as e:
            raise Poison(f"the site's times are no calendar: {e}") from e

    @on(catalog_events.ChannelPublished)
    def learn_channel(self, event: catalog_events.ChannelPublished, meta: EventMeta) -> None:
        if problem := self.app.channels.learn(event.channel, meta.sequence):
            log.warning("channel_misconfigured", channel=event.channel.name, problem=problem)

    @on(catalog_events.ChannelRetired)
    def retire_channel(self, event: catalog_events.ChannelRetired, meta: EventMeta) -> None:
        self.app.channels.retire(event.channel, meta.sequence)

    @on(queue_events.TicketIssued)
    def complete_arrival(self, event: queue_events.TicketIssued, meta: EventMeta) -> None:
        if gate.complete_arrival(self.app, Taken(event.ticket, event.number, event.offering)):
            log.info("arrival_completed", ticket=event.ticket)

    @on(queue_events.TicketCalled)
    def follow_called(self, event: queue_events.TicketCalled, meta: EventMeta) -> None:
        self._follow(event.ticket, TicketState.CALLED, event.called_at, meta, event.counter)

    @on(queue_events.TicketServing)
    def follow_serving(self, event: queue_events.TicketServing, meta: EventMeta) -> None:
        self._follow(event.ticket, TicketState.SERVING, event.serving_at, meta, event.counter)

    @on(queue_events.TicketReturned)
    def follow_returned(self, event: queue_events.TicketReturned, meta: EventMeta) -> None:
        self._follow(event.ticket, TicketState.WAITING, event.returned_at, meta, 0)

    @on(queue_events.TicketParked)
    def follow_parked(self, event: queue_events.TicketParked, meta: EventMeta) -> None:
        self._follow(event.ticket, TicketState.WAITING, event.parked_at, meta, 0)

    @on(queue_events.TicketTransferred)
    def follow_transferred(self, event: queue_events.TicketTransferred, meta: EventMeta) -> None:
        self._follow(event.ticket, TicketState.TRANSFERRED, event.transferred_at, meta, event.counter)

    @on(queue_events.TicketEnded)
    def follow_ended(self, event: queue_events.TicketEnded, meta: EventMeta) -> None:
        state = messages.ticket_state(event.state)
        if state is not None:
            self._follow(event.ticket, state, event.ended_at, meta, event.counter)

    @on(applications_events.ApplicationOpened)
    def learn_opened(self, event: applications_events.ApplicationOpened, meta: EventMeta) -> None:
        state = application_pb2.Application.STATE_DRAFT
        hearing.learn_application(self.app, event.application, event.ticket, state, meta.sequence)

    @on(applications_events.ApplicationAdvanced)
    def learn_advanced(self, event: applications_events.ApplicationAdvanced, meta: EventMeta) -> None:
        hearing.learn_application(self.app, event.application, event.ticket, event.state, meta.sequence)

    @every(FORGET_SECONDS, lease="forget-plates")
    def forget_plates(self, now: datetime) -> None:
        forgotten = hearing.forget_plates(self.app, now)
        if forgotten:
            log.info("plates_forgotten", passes=forgotten)

    @every(FORGET_SECONDS, lease="stale-passes")
    def end_stale_passes(self, now: datetime) -> None:
        ended = hearing.end_stale(self.app, now)
        if ended:
            log.warning("stale_passes_ended", passes=ended)

    def _follow(self, ticket: str, state: TicketState, at: Timestamp, meta: EventMeta, counter: int) -> None:
        moment = at.ToDatetime(meta.time.tzinfo)
        hearing.hear_ticket(self.app, TicketNews(ticket, state, moment, counter, meta.sequence), meta.time)
