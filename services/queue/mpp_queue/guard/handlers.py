"""The service's own events to the counts of phones and devices. Mixed into the service's Handlers; no gRPC server.

Idempotent: a count knows the tickets that are in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mpp.queue.v1 import events_pb2
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
        keys = {"phone": event.phone_key, "device": event.device_key if event.channel == OWN_DEVICE else ""}
        at, command = event.issued_at.ToDatetime(tzinfo=UTC), meta.command("CountTicket")
        for origin, key in keys.items():
            usecases.note(self.app.guard_room, place=event.ticket, origin=origin, key=key, at=at, command=command)

    @on(events_pb2.AppointmentConfirmed)
    def count_appointment(self, event: events_pb2.AppointmentConfirmed, meta: EventMeta) -> None:
        usecases.note(
            self.app.guard_room, place=event.appointment, origin="phone", key=event.phone_key, at=meta.time,
            command=meta.command("CountAppointment"),
        )  # fmt: skip

    @every(SECONDS, lease="booking-alarms")
    def measure_booking_alarms(self, now: datetime) -> None:
        usecases.measure(self.app.guard_room)
