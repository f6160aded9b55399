"""What happens at a channel of the kind `samplechannel`: pure rules, standard library only.

Knows states and their steps. Never knows the store, the transport, another service, or the time of day: `now` (aware UTC)
comes in as an argument. A method returns a new entry that carries the event of its step in `events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar


class State(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class SampleChannelError(Exception):
    """A rule says no. `reason` is stable; the text is for people."""

    reason: ClassVar[str] = "SAMPLECHANNEL_ERROR"

    def __init__(self, message: str, *, field: str | None = None, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata = metadata or {}


class InvalidField(SampleChannelError):
    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class WrongState(SampleChannelError):
    """The entry is not where this step begins; metadata: `state`."""

    reason = "WRONG_STATE"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of this kind, as the catalogue describes it."""

    name: str
    agency: str
    offerings: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def site_id(self) -> str:
        return self.name.split("/")[1]


@dataclass(frozen=True, slots=True)
class Opened:
    at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    at: datetime
    took: timedelta


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    site_id: str
    channel: str
    agency: str
    offering: str
    opened_at: datetime
    state: State = State.OPEN
    closed_at: datetime | None = None
    events: tuple[Opened | Closed, ...] = field(default=(), compare=False)

    def close(self, *, now: datetime) -> Entry:
        """Raises WrongState."""
        if self.state is not State.OPEN:
            raise WrongState(f"it is {self.state}", metadata={"state": self.state})
        ended = max(now, self.opened_at)
        closed = replace(self, state=State.CLOSED, closed_at=ended)
        return replace(closed, events=(Closed(ended, ended - self.opened_at),))


def open_entry(name: str, channel: Channel, *, offering: str, now: datetime) -> Entry:
    """Raises InvalidField for an offering that is not to be had at this channel."""
    if offering and channel.offerings and offering not in channel.offerings:
        raise InvalidField("offering", f"{offering} is not to be had at {channel.name}")
    return Entry(name, channel.site_id, channel.name, channel.agency, offering, now, events=(Opened(now),))
