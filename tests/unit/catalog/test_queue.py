"""A queue's rules among its fields: priority, numbers, quota, bookings. Each slip names its field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_catalog import domain, messages
from mpp_catalog.domain import (
    AgendaHours,
    AppointmentRules,
    Closure,
    NumberRange,
    PriorityClass,
    PriorityPolicy,
    QueueSpec,
    Quota,
    Text,
)

FIRST = PriorityClass("priority", Text("Prioritas"), ("disability", "elderly"))
UMKM = PriorityClass("umkm", Text("UMKM", "Small businesses"))
STRICT = PriorityPolicy("strict", (FIRST, UMKM), max_wait_minutes=60)
RATIO = PriorityPolicy("ratio", (FIRST, UMKM), run=3)
AGEING = PriorityPolicy("ageing", (replace(FIRST, boost_minutes=30), UMKM))
RULES = AppointmentRules(
    slot_minutes=30,
    places=4,
    public_places=3,
    earliest_days=0,
    latest_days=30,
    hours=(
        AgendaHours(1, "08:00", "12:00"),
        AgendaHours(1, "13:00", "15:00"),
        AgendaHours(3, "08:00", "10:00", (1, 3)),
    ),
    closures=("2026-12-24",),
    variants=("on_site", "video"),
    video_link="https://temu.example.id/{code}",
    max_open_per_email=3,
    max_open_per_person=2,
)
QUEUE = QueueSpec(
    id="dukcapil",
    prefix="D",
    counters=(3, 4, 5),
    minutes_per_visit=10,
    priority=RATIO,
    numbers=NumberRange(1, 999, (13, 666)),
    daily_contingent=300,
    quota=Quota(per_day=2, cool_down_minutes=60, person_required=True, alarm_after=5, alarm_window_minutes=30),
    appointments=RULES,
    hours_enforced=True,
    closed_text=Text("Tutup", "Closed"),
    draining=True,
    draining_text=Text("Loket ini pindah", "This counter moves"),
    closures=(Closure("2026-12-24", Text("Pelatihan petugas")), Closure("2026-12-28")),
)


def refused(queue: QueueSpec) -> str | None:
    with pytest.raises(domain.InvalidField) as caught:
        queue.check("agency.queue")
    assert caught.value.reason == "INVALID_FIELD"
    return caught.value.field


@pytest.mark.parametrize("policy", [None, STRICT, RATIO, AGEING])
def test_a_queue_that_breaks_no_rule_is_taken(policy: PriorityPolicy | None) -> None:
    replace(QUEUE, priority=policy).check("agency.queue")
    replace(QUEUE, numbers=NumberRange(1, 0, (13,)), appointments=None, quota=None).check("agency.queue")


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (replace(STRICT, max_wait_minutes=0), "max_wait_minutes"),
        (replace(STRICT, run=2), "run"),
        (replace(RATIO, run=0), "run"),
        (replace(RATIO, max_wait_minutes=5), "max_wait_minutes"),
        (replace(AGEING, classes=(FIRST, UMKM)), "classes"),
        (replace(AGEING, run=1), "run"),
        (replace(RATIO, classes=(FIRST, replace(UMKM, boost_minutes=5))), "classes[1].boost_minutes"),
        (replace(RATIO, classes=(FIRST, replace(UMKM, id="priority"))), "classes"),
        (replace(RATIO, classes=(FIRST, replace(UMKM, groups=("child", "elderly")))), "classes[1].groups"),
        (replace(RATIO, classes=(replace(FIRST, groups=("child", "child")),)), "classes[0].groups"),
        (replace(RATIO, classes=(FIRST, replace(UMKM, display_name=Text(" ")))), "classes[1].display_name.id"),
    ],
)
def test_a_policy_names_the_field_that_is_wrong(policy: PriorityPolicy, field: str) -> None:
    assert refused(replace(QUEUE, priority=policy)) == f"agency.queue.priority.{field}"


@pytest.mark.parametrize(
    ("numbers", "field"),
    [
        (NumberRange(100, 100), "last"),
        (NumberRange(100, 99), "last"),
        (NumberRange(1, 10, (5, 11)), "blocked[1]"),
        (NumberRange(5, 0, (4,)), "blocked[0]"),
        (NumberRange(1, 10, (5, 5)), "blocked"),
        (NumberRange(1, 3, (1, 2, 3)), "blocked"),
    ],
)
def test_a_range_of_numbers_names_the_field_that_is_wrong(numbers: NumberRange, field: str) -> None:
    assert refused(replace(QUEUE, numbers=numbers)) == f"agency.queue.numbers.{field}"


@given(st.integers(0, 12), st.integers(0, 12), st.sets(st.integers(0, 14), max_size=5))
def test_a_range_is_taken_exactly_when_it_can_print_every_number_it_means(first: int, last: int, out: set[int]) -> None:
    meant = range(first, (last or 1000) + 1)
    fine = (not last or last > first) and out <= set(meant) and len(out) < len(meant)
    try:
        NumberRange(first, last, tuple(sorted(out))).check("numbers")
    except domain.InvalidField:
        assert not fine
    else:
        assert fine


@pytest.mark.parametrize(
    ("quota", "field"), [(Quota(alarm_after=3), "alarm_window_minutes"), (Quota(alarm_window_minutes=3), "alarm_after")]
)
def test_an_alarm_needs_its_number_and_its_window(quota: Quota, field: str) -> None:
    assert refused(replace(QUEUE, quota=quota)) == f"agency.queue.quota.{field}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"public_places": 5}, "public_places"),
        ({"earliest_days": 31}, "latest_days"),
        ({"hours": (AgendaHours(1, "12:00", "08:00"),)}, "hours[0]"),
        ({"hours": (AgendaHours(1, "08:00", "08:20"),)}, "hours[0]"),
        ({"hours": (AgendaHours(1, "08:00", "12:00"), AgendaHours(1, "11:30", "14:00"))}, "hours[1]"),
        ({"hours": (AgendaHours(1, "08:00", "12:00", (2,)), AgendaHours(1, "08:00", "12:00"))}, "hours[1]"),
        ({"hours": (AgendaHours(1, "08:00", "12:00", (2, 2)),)}, "hours[0].weeks"),
        ({"closures": ("2026-12-24", "2026-02-30")}, "closures[1]"),
        ({"closures": ("2026-12-24", "2026-12-24")}, "closures"),
        ({"video_link": ""}, "video_link"),
        ({"variants": ("phone",)}, "video_link"),
    ],
)
def test_booking_rules_name_the_field_that_is_wrong(change: dict[str, object], field: str) -> None:
    rules = replace(RULES, **change)  # type: ignore[arg-type]
    assert refused(replace(QUEUE, appointments=rules)) == f"agency.queue.appointments.{field}"


def test_hours_of_other_weeks_or_that_touch_do_not_overlap() -> None:
    hours = (
        AgendaHours(1, "08:00", "12:00", (1, 3)),
        AgendaHours(1, "08:00", "12:00", (2, 4)),
        AgendaHours(1, "12:00", "13:00"),
        AgendaHours(2, "08:00", "12:00"),
    )
    replace(RULES, hours=hours).check("x")


def test_a_text_for_closing_time_says_something() -> None:
    assert refused(replace(QUEUE, closed_text=Text(""))) == "agency.queue.closed_text.id"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"draining_text": Text(" ")}, "draining_text.id"),
        ({"draining": False}, "draining_text"),
        ({"closures": (Closure("2026-02-30"),)}, "closures[0].date"),
        ({"closures": (Closure("2026-12-24"), Closure("2026-12-24"))}, "closures"),
        ({"closures": (Closure("2026-12-24", Text("")),)}, "closures[0].text.id"),
    ],
)
def test_draining_and_days_off_name_the_field_that_is_wrong(change: dict[str, object], field: str) -> None:
    assert refused(replace(QUEUE, **change)) == f"agency.queue.{field}"  # type: ignore[arg-type]


@pytest.mark.parametrize("queue", [QUEUE, replace(QUEUE, priority=STRICT), QueueSpec("q", "Q", (1,), 5)])
def test_what_is_stored_is_shown_and_read_back_the_same(queue: QueueSpec) -> None:
    agency = domain.Agency("sites/x/agencies/a", Text("A"), "private", queue=queue)
    state = messages.fields(agency)
    assert messages.to_agency(messages.agency(agency.name, 1, state)) == agency


def test_an_agency_of_an_earlier_version_has_the_defaults() -> None:
    queue = {"id": "q", "prefix": "Q", "counters": [1], "minutes_per_visit": 5}
    state = {**messages.fields(domain.Agency("sites/x/agencies/a", Text("A"), "private")), "queue": queue}
    assert messages.to_agency(messages.agency("sites/x/agencies/a", 1, state)).queue == QueueSpec("q", "Q", (1,), 5)
