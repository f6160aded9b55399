"""Tokens that must not pass: refused at the edge, and by the service when the edge is by-passed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import queue_service_pb2_grpc
from mpp_devissuer.keys import KeyRing

from tests.integration.gateway.ground import Gateway, unpadded
from tests.integration.gateway.test_faces import reason_of

PRIVATE = "sites/malang/queues/samsat/tickets/no-such-ticket"
pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


class Forger:
    """Makes tokens as the issuer would, with one thing wrong."""

    def __init__(self, malang: Any) -> None:
        self.issuer = malang.platform.endpoints()["issuer"]
        self.key = KeyRing(malang.platform.home / "issuer").current

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        good = {"iss": self.issuer, "aud": "mpp", "sub": "forger", "iat": now, "exp": now + 600, "roles": ["citizen"]}
        return {k: v for k, v in {**good, **changes}.items() if v is not None}

    def signed(self, key: Any = None, kid: str = "", **changes: Any) -> str:
        headers = {"kid": kid or self.key.kid}
        return jwt.encode(self.claims(**changes), key or self.key.private, algorithm="ES256", headers=headers)

    def by_hand(self, header: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
        parts = [unpadded(json.dumps(part).encode()) for part in (header, self.claims())]
        return ".".join([*parts, unpadded(sign(".".join(parts).encode()))])

    def hmac_with_the_public_key(self) -> str:
        """The attack of RFC 8725 section 2.1: a public key taken for a shared secret."""
        secret = json.dumps(self.key.public_jwk()).encode()
        header = {"alg": "HS256", "kid": self.key.kid}
        return self.by_hand(header, lambda text: hmac.new(secret, text, hashlib.sha256).digest())


@pytest.fixture(scope="module")
def forger(malang: Any) -> Forger:
    return Forger(malang)


def forged(forger: Forger) -> dict[str, tuple[str, str]]:
    """What is wrong -> (token, reason)."""
    now = int(time.time())
    swapped = forger.signed().split(".")
    swapped[1] = unpadded(json.dumps(forger.claims(roles=["platform_admin"])).encode())
    none = {"alg": "none", "kid": forger.key.kid}
    return {
        "expired": (forger.signed(iat=now - 900, exp=now - 120), "TOKEN_EXPIRED"),
        "not yet valid": (forger.signed(nbf=now + 300), "TOKEN_INVALID"),
        "without an expiry": (forger.signed(exp=None), "TOKEN_INVALID"),
        "another audience": (forger.signed(aud="somebody-else"), "TOKEN_INVALID"),
        "another issuer": (forger.signed(iss="https://evil.example"), "TOKEN_INVALID"),
        "unknown key": (forger.signed(ec.generate_private_key(ec.SECP256R1()), "unknown"), "TOKEN_INVALID"),
        "another key under a known id": (forger.signed(ec.generate_private_key(ec.SECP256R1())), "TOKEN_INVALID"),
        "claims exchanged": (".".join(swapped), "TOKEN_INVALID"),
        "alg none": (forger.by_hand({"alg": "none"}, lambda _: b""), "TOKEN_INVALID"),
        "alg none with a known key id": (forger.by_hand(none, lambda _: b""), "TOKEN_INVALID"),
        "HS256 with the public key": (forger.hmac_with_the_public_key(), "TOKEN_INVALID"),
        "rubbish": (base64.b64encode(b"rubbish").decode(), "TOKEN_INVALID"),
    }


def test_the_forger_can_make_a_good_token(edge: Gateway, forger: Forger) -> None:
    """Else the others would prove nothing."""
    assert edge.call("GET", f"/v1/{PRIVATE}", token=forger.signed()).status == 404


def test_bad_tokens_are_refused_at_the_edge_also_where_none_is_needed(edge: Gateway, forger: Forger) -> None:
    for what, (token, reason) in forged(forger).items():
        for path in (f"/v1/{PRIVATE}", "/v1/sites/malang"):
            answer = edge.call("GET", path, token=token)
            assert (answer.status, answer.reason, answer.json["code"]) == (401, reason, 16), (what, path)
            assert answer.headers["www-authenticate"] == "Bearer"
        web, _ = edge.grpc_web("mpp.queue.v1.QueueService/GetTicket", pb.GetTicketRequest(name=PRIVATE), token)
        assert (web.status, web.headers["grpc-status"]) == (200, "16"), what


def test_bad_tokens_are_refused_by_the_service_when_the_edge_is_bypassed(malang: Any, forger: Forger) -> None:
    stub = malang.stub("queue", queue_service_pb2_grpc.QueueServiceStub)
    for what, (token, reason) in forged(forger).items():
        for call, request in (
            (stub.GetTicket, pb.GetTicketRequest(name=PRIVATE)),
            (stub.GetQueue, pb.GetQueueRequest(name="sites/malang/queues/samsat")),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                call(request, metadata=[("authorization", f"Bearer {token}")], timeout=30)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED, what
            assert reason_of(caught.value) == reason, what


def test_another_scheme_and_a_token_in_the_query_do_not_count(edge: Gateway, forger: Forger) -> None:
    basic = edge.call("GET", f"/v1/{PRIVATE}", authorization="Basic Zm9vOmJhcg==")
    assert (basic.status, basic.reason) == (401, "UNAUTHENTICATED")
    assert edge.call("GET", f"/v1/{PRIVATE}?access_token={forger.signed()}").status in (400, 401)


def test_the_clock_may_differ_a_little(edge: Gateway, forger: Forger) -> None:
    now = int(time.time())
    assert edge.call("GET", f"/v1/{PRIVATE}", token=forger.signed(iat=now - 600, exp=now - 10)).status == 404
    assert edge.call("GET", f"/v1/{PRIVATE}", token=forger.signed(nbf=now + 10)).status == 404
