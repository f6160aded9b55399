"""Tokens, attacked, against a real JWKS server on loopback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_chassis import identity
from mpp_chassis.errors import Unauthenticated, Unavailable
from mpp_chassis.identity import Authenticator, KeySet
from mpp_chassis.settings import ClaimNames

ISSUER, AUDIENCE = "https://issuer.test", "mpp"
EC_KEY, OTHER_EC = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


def jwk(key: Any, kid: str) -> dict[str, Any]:
    algorithm: Any = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


class Issuer:
    """A JWKS address whose answer the test chooses; counts how often it is asked."""

    def __init__(self) -> None:
        self.body = b""
        self.status, self.asked, self.pause = 200, 0, threading.Event()
        self.pause.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                outer.pause.wait(5)
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=lambda: self.server.serve_forever(poll_interval=0.01), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"

    def offer(self, **keys: Any) -> None:
        self.body = json.dumps({"keys": [jwk(key, kid) for kid, key in keys.items()]}).encode()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    here = Issuer()
    here.offer(ec1=EC_KEY, rsa1=RSA_KEY)
    yield here
    here.pause.set()
    here.server.shutdown()
    here.server.server_close()


@pytest.fixture
def auth(issuer: Issuer) -> Authenticator:
    return Authenticator(KeySet(issuer.url), ISSUER, AUDIENCE, lambda nik: f"index-of-{len(nik)}")


def token(key: Any = EC_KEY, kid: str | None = "ec1", alg: str = "ES256", **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u1",
        "iat": now,
        "exp": now + 300,
        "roles": ["officer"],
        **changes,
    }
    claims = {k: v for k, v in claims.items() if v is not ...}
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": kid} if kid is not None else {})


def refused(auth: Authenticator, text: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        auth.caller(text)
    assert text not in str(caught.value)
    return caught.value.reason


def by_hand(header: dict[str, Any], claims: dict[str, Any] | list[Any], secret: bytes = b"") -> str:
    """A token whose header and claims no library would make; signed with HMAC, or not at all."""
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in (header, claims)]
    sign = hmac.new(secret, b".".join(parts), hashlib.sha256).digest() if secret else b""
    return b".".join([*parts, base64.urlsafe_b64encode(sign).rstrip(b"=")]).decode()


def test_a_good_token(auth: Authenticator) -> None:
    claims = {"site": "malang", "agency": "dukcapil", "counter": 3, "nik": "3573010101900001"}
    who = auth.caller(token(**claims, roles=["officer", "verifier"]))
    assert (who.subject, who.site, who.agency, who.counter) == ("u1", "malang", "dukcapil", 3)
    assert who.roles == {"officer", "verifier"}
    assert who.owner_keys == {"sub:u1", "nik:index-of-16"}
    assert "3573010101900001" not in repr(who)
    assert auth.caller(token(RSA_KEY, "rsa1", "RS256")).subject == "u1"


GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "u1",
    "iat": 1,
    "exp": 9_999_999_999,
    "roles": ["officer"],
}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": 1_000_000_000}, "TOKEN_EXPIRED"),
        ({"exp": ...}, "TOKEN_INVALID"),
        ({"iss": "https://evil.test"}, "TOKEN_INVALID"),
        ({"iss": ...}, "TOKEN_INVALID"),
        ({"iss": ISSUER + "/"}, "TOKEN_INVALID"),
        ({"aud": "another"}, "TOKEN_INVALID"),
        ({"aud": ...}, "TOKEN_INVALID"),
        ({"aud": {"mpp": 1}}, "TOKEN_INVALID"),
        ({"sub": ...}, "TOKEN_INVALID"),
        ({"sub": ""}, "TOKEN_INVALID"),
        ({"sub": 5}, "TOKEN_INVALID"),
        ({"iat": ...}, "TOKEN_INVALID"),
        ({"nbf": 9_999_999_999}, "TOKEN_INVALID"),
        ({"roles": ...}, "TOKEN_INVALID"),
        ({"roles": "platform_admin"}, "TOKEN_INVALID"),
        ({"roles": {"platform_admin": 1}}, "TOKEN_INVALID"),
        ({"counter": "3"}, "TOKEN_INVALID"),
        ({"counter": True}, "TOKEN_INVALID"),
        ({"exp": "soon"}, "TOKEN_INVALID"),
        ({"exp": float("inf")}, "TOKEN_INVALID"),
    ],
    ids=str,
)
def test_a_signed_token_with_wrong_claims_is_refused(auth: Authenticator, changes: dict[str, Any], reason: str) -> None:
    assert refused(auth, token(**changes)) == reason


def test_clock_skew_of_half_a_minute_is_borne_and_more_is_not(auth: Authenticator) -> None:
    now = int(time.time())
    assert auth.caller(token(exp=now - 20)).subject == "u1"
    assert auth.caller(token(iat=now + 20, nbf=now + 20)).subject == "u1"
    assert refused(auth, token(exp=now - 40)) == "TOKEN_EXPIRED"
    assert refused(auth, token(nbf=now + 45)) == "TOKEN_INVALID"
    assert refused(auth, token(iat=now + 45)) == "TOKEN_INVALID"


def test_a_remembered_token_still_expires(auth: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    text = token(exp=int(time.time()) + 100)
    assert auth.caller(text).subject == "u1"
    really = time.time()
    monkeypatch.setattr(identity.time, "time", lambda: really + 200)
    # The library reads another clock; what matters is that the memory does not answer any more.
    seen: list[str] = []
    monkeypatch.setattr(auth, "_claims", lambda t: seen.append(t) or {"exp": 1, "sub": "again", "roles": []})
    assert auth.caller(text).subject == "again"
    assert seen == [text]


def test_a_remembered_token_is_forgotten_with_its_key(
    issuer: Issuer, auth: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "REFRESH", 0.0)
    text = token()
    assert auth.caller(text).subject == "u1"
    issuer.offer(ec2=OTHER_EC)  # the issuer took the key back
    assert auth.caller(text).subject == "u1"  # nobody has asked yet
    assert auth.caller(token(kid="ec2", key=OTHER_EC)).subject == "u1"
    assert refused(auth, text) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    ("names", "claims"),
    [
        ({"roles": "realm_access.roles"}, {"roles": None, "realm_access": {"roles": ["officer", "offline_access"]}}),
        (
            {"roles": "resource_access.mpp.roles"},
            {"roles": None, "resource_access": {"mpp": {"roles": ["officer"]}, "account": {"roles": ["citizen"]}}},
        ),
        ({"roles": "https://mpp.example/roles"}, {"roles": None, "https://mpp.example/roles": ["officer", "kiosk "]}),
        (
            {"site": "mpp.site", "agency": "mpp.agency", "counter": "mpp.counter", "nik": "mpp.nik"},
            {
                "roles": ["officer"],
                "mpp": {"site": "malang", "agency": "dukcapil", "counter": 3, "nik": "3573014101900001"},
            },
        ),
    ],
    ids=lambda v: next(iter(v.values())) or "objects" if isinstance(v, dict) else str(v),
)
def test_the_claims_are_found_where_the_issuer_puts_them(
    issuer: Issuer, names: dict[str, str], claims: dict[str, Any]
) -> None:
    auth = Authenticator(KeySet(issuer.url), ISSUER, AUDIENCE, lambda nik: f"index-of-{len(nik)}", ClaimNames(**names))
    caller = auth.caller(token(**claims))
    assert caller.roles == {"officer"}
    if "site" in names:
        assert (caller.site, caller.agency, caller.counter, caller.nik) == ("malang", "dukcapil", 3, "3573014101900001")
        assert "nik:index-of-16" in caller.owner_keys


def test_a_token_may_list_the_sites_of_a_citys_viewer(auth: Authenticator) -> None:
    caller = auth.caller(token(roles=["city_viewer"], site=None, sites=["malang", "batu"]))
    assert (caller.site, caller.sites) == ("", {"malang", "batu"})
    assert auth.caller(token(roles=["city_viewer"], site="malang")).sites == frozenset()


@pytest.mark.parametrize("sites", ["malang", ["malang", 7], [""], {"malang": True}, 7, [["malang"]]], ids=str)
def test_a_list_of_sites_that_is_none_is_refused(auth: Authenticator, sites: Any) -> None:
    assert refused(auth, token(roles=["city_viewer"], sites=sites)) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "claims",
    [{}, {"realm_access": None}, {"realm_access": ["officer"]}, {"realm_access": {"roles": "officer"}}],
    ids=str,
)
def test_a_token_without_the_roles_claim_is_refused(issuer: Issuer, claims: dict[str, Any]) -> None:
    names = ClaimNames(roles="realm_access.roles")
    auth = Authenticator(KeySet(issuer.url), ISSUER, AUDIENCE, lambda nik: "", names)
    assert refused(auth, token(**claims)) == "TOKEN_INVALID"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "HS256", "ES512", "PS256", None, 7, ["ES256"]], ids=str)
def test_other_algorithms_are_refused(auth: Authenticator, alg: Any) -> None:
    assert refused(auth, by_hand({"alg": alg, "kid": "ec1", "typ": "JWT"}, GOOD)) == "TOKEN_INVALID"


@pytest.mark.parametrize("alg", ["HS256", "ES256", "RS256"])
@pytest.mark.parametrize("kid", ["ec1", "rsa1"])
def test_the_public_key_as_a_secret_signs_nothing(auth: Authenticator, alg: str, kid: str) -> None:
    key = EC_KEY if kid == "ec1" else RSA_KEY
    for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER):
        secret = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        assert refused(auth, by_hand({"alg": alg, "kid": kid}, GOOD, secret)) == "TOKEN_INVALID"
    assert refused(auth, by_hand({"alg": alg, "kid": kid}, GOOD, json.dumps(jwk(key, kid)).encode())) == "TOKEN_INVALID"


def test_a_symmetric_key_in_the_set_signs_nothing(issuer: Issuer, auth: Authenticator) -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")
    issuer.body = json.dumps({"keys": [{"kty": "oct", "k": secret, "kid": "oct1"}, jwk(EC_KEY, "ec1")]}).encode()
    for alg in ("HS256", "ES256", "RS256"):
        assert refused(auth, by_hand({"alg": alg, "kid": "oct1"}, GOOD, b"s" * 32)) == "TOKEN_INVALID"


def test_keys_carried_by_the_token_are_not_used(auth: Authenticator) -> None:
    evil = jwk(OTHER_EC, "ec1")
    for header in ({"jwk": evil}, {"jku": "http://127.0.0.1:1/"}, {"x5u": "http://127.0.0.1:1/"}, {"x5c": ["x"]}):
        claims = {**GOOD, "iat": int(time.time())}
        text = jwt.encode(claims, OTHER_EC, algorithm="ES256", headers={"kid": "ec1", **header})
        assert refused(auth, text) == "TOKEN_INVALID"


def test_another_key_a_wrong_kid_and_no_kid(auth: Authenticator) -> None:
    assert refused(auth, token(OTHER_EC)) == "TOKEN_INVALID"
    assert refused(auth, token(kid="rsa1")) == "TOKEN_INVALID"  # an ES256 token that names an RSA key
    assert refused(auth, token(kid="unknown")) == "TOKEN_INVALID"
    assert refused(auth, token(kid=None)) == "TOKEN_INVALID"
    assert refused(auth, token(kid="")) == "TOKEN_INVALID"


def test_a_changed_payload_is_refused(auth: Authenticator) -> None:
    head, body, sign = token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["roles"] = ["platform_admin"]
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    for text in (f"{head}.{forged}.{sign}", f"{head}.{body}.{sign[::-1]}", f"{head}.{body}.", f"{head}.{body}", body):
        assert refused(auth, text) == "TOKEN_INVALID"


@settings(max_examples=80, deadline=None)
@given(
    st.text(max_size=60)
    | st.builds(
        lambda kid, rest: f"{by_hand({'alg': 'ES256', 'kid': kid}, []).split('.')[0]}.{rest}.{rest}",
        st.recursive(st.none() | st.text(max_size=5) | st.floats(), st.lists, max_leaves=3),
        st.text(max_size=9),
    )
)
def test_rubbish_is_unauthenticated_and_nothing_else(text: str) -> None:
    keys = KeySet("http://127.0.0.1:1/")
    keys._keys, keys._tried = {"ec1": EC_KEY.public_key()}, time.monotonic()
    with pytest.raises(Unauthenticated):
        Authenticator(keys, ISSUER, AUDIENCE, str).caller(text)


# --- the issuer's keys -----------------------------------------------------------------------------------------------


def test_rotation_is_picked_up(issuer: Issuer, auth: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "REFRESH", 0.0)
    assert auth.caller(token()).subject == "u1"
    issuer.offer(ec1=EC_KEY, ec2=OTHER_EC)
    assert auth.caller(token(OTHER_EC, "ec2")).subject == "u1"
    issuer.offer(ec2=OTHER_EC)
    assert auth.caller(token(OTHER_EC, "ec2", sub="u2")).subject == "u2"


def test_a_key_that_the_issuer_took_back_is_not_trusted_for_ever(
    issuer: Issuer, auth: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert auth.caller(token()).subject == "u1"
    issuer.offer(ec2=OTHER_EC)
    monkeypatch.setattr(identity, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(identity, "REFRESH", 0.0)
    assert refused(auth, token(sub="thief")) == "TOKEN_INVALID"


def test_known_keys_serve_on_when_the_issuer_is_down(
    issuer: Issuer, auth: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert auth.caller(token()).subject == "u1"
    issuer.status = 500
    monkeypatch.setattr(identity, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(identity, "REFRESH", 0.0)
    assert auth.caller(token(sub="u2")).subject == "u2"


def test_rubbish_does_not_hammer_the_issuer(issuer: Issuer, auth: Authenticator) -> None:
    for n in range(50):
        assert refused(auth, token(kid=f"guess-{n}")) == "TOKEN_INVALID"
    assert issuer.asked == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"null", b"5", b'{"keys": null}', b'{"keys": []}', b'{"keys": 5}', b'{"keys": [5]}', b"\xff",
     b'{"keys": [{"kty": "EC", "kid": "ec1"}]}'],
    ids=repr,
)  # fmt: skip
def test_an_issuer_that_answers_rubbish_is_unavailable(issuer: Issuer, auth: Authenticator, body: bytes) -> None:
    issuer.body = body
    with pytest.raises((Unavailable, Unauthenticated)):
        auth.caller(token())


def test_an_issuer_that_is_down_is_unavailable_and_asked_again_later(
    issuer: Issuer, auth: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.status = 503
    for n in range(20):
        with pytest.raises(Unavailable):
            auth.caller(token(sub=f"u{n}"))
    assert issuer.asked == 1, "a failing issuer is hammered"
    issuer.status = 200
    monkeypatch.setattr(identity, "RETRY", 0.05)
    end = time.monotonic() + 20
    while time.monotonic() < end:  # asked all the time: that must not put off the next try
        with contextlib.suppress(Unavailable):
            auth.caller(token())
            break
    assert auth.caller(token()).subject == "u1"


def test_an_issuer_that_hangs_does_not_hold_up_good_tokens_nor_queue_the_bad(
    issuer: Issuer, auth: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert auth.caller(token()).subject == "u1"
    monkeypatch.setattr(identity, "KEPT_SECONDS", 0.0)  # even when it is time to ask again
    monkeypatch.setattr(identity, "REFRESH", 5.0)
    monkeypatch.setattr(auth._keys, "_tried", -1e9)
    monkeypatch.setattr(identity, "ASK_SECONDS", 2.5)
    issuer.pause.clear()
    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        bad = [pool.submit(auth.caller, token(kid=f"guess-{n}")) for n in range(8)]
        while issuer.asked < 2:
            time.sleep(0.005)
        for n in range(8):
            assert pool.submit(auth.caller, token(sub=f"u{n}")).result(20).subject == f"u{n}"
        assert time.monotonic() - started < 2.5, "good tokens waited for the issuer"
        kinds = {type(f.exception(60)) for f in bad}
    assert kinds <= {Unavailable, Unauthenticated}
    assert time.monotonic() - started < 4 * 2.5, "each bad token waited for the issuer in turn"


def test_memory_of_tokens_is_bounded(auth: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "KEPT_TOKENS", 10)
    for n in range(30):
        auth.caller(token(sub=f"u{n}"))
    assert len(auth._checked) == 10
