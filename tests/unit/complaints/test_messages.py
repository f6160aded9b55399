"""What a reply lets one reader see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from mpp_complaints import messages
from mpp_complaints.messages import COARSE, Sight

from .test_domain import T0, filed


@pytest.mark.parametrize("seconds", [None, 0, 4321])
def test_the_wait_to_the_second_is_for_those_who_may_know_who_reports(seconds: int | None) -> None:
    """A ticket can be found by it: 4,321 seconds is one ticket of the day, and its holder is the reporter."""
    complaint = filed(ticket="sites/malang/queues/dukcapil/tickets/aaaaaaaa").with_evidence(seconds)
    now = T0 + timedelta(hours=1)
    known = messages.reply(complaint, Sight(content=True, person=True), now)
    hidden = messages.reply(complaint, Sight(content=True, person=False), now)
    assert known.HasField("measured_wait_seconds") == hidden.HasField("measured_wait_seconds") == (seconds is not None)
    assert known.measured_wait_seconds == (seconds or 0)
    assert hidden.measured_wait_seconds == (seconds or 0) // COARSE * COARSE
    assert hidden.ticket == ""
