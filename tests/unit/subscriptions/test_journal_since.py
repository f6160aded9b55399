"""A start that is a time: told when the journal no longer keeps all of it. The journal here says what it lost; a real one
drops its oldest events only after a week.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from mpp_subscriptions.cursor import Position
from mpp_subscriptions.journal import KEPT, Expired, Journal

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LONG_AGO, LATELY = NOW - KEPT - timedelta(hours=1), NOW - KEPT + timedelta(hours=1)


@dataclass(frozen=True)
class Shortened(Journal):
    """Its oldest event stands at `first` and happened at `at`."""

    first: int | None = 0
    at: datetime | None = None

    def expired(self) -> Expired:
        oldest = None if self.first is None else Position.of(self.first, "e", inclusive=True)
        return Expired(oldest, self.at)


@pytest.mark.parametrize(
    ("moment", "first", "at"),
    [
        (LATELY, 700, NOW),  # not asked: it must be kept
        (LONG_AGO, None, None),  # nothing ever happened
        (LONG_AGO, 0, NOW),  # nothing was dropped
        (LONG_AGO, 700, LONG_AGO),  # what was dropped was before
    ],
)
def test_a_time_of_which_all_is_kept(moment: datetime, first: int | None, at: datetime | None) -> None:
    assert Shortened("amqp://", first=first, at=at).since(moment, NOW) == moment


@pytest.mark.parametrize("at", [LATELY, None])
def test_a_time_of_which_something_is_gone(at: datetime | None) -> None:
    with pytest.raises(Expired) as told:
        Shortened("amqp://", first=700, at=at).since(LONG_AGO, NOW)
    assert told.value.metadata["oldest_cursor"]
