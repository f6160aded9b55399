"""When a kiosk prints nothing: told ahead as the doors will say it, and how paper from such a time is marked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_queue.domain import Closure, Maintenance, OpenHours, QueueSpec, Text, shut
from mpp_queue.kiosks.buttons import CLOSED, NOT_AT_WORK
from mpp_queue.kiosks.domain import Block, BlockDay, BlockRules, Duty, Entry, TooManyBlocks
from mpp_queue.kiosks.messages import block
from mpp_queue.kiosks.quiet import printed_while, quiet_times
from mpp_queue.kiosks.views import KioskSpec

MIDNIGHT = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # of Monday the 23rd in Jakarta
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
ANYBODY = Duty()
NAME = "sites/x/kiosks/depan"
KIOSK = KioskSpec(NAME, Text("Kios"))
WORDS, ENDS = Text("Sistem dirawat", "Under maintenance"), MIDNIGHT + DAY


def at(hour: float) -> datetime:
    """An hour of Monday's wall clock."""
    return MIDNIGHT + timedelta(hours=hour)


def queue(**given: object) -> QueueSpec:
    hours = (OpenHours(1, "08:00", "11:30"), OpenHours(1, "13:00", "16:00"))
    spec = QueueSpec(
        "sites/x/queues/q",
        "x",
        "sites/x/agencies/a",
        "Q",
        (1,),
        5,
        "Asia/Jakarta",
        hours_enforced=True,
        opening_hours=hours,
    )
    return replace(spec, **given)  # type: ignore[arg-type]


def told(spec: QueueSpec, kiosk: KioskSpec | None = KIOSK, duty: Duty = ANYBODY, since: float = 0) -> list[object]:
    return [
        ((q.starts - MIDNIGHT) / timedelta(hours=1), (q.ends - MIDNIGHT) / timedelta(hours=1), q.reason, q.text)
        for q in quiet_times(spec, kiosk, duty, at(since), ENDS)
    ]


def test_hours_the_break_and_maintenance_are_told_ahead() -> None:
    spec = queue(maintenance=(Maintenance(at(9.5), at(10), WORDS), Maintenance(at(9.75), at(13.5), WORDS)))
    assert told(spec, since=9) == [(9.5, 13.5, "MAINTENANCE", WORDS), (16, 24, "OUTSIDE_HOURS", CLOSED)]
    assert told(queue(hours_enforced=False)) == []
    assert [w[:2] for w in told(queue(), since=12)] == [(12, 13), (16, 24)]  # type: ignore[index]


def test_draining_a_day_off_and_a_managers_word_hold_all_day() -> None:
    off = replace(KIOSK, closures=(Closure("2026-11-23", Text("Kios diperbaiki")),))
    assert told(queue(draining=True, draining_text=Text("Pindah")))[0][2:] == ("DRAINING", Text("Pindah"))  # type: ignore[index]
    assert told(queue(), off) == [(0, 24, "CLOSURE", Text("Kios diperbaiki"))]
    assert told(queue(closures=(Closure("2026-11-23", Text("Libur")),))) == [(0, 24, "CLOSURE", Text("Libur"))]
    assert told(queue(holidays=frozenset({"2026-11-23"}))) == [(0, 24, "HOLIDAY", CLOSED)]
    assert told(queue(), off, Duty().deactivate("kertas habis")) == [(0, 24, "KIOSK_INACTIVE", NOT_AT_WORK)]
    assert told(queue(hours_enforced=False), replace(off, closures=(Closure("2026-11-24"),))) == []
    assert told(queue(closures=(Closure("2026-11-23"),)), None)[0][2] == "CLOSURE"  # type: ignore[index]


minutes = st.integers(-200, 1700)
windows = st.lists(st.tuples(minutes, st.integers(1, 900)), max_size=4)
clocks = st.integers(0, 23 * 60 + 59).map(lambda m: f"{m // 60:02d}:{m % 60:02d}")


@settings(max_examples=50)
@given(windows, st.lists(st.tuples(clocks, clocks), max_size=3), st.booleans(), st.integers(0, 1439), st.booleans())
def test_a_minute_is_told_exactly_when_the_doors_are_closed_then(
    maintenance: list[tuple[int, int]], hours: list[tuple[str, str]], enforced: bool, since: int, draining: bool
) -> None:
    spec = queue(
        maintenance=tuple(Maintenance(at(m / 60), at(m / 60) + n * MINUTE, Text(f"{n}")) for m, n in maintenance),
        opening_hours=tuple(OpenHours(1, *sorted(pair)) for pair in hours),
        hours_enforced=enforced,
        draining=draining,
    )
    found = quiet_times(spec, KIOSK, Duty(), at(since / 60), ENDS)
    assert all(one.starts < one.ends and one.text.id for one in found)
    assert all(a.ends <= b.starts for a, b in pairwise(found))
    assert all((a.ends, a.reason, a.text) != (b.starts, b.reason, b.text) for a, b in pairwise(found))
    for minute in range(since, 1440, 11):
        moment = MIDNIGHT + minute * MINUTE
        here = [one.reason for one in found if one.starts <= moment < one.ends]
        doors = shut(spec, moment)
        assert here == ([doors.reason] if doors else [])


def test_of_a_day_that_is_over_nothing_is_told() -> None:
    assert quiet_times(queue(), KIOSK, Duty(), ENDS, ENDS) == ()
    assert quiet_times(queue(), KIOSK, Duty(), ENDS + MINUTE, ENDS) == ()


def test_paper_from_a_closed_time_is_in_line_marked_once_and_for_all() -> None:
    spec = queue(maintenance=(Maintenance(at(9.5), at(10), WORDS),), draining=True)
    day, leased = BlockDay(spec.name, "2026-11-23", ENDS).lease(
        "b", kiosk=NAME, holder="k", size=10, now=at(9), rules=BlockRules()
    )
    entries = [Entry(1, at(9.4), "a"), Entry(2, at(9.6), "b"), Entry(3, at(12), "c")]

    def merge(day: BlockDay, spec: QueueSpec) -> tuple[BlockDay, list[tuple[bool, str]]]:
        here = day.find(leased.id)
        assert here is not None
        after, verdicts = day.claim(
            here, entries, now=at(14), rules=BlockRules(), closed=lambda when: printed_while(spec, KIOSK, when)
        )
        return after, [(v.refusal is None, v.while_closed) for v in verdicts]

    day, marks = merge(day, spec)
    assert marks == [(True, ""), (True, "MAINTENANCE"), (True, "OUTSIDE_HOURS")]
    again, repeated = merge(day, queue(hours_enforced=False))
    assert repeated == marks, "by what was known then"
    assert again is day


def test_a_block_tells_it() -> None:
    day, leased = BlockDay("sites/x/queues/q", "2026-11-23", ENDS).lease(
        "b", kiosk=NAME, holder="k", size=10, now=at(15), rules=BlockRules()
    )
    shown = block(day, leased, "D", quiet_times(queue(), KIOSK, Duty(), leased.leased_at, day.ends_at)).no_printing
    assert [(n.reason, n.text.id, n.starts_at.ToDatetime(tzinfo=UTC)) for n in shown] == [
        ("OUTSIDE_HOURS", CLOSED.id, at(16))
    ]
    assert shown[0].ends_at.ToDatetime(tzinfo=UTC) == ENDS


def test_a_kiosk_that_leases_and_returns_without_end_does_not_fill_the_days_document() -> None:
    day, rules = BlockDay("sites/x/queues/q", "2026-11-23", ENDS), BlockRules()

    def lease(day: BlockDay, n: int, kiosk: str) -> tuple[BlockDay, Block]:
        return day.lease(f"b{n}", kiosk=kiosk, holder="k", size=1, now=at(9), rules=rules)

    for n in range(200):
        day, one = lease(day, n, NAME)
        day, _ = day.give_back(one, 0)
    with pytest.raises(TooManyBlocks):
        lease(day, 201, NAME)
    assert lease(day, 201, "sites/x/kiosks/lain")[1].first == 201
