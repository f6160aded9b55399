"""What the platform acknowledged in a simulated day, and what must hold whatever happens. Pure; makes no call.

The invariants: a number is given once a queue and day; a ticket is called only while it waits (so never by two
counters); a counter has one citizen; no acknowledged ticket is lost. A breach is noted the moment it is seen, and at the
end `differences` holds the ledger against what the platform says of each ticket.

Times are the simulation's (seconds after local midnight), so waits are those of a citizen, not of the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mppctl.simulation.day import QueuePlan, Visit


class At(StrEnum):
    """Where a ticket is, as far as it was acknowledged. Names are those of the contract, without STATE_."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    FINISHED = "finished"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    CLOSED_AT_DAY_END = "closed_at_day_end"


ENDS = frozenset({At.FINISHED, At.NO_SHOW, At.CANCELLED, At.CLOSED_AT_DAY_END})


@dataclass(slots=True)
class Track:
    """One ticket. `visit` is None for a ticket that somebody else took."""

    name: str
    number: str
    day: str
    visit: Visit | None
    since: float
    where: At = At.WAITING
    counter: int = 0
    calls: int = 0
    misses: int = 0
    waited: float = 0.0
    missing: bool = False  # its counter said that nobody came, and waits for the answer
    leaving: bool = False  # its citizen gave it up, and waits for the answer


@dataclass(slots=True)
class LineFigures:
    """What is known of one queue."""

    plan: QueuePlan
    expected: int = 0  # visits of the day
    came: int = 0
    waiting: int = 0
    called: int = 0
    serving: int = 0
    finished: int = 0
    no_show: int = 0
    cancelled: int = 0
    closed: int = 0
    refused: int = 0  # no ticket was given
    waits: list[float] = field(default_factory=list)  # seconds, of each first call
    most_waiting: int = 0
    now: float = 0.0

    @property
    def ended(self) -> int:
        return self.finished + self.no_show + self.cancelled + self.closed

    @property
    def at_counters(self) -> int:
        return self.called + self.serving


_COUNTED = {
    At.WAITING: "waiting",
    At.CALLED: "called",
    At.SERVING: "serving",
    At.FINISHED: "finished",
    At.NO_SHOW: "no_show",
    At.CANCELLED: "cancelled",
    At.CLOSED_AT_DAY_END: "closed",
}


class Ledger:
    """Every acknowledged fact, once. Not for several threads."""

    def __init__(self, plans: Mapping[str, QueuePlan]) -> None:
        self.lines = {name: LineFigures(plan) for name, plan in plans.items()}
        self.tickets: dict[str, Track] = {}
        self.errors: Counter[str] = Counter()  # refusals and failures, by what and why
        self.breaches: list[str] = []
        self._numbers: dict[tuple[str, str, str], str] = {}
        self._counters: dict[tuple[str, int], str] = {}  # (site, counter): the ticket there

    def expect(self, queue: str, visits: int) -> None:
        self.lines[queue].expected += visits

    def taken(self, visit: Visit, name: str, number: str, day: str, at: float) -> Track:
        """A ticket was given."""
        line = self.lines[visit.queue]
        line.came += 1
        known = self.tickets.get(name)
        if known is not None and known.visit is not None:
            self._breach(f"{name} was given to two visits: {known.visit.id}, {visit.id}")
        holder = self._numbers.setdefault((visit.queue, day, number), name)
        if holder != name:
            self._breach(f"number {number} of {visit.queue} on {day} was given twice: {holder}, {name}")
        if known is not None:  # its call overtook the answer to the one who took it
            known.visit = visit
            return known
        track = self.tickets[name] = Track(name, number, day, visit, at)
        line.waiting += 1
        line.most_waiting = max(line.most_waiting, line.waiting)
        return track

    def refused(self, visit: Visit, why: str) -> None:
        """No ticket was given."""
        self.lines[visit.queue].came += 1
        self.lines[visit.queue].refused += 1
        self.errors[f"take: {why}"] += 1

    def called(self, queue: str, name: str, number: str, day: str, counter: int, at: float) -> Track:
        """A counter got this ticket. A name that was never taken here is somebody else's: kept apart."""
        line = self.lines[queue]
        track = self.tickets.get(name)
        if track is None:
            track = self.tickets[name] = Track(name, number, day, None, at)
            line.waiting += 1
        if track.missing:  # this call overtook the answer to the counter before
            self.missed(queue, track, At.WAITING)
        if track.where is At.CANCELLED and track.leaving:
            return track  # called, given up, and the answers came in the other order
        if track.where is not At.WAITING:
            self._breach(f"{number} ({name}) was called at counter {counter} while {track.where} at {track.counter}")
        site = line.plan.site
        there = self._counters.get((site, counter))
        if there not in (None, name):
            self._breach(f"counter {counter} of {site} got {name} while {there} was there")
        self._counters[site, counter] = name
        if not track.calls and track.visit:
            track.waited = at - track.since
            line.waits.append(track.waited)
        track.counter, track.calls = counter, track.calls + 1
        self._move(queue, track, At.CALLED)
        return track

    def serving(self, queue: str, track: Track) -> None:
        self._move(queue, track, At.SERVING)

    def missed(self, queue: str, track: Track, where: At) -> None:
        """Nobody came: back to waiting, or a no-show. Set `track.missing` before the platform is told."""
        if not track.missing:
            return  # seen already by the call that came after
        track.missing = False
        track.misses += 1
        self._leave(queue, track, where)

    def ended(self, queue: str, track: Track, where: At) -> None:
        self._leave(queue, track, where)

    def error(self, what: str, why: str) -> None:
        self.errors[f"{what}: {why}"] += 1

    def at_counters(self) -> list[Track]:
        return [self.tickets[name] for name in self._counters.values()]

    def differences(self, found: Mapping[str, At | None]) -> list[str]:
        """Breaches that the platform's own word shows. `found`: state by ticket name; None where it knows none."""
        breaches = []
        for name, where in found.items():
            track = self.tickets[name]
            if where is None:
                breaches.append(f"{track.number} ({name}) was acknowledged and is lost")
            elif where is not track.where and where is not At.CLOSED_AT_DAY_END:
                breaches.append(f"{track.number} ({name}) was acknowledged as {track.where} and is {where}")
        return breaches

    def left(self) -> list[Track]:
        """Tickets that did not come to an end."""
        return [track for track in self.tickets.values() if track.where not in ENDS]

    def _leave(self, queue: str, track: Track, where: At) -> None:
        place = (self.lines[queue].plan.site, track.counter)
        if self._counters.get(place) == track.name:
            del self._counters[place]
        self._move(queue, track, where)

    def _move(self, queue: str, track: Track, where: At) -> None:
        line = self.lines[queue]
        before = _COUNTED[track.where]
        setattr(line, before, getattr(line, before) - 1)
        after = _COUNTED[where]
        setattr(line, after, getattr(line, after) + 1)
        track.where = where

    def _breach(self, text: str) -> None:
        self.breaches.append(text)
