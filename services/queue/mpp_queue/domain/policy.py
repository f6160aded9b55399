"""The order of the line: who is called next. Pure; knows classes, arrivals and the last calls, never a ticket's life.

A queue's tickets wait in classes (`Policy.classes`, and the last class of all others), each in the order of
*effective arrival*. A policy only says from which class the next one comes, so it may change while people wait.

An effective arrival that is not yet is a *rest*: whoever missed the call stands where someone stands who comes when
the rest is over. Tickets that rest are passed over while anybody else waits, and called when only they wait.

Bounds, for tickets that the calling counter serves and whose citizens are not at another counter (each proved by a
property test in tests/unit/queue/test_policy.py). N is the number of classes, the others' included:

STRICT  The first class that has anybody - but once the longest wait has reached `max_wait`, the one who has waited longest.
        So nobody who came later is called before a ticket that has waited `max_wait`.
RATIO   A class that stands at place p among those that wait is due after `run` x p calls without one of it; of those due,
        the one that is longest overdue. So class i gets at least one of any `run` x i + N calls in a row while it waits.
AGEING  Each as if it had come `boost` of its class earlier, then in order of arrival. So nobody who came more than the
        greatest boost later is called before a ticket.

Not guaranteed: which of two *processes* that call at the same moment gets the earlier ticket; each follows the order
as it read it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from mpp_queue.domain.spec import Policy, PolicyKind

T = TypeVar("T")
_MILLISECOND = timedelta(milliseconds=1)


def upcoming(
    policy: Policy,
    lines: Mapping[int, Sequence[T]],
    recent: Sequence[int],
    now: datetime,
    arrival: Callable[[T], int],
) -> Iterator[T]:
    """The tickets in the order in which they are to be called, if nothing else happens meanwhile.

    `lines`: by class, each the head of its line sorted by arrival; the order is right as far as no class's line is used
    up that was cut. `recent`: classes of the last calls, newest first; `window` of them suffice. `arrival`:
    milliseconds since the epoch.
    """
    left = {index: list(line) for index, line in lines.items() if line}
    calls, moment = list(recent), milliseconds(now)
    while left:
        fresh = {index: arrival(line[0]) for index, line in left.items() if arrival(line[0]) <= moment}
        heads = fresh or {index: arrival(line[0]) for index, line in left.items()}
        index = _turn(policy, heads, calls, moment)
        one = left[index].pop(0)
        if not left[index]:
            del left[index]
        calls.insert(0, index)
        yield one


def window(policy: Policy) -> int:
    """So many of the last calls decide whose turn it is; 0 when none do."""
    classes = len(policy.classes) + 1
    return policy.run * (classes - 1) + classes if policy.kind is PolicyKind.RATIO else 0


def _turn(policy: Policy, heads: Mapping[int, int], calls: Sequence[int], now: int) -> int:
    """The class whose head comes next. `heads`: arrival of each class's first."""
    if len(heads) == 1:
        return next(iter(heads))
    if policy.kind is PolicyKind.AGEING:
        return min(heads, key=lambda i: (heads[i] - policy.boost_of(i) // _MILLISECOND, i))
    if policy.kind is PolicyKind.STRICT:
        oldest = min(heads, key=lambda i: (heads[i], i))
        return oldest if now - heads[oldest] >= policy.max_wait // _MILLISECOND else min(heads)
    return _ratio(policy.run, heads, calls)


def _ratio(run: int, waiting: Collection[int], calls: Sequence[int]) -> int:
    overdue = {index: _since(calls, index) - run * place for place, index in enumerate(sorted(waiting))}
    # The first place is always due. Of equals the later class: its run is over now, the first one's begins.
    return max((index for index in overdue if overdue[index] >= 0), key=lambda i: (overdue[i], i))


def _since(calls: Sequence[int], index: int) -> int:
    """Calls since the last one of the class; all that are known when there was none."""
    return next((n for n, called in enumerate(calls) if called == index), len(calls))


# The digit of the others' class in a rank: not their index, so that a policy may have more classes or fewer tomorrow.
OTHERS_DIGIT = 9


def digit_of(policy: Policy, index: int) -> int:
    """What a class is in a rank."""
    return index if index < len(policy.classes) else OTHERS_DIGIT


def index_of(policy: Policy, digit: int) -> int:
    """The class that a rank means under this policy; one that the policy no longer has is among the others."""
    return min(digit, len(policy.classes))


def rank_of(digit: int, arrival: datetime, seq: int) -> str:
    """The sort key of those who wait: class, effective arrival, number: `0-1763805600123-000041`."""
    return f"{digit}-{milliseconds(arrival):013d}-{seq:06d}"


def after_class(digit: int) -> str:
    """The least rank of any later class."""
    return f"{digit + 1}-"


def call_rank(called_at: datetime) -> str:
    """The sort key of tickets that were called: milliseconds, as many digits for the next centuries."""
    return f"{milliseconds(called_at):013d}"


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def busy_key(queue: str, counter: int, day: str) -> str:
    """Held by the one ticket that is at the counter; a ticket of an earlier day does not block today."""
    return f"{queue}#{counter}#{day}"
