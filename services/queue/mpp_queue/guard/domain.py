"""The rules against brokers: the pause after a no-show, a ticket bound to a person, and how fast one phone or device
takes tickets. Pure, standard library only.

Knows people, phones and devices as opaque keys (blind indexes). Never knows the store or the time of day. How many
tickets one person may have a day is not here: unique keys decide that (`quota_key`, see ../domain and ../store.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from mpp_queue.domain.errors import QueueError

SHOWN = 20  # tickets that an alarm names
LEAST_KEPT = 200  # tickets of a count; more only where the policy expects more


class CoolDown(QueueError):
    """This person did not come, or gave a place back, a short while ago; metadata: `until` (RFC 3339),
    `retry_after_seconds`."""

    reason = "COOL_DOWN"


class PersonMismatch(QueueError):
    """The ticket is another person's."""

    reason = "PERSON_MISMATCH"


class AlreadyAcknowledged(QueueError):
    reason = "ALREADY_ACKNOWLEDGED"


@dataclass(frozen=True, slots=True)
class Ending:
    """A place of the person that came to nothing by the person's own doing."""

    at: datetime


def cooling_until(endings: Iterable[Ending], cool_down: timedelta) -> datetime | None:
    """When the person may take the next; None when nothing ended so."""
    return max((e.at + cool_down for e in endings), default=None)


def refuse_while_cooling(endings: Iterable[Ending], cool_down: timedelta, now: datetime) -> None:
    """Raises CoolDown."""
    until = cooling_until(endings, cool_down)
    if until is not None and now < until:
        left = ceil((until - now).total_seconds())
        raise CoolDown(
            f"after a missed or cancelled place the next is given in {ceil(left / 60)} min",
            metadata={"until": until.isoformat(timespec="seconds"), "retry_after_seconds": str(left)},
        )


def refuse_another(bound_to: str, shown: str) -> None:
    """`shown`: the key of the NIK on the card at the counter, empty when none was read. Raises PersonMismatch. A ticket
    that is bound to nobody is anybody's."""
    if bound_to and shown and bound_to != shown:
        raise PersonMismatch("the ticket belongs to another person")


@dataclass(frozen=True, slots=True)
class Taken:
    """A ticket of the phone or device."""

    ticket: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Velocity:
    """What one phone or device took of one queue lately. `trigger`: the ticket that raised the last alarm, at
    `raised_at`, with `count` tickets within the window."""

    taken: tuple[Taken, ...] = ()
    trigger: str = ""
    raised_at: datetime | None = None
    count: int = 0

    def with_ticket(self, ticket: str, at: datetime, *, window: timedelta, alarm_after: int) -> Velocity:
        """One ticket more; the same value when it is known already, or too old to say anything.

        More than `alarm_after` within `window` is an alarm (`trigger` is this ticket then), at most one a window.
        Tickets may come in any order and any number of times. `alarm_after` 0: never.
        """
        newest = max([at, *(t.at for t in self.taken)])
        if alarm_after <= 0 or at <= newest - window or any(t.ticket == ticket for t in self.taken):
            return self
        kept = sorted([*(t for t in self.taken if t.at > newest - window), Taken(ticket, at)], key=lambda t: t.at)
        after = replace(self, taken=tuple(kept[-max(alarm_after + 1, LEAST_KEPT) :]))
        quiet = self.raised_at is None or at >= self.raised_at + window
        if len(kept) > alarm_after and quiet:
            return replace(after, trigger=ticket, raised_at=at, count=len(kept))
        return after


@dataclass(frozen=True, slots=True)
class Alarm:
    """Somebody of the site should look. `origin` is `phone` or `device`, `key` its blind index."""

    name: str
    site_id: str
    queue: str
    agency: str
    origin: str
    key: str
    count: int
    window: timedelta
    raised_at: datetime
    tickets: tuple[str, ...]
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    reason: str = ""

    def acknowledge(self, *, by: str, reason: str, now: datetime) -> Alarm:
        """Raises AlreadyAcknowledged."""
        if self.acknowledged_at is not None:
            raise AlreadyAcknowledged(f"{self.acknowledged_by} has looked already")
        return replace(self, acknowledged_at=now, acknowledged_by=by, reason=reason)
