"""What no field of any request may hold: each kind is refused with its path, what is fine is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st
from mpp.catalog.v1 import catalog_service_pb2 as catalog
from mpp.queue.v1 import counters_service_pb2 as counters
from mpp.queue.v1 import kiosks_service_pb2 as kiosks
from mpp.queue.v1 import queue_service_pb2 as queue
from mpp_chassis.bounds import FIRST, LAST, faults
from mpp_chassis.server import violations


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(10**15, 0), (-62135596801, 0), (-(2**63), 0), (253_402_300_799, 0), (0, -5), (0, 10**9)]
)
def test_an_instant_that_no_calendar_reaches(seconds: int, nanos: int) -> None:
    request = counters.OpenCounterRequest()
    request.planned_close.seconds, request.planned_close.nanos = seconds, nanos
    assert [path for path, _ in faults(request)] == ["planned_close"]
    assert "planned_close" in [path for path, _ in violations(request)]


@given(st.datetimes(FIRST.replace(tzinfo=None), (LAST - timedelta(seconds=1)).replace(tzinfo=None)))
def test_an_instant_between_is_fine_in_every_zone(moment: datetime) -> None:
    request = counters.OpenCounterRequest()
    request.planned_close.FromDatetime(moment)
    assert not list(faults(request))
    for hours in (-12, 14):
        assert request.planned_close.ToDatetime(UTC).astimezone(timezone(timedelta(hours=hours)))


def test_a_list_tells_which() -> None:
    request = kiosks.MergeOfflineRequest()
    for seconds in (1_800_000_000, 10**15, 1_800_000_000):
        request.tickets.add(n=1).issued_at.seconds = seconds
    assert [path for path, _ in faults(request)] == ["tickets[1].issued_at"]


@pytest.mark.parametrize("hidden", ["\x00", "\x07", "\x1b[2J", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028"])
def test_characters_that_nobody_sees(hidden: str) -> None:
    assert [path for path, _ in faults(queue.CancelTicketRequest(reason=f"pulang{hidden}lagi"))] == ["reason"]


@pytest.mark.parametrize("fine", ["", "dua\nbaris\tdan lagi\r\n", "Ibu Ñoño 👩‍🦽", "شكرا\u200f", "a\u200db"])
def test_words_of_any_language_are_fine(fine: str) -> None:
    assert not list(faults(queue.CancelTicketRequest(reason=fine)))


def test_numbers_that_are_none_and_maps() -> None:
    request = catalog.ApplyChannelRequest()
    settings = Struct()
    settings.update({"most": float("nan"), "text": "a\x00", "fine": 3})
    request.channel.settings.CopyFrom(settings)
    assert sorted(path.rsplit(".", 1)[1] for path, _ in faults(request)) == ["number_value", "string_value"]


@given(st.text(st.characters(blacklist_categories=["C", "Z"])))
def test_nothing_visible_is_refused(text: str) -> None:
    assert not list(faults(queue.CancelTicketRequest(reason=text)))
