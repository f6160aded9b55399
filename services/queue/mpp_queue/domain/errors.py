"""What the queue's rules refuse, each with a reason that programs may rely on. Knows no transport and no status code."""

from __future__ import annotations

from typing import ClassVar


class QueueError(Exception):
    """A rule says no. `reason` is stable; the text is for people."""

    reason: ClassVar[str] = "QUEUE_ERROR"

    def __init__(self, message: str, *, field: str | None = None, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata = metadata or {}


class InvalidField(QueueError):
    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class WrongState(QueueError):
    reason = "WRONG_STATE"


class RecallTooSoon(QueueError):
    """The gap between two calls is not over; metadata: `retry_after_seconds`."""

    reason = "RECALL_TOO_SOON"


class RecallLimit(QueueError):
    """The ticket was called as often as it may be; metadata: `calls`, `called_seconds_ago`."""

    reason = "RECALL_LIMIT"


class CounterBusy(QueueError):
    """The counter still has a citizen; metadata: `ticket`, `counter`."""

    reason = "COUNTER_BUSY"


class VisitorBusy(QueueError):
    """The citizen of this ticket is at another counter with another ticket of the same visit; metadata: `ticket`."""

    reason = "VISITOR_BUSY"


class UndoRefused(QueueError):
    """Only the officer who called may take a call back, and only for a short time; metadata: `called_seconds_ago`."""

    reason = "UNDO_REFUSED"


class NumberTaken(QueueError):
    """A number that was not drawn here (of an offline block) has another ticket already; metadata: `number`."""

    reason = "NUMBER_TAKEN"


class ContingentExhausted(QueueError):
    """The numbers of the day are given out; metadata: `contingent`."""

    reason = "CONTINGENT_EXHAUSTED"


class QueueNotOpen(QueueError):
    """No number now; metadata: `cause` (DRAINING, CLOSURE, HOLIDAY, OUTSIDE_HOURS), `opens_at` (RFC 3339), when that is
    known; of DRAINING and CLOSURE also `text_id` and `text_en` for the citizen.
    """

    reason = "QUEUE_NOT_OPEN"


class UnderMaintenance(QueueError):
    """The site takes nothing new; metadata: `ends_at` (RFC 3339), `text_id`, `text_en`. FAILED_PRECONDITION, because
    UNAVAILABLE would be repeated at once and counted as an outage (ADR 0035).
    """

    reason = "MAINTENANCE"


class QuotaReached(QueueError):
    """This person has had all tickets that one may take a day; metadata: `per_day`."""

    reason = "QUOTA_REACHED"


class PersonRequired(QueueError):
    """This queue gives tickets only to a person with a NIK."""

    reason = "PERSON_REQUIRED"
