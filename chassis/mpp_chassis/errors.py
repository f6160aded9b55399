"""Faults that a use case may raise. Knows their names and reasons; never how a transport shows them (see server)."""

from __future__ import annotations

from collections.abc import Mapping


class Fault(Exception):
    """Something the caller should know. `reason` is stable (UPPER_SNAKE) and part of the contract; the text is not."""

    default_reason = "FAULT"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        field: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason or self.default_reason
        self.field = field
        self.metadata = dict(metadata or {})


class InvalidField(Fault):
    """The request's `field` cannot be accepted, whatever the state."""

    default_reason = "INVALID_FIELD"

    def __init__(
        self, field: str, message: str, *, reason: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, reason=reason, field=field, metadata=metadata)


class NotFound(Fault):
    default_reason = "NOT_FOUND"


class AlreadyExists(Fault):
    default_reason = "ALREADY_EXISTS"


class FailedPrecondition(Fault):
    """The resource is not in a state for it; trying again changes nothing until the state does."""

    default_reason = "FAILED_PRECONDITION"


class Aborted(Fault):
    """Lost against other writers more often than the kit retries; the caller may try again."""

    default_reason = "CONFLICT"


class Unauthenticated(Fault):
    default_reason = "UNAUTHENTICATED"


class PermissionDenied(Fault):
    default_reason = "PERMISSION_DENIED"


class ResourceExhausted(Fault):
    default_reason = "RESOURCE_EXHAUSTED"


class Unavailable(Fault):
    """The store or the broker did not answer. Repeat with the same request_id: the effect happens at most once."""

    default_reason = "UNAVAILABLE"


class Poison(Exception):
    """Raised by an event handler: trying again cannot help, park the event at once."""
