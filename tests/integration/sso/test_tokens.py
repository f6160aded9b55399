"""The issuer's tokens at the chassis' door: every demo person, rotation, clocks, and tokens that are not what they seem.

The issuer is the development issuer itself, over HTTP, in this process.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from mpp_chassis import identity
from mpp_chassis.errors import Unauthenticated
from mpp_chassis.identity import Authenticator, KeySet
from mpp_devissuer import directory, tokens
from mpp_devissuer.keys import KeyRing
from mpp_devissuer.server import Issuer

from tests.integration.sso.login import log_in, post

DEMO = directory.load(directory.DEMO)
KIOSK = tokens.TokenRequest(subject="kiosk-1", roles=("kiosk",), site="malang")


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    server = Issuer(0, KeyRing(tmp_path))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def door(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    monkeypatch.setattr(identity, "REFRESH", 0.0)  # a test does not wait 10 s between two looks at the keys
    return Authenticator(KeySet(f"{issuer.url}/jwks.json"), issuer.url, "mpp", lambda nik: f"index-of-{nik[-4:]}")


def reason(door: Authenticator, token: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        door.caller(token)
    return refused.value.reason


def changed(issuer: Issuer, at: timedelta = timedelta(), **claims: Any) -> str:
    """A token as the issuer makes it, at another time and with other claims."""
    now = datetime.now(UTC) + at
    body = {**tokens.claims(KIOSK, issuer=issuer.url, now=now, jti="j"), **claims}
    key = issuer.ring.current
    return jwt.encode(body, key.private, algorithm="ES256", headers={"kid": key.kid})


@pytest.mark.parametrize("person", DEMO.people.values(), ids=lambda p: p.subject)
def test_everyone_on_the_login_page_is_known_at_the_door(
    issuer: Issuer, door: Authenticator, person: directory.Person
) -> None:
    grant = person.grant
    caller = door.caller(log_in(issuer.url, person.subject)["access_token"])
    assert (caller.subject, caller.roles) == (grant.subject, set(grant.roles))
    assert (caller.site, caller.agency, caller.counter, caller.nik) == (
        grant.site,
        grant.agency,
        grant.counter,
        grant.nik,
    )
    assert (f"nik:index-of-{grant.nik[-4:]}" in caller.owner_keys) == bool(grant.nik)


def test_a_service_account_is_known_at_the_door(issuer: Issuer, door: Authenticator) -> None:
    form = {"client_id": "agency-imigrasi", "client_secret": "development-only-imigrasi"}
    caller = door.caller(post(f"{issuer.url}/token", {"grant_type": "client_credentials", **form})["access_token"])
    assert (caller.subject, caller.roles, caller.site, caller.agency) == (
        "agency-imigrasi",
        {"service"},
        "malang",
        "imigrasi",
    )


def test_an_id_token_opens_nothing(issuer: Issuer, door: Authenticator) -> None:
    assert reason(door, log_in(issuer.url, "siti")["id_token"]) == "TOKEN_INVALID"


def test_a_key_comes_and_goes_without_a_restart(issuer: Issuer, door: Authenticator) -> None:
    sign: Callable[[], str] = lambda: issuer.sign(KIOSK, datetime.now(UTC))  # noqa: E731
    first = sign()
    assert door.caller(first).subject == "kiosk-1"
    fetched = set(door._keys._keys)  # what the door knows now
    issuer.ring.rotate()
    second = sign()
    assert jwt.get_unverified_header(second)["kid"] in fetched  # the next key was published before it signed
    assert door.caller(first).subject == door.caller(second).subject == "kiosk-1"
    issuer.ring.rotate()
    third = sign()
    assert jwt.get_unverified_header(third)["kid"] not in fetched
    assert door.caller(third).subject == "kiosk-1"  # fetched for the unknown key id
    assert reason(door, first) == "TOKEN_INVALID"  # its key is gone, and the remembered token with it
    assert door.caller(second).subject == "kiosk-1"


@pytest.mark.parametrize(
    ("at", "lives", "said"),
    [
        (timedelta(seconds=25), 60, ""),
        (timedelta(seconds=45), 60, "TOKEN_INVALID"),
        (timedelta(seconds=-80), 60, ""),
        (timedelta(seconds=-100), 60, "TOKEN_EXPIRED"),
    ],
    ids=["25 s ahead", "45 s ahead", "expired for 20 s", "expired for 40 s"],
)
def test_clocks_may_differ_by_half_a_minute(
    issuer: Issuer, door: Authenticator, at: timedelta, lives: int, said: str
) -> None:
    token = changed(issuer, at, exp=int(time.time() + at.total_seconds()) + lives)
    if said:
        assert reason(door, token) == said
    else:
        assert door.caller(token).subject == "kiosk-1"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://127.0.0.1:1"},
        {"iss": "http://127.0.0.1"},
        {"aud": "frontend"},
        {"aud": ["frontend", "other"]},
        {"aud": "MPP"},
        {"aud": None},
        {"sub": ""},
        {"roles": "kiosk"},
    ],
    ids=str,
)
def test_another_issuer_or_audience_is_refused(issuer: Issuer, door: Authenticator, claims: dict[str, Any]) -> None:
    assert reason(door, changed(issuer, **claims)) == "TOKEN_INVALID"


def test_one_audience_of_several_is_enough(issuer: Issuer, door: Authenticator) -> None:
    assert door.caller(changed(issuer, aud=["account", "mpp"])).subject == "kiosk-1"


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "HS512"])
def test_a_token_that_is_signed_with_the_public_key_or_not_at_all_is_refused(
    issuer: Issuer, door: Authenticator, alg: str
) -> None:
    key = issuer.ring.current
    claims = tokens.claims(KIOSK, issuer=issuer.url, now=datetime.now(UTC), jti="j")
    public = key.private.public_key()
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint),
        json.dumps(key.public_jwk()).encode(),
        b"",
    ]
    for secret in secrets:
        head, body = ({"alg": alg, "typ": "JWT", "kid": key.kid}, claims)
        signed = ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in (head, body))
        digest = hmac.new(secret, signed.encode(), hashlib.sha512 if alg == "HS512" else hashlib.sha256).digest()
        signature = "" if alg.lower() == "none" else base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert reason(door, f"{signed}.{signature}") == "TOKEN_INVALID"


def test_two_issuers_do_not_take_each_others_tokens(issuer: Issuer, door: Authenticator, tmp_path: Path) -> None:
    other = KeyRing(tmp_path / "other").current
    claims = tokens.claims(KIOSK, issuer=issuer.url, now=datetime.now(UTC), jti="j")
    for kid in (other.kid, issuer.ring.current.kid):
        token = jwt.encode(claims, other.private, algorithm="ES256", headers={"kid": kid})
        assert reason(door, token) == "TOKEN_INVALID"
