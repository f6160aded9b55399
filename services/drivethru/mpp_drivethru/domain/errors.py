"""How the rules of a drive-thru say no: stable reasons, the field or the metadata that a client needs. No rule itself."""

from __future__ import annotations

from typing import ClassVar


class DriveThruError(Exception):
    """A rule says no. `reason` is stable; the text is for people."""

    reason: ClassVar[str] = "DRIVETHRU_ERROR"

    def __init__(self, message: str, *, field: str | None = None, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata = metadata or {}


class InvalidField(DriveThruError):
    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class WrongState(DriveThruError):
    """The pass is not where this step begins; metadata: `state`."""

    reason = "WRONG_STATE"


class StageTaken(DriveThruError):
    """Another vehicle is at that stage; metadata: `number`."""

    reason = "STAGE_TAKEN"


class LaneBlocked(DriveThruError):
    """A vehicle before it in the lane is not past that stage; metadata: `number`."""

    reason = "LANE_BLOCKED"


class UnderMaintenance(DriveThruError):
    """The whole site takes nothing new; metadata: `ends_at` (RFC 3339), `text_id`, `text_en` (ADR 0035)."""

    reason = "MAINTENANCE"


class ChannelClosed(DriveThruError):
    """This channel takes no vehicle; metadata: `cause` (CLOSURE, CHANNEL_CLOSED), `opens_at` where known, `text_id`,
    `text_en`."""

    reason = "CHANNEL_CLOSED"


class BadSettings(Exception):
    """A channel's settings do not make a drive-thru; `path` says where: `lanes[1].id`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
