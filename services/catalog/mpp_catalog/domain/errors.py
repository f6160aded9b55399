"""The catalogue's own refusals. Know a stable reason and the field at fault; never a status code or a transport."""

from __future__ import annotations


class CatalogError(Exception):
    """A rule of the catalogue was broken. `reason` is stable; `field` names the culprit."""

    reason = "CATALOG_ERROR"

    def __init__(self, message: str, *, field: str | None = None, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata = metadata or {}


class InvalidField(CatalogError):
    """A value that can never be right, whatever the catalogue holds."""

    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", field=field)


class EtagMismatch(CatalogError):
    """Somebody changed the resource since the caller read it."""

    reason = "ETAG_MISMATCH"


class QueueClaimed(CatalogError):
    """Another agency of the site already holds this queue id, prefix or counter."""

    reason = "QUEUE_CLAIMED"


class ChannelUnfit(CatalogError):
    """A channel that is there would not fit the changed kind."""

    reason = "CHANNEL_UNFIT"


class StillOpen(CatalogError):
    """Citizens still wait for, or are served by, what shall go. `count` goes into the metadata."""

    def __init__(self, reason: str, message: str, *, count: int) -> None:
        super().__init__(message, field="name", metadata={"count": str(count)})
        self.reason = reason  # OPEN_TICKETS, OPEN_APPLICATIONS, OPEN_APPOINTMENTS


class StillNeeded(CatalogError):
    """Something else in the catalogue refers to what shall go. One of them is in the metadata."""

    def __init__(self, reason: str, message: str, *, count: int, first: str) -> None:
        super().__init__(message, field="name", metadata={"count": str(count), "first": first})
        self.reason = reason  # HAS_OFFERINGS, HAS_CHANNELS, HAS_AGENCIES, HAS_CHANNEL_KINDS
