"""Whether a queue gives numbers: maintenance, draining, days off, hours; in this order, with words and the next opening."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp.catalog.v1 import agency_pb2, channel_pb2, site_pb2
from mpp_queue import domain, queuespec
from mpp_queue.displays.doors import doors_of, hours_today
from mpp_queue.domain import Closure, Maintenance, OpenHours, QueueNotOpen, QueueSpec, Text, UnderMaintenance
from mpp_queue.domain.doors import DAY_OFF, NOBODY_NEW
from mpp_queue.kiosks.buttons import CLOSED, ButtonState, state_of
from mpp_queue.kiosks.domain import Duty
from mpp_queue.kiosks.views import NOT_TODAY, spec_of

MONDAY = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # 10:00 in Malang
OPEN = QueueSpec(
    "sites/x/queues/q", "x", "sites/x/agencies/a", "Q", (1,), 5, "Asia/Jakarta",
    opening_hours=tuple(OpenHours(day, "08:00", "16:00") for day in range(1, 6)),
)  # fmt: skip
WORDS = Text("Sistem sedang dirawat", "Under maintenance")
HOURS_LATER = timedelta(hours=2)


def in_maintenance(spec: QueueSpec, *, after: timedelta = timedelta(0), lasts: timedelta = HOURS_LATER) -> QueueSpec:
    return replace(spec, maintenance=(Maintenance(MONDAY + after, MONDAY + after + lasts, WORDS),))


def test_an_open_queue_is_not_shut() -> None:
    assert domain.shut(OPEN, MONDAY) is None
    domain.refuse_shut(OPEN, MONDAY)
    domain.refuse_drained(OPEN, "target")


def test_maintenance_begins_and_ends_by_itself() -> None:
    spec = in_maintenance(OPEN, after=timedelta(hours=1))
    before, during, after = MONDAY, MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=3)
    assert [domain.shut(spec, at) is None for at in (before, during, after)] == [True, False, True]
    with pytest.raises(UnderMaintenance) as caught:
        domain.refuse_shut(spec, during)
    assert caught.value.reason == "MAINTENANCE"
    assert caught.value.metadata == {"ends_at": after.isoformat(), "text_id": WORDS.id, "text_en": WORDS.en}


def test_after_maintenance_into_the_night_it_opens_with_the_next_day() -> None:
    spec = in_maintenance(replace(OPEN, hours_enforced=True), lasts=timedelta(hours=10))
    shut = domain.shut(spec, MONDAY)
    assert shut is not None
    assert shut.opens_at == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    shut = domain.shut(in_maintenance(OPEN), MONDAY)
    assert shut is not None
    assert shut.opens_at == MONDAY + HOURS_LATER


def test_a_draining_queue_takes_nobody_new_in_its_own_words() -> None:
    spec = replace(OPEN, draining=True)
    with pytest.raises(QueueNotOpen) as caught:
        domain.refuse_shut(spec, MONDAY)
    assert caught.value.metadata["cause"] == "DRAINING"
    assert caught.value.metadata["text_id"] == NOBODY_NEW.id
    with pytest.raises(QueueNotOpen) as caught:
        domain.refuse_drained(replace(spec, draining_text=Text("Pindah")), "target")
    assert (caught.value.field, caught.value.metadata["text_id"]) == ("target", "Pindah")
    shut = domain.shut(replace(spec, closed_text=Text("Tutup")), MONDAY)
    assert shut == domain.Shut("DRAINING", Text("Tutup"), None)


def test_a_day_off_closes_also_where_hours_are_not_enforced_and_the_next_opening_passes_it_over() -> None:
    spec = replace(OPEN, closures=(Closure("2026-11-23"), Closure("2026-11-24", Text("Pelatihan"))))
    wednesday = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
    assert domain.shut(spec, MONDAY) == domain.Shut("CLOSURE", DAY_OFF, wednesday)
    assert domain.shut(spec, MONDAY + timedelta(days=1)) == domain.Shut("CLOSURE", Text("Pelatihan"), wednesday)
    assert domain.shut(spec, MONDAY + timedelta(days=2)) is None


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_what_is_told_is_the_first_that_holds(
    windowed: bool, draining: bool, off: bool, enforced: bool, night: bool
) -> None:
    now = MONDAY - timedelta(hours=9) if night else MONDAY  # 01:00 of the same day
    spec = replace(OPEN, draining=draining, hours_enforced=enforced, closures=(Closure("2026-11-23"),) if off else ())
    if windowed:
        spec = replace(spec, maintenance=(Maintenance(now, now + HOURS_LATER, WORDS),))
    shut = domain.shut(spec, now)
    told = [("MAINTENANCE", windowed), ("DRAINING", draining), ("CLOSURE", off), ("OUTSIDE_HOURS", enforced and night)]
    assert (shut.reason if shut else "") == next((reason for reason, holds in told if holds), "")
    screen = domain.out_of_service(spec, now)
    assert (screen is not None) == (windowed or draining or off)


def test_a_kiosk_shows_the_words() -> None:
    for spec, text in (
        (replace(OPEN, draining=True), NOBODY_NEW),
        (in_maintenance(OPEN), WORDS),
        (replace(OPEN, closures=(Closure("2026-11-23", Text("Pelatihan")),)), Text("Pelatihan")),
        (replace(OPEN, hours_enforced=True, opening_hours=(OpenHours(2, "08:00", "16:00"),)), CLOSED),
    ):
        assert state_of(spec, Duty(), "q", last_seq=0, now=MONDAY) == (ButtonState.CLOSED, text)


def test_a_kiosks_own_day_off_closes_its_buttons() -> None:
    channel = channel_pb2.Channel(name="sites/x/channels/foyer", kind="sites/x/channelKinds/kiosk")
    channel.closures.add(date="2026-11-23")
    channel.closures.add(date="2026-11-24", text={"id": "Lantai dicat"})
    kiosk = spec_of(channel)
    days = ("2026-11-22", "2026-11-23", "2026-11-24")
    assert [kiosk.day_off(day) for day in days] == [None, NOT_TODAY, Text("Lantai dicat")]


def test_the_catalogues_words_reach_the_queue() -> None:
    site = site_pb2.Site(name="sites/x", time_zone="Asia/Makassar")
    site.maintenance.add(starts="2026-11-23T10:00", ends="2026-11-23T12:00", text={"id": "A", "en": "B"})
    queue = agency_pb2.QueueSpec(id="q", prefix="Q", counters=[1], minutes_per_visit=5, draining=True)
    queue.draining_text.id = "Pindah"
    queue.closures.add(date="2026-11-23", text={"id": "Libur"})
    agency = {"_id": "sites/x/agencies/a", **queuespec.fields_of_queue(queue)}
    spec = queuespec.spec_of("sites/x/queues/q", agency, queuespec.fields_of_site(site))
    starts = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert spec.maintenance == (Maintenance(starts, starts + HOURS_LATER, Text("A", "B")),)
    assert (spec.draining, spec.draining_text) == (True, Text("Pindah"))
    assert spec.closures == (Closure("2026-11-23", Text("Libur")),)


def test_what_an_earlier_version_wrote_of_a_site_has_no_maintenance() -> None:
    assert queuespec.maintenance_of({"time_zone": "Asia/Jakarta"}) == ()


def test_a_hall_screen_shows_the_words_and_when_it_goes_on() -> None:
    doors = doors_of(in_maintenance(OPEN), MONDAY)
    assert (doors.reason, doors.opens_at) == ("MAINTENANCE", MONDAY + HOURS_LATER)
    assert doors.text.id == f"{WORDS.id} Buka lagi pukul 12.00."
    off = replace(OPEN, closures=(Closure("2026-11-23", Text("Pelatihan")),))
    assert doors_of(off, MONDAY).text.id.startswith("Pelatihan Buka lagi besok")
    assert hours_today(off, MONDAY) == Text("Hari ini tutup", "Closed today")
