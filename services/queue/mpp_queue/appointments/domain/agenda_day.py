"""The bookings of one local day at one queue or channel: the aggregate that decides about capacity.

Everything that competes for the places of a day is in this one document, so whether a place is free and that it is taken
are one compare-and-set. Knows bookings and blocks; never the store. Pure: a method returns a new day.

Guaranteed of every day that these methods make: in no slot are there more real bookings than places when they were made,
nor more of the public than public places; a place given back is not offered before its random delay is over; the bookings
can be spread over the places so that between two of one place there are `setup` minutes. Not guaranteed across midnight.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Protocol

from mpp_queue.appointments.domain.booking import (
    GIVEN_BACK,
    KEEPS_PLACE,
    Booking,
    Change,
    HistoryLine,
    Personal,
    State,
    cooling,
)
from mpp_queue.appointments.domain.calendar import ON_SITE, REMOTE, Agenda, Slot
from mpp_queue.appointments.domain.errors import NotInWindow, SlotFull
from mpp_queue.domain import InvalidField, PersonRequired, QuotaReached, WrongState

ENDED_KEPT = 300  # bookings that gave their place back; older ones go, so that a day's document stays small


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to book."""

    start: datetime
    slots: int = 1
    internal: bool = False
    offering: str = ""
    group: str = ""
    area: str = ""
    owners: tuple[str, ...] = ()
    personal: Personal = field(default_factory=Personal)
    variant: str = ON_SITE


@dataclass(frozen=True, slots=True)
class Block:
    """Places that nobody can book, for a reason. `places` 0: all of them."""

    id: str
    start: datetime
    end: datetime
    places: int
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """Of one slot at one moment: places taken, cooling, or being made ready for the next. `others`: of the public ones,
    by people of no priority group.
    """

    all: int
    public: int
    others: int
    blocked: int


class Span(Protocol):
    """Anything that begins and ends."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Occupied:
    """One booking as capacity sees it: `until` None while its place is taken, else when it stops cooling."""

    start: datetime
    end: datetime
    internal: bool
    priority: bool
    until: datetime | None

    def counts(self, now: datetime) -> bool:
        return self.until is None or now < self.until


def taken_in(slot: Slot, occupied: Iterable[Occupied], blocks: Iterable[Block], agenda: Agenda, now: datetime) -> Taken:
    """What a booking of this slot would meet, from its start until its place is ready for the next one. A booking of
    several slots in a row meets what each of them meets; between two bookings one `setup` is enough.
    """
    until = slot.end + agenda.setup
    there = [o for o in occupied if o.counts(now) and o.start < until and slot.start < o.end + agenda.setup]
    public = [o for o in there if not o.internal]
    others = [o for o in public if not o.priority]
    blocked = sum(b.places or agenda.places for b in blocks if b.start < slot.end and slot.start < b.end)
    return Taken(
        all=most_at_once(there, agenda.setup),
        public=most_at_once(public, agenda.setup),
        others=most_at_once(others, agenda.setup),
        blocked=min(blocked, agenda.places),
    )


def most_at_once(spans: Sequence[Span], setup: timedelta) -> int:
    """Places that these need: as many as are there at once at the worst moment, each with its `setup` after it. Two that
    follow each other share a place.
    """
    steps = sorted([(s.start, 1) for s in spans] + [(s.end + setup, -1) for s in spans])
    return max(accumulate((step for _, step in steps), initial=0))


def free_in(agenda: Agenda, taken: Taken, *, internal: bool, priority: bool, days_ahead: int) -> int:
    """Places of a slot that this caller could still have."""
    room = agenda.places - taken.blocked - taken.all
    if internal:
        return max(room, 0)
    room = min(room, agenda.public_places - taken.public)
    if not priority:
        room = min(room, agenda.public_places - agenda.kept.on(days_ahead) - taken.others)
    return max(room, 0)


@dataclass(frozen=True, slots=True)
class AgendaDay:
    """`name`: `<parent>/agendas/<ISO date>`."""

    name: str
    agency: str
    day: date
    bookings: tuple[Booking, ...] = ()
    blocks: tuple[Block, ...] = ()
    events: tuple[tuple[str, Change], ...] = field(default=(), compare=False)  # (booking id, what happened)

    def find(self, booking_id: str) -> Booking | None:
        return next((b for b in self.bookings if b.id == booking_id), None)

    def free(
        self, agenda: Agenda, slot: Slot, now: datetime, *, internal: bool, priority: bool, besides: str = ""
    ) -> int:
        """Places of a slot that this caller could have; as if the booking `besides` had none."""
        there = [occupied(b, agenda.kept.groups) for b in self.bookings if b.id != besides]
        taken = taken_in(slot, there, self.blocks, agenda, now)
        ahead = agenda.days_ahead(self.day, now)
        return free_in(agenda, taken, internal=internal, priority=priority, days_ahead=ahead)

    def hold(self, agenda: Agenda, wish: Wish, *, id: str, now: datetime, actor: str, rng: random.Random) -> AgendaDay:
        """Raises InvalidField, NotInWindow, SlotFull, QuotaReached, PersonRequired, UnderMaintenance, QueueNotOpen."""
        agenda.refuse_new(now)
        if wish.variant not in agenda.variants:
            raise InvalidField("variant", f"only {', '.join(sorted(agenda.variants))} can be booked here")
        run = self._check(agenda, wish, now)
        until = now + agenda.hold
        held = _booking(wish, id, run, State.HELD, now, actor)
        held = replace(held, hold_until=until, cool_until=until + cooling(agenda, rng))
        return self._with(held, now)

    def book_instead(
        self, agenda: Agenda, wish: Wish, before: Booking, replaces: str, *, id: str, now: datetime, actor: str
    ) -> AgendaDay:
        """Take places for a booking of this or another day; confirmed at once. `before` is what it replaces: its person,
        its code, its phone and its link go on, and how they meet: that was promised. Raises as hold does, but capacity
        and the person's quota count `before` as gone: the same write gives it back.
        """
        if wish.start == before.start:
            raise InvalidField("start", "it is booked for this time already")
        run = self._check(agenda, wish, now, besides=before.id)
        fresh = _booking(wish, id, run, State.CONFIRMED, now, actor)
        fresh = replace(
            fresh,
            code_key=before.code_key,
            sealed_code=before.sealed_code,
            sealed_link=before.sealed_link,
            replaces=replaces,
            after_no_show=before.after_no_show or before.is_missed(agenda, now),
            reminded=fresh.start - now <= agenda.remind,
        )
        return self._with(fresh, now)

    def change(self, after: Booking) -> AgendaDay:
        """Put a booking's next step in its place."""
        before = self.find(after.id)
        assert before is not None, "only a booking of this day"
        if after is before:
            return self
        bookings = tuple(replace(after, events=()) if b.id == after.id else b for b in self.bookings)
        events = (*self.events, *((after.id, change) for change in after.events))
        return replace(self, bookings=bookings, events=events)

    def tick(self, agenda: Agenda, *, now: datetime, actor: str) -> AgendaDay:
        """What time does to all of them by `now`."""
        day = self
        for booking in self.bookings:
            day = day.change(booking.tick(agenda, now=now, actor=actor))
        return day

    def forgetful(self) -> AgendaDay:
        """What is kept: of bookings that gave their place back, no person. Taken after the events are made."""
        return replace(self, bookings=tuple(b.without_person() if b.state in GIVEN_BACK else b for b in self.bookings))

    def due_at(self, agenda: Agenda) -> datetime | None:
        return min((due for b in self.bookings if (due := b.due_at(agenda)) is not None), default=None)

    def block(self, block: Block) -> AgendaDay:
        """Bookings that are there stay, and show up as conflicts. Blocking twice with one id is once."""
        if any(b.id == block.id for b in self.blocks):
            return self
        if len(self.blocks) >= 100:
            raise WrongState("a day has at most 100 blocks", metadata={"blocks": "100"})
        return replace(self, blocks=(*self.blocks, block))

    def unblock(self, block_id: str) -> AgendaDay:
        return replace(self, blocks=tuple(b for b in self.blocks if b.id != block_id))

    def _check(self, agenda: Agenda, wish: Wish, now: datetime, besides: str = "") -> Sequence[Slot]:
        if not agenda.bookable(self.day, now, internal=wish.internal):
            raise NotInWindow("this day cannot be booked now", metadata=window(agenda, now))
        run = agenda.run(wish.start, wish.slots)
        if wish.start <= now:
            raise InvalidField("start", "this time has begun already")
        if agenda.offerings and wish.offering not in agenda.offerings:
            raise InvalidField("offering", "name one of the services that can be had here")
        if wish.variant not in REMOTE and not agenda.serves(wish.area, self.day):
            raise InvalidField("area", "the team does not come to this area on that day")
        self._check_person(agenda, wish, now, besides)
        priority = wish.group in agenda.kept.groups
        for slot in run:
            if not self.free(agenda, slot, now, internal=wish.internal, priority=priority, besides=besides):
                raise SlotFull("no place is free then")
        return run

    def _check_person(self, agenda: Agenda, wish: Wish, now: datetime, besides: str) -> None:
        person, quota = wish.personal, agenda.quota
        if quota.person_required and not person.person_key:
            raise PersonRequired("this agency books only for a known person: give the NIK")
        if not quota.per_day or not person.person_key:
            return
        others = [b.personal for b in self.bookings if b.is_real(now) and b.id != besides]
        if sum(1 for b in others if b.counts_for == person.counts_for) >= quota.per_day:
            raise QuotaReached("this person has a booking of that day", metadata={"per_day": str(quota.per_day)})
        most = quota.per_day * quota.typed_people
        if person.typist and sum(1 for b in others if b.typist == person.typist) >= most:
            raise QuotaReached(
                "this account has bookings enough of that day", metadata={"limit": "account", "per_day": str(most)}
            )

    def _with(self, booking: Booking, now: datetime) -> AgendaDay:
        events = (*self.events, *((booking.id, change) for change in booking.events))
        return replace(self, bookings=(*_trimmed(self.bookings, now), replace(booking, events=())), events=events)


def occupied(booking: Booking, kept_groups: frozenset[str]) -> Occupied:
    until = None if booking.state in KEEPS_PLACE else booking.cool_until
    return Occupied(booking.start, booking.end, booking.internal, booking.group in kept_groups, until)


def window(agenda: Agenda, now: datetime) -> dict[str, str]:
    """The first and the last day that the public may book now."""
    today = agenda.local_day(now).toordinal()
    return {
        "first_day": date.fromordinal(today + agenda.first_day).isoformat(),
        "last_day": date.fromordinal(today + agenda.last_day).isoformat(),
    }


def _booking(wish: Wish, id: str, run: Sequence[Slot], state: State, now: datetime, actor: str) -> Booking:
    return Booking(
        id=id,
        start=run[0].start,
        end=run[-1].end,
        slots=wish.slots,
        state=state,
        made_at=now,
        hold_until=now,
        cool_until=now,
        internal=wish.internal,
        offering=wish.offering,
        group=wish.group,
        area=wish.area,
        owners=wish.owners,
        personal=wish.personal,
        variant=wish.variant,
        history=(HistoryLine(now, actor, state),),
        events=(Change(state),),
    )


def _trimmed(bookings: tuple[Booking, ...], now: datetime) -> tuple[Booking, ...]:
    """Without the oldest of those that gave their place back, when there are too many; never one that still cools."""
    ended = [b for b in bookings if b.state in GIVEN_BACK and b.cool_until <= now]
    if len(ended) <= ENDED_KEPT:
        return bookings
    gone = {b.id for b in sorted(ended, key=lambda b: b.cool_until)[: len(ended) - ENDED_KEPT]}
    return tuple(b for b in bookings if b.id not in gone)
