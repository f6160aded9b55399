"""What the rules refuse. `reason` of each is stable; which status it becomes is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mpp_complaints.domain.lifecycle import TRANSITIONS, State, Step


class ComplaintError(Exception):
    """A rule of this module refused. `reason` is stable, UPPER_SNAKE; `field` names a bad input."""

    reason: ClassVar[str] = "COMPLAINT_REFUSED"

    def __init__(self, message: str, *, field: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata: dict[str, str] = dict(metadata or {})


class InvalidField(ComplaintError):
    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class WrongState(ComplaintError):
    reason = "WRONG_STATE"

    def __init__(self, step: Step, state: State) -> None:
        allowed = ", ".join(sorted(TRANSITIONS[step].sources))
        super().__init__(
            f"{step} is not possible while the complaint is {state}; it is from: {allowed}",
            metadata={"state": state.value, "command": step.value},
        )


class WindowClosed(ComplaintError):
    """The reporter's time to reply is over; the complaint closes at the next sweep."""

    reason = "REPLY_WINDOW_CLOSED"


class LimitReached(ComplaintError):
    """No more questions to the reporter, or no higher level."""

    reason = "LIMIT_REACHED"


class NobodyToAsk(ComplaintError):
    """It was filed at a kiosk: nobody could reply, and a question would close it unheard."""

    reason = "NOBODY_TO_ASK"


class AgencyNeeded(ComplaintError):
    """Neither the ticket nor the offering is known here: the report must name the agency."""

    reason = "AGENCY_NEEDED"


class NotAboveFee(ComplaintError):
    """What was asked is not more than the published fee; metadata: `official_idr`."""

    reason = "NOT_ABOVE_FEE"
