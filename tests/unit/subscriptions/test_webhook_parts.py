"""Addresses, cursors, signatures, schedules and filters: the pure parts of webhooks and feed."""

from __future__ import annotations

import ipaddress
import json
import random
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mpp_subscriptions
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_subscriptions import cursor, journal
from mpp_subscriptions.cursor import BadCursor, Position
from mpp_subscriptions.feed.domain import Window
from mpp_subscriptions.webhooks import guard, schedule, signing
from mpp_subscriptions.webhooks.domain import Schedule
from mpp_subscriptions.webhooks.guard import Forbidden, Guard
from standardwebhooks.webhooks import Webhook

SHIPPED = (Path(mpp_subscriptions.__file__).parent / "data" / "webhooks.yaml").read_text(encoding="utf-8")
STRICT = Guard()


# -- addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://example.test/", "ftp://example.test/", "https://", "https:///x", "https://user:pw@example.test/",
        "https://user@example.test/", "https://example.test/#top", "https://127.0.0.1/", "https://127.1.2.3:8443/",
        "https://10.0.0.1/", "https://172.16.4.4/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/", "https://0.0.0.0/", "https://224.0.0.1/", "https://255.255.255.255/", "https://[::1]/",
        "https://[::]/", "https://[fe80::1]/", "https://[fd00:ec2::254]/", "https://[fec0::1]/", "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:169.254.169.254]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
        "https://example.test:0/", "https://example.test:99999/", "https://exa mple.test/", "https://example.test/ä",
        "https://example.test/\r\nx: y", "https://[::1%25lo]/",
    ],
)  # fmt: skip
def test_a_url_that_can_never_be_right_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        STRICT.place(url)


def test_a_public_url_in_its_parts() -> None:
    place = STRICT.place("https://hooks.example.test:8443/in?a=1")
    assert (place.tls, place.host, place.port, place.path) == (True, "hooks.example.test", 8443, "/in?a=1")
    assert place.authority == "hooks.example.test:8443"
    assert STRICT.place("https://93.184.215.14/").authority == "93.184.215.14"


def stands_for(*addresses: str) -> Any:
    def resolve(host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    return resolve


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.1.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1%eth0"]
)
def test_a_name_that_stands_for_an_inner_address_is_refused_even_beside_a_public_one(address: str) -> None:
    place = STRICT.place("https://innocent.example.test/")
    with pytest.raises(Forbidden):
        Guard(resolve=stands_for("93.184.215.14", address)).addresses(place)


def test_numbers_that_resolvers_take_for_addresses_are_looked_up_and_refused() -> None:
    """`2130706433` and `127.1` are 127.0.0.1 to many a resolver; here by the real one, without the network."""
    for host in ("2130706433", "127.1", "0x7f000001", "localhost"):
        with pytest.raises((Forbidden, OSError)):
            STRICT.addresses(STRICT.place(f"https://{host}/"))


def test_an_operator_may_open_a_network_of_the_city() -> None:
    inside = Guard(networks=guard.networks(["10.20.0.0/16", ""]))
    assert inside.place("https://10.20.3.4/").host == "10.20.3.4"
    with pytest.raises(Forbidden):
        inside.place("https://10.21.3.4/")
    with pytest.raises(Forbidden):
        inside.place("http://10.20.3.4/")
    assert Guard(allow_private=True).place("http://127.0.0.1:9000/").port == 9000


@given(st.integers(0, 2**32 - 1))
def test_an_inner_address_hides_in_no_ipv6_form(number: int) -> None:
    plain = ipaddress.IPv4Address(number)
    for text in (f"::ffff:{plain}", f"64:ff9b::{plain}"):
        assert STRICT.allows(ipaddress.ip_address(text)) == STRICT.allows(plain)


# -- cursors


@given(st.integers(0, 10**17), st.text(max_size=40), st.booleans())
def test_a_cursor_reads_back_and_knows_its_event(offset: int, event_id: str, inclusive: bool) -> None:
    place = Position.of(offset, event_id, inclusive=inclusive)
    assert cursor.decode(cursor.encode(place)) == place
    assert place.fits(offset, event_id)
    assert not place.fits(offset, event_id + "x")
    assert not place.fits(offset + 1, event_id)
    assert len(cursor.encode(place)) <= 60


@given(st.text(max_size=60))
def test_no_other_text_is_a_cursor(text: str) -> None:
    try:
        place = cursor.decode(text)
    except BadCursor:
        return
    assert cursor.encode(place).rstrip("=") == text.rstrip("=")


# -- signatures


def entry(**given: Any) -> journal.Entry:
    fields: dict[str, Any] = {
        "offset": 7, "id": "e7", "type": "mpp.queue.v1.TicketCalled", "source": "/mpp/queue",
        "subject": "sites/x/queues/q/tickets/t", "time": datetime(2026, 3, 2, 2, 0, tzinfo=UTC), "sequence": 3,
        "body": b'{"number":"D-001","announcement":"Nomor antrean"}',
    }  # fmt: skip
    return journal.Entry(**{**fields, **given})


def test_the_body_is_a_cloud_event_and_each_secret_verifies_it() -> None:
    secrets = [signing.secret_text(random.Random(n).randbytes(signing.SECRET_BYTES)) for n in range(2)]
    body = signing.body_of(entry(traceparent="00-1-2-00"))
    headers = signing.headers("e7", datetime.now(UTC), body, secrets)
    for secret in secrets:
        event = Webhook(secret).verify(body, headers)
    assert event == json.loads(body)
    assert event["data"] == {"number": "D-001", "announcement": "Nomor antrean"}
    assert (event["sequence"], event["traceparent"]) == ("3", "00-1-2-00")
    assert len(headers["webhook-signature"].split(" ")) == 2


def test_the_signature_of_the_specification() -> None:
    """The example of the Standard Webhooks' own documentation."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, UTC)
    signed = signing.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body, [secret])["webhook-signature"]
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


# -- the filter


def test_only_what_is_granted_and_wanted_passes() -> None:
    granted = frozenset({"mpp.queue.v1.TicketCalled", "mpp.queue.v1.TicketIssued"})
    assert journal.Filter().passes(entry(), granted)
    assert not journal.Filter().passes(entry(), frozenset())
    assert not journal.Filter().passes(entry(type="mpp.complaints.v1.ComplaintFiled"), granted)
    assert not journal.Filter(frozenset({"mpp.queue.v1.TicketIssued"})).passes(entry(), granted)
    assert not journal.Filter(subject_prefix="sites/y/").passes(entry(), granted)
    assert not journal.Filter().passes(entry(id=""), granted)


# -- the window


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=60))
def test_never_more_than_the_window_is_unacknowledged(size: int, steps: list[bool]) -> None:
    window, sent, acknowledged = Window(size), 0, 0
    for send in steps:
        if send and not window.full:
            sent += 1
            window.send(sent)
        elif not send and acknowledged < sent:
            acknowledged += 1
            window.acknowledge(acknowledged)
        assert sent - acknowledged <= size
        assert window.full == (sent - acknowledged == size)


# -- the schedule


def test_the_shipped_file_is_good_and_ends_within_the_retention() -> None:
    delivery = schedule.parse(SHIPPED)
    assert sum(delivery.retries.delays, timedelta()) < timedelta(days=3)
    assert list(delivery.retries.delays) == sorted(delivery.retries.delays)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("jitter: 0.2", "jitter: 1.5", "jitter"),
        ("timeout_seconds: 10", "timeout_seconds: -1", "timeout_seconds"),
        ("timeout_seconds: 10", "timeout_seconds: 30", "claim_seconds"),
        ("43200]", "4320000]", "retry_delays_seconds"),
        ("[5, 30", "[five, 30", "retry_delays_seconds[0]"),
        ("scan_seconds: 1 ", "scan: 1 ", "scan_seconds"),
    ],
)
def test_a_wrong_file_is_refused_by_its_place(old: str, new: str, place: str) -> None:
    with pytest.raises(schedule.BadSchedule) as caught:
        schedule.parse(SHIPPED.replace(old, new))
    assert place in str(caught.value)


def test_waits_grow_are_spread_and_hear_the_receiver() -> None:
    retries, rng = Schedule((timedelta(seconds=10), timedelta(seconds=100))), random.Random(1)
    waits = [retries.wait(1, None, rng) for _ in range(200)]
    assert all(w is not None and timedelta(seconds=8) <= w <= timedelta(seconds=12) for w in waits)
    assert len(set(waits)) > 100
    asked = retries.wait(1, timedelta(seconds=60), rng)
    assert asked is not None
    assert asked >= timedelta(seconds=48)
    greedy = retries.wait(1, timedelta(days=9), rng)
    assert greedy is not None
    assert greedy <= timedelta(hours=1.2)
    assert retries.wait(3, None, rng) is None
