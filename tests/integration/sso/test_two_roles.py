"""One person with two roles in one token, at the running services: each role does its part, and neither lends the other."""

from __future__ import annotations

import contextlib
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import jwt
import mpp_client
import pytest
from mpp.queue.v1 import queue_service_pb2 as messages
from mpp_client import MppError

from tests.integration.sso.login import log_in

pytestmark = pytest.mark.stack
OURS, THEIRS = "sites/malang/queues/dukcapil", "sites/malang/queues/imigrasi"


@pytest.fixture(scope="module")
def issuer(malang: Any) -> str:
    return str(malang.platform.endpoints()["issuer"])


def connection(malang: Any, token: str) -> mpp_client.Client:
    """Straight to the service: what the gateway would stop is not stopped here."""
    return mpp_client.connect(malang.platform.endpoints()["queue"], token)


@pytest.fixture(scope="module")
def hendra(malang: Any, issuer: str) -> Iterator[mpp_client.Client]:
    """Officer of Dukcapil at counter 4, and a citizen."""
    with connection(malang, log_in(issuer, "hendra")["access_token"]) as client:
        yield client


@pytest.fixture(scope="module")
def siti(malang: Any, issuer: str) -> Iterator[mpp_client.Client]:
    with connection(malang, log_in(issuer, "siti")["access_token"]) as client:
        yield client


def take(who: mpp_client.Client, queue: str) -> str:
    return who.queue.take_ticket(messages.TakeTicketRequest(parent=queue, request_id=str(uuid.uuid4()))).ticket.name


def cancel(who: mpp_client.Client, ticket: str) -> Any:
    return who.queue.cancel_ticket(messages.CancelTicketRequest(name=ticket, reason="tidak jadi"))


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(MppError) as error:
        call(*arguments)
    assert error.value.code.name == "PERMISSION_DENIED"
    return error.value.reason


def test_as_a_citizen_their_own_ticket_anywhere(hendra: mpp_client.Client) -> None:
    ticket = take(hendra, THEIRS)
    assert hendra.queue.get_ticket(messages.GetTicketRequest(name=ticket)).name == ticket
    assert cancel(hendra, ticket).reason == "tidak jadi"


def test_as_an_officer_any_ticket_of_the_agency(hendra: mpp_client.Client, siti: mpp_client.Client) -> None:
    take(siti, OURS)
    with contextlib.suppress(MppError):  # of a run before: one citizen at a counter
        called = hendra.queue.call_next(messages.CallNextRequest(parent=OURS, counter=4))
        assert called.counter == 4
        hendra.queue.start_serving(messages.StartServingRequest(name=called.name))
        hendra.queue.finish_ticket(messages.FinishTicketRequest(name=called.name))
    assert cancel(hendra, take(siti, OURS)).name.startswith(OURS)


def test_neither_role_lends_the_other_its_reach(hendra: mpp_client.Client, siti: mpp_client.Client) -> None:
    ticket = take(siti, THEIRS)
    # CITIZEN reaches their own anywhere, OFFICER everybody's at home: not everybody's anywhere.
    assert refused(cancel, hendra, ticket)
    assert refused(hendra.queue.call_next, messages.CallNextRequest(parent=THEIRS, counter=1))
    assert refused(hendra.queue.start_serving, messages.StartServingRequest(name=ticket))
    # What both roles lack stays out of reach: another site as an officer.
    elsewhere = messages.CallNextRequest(parent="sites/batu/queues/dukcapil", counter=4)
    assert refused(hendra.queue.call_next, elsewhere) == "SITE_MISMATCH"
    assert cancel(siti, ticket).name == ticket


def test_one_role_alone_does_only_its_part(malang: Any, siti: mpp_client.Client, issuer: str) -> None:
    mine = take(siti, OURS)
    assert refused(siti.queue.call_next, messages.CallNextRequest(parent=OURS, counter=3)) == "ROLE_MISSING"
    with connection(malang, log_in(issuer, "agus")["access_token"]) as officer_of_imigrasi:
        assert refused(cancel, officer_of_imigrasi, mine)
        assert refused(officer_of_imigrasi.queue.call_next, messages.CallNextRequest(parent=OURS, counter=3))
    with connection(malang, log_in(issuer, "bambang")["access_token"]) as other_citizen:
        assert refused(other_citizen.queue.get_ticket, messages.GetTicketRequest(name=mine))
    assert cancel(siti, mine).name == mine


def test_a_rotation_disturbs_nobody_neither_at_the_service_nor_at_the_gateway(malang: Any, issuer: str) -> None:
    old = log_in(issuer, "siti")["access_token"]
    addresses = [malang.platform.endpoints()["queue"], malang.gateway()]
    asked = messages.TakeTicketRequest(parent=OURS)
    try:
        urllib.request.urlopen(urllib.request.Request(f"{issuer}/rotate", b""), timeout=30).close()
        new = log_in(issuer, "siti")["access_token"]
        assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
        for address in addresses:
            for token in (old, new):
                with mpp_client.connect(address, token) as client:
                    ticket = client.queue.take_ticket(asked).ticket.name
                    cancel(client, ticket)
    finally:
        malang._tokens.clear()  # tokens of the key before are good until the next rotation only
