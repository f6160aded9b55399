"""The life of a webhook and of its deliveries. Pure: standard library only; time, ids and randomness are arguments.

Two parts, since they are written by two: `Webhook` is what people want (and where it was ended by itself), `Progress` how
far its courier came. `revision` and `generation` tie them together: progress of an older revision starts its retries
afresh, of an older generation its place as well.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

ATTEMPTS_KEPT = 50
MOST_SECRETS = 5
MOST_WEBHOOKS = 20  # of one agency
OVERLAP = timedelta(hours=24)  # an old secret signs so long beside the new one
LONGEST_WISH = timedelta(hours=1)  # of a receiver's Retry-After


class WebhookError(Exception):
    """A rule refuses. `reason` is stable and part of the contract."""

    reason: ClassVar[str] = "WEBHOOK_ERROR"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class TooManySecrets(WebhookError):
    """Rotated too often within the overlap."""

    reason = "TOO_MANY_SECRETS"


class TooManyWebhooks(WebhookError):
    """The agency has as many as it may."""

    reason = "TOO_MANY_WEBHOOKS"


class State(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"  # a tombstone: nothing is known of it any more but its name


class Reason(StrEnum):
    BY_HAND = "by_hand"
    GONE = "gone"
    FAILING = "failing"
    GRANT_REVOKED = "grant_revoked"
    POSITION_EXPIRED = "position_expired"


@dataclass(frozen=True, slots=True)
class Secret:
    """`sealed` is opaque here. Signs until `expires_at`; the newest has no end."""

    id: str
    sealed: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None

    def lives(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Disabled:
    """Domain event: the webhook stopped by itself."""

    name: str
    reason: Reason
    at: datetime


@dataclass(frozen=True, slots=True)
class Deleted:
    """Domain event: the webhook is gone for good."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, and what of the journal."""

    url: str
    event_types: tuple[str, ...] = ()
    subject_prefix: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Every change returns a new one; `events` are not persisted. `secrets`: the newest first."""

    name: str
    site: str
    agency: str
    target: Target
    secrets: tuple[Secret, ...] = field(repr=False)
    created_at: datetime
    updated_at: datetime
    start_cursor: str = ""  # where this generation begins: behind this event, or else at this time
    start_time: datetime | None = None
    state: State = State.ENABLED
    reason: Reason | None = None
    disabled_at: datetime | None = None
    revision: int = 1
    generation: int = 1
    events: tuple[Disabled | Deleted, ...] = ()

    @property
    def enabled(self) -> bool:
        return self.state is State.ENABLED

    def signing(self, now: datetime) -> tuple[Secret, ...]:
        """The secrets that sign now, the newest first."""
        return tuple(secret for secret in self.secrets if secret.lives(now))

    def update(self, target: Target, now: datetime) -> Webhook:
        return self._changed(now, target=target)

    def enable(self, now: datetime) -> Webhook:
        if self.enabled:
            return self
        return self._changed(now, state=State.ENABLED, reason=None, disabled_at=None)

    def disable(self, now: datetime) -> Webhook:
        """By a person. Disabled already: no change, also not of the reason."""
        if not self.enabled:
            return self
        return self._stopped(Reason.BY_HAND, now)

    def give_up(self, revision: int, reason: Reason, now: datetime) -> Webhook:
        """By its courier, who acted on `revision`. No change when somebody changed it since."""
        if not self.enabled or revision != self.revision:
            return self
        return replace(self._stopped(reason, now), events=(Disabled(self.name, reason, now),))

    def rotate(self, secret: Secret, now: datetime, *, expire_previous: bool = False) -> Webhook:
        """Raises TooManySecrets."""
        old = () if expire_previous else self.signing(now)
        if len(old) >= MOST_SECRETS:
            raise TooManySecrets(f"{len(old)} secrets are valid; wait until one expires, or expire them with this one")
        overlapping = tuple(replace(s, expires_at=s.expires_at or now + OVERLAP) for s in old)
        return replace(self, secrets=(secret, *overlapping), updated_at=now)

    def replay(self, cursor: str, start_time: datetime | None, now: datetime) -> Webhook:
        """From another place; enabled from now on."""
        fresh = replace(self, start_cursor=cursor, start_time=start_time, generation=self.generation + 1)
        return fresh._changed(now, state=State.ENABLED, reason=None, disabled_at=None)

    def delete(self, now: datetime) -> Webhook:
        """Forgets address and secrets."""
        gone = self._changed(
            now, state=State.DELETED, reason=None, disabled_at=None, secrets=(), target=Target(""), start_cursor=""
        )
        return replace(gone, events=(Deleted(self.name, now),))

    def _stopped(self, reason: Reason, now: datetime) -> Webhook:
        """The revision stays, and with it what is known of the failures; enabling makes a new one."""
        return replace(self, state=State.DISABLED, reason=reason, disabled_at=now, updated_at=now, events=())

    def _changed(self, now: datetime, **changes: object) -> Webhook:
        return replace(self, updated_at=now, revision=self.revision + 1, events=(), **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits after the first, second ... failure; after the last of them comes one more try, and then the end."""

    delays: tuple[timedelta, ...]
    jitter: float = 0.2  # each wait is spread by this share, so that retries do not march in step

    def wait(self, failures: int, wish: timedelta | None, rng: random.Random) -> timedelta | None:
        """After so many failures in a row (1 or more); None: give up. A receiver's wish to wait longer is heard."""
        if failures > len(self.delays):
            return None
        base = max(self.delays[failures - 1], min(wish or timedelta(0), LONGEST_WISH))
        return base * (1 + self.jitter * rng.uniform(-1, 1))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. `status` 0: no answer. `failure` is a short code, empty after a success."""

    status: int
    failure: str
    milliseconds: int
    retry_after: timedelta | None = None

    @property
    def delivered(self) -> bool:
        return not self.failure

    @property
    def gone(self) -> bool:
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, as it is told to the agency."""

    at: datetime
    event_id: str
    event_type: str
    status: int
    failure: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the deliveries are. `cursor`: everything up to there is delivered or not wanted; empty: at the start.

    The event behind it is the only one under way: what fails holds up what comes after it, so that order is kept.
    """

    revision: int = 0
    generation: int = 0
    cursor: str = ""
    failures: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None
    delivered_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()

    def under(self, webhook: Webhook) -> Progress:
        """Brought in line with what people want by now."""
        known = self
        if known.generation != webhook.generation:
            known = replace(known, generation=webhook.generation, cursor=webhook.start_cursor)
        if known.revision != webhook.revision:
            known = replace(known, revision=webhook.revision, failures=0, failing_since=None, next_at=None)
        return known

    def passed(self, cursor: str) -> Progress:
        """The event at `cursor` is not wanted."""
        return replace(self, cursor=cursor)

    def delivered(self, cursor: str, attempt: Attempt) -> Progress:
        return replace(
            self._tried(attempt), cursor=cursor, failures=0, failing_since=None, next_at=None, delivered_at=attempt.at
        )

    def failed(self, attempt: Attempt, answer: Answer, schedule: Schedule, rng: random.Random) -> Progress:
        """The place stays; `next_at` None after this: given up."""
        failures = self.failures + 1
        wait = None if answer.gone else schedule.wait(failures, answer.retry_after, rng)
        return replace(
            self._tried(attempt),
            failures=failures,
            failing_since=self.failing_since or attempt.at,
            next_at=None if wait is None else attempt.at + wait,
        )

    def ended(self, answer: Answer) -> Reason | None:
        """Whether the last failure was the last one."""
        if self.failures and self.next_at is None:
            return Reason.GONE if answer.gone else Reason.FAILING
        return None

    def _tried(self, attempt: Attempt) -> Progress:
        return replace(self, attempts=(*self.attempts, attempt)[-ATTEMPTS_KEPT:])


def newest_first(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    return tuple(reversed(attempts))
