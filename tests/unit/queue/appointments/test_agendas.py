"""What a channel's settings mean, whatever its kind; and the channels of sites/malang as they are."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from mpp_queue.appointments.agendas import GROUPS, _agenda, _from_settings, _routes
from mpp_queue.appointments.domain.calendar import Kept
from mpp_queue.domain import AgendaHours, AppointmentRules, OpenHours, QueueSpec, Quota

SITES = Path(__file__).resolve().parents[4] / "sites"
RULES = AppointmentRules(slot=timedelta(minutes=30), public_places=2, places=3)
PLACE = QueueSpec(
    "", "", "", "", (), 1, "Asia/Jakarta",
    opening_hours=(OpenHours(1, "08:00", "12:00"),), holidays=frozenset({"2026-12-25"}), quota=Quota(per_day=2),
)  # fmt: skip
MADE = _agenda("sites/x/channels/c", "sites/x/agencies/a", "Asia/Jakarta", RULES, PLACE)


def test_without_hours_of_its_own_an_agenda_has_the_sites() -> None:
    (hours,) = MADE.hours
    assert (hours.weekday, hours.opens, hours.closes, hours.weeks) == (1, time(8), time(12), frozenset())
    own = AppointmentRules(
        timedelta(minutes=30),
        2,
        3,
        hours=(AgendaHours(6, "09:00", "10:00", (1, 3)),),
        closures=frozenset({"2026-12-31"}),
    )
    made = _agenda("sites/x/queues/q", "a", "Asia/Jakarta", own, PLACE)
    assert [(h.weekday, h.weeks) for h in made.hours] == [(6, frozenset({1, 3}))]
    assert made.closed == {"2026-12-25", "2026-12-31"}


@pytest.mark.parametrize("day", ["tuesday", "Selasa", "2", 2, 2.0])
def test_a_weekday_however_it_is_written(day: Any) -> None:
    assert _routes([{"day": day, "areas": ["Klojen"]}]) == {2: frozenset({"Klojen"})}


@pytest.mark.parametrize(
    "strange", [None, "tuesday", 3, [None], ["x"], [{"day": "someday"}], [{"day": 9, "areas": "x"}]]
)
def test_what_is_no_route_is_none(strange: Any) -> None:
    assert _routes(strange) == {}


def test_settings() -> None:
    found = _from_settings({"route": [{"day": "monday", "areas": ["A"]}], "areas": ["B"], "priority_places": 1.0}, MADE)
    assert found["areas"] == {"A", "B"}
    assert found["address_required"]
    assert found["kept"] == Kept(1, 0, GROUPS)
    assert found["quota"].per_day == 2
    nothing = _from_settings({}, MADE)
    assert not nothing["address_required"]
    assert nothing["kept"].places == 0
    assert _from_settings({"only_priority": True, "priority_groups": ["disability"]}, MADE)["kept"] == Kept(
        2, 0, frozenset({"disability"})
    )
    assert _from_settings({"bookings_per_person": 1, "person_required": True}, MADE)["quota"] == Quota(
        1, person_required=True
    )


def test_the_round_of_malang_is_understood() -> None:
    told = yaml.safe_load((SITES / "malang" / "channels" / "jemput-bola-dukcapil.yaml").read_text())
    found = _from_settings(told["settings"], MADE)
    assert found["routes"][2] == {"Klojen", "Blimbing"}
    assert set(found["routes"]) == {2, 4}
    assert found["kept"].groups == {"disability", "elderly"}
