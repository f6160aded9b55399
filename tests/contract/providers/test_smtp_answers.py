"""A relay whose answers are none of SMTP's: nothing is taken for delivered that nobody took."""

from __future__ import annotations

import pytest
from mpp_notifications.domain import Outcome, OutcomeKind

from tests.contract.providers.test_smtp import host, send


@pytest.mark.parametrize(
    ("step", "reply"), [("DATA", "250 ok"), ("DATA", "220 ready"), ("end", "354 go on"), ("RCPT", "354 go on")]
)
def test_a_yes_to_something_else_is_no_delivery(step: str, reply: str) -> None:
    """250 to DATA: the text was never sent, and the citizen would have counted as told."""
    with host({step: reply}) as relay:
        assert send(relay) == Outcome(OutcomeKind.TEMPORARY, "not_smtp")
        assert relay.kept() == []
