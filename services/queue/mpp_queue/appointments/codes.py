"""Booking codes and the codes of video links: how they are made, found again, and to whom they are shown.

Neither is in a stored reply or an index in clear: the code is sealed beside its blind index, the link is sealed.
"""

from __future__ import annotations

import random

from mpp.queue.v1 import appointment_pb2
from mpp_chassis.call import Call

from mpp_queue.appointments import messages
from mpp_queue.appointments.app import App
from mpp_queue.appointments.domain.booking import Booking
from mpp_queue.appointments.steps import split

Appointment = appointment_pb2.Appointment
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that are taken for another one
CODE_LENGTH = 8
CODE_ROLES = frozenset({"citizen", "kiosk", "officer"})  # the citizen, who is in front of it or served by it


def new_code(rng: random.Random) -> str:
    """`K7MP-2QXH`: what a citizen types at a kiosk. 31^8 codes: guessing one of a day's thousand takes 10^8 tries."""
    letters = "".join(rng.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def new_link_code(rng: random.Random) -> str:
    """128 bits as 32 hex digits: whoever has the link gets in, so nobody may guess it."""
    return f"{rng.getrandbits(128):032x}"


def code_key(app: App, site_id: str, code: str) -> str:
    typed = "".join(c for c in code.upper() if c.isalnum())
    return app.index.of(f"{site_id}:{typed}", "booking_code")


def with_code(app: App, reply: Appointment, call: Call) -> Appointment:
    """Code and link are in no stored reply: they are read from where they are sealed."""
    day_name, booking_id = split(reply.name)
    loaded = app.days.load(day_name)
    booking = loaded.day.find(booking_id) if loaded else None
    shown = Appointment()
    shown.CopyFrom(reply)
    if booking is not None:
        if call.role in CODE_ROLES:
            shown.booking_code = app.cipher.open(booking.sealed_code, messages.SEALED_CODE)
        shown.video_link = link_of(app, reply.name, booking, call)
    return shown


def link_of(app: App, name: str, booking: Booking, call: Call) -> str:
    """For the citizen, and for officers of the agency, which is recorded; for nobody else."""
    if call.role not in ("citizen", "officer") or not booking.sealed_link:
        return ""
    if call.role == "officer":
        app.audit.record(call.actor, "read_appointment_link", name, call.now)
    return app.cipher.open(booking.sealed_link, messages.SEALED_LINK)
