"""What the rules refuse. Knows reasons and fields; never how a transport shows them."""

from __future__ import annotations


class InvalidField(Exception):
    """The request's `field` cannot be accepted, whatever the state."""

    def __init__(self, field: str, message: str, reason: str = "INVALID_FIELD") -> None:
        super().__init__(message)
        self.field, self.reason = field, reason


class WrongState(Exception):
    """The resource is not in a state for it."""

    reason = "WRONG_STATE"


class AlreadyGranted(Exception):
    """The agency has an active grant."""

    reason = "ALREADY_EXISTS"


class EtagMismatch(Exception):
    """The resource changed since the caller saw it."""

    reason, field = "ETAG_MISMATCH", "etag"
