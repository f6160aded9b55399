"""The broker over TLS: agencies and services check who they talk to, with a throw-away authority."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mpp_chassis import broker
from mpp_devstack import certificates

from .conftest import Edge, headers, subject, take

WORK = """
import eventlet
eventlet.monkey_patch()
import json, sys
from mpp_chassis import broker
publisher = broker.Publisher(sys.argv[1])
message = broker.Outgoing("tls-1", "public.events", "ticket_called.v1.public", json.loads(sys.argv[2]), "{}")
assert publisher.publish([message]).accepted == {"tls-1"}
print("published")
"""


@pytest.fixture
def tls_uri(stack: Any) -> str:
    found = stack.broker.tls_uri
    assert found is not None
    return str(found)


def test_an_agency_reads_over_tls_what_a_worker_published_over_tls(edge: Edge, tls_uri: str) -> None:
    """The publisher is a process under eventlet, as every `work` is."""
    agency = edge.granted("queue")
    told = [sys.executable, "-c", WORK, tls_uri, json.dumps(headers(agency.name))]
    done = subprocess.run(told, capture_output=True, text=True, timeout=180)
    assert "published" in done.stdout, done.stderr
    conn = broker.connection(tls_uri.replace("guest:guest", f"{agency.account}:{agency.password}"))
    assert isinstance(conn.transport.sock, ssl.SSLSocket)
    assert agency.name in map(subject, take(conn.channel(), agency.account))
    conn.close()


def test_a_broker_that_another_authority_vouches_for_is_not_talked_to(tls_uri: str, tmp_path: Path) -> None:
    other = certificates.ensure(tmp_path)
    address, _, _ = tls_uri.partition("?")
    for uri in (f"{address}?cacertfile={other.ca}", address):  # the system's authorities do not know it either
        with pytest.raises(ssl.SSLCertVerificationError):
            broker.connection(uri)


def test_a_certificate_for_another_name_is_not_enough(tls_uri: str) -> None:
    """0.0.0.0 leads to the same broker and is not in its certificate."""
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
        broker.connection(tls_uri.replace("127.0.0.1", "0.0.0.0"))


def test_a_parameter_that_nobody_knows_is_told_and_not_passed_over() -> None:
    """Misspelt, it would silently trust the system's authorities instead."""
    with pytest.raises(ValueError, match="cacertfil"):
        broker.connection("amqps://a:b@127.0.0.1:1//?cacertfil=/x")
