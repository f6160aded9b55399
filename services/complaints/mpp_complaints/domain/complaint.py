"""The complaint itself: each step makes a new one that carries what happened. Knows the table of steps, deadlines as
moments, limits and sight; never a calendar, a store, a message or a key (the words of the reporter are sealed strings).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from mpp_complaints.domain.deadlines import Terms
from mpp_complaints.domain.errors import InvalidField, LimitReached, NobodyToAsk, WindowClosed, WrongState
from mpp_complaints.domain.lifecycle import CLOCK, HANDLED, TRANSITIONS, WAITING, Class, Kind, Party, State, Step
from mpp_complaints.domain.overcharge import Overcharge
from mpp_complaints.domain.texts import COMPLAINT_NAME, plain_text, site_of
from mpp_complaints.domain.visibility import OVERCHARGE_WORDS_FOR, PERSON_FOR, WORDS_FOR, Reader, Visibility


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history. `reason` is sealed when the reporter wrote it, plain when a handler did."""

    state: State
    at: datetime
    actor: str
    party: Party
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    at: datetime


@dataclass(frozen=True, slots=True)
class Advanced:
    """`reason` only where a handler gave it: a reporter's reason stays sealed in the complaint."""

    from_state: State
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WentOverdue:
    due_at: datetime
    at: datetime


DomainEvent = Filed | Advanced | WentOverdue


@dataclass(frozen=True, slots=True)
class Complaint:
    """The aggregate. Methods return a new one that carries the domain events of that one step.

    Times are aware UTC. `words` are sealed, the first as filed, then each reply. `owner` is empty when nobody
    owns it (filed at a kiosk). `missed` are the deadlines whose passing was told. `waited_seconds` is what
    the queue measured for its ticket, None while unknown. `routed_to` None: the agency that it is about handles it; "":
    the site manager alone.
    """

    name: str
    agency: str
    subject: str
    words: tuple[str, ...]
    visibility: Visibility
    classified: Class
    state: State
    received_at: datetime
    due_at: datetime | None
    ticket: str = ""
    application: str = ""
    owner: str = ""
    sealed_phone: str = ""
    answer: str = ""
    rating: int = 0
    escalation_level: int = 0
    reopenings: int = 0
    info_requests: int = 0
    asked_from: State | None = None
    settle_by: datetime | None = None
    legal_by: datetime | None = None
    merged_into: str = ""
    waited_seconds: int | None = None
    missed: tuple[datetime, ...] = ()
    history: tuple[Entry, ...] = ()
    routed_to: str | None = None
    overcharge: Overcharge | None = None
    events: tuple[DomainEvent, ...] = field(default=(), compare=False)

    @property
    def look_at(self) -> datetime | None:
        """When the sweep must look at it next; None when nothing will happen by itself."""
        if self.due_at is None or (self.state in HANDLED and self.due_at in self.missed):
            return None
        return self.due_at

    @property
    def site(self) -> str:
        return site_of(self.name)

    @property
    def kind(self) -> Kind:
        return Kind.SERVICE if self.overcharge is None else Kind.OVERCHARGE

    @property
    def handled_by(self) -> str:
        """The agency whose people work on it; empty: the site manager's."""
        return self.agency if self.routed_to is None else self.routed_to

    def words_for(self, reader: Reader) -> bool:
        """Whether this reader may see the words and what was answered to them."""
        readers = WORDS_FOR[self.visibility] if self.overcharge is None else OVERCHARGE_WORDS_FOR
        return reader in readers

    def person_for(self, reader: Reader) -> bool:
        """Whether this reader may see who reports."""
        return reader in PERSON_FOR[self.visibility]

    def with_evidence(self, waited_seconds: int | None) -> Complaint:
        """Keep what the queue measured for its ticket; None keeps what is known."""
        return self if waited_seconds is None else replace(self, waited_seconds=waited_seconds)

    def overdue(self, now: datetime) -> bool:
        """Whether the handlers let the present deadline go by. False while it is the reporter's turn."""
        return self.state in HANDLED and self.due_at is not None and now >= self.due_at

    # -- steps of those who handle it

    def request_info(self, question: str, terms: Terms, now: datetime, actor: str) -> Complaint:
        """Ask the reporter. Raises LimitReached after `limits.info_requests` questions, NobodyToAsk where nobody owns it."""
        self._check(Step.REQUEST_INFO, now)
        if not self.owner:
            raise NobodyToAsk("nobody can reply to it: decide with what is there")
        question = plain_text("reason", question)
        if self.info_requests >= terms.limits.info_requests:
            raise LimitReached(
                f"the reporter was asked {self.info_requests} times already; decide with what is there",
                metadata={"limit": str(terms.limits.info_requests)},
            )
        asked = replace(self, asked_from=self.state, info_requests=self.info_requests + 1)
        return asked._move(Step.REQUEST_INFO, State.NEEDS_INFO, now, actor, terms.reply_by, question)

    def verify(self, found: Class | None, terms: Terms, now: datetime, actor: str) -> Complaint:
        """The file is complete: the agency's time and the legal maximum start. `found` None: as it was."""
        self._check(Step.VERIFY, now)
        ready = replace(self, classified=found or self.classified)._new_round(terms)
        return ready._move(Step.VERIFY, State.VERIFIED, now, actor, ready._act_by(terms))

    def assign(self, now: datetime, actor: str) -> Complaint:
        """To those who will work on it. Gives no new time: the agency's runs since verification."""
        self._check(Step.ASSIGN, now)
        return self._move(Step.ASSIGN, State.ASSIGNED, now, actor, self.due_at)

    def start(self, now: datetime, actor: str) -> Complaint:
        """The agency acts; from here the time of its class counts."""
        self._check(Step.START, now)
        return self._move(Step.START, State.IN_PROGRESS, now, actor, self.settle_by)

    def escalate(self, why: str, terms: Terms, now: datetime, actor: str) -> Complaint:
        """One level up. The new level gets the class's time anew, never beyond the legal maximum."""
        self._check(Step.ESCALATE, now)
        why = plain_text("reason", why)
        raised = self._raised(terms)._settle_anew(terms)
        return raised._move(Step.ESCALATE, State.ESCALATED, now, actor, raised._act_by(terms), why)

    def reject(self, why: str, now: datetime, actor: str) -> Complaint:
        """Out of scope."""
        self._check(Step.REJECT, now)
        return self._move(Step.REJECT, State.REJECTED, now, actor, None, plain_text("reason", why))

    def merge(self, into: str, now: datetime, actor: str) -> Complaint:
        """Into another complaint of the same site, by its name. That it exists is the caller's to know."""
        self._check(Step.MERGE, now)
        into = into.strip()
        if not COMPLAINT_NAME.fullmatch(into) or site_of(into) != site_of(self.name):
            raise InvalidField("reason", "name the complaint of this site that it is merged into")
        if into == self.name:
            raise InvalidField("reason", "a complaint is not merged into itself")
        return replace(self, merged_into=into)._move(Step.MERGE, State.MERGED, now, actor, None, into)

    def give_answer(self, answer: str, terms: Terms, now: datetime, actor: str) -> Complaint:
        """The answer; the reporter may now rate or reopen until `terms.reply_by`."""
        self._check(Step.ANSWER, now)
        answered = replace(self, answer=plain_text("answer", answer))
        return answered._move(Step.ANSWER, State.ANSWERED, now, actor, terms.reply_by)

    # -- steps of the reporter

    def reply(self, sealed_words: str, terms: Terms, now: datetime, actor: str) -> Complaint:
        """What was asked. Goes back to where the question came from; the handlers' time starts anew, but the
        legal maximum stays where the complete file put it."""
        self._check(Step.REPLY, now)
        back = self.asked_from or State.RECEIVED
        told = replace(self, words=(*self.words, sealed_words), asked_from=None)
        if back is State.RECEIVED:
            return told._move(Step.REPLY, back, now, actor, terms.verify_by)
        told = told._settle_anew(terms)
        due = told.settle_by if back is State.IN_PROGRESS else told._act_by(terms)
        return told._move(Step.REPLY, back, now, actor, due)

    def rate(self, rating: int, now: datetime, actor: str) -> Complaint:
        """1 (bad) to 5 (good); closes."""
        self._check(Step.RATE, now)
        if not 1 <= rating <= 5:
            raise InvalidField("rating", "rate from 1 to 5")
        return replace(self, rating=rating)._move(Step.RATE, State.CLOSED, now, actor, None)

    def reopen(self, sealed_reason: str, terms: Terms, now: datetime, actor: str) -> Complaint:
        """The answer is not accepted: a new round with its own clocks. Past `limits.reopenings` it goes one
        level up instead; raises LimitReached when there is no higher level."""
        self._check(Step.REOPEN, now)
        if not sealed_reason:
            raise InvalidField("reason", "say why the answer is not accepted")
        if self.reopenings < terms.limits.reopenings:
            again, to = replace(self, reopenings=self.reopenings + 1), State.REOPENED
        else:
            again, to = self._raised(terms), State.ESCALATED
        again = again._new_round(terms)
        return again._move(Step.REOPEN, to, now, actor, again._act_by(terms), sealed_reason)

    def withdraw(self, now: datetime, actor: str) -> Complaint:
        self._check(Step.WITHDRAW, now)
        return self._move(Step.WITHDRAW, State.WITHDRAWN, now, actor, None)

    # -- what happens by itself

    def tick(self, now: datetime) -> Complaint:
        """What time alone does: closes what had no reply in time, tells once of a missed deadline.

        Returns the same complaint, without events, when there is nothing to do.
        """
        if self.due_at is None or now < self.due_at:
            return replace(self, events=())
        if self.state in WAITING:
            return self._move(Step.LAPSE, State.CLOSED, now, CLOCK, None)
        if self.state not in HANDLED or self.due_at in self.missed:
            return replace(self, events=())
        told = WentOverdue(due_at=self.due_at, at=now)
        return replace(self, missed=(*self.missed, self.due_at), events=(told,))

    def restore(self, terms: Terms, now: datetime) -> Complaint:
        """What it was merged into was withdrawn by its own reporter, who cannot take this one back as well: it is received
        again, with the time to verify it anew."""
        self._check(Step.RESTORE, now)
        alone = replace(self, merged_into="", settle_by=None, legal_by=None)
        return alone._move(Step.RESTORE, State.RECEIVED, now, CLOCK, terms.verify_by)

    @property
    def answer_for_merged(self) -> str:
        """What the reporters of complaints that were merged into this one may read: nothing where its own reporter asked for
        confidence, or money is at stake."""
        shared = self.visibility is not Visibility.CONFIDENTIAL and self.overcharge is None
        return self.answer if shared else ""

    def recounted(self, terms_from: Callable[[datetime], Terms]) -> Complaint:
        """With the handlers' deadline as the days are known now: a holiday that was published after the deadline was set
        gives its day back. Never earlier than before, and never beyond the legal maximum. `terms_from`: what is due if
        the clocks start at a moment.
        """
        if self.state not in HANDLED or self.due_at is None:
            return self
        begun = next(e.at for e in reversed(self.history) if _begins_clocks(e, self.state))
        terms = terms_from(begun)
        if self.state is State.RECEIVED:
            due, settle = terms.verify_by, self.settle_by
        else:
            settle = terms.settle_by[self.classified]
            settle = settle if self.legal_by is None else min(settle, self.legal_by)
            due = settle if self.state is State.IN_PROGRESS else min(terms.act_by, settle)
        return replace(self, due_at=due, settle_by=settle, events=()) if due > self.due_at else self

    # -- inside

    def _check(self, step: Step, now: datetime) -> None:
        rule = TRANSITIONS[step]
        if self.state not in rule.sources:
            raise WrongState(step, self.state)
        late = self.state in WAITING and self.due_at is not None and now >= self.due_at
        if late and rule.party is Party.REPORTER:
            raise WindowClosed("the time to reply is over and the complaint closes; a new one may be filed")

    def _move(
        self, step: Step, to: State, now: datetime, actor: str, due: datetime | None, reason: str = ""
    ) -> Complaint:
        rule = TRANSITIONS[step]
        if self.state not in rule.sources or to not in rule.targets:
            raise WrongState(step, self.state)
        entry = Entry(state=to, at=now, actor=actor, party=rule.party, reason=reason)
        told = reason if rule.party is Party.HANDLER else ""
        return replace(
            self,
            state=to,
            due_at=due,
            asked_from=self.asked_from if to is State.NEEDS_INFO else None,
            history=(*self.history, entry),
            events=(Advanced(from_state=self.state, at=now, reason=told),),
        )

    def _new_round(self, terms: Terms) -> Complaint:
        settle = min(terms.settle_by[self.classified], terms.legal_by)
        return replace(self, settle_by=settle, legal_by=terms.legal_by)

    def _settle_anew(self, terms: Terms) -> Complaint:
        settle = terms.settle_by[self.classified]
        return replace(self, settle_by=settle if self.legal_by is None else min(settle, self.legal_by))

    def _act_by(self, terms: Terms) -> datetime:
        return terms.act_by if self.settle_by is None else min(terms.act_by, self.settle_by)

    def _raised(self, terms: Terms) -> Complaint:
        if self.escalation_level >= terms.limits.escalation_levels:
            raise LimitReached(
                "there is no higher level here; the Ombudsman can be asked",
                metadata={"limit": str(terms.limits.escalation_levels)},
            )
        return replace(self, escalation_level=self.escalation_level + 1)


def _begins_clocks(entry: Entry, state: State) -> bool:
    """Whether a complaint in `state` has its time from this line: filed, verified, reopened, escalated, restored, or replied
    to. Assigning and starting give no new time.
    """
    if state is State.RECEIVED:
        return entry.state is State.RECEIVED
    again = entry.party is Party.REPORTER and entry.state in HANDLED
    return again or entry.state in (State.VERIFIED, State.REOPENED, State.ESCALATED)


@dataclass(frozen=True, slots=True)
class NewComplaint:
    """What a reporter hands in. `sealed_words` and `sealed_phone` are sealed already; `owner` may be ""."""

    name: str
    agency: str
    subject: str
    sealed_words: str
    visibility: Visibility
    classified: Class = Class.LIGHT
    ticket: str = ""
    application: str = ""
    owner: str = ""
    sealed_phone: str = ""
    routed_to: str | None = None
    overcharge: Overcharge | None = None


def file(new: NewComplaint, terms: Terms, now: datetime, actor: str) -> Complaint:
    """A complaint is received; its verification is due. What nobody owns is never public: there is no person
    to show; and a report of an overcharge never is. Raises InvalidField naming agency, ticket, application, offering or
    subject."""
    site = site_of(new.name)
    offering = new.overcharge.offering if new.overcharge else ""
    named = {"agency": new.agency, "ticket": new.ticket, "application": new.application, "offering": offering}
    for field_name, value in named.items():
        if value and site_of(value) != site:
            raise InvalidField(field_name, f"belongs to another site than {site}")
    nobody = new.visibility is Visibility.PUBLIC and (not new.owner or new.overcharge is not None)
    return Complaint(
        name=new.name,
        agency=new.agency,
        subject=plain_text("subject", new.subject),
        words=(new.sealed_words,),
        visibility=Visibility.ANONYMOUS if nobody else new.visibility,
        classified=new.classified,
        state=State.RECEIVED,
        received_at=now,
        due_at=terms.verify_by,
        ticket=new.ticket,
        application=new.application,
        owner=new.owner,
        sealed_phone=new.sealed_phone,
        routed_to=new.routed_to,
        overcharge=new.overcharge,
        history=(Entry(state=State.RECEIVED, at=now, actor=actor, party=Party.REPORTER),),
        events=(Filed(at=now),),
    )
