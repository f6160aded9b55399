"""The life of all bookings of a day against a plain model: capacity, cooling, one state each, time only forward; on site
and by phone.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from mpp_queue.appointments.domain.agenda_day import AgendaDay, Wish
from mpp_queue.appointments.domain.booking import FOLLOWS, GIVEN_BACK, Booking, Personal, State, cooling
from mpp_queue.appointments.domain.calendar import ON_SITE, PHONE, Agenda, Hours, Kept
from mpp_queue.appointments.domain.errors import (
    Elsewhere,
    HoldExpired,
    Missed,
    NotInWindow,
    RescheduledBefore,
    SlotFull,
    TooEarly,
)
from mpp_queue.domain import InvalidField, QueueError, Quota, QuotaReached, WrongState

DAY = date(2026, 11, 23)
AGENDA = Agenda(
    parent="sites/x/channels/c",
    site_id="x",
    agency="sites/x/agencies/a",
    zone="Asia/Jakarta",
    slot=timedelta(minutes=30),
    places=2,
    public_places=1,
    hours=(Hours(1, time(8), time(9)), Hours(1, time(10), time(10, 30))),
    last_day=30,
    max_slots=2,
    cooling=timedelta(minutes=20),
    kept=Kept(1, 2, frozenset({"disability"})),
    quota=Quota(per_day=2),
    queue="sites/x/queues/q",
    variants=frozenset({ON_SITE, PHONE}),
)
SLOTS = AGENDA.slots_of(DAY)
PEOPLE = ("", "p1")
DAY_START = SLOTS[0].start


class Day(RuleBasedStateMachine):
    bookings = Bundle("bookings")

    def __init__(self) -> None:
        super().__init__()
        self.now = SLOTS[0].start - timedelta(days=3)
        self.day = AgendaDay("sites/x/channels/c/agendas/2026-11-23", AGENDA.agency, DAY)
        self.rng = random.Random(5)
        self.made = 0
        # The model: which state each booking is in, and until when each of its slots may not be offered (None: for good).
        self.state: dict[str, State] = {}
        self.shut: dict[str, datetime | None] = {}

    def _keep(self, day: AgendaDay) -> None:
        for before in self.day.bookings:
            after = day.find(before.id)
            assert after is not None
            assert after.state is before.state or after.state in FOLLOWS[before.state]
            assert after.history[: len(before.history)] == before.history
        day = day.forgetful()
        self.day = AgendaDay(day.name, day.agency, day.day, day.bookings, day.blocks)

    def _refused(self, wish: Wish, error: QueueError, besides: str = "") -> None:
        """Each refusal for its reason only."""
        if isinstance(error, SlotFull):
            run = AGENDA.run(wish.start, wish.slots)
            assert any(self._room(slot.start, wish, besides) <= 0 for slot in run)
        elif isinstance(error, QuotaReached):
            mine = [
                b
                for b in self.day.bookings
                if b.personal.person_key == wish.personal.person_key and b.is_real(self.now)
            ]
            assert len(mine) >= AGENDA.quota.per_day
        elif isinstance(error, InvalidField):
            assert error.field in ("start", "slots")
        else:
            assert isinstance(error, NotInWindow)

    def _room(self, start: datetime, wish: Wish, besides: str = "") -> int:
        near = [b for b in self.day.bookings if b.overlaps(start, start + AGENDA.slot) and b.id != besides]
        there = [b for b in near if self._is_shut(b)]
        public = [b for b in there if not b.internal]
        room = AGENDA.places - len(there)
        if wish.internal:
            return room
        room = min(room, AGENDA.public_places - len(public))
        if wish.group != "disability":
            kept = 1 if (DAY - (self.now + timedelta(hours=7)).date()).days >= 2 else 0
            room = min(room, AGENDA.public_places - kept - sum(b.group != "disability" for b in public))
        return room

    def _is_shut(self, booking: Booking) -> bool:
        until = self.shut[booking.id]
        return until is None or self.now < until

    def _new(self, day: AgendaDay, id: str, until: datetime | None) -> None:
        booking = day.find(id)
        assert booking is not None
        self._keep(day)
        self.state[id], self.shut[id] = booking.state, until

    @rule(
        target=bookings,
        slot=st.sampled_from(SLOTS),
        count=st.integers(1, 2),
        internal=st.booleans(),
        group=st.sampled_from(["", "disability"]),
        person=st.sampled_from(PEOPLE),
        variant=st.sampled_from([ON_SITE, PHONE]),
    )
    def hold(self, slot: object, count: int, internal: bool, group: str, person: str, variant: str) -> object:
        start = slot.start  # type: ignore[attr-defined]
        wish = Wish(start, count, internal, group=group, personal=Personal(person_key=person), variant=variant)
        id = f"b{self.made}"
        try:
            for one in AGENDA.run(start, count):
                assert self.day.free(AGENDA, one, self.now, internal=internal, priority=group != "") == max(
                    self._room(one.start, wish), 0
                )
            day = self.day.hold(AGENDA, wish, id=id, now=self.now, actor="citizen", rng=self.rng)
        except QueueError as error:
            self._refused(wish, error)
            return multiple()
        assert all(self._room(one.start, wish) >= 1 for one in AGENDA.run(start, count))  # a cooled slot never early
        self.made += 1
        booking = day.find(id)
        assert booking is not None
        assert booking.hold_until == self.now + AGENDA.hold
        assert booking.hold_until <= booking.cool_until <= booking.hold_until + AGENDA.cooling
        self._new(day, id, booking.cool_until)
        return id

    @rule(id=bookings, phone=st.sampled_from(["", "sealed"]))
    def confirm(self, id: str, phone: str) -> None:
        booking = self._of(id)
        told = replace(booking.personal, sealed_phone=phone)
        try:
            after = booking.confirm(AGENDA, now=self.now, actor="citizen", personal=told, code_key="k", sealed_code="s")
        except InvalidField:
            assert (booking.variant, phone) == (PHONE, "")
            return
        except HoldExpired:
            over = self._day_is_over() if booking.remote else self.now >= booking.lost_at(AGENDA)
            assert self.state[id] is State.EXPIRED or self.now >= booking.hold_until or over
            return
        except WrongState:
            assert self.state[id] is not State.HELD
            return
        assert self.state[id] is State.HELD
        self._keep(self.day.change(after))
        self.state[id], self.shut[id] = State.CONFIRMED, None

    @rule(id=bookings)
    def cancel(self, id: str) -> None:
        booking, before = self._of(id), self.shut[id]
        cool = cooling(AGENDA, self.rng)
        try:
            after = booking.cancel(now=self.now, actor="citizen", reason="", cool=cool)
        except WrongState:
            assert self.state[id] not in (State.HELD, State.CONFIRMED, State.CHECKED_IN)
            return
        self._keep(self.day.change(after))
        ran_out = self.state[id] is State.HELD and self.now >= booking.hold_until
        self.state[id], self.shut[id] = State.CANCELLED, before if ran_out else self.now + cool

    @rule(id=bookings, who=st.sampled_from(["kiosk:k", "officer:o"]))
    def check_in(self, id: str, who: str) -> None:
        booking = self._of(id)
        try:
            after = booking.check_in(AGENDA, now=self.now, actor=who, ticket=f"t-{id}")
        except Elsewhere:
            assert (booking.variant, who) == (PHONE, "kiosk:k")
            return
        except TooEarly:
            assert self.now < booking.start - AGENDA.early
            return
        except Missed:
            over = self._day_is_over() if booking.remote else self.now >= booking.lost_at(AGENDA)
            assert self.state[id] is State.NO_SHOW or over
            return
        except WrongState:
            assert self.state[id] is not State.CONFIRMED
            return
        assert self.state[id] is State.CONFIRMED
        assert who == "officer:o" or not booking.remote
        on_time = self.now <= booking.start + AGENDA.late or booking.remote
        assert after.arrived_at == (booking.start - AGENDA.early if on_time else self.now)
        assert after.arrived_at <= self.now
        self._keep(self.day.change(after))
        self.state[id] = State.CHECKED_IN

    @rule(id=bookings, came=st.booleans())
    def end_of_ticket(self, id: str, came: bool) -> None:
        booking = self._of(id)
        if self.state[id] is not State.CHECKED_IN:
            return
        after = booking.fulfil(now=self.now, actor="service") if came else booking.miss(now=self.now, actor="service")
        self._keep(self.day.change(after))
        self.state[id] = after.state

    @rule(target=bookings, id=consumes(bookings), slot=st.sampled_from(SLOTS), count=st.integers(1, 2))
    def reschedule(self, id: str, slot: object, count: int) -> object:
        booking, new = self._of(id), f"b{self.made}"
        wish = Wish(
            slot.start,  # type: ignore[attr-defined]
            count,
            booking.internal,
            group=booking.group,
            personal=booking.personal,
            variant=booking.variant,
        )
        try:
            booking.check_reschedule(AGENDA, self.now)
            day = self.day.book_instead(AGENDA, wish, booking, id, id=new, now=self.now, actor="citizen")
        except RescheduledBefore:
            assert booking.is_missed(AGENDA, self.now)
            assert booking.after_no_show
            return id
        except WrongState:
            assert self.state[id] not in (State.CONFIRMED, State.NO_SHOW)
            return id
        except QueueError as error:
            self._refused(wish, error, id)
            return id
        assert all(self._room(one.start, wish, id) >= 1 for one in AGENDA.run(wish.start, wish.slots))
        self.made += 1
        cool = cooling(AGENDA, self.rng)
        moved = booking.move(now=self.now, actor="citizen", to=new, cool=cool)
        self._new(day.change(moved), new, None)
        fresh = self._of(new)
        missed = self.state[id] is State.CONFIRMED and not booking.remote and self.now >= booking.lost_at(AGENDA)
        assert fresh.after_no_show is (booking.after_no_show or self.state[id] is State.NO_SHOW or missed)
        self.state[id], self.shut[id] = State.RESCHEDULED, self.now + cool
        return multiple(id, new)

    @rule(minutes=st.integers(1, 90))
    def some_minutes_pass(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(id=bookings, which=st.integers(0, 4), seconds=st.sampled_from([-1, 0, 1]))
    def a_moment_that_matters_comes(self, id: str, which: int, seconds: int) -> None:
        """Just before, at, and just after what a booking waits for."""
        booking = self._of(id)
        moments = (
            booking.hold_until,
            booking.cool_until,
            booking.start,
            booking.lost_at(AGENDA),
            AGENDA.settled_at(DAY_START),
        )
        self.now = max(self.now, moments[which] + timedelta(seconds=seconds))

    @rule()
    def it_is_the_day(self) -> None:
        self.now = max(self.now, SLOTS[0].start - AGENDA.early)

    @rule()
    def sweep(self) -> None:
        day = self.day.tick(AGENDA, now=self.now, actor="service")
        while (due := day.due_at(AGENDA)) is not None and due <= self.now:  # a reminder first, then what follows it
            day = day.tick(AGENDA, now=self.now, actor="service")
        for id, state in self.state.items():
            booking = self._of(id)
            if state is State.HELD and self.now >= booking.hold_until:
                self.state[id] = State.EXPIRED
            elif state is State.CONFIRMED and booking.remote and self.now >= booking.start:
                # The office begins by itself; when it did not all day, it was the office that let it go.
                self.state[id] = State.CANCELLED if self._day_is_over() else State.CHECKED_IN
            elif state is State.CONFIRMED and not booking.remote and self.now >= booking.lost_at(AGENDA):
                self.state[id] = State.NO_SHOW
            elif state is State.CHECKED_IN and self.now >= AGENDA.settled_at(DAY_START):
                self.state[id] = State.CANCELLED  # nobody told how its ticket ended
            if state is not State.CANCELLED and self.state[id] is State.CANCELLED:
                self.shut[id] = self.now
        self._keep(day)
        for b in day.bookings:
            assert not (b.given_up_at and b.state is State.CANCELLED and b.history[-1].actor == "service")
        assert self.day.tick(AGENDA, now=self.now, actor="service") == self.day  # twice is once

    def _day_is_over(self) -> bool:
        return (self.now + timedelta(hours=7)).date() > DAY

    def _of(self, id: str) -> Booking:
        booking = self.day.find(id)
        assert booking is not None
        return booking

    @invariant()
    def each_is_in_the_models_state(self) -> None:
        assert {b.id: b.state for b in self.day.bookings} == self.state

    @invariant()
    def capacity_is_never_exceeded(self) -> None:
        for slot in SLOTS:
            real = [b for b in self.day.bookings if b.overlaps(slot.start, slot.end) and b.is_real(self.now)]
            assert len(real) <= AGENDA.places
            assert sum(not b.internal for b in real) <= AGENDA.public_places

    @invariant()
    def time_goes_forward_in_every_history(self) -> None:
        for booking in self.day.bookings:
            times = [line.at for line in booking.history]
            assert times == sorted(times)
            assert booking.history[-1].state is booking.state

    @invariant()
    def what_was_given_back_tells_nobody_who_it_was(self) -> None:
        for booking in self.day.bookings:
            if booking.state in GIVEN_BACK:
                assert booking.personal in (Personal(), Personal(person_key=booking.personal.person_key))
                assert not booking.sealed_code


TestDay = Day.TestCase
TestDay.settings = settings(stateful_step_count=40, deadline=None)


def test_the_sum_of_a_day_in_utc() -> None:
    """The model's constants are what they look like."""
    assert [s.start.hour for s in SLOTS] == [1, 1, 3]
    assert SLOTS[0].start == datetime(2026, 11, 23, 1, tzinfo=UTC)
