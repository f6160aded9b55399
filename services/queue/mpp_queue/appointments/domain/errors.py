"""What the rules of bookings refuse. Reasons are stable and part of the contract; texts are for people."""

from __future__ import annotations

from mpp_queue.domain import QueueError


class SlotFull(QueueError):
    """No place is free. Says nothing of places that cool: who waits for a freed one shall learn nothing."""

    reason = "SLOT_FULL"


class NotInWindow(QueueError):
    """The day cannot be booked yet, or not any more; metadata: `first_day`, `last_day`."""

    reason = "OUTSIDE_BOOKING_WINDOW"


class HoldExpired(QueueError):
    reason = "HOLD_EXPIRED"


class TooEarly(QueueError):
    """Check-in opens later; metadata: `opens_at`."""

    reason = "CHECK_IN_TOO_EARLY"


class Missed(QueueError):
    """The booked time is over: reschedule."""

    reason = "APPOINTMENT_MISSED"


class Elsewhere(QueueError):
    """Nobody comes for a phone or a video appointment: an officer starts it."""

    reason = "APPOINTMENT_ELSEWHERE"


class RescheduledBefore(QueueError):
    """A missed appointment can be given a new time once."""

    reason = "RESCHEDULED_BEFORE"
