"""A ticket's life: pure rules, standard library only.

Knows states, steps and times. Never knows the store, the transport, other services,
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

from mpp_queue.domain.errors import InvalidField, RecallLimit, RecallTooSoon, WrongState
from mpp_queue.domain.policy import busy_key, call_rank, rank_of
from mpp_queue.domain.spec import PriorityGroup, QueueSpec, Rules, number_of


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


def _span(start: datetime, end: datetime) -> timedelta:
    """Never negative: two machines' clocks may differ."""
    return max(end - start, timedelta(0))
