"""What a kiosk's button says, and how the catalogue's settings are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf import json_format
from mpp.catalog.v1 import channel_pb2
from mpp_queue.domain import OpenHours, QueueSpec
from mpp_queue.domain.spec import AppointmentRules, Text
from mpp_queue.kiosks.buttons import CLOSED, EXHAUSTED, PAUSED, ButtonState, state_of
from mpp_queue.kiosks.domain import Duty
from mpp_queue.kiosks.views import spec_of

SPEC = QueueSpec(
    "sites/malang/queues/dukcapil", "malang", "sites/malang/agencies/dukcapil", "D", (1,), 10, "Asia/Jakarta",
    daily_contingent=50, hours_enforced=True, opening_hours=(OpenHours(1, "08:00", "16:00"),),
)  # fmt: skip
MONDAY_NINE = datetime(2026, 11, 23, 2, tzinfo=UTC)  # 09:00 in Jakarta
MONDAY_SEVEN = datetime(2026, 11, 23, 0, tzinfo=UTC)
OWN = Text("Tutup untuk renovasi", "Closed for works")


def channel(**settings: object) -> channel_pb2.Channel:
    given = {
        "name": "sites/malang/channels/kios-utama",
        "kind": "sites/malang/channelKinds/kiosk",
        "displayName": {"id": "Kios utama", "en": "Main kiosk"},
        "settings": settings,
    }
    return json_format.ParseDict(given, channel_pb2.Channel())


@pytest.mark.parametrize(
    ("duty", "last_seq", "now", "state", "text"),
    [
        (Duty(), 49, MONDAY_NINE, ButtonState.OPEN, Text()),
        (Duty(), 50, MONDAY_NINE, ButtonState.EXHAUSTED, EXHAUSTED),
        (Duty(), 50, MONDAY_SEVEN, ButtonState.CLOSED, CLOSED),
        (Duty(paused={"dukcapil": ""}), 0, MONDAY_SEVEN, ButtonState.PAUSED, PAUSED),
        (Duty(paused={"dukcapil": "Mesin rusak"}), 0, MONDAY_NINE, ButtonState.PAUSED, Text("Mesin rusak")),
        (Duty(paused={"dukcapil/ktp": "x"}), 0, MONDAY_NINE, ButtonState.OPEN, Text()),
    ],
)
def test_a_managers_word_goes_before_the_clock_and_the_clock_before_the_contingent(
    duty: Duty, last_seq: int, now: datetime, state: ButtonState, text: Text
) -> None:
    assert state_of(SPEC, duty, "dukcapil", last_seq=last_seq, now=now) == (state, text)


def test_numbers_of_bookings_exhaust_no_button() -> None:
    """They are no part of the contingent: TakeTicket would still give numbers."""
    booked = replace(SPEC, appointments=AppointmentRules(timedelta(minutes=15), 2, 2))
    assert state_of(booked, Duty(), "dukcapil", last_seq=50, now=MONDAY_NINE) == (ButtonState.OPEN, Text())


@pytest.mark.parametrize(("told", "most"), [(50, 50), (-5, 0), (0, 0), ("viele", None), (None, None)])
def test_how_many_numbers_a_kiosk_may_print(told: object, most: int | None) -> None:
    assert spec_of(channel(offline_numbers=told)).offline_numbers == most


def test_the_agencys_own_words_come_first() -> None:
    spec = replace(SPEC, closed_text=OWN)
    assert state_of(spec, Duty(), "dukcapil", last_seq=0, now=MONDAY_SEVEN) == (ButtonState.CLOSED, OWN)
    assert state_of(spec, Duty(paused={"dukcapil": ""}), "dukcapil", last_seq=0, now=MONDAY_NINE)[1] == OWN


def test_where_hours_are_not_enforced_and_there_is_no_contingent_a_button_is_open() -> None:
    spec = replace(SPEC, hours_enforced=False, daily_contingent=0)
    assert state_of(spec, Duty(), "dukcapil", last_seq=999, now=MONDAY_SEVEN)[0] is ButtonState.OPEN


def test_settings_are_read_with_ids_or_whole_names() -> None:
    spec = spec_of(
        channel(
            buttons=[
                {"queue": "dukcapil", "title": {"id": "Kependudukan", "en": "Civil registry"}},
                {"queue": "sites/malang/queues/imigrasi", "offering": "sites/malang/offerings/paspor-baru"},
                {"title": "no queue"},
                "rubbish",
            ],
            activation_required=True,
            offline_numbers=40,
        )
    )
    assert spec.name == "sites/malang/kiosks/kios-utama"
    assert [(b.id, b.queue, b.offering, b.title) for b in spec.buttons] == [
        ("dukcapil", "sites/malang/queues/dukcapil", "", Text("Kependudukan", "Civil registry")),
        (
            "imigrasi/paspor-baru", "sites/malang/queues/imigrasi", "sites/malang/offerings/paspor-baru", Text("imigrasi"),
        ),
    ]  # fmt: skip
    assert (spec.activation_required, spec.offline_numbers) == (True, 40)


def test_a_plain_list_of_queues_makes_a_button_each_and_nothing_at_all_makes_none() -> None:
    assert [b.id for b in spec_of(channel(queues=["dukcapil", "imigrasi"])).buttons] == ["dukcapil", "imigrasi"]
    bare = spec_of(channel())
    assert (bare.buttons, bare.activation_required, bare.offline_numbers) == ((), False, None)


def test_duty() -> None:
    duty = Duty().activate().set_button("a", paused=True, text="x").set_button("b", paused=True, text="")
    assert duty.set_button("a", paused=False, text="ignored").paused == {"b": ""}
    assert duty.deactivate("broken").activate() == duty
