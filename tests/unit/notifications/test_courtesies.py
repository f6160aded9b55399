"""What is told beyond what happened, as data: whose entry wins, and what is refused at the start."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import mpp_notifications
import pytest
from mpp_notifications.courtesies import BadCourtesies, parse

SHIPPED = (Path(mpp_notifications.__file__).parent / "data" / "courtesies.yaml").read_text(encoding="utf-8")
DUKCAPIL, IMIGRASI = (f"sites/malang/agencies/{agency}" for agency in ("dukcapil", "imigrasi"))
OURS = """
near: {ahead: 3, at: {sites/malang: 5, sites/malang/agencies/dukcapil: 0}}
surveys: {sites/malang: "https://s.example/?a={agency}&l={offering}", sites/malang/agencies/imigrasi: "https://i.example"}
tracking: {sites/malang: "https://t.example/{site}/{ticket}"}
overview: {pause_minutes: 15, most_items: 10}
"""


def test_what_is_shipped_reminds_at_three_and_asks_nobody() -> None:
    shipped = parse(SHIPPED)
    assert shipped.near_for("malang", DUKCAPIL) == 3
    assert shipped.survey_link("malang", DUKCAPIL, "x") == ""
    assert shipped.tracking_link("malang", "x") == ""
    assert (shipped.overview_pause, shipped.overview_items) == (timedelta(minutes=15), 10)


def test_an_agencys_own_entry_wins_over_its_sites() -> None:
    ours = parse(OURS)
    assert [ours.near_for("malang", DUKCAPIL), ours.near_for("malang", IMIGRASI), ours.near_for("batu", "x")] == [
        0,
        5,
        3,
    ]
    assert ours.survey_link("malang", DUKCAPIL, "sites/malang/offerings/kk") == "https://s.example/?a=dukcapil&l=kk"
    assert ours.survey_link("malang", IMIGRASI, "") == "https://i.example"
    assert ours.survey_link("batu", "sites/batu/agencies/x", "") == ""
    assert ours.tracking_link("malang", "sites/malang/queues/dukcapil/tickets/t1") == "https://t.example/malang/t1"


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("ahead: 3", "ahead: soon", "near.ahead: must be"),
        ("ahead: 3", "ahead: true", "near.ahead: must be"),
        ("sites/malang: 5", "malang: 5", "near.malang: is neither"),
        ("sites/malang: 5", "sites/malang: -1", "near.sites/malang: must be"),
        ("https://i.example", "http://i.example", "imigrasi: must be a link"),
        ("https://i.example", "https://i.example/{ticket}", "imigrasi: knows agency, offering, site"),
        ("https://i.example", "https://i.example/{site.x}", "imigrasi: knows"),
        ("https://i.example", "https://i.example/{", "imigrasi"),
        ("{ticket}", "{phone}", "tracking.sites/malang: knows site, ticket"),
        ("pause_minutes: 15", "pause_minutes: 0", "overview.pause_minutes"),
        ("overview:", "outlook:", "KeyError"),
        ("near:", "near: [", "Error"),
    ],
)
def test_a_bad_file_is_refused_and_the_place_named(before: str, after: str, named: str) -> None:
    assert before in OURS
    with pytest.raises(BadCourtesies, match=named):
        parse(OURS.replace(before, after, 1))
