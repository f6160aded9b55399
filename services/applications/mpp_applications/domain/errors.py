"""What the rules refuse. Each error has a stable `reason`; none carries a person's data."""

from __future__ import annotations

from collections.abc import Iterable


class ApplicationsError(Exception):
    """A refusal. `reason` is stable and UPPER_SNAKE, `field` names the input at fault, `metadata` is for
    programs.
    """

    reason = "APPLICATIONS_ERROR"

    def __init__(self, message: str, *, field: str | None = None, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata = metadata or {}


class InvalidField(ApplicationsError):
    """An input that is wrong by itself, whatever the state."""

    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class WrongState(ApplicationsError):
    """The action is not allowed in the present state."""

    reason = "WRONG_STATE"

    def __init__(self, state: str, action: str) -> None:
        message = f"{action} is not allowed while the application is {state}"
        super().__init__(message, metadata={"state": state, "action": action})


class RequirementsMissing(ApplicationsError):
    """Not every requirement of the offering was presented; `metadata["missing"]` lists their ids."""

    reason = "REQUIREMENTS_MISSING"

    def __init__(self, missing: Iterable[str]) -> None:
        ids = ",".join(missing)
        super().__init__(f"requirements not presented: {ids}", metadata={"missing": ids})


class WrongPickupCode(ApplicationsError):
    """The code is not the one of this application; `metadata["tries_left"]` says how often one may try
    again.
    """

    reason = "WRONG_PICKUP_CODE"

    def __init__(self, tries_left: int) -> None:
        message = f"the pickup code is wrong; {tries_left} tries left"
        super().__init__(message, field="pickup_code", metadata={"tries_left": str(tries_left)})


class PickupLocked(ApplicationsError):
    """Too many wrong codes. MARK_READY makes a new code and unlocks."""

    reason = "PICKUP_LOCKED"

    def __init__(self) -> None:
        super().__init__("too many wrong pickup codes; an officer must mark the document ready again")
