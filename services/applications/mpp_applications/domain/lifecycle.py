"""States, actions and the table of what follows what. Knows no person, no time and no deadline."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    VERIFYING = "VERIFYING"
    RETURNED = "RETURNED"
    ACCEPTED = "ACCEPTED"
    PROCESSING = "PROCESSING"
    INSPECTION = "INSPECTION"
    PAYMENT_DUE = "PAYMENT_DUE"
    ON_HOLD = "ON_HOLD"
    APPROVED = "APPROVED"
    ISSUED = "ISSUED"
    READY_FOR_PICKUP = "READY_FOR_PICKUP"
    COLLECTED = "COLLECTED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    CORRECTED = "CORRECTED"
    REVOKED = "REVOKED"


class Action(StrEnum):
    SUBMIT = "SUBMIT"
    START_VERIFICATION = "START_VERIFICATION"
    RETURN = "RETURN"
    ACCEPT = "ACCEPT"
    START_PROCESSING = "START_PROCESSING"
    START_INSPECTION = "START_INSPECTION"
    REQUEST_PAYMENT = "REQUEST_PAYMENT"
    RESUME = "RESUME"
    HOLD = "HOLD"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    ISSUE = "ISSUE"
    MARK_READY = "MARK_READY"
    COLLECT = "COLLECT"
    EXPIRE = "EXPIRE"
    CORRECT = "CORRECT"
    REVOKE = "REVOKE"
    WITHDRAW = "WITHDRAW"


class Flag(StrEnum):
    DUPLICATE_SUSPECTED = "DUPLICATE_SUSPECTED"
    SLA_AT_RISK = "SLA_AT_RISK"
    SLA_BREACHED = "SLA_BREACHED"


S, A = State, Action

# State by state: what may be done, and where it leads. None: back to the state that was left for the pause.
TRANSITIONS: dict[State, dict[Action, State | None]] = {
    S.DRAFT: {A.SUBMIT: S.SUBMITTED, A.WITHDRAW: S.WITHDRAWN, A.EXPIRE: S.EXPIRED},
    S.SUBMITTED: {A.START_VERIFICATION: S.VERIFYING, A.WITHDRAW: S.WITHDRAWN},
    S.VERIFYING: {
        A.RETURN: S.RETURNED,
        A.ACCEPT: S.ACCEPTED,
        A.REJECT: S.REJECTED,
        A.WITHDRAW: S.WITHDRAWN,
    },
    S.RETURNED: {A.SUBMIT: S.SUBMITTED, A.WITHDRAW: S.WITHDRAWN, A.EXPIRE: S.EXPIRED},
    S.ACCEPTED: {
        A.START_PROCESSING: S.PROCESSING,
        A.REQUEST_PAYMENT: S.PAYMENT_DUE,
        A.HOLD: S.ON_HOLD,
        A.REJECT: S.REJECTED,
        A.WITHDRAW: S.WITHDRAWN,
    },
    S.PROCESSING: {
        A.START_INSPECTION: S.INSPECTION,
        A.REQUEST_PAYMENT: S.PAYMENT_DUE,
        A.HOLD: S.ON_HOLD,
        A.APPROVE: S.APPROVED,
        A.REJECT: S.REJECTED,
        A.WITHDRAW: S.WITHDRAWN,
    },
    S.INSPECTION: {
        A.RESUME: S.PROCESSING,
        A.HOLD: S.ON_HOLD,
        A.APPROVE: S.APPROVED,
        A.REJECT: S.REJECTED,
        A.WITHDRAW: S.WITHDRAWN,
    },
    S.PAYMENT_DUE: {
        A.RESUME: None,
        A.REJECT: S.REJECTED,
        A.WITHDRAW: S.WITHDRAWN,
        A.EXPIRE: S.EXPIRED,
    },
    S.ON_HOLD: {A.RESUME: None, A.REJECT: S.REJECTED, A.WITHDRAW: S.WITHDRAWN},
    S.APPROVED: {
        A.REQUEST_PAYMENT: S.PAYMENT_DUE,
        A.HOLD: S.ON_HOLD,
        A.ISSUE: S.ISSUED,
        A.WITHDRAW: S.WITHDRAWN,
    },
    S.ISSUED: {A.MARK_READY: S.READY_FOR_PICKUP, A.CORRECT: S.CORRECTED, A.REVOKE: S.REVOKED},
    # MARK_READY again makes a new code: the old one was lost, or locked by wrong tries.
    S.READY_FOR_PICKUP: {
        A.MARK_READY: S.READY_FOR_PICKUP,
        A.COLLECT: S.COLLECTED,
        A.CORRECT: S.CORRECTED,
        A.REVOKE: S.REVOKED,
    },
    S.COLLECTED: {A.CORRECT: S.CORRECTED, A.REVOKE: S.REVOKED},
    # A corrected document is handed over anew.
    S.CORRECTED: {A.MARK_READY: S.READY_FOR_PICKUP, A.CORRECT: S.CORRECTED, A.REVOKE: S.REVOKED},
    S.REJECTED: {},
    S.WITHDRAWN: {},
    S.EXPIRED: {},
    S.REVOKED: {},
}

REASON_DUE = frozenset({A.RETURN, A.HOLD, A.REJECT, A.CORRECT, A.REVOKE})
# The clock of the standard stops in these, and runs in those.
PAUSED = frozenset({S.PAYMENT_DUE, S.ON_HOLD})
RUNNING = frozenset({S.ACCEPTED, S.PROCESSING, S.INSPECTION, S.APPROVED})
# No open file any more: a new application for the same offering is no duplicate of it.
CLOSED = frozenset({S.COLLECTED, S.CORRECTED, S.REJECTED, S.WITHDRAWN, S.EXPIRED, S.REVOKED})
