"""The rules of an entry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_samplechannel import domain
from mpp_samplechannel.domain import Channel, InvalidField, State, WrongState

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CHANNEL = Channel("sites/malang/channels/one", "sites/malang/agencies/dukcapil", ("sites/malang/offerings/ktp",))


def test_an_entry_is_opened_and_told() -> None:
    entry = domain.open_entry("n", CHANNEL, offering="sites/malang/offerings/ktp", now=NOW)
    assert (entry.site_id, entry.agency, entry.state) == ("malang", CHANNEL.agency, State.OPEN)
    assert entry.events == (domain.Opened(NOW),)


def test_an_offering_of_another_channel_is_refused() -> None:
    with pytest.raises(InvalidField) as caught:
        domain.open_entry("n", CHANNEL, offering="sites/malang/offerings/paspor", now=NOW)
    assert caught.value.field == "offering"


@given(st.timedeltas(min_value=timedelta(minutes=-5), max_value=timedelta(days=2)))
def test_it_is_closed_once_and_never_before_it_was_opened(later: timedelta) -> None:
    closed = domain.open_entry("n", CHANNEL, offering="", now=NOW).close(now=NOW + later)
    assert closed.state is State.CLOSED
    assert closed.closed_at is not None
    assert closed.closed_at >= NOW
    with pytest.raises(WrongState):
        closed.close(now=NOW)
