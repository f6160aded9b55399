"""Time to make a room ready lies between two bookings of one place, and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_queue.appointments.domain.agenda_day import AgendaDay, Wish, most_at_once
from mpp_queue.appointments.domain.booking import Booking, State
from mpp_queue.appointments.domain.calendar import Slot
from mpp_queue.appointments.domain.conflicts import Reason, conflicts_of
from mpp_queue.appointments.domain.errors import SlotFull
from mpp_queue.domain import InvalidField

from .test_calendar import MONDAY, agenda
from .test_rules import NINE, NOW, confirmed, empty

MINUTES = st.sampled_from([0, 10, 30, 45, 90])


def placed(bookings: Sequence[Booking | Slot], setup: timedelta) -> int:
    """Rooms that a person with a pencil needs: each booking into the first that has been ready long enough."""
    ready: list[datetime] = []
    for booking in sorted(bookings, key=lambda b: b.start):
        free = next((n for n, at in enumerate(ready) if at <= booking.start), None)
        if free is None:
            ready.append(booking.end + setup)
        else:
            ready[free] = booking.end + setup
    return len(ready)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), max_size=12), MINUTES)
def test_as_many_places_as_a_pencil_needs(spans: list[tuple[int, int]], setup: int) -> None:
    slots = [Slot(NINE + timedelta(minutes=a), NINE + timedelta(minutes=a + b)) for a, b in spans]
    assert most_at_once(slots, timedelta(minutes=setup)) == placed(slots, timedelta(minutes=setup))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(1, 4), st.booleans()), min_size=1, max_size=25),
    MINUTES,
    st.integers(1, 3),
)
def test_a_day_fits_its_rooms_and_refuses_only_what_does_not(
    wishes: list[tuple[int, int, bool]], setup: int, places: int
) -> None:
    a = replace(agenda(), places=places, public_places=places, setup=timedelta(minutes=setup))
    slots, day = a.slots_of(MONDAY), empty()
    for n, (index, count, sure) in enumerate(wishes):
        start = slots[index].start
        try:
            run = a.run(start, count)
        except InvalidField:
            continue
        wanted = Slot(run[0].start, run[-1].end)
        near = [b for b in day.bookings if b.start < wanted.end + a.setup and wanted.start < b.end + a.setup]
        try:
            day = day.hold(a, Wish(start, count), id=f"b{n:02}", now=NOW, actor="x", rng=random.Random(n))
        except SlotFull:
            assert placed([*near, wanted], a.setup) > places
            continue
        if sure:
            day = confirmed(day, f"b{n:02}")
        assert placed(day.bookings, a.setup) <= places
        assert list(conflicts_of(a, day, NOW)) == []  # what could be booked is never in conflict with itself


def test_a_row_of_slots_is_one_booking_and_needs_no_time_inside() -> None:
    a = replace(agenda(), places=1, public_places=1, setup=timedelta(minutes=30))
    day = empty().hold(a, Wish(NINE, 3), id="b", now=NOW, actor="x", rng=random.Random(1))
    free = {f"{s.start:%H:%M}": day.free(a, s, NOW, internal=False, priority=False) for s in a.slots_of(MONDAY)}
    # 09:00 to 10:30 in Malang is 02:00 to 03:30; half an hour before and after it the room is not to be had.
    assert [at for at, places in free.items() if not places] == ["01:30", "02:00", "02:30", "03:00", "03:30"]


def test_bookings_made_before_the_room_needed_time_are_in_conflict() -> None:
    a = replace(agenda(), places=1, public_places=1)
    day: AgendaDay = empty()
    for n in range(3):
        start = NINE + n * timedelta(minutes=30)
        day = day.hold(a, Wish(start), id=f"b{n}", now=NOW + timedelta(seconds=n), actor="x", rng=random.Random(1))
        day = confirmed(day, f"b{n}", NOW + timedelta(seconds=n))
    later = replace(a, setup=timedelta(minutes=10))
    found = [(b.id, reason) for b, reason in conflicts_of(later, day, NOW + timedelta(minutes=1))]
    assert found == [("b1", Reason.OVER_CAPACITY), ("b2", Reason.OVER_CAPACITY)]
    assert all(b.state is State.CONFIRMED for b in day.bookings)


def test_a_booking_takes_no_more_slots_than_the_agenda_says() -> None:
    """The contract's most is 25: a queue of five-minute slots all morning."""
    a = replace(agenda(), slot=timedelta(minutes=5), max_slots=25)
    day = empty().hold(a, Wish(NINE, 25), id="b", now=NOW, actor="x", rng=random.Random(1))
    assert day.bookings[0].end - day.bookings[0].start == timedelta(minutes=125)
    with pytest.raises(InvalidField) as refused:
        empty().hold(a, Wish(NINE, 26), id="b", now=NOW, actor="x", rng=random.Random(1))
    assert refused.value.field == "slots"


@pytest.mark.parametrize("minutes", [0, 10])
def test_the_last_slot_before_a_break_needs_no_time_after_it(minutes: int) -> None:
    a = replace(agenda(), places=1, public_places=1, setup=timedelta(minutes=minutes))
    last = a.slots_of(MONDAY)[7]
    assert f"{last.end:%H:%M}" == "05:00"  # noon in Malang
    assert empty().free(a, last, NOW, internal=False, priority=False) == 1
