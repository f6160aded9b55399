"""Booked time: held, confirmed with a code, checked in at the kiosk, and its place before who came just now."""

from __future__ import annotations

import secrets

from mpp.queue.v1 import appointments_service_pb2 as booking_pb

from mpp_localrun.onlookers import now
from mpp_localrun.tour.ground import Ground


def booked_time(ground: Ground) -> None:
    queue = ground.registry
    citizen = ground.platform.token(f"warga-{secrets.token_hex(4)}", ["citizen"])
    with ground.step("A citizen books the next free time: held for 15 minutes, then confirmed"):
        today = now().astimezone(ground.zone).date().isoformat()
        look = booking_pb.ListSlotsRequest(parent=queue, from_day=today, days=1)
        slots = ground.call(ground.appointments.ListSlots, look).slots
        ground.check(bool(slots), "a time is free today")
        hold = booking_pb.HoldSlotRequest(parent=queue, start=slots[0].start)
        held = ground.call(ground.appointments.HoldSlot, hold, citizen)
        ground.event("AppointmentHeld", held.name)
        phone = f"+62812{secrets.randbelow(10**8):08d}"
        confirm = booking_pb.ConfirmAppointmentRequest(name=held.name, phone=phone)
        sure = ground.call(ground.appointments.ConfirmAppointment, confirm, citizen)
        ground.event("AppointmentConfirmed", held.name)
        ground.say(f"{slots[0].day} pukul {slots[0].time}, kode {sure.booking_code}")
    with ground.step("The code comes by SMS"):
        text = ground.announced(held.name, "appointment_confirmed")
        ground.check(sure.booking_code in text, "the message holds the booking code")
    with ground.step("A walk-in came first; the booked citizen checks in at the kiosk and is called before"):
        walk_in = ground.take(queue)
        check_in = booking_pb.CheckInRequest(parent=ground.site, booking_code=sure.booking_code)
        ticket = ground.call(ground.appointments.CheckIn, check_in, ground.kiosk).issued.ticket
        ground.event("AppointmentCheckedIn", held.name)
        called = ground.call_next(queue)
        ground.check(called.name == ticket.name, f"{ticket.number} is called before {walk_in.number}")
        ground.finish(called, queue)
        ground.event("AppointmentFulfilled", held.name)
        ground.finish(ground.call_next(queue), queue)
        ground.say(f"{ticket.number} (dengan janji temu) sebelum {walk_in.number} (tanpa janji temu)")
