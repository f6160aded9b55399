"""The rules against brokers: the pause after a no-show, a ticket bound to a person, and how fast one phone, device
or person takes tickets and holds times. Pure, standard library only.

Knows people, phones and devices as opaque keys (blind indexes). Never knows the store or the time of day. How many
tickets one person may have a day is not here: unique keys decide that (`quota_key`, see ../domain and ../store.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

from mpp_queue.domain.errors import QueueError

SHOWN = 20  # tickets that an alarm names
LEAST_KEPT = 200  # tickets of a count; more only where the policy expects more
LATENESS = 1  # windows that something may come after something newer and still be counted with its own time


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
    """What one phone, device or person took lately, of one queue or of a whole site. `trigger`: what raised the latest
    alarm, at `raised_at`, with `count` within the window. `alarms`: the moments of the alarms that are still remembered.

    Guaranteed, in whatever order and however often things are told, as long as none comes more than a window after
    something newer (`LATENESS`): whoever took more than `alarm_after` within one window has an alarm less than a window
    from one of these. Told in order, that alarm is the one that a single process would raise. Two alarms are always at
    least a window apart.
    """

    taken: tuple[Taken, ...] = ()
    trigger: str = ""
    raised_at: datetime | None = None
    count: int = 0
    alarms: tuple[datetime, ...] = ()

    def with_ticket(
        self, ticket: str, at: datetime, *, window: timedelta, alarm_after: int, least_kept: int = LEAST_KEPT
    ) -> Velocity:
        """One ticket (or held time) more; the same value when it is known already, or too late to say anything.

        More than `alarm_after` within `window` is an alarm (`trigger` is this ticket then), at most one a window.
        `alarm_after` 0: never.
        """
        oldest = max([at, *(t.at for t in self.taken)]) - (1 + LATENESS) * window
        if alarm_after <= 0 or at <= oldest or any(t.ticket == ticket for t in self.taken):
            return self
        kept = sorted([*(t for t in self.taken if t.at > oldest), Taken(ticket, at)], key=lambda t: t.at)
        remembered = tuple(a for a in self.alarms if a > oldest - window)
        most = max(2 * (alarm_after + 1), least_kept)
        if len(kept) > most and any(abs(at - a) < window for a in remembered):
            return self  # it was told of already, and whoever floods us costs no writes
        after = replace(self, taken=tuple(kept[-most:]), alarms=remembered)
        count = _densest(kept, at, window)
        if count > alarm_after and all(abs(at - a) >= window for a in remembered):
            return replace(after, trigger=ticket, raised_at=at, count=count, alarms=(*remembered, at))
        return after


def _densest(taken: list[Taken], at: datetime, window: timedelta) -> int:
    """The most that lies within one window together with `at`. `taken` is in order."""
    ends = [t.at for t in taken if at <= t.at < at + window]
    return max(sum(1 for t in taken if end - window < t.at <= end) for end in ends)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Somebody of the site should look. `origin` is `phone`, `device` or `person`, `key` its blind index; `subject` is
    `taken` or `held`. Without queue and agency it is about the whole site."""

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
    subject: str = "taken"
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    reason: str = ""

    @property
    def reach(self) -> str:
        return "queue" if self.queue else "site"

    @property
    def pseudonym(self) -> str:
        """The same for all alarms about this key on one UTC day. Leads to nobody without the key itself."""
        day = self.raised_at.date().isoformat()
        return sha256(f"{self.site_id} {day} {self.origin} {self.key}".encode()).hexdigest()[:10]

    def acknowledge(self, *, by: str, reason: str, now: datetime) -> Alarm:
        """Raises AlreadyAcknowledged."""
        if self.acknowledged_at is not None:
            raise AlreadyAcknowledged(f"{self.acknowledged_by} has looked already")
        return replace(self, acknowledged_at=now, acknowledged_by=by, reason=reason)
