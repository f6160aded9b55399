"""What a ticket's way through one queue came to, read from its history: pure arithmetic, for statistics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mpp_queue.domain.ticket import AT_A_COUNTER, State, Step, Ticket


@dataclass(frozen=True, slots=True)
class Facts:
    """A call that was taken back never was: neither it nor its time is in here.

    `first_called_at`: the end of the wait. `last_called_at`: the last call before the citizen came to the counter, where
    the walk begins; one that calls back after parking is none. `calls` in all, `turns` how often it came up in the line;
    `at_counter`: how long it kept a counter; `parked`: how long it was parked.
    """

    first_called_at: datetime | None = None
    last_called_at: datetime | None = None
    calls: int = 0
    turns: int = 0
    at_counter: timedelta = timedelta(0)
    parked: timedelta = timedelta(0)


def facts_of(ticket: Ticket) -> Facts:
    """Of an ended ticket; of an open one up to its last step."""
    facts = before_call = Facts()
    came = False  # to the counter, once
    for line, following in zip(ticket.history, (*ticket.history[1:], None), strict=True):
        if line.step == Step.UNDO:
            facts = before_call
        elif line.step in (Step.CALL, Step.RECALL, Step.RESUME):
            before_call = facts if line.step != Step.RECALL else before_call
            facts = replace(
                facts,
                calls=facts.calls + 1,
                turns=facts.turns + (line.step == Step.CALL),
                first_called_at=facts.first_called_at or line.at,
                last_called_at=facts.last_called_at if came else line.at,
            )
        elif line.step == Step.SERVE:
            came = True
        span = max(following.at - line.at, timedelta(0)) if following else timedelta(0)
        if line.state in AT_A_COUNTER:
            facts = replace(facts, at_counter=facts.at_counter + span)
        elif line.state is State.PARKED:
            facts = replace(facts, parked=facts.parked + span)
    return facts
