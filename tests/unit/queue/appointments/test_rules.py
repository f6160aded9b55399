"""The stated rules one by one: the place between walk-ins, kept places, conflicts and what is proposed, what is kept."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue.appointments.domain.agenda_day import ENDED_KEPT, AgendaDay, Block, Wish
from mpp_queue.appointments.domain.booking import Booking, Personal, State, cooling
from mpp_queue.appointments.domain.calendar import Kept
from mpp_queue.appointments.domain.conflicts import Reason, conflicts_of, nearest_days, propose
from mpp_queue.appointments.domain.errors import RescheduledBefore, SlotFull, TooEarly
from mpp_queue.domain import InvalidField, Quota, QuotaReached, WrongState

from .test_calendar import MONDAY, agenda

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
NINE = datetime(2026, 11, 23, 2, tzinfo=UTC)  # 09:00 in Malang
AGENDA = agenda()


def empty() -> AgendaDay:
    return AgendaDay("sites/x/queues/q/agendas/2026-11-23", AGENDA.agency, MONDAY)


def hold(day: AgendaDay, id: str, start: datetime = NINE, now: datetime = NOW, **given: Any) -> AgendaDay:
    return day.hold(AGENDA, Wish(start, **given), id=id, now=now, actor="citizen:x", rng=random.Random(1))


def confirmed(day: AgendaDay, id: str, now: datetime = NOW) -> AgendaDay:
    booking = day.find(id)
    assert booking is not None
    return day.change(
        booking.confirm(AGENDA, now=now, actor="citizen:x", personal=booking.personal, code_key="k", sealed_code="s")
    )


def sure(id: str = "b", **given: Any) -> Booking:
    found = confirmed(hold(empty(), id, **given), id).find(id)
    assert found is not None
    return found


@given(st.integers(-180, 29))
def test_the_place_between_walk_ins(minutes: int) -> None:
    """By `late` after the start: as if arrived when check-in opened. Later: now. Never in the future."""
    now = NINE + timedelta(minutes=minutes)
    if minutes < -30:
        with pytest.raises(TooEarly):
            sure().check_in(AGENDA, now=now, actor="kiosk", ticket="t")
        return
    here = sure().check_in(AGENDA, now=now, actor="kiosk", ticket="t")
    assert here.late is (minutes > 10)
    assert here.arrived_at == (now if minutes > 10 else NINE - timedelta(minutes=30))


@given(st.integers(0, 2**32))
def test_cooling_is_random_and_bounded(seed: int) -> None:
    delay = cooling(AGENDA, random.Random(seed))
    assert timedelta(0) <= delay <= AGENDA.cooling


def test_two_places_of_one_slot_do_not_come_back_together() -> None:
    rng = random.Random(3)
    assert len({cooling(AGENDA, rng) for _ in range(50)}) > 40


def test_kept_places_are_free_for_all_when_the_day_is_near() -> None:
    a = replace(AGENDA, kept=Kept(1, 2, frozenset({"disability"})))
    slot = a.slots_of(MONDAY)[0]
    for days, free in ((3, 1), (2, 1), (1, 2), (0, 2)):
        now = datetime(2026, 11, 23, 0, tzinfo=UTC) - timedelta(days=days)
        assert empty().free(a, slot, now, internal=False, priority=False) == free
        assert empty().free(a, slot, now, internal=False, priority=True) == 2
        assert empty().free(a, slot, now, internal=True, priority=False) == 3


def test_a_person_who_used_the_kept_place_leaves_the_other() -> None:
    a = replace(AGENDA, kept=Kept(1, 0, frozenset({"disability"})))
    day = empty().hold(a, Wish(NINE, group="disability"), id="a", now=NOW, actor="x", rng=random.Random(1))
    day = day.hold(a, Wish(NINE), id="b", now=NOW, actor="x", rng=random.Random(1))
    with pytest.raises(SlotFull):
        day.hold(a, Wish(NINE, group="disability"), id="c", now=NOW, actor="x", rng=random.Random(1))


def test_an_offering_that_is_not_had_here() -> None:
    a = replace(AGENDA, offerings=frozenset({"sites/x/offerings/nikah"}))
    with pytest.raises(InvalidField) as refused:
        empty().hold(a, Wish(NINE), id="a", now=NOW, actor="x", rng=random.Random(1))
    assert refused.value.field == "offering"


def test_conflicts_and_the_nearest_times() -> None:
    day = confirmed(hold(empty(), "a"), "a")
    day = confirmed(hold(day, "b", now=NOW + timedelta(seconds=1)), "b")
    day = confirmed(hold(day, "late", NINE + timedelta(hours=5), slots=2), "late")
    assert list(conflicts_of(AGENDA, day, NOW)) == []
    shorter = replace(AGENDA, hours=AGENDA.hours[:1] + AGENDA.hours[2:])
    assert [(b.id, r) for b, r in conflicts_of(shorter, day, NOW)] == [("late", Reason.OUTSIDE_HOURS)]
    shifted = replace(AGENDA, slot=timedelta(minutes=20))
    assert list(conflicts_of(shifted, day, NOW)) == []  # another grid is no harm as long as doors are open
    fewer = replace(AGENDA, places=1, public_places=1)
    assert [(b.id, r) for b, r in conflicts_of(fewer, day, NOW)] == [("b", Reason.OVER_CAPACITY)]
    closed = replace(AGENDA, closed=frozenset({"2026-11-23"}))
    assert {r for _, r in conflicts_of(closed, day, NOW)} == {Reason.CLOSED_DAY}
    blocked = day.block(Block("k", NINE, NINE + timedelta(minutes=30), 2, "listrik", "officer", NOW))
    assert [(b.id, r) for b, r in conflicts_of(AGENDA, blocked, NOW)] == [("b", Reason.BLOCKED)]
    assert list(conflicts_of(closed, day, NINE + timedelta(days=1))) == []  # nobody moves what is over
    booking = day.find("late")
    assert booking is not None
    found = propose(closed, booking, {MONDAY: day}, nearest_days(MONDAY, date(2026, 11, 20), date(2026, 12, 20)), NOW)
    assert [s.end - s.start for s in found] == [timedelta(hours=1)] * 3
    assert found[0].start == datetime(2026, 11, 20, 6, tzinfo=UTC)  # Friday the 20th at 13:00 is the nearest day


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 60), st.integers(0, 60))
def test_nearest_days(around: date, back: int, ahead: int) -> None:
    today, last = around - timedelta(days=back), around + timedelta(days=ahead)
    days = nearest_days(around, today, last)
    assert len(set(days)) == len(days)
    assert all(today <= d <= last and abs((d - around).days) <= 31 for d in days)
    assert [abs((d - around).days) for d in days] == sorted(abs((d - around).days) for d in days)


def test_a_day_forgets_the_oldest_that_were_given_back_but_none_that_cools() -> None:
    day, now = empty(), NOW
    for n in range(ENDED_KEPT + 40):
        now += timedelta(minutes=50)
        day = hold(replace(day, events=()), f"b{n}", NINE, NOW + timedelta(minutes=1))
        booking = day.find(f"b{n}")
        assert booking is not None
        gone = booking.cancel(now=NOW + timedelta(minutes=2), actor="citizen:x", reason="", cool=timedelta(0))
        day = day.change(gone)
        cool = replace(gone, cool_until=NOW, events=())
        day = replace(day, bookings=tuple(cool if b.id == cool.id else b for b in day.bookings))
    assert len(day.bookings) <= ENDED_KEPT + 1
    cooling_now = tuple(replace(b, cool_until=NOW + timedelta(days=1)) for b in day.bookings)
    crowded = replace(day, bookings=cooling_now * 2)
    assert len(hold(crowded, "new", NINE + timedelta(hours=4), NOW).bookings) == len(crowded.bookings) + 1


def test_blocking_twice_is_once_and_has_a_bound() -> None:
    block = Block("k", NINE, NINE + timedelta(hours=1), 0, "x", "officer", NOW)
    day = empty().block(block)
    assert day.block(block) == day
    assert day.unblock("k").unblock("k") == empty()
    for n in range(99):
        day = day.block(replace(block, id=f"k{n}"))
    with pytest.raises(WrongState):
        day.block(replace(block, id="one more"))


def test_who_let_a_sure_appointment_go() -> None:
    mine = Personal(person_key="p", sealed_phone="s")
    booked = replace(sure(), personal=mine)
    by_citizen = booked.cancel(now=NOW, actor="citizen:x", reason="", cool=timedelta(0))
    assert by_citizen.given_up_at == NOW
    assert by_citizen.without_person().personal == Personal(person_key="p")
    by_officer = booked.cancel(now=NOW, actor="officer:o", reason="", cool=timedelta(0))
    assert by_officer.given_up_at is None
    assert by_officer.without_person().personal == Personal()
    only_held = hold(empty(), "h", personal=mine).find("h")
    assert only_held is not None
    assert only_held.cancel(now=NOW, actor="citizen:x", reason="", cool=timedelta(0)).given_up_at is None
    missed = booked.miss(now=NINE, actor="service")
    assert (missed.state, missed.given_up_at) == (State.NO_SHOW, NINE)


def test_a_hold_that_ran_out_cools_no_shorter_for_being_cancelled() -> None:
    held = hold(empty(), "h").find("h")
    assert held is not None
    held = replace(held, cool_until=held.hold_until + timedelta(minutes=20))
    late = held.hold_until + timedelta(minutes=1)
    assert held.cancel(now=late, actor="citizen:x", reason="", cool=timedelta(0)).cool_until == held.cool_until
    assert held.cancel(now=NOW, actor="citizen:x", reason="", cool=timedelta(0)).cool_until == NOW


def test_a_place_is_offered_at_the_end_of_its_cooling_and_not_before() -> None:
    day = hold(hold(empty(), "a"), "b")
    first = day.find("a")
    assert first is not None
    before = first.cool_until - timedelta(microseconds=1)
    for now, free in ((NOW, 0), (first.hold_until, 0), (before, 0), (first.cool_until, 2)):
        assert day.free(AGENDA, AGENDA.slots_of(MONDAY)[2], now, internal=False, priority=False) == free


def test_one_person_has_so_many_bookings_a_day() -> None:
    one = replace(AGENDA, quota=Quota(per_day=1))
    me = Personal(person_key="p")

    def book(day: AgendaDay, id: str, now: datetime) -> AgendaDay:
        return day.hold(one, Wish(NINE, personal=me), id=id, now=now, actor="x", rng=random.Random(1))

    day = book(empty(), "a", NOW)
    with pytest.raises(QuotaReached):
        book(day, "b", NOW)
    assert book(day, "b", NOW + one.hold).find("b")  # nobody confirmed the first


def test_what_strangers_type_refuses_nobody_who_proves_the_nik_and_gives_an_account_no_more_than_its_limit() -> None:
    one = replace(AGENDA, quota=Quota(per_day=1, typed_people=1))

    def book(day: AgendaDay, id: str, person: Personal) -> AgendaDay:
        return day.hold(one, Wish(NINE, personal=person), id=id, now=NOW, actor="x", rng=random.Random(1))

    day = book(empty(), "a", Personal(person_key="p", holder_key="typed:1", typist="account:1", email_key="e"))
    for again in (Personal(person_key="p", holder_key="typed:1"), Personal("q", "typed:2", "account:1")):
        with pytest.raises(QuotaReached):
            book(day, "b", again)
    own = Personal(person_key="p", holder_key="p", email_key="e")
    assert book(day, "b", own).find("b")
    assert own.mailbox != Personal(person_key="p", holder_key="typed:1", email_key="e").mailbox == "e"


def test_a_second_miss_gets_no_third_time() -> None:
    missed = sure().miss(now=NINE, actor="service")
    missed.check_reschedule(AGENDA, NINE)
    with pytest.raises(RescheduledBefore):
        replace(missed, after_no_show=True).check_reschedule(AGENDA, NINE)
    replace(sure(), after_no_show=True).check_reschedule(AGENDA, NINE)  # as long as it is not missed it can be moved
