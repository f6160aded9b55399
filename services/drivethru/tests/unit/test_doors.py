"""Whether a vehicle may come new: maintenance, a day off of the channel, a channel that is gone; in this order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_drivethru import domain, messages
from mpp_drivethru.domain import ChannelClosed, SiteSpec, Text, UnderMaintenance, Window
from mpp_drivethru.domain.doors import DAY_OFF

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)  # in Jakarta
HOUR = timedelta(hours=1)
WORDS = Text("Sistem dirawat", "Under maintenance")
SETTINGS = {"queue": "polresta", "lanes": [{"id": "1"}], "stages": [{"id": "check"}]}
SPEC = domain.channel("sites/malang/channels/sim", "sites/malang/agencies/polresta", [], SETTINGS)
SITE = SiteSpec("Asia/Jakarta", (Window(NOON, NOON + 2 * HOUR, WORDS),))
OFF = replace(SPEC, closures={"2026-11-23": Text("Pelatihan"), "2026-11-24": Text("")})


def test_maintenance_begins_and_ends_by_itself_and_lets_in_who_has_a_ticket() -> None:
    moments = (NOON - HOUR, NOON, NOON + 2 * HOUR)
    assert [domain.shut(SPEC, SITE, at) is None for at in moments] == [True, False, True]
    with pytest.raises(UnderMaintenance) as caught:
        domain.refuse_new(SPEC, SITE, NOON)
    ends = (NOON + 2 * HOUR).isoformat()
    assert caught.value.metadata == {"ends_at": ends, "text_id": WORDS.id, "text_en": WORDS.en}
    domain.refuse_new(SPEC, SITE, NOON, has_ticket=True)


def test_a_day_off_ends_with_the_last_of_those_that_follow_at_once() -> None:
    site = SiteSpec("Asia/Jakarta")
    shut = domain.shut(OFF, site, NOON)
    assert shut is not None
    assert (shut.reason, shut.text) == ("CLOSURE", Text("Pelatihan"))
    assert shut.opens_at == datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
    tomorrow = domain.shut(OFF, site, NOON + 24 * HOUR)
    assert tomorrow is not None
    assert tomorrow.text == DAY_OFF
    with pytest.raises(ChannelClosed) as caught:
        domain.refuse_new(OFF, site, NOON, has_ticket=True)
    assert (caught.value.metadata["cause"], caught.value.metadata["text_id"]) == ("CLOSURE", "Pelatihan")


def test_what_is_told_first() -> None:
    gone = replace(OFF, retired=True)
    assert [s and s.reason for s in (domain.shut(gone, SITE, at) for at in (NOON, NOON - HOUR))] == [
        "MAINTENANCE",
        "CHANNEL_CLOSED",
    ]
    with pytest.raises(ChannelClosed):
        domain.refuse_new(gone, SITE, NOON, has_ticket=True)


@given(st.datetimes(datetime(2026, 11, 22), datetime(2026, 11, 26), timezones=st.just(UTC)), st.booleans())
def test_the_display_says_closed_exactly_when_a_vehicle_is_refused(now: datetime, retired: bool) -> None:
    spec = replace(OFF, retired=retired)
    lane = messages.lane(f"{SPEC.name}/lanes/1", spec, domain.shut(spec, SITE, now), [], [], 0)
    told, until = "", ""
    try:
        domain.refuse_new(spec, SITE, now)
    except domain.DriveThruError as refused:
        told = refused.metadata["text_id"]
        until = refused.metadata.get("opens_at") or refused.metadata.get("ends_at", "")
    assert (lane.opens_at.ToDatetime(tzinfo=UTC).isoformat() if lane.HasField("opens_at") else "") == until
    assert (lane.closed_reason != "", lane.closed_text.id) == (told != "", told)
    if lane.HasField("opens_at"):
        assert lane.opens_at.ToDatetime(tzinfo=UTC) > now
