"""A ticket's life: pure rules, standard library only.

Knows states, steps and times. Never knows the store, the transport, other services, or the time of day: `now` (aware
UTC) and `actor` come in as arguments. A method returns a new ticket that carries the event of the step in `events`;
events are not persisted with it.

What is *not* decided here because no single ticket can know it: that a number is given once, that a counter has one
citizen at a time and a citizen one counter, and that one CallNext calls one ticket. Those are unique keys (`seq`,
`busy_key`, `visit_key`, `quota_key`, `call_key`), and the store's unique indexes decide them (see store.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from math import ceil

from mpp_queue.domain.admission import REMOTE_CHANNELS, Admission
from mpp_queue.domain.errors import InvalidField, RecallLimit, RecallTooSoon, UndoRefused, WrongState
from mpp_queue.domain.holder import Holder
from mpp_queue.domain.policy import OTHERS_DIGIT, busy_key, call_rank, digit_of, milliseconds, rank_of
from mpp_queue.domain.spec import PriorityGroup, QueueSpec, Rules


class State(StrEnum):
    """Where a ticket is. `MISSED` is what its event says; the ticket itself goes on to `WAITING` or
    `NO_SHOW`.
    """

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    PARKED = "parked"
    FINISHED = "finished"
    MISSED = "missed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    CLOSED_AT_DAY_END = "closed_at_day_end"


OPEN = (State.WAITING, State.CALLED, State.SERVING, State.PARKED)
AT_A_COUNTER = frozenset({State.CALLED, State.SERVING})
# States whose tickets stand on the board and tell how long a visit takes.
LATELY_CALLED = frozenset({State.CALLED, State.SERVING, State.FINISHED})


class Step(StrEnum):
    """What can be done to a ticket."""

    CALL = "call"
    RECALL = "recall"
    SERVE = "serve"
    FINISH = "finish"
    MISS = "miss"
    CANCEL = "cancel"
    CLOSE = "close"
    UNDO = "undo"
    PARK = "park"
    RESUME = "resume"
    TRANSFER = "transfer"
    REQUEUE = "requeue"


# From which states a step may be taken. CANCEL beyond waiting and called: only by an officer.
ALLOWED: dict[Step, frozenset[State]] = {
    Step.CALL: frozenset({State.WAITING}),
    Step.RECALL: frozenset({State.CALLED}),
    Step.SERVE: frozenset({State.CALLED}),
    Step.FINISH: frozenset({State.SERVING}),
    Step.MISS: frozenset({State.CALLED}),
    Step.CANCEL: frozenset({State.WAITING, State.CALLED}),
    Step.CLOSE: frozenset(OPEN),
    Step.UNDO: frozenset({State.CALLED}),
    Step.PARK: frozenset({State.CALLED, State.SERVING}),
    Step.RESUME: frozenset({State.PARKED}),
    Step.TRANSFER: frozenset({State.CALLED, State.SERVING, State.PARKED}),
    Step.REQUEUE: frozenset({State.CALLED, State.PARKED}),
}
OFFICER_MAY_CANCEL = frozenset(OPEN)


class Delivery(StrEnum):
    """Whether the officer told which services were delivered: a record of none is not the lack of a record."""

    NOT_RECORDED = ""
    RECORDED = "recorded"


class Return(StrEnum):
    """Why a called ticket waits again, its turn not used up."""

    UNDONE = "undone"
    REQUEUED = "requeued"


@dataclass(frozen=True, slots=True)
class Issued:
    people_ahead: int
    estimated_wait: timedelta
    wait_low: timedelta = timedelta(0)
    wait_high: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Called:
    pass


@dataclass(frozen=True, slots=True)
class ServingStarted:
    """`waited`: from the ticket to the counter. `walked`: from the last call to the counter, a part of it."""

    waited: timedelta
    walked: timedelta


@dataclass(frozen=True, slots=True)
class Ended:
    """`state` tells how; `MISSED` when the ticket goes back to waiting. `counter` is 0 when none had it."""

    state: State
    reason: str
    at: datetime
    counter: int
    waited: timedelta
    served: timedelta


@dataclass(frozen=True, slots=True)
class Parked:
    counter: int


@dataclass(frozen=True, slots=True)
class Returned:
    cause: Return
    at: datetime
    counter: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """One leg ends, another begins: `child` is the ticket in `target`, with the number and the arrival of this one."""

    child: str
    target: str
    offering: str
    reason: str
    at: datetime
    counter: int
    waited: timedelta
    served: timedelta


TicketEvent = Issued | Called | ServingStarted | Ended | Parked | Returned | Transferred


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One transition: when, by whom, into what, and why where a reason is due."""

    at: datetime
    actor: str
    step: str
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A citizen's place in a queue for one local day. Instants are aware UTC; `day` is the site's ISO local
    date.

    `arrived_at` is the place in the line; `issued_at` when this ticket was made: waiting times count from there, so that
    a transfer splits them. `turn_at`: the call that began the present or last turn, recalls apart. `away`: how long
    the citizen was parked in the middle of a visit.
    """

    name: str
    site_id: str
    queue: str
    agency: str
    day: str
    seq: int
    number: str
    offering: str
    group: PriorityGroup
    priority: bool
    state: State
    rank: str
    issued_at: datetime
    arrived_at: datetime
    channel: str = ""
    priority_class: str = ""
    call_key: str = ""
    second_call_key: str = ""
    busy_key: str = ""
    visit_key: str = ""
    quota_key: str = ""
    owners: tuple[str, ...] = ()
    sealed_phone: str = ""
    masked_phone: str = ""
    person_key: str = ""
    holder_key: str = ""
    phone_key: str = ""
    device_key: str = ""
    visit: str = ""
    appointment: str = ""
    parent: str = ""
    child: str = ""
    expected: timedelta | None = None
    waiting_rank: str = ""
    last_call: str = ""
    turn_at: datetime | None = None
    called_at: datetime | None = None
    called_by: str = ""
    out_of_turn: bool = False
    resumed: bool = False
    serving_at: datetime | None = None
    walked: timedelta = timedelta(0)
    away_since: datetime | None = None
    away: timedelta = timedelta(0)
    ended_at: datetime | None = None
    counter: int = 0
    calls: int = 0
    misses: int = 0
    reason: str = ""
    delivery: Delivery = Delivery.NOT_RECORDED
    delivered: tuple[str, ...] = ()
    time_inaccurate: bool = False
    applications: tuple[str, ...] = ()
    history: tuple[HistoryLine, ...] = ()
    events: tuple[TicketEvent, ...] = field(default=(), compare=False)

    @property
    def class_digit(self) -> int:
        """Its class in the line, as its rank says (`policy.index_of` tells what that means)."""
        rank = self.waiting_rank or self.rank
        if rank[1:2] == "-":
            return int(rank[0])
        return 0 if self.priority else OTHERS_DIGIT

    @property
    def effective(self) -> int:
        """Effective arrival of one who waits, in milliseconds. Ranks of version 0.2.0 have a number in its place."""
        parts = self.rank.split("-", 2)
        if len(parts) == 3 and len(parts[1]) == 13:
            return int(parts[1])
        return milliseconds(self.issued_at)

    def call(
        self,
        *,
        now: datetime,
        actor: str,
        counter: int,
        call_key: str = "",
        out_of_turn: bool = False,
        reason: str = "",
    ) -> Ticket:
        """A counter calls the ticket. `call_key` names a CallNext, so that its repetition finds this ticket."""
        self._check(Step.CALL)
        first = not self.call_key
        called = replace(
            self._at(counter, now),
            calls=self.calls + 1,
            turn_at=now,
            called_by=actor,
            waiting_rank=self.rank,
            out_of_turn=out_of_turn,
            call_key=call_key if first else self.call_key,
            second_call_key=self.second_call_key if first else call_key or self.second_call_key,
        )
        return called._to(State.CALLED, Step.CALL, now, actor, Called(), reason)

    def recall(self, *, now: datetime, actor: str, rules: Rules) -> Ticket:
        """The same counter calls once more. Raises RecallLimit, RecallTooSoon."""
        self._check(Step.RECALL)
        since = now - (self.called_at or self.issued_at)
        self._check_limit(now, rules)
        if since < rules.recall_gap:
            left = ceil((rules.recall_gap - since).total_seconds())
            raise RecallTooSoon(
                f"{self.number} may be called again in {left} s", metadata={"retry_after_seconds": str(left)}
            )
        again = replace(self, calls=self.calls + 1, called_at=now, rank=call_rank(now), last_call=call_rank(now))
        return again._to(State.CALLED, Step.RECALL, now, actor, Called())

    def undo(self, *, now: datetime, actor: str, rules: Rules) -> Ticket:
        """The call was a mistake: back at the old place, as if neither it nor its recalls had been. Raises UndoRefused.

        The time runs from the last recall. Parked again, a resumed one has no calls of its turn that count any more.
        """
        self._check(Step.UNDO)
        since = _span(self.called_at or now, now)
        if actor != self.called_by:
            raise UndoRefused(f"{self.number} was called by another officer", metadata={"cause": "other_officer"})
        if since > rules.undo:
            raise UndoRefused(
                f"{self.number} was called {int(since.total_seconds())} s ago",
                metadata={"cause": "too_late", "called_seconds_ago": str(int(since.total_seconds()))},
            )
        event = Returned(Return.UNDONE, now, self.counter)
        if self.resumed:
            back = replace(self, busy_key="", visit_key="", resumed=False, calls=0)
            return back._to(State.PARKED, Step.UNDO, now, actor, event)
        back = replace(
            self._back_in_line(), calls=max(self.calls - self._calls_at_once(), 0), last_call="", turn_at=None
        )
        return back._to(State.WAITING, Step.UNDO, now, actor, event)

    def requeue(self, *, now: datetime, actor: str, reason: str, reset_calls: bool, rules: Rules) -> Ticket:
        """Back at the old place, for a stated reason; the calls so far count on unless they are reset.

        Raises RecallLimit when they count on and are used up: such a one is missed, not put back for ever.
        """
        self._check(Step.REQUEUE)
        if not reset_calls:
            self._check_limit(now, rules)
        event = Returned(Return.REQUEUED, now, self.counter)
        back = replace(self._back_in_line(), calls=0 if reset_calls else self.calls, resumed=False)
        return back._to(State.WAITING, Step.REQUEUE, now, actor, event, reason)

    def shown_by(self, person_key: str, quota_key: str) -> Ticket:
        """The person's card is at the counter: what was taken with their NIK typed counts for them from now on. `quota_key`:
        one of theirs; empty when none is left, and then it counts as before. Nobody is sent home for it.
        """
        typed = self.holder_key and self.holder_key != self.person_key and not self.parent
        if not quota_key or not typed or self.person_key != person_key:
            return self
        return replace(self, holder_key=person_key, quota_key=quota_key)

    def serve(self, *, now: datetime, actor: str) -> Ticket:
        """The citizen is at the counter."""
        self._check(Step.SERVE)
        walked = _span(self.called_at or now, now)
        there = replace(
            self,
            serving_at=self.serving_at or now,
            walked=walked if self.serving_at is None else self.walked,
            away=self._away(now),
            away_since=None,
            resumed=False,
        )
        event = ServingStarted(waited=_span(self.issued_at, there.serving_at or now), walked=walked)
        return there._to(State.SERVING, Step.SERVE, now, actor, event)

    def finish(
        self,
        *,
        now: datetime,
        actor: str,
        delivery: Delivery = Delivery.NOT_RECORDED,
        delivered: Sequence[str] = (),
        time_inaccurate: bool = False,
    ) -> Ticket:
        """The visit is over. `delivered`: offerings, when that is recorded. Raises InvalidField."""
        self._check(Step.FINISH)
        if delivered and delivery is Delivery.NOT_RECORDED:
            raise InvalidField("delivery", "is not recorded although services are told")
        for n, offering in enumerate(delivered):
            if not offering.startswith(f"sites/{self.site_id}/"):
                raise InvalidField(f"delivered[{n}]", f"{offering} is not of site {self.site_id}")
        told = replace(self, delivery=delivery, delivered=tuple(delivered), time_inaccurate=time_inaccurate)
        return told._end(State.FINISHED, Step.FINISH, now, actor)

    def park(self, *, now: datetime, actor: str, reason: str) -> Ticket:
        """The citizen steps aside (a form, a copy); the counter is free, the ticket keeps where it was."""
        self._check(Step.PARK)
        away_since = self.away_since or (now if self.serving_at else None)
        aside = replace(self, busy_key="", visit_key="", away_since=away_since, resumed=False)
        return aside._to(State.PARKED, Step.PARK, now, actor, Parked(self.counter), reason)

    def resume(self, *, now: datetime, actor: str, counter: int) -> Ticket:
        """The parked citizen is called to a counter, not through the line: a turn of its own, with its own recalls."""
        self._check(Step.RESUME)
        called = replace(self._at(counter, now), calls=1, called_by=actor, resumed=True)
        return called._to(State.CALLED, Step.RESUME, now, actor, Called())

    def transfer(self, *, now: datetime, actor: str, child: str, target: str, offering: str, reason: str) -> Ticket:
        """On to another queue: this leg ends, `child` is to be admitted there (see `admission_of`)."""
        self._check(Step.TRANSFER)
        if target == self.queue:
            raise InvalidField("target", "is the queue that the ticket is in")
        if not target.startswith(f"sites/{self.site_id}/"):
            raise InvalidField("target", f"{target} is not of site {self.site_id}")
        if offering and not offering.startswith(f"sites/{self.site_id}/"):
            raise InvalidField("offering", f"{offering} is not of site {self.site_id}")
        over = replace(
            self,
            ended_at=now,
            busy_key="",
            visit_key="",
            reason=reason,
            child=child,
            away=self._away(now),
            away_since=None,
        )
        end = over._ended(State.TRANSFERRED, now, reason)
        event = Transferred(child, target, offering, reason, now, self.counter, end.waited, end.served)
        return over._to(State.TRANSFERRED, Step.TRANSFER, now, actor, event, reason)

    def miss(self, *, now: datetime, actor: str, rules: Rules) -> Ticket:
        """Nobody came: back to waiting at the end of its class once it has rested, or a no-show when it has been back
        before.
        """
        self._check(Step.MISS)
        if self.misses >= rules.returns:
            return replace(self, misses=self.misses + 1)._end(State.NO_SHOW, Step.MISS, now, actor)
        back = replace(
            self._back_in_line(),
            misses=self.misses + 1,
            rank=rank_of(self.class_digit, now + rules.rest, self.seq),
            calls=0,
            resumed=False,
        )
        event = self._ended(State.MISSED, now, "")
        return back._to(State.WAITING, Step.MISS, now, actor, event)

    def cancel(self, *, now: datetime, actor: str, reason: str, by_officer: bool = False) -> Ticket:
        """The citizen gives up the place; an officer may also end a visit that the citizen left."""
        if not (by_officer and self.state in OFFICER_MAY_CANCEL):
            self._check(Step.CANCEL)
        return self._end(State.CANCELLED, Step.CANCEL, now, actor, reason)

    def close(self, *, now: datetime, actor: str, today: str) -> Ticket:
        """The day is over. Raises WrongState while it is not."""
        self._check(Step.CLOSE)
        if self.day >= today:
            raise WrongState(f"{self.number} is of {self.day}, which is not over", metadata={"day": self.day})
        return self._end(State.CLOSED_AT_DAY_END, Step.CLOSE, now, actor, "day_end")

    def attach(self, application: str) -> Ticket:
        """An application was opened at this visit. Any state: the news may come late. Twice is once."""
        if application in self.applications:
            return self
        return replace(self, applications=(*self.applications, application), events=())

    @property
    def given_up(self) -> bool:
        """Whether it came to nothing by the citizen's own doing. What an officer cancels is nobody's fault."""
        cancelled = self.state is State.CANCELLED and self.history[-1].actor.startswith("citizen")
        return self.state is State.NO_SHOW or cancelled

    def served(self, now: datetime) -> timedelta:
        """How long the citizen was at a counter until `now`."""
        if self.serving_at is None:
            return timedelta(0)
        return max(_span(self.serving_at, now) - self._away(now), timedelta(0))

    def _away(self, now: datetime) -> timedelta:
        return self.away + (_span(self.away_since, now) if self.away_since else timedelta(0))

    def _at(self, counter: int, now: datetime) -> Ticket:
        """Holds the counter and, when it belongs to a visit, its citizen."""
        return replace(
            self,
            counter=counter,
            called_at=now,
            rank=call_rank(now),
            last_call=call_rank(now),
            busy_key=busy_key(self.queue, counter, self.day),
            visit_key=self.visit,
        )

    def _calls_at_once(self) -> int:
        """The present call and its recalls: what was called since the ticket came to this counter."""
        steps = [line.step for line in self.history]
        return next((n for n, step in enumerate(reversed(steps), 1) if step != Step.RECALL), 1)

    def _back_in_line(self) -> Ticket:
        rank = self.waiting_rank or rank_of(self.class_digit, self.arrived_at, self.seq)
        return replace(
            self, rank=rank, waiting_rank="", busy_key="", visit_key="", called_at=None, called_by="", counter=0,
            out_of_turn=False,
        )  # fmt: skip

    def _check(self, step: Step) -> None:
        if self.state not in ALLOWED[step]:
            allowed = ", ".join(sorted(ALLOWED[step]))
            raise WrongState(
                f"{self.number} is {self.state}; {step} needs {allowed}",
                metadata={"state": self.state.value, "step": step.value},
            )

    def _check_limit(self, now: datetime, rules: Rules) -> None:
        if self.calls >= rules.max_calls:
            since = _span(self.called_at or self.issued_at, now)
            raise RecallLimit(
                f"{self.number} was called {self.calls} times already",
                metadata={"calls": str(self.calls), "called_seconds_ago": str(int(since.total_seconds()))},
            )

    def _end(self, state: State, step: Step, now: datetime, actor: str, reason: str = "") -> Ticket:
        over = replace(
            self, ended_at=now, busy_key="", visit_key="", reason=reason, away=self._away(now), away_since=None
        )
        return over._to(state, step, now, actor, over._ended(state, now, reason), reason)

    def _ended(self, state: State, now: datetime, reason: str) -> Ended:
        return Ended(
            state=state,
            reason=reason,
            at=now,
            counter=self.counter,
            waited=_span(self.issued_at, self.serving_at or now),
            served=self.served(now),
        )

    def _to(self, state: State, step: Step, now: datetime, actor: str, event: TicketEvent, reason: str = "") -> Ticket:
        line = HistoryLine(now, actor, step.value, state, reason)
        return replace(self, state=state, history=(*self.history, line), events=(event,))


def issue(
    spec: QueueSpec,
    admission: Admission,
    *,
    day: str,
    seq: int,
    event: Issued,
    now: datetime,
    actor: str,
    rules: Rules,
) -> Ticket:
    """A new ticket, waiting. `seq` starts at 1 each day. Raises InvalidField for an offering of another site."""
    if admission.offering and not admission.offering.startswith(f"sites/{spec.site_id}/"):
        raise InvalidField("offering", f"{admission.offering} is not of site {spec.site_id}")
    policy = rules.policy_of(spec)
    index = policy.index_of(admission.group, admission.priority_class)
    return Ticket(
        name=admission.name,
        site_id=spec.site_id,
        queue=spec.name,
        agency=spec.agency,
        day=day,
        seq=seq,
        number=admission.number or spec.number(seq),
        offering=admission.offering,
        group=admission.group,
        priority=index < len(policy.classes),
        priority_class=policy.id_of(index),
        state=State.WAITING,
        rank=rank_of(digit_of(policy, index), admission.arrived_at, max(seq, 0)),
        issued_at=admission.issued_at or now,
        arrived_at=admission.arrived_at,
        channel=admission.channel,
        owners=admission.owners,
        sealed_phone=admission.sealed_phone,
        masked_phone=admission.masked_phone,
        person_key=admission.person_key,
        holder_key=admission.holder.key,
        phone_key=admission.phone_key,
        device_key=admission.device_key,
        visit=admission.visit,
        appointment=admission.appointment,
        parent=admission.parent,
        expected=admission.expected,
        history=(HistoryLine(now, actor, "issue", State.WAITING),),
        events=(event,),
    )


def admission_of(parent: Ticket, target: str, offering: str) -> Admission:
    """How a transferred ticket gets into its next queue: with its number, its arrival and its person."""
    return Admission(
        name=parent.child,
        queue=target,
        channel=parent.channel if parent.channel in REMOTE_CHANNELS else "transfer",
        arrived_at=parent.arrived_at,
        offering=offering,
        group=parent.group,
        priority_class=parent.priority_class,
        owners=parent.owners,
        sealed_phone=parent.sealed_phone,
        masked_phone=parent.masked_phone,
        person_key=parent.person_key,
        holder=Holder(parent.holder_key),
        visit=parent.visit,
        parent=parent.name,
        number=parent.number,
        seq=kept_seq(parent.child),
    )


def kept_seq(name: str) -> int:
    """A place among the numbers for one that is not of this queue: negative, the same for the same ticket."""
    return -int.from_bytes(blake2b(name.encode(), digest_size=6).digest(), "big") - 1


def _span(start: datetime, end: datetime) -> timedelta:
    """Never negative: two machines' clocks may differ."""
    return max(end - start, timedelta(0))
