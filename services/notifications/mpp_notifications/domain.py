"""The life of one message to one person by one channel: claims, outcomes, receipts, retries, ends.

Knows the rules and nothing else: standard library only. Phone, e-mail address, text and calendar file are opaque
sealed strings here. Never knows a template, an event of another service, a store, or how a provider is reached.

States and rules: DOMAIN.md ("States"). A terminal state never changes; a repeated receipt is accepted and
logged; a fallback channel is a child message.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

HISTORY_KEPT = 40


class Channel(StrEnum):
    SMS = "sms"
    WHATSAPP = "whatsapp"
    EMAIL = "email"
    PUSH = "push"


class State(StrEnum):
    CREATED = "created"
    SENDING = "sending"  # claimed: somebody may be talking to the provider until `due_at`
    PENDING = "pending"  # the provider has it; its receipt is awaited
    DELIVERED = "delivered"
    TEMPORARY_FAILURE = "temporary_failure"  # waits until `due_at` for the next attempt
    PERMANENT_FAILURE = "permanent_failure"
    TECHNICAL_FAILURE = "technical_failure"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"


_FAILURES = frozenset({State.PERMANENT_FAILURE, State.TECHNICAL_FAILURE})
_RESULTS = _FAILURES | {State.DELIVERED, State.TEMPORARY_FAILURE}
_CALLED_OFF = frozenset({State.CANCELLED, State.SUPPRESSED, State.EXPIRED})

# The whole life as data. From `sending` to `sending`: the claim lapsed and another process took the message
# over. Newer news does not cancel a message that may be with a provider: nobody would know whether the
# citizen heard of it.
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.CREATED: _CALLED_OFF | {State.SENDING},
    State.SENDING: _RESULTS | {State.SENDING, State.PENDING, State.EXPIRED, State.SUPPRESSED},
    State.PENDING: _RESULTS | {State.EXPIRED},
    State.TEMPORARY_FAILURE: _CALLED_OFF | _RESULTS - {State.TEMPORARY_FAILURE} | {State.SENDING},
    State.DELIVERED: frozenset(),
    State.PERMANENT_FAILURE: frozenset(),
    State.TECHNICAL_FAILURE: frozenset(),
    State.CANCELLED: frozenset(),
    State.SUPPRESSED: frozenset(),
    State.EXPIRED: frozenset(),
}
TERMINAL = frozenset(state for state, targets in TRANSITIONS.items() if not targets)
UNSENT = frozenset({State.CREATED, State.TEMPORARY_FAILURE})


class OutcomeKind(StrEnum):
    """What a provider says of one hand-over."""

    ACCEPTED = "accepted"  # it has the message; a receipt follows
    DELIVERED = "delivered"  # it has the message and the person has it
    TEMPORARY = "temporary"  # not taken now, or not known: the same key may be tried again
    PERMANENT = "permanent"  # this recipient will never get it
    TECHNICAL = "technical"  # our own fault (credentials, configuration): trying again does not help


@dataclass(frozen=True, slots=True)
class Outcome:
    """`failure` is a short code (`busy`, `unknown_number`); `reference` is the provider's own id of the message, if it
    gave one, and is only logged. Neither holds anything personal. `retry_after`: the provider asked, with a TEMPORARY
    failure, not to be tried again before (RFC 9110, 10.2.3).
    """

    kind: OutcomeKind
    failure: str = ""
    reference: str = ""
    retry_after: timedelta | None = None


_RECEIPT_KINDS: Mapping[State, OutcomeKind] = {
    State.DELIVERED: OutcomeKind.DELIVERED,
    State.TEMPORARY_FAILURE: OutcomeKind.TEMPORARY,
    State.PERMANENT_FAILURE: OutcomeKind.PERMANENT,
    State.TECHNICAL_FAILURE: OutcomeKind.TECHNICAL,
}


class NotificationsError(Exception):
    """A rule of this service refuses. `reason` is stable and part of the contract."""

    reason: ClassVar[str] = "NOTIFICATIONS_ERROR"

    def __init__(self, message: str, *, field: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata = dict(metadata or {})


class WrongState(NotificationsError):
    """The message is not in a state for it."""

    reason = "WRONG_STATE"


class InvalidField(NotificationsError):
    """A value that cannot be used, whatever the state."""

    reason = "INVALID_FIELD"


class TooSoon(NotificationsError):
    """It was asked for a moment ago."""

    reason = "TOO_SOON"

    def __init__(self, until: datetime) -> None:
        super().__init__("it was sent a moment ago; ask again later", metadata={"next_at": until.isoformat()})


@dataclass(frozen=True, slots=True)
class Policy:
    """How hard to try. All of it is configuration; the defaults are ours, no rule prescribes them."""

    max_attempts: int = 5
    first_delay: timedelta = timedelta(seconds=5)
    factor: float = 4.0
    longest_delay: timedelta = timedelta(minutes=15)
    claim: timedelta = timedelta(seconds=60)  # longer than any provider may take to answer
    receipt_wait: timedelta = timedelta(hours=72)

    def delay(self, attempts: int, rng: random.Random) -> timedelta:
        """Wait after `attempts` failed ones: exponential, capped, spread by a fifth so that retries do not
        march in step.
        """
        exponent = min(max(0, attempts - 1), 50)
        seconds = min(self.longest_delay.total_seconds(), self.first_delay.total_seconds() * self.factor**exponent)
        return timedelta(seconds=seconds * rng.uniform(0.8, 1.2))

    def wait(self, attempts: int, asked: timedelta | None, rng: random.Random) -> timedelta:
        """Like `delay`, and not shorter than what the provider asked for; that is heard up to `longest_delay` only, so that
        no answer of a provider holds a message for ever.
        """
        return max(self.delay(attempts, rng), min(asked or timedelta(0), self.longest_delay))


@dataclass(frozen=True, slots=True)
class Ended:
    """Domain event: the message reached a state that will not change."""

    name: str
    state: State
    at: datetime


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What happened, and by whom (role and subject, never a name)."""

    at: datetime
    actor: str
    state: State
    note: str = ""


def notification_id(event_id: str, template: str, channel: Channel) -> str:
    """26 lower-case characters, the same for the same event, template and channel.

    This is what makes an effect happen once: the document of this id is the mark that the event was seen, the
    record of the effect, and the key that the provider is asked to honour.
    """
    text = f"{event_id}\n{template}\n{channel}"
    digest = hashlib.blake2b(text.encode(), digest_size=17, person=b"mpp-notify").digest()
    number, alphabet = int.from_bytes(digest, "big"), "0123456789abcdefghjkmnpqrstvwxyz"
    return "".join(alphabet[(number >> shift) & 31] for shift in range(0, 130, 5))


@dataclass(frozen=True, slots=True)
class Notification:
    """One message. Every change returns a new one; `events` are not persisted.

    `due_at` says when somebody has to look at it again; None when nothing is left to do. A sweep over
    `due_at` therefore finds whatever a crashed process left behind, in every state.
    """

    name: str
    site: str
    subject: str
    template: str
    channel: Channel
    source_event: str
    sealed_phone: str = field(repr=False)
    phone_index: str = field(repr=False)
    sealed_text: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    sealed_email: str = field(default="", repr=False)
    email_index: str = field(default="", repr=False)
    sealed_calendar: str = field(default="", repr=False)  # a calendar file, for mail
    state: State = State.CREATED
    due_at: datetime | None = None
    attempts: int = 0
    dispatch: int = 1
    provider: str = ""
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    failure: str = ""
    fallbacks: tuple[Channel, ...] = ()
    parent: str = ""
    traceparent: str = ""
    history: tuple[HistoryEntry, ...] = ()
    events: tuple[Ended, ...] = ()

    @property
    def id(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def sealed_recipient(self) -> str:
        """The address that its channel needs; empty when nobody gave it."""
        return self.sealed_email if self.channel is Channel.EMAIL else self.sealed_phone

    @property
    def recipient_index(self) -> str:
        return self.email_index if self.channel is Channel.EMAIL else self.phone_index

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    @property
    def falls_back(self) -> bool:
        """It failed, another channel is left, and that has not been started yet."""
        return self.state in _FAILURES and bool(self.fallbacks) and self.due_at is not None

    @property
    def provider_key(self) -> str:
        """The provider's idempotency key.

        It changes only after a *receipt* that says the message was taken but did not arrive: sending again
        under the old key would then do nothing.
        """
        return self.id if self.dispatch == 1 else f"{self.id}-{self.dispatch}"

    def take_up(self, now: datetime, policy: Policy, actor: str, *, opted_out: bool = False) -> Notification:
        """What is due now: claims the message for one attempt (`sending`), or ends it.

        Raises WrongState when nothing is due. The claim holds until `due_at`; then any process may take it
        over. A person who does not want to be told is not told, from the next attempt on (UU 27/2022: consent
        can be withdrawn). `failure` says `outcome_unknown` where a crashed attempt may have reached the
        provider all the same.
        """
        if self.ended or (self.due_at is not None and now < self.due_at):
            raise self._wrong("be taken up now")
        if self.state is State.PENDING:
            return self._end(State.TECHNICAL_FAILURE, now, actor, "no_receipt")
        unknown = ": outcome_unknown" if self.state is State.SENDING else ""
        if opted_out:
            return self._end(State.SUPPRESSED, now, actor, f"opted_out{unknown}")
        if now >= self.expires_at:
            return self._end(State.EXPIRED, now, actor, f"too_late{unknown}")
        if self.attempts >= policy.max_attempts:
            return self._end(State.TECHNICAL_FAILURE, now, actor, f"retries_exhausted{unknown}")
        return self._to(State.SENDING, now, actor, attempts=self.attempts + 1, due_at=now + policy.claim, failure="")

    def settle(
        self, attempt: int, outcome: Outcome, provider: str, now: datetime, policy: Policy, rng: random.Random
    ) -> Notification:
        """What the provider answered to `attempt`.

        Changes nothing but the history when that attempt is no longer the current one (its claim lapsed and
        somebody took over, or a receipt was faster): the message has moved on.
        """
        actor = f"provider:{provider}"
        if self.state is not State.SENDING or attempt != self.attempts:
            return self._note(now, actor, f"late outcome {outcome.kind} of attempt {attempt}")
        return replace(self, provider=provider)._result(outcome, now, actor, policy, rng)

    def report(
        self, state: State, failure: str, now: datetime, policy: Policy, rng: random.Random, actor: str
    ) -> Notification:
        """A provider's receipt.

        Accepted in every state but `created` (nothing was sent yet: WrongState). In a terminal state, and for
        a temporary failure that is already being retried, it is only noted in the history. Raises
        InvalidField for a state that no receipt can report.
        """
        kind = _RECEIPT_KINDS.get(state)
        if kind is None:
            raise InvalidField(f"a receipt cannot report {state}", field="state")
        if self.state is State.CREATED:
            raise self._wrong("have a receipt")
        if self.ended or (self.state is state is State.TEMPORARY_FAILURE):
            return self._note(now, actor, f"repeated receipt {state}")
        known = replace(self, dispatch=self.dispatch + (kind is OutcomeKind.TEMPORARY))
        return known._result(Outcome(kind, failure), now, actor, policy, rng)

    def cancel(self, reason: str, now: datetime, actor: str) -> Notification:
        """Newer news made this one useless. Only while it is not with a provider."""
        return self._end(State.CANCELLED, now, actor, reason)

    def child(self, name: str, now: datetime) -> Notification:
        """The same news by the next channel. Raises WrongState when no fallback is due."""
        if not self.falls_back:
            raise self._wrong("fall back")
        return Notification(
            name=name,
            site=self.site,
            subject=self.subject,
            template=self.template,
            channel=self.fallbacks[0],
            source_event=self.source_event,
            sealed_phone=self.sealed_phone,
            phone_index=self.phone_index,
            sealed_text=self.sealed_text,
            created_at=now,
            expires_at=self.expires_at,
            sealed_email=self.sealed_email,
            email_index=self.email_index,
            sealed_calendar=self.sealed_calendar,
            due_at=now,
            fallbacks=self.fallbacks[1:],
            parent=self.name,
            traceparent=self.traceparent,
        )

    def fell_back(self, now: datetime, actor: str) -> Notification:
        """The child stands: nothing is left to do here, and the text is no longer needed."""
        if not self.falls_back:
            raise self._wrong("fall back")
        noted = self._note(now, actor, f"fell back to {self.fallbacks[0]}")
        return replace(noted, fallbacks=(), due_at=None, sealed_text="", sealed_calendar="")

    def _result(self, outcome: Outcome, now: datetime, actor: str, policy: Policy, rng: random.Random) -> Notification:
        match outcome.kind:
            case OutcomeKind.ACCEPTED:
                return self._to(State.PENDING, now, actor, sent_at=now, due_at=now + policy.receipt_wait)
            case OutcomeKind.DELIVERED:
                sent = replace(self, sent_at=self.sent_at or now, delivered_at=now)
                return sent._end(State.DELIVERED, now, actor, "")
            case OutcomeKind.PERMANENT:
                return self._end(State.PERMANENT_FAILURE, now, actor, outcome.failure or "permanent")
            case OutcomeKind.TECHNICAL:
                return self._end(State.TECHNICAL_FAILURE, now, actor, outcome.failure or "technical")
            case OutcomeKind.TEMPORARY:
                return self._try_later(outcome, now, actor, policy, rng)

    def _try_later(
        self, outcome: Outcome, now: datetime, actor: str, policy: Policy, rng: random.Random
    ) -> Notification:
        failure = outcome.failure or "temporary"
        if self.attempts >= policy.max_attempts:
            return self._end(State.TECHNICAL_FAILURE, now, actor, f"retries_exhausted: {failure}")
        due = now + policy.wait(self.attempts, outcome.retry_after, rng)
        if due >= self.expires_at:
            return self._end(State.EXPIRED, now, actor, f"too_late: {failure}")
        return self._to(State.TEMPORARY_FAILURE, now, actor, due_at=due, failure=failure)

    def _end(self, state: State, now: datetime, actor: str, failure: str) -> Notification:
        """A terminal state. What is no longer needed is forgotten: the text, unless a child will carry it
        on.
        """
        carried_on = state in _FAILURES and bool(self.fallbacks) and now < self.expires_at
        ended = self._to(
            state,
            now,
            actor,
            failure=failure,
            due_at=now if carried_on else None,
            fallbacks=self.fallbacks if carried_on else (),
            sealed_text=self.sealed_text if carried_on else "",
            sealed_calendar=self.sealed_calendar if carried_on else "",
        )
        return replace(ended, events=(*ended.events, Ended(self.name, state, now)))

    def _to(self, state: State, now: datetime, actor: str, **changes: object) -> Notification:
        if state not in TRANSITIONS[self.state]:
            raise self._wrong(f"become {state}")
        changed = replace(self, state=state, **changes)  # type: ignore[arg-type]
        return changed._note(now, actor, changed.failure)

    def _note(self, now: datetime, actor: str, note: str) -> Notification:
        entry = HistoryEntry(now, actor, self.state, note)
        return replace(self, history=(*self.history, entry)[-HISTORY_KEPT:])

    def _wrong(self, wish: str) -> WrongState:
        return WrongState(f"a message that is {self.state} cannot {wish}", metadata={"state": self.state})
