"""Page tokens: a client's own text, whatever it holds, is refused or can be looked for."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp.notifications.v1 import notification_pb2
from mpp_chassis.errors import InvalidField
from mpp_notifications.api import _after, _token

NAME = "sites/malang/notifications/t83hznt1yyr5qvc6j8r9q9rnas"
AT = datetime(2026, 3, 2, 2, 0, 0, 123000, tzinfo=UTC)


def token(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def test_a_token_is_read_as_it_was_given_out() -> None:
    last = notification_pb2.Notification(name=NAME)
    last.created_at.FromDatetime(AT)
    assert _after(_token(last)) == (AT, NAME)
    assert _after("") is None


@pytest.mark.parametrize(
    "made",
    [
        token("0001-01-01T00:00:00+14:00", NAME),  # no such moment in UTC
        token("9999-12-31T23:59:59-14:00", NAME),
        token("2026-03-02T02:00:00", NAME),
        token(AT.isoformat(), "sites/malang/notifications/\ud800-------"),  # no text for the store
        token(AT.isoformat(), ["$gt"]),
        token(AT.isoformat(), NAME, NAME),
        token(7, NAME),
    ],
)
def test_a_made_up_token_is_refused(made: str) -> None:
    with pytest.raises(InvalidField, match="listing gave out"):
        _after(made)


@given(st.one_of(st.text(), st.builds(token, st.datetimes(timezones=st.timezones()).map(str), st.text())))
def test_no_token_breaks_the_service(made: str) -> None:
    try:
        place = _after(made)
    except InvalidField:
        return
    assert place is None or bson.encode({"created_at": place[0], "name": place[1]})
