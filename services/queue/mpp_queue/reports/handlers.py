"""The service's own events to lines, and the sweep that learns from them. Mixed into the service's handlers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mpp.queue.v1 import events_pb2
from mpp_chassis import logs
from mpp_chassis.entrypoint import EventMeta, every, on

from mpp_queue.reports import usecases

LEARN_SECONDS, PLACES_SECONDS = 60, 600
log = logs.get(part="reports")


class ReportHandlers:
    """Each is idempotent by the event's sequence, so duplicates and disorder do no harm."""

    app: Any

    @on(events_pb2.TicketEnded)
    def note_end(self, event: events_pb2.TicketEnded, meta: EventMeta) -> None:
        usecases.note_end(self.app.reports, event, meta.sequence)

    @on(events_pb2.TicketTransferred)
    def note_transfer(self, event: events_pb2.TicketTransferred, meta: EventMeta) -> None:
        usecases.note_transfer(self.app.reports, event, meta.sequence)

    @on(events_pb2.CounterClosed)
    def note_session(self, event: events_pb2.CounterClosed, meta: EventMeta) -> None:
        usecases.note_session(self.app.reports, event, meta.sequence)

    @on(events_pb2.AppointmentConfirmed)
    def note_confirmed(self, event: events_pb2.AppointmentConfirmed, meta: EventMeta) -> None:
        usecases.note_booking(self.app.reports, event, "booked", meta.sequence)

    @on(events_pb2.AppointmentRescheduled)
    def note_rescheduled(self, event: events_pb2.AppointmentRescheduled, meta: EventMeta) -> None:
        """The new one; the one before is cancelled by an event of its own."""
        usecases.note_booking(self.app.reports, event, "booked", meta.sequence)

    @on(events_pb2.AppointmentCheckedIn)
    def note_checked_in(self, event: events_pb2.AppointmentCheckedIn, meta: EventMeta) -> None:
        usecases.note_booking(self.app.reports, event, "kept", meta.sequence)

    @on(events_pb2.AppointmentNoShow)
    def note_no_show(self, event: events_pb2.AppointmentNoShow, meta: EventMeta) -> None:
        usecases.note_booking(self.app.reports, event, "missed", meta.sequence)

    @on(events_pb2.AppointmentCancelled)
    def note_cancelled(self, event: events_pb2.AppointmentCancelled, meta: EventMeta) -> None:
        usecases.note_booking(self.app.reports, event, "dropped", meta.sequence)

    @every(PLACES_SECONDS, lease="report-places")
    def keep_places(self, now: datetime) -> None:
        """What a day offered is what it offered when it was last looked at: ten minutes before its end."""
        usecases.keep_places(self.app.reports, now)

    @every(LEARN_SECONDS, lease="service-times")
    def learn_times(self, now: datetime) -> None:
        if learned := usecases.learn(self.app.reports, now):
            log.info("times_learned", queues=learned)
