"""The states of a complaint, its steps, and who may take which: one table. Knows no deadline and no reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    RECEIVED = "received"
    NEEDS_INFO = "needs_info"
    VERIFIED = "verified"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    REJECTED = "rejected"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


class Class(StrEnum):
    """How grave a complaint is; the published standards give each class its own time."""

    LIGHT = "light"
    NORMATIVE = "normative"
    NON_SUPERVISORY = "non_supervisory"
    SUPERVISORY = "supervisory"


class Kind(StrEnum):
    SERVICE = "service"
    OVERCHARGE = "overcharge"


class Party(StrEnum):
    """Who takes a step."""

    REPORTER = "reporter"
    HANDLER = "handler"
    CLOCK = "clock"


class Step(StrEnum):
    REQUEST_INFO = "request_info"
    REPLY = "reply"
    VERIFY = "verify"
    ASSIGN = "assign"
    START = "start"
    ESCALATE = "escalate"
    REJECT = "reject"
    MERGE = "merge"
    ANSWER = "answer"
    RATE = "rate"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the state table: from where, to where, by whom, and whether a reason is due."""

    party: Party
    sources: frozenset[State]
    targets: frozenset[State]
    reason_due: bool = False


_AT_WORK = frozenset({State.VERIFIED, State.ASSIGNED, State.IN_PROGRESS, State.REOPENED, State.ESCALATED})
_ASKABLE = _AT_WORK | {State.RECEIVED}

# The handlers' clock runs in these states; in WAITING it is the reporter's.
HANDLED = _ASKABLE
WAITING = frozenset({State.NEEDS_INFO, State.ANSWERED})
ENDS = frozenset({State.CLOSED, State.REJECTED, State.MERGED, State.WITHDRAWN})


def _to(state: State) -> frozenset[State]:
    return frozenset({state})


# The whole life as data. A reply leads back to where the question came from; an answer may come as soon as
# the complaint is verified, since a light one often needs no more; reopening beyond the limit leads one
# level up.
TRANSITIONS: Mapping[Step, Rule] = {
    Step.REQUEST_INFO: Rule(Party.HANDLER, _ASKABLE, _to(State.NEEDS_INFO), reason_due=True),
    Step.REPLY: Rule(Party.REPORTER, _to(State.NEEDS_INFO), _ASKABLE),
    Step.VERIFY: Rule(Party.HANDLER, _to(State.RECEIVED), _to(State.VERIFIED)),
    Step.ASSIGN: Rule(Party.HANDLER, frozenset({State.VERIFIED, State.REOPENED, State.ESCALATED}), _to(State.ASSIGNED)),
    Step.START: Rule(
        Party.HANDLER, frozenset({State.ASSIGNED, State.REOPENED, State.ESCALATED}), _to(State.IN_PROGRESS)
    ),
    Step.ESCALATE: Rule(Party.HANDLER, _AT_WORK, _to(State.ESCALATED), reason_due=True),
    Step.REJECT: Rule(Party.HANDLER, frozenset({State.RECEIVED, State.VERIFIED}), _to(State.REJECTED), reason_due=True),
    Step.MERGE: Rule(
        Party.HANDLER,
        frozenset({State.RECEIVED, State.NEEDS_INFO, State.VERIFIED, State.ASSIGNED, State.IN_PROGRESS}),
        _to(State.MERGED),
        reason_due=True,
    ),
    Step.ANSWER: Rule(Party.HANDLER, _AT_WORK, _to(State.ANSWERED)),
    Step.RATE: Rule(Party.REPORTER, _to(State.ANSWERED), _to(State.CLOSED)),
    Step.REOPEN: Rule(
        Party.REPORTER,
        _to(State.ANSWERED),
        frozenset({State.REOPENED, State.ESCALATED}),
        reason_due=True,
    ),
    Step.WITHDRAW: Rule(Party.REPORTER, _ASKABLE | {State.NEEDS_INFO}, _to(State.WITHDRAWN)),
    Step.LAPSE: Rule(Party.CLOCK, WAITING, _to(State.CLOSED)),
    Step.RESTORE: Rule(Party.CLOCK, _to(State.MERGED), _to(State.RECEIVED)),
}

CLOCK = "system:deadlines"  # the actor of what happens by itself
