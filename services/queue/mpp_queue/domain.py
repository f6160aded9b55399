"""A ticket's life, the waiting order and the estimate: pure rules, standard library only.

Knows states, who comes next, numbers and waiting times. Never knows the store, the transport, other services,
or the time of day: `now` (aware UTC) and `actor` come in as arguments. A method returns a new ticket that
carries the event of the step in `events`; events are not persisted with it.

What is *not* decided here because no single ticket can know it: that a number is given once, that a counter
has one citizen at a time, and that one CallNext calls one ticket. Those are unique keys (`seq`, `busy_key`,
`call_key`), and the store's unique indexes decide them (see store.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from statistics import median
from typing import ClassVar


class State(StrEnum):
    """Where a ticket is. `MISSED` is what its event says; the ticket itself goes on to `WAITING` or
    `NO_SHOW`.
    """

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    FINISHED = "finished"
    MISSED = "missed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    CLOSED_AT_DAY_END = "closed_at_day_end"


OPEN = (State.WAITING, State.CALLED, State.SERVING)
AT_A_COUNTER = frozenset({State.CALLED, State.SERVING})
# States whose tickets count as lately called: on the board, for the turn of the classes and for the estimate.
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


# From which states a step may be taken.
ALLOWED: dict[Step, frozenset[State]] = {
    Step.CALL: frozenset({State.WAITING}),
    Step.RECALL: frozenset({State.CALLED}),
    Step.SERVE: frozenset({State.CALLED}),
    Step.FINISH: frozenset({State.SERVING}),
    Step.MISS: frozenset({State.CALLED}),
    Step.CANCEL: frozenset({State.WAITING, State.CALLED}),
    Step.CLOSE: frozenset(OPEN),
}


class PriorityGroup(StrEnum):
    """Groups of PermenPANRB 11/2024 (a secondary source, so which of them come first is `Rules`, not code)."""

    NONE = ""
    DISABILITY = "disability"
    ELDERLY = "elderly"
    PREGNANT_OR_NURSING = "pregnant_or_nursing"
    CHILD = "child"
    DISASTER_VICTIM = "disaster_victim"


class QueueError(Exception):
    """A rule says no. `reason` is stable; the text is for people."""

    reason: ClassVar[str] = "QUEUE_ERROR"

    def __init__(self, message: str, *, field: str | None = None, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata = metadata or {}


class InvalidField(QueueError):
    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class WrongState(QueueError):
    reason = "WRONG_STATE"


class RecallTooSoon(QueueError):
    """The gap between two calls is not over; metadata: `retry_after_seconds`."""

    reason = "RECALL_TOO_SOON"


class RecallLimit(QueueError):
    """The ticket was called as often as it may be; metadata: `calls`, `called_seconds_ago`."""

    reason = "RECALL_LIMIT"


class CounterBusy(QueueError):
    """The counter still has a citizen; metadata: `ticket`, `counter`."""

    reason = "COUNTER_BUSY"


@dataclass(frozen=True, slots=True)
class Rules:
    """A site's house rules, all of them settings.

    `recall_gap`: least time between two calls of a ticket. `max_calls`: calls of one turn; a ticket that was
    missed and comes up again has a new turn. `returns`: how often a missed ticket goes back to waiting.
    `priority_run`: after so many priority tickets in a row one of the others is called, so priority never
    starves them.
    """

    max_calls: int = 3
    recall_gap: timedelta = timedelta(seconds=15)
    returns: int = 1
    priority_run: int = 3
    priority_groups: frozenset[PriorityGroup] = frozenset(PriorityGroup) - {PriorityGroup.NONE}

    def has_priority(self, group: PriorityGroup) -> bool:
        return group in self.priority_groups


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A queue as the catalogue publishes it. `zone` is the site's IANA zone; `minutes_per_visit` a first
    guess.
    """

    name: str
    site_id: str
    agency: str
    prefix: str
    counters: tuple[int, ...]
    minutes_per_visit: int
    zone: str


@dataclass(frozen=True, slots=True)
class Issued:
    people_ahead: int
    estimated_wait: timedelta


@dataclass(frozen=True, slots=True)
class Called:
    pass


@dataclass(frozen=True, slots=True)
class ServingStarted:
    waited: timedelta


@dataclass(frozen=True, slots=True)
class Ended:
    """`state` tells how; `MISSED` when the ticket goes back to waiting. `counter` is 0 when none had it."""

    state: State
    reason: str
    at: datetime
    counter: int
    waited: timedelta
    served: timedelta


TicketEvent = Issued | Called | ServingStarted | Ended


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
    call_key: str = ""
    second_call_key: str = ""
    busy_key: str = ""
    owners: tuple[str, ...] = ()
    sealed_phone: str = ""
    masked_phone: str = ""
    called_at: datetime | None = None
    serving_at: datetime | None = None
    ended_at: datetime | None = None
    counter: int = 0
    calls: int = 0
    misses: int = 0
    reason: str = ""
    applications: tuple[str, ...] = ()
    history: tuple[HistoryLine, ...] = ()
    events: tuple[TicketEvent, ...] = field(default=(), compare=False)

    def call(self, *, now: datetime, actor: str, counter: int, call_key: str) -> Ticket:
        """A counter calls the ticket. `call_key` names the command, so that its repetition finds this ticket."""
        self._check(Step.CALL)
        second = self.misses > 0
        called = replace(
            self,
            counter=counter,
            calls=1,
            called_at=now,
            rank=call_rank(now),
            busy_key=busy_key(self.queue, counter, self.day),
            call_key=self.call_key if second else call_key,
            second_call_key=call_key if second else self.second_call_key,
        )
        return called._to(State.CALLED, Step.CALL, now, actor, Called())

    def recall(self, *, now: datetime, actor: str, rules: Rules) -> Ticket:
        """The same counter calls once more. Raises RecallLimit, RecallTooSoon."""
        self._check(Step.RECALL)
        since = now - (self.called_at or self.issued_at)
        if self.calls >= rules.max_calls:
            raise RecallLimit(
                f"{self.number} was called {self.calls} times already",
                metadata={
                    "calls": str(self.calls),
                    "called_seconds_ago": str(max(int(since.total_seconds()), 0)),
                },
            )
        if since < rules.recall_gap:
            left = ceil((rules.recall_gap - since).total_seconds())
            raise RecallTooSoon(
                f"{self.number} may be called again in {left} s", metadata={"retry_after_seconds": str(left)}
            )
        again = replace(self, calls=self.calls + 1, called_at=now, rank=call_rank(now))
        return again._to(State.CALLED, Step.RECALL, now, actor, Called())

    def serve(self, *, now: datetime, actor: str) -> Ticket:
        """The citizen is at the counter."""
        self._check(Step.SERVE)
        event = ServingStarted(waited=_span(self.issued_at, now))
        return replace(self, serving_at=now)._to(State.SERVING, Step.SERVE, now, actor, event)

    def finish(self, *, now: datetime, actor: str) -> Ticket:
        """The visit is over."""
        self._check(Step.FINISH)
        return self._end(State.FINISHED, Step.FINISH, now, actor)

    def miss(self, *, now: datetime, actor: str, last_seq: int, rules: Rules) -> Ticket:
        """Nobody came: back to waiting at the end of its class, or a no-show when it has been back before.

        `last_seq` is the greatest number given out in the queue today: whoever comes later stands behind.
        """
        self._check(Step.MISS)
        if self.misses >= rules.returns:
            return replace(self, misses=self.misses + 1)._end(State.NO_SHOW, Step.MISS, now, actor)
        back = replace(
            self,
            misses=self.misses + 1,
            rank=rank_of(self.priority, max(last_seq, self.seq), returned_at=now),
            busy_key="",
            called_at=None,
            counter=0,
            calls=0,
        )
        event = self._ended(State.MISSED, now, "")
        return back._to(State.WAITING, Step.MISS, now, actor, event)

    def cancel(self, *, now: datetime, actor: str, reason: str) -> Ticket:
        """The citizen gives up the place, or an officer takes the ticket out."""
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

    def _check(self, step: Step) -> None:
        if self.state not in ALLOWED[step]:
            allowed = ", ".join(sorted(ALLOWED[step]))
            raise WrongState(
                f"{self.number} is {self.state}; {step} needs {allowed}",
                metadata={"state": self.state.value, "step": step.value},
            )

    def _end(self, state: State, step: Step, now: datetime, actor: str, reason: str = "") -> Ticket:
        over = replace(self, ended_at=now, busy_key="", reason=reason)
        return over._to(state, step, now, actor, self._ended(state, now, reason), reason)

    def _ended(self, state: State, now: datetime, reason: str) -> Ended:
        return Ended(
            state=state,
            reason=reason,
            at=now,
            counter=self.counter,
            waited=_span(self.issued_at, self.serving_at or now),
            served=_span(self.serving_at, now) if self.serving_at else timedelta(0),
        )

    def _to(self, state: State, step: Step, now: datetime, actor: str, event: TicketEvent, reason: str = "") -> Ticket:
        line = HistoryLine(now, actor, step.value, state, reason)
        return replace(self, state=state, history=(*self.history, line), events=(event,))


def issue(
    spec: QueueSpec,
    *,
    name: str,
    day: str,
    seq: int,
    offering: str,
    group: PriorityGroup,
    owners: Sequence[str],
    sealed_phone: str,
    masked_phone: str,
    people_ahead: int,
    estimated_wait: timedelta,
    now: datetime,
    actor: str,
    rules: Rules,
) -> Ticket:
    """A new ticket, waiting. `seq` starts at 1 each day. Raises InvalidField for an offering of another site."""
    if offering and not offering.startswith(f"sites/{spec.site_id}/"):
        raise InvalidField("offering", f"{offering} is not of site {spec.site_id}")
    priority = rules.has_priority(group)
    return Ticket(
        name=name,
        site_id=spec.site_id,
        queue=spec.name,
        agency=spec.agency,
        day=day,
        seq=seq,
        number=number_of(spec.prefix, seq),
        offering=offering,
        group=group,
        priority=priority,
        state=State.WAITING,
        rank=rank_of(priority, seq),
        issued_at=now,
        owners=tuple(owners),
        sealed_phone=sealed_phone,
        masked_phone=masked_phone,
        history=(HistoryLine(now, actor, "issue", State.WAITING),),
        events=(Issued(people_ahead, estimated_wait),),
    )


def number_of(prefix: str, seq: int) -> str:
    """`D-001`; four digits after 999."""
    return f"{prefix}-{seq:03d}"


# Ranks of the two classes begin with these: a priority ticket sorts before all others.
PRIORITY_CLASS, OTHER_CLASS = "0", "1"


def rank_of(priority: bool, seq: int, returned_at: datetime | None = None) -> str:
    """The sort key of the waiting order: class, then number, then the return of those who missed their call.

    A ticket that comes back after number 41 was given out stands behind 41 and before 42:
    `1-000041-1763805600123`.
    """
    milliseconds = int(returned_at.timestamp() * 1000) if returned_at else 0
    return f"{PRIORITY_CLASS if priority else OTHER_CLASS}-{seq:06d}-{milliseconds:013d}"


def call_rank(called_at: datetime) -> str:
    """The sort key of tickets that were called: milliseconds, as many digits for the next centuries."""
    return f"{int(called_at.timestamp() * 1000):013d}"


def busy_key(queue: str, counter: int, day: str) -> str:
    """Held by the one ticket that is at the counter; a ticket of an earlier day does not block today."""
    return f"{queue}#{counter}#{day}"


def others_are_due(recent: Sequence[bool], rules: Rules) -> bool:
    """Whether one without priority comes next. `recent`: whether the last calls had priority, newest first."""
    last = recent[: rules.priority_run]
    return len(last) == rules.priority_run and all(last)


def turn_order(
    priority: Sequence[Ticket], others: Sequence[Ticket], recent: Sequence[bool], rules: Rules
) -> list[Ticket]:
    """The waiting tickets in the order in which they are to be called; each class comes in sorted by rank."""
    if others_are_due(recent, rules):
        return [*others, *priority]
    return [*priority, *others]


# So few finished visits say nothing yet.
LEAST_VISITS = 3


def visit_length(visits: Sequence[timedelta], minutes_per_visit: int) -> timedelta:
    """The median of the last visits (one that went wrong does not spoil it), else what the agency declares."""
    if len(visits) < LEAST_VISITS:
        return timedelta(minutes=minutes_per_visit)
    return timedelta(seconds=median(v.total_seconds() for v in visits))


def estimated_wait(ahead: int, visit: timedelta, counters: int) -> timedelta:
    """`ahead` visits shared among the counters that are at work (at least one), in whole seconds."""
    return timedelta(seconds=ceil(max(ahead, 0) * visit.total_seconds() / max(counters, 1)))


def people_ahead(waiting: int, last_seq: int, seq: int) -> int:
    """How many wait before number `seq`, from a count that was taken when `last_seq` was the greatest number.

    Numbers are contiguous, so whoever came between the count and `seq` is counted by the numbers alone.
    Not exact: it does not see calls and cancellations since the count.
    """
    return max(waiting + seq - 1 - last_seq, 0)


def _span(start: datetime, end: datetime) -> timedelta:
    """Never negative: two machines' clocks may differ."""
    return max(end - start, timedelta(0))
