"""What the broker's URI says of TLS."""

from __future__ import annotations

import ssl

import pytest
from mpp_chassis.broker import tls_of


def test_without_tls_the_uri_is_left_alone() -> None:
    assert tls_of("amqp://guest:guest@127.0.0.1:5672//") == ("amqp://guest:guest@127.0.0.1:5672//", False)


def test_tls_checks_the_certificate_and_the_name_also_when_nothing_is_said() -> None:
    uri, tls = tls_of("amqps://u:p@broker.example:5671/%2F")
    assert uri == "amqps://u:p@broker.example:5671/%2F"
    assert tls == {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "broker.example"}


def test_files_come_as_parameters_and_do_not_reach_amqp() -> None:
    uri, tls = tls_of("amqps://u:p@broker.example//?cacertfile=/a/ca.pem&certfile=/a/c.pem&keyfile=/a/k.pem")
    assert uri == "amqps://u:p@broker.example//"
    assert isinstance(tls, dict)
    assert (tls["ca_certs"], tls["certfile"], tls["keyfile"]) == ("/a/ca.pem", "/a/c.pem", "/a/k.pem")


@pytest.mark.parametrize("query", ["cacertfil=/a", "verify=verify_none", "cacertfile"])
def test_what_is_not_understood_is_an_error_and_never_less_checking(query: str) -> None:
    with pytest.raises(ValueError):
        tls_of(f"amqps://u:p@broker.example//?{query}")
