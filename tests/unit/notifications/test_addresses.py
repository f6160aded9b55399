"""To which addresses mail can go: whoever the provider takes, the mail's own headers take too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_notifications.domain import Channel, Outcome, OutcomeKind
from mpp_notifications.providers.base import OutgoingMessage
from mpp_notifications.providers.smtp import Relay, SmtpProvider, compose, is_address

NOW = datetime(2026, 11, 20, 8, 0, 5, tzinfo=UTC)
NOWHERE = Relay("127.0.0.1", "kabar@mpp.example", 1, "none")  # nobody listens there


@pytest.mark.parametrize(
    "recipient",
    [
        "budi..santoso@mail.example", "budi.@mail.example", ".budi@mail.example", "budi@mail", "budi@a@b.example",
        "budi@mail.example\n", "budi@mail.example\r\nBcc: x@x.example", "b" * 65 + "@mail.example",
        "budi@" + ".".join(["d" * 60] * 5), "büdi@mail.example", '"budi"@mail.example', "",
    ],
)  # fmt: skip
def test_an_address_to_which_no_mail_can_go_is_told_at_once(recipient: str) -> None:
    """It was tried five times, and each time ended in an exception. No connection is made for it."""
    message = OutgoingMessage("key-00000001", Channel.EMAIL, recipient, "Halo", "t", "Kabar")
    refused = Outcome(OutcomeKind.PERMANENT, "invalid_recipient")
    assert SmtpProvider(NOWHERE, lambda: NOW, plain=True).send(message) == refused


# The rule of `email` in the service's API.
@given(st.from_regex(r"[A-Za-z0-9.!#$%&*+/=?^_~-]{1,64}@[A-Za-z0-9-]{1,63}([.][A-Za-z0-9-]{1,63})+", fullmatch=True))
def test_a_mail_can_be_written_to_every_address_that_is_taken(address: str) -> None:
    person = address.partition("@")[0]
    dots = person.startswith(".") or person.endswith(".") or ".." in person
    assert is_address(address) is (not dots and len(address) <= 254)
    if is_address(address):
        mail = compose(OutgoingMessage("key-00000001", Channel.EMAIL, address, "Halo"), NOWHERE, NOW)
        assert mail["To"] == address
