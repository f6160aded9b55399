"""Settings of grants: what is wrong is named, and no secret is in the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from mpp_chassis.settings import BadSettings
from mpp_subscriptions import main

AMQP = "amqps://svc:secret@broker.example:5671/%2F?cacertfile=/x"


def test_agencies_are_told_an_address_without_our_credentials() -> None:
    own = main._address({}, AMQP)
    assert (own.uri, own.virtual_host) == ("amqps://broker.example:5671", "/")
    assert main._address({}, "amqp://svc:secret@broker//").uri == "amqp://broker:5672"
    public = main._address({"MPP_BROKER_PUBLIC_ADDRESS": "amqps://mq.kota.example:5671"}, AMQP)
    assert (public.uri, public.virtual_host) == ("amqps://mq.kota.example:5671", "/")


@pytest.mark.parametrize("text", ["mq.example", "https://mq.example", "amqps://u:p@mq.example", "amqps://mq.example/x"])
def test_a_wrong_public_address_is_named(text: str) -> None:
    with pytest.raises(BadSettings, match="MPP_BROKER_PUBLIC_ADDRESS"):
        main._address({"MPP_BROKER_PUBLIC_ADDRESS": text}, AMQP)


def test_the_key_to_all_accounts_may_be_left_out_or_lie_in_a_file(tmp_path: Path) -> None:
    assert main._broker_api({}, "/") is None
    file = tmp_path / "api"
    file.write_text("https://admin:secret@mq.example:15671\n")
    assert main._broker_api({"MPP_BROKER_API_FILE": str(file)}, "/") is not None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"MPP_BROKER_API": "https://admin-secret@"}, "MPP_BROKER_API"),
        ({"MPP_BROKER_API": "https://mq-secret.example"}, "MPP_BROKER_API"),
        ({"MPP_BROKER_API": "amqp://a:secret@mq.example"}, "MPP_BROKER_API"),
        ({"MPP_BROKER_API_FILE": "/nowhere/secret"}, "MPP_BROKER_API_FILE"),
        ({"MPP_BROKER_API": "https://a:secret@mq.example", "MPP_BROKER_API_CA": "/nowhere"}, "MPP_BROKER_API_CA"),
    ],
)
def test_a_wrong_api_is_named_and_not_shown(given: dict[str, str], name: str) -> None:
    with pytest.raises(BadSettings, match=name) as caught:
        main._broker_api(given, "/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("prefix", ["", "public", "Agency", "a.b", "a" * 40, "mpp", "amq"])
def test_a_prefix_never_meets_the_platforms_own_names(prefix: str) -> None:
    with pytest.raises(BadSettings, match="MPP_GRANTS_PREFIX"):
        main._prefix({"MPP_GRANTS_PREFIX": prefix})
    assert main._prefix({}) == "agency"


@pytest.mark.parametrize("text", ["0", "-1", "many", "1e3", ""])
def test_bounds_are_whole_numbers_above_0(text: str) -> None:
    with pytest.raises(BadSettings, match="MPP_GRANTS_QUEUE_LENGTH"):
        main._bounds({"MPP_GRANTS_QUEUE_LENGTH": text})
    assert main._bounds({"MPP_GRANTS_QUEUE_DAYS": "1"}).queue_age_ms == 86_400_000
