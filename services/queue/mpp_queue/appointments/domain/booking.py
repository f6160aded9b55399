"""One booking from its hold to its end. Knows states, who did what when, and which places it takes.

Never knows how many places there are (agenda_day.py decides that), the store, or a person's data in clear: sealed texts
and blind indexes only. Pure; a method returns a new booking that carries the event of the step in `events`.

States are DOMAIN.md's: a place is free, held, confirmed, checked in; then the booking is fulfilled, rescheduled, a
no-show or cancelled. Cooling and blocked are states of a place, not of a booking: see `Occupied` in agenda_day.py.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from mpp_queue.appointments.domain.calendar import ON_SITE, PHONE, REMOTE, VIDEO, Agenda
from mpp_queue.appointments.domain.errors import Elsewhere, HoldExpired, Missed, RescheduledBefore, TooEarly
from mpp_queue.domain import InvalidField, WrongState

HISTORY_KEPT = 30
NOT_STARTED = "Tidak dimulai oleh kantor (not started by the office)"


class State(StrEnum):
    HELD = "held"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    FULFILLED = "fulfilled"
    RESCHEDULED = "rescheduled"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# What may follow what. No way leads back: a state is left once and never entered again.
FOLLOWS: dict[State, frozenset[State]] = {
    State.HELD: frozenset({State.CONFIRMED, State.CANCELLED, State.EXPIRED}),
    State.CONFIRMED: frozenset({State.CHECKED_IN, State.CANCELLED, State.RESCHEDULED, State.NO_SHOW}),
    State.CHECKED_IN: frozenset({State.FULFILLED, State.NO_SHOW, State.CANCELLED}),
    State.NO_SHOW: frozenset({State.RESCHEDULED}),
    State.FULFILLED: frozenset(),
    State.RESCHEDULED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
}
ACTIVE = frozenset({State.HELD, State.CONFIRMED, State.CHECKED_IN})
# Whose place stays taken for good: the time was used, or lost.
KEEPS_PLACE = frozenset({State.CONFIRMED, State.CHECKED_IN, State.FULFILLED, State.NO_SHOW})
GIVEN_BACK = frozenset({State.RESCHEDULED, State.CANCELLED, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class HistoryLine:
    at: datetime
    actor: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Something to tell: the state reached, or `reminder`."""

    state: State
    reminder: bool = False


@dataclass(frozen=True, slots=True)
class Personal:
    """Sealed texts, masks, blind indexes; all empty when unknown. `person_key` is the blind index of the NIK, `email_key`
    of the normalised address. `holder_key`: under whom it counts, `typist`: which account typed the NIK, none when it is
    proven (see ../../domain/holder.py).
    """

    person_key: str = ""
    holder_key: str = ""
    typist: str = ""
    masked_nik: str = ""
    sealed_nik: str = field(default="", repr=False)
    masked_phone: str = ""
    sealed_phone: str = field(default="", repr=False)
    phone_key: str = ""
    sealed_address: str = field(default="", repr=False)
    masked_email: str = ""
    sealed_email: str = field(default="", repr=False)
    email_key: str = ""

    @property
    def counts_for(self) -> str:
        """The key of quota and cool-down. What version 0.3.0 wrote knew no typists: it counts for the person."""
        return self.holder_key or self.person_key

    @property
    def mailbox(self) -> str:
        """Under what an address counts: anybody can type one, so a person who proves a NIK has it to themselves."""
        proven = self.email_key and self.person_key and self.counts_for == self.person_key
        return f"{self.email_key}#{self.person_key}" if proven else self.email_key


@dataclass(frozen=True, slots=True)
class Booking:
    """`start`, `end`: aware UTC. `cool_until`: the place is not offered before, once the booking gave it back; drawn with
    the hold, so that a hold nobody confirms cools although no process did anything.
    """

    id: str
    start: datetime
    end: datetime
    slots: int
    state: State
    made_at: datetime
    hold_until: datetime
    cool_until: datetime
    internal: bool = False
    offering: str = ""
    group: str = ""
    area: str = ""
    owners: tuple[str, ...] = ()
    personal: Personal = field(default_factory=Personal)
    code_key: str = ""
    sealed_code: str = field(default="", repr=False)
    arrived_at: datetime | None = None
    late: bool = False
    ticket: str = ""
    replaces: str = ""
    replaced_by: str = ""
    after_no_show: bool = False
    reminded: bool = False
    reason: str = ""
    variant: str = ON_SITE
    sealed_link: str = field(default="", repr=False)
    history: tuple[HistoryLine, ...] = ()
    events: tuple[Change, ...] = field(default=(), compare=False)

    def is_real(self, now: datetime) -> bool:
        """Whether somebody will come, came, or should have come: what capacity is about."""
        return self.state in KEEPS_PLACE or (self.state is State.HELD and now < self.hold_until)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.start < end and start < self.end

    @property
    def remote(self) -> bool:
        """Whether nobody comes: by phone or by video."""
        return self.variant in REMOTE

    def confirm(
        self,
        agenda: Agenda,
        *,
        now: datetime,
        actor: str,
        personal: Personal,
        code_key: str,
        sealed_code: str,
        sealed_link: str = "",
    ) -> Booking:
        """Raises HoldExpired (also when the time itself is over), WrongState, InvalidField for a variant that nobody could
        be reached for. Who confirms when the reminder would be due is not reminded of it.
        """
        ran_out = now >= self.hold_until or self._is_lost(agenda, now)
        if self.state is State.EXPIRED or (self.state is State.HELD and ran_out):
            raise HoldExpired("nobody confirmed in time; choose a time again")
        if self.variant == PHONE and not personal.sealed_phone:
            raise InvalidField("phone", "a phone appointment needs the number to call")
        if self.variant == VIDEO and not (personal.sealed_email or personal.sealed_phone):
            raise InvalidField("email", "a video appointment needs an e-mail address or a phone to send the link to")
        reminded = self.start - now <= agenda.remind
        sure = replace(self, personal=personal, code_key=code_key, sealed_code=sealed_code, reminded=reminded)
        return replace(sure, sealed_link=sealed_link)._to(State.CONFIRMED, now, actor)

    def cancel(self, *, now: datetime, actor: str, reason: str, cool: timedelta) -> Booking:
        """Give the places back; they are offered again after `cool`. A hold that ran out cools already: no sooner."""
        ran_out = self.state is State.HELD and now >= self.hold_until
        until = self.cool_until if ran_out else now + cool
        return replace(self._to(State.CANCELLED, now, actor, reason), cool_until=until, reason=reason)

    def expire(self, *, now: datetime, actor: str) -> Booking:
        """The hold ran out. The places cool from the end of the hold, whenever this is noticed."""
        if now < self.hold_until:
            raise WrongState("the hold is not over", metadata={"state": self.state.value})
        return self._to(State.EXPIRED, now, actor)

    def check_reschedule(self, agenda: Agenda, now: datetime) -> None:
        """Raises WrongState; RescheduledBefore when it was missed and was a second chance already."""
        self._check(State.RESCHEDULED)
        if self.after_no_show and self.is_missed(agenda, now):
            raise RescheduledBefore("a missed appointment gets a new time once; please book anew")

    def is_missed(self, agenda: Agenda, now: datetime) -> bool:
        """Also before a sweep wrote it down. Nobody misses what the office was to begin."""
        over = self.state is State.CONFIRMED and not self.remote and now >= self.lost_at(agenda)
        return self.state is State.NO_SHOW or over

    def move(self, *, now: datetime, actor: str, to: str, cool: timedelta) -> Booking:
        """The appointment `to` takes its place: whether it may was asked before `to` was made (check_reschedule). Raises
        WrongState.
        """
        moved = replace(self, replaced_by=to, cool_until=now + cool)
        return moved._to(State.RESCHEDULED, now, actor, to)

    def check_in(self, agenda: Agenda, *, now: datetime, actor: str, ticket: str) -> Booking:
        """The citizen is here, or, where nobody comes, the office begins. Raises TooEarly, Missed, WrongState, Elsewhere.

        The place among walk-ins: who checks in by `late` after the start stands as if arrived `early` before the start,
        so before every walk-in who came in the last `early`; who comes later stands as a walk-in who comes now. Who waits
        at a phone is never late.
        """
        if self.remote and actor.split(":")[0] not in ("officer", "service"):
            raise Elsewhere("nobody needs to come: the office calls, or opens the video link, at the booked time")
        if self.state is State.NO_SHOW or (self.state is State.CONFIRMED and self._is_lost(agenda, now)):
            raise Missed("the booked time is over; it can be given a new time", metadata={"state": self.state.value})
        self._check(State.CHECKED_IN)
        opens = self.start - agenda.early
        if now < opens:
            raise TooEarly("check-in is not open yet", metadata={"opens_at": opens.isoformat()})
        late = now > self.start + agenda.late and not self.remote
        here = replace(self, arrived_at=now if late else opens, late=late, ticket=ticket)
        return here._to(State.CHECKED_IN, now, actor)

    def fulfil(self, *, now: datetime, actor: str) -> Booking:
        return self._to(State.FULFILLED, now, actor)

    def miss(self, *, now: datetime, actor: str, note: str = "") -> Booking:
        """Nobody came, or nobody answered the calls of the ticket."""
        return self._to(State.NO_SHOW, now, actor, note)

    def remind(self) -> Booking:
        return replace(self, reminded=True, events=(*self.events, Change(self.state, reminder=True)))

    def lost_at(self, agenda: Agenda) -> datetime:
        """From when on nobody is waited for: the booked time is over, and the time for being late too."""
        return max(self.end, self.start + agenda.late)

    def _is_lost(self, agenda: Agenda, now: datetime) -> bool:
        """Whom the office is to call waits all day."""
        if self.remote:
            return agenda.local_day(now) > agenda.local_day(self.start)
        return now >= self.lost_at(agenda)

    def due_at(self, agenda: Agenda) -> datetime | None:
        """When time itself does the next thing to it."""
        if self.state is State.HELD:
            return self.hold_until
        if self.state is State.CONFIRMED:
            return self._waits_until(agenda) if self.reminded else self.start - agenda.remind
        if self.state is State.CHECKED_IN:
            # Without a ticket nothing will tell how it ended: who came was served.
            return agenda.settled_at(self.start) if self.ticket else self.lost_at(agenda)
        return None

    def _waits_until(self, agenda: Agenda) -> datetime:
        """When time acts on a sure booking. Where nobody comes nobody can be late: at the booked time the ticket stands in
        the line; without a line the office has all day to begin.
        """
        if not self.remote:
            return self.lost_at(agenda)
        return self.start if agenda.queue else agenda.day_end(self.start)

    def tick(self, agenda: Agenda, *, now: datetime, actor: str) -> Booking:
        """What time does to it by `now`; itself when nothing is due."""
        due = self.due_at(agenda)
        if due is None or now < due:
            return self
        if self.state is State.HELD:
            return self.expire(now=now, actor=actor)
        if self.state is State.CHECKED_IN:
            if self.ticket:  # no news of it came, and none will: it ended with its day
                return self.cancel(now=now, actor=actor, reason="", cool=timedelta(0))
            return self.fulfil(now=now, actor=actor)
        if now < self._waits_until(agenda):
            return self.remind()
        return self._begin(agenda, now=now, actor=actor) if self.remote else self.miss(now=now, actor=actor)

    def _begin(self, agenda: Agenda, *, now: datetime, actor: str) -> Booking:
        """Once its day is over nobody can be called: then the office let it go, not the citizen."""
        if self._is_lost(agenda, now):
            return self.cancel(now=now, actor=actor, reason=NOT_STARTED, cool=timedelta(0))
        return self.check_in(agenda, now=now, actor=actor, ticket=agenda.ticket_of(self.id))

    @property
    def given_up_at(self) -> datetime | None:
        """When the citizen let a sure appointment go: cancelled it, or did not come. None when somebody else ended it."""
        last = self.history[-1]
        if self.state is State.NO_SHOW:
            return last.at
        sure = any(line.state is State.CONFIRMED for line in self.history)
        by_citizen = last.actor.split(":")[0] in ("citizen", "kiosk")
        return last.at if self.state is State.CANCELLED and sure and by_citizen else None

    def without_person(self) -> Booking:
        """What is kept when nobody needs to know any more who it was: an account still sees what it did itself, and who
        gave up a sure appointment waits for the next one (the blind index alone).
        """
        owners = () if self.state is State.EXPIRED else self.owners
        kept = Personal(person_key=self.personal.person_key, holder_key=self.personal.holder_key)
        return replace(
            self,
            personal=kept if self.given_up_at else Personal(),
            owners=owners,
            code_key="",
            sealed_code="",
            sealed_link="",
        )

    def _check(self, target: State) -> None:
        if target not in FOLLOWS[self.state]:
            raise WrongState(
                f"the appointment is {self.state.value}; it cannot become {target.value}",
                metadata={"state": self.state.value, "step": target.value},
            )

    def _to(self, state: State, now: datetime, actor: str, note: str = "") -> Booking:
        self._check(state)
        line = HistoryLine(now, actor, state, note)
        return replace(
            self, state=state, history=(*self.history, line)[-HISTORY_KEPT:], events=(*self.events, Change(state))
        )


def cooling(agenda: Agenda, rng: random.Random) -> timedelta:
    """A random time up to the agenda's: nobody can tell when a freed place comes back."""
    return timedelta(seconds=rng.uniform(0, agenda.cooling.total_seconds()))
