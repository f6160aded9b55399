"""A visit's life and the order of its tickets: pure rules, standard library only.

Knows which queues an arrival is for, which of them refused, and which order takes the least time by an estimate that it
is given. Never knows the store, a ticket's rules, or the time of day. A method returns a new visit that carries the events
of the step; events are not persisted with it.

A visit is written before its tickets, with their names in it: each name follows from the visit's, so that whoever goes on
after a crash admits the same tickets. That nobody is called to two counters at once is not decided here: a ticket at a
counter holds its visit's key, which is unique in the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mpp_queue.domain import NOBODY, Holder, InvalidField, PriorityGroup

MOST_WISHES = 12
EXACT = 8  # up to so many stops the best order is found; above, a good one
WALK = timedelta(minutes=1)  # from one counter to the next, in one hall


@dataclass(frozen=True, slots=True)
class Started:
    pass


@dataclass(frozen=True, slots=True)
class Cancelled:
    pass


VisitEvent = Started | Cancelled


@dataclass(frozen=True, slots=True)
class Wish:
    """What the citizen comes for. `ticket` is the name that its ticket has or will have; `refused` why there is none."""

    queue: str
    offering: str
    ticket: str
    refused: str = ""
    priority_class: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """`sites/{site}/visits/{id}`. Phone, person and owners are those of every ticket; `..._key` are blind indexes."""

    name: str
    site_id: str
    day: str
    started_at: datetime
    started_by: str
    channel: str
    wishes: tuple[Wish, ...]
    owners: tuple[str, ...] = ()
    group: PriorityGroup = PriorityGroup.NONE
    sealed_phone: str = ""
    masked_phone: str = ""
    person_key: str = ""
    phone_key: str = ""
    device_key: str = ""
    holder: Holder = NOBODY
    cancelled_at: datetime | None = None
    cancelled_by: str = ""
    reason: str = ""
    events: tuple[VisitEvent, ...] = field(default=(), compare=False)

    @property
    def cancelled(self) -> bool:
        return self.cancelled_at is not None

    @property
    def tickets(self) -> list[str]:
        """Names of those that are or will be."""
        return [wish.ticket for wish in self.wishes if not wish.refused]

    def refuse(self, refusals: dict[str, str]) -> Visit:
        """Queues (by ticket name) that gave no ticket, with the reason; the first reason stays."""
        wishes = tuple(
            replace(w, refused=refusals[w.ticket]) if w.ticket in refusals and not w.refused else w for w in self.wishes
        )
        return replace(self, wishes=wishes, events=())

    def cancel(self, *, now: datetime, actor: str, reason: str) -> Visit:
        """Twice is once."""
        if self.cancelled:
            return replace(self, events=())
        return replace(self, cancelled_at=now, cancelled_by=actor, reason=reason, events=(Cancelled(),))


def wishes_of(visit: str, wanted: Sequence[tuple[str, str, str]]) -> tuple[Wish, ...]:
    """`wanted`: (queue, offering, priority class). Raises InvalidField for none, too many, a queue twice, or what is of
    another site.
    """
    if not 1 <= len(wanted) <= MOST_WISHES:
        raise InvalidField("wishes", f"must be 1 to {MOST_WISHES}")
    queues = [queue for queue, _, _ in wanted]
    if len(set(queues)) < len(queues):
        raise InvalidField("wishes", "each queue once: one ticket serves all that is wanted there")
    site = "/".join(visit.split("/")[:2])
    for n, (queue, offering, _) in enumerate(wanted):
        if not queue.startswith(f"{site}/"):
            raise InvalidField(f"wishes[{n}].queue", f"is not of {site}")
        if offering and not offering.startswith(f"{site}/"):
            raise InvalidField(f"wishes[{n}].offering", f"is not of {site}")
    return tuple(Wish(queue, offering, ticket_name(visit, queue), "", urgent) for queue, offering, urgent in wanted)


def start(
    *,
    name: str,
    day: str,
    now: datetime,
    actor: str,
    channel: str,
    wishes: Sequence[Wish],
    owners: Sequence[str] = (),
    group: PriorityGroup = PriorityGroup.NONE,
    sealed_phone: str = "",
    masked_phone: str = "",
    person_key: str = "",
    phone_key: str = "",
    device_key: str = "",
    holder: Holder = NOBODY,
) -> Visit:
    """A new visit. Some of its wishes may be refused already."""
    return Visit(
        name=name,
        site_id=name.split("/")[1],
        day=day,
        started_at=now,
        started_by=actor,
        channel=channel,
        wishes=tuple(wishes),
        owners=tuple(owners),
        group=group,
        sealed_phone=sealed_phone,
        masked_phone=masked_phone,
        person_key=person_key,
        phone_key=phone_key,
        device_key=device_key,
        holder=holder,
        events=(Started(),),
    )


def ticket_name(visit: str, queue: str) -> str:
    """The name of a visit's ticket in a queue: always the same, and of no other visit."""
    digest = hashlib.blake2b(f"{visit}\n{queue}".encode(), digest_size=16, person=b"mpp-visit").digest()
    number, alphabet = int.from_bytes(digest, "big"), "0123456789abcdefghjkmnpqrstvwxyz"
    return f"{queue}/tickets/" + "".join(alphabet[(number >> shift) & 31] for shift in range(0, 130, 5))


@dataclass(frozen=True, slots=True)
class Stop:
    """A ticket that still waits. `wait`: until its turn comes. `service`: at the counter. `again`: until a counter of the
    queue is next free, for a citizen whose turn has passed and who comes later: the place is kept, the counter is not.
    """

    ticket: str
    wait: timedelta
    service: timedelta
    again: timedelta = timedelta(0)
    nth: int = 0  # among equals the citizen's own order stays


@dataclass(frozen=True, slots=True)
class Plan:
    """`order`: tickets, first first. `total`: until the last is over."""

    order: tuple[str, ...]
    total: timedelta


def duration(order: Sequence[Stop], free_in: timedelta) -> timedelta:
    """How long an order is likely to take, from now, for someone who is free in `free_in` and then walks.

    By this estimate plans are compared. It is only as good as the waits it is given.
    """
    at = free_in
    for stop in order:
        at = _after(stop, at)
    return at


def _after(stop: Stop, free_at: timedelta) -> timedelta:
    """When a stop is over for someone who is free at `free_at`. Never decreases with `free_at`, which `best` relies on."""
    there = free_at + WALK
    return stop.wait + stop.service if there <= stop.wait else there + stop.again + stop.service


def plan(stops: Sequence[Stop], free_in: timedelta = timedelta(0)) -> Plan:
    """The order that takes the least time by `duration`: the best one up to `EXACT` stops, a good one above.

    The same for the same stops, however they are sorted; among equals the one by `nth`, then by name.
    """
    known = sorted(stops, key=lambda s: (s.nth, s.ticket))
    order = _best(known, free_in) if len(known) <= EXACT else _good(known, free_in)
    return Plan(tuple(s.ticket for s in order), duration(order, free_in) if order else timedelta(0))


def _best(stops: Sequence[Stop], free_in: timedelta) -> list[Stop]:
    """Held and Karp, 1962: the best way through each set of stops, by the best ways through those with one less.

    Being done earlier with a set never makes what follows later (see `_after`), so the earliest end of each set is enough.
    """
    ends: dict[int, tuple[timedelta, tuple[int, ...]]] = {0: (free_in, ())}
    for chosen in range(1, 1 << len(stops)):
        ends[chosen] = min(
            (_after(stop, ends[chosen ^ 1 << n][0]), (*ends[chosen ^ 1 << n][1], n))
            for n, stop in enumerate(stops)
            if chosen >> n & 1
        )
    return [stops[n] for n in ends[(1 << len(stops)) - 1][1]]


def _good(stops: Sequence[Stop], free_in: timedelta) -> list[Stop]:
    """The better of: whoever's turn comes first, and always the stop that is over first."""
    by_turn = sorted(stops, key=lambda s: s.wait)
    nearest: list[Stop] = []
    left, at = list(stops), free_in
    while left:
        chosen = min(left, key=lambda s: _after(s, at))
        left.remove(chosen)
        nearest.append(chosen)
        at = _after(chosen, at)
    return min(by_turn, nearest, key=lambda order: duration(order, free_in))
