"""A queue's description: what the contract's zeros mean, which numbers are printed, when the doors are open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp_queue import domain
from mpp_queue.domain import NumberRange, OpenHours, Policy, PolicyKind, PriorityClass, PriorityGroup, QueueSpec
from mpp_queue.queuespec import fields_of_queue, fields_of_site, spec_of

QUEUE = "sites/malang/queues/dukcapil"
SPEC = QueueSpec(QUEUE, "malang", "sites/malang/agencies/dukcapil", "D", (3,), 10, "Asia/Jakarta")
HOURS = (OpenHours(1, "08:00", "12:00"), OpenHours(1, "13:00", "15:00"), OpenHours(2, "08:00", "12:00"))


@pytest.mark.parametrize(
    ("numbers", "printed"),
    [
        (NumberRange(), [1, 2, 3, 4, 5, 6, 7]),
        (NumberRange(first=0), [0, 1, 2, 3, 4, 5, 6]),
        (NumberRange(first=100, last=102), [100, 101, 102, 100, 101, 102, 100]),
        (NumberRange(first=1, last=5, blocked=(4,)), [1, 2, 3, 5, 1, 2, 3]),
        (NumberRange(first=3, blocked=(3, 4, 7)), [5, 6, 8, 9, 10, 11, 12]),
        (NumberRange(first=1, last=9, blocked=(0, 99)), [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_which_numbers_are_printed(numbers: NumberRange, printed: list[int]) -> None:
    assert [numbers.nth(n) for n in range(1, 8)] == printed


@given(
    first=st.integers(0, 50), size=st.integers(1, 30), blocked=st.sets(st.integers(0, 80), max_size=8), data=st.data()
)
def test_a_range_goes_through_all_its_numbers_before_it_repeats(
    first: int, size: int, blocked: set[int], data: st.DataObject
) -> None:
    last = first + size
    allowed = [n for n in range(first, last + 1) if n not in blocked]
    if not allowed or last == 0:
        return
    numbers = NumberRange(first, last, tuple(blocked))
    rounds = data.draw(st.integers(1, 3))
    assert [numbers.nth(n) for n in range(1, rounds * len(allowed) + 1)] == allowed * rounds
    endless = NumberRange(first, 0, tuple(blocked))
    assert [endless.nth(n) for n in range(1, 40)] == [n for n in range(first, 300) if n not in blocked][:39]


def test_printed_numbers() -> None:
    assert [SPEC.number(n) for n in (1, 999, 1000, domain.OFFLINE_BASE + 1)] == ["D-001", "D-999", "D-1000", "D-K001"]


def test_the_site_is_open_between_its_hours_and_not_on_holidays() -> None:
    spec = replace(SPEC, opening_hours=HOURS, holidays=frozenset({"2026-11-24"}))
    monday = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # 07:00 in Malang

    def open_at(hours: float) -> bool:
        return domain.is_open(spec, monday + timedelta(hours=hours))

    assert [open_at(h) for h in (0.99, 1, 4.99, 5, 6, 7.99, 8)] == [False, True, True, False, True, True, False]
    assert domain.next_opening(spec, monday) == monday + timedelta(hours=1)
    assert domain.next_opening(spec, monday + timedelta(hours=5)) == monday + timedelta(hours=6)
    # Tuesday is a holiday
    assert domain.next_opening(spec, monday + timedelta(hours=9)) == monday + timedelta(days=7, hours=1)
    assert not open_at(25)
    assert domain.next_opening(replace(spec, opening_hours=()), monday) is None
    assert domain.is_open(replace(spec, opening_hours=()), monday)


def test_who_is_in_which_class() -> None:
    policy = Policy(
        classes=(PriorityClass("care", frozenset({PriorityGroup.ELDERLY})), PriorityClass("umkm")),
        kind=PolicyKind.RATIO,
    )
    assert policy.index_of(PriorityGroup.ELDERLY) == 0
    assert policy.index_of(PriorityGroup.ELDERLY, "umkm") == 1
    assert policy.index_of(PriorityGroup.CHILD) == policy.index_of(PriorityGroup.NONE, "gold") == 2
    assert [policy.id_of(n) for n in range(4)] == ["care", "umkm", "others", "others"]
    assert (policy.knows("umkm"), policy.knows("others"), policy.knows("gold")) == (True, True, False)


def test_what_the_catalogue_tells() -> None:
    queue = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=[3, 4], minutes_per_visit=7)
    queue.priority.kind = agency_pb2.PriorityPolicy.KIND_AGEING
    queue.priority.classes.add(id="care", groups=["elderly"], boost_minutes=20)
    queue.numbers.first, queue.numbers.last = 100, 199
    queue.quota.per_day = 2
    queue.appointments.slot_minutes, queue.appointments.places = 15, 4
    queue.closed_text.id = "Tutup"
    site = site_pb2.Site(name="sites/malang", time_zone="Asia/Jakarta")
    site.opening_hours.add(weekday=1, opens="08:00", closes="15:00")
    site.holidays.add(date="2026-12-25", name="Natal")
    agency = {"_id": "sites/malang/agencies/dukcapil", **fields_of_queue(queue)}
    spec = spec_of(QUEUE, agency, fields_of_site(site))
    assert spec.policy is not None
    assert (spec.policy.kind, spec.policy.boost_of(0)) == (PolicyKind.AGEING, timedelta(minutes=20))
    assert (spec.policy.run, spec.policy.max_wait) == (3, timedelta(minutes=60))
    assert (spec.numbers, spec.quota.per_day, spec.closed_text.id) == (NumberRange(100, 199), 2, "Tutup")
    assert spec.appointments is not None
    assert (spec.appointments.max_slots, spec.appointments.hold) == (1, timedelta(minutes=15))
    assert (spec.opening_hours, spec.holidays) == ((OpenHours(1, "08:00", "15:00"),), frozenset({"2026-12-25"}))


def test_what_an_earlier_version_wrote_means_the_defaults() -> None:
    agency = {"_id": SPEC.agency, "prefix": "D", "counters": [3], "minutes_per_visit": 10}
    assert spec_of(QUEUE, agency, {"time_zone": "Asia/Jakarta"}) == SPEC
