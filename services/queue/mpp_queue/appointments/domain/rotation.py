"""Which of several offices gets the next booking: the one whose day is least booked; of equal ones each in turn. Pure.

Knows shares and names; knows no person, so nobody can be sent to an office for who they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Office:
    """`capacity` and `booked` of one day in the same unit: minutes of places."""

    name: str
    booked: int
    capacity: int

    @property
    def share(self) -> Fraction:
        return Fraction(self.booked, self.capacity) if self.capacity else Fraction(1)


def in_turn(offices: Iterable[Office], turn: int) -> list[str]:
    """Names, the one to book first; those without any capacity last.

    Guaranteed of bookings that come one after the other, as long as none of them refuses: no office's booked share is ahead
    of another's by more than one booking's share of the smaller one; and equal offices begin in turn as `turn` counts up.
    Not guaranteed of bookings at the same moment: each goes by what it sees.
    """
    ordered = sorted(offices, key=lambda o: (not o.capacity, o.share, o.name))
    found: list[str] = []
    while ordered:
        first = ordered[0]
        equal = [o.name for o in ordered if (o.share, not o.capacity) == (first.share, not first.capacity)]
        by = turn % len(equal)
        found += equal[by:] + equal[:by]
        ordered = ordered[len(equal) :]
    return found
