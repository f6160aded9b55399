"""The aggregate: one application from draft to pickup. Knows rules, never how anything is stored, sealed or
sent.

Every method returns a new Application whose `events` tell what happened; the one it was called on is
unchanged.
"""

from __future__ import annotations

import hmac
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from mpp_applications.domain.clock import Clock, Promise, WorkingTime, start_clock
from mpp_applications.domain.errors import (
    InvalidField,
    PickupLocked,
    RequirementsMissing,
    WrongState,
)
from mpp_applications.domain.lifecycle import (
    CLOSED,
    PAUSED,
    REASON_DUE,
    RUNNING,
    TRANSITIONS,
    Action,
    Flag,
    State,
)

PICKUP_TRIES = 5
# 16 digits as people write a NIK, and Indonesian mobile numbers.
_LIKE_A_PERSON = re.compile(r"(?<!\d)\d(?:[ .-]?\d){15}(?!\d)|(?<![\d.-])(?:\+?62|0)[ -]?8\d(?:[ -]?\d){6,11}(?!\d)")


@dataclass(frozen=True, slots=True)
class Opened:
    """A draft was made."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Advanced:
    """The application went from one state to the next. `sealed_pickup_code` is set when a code was made."""

    from_state: State
    state: State
    reason: str
    at: datetime
    sealed_pickup_code: str = ""


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flag was raised; `due_at` is None for a flag that has no deadline."""

    flag: Flag
    due_at: datetime | None
    at: datetime


Event = Opened | Advanced | Flagged


@dataclass(frozen=True, slots=True)
class SealedApplicant:
    """Who applies, sealed; `nik_index` is the blind index by which files of one person are found."""

    full_name: str
    nik: str
    phone: str
    nik_index: str


@dataclass(frozen=True, slots=True)
class Offering:
    """What this service needs of a catalogue offering. An application keeps it as it was when it was
    opened.
    """

    name: str
    agency: str
    requirements: tuple[str, ...]
    promise: Promise | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A queue ticket that was served, as the queue told."""

    name: str
    agency: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    state: State
    at: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pickup:
    """The keyed hash of the pickup code and how often a wrong one was told."""

    code_hash: str
    wrong_tries: int = 0

    @property
    def tries_left(self) -> int:
        return max(0, PICKUP_TRIES - self.wrong_tries)


@dataclass(frozen=True, slots=True)
class Application:
    """One application. `events` are new since it was loaded and are not persisted with it."""

    name: str
    site: str
    offering: str
    agency: str
    ticket: str
    applicant: SealedApplicant
    owner_keys: tuple[str, ...]
    requirements: tuple[str, ...]
    presented: tuple[str, ...]
    promise: Promise | None
    state: State
    created_at: datetime
    updated_at: datetime
    history: tuple[HistoryEntry, ...]
    flags: frozenset[Flag] = frozenset()
    warnings: tuple[str, ...] = ()
    reason: str = ""
    document_number: str = ""
    clock: Clock | None = None
    resumes_to: State | None = None
    pickup: Pickup | None = None
    events: tuple[Event, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether another application of this person for this offering would be a duplicate."""
        return self.state not in CLOSED

    @property
    def next_flag(self) -> tuple[datetime, Flag] | None:
        """The next deadline flag and when it falls due; None while no clock runs."""
        if self.clock is None or self.state not in RUNNING:
            return None
        return self.clock.falls_due(self.flags)

    def submit(self, *, presented: Iterable[str], duplicate: bool, now: datetime, actor: str) -> Application:
        """Hand the file in, first or again. Raises RequirementsMissing, WrongState, InvalidField."""
        self._allow(Action.SUBMIT)
        everything = merge_presented(self.requirements, (*self.presented, *presented))
        if missing := [r for r in self.requirements if r not in everything]:
            raise RequirementsMissing(missing)
        after = self._go(Action.SUBMIT, now=now, actor=actor)
        after = replace(after, presented=everything)
        return after._flag_duplicate(now) if duplicate else after

    def accept(
        self,
        *,
        calendar: WorkingTime | None,
        at_risk_percent: int,
        now: datetime,
        actor: str,
        reason: str = "",
    ) -> Application:
        """The file is complete: the clock starts. `calendar` may be None only where nothing is promised."""
        after = self._go(Action.ACCEPT, now=now, actor=actor, reason=reason)
        if self.promise is None:
            return after
        if calendar is None:
            raise ValueError("a promised time needs a working calendar")
        return replace(after, clock=start_clock(self.promise, now, calendar, at_risk_percent))

    def advance(
        self,
        action: Action,
        *,
        now: datetime,
        actor: str,
        reason: str = "",
        calendar: WorkingTime | None = None,
    ) -> Application:
        """Any step that needs nothing but a reason. `calendar` is needed to resume a running clock."""
        before = self.raise_due_flags(now)
        after = before._go(action, now=now, actor=actor, reason=reason)
        if after.state in PAUSED:
            clock = after.clock.pause(now) if after.clock else None
            return replace(after, resumes_to=self.state, clock=clock)
        if self.state in PAUSED and after.state in RUNNING and after.clock:
            if calendar is None:
                raise ValueError("a paused clock needs a working calendar to resume")
            after = replace(after, clock=after.clock.resume(now, calendar))
        return replace(after, resumes_to=None)

    def issue(self, *, document_number: str, now: datetime, actor: str) -> Application:
        """Record the finished document; the clock ends, and what is late by now is flagged."""
        after = self.raise_due_flags(now)._go(Action.ISSUE, now=now, actor=actor)
        return replace(after, document_number=document_number)

    def mark_ready(
        self, *, code_hash: str, sealed_code: str, now: datetime, actor: str, reason: str = ""
    ) -> Application:
        """Ready for pickup with a new code; an older code and its wrong tries are forgotten."""
        after = self._go(Action.MARK_READY, now=now, actor=actor, reason=reason, sealed_code=sealed_code)
        return replace(after, pickup=Pickup(code_hash))

    def collect(self, *, code_hash: str, now: datetime, actor: str) -> Application:
        """Hand over against the code (its keyed hash is compared in constant time).

        A wrong code gives an application that is *not* collected and has one try less: it must be saved too.
        Raises PickupLocked when no try is left, WrongState.
        """
        self._allow(Action.COLLECT)
        if self.pickup is None or not self.pickup.tries_left:
            raise PickupLocked
        if not hmac.compare_digest(self.pickup.code_hash, code_hash):
            missed = replace(self.pickup, wrong_tries=self.pickup.wrong_tries + 1)
            return replace(self, pickup=missed, updated_at=now)
        return replace(self._go(Action.COLLECT, now=now, actor=actor), pickup=None)

    def withdraw(self, *, now: datetime, actor: str, reason: str = "") -> Application:
        """The applicant takes the file back; possible until the document is issued."""
        return self.raise_due_flags(now)._go(Action.WITHDRAW, now=now, actor=actor, reason=reason)

    def recounted(self, calendar: WorkingTime, at_risk_percent: int) -> Application:
        """With the deadline as the working days are known now: a holiday that was published after the file was complete
        gives its day back. Never earlier than what was promised; the pauses of its history count as they did.
        """
        if self.promise is None or self.clock is None or self.state not in RUNNING:
            return self
        clock = start_clock(self.promise, self.clock.accepted_at, calendar, at_risk_percent)
        for paused, resumed in self._pauses():
            clock = clock.pause(paused).resume(resumed, calendar)
        return replace(self, clock=clock) if clock.due_at > self.clock.due_at else self

    def _pauses(self) -> list[tuple[datetime, datetime]]:
        """From when to when the clock stood still; the present pause, if any, is not among them."""
        lines = zip(self.history, self.history[1:], strict=False)
        return [(one.at, after.at) for one, after in lines if one.state in PAUSED]

    def raise_due_flags(self, now: datetime) -> Application:
        """With every deadline flag that is due by now; itself when there is none."""
        app = self
        while (due := app.next_flag) and due[0] <= now:
            app = app._raise(due[1], app.clock.due_at if app.clock else None, now)
        return app

    def _flag_duplicate(self, now: datetime) -> Application:
        return self if Flag.DUPLICATE_SUSPECTED in self.flags else self._raise(Flag.DUPLICATE_SUSPECTED, None, now)

    def _raise(self, flag: Flag, due_at: datetime | None, now: datetime) -> Application:
        return replace(
            self,
            flags=self.flags | {flag},
            updated_at=now,
            events=(*self.events, Flagged(flag=flag, due_at=due_at, at=now)),
        )

    def _allow(self, action: Action) -> State:
        if action not in TRANSITIONS[self.state]:
            raise WrongState(self.state, action)
        target = TRANSITIONS[self.state][action] or self.resumes_to
        if target is None:
            raise ValueError(f"{self.name} is paused and does not know what it left")
        return target

    def _go(self, action: Action, *, now: datetime, actor: str, reason: str = "", sealed_code: str = "") -> Application:
        check_reason(action, reason)
        target = self._allow(action)
        step = Advanced(self.state, target, reason, now, sealed_code)
        return replace(
            self,
            state=target,
            reason=reason,
            updated_at=now,
            history=(*self.history, HistoryEntry(target, now, actor, reason)),
            events=(*self.events, step),
        )


def open_application(
    *,
    name: str,
    site: str,
    offering: Offering,
    ticket: str,
    known_ticket: Ticket | None,
    applicant: SealedApplicant,
    warnings: Iterable[str],
    presented: Iterable[str],
    owner_keys: Iterable[str],
    duplicate: bool,
    now: datetime,
    actor: str,
) -> Application:
    """A new draft.

    `ticket` may be unknown (`known_ticket` None): the queue's event may come later than the officer is
    quick, so it is accepted unchecked then, and never checked afterwards. A known one must be of the
    offering's agency. Raises InvalidField naming offering, ticket or presented_requirements.
    """
    if not offering.name.startswith(f"{site}/"):
        raise InvalidField("offering", "the offering is of another site")
    if ticket and not ticket.startswith(f"{site}/"):
        raise InvalidField("ticket", "the ticket is of another site")
    if known_ticket is not None and known_ticket.agency != offering.agency:
        raise InvalidField("ticket", "the ticket is of another agency than the offering")
    draft = Application(
        name=name,
        site=site,
        offering=offering.name,
        agency=offering.agency,
        ticket=ticket,
        applicant=applicant,
        owner_keys=tuple(owner_keys),
        requirements=offering.requirements,
        presented=merge_presented(offering.requirements, presented),
        promise=offering.promise,
        state=State.DRAFT,
        created_at=now,
        updated_at=now,
        history=(HistoryEntry(State.DRAFT, now, actor, ""),),
        warnings=tuple(warnings),
        events=(Opened(now),),
    )
    return draft._flag_duplicate(now) if duplicate else draft


def merge_presented(requirements: tuple[str, ...], presented: Iterable[str]) -> tuple[str, ...]:
    """What was presented, in the order of the requirements. Raises InvalidField for an id nobody asked
    for.
    """
    given = set(presented)
    if strange := sorted(given - set(requirements)):
        raise InvalidField("presented_requirements", f"the offering does not ask for: {', '.join(strange)}")
    return tuple(r for r in requirements if r in given)


def check_reason(action: Action, reason: str) -> None:
    """A reason where one is due, and never one that holds what looks like a NIK or a mobile number.

    Reasons are kept in the clear and read by many. A guard against slips: names and addresses are *not* recognised.
    """
    if action in REASON_DUE and not reason.strip():
        raise InvalidField("reason", f"{action} needs a reason that the applicant can understand")
    if _LIKE_A_PERSON.search(reason):
        raise InvalidField("reason", "holds what looks like a NIK or a phone number; leave it out")


def new_pickup_code(rng: random.Random) -> str:
    """Six digits. `rng` must be cryptographic in production: the code is what opens the counter."""
    return f"{rng.randrange(1_000_000):06d}"
