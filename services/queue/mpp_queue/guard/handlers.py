"""The service's own events to the counts of phones, devices and persons. Mixed into the service's Handlers; no gRPC server.

Idempotent: a count knows the tickets that are in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mpp.queue.v1 import events_pb2
from mpp_chassis.call import Command
from mpp_chassis.entrypoint import EventMeta, every, on

from mpp_queue.domain import REMOTE_CHANNELS
from mpp_queue.guard import usecases

# A transferred ticket is no new one, and a booked one was counted when it was booked. A kiosk's own device takes for all.
NOT_COUNTED = frozenset({"transfer", "appointment"}) | REMOTE_CHANNELS
OWN_DEVICE = "online"
SECONDS = 60


class GuardHandlers:
    app: Any

    @on(events_pb2.TicketIssued)
    def count_ticket(self, event: events_pb2.TicketIssued, meta: EventMeta) -> None:
        if event.channel in NOT_COUNTED:
            return
        device = event.device_key if event.channel == OWN_DEVICE else ""
        keys = {"phone": event.phone_key, "device": device, "person": event.person_key}
        at, command = event.issued_at.ToDatetime(tzinfo=UTC), meta.command("CountTicket")
        self._note("taken", event.ticket, at, keys, command, event.visit)

    @on(events_pb2.AppointmentConfirmed)
    def count_appointment(self, event: events_pb2.AppointmentConfirmed, meta: EventMeta) -> None:
        keys = {"phone": event.phone_key, "person": event.person_key}
        self._note("taken", event.appointment, meta.time, keys, meta.command("CountAppointment"))

    @on(events_pb2.AppointmentHeld)
    def count_hold(self, event: events_pb2.AppointmentHeld, meta: EventMeta) -> None:
        """Whom it is for, else who books. What an officer books is the agency's own doing."""
        if not event.internal:
            keys = {"person": event.person_key or event.booker_key}
            self._note("held", event.appointment, event.at.ToDatetime(tzinfo=UTC), keys, meta.command("CountHold"))

    def _note(
        self, subject: str, place: str, at: datetime, keys: dict[str, str], command: Command, visit: str = ""
    ) -> None:
        for origin, key in keys.items():
            usecases.note(self.app.guard_room, usecases.Deed(place, subject, origin, key, at, visit), command)

    @every(SECONDS, lease="booking-alarms")
    def measure_booking_alarms(self, now: datetime) -> None:
        usecases.measure(self.app.guard_room)
