"""What events and time do to bookings. Mixed into the service's Handlers; no gRPC server.

Every handler is idempotent: projections look at the event's sequence, the rest at what the documents say now.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import events_pb2, ticket_pb2
from mpp_chassis import logs
from mpp_chassis.entrypoint import EventMeta, every, on

from mpp_queue.appointments import changing, checking_in, sweeping
from mpp_queue.domain import WrongState

SECONDS = 2
log = logs.get(part="appointments")


class AppointmentHandlers:
    app: Any

    @on(catalog_events.ChannelPublished)
    def learn_channel(self, event: catalog_events.ChannelPublished, meta: EventMeta) -> None:
        self.app.appointments.channels.learn(event.channel, meta.sequence)

    @on(catalog_events.ChannelRetired)
    def retire_channel(self, event: catalog_events.ChannelRetired, meta: EventMeta) -> None:
        self.app.appointments.channels.retire(event.channel, meta.sequence)

    @on(events_pb2.AppointmentCheckedIn)
    def draw_ticket_of_check_in(self, event: events_pb2.AppointmentCheckedIn, meta: EventMeta) -> None:
        """What a crash between check-in and ticket left behind."""
        checking_in.complete_check_in(self.app.appointments, event.appointment, datetime.now(UTC))

    @on(events_pb2.AppointmentRescheduled)
    def release_old_time(self, event: events_pb2.AppointmentRescheduled, meta: EventMeta) -> None:
        """What a crash between new time and old time left behind."""
        try:
            changing.complete_reschedule(self.app.appointments, event.replaces, event.appointment, datetime.now(UTC))
        except WrongState:
            log.info("reschedule_lost", appointment=event.appointment, replaces=event.replaces)

    @on(events_pb2.TicketEnded)
    def tell_appointment_of_ticket(self, event: events_pb2.TicketEnded, meta: EventMeta) -> None:
        checking_in.ticket_ended(self.app.appointments, event.ticket, event.state, meta.command("EndOfTicket"))

    @on(events_pb2.TicketTransferred)
    def tell_appointment_of_transfer(self, event: events_pb2.TicketTransferred, meta: EventMeta) -> None:
        """What was booked was given: the rest of the visit is the next queue's."""
        finished = ticket_pb2.Ticket.STATE_FINISHED
        checking_in.ticket_ended(self.app.appointments, event.ticket, finished, meta.command("TransferOfTicket"))

    @every(SECONDS, lease="appointments")
    def sweep_appointments(self, now: datetime) -> None:
        """Holds that ran out, reminders, no-shows."""
        sweeping.sweep(self.app.appointments, now)
