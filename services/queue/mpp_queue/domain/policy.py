"""The order of the line: who is called next. Pure; knows classes, arrivals and the last calls, never a ticket's life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from mpp_queue.domain.spec import Rules

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """What a counter calls: tickets of these offerings (empty: all), only booked ones when `appointments_only`."""

    offerings: frozenset[str] = frozenset()
    appointments_only: bool = False


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


def turn_order(priority: Sequence[T], others: Sequence[T], recent: Sequence[bool], rules: Rules) -> list[T]:
    """The waiting tickets in the order in which they are to be called; each class comes in sorted by rank."""
    if others_are_due(recent, rules):
        return [*others, *priority]
    return [*priority, *others]
