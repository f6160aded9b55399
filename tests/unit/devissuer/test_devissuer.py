"""The development issuer: what it signs, what it refuses, how its keys live."""

from __future__ import annotations

import http.client
import json
import os
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from mpp_devissuer.keys import KeyRing
from mpp_devissuer.server import Issuer

PERSON = {"subject": "u-1", "roles": ["citizen"], "nik": "3573014101900001"}


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    server = Issuer(0, KeyRing(tmp_path / "state"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def call(issuer: Issuer, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(issuer.url + path, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def verify(issuer: Issuer, token: str) -> dict[str, Any]:
    """As a service does it: by discovery, over HTTP."""
    _, discovery = call(issuer, "/.well-known/openid-configuration")
    assert discovery["issuer"] == issuer.url
    keys = jwt.PyJWKClient(discovery["jwks_uri"], cache_keys=False, cache_jwk_set=False)
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["ES256"],
        audience="mpp",
        issuer=discovery["issuer"],
        options={"require": ["exp", "iat", "nbf", "jti", "sub"]},
    )


def test_a_token_verifies_and_carries_what_was_asked(issuer: Issuer) -> None:
    asked = {
        "subject": "officer-7",
        "roles": ["officer", "verifier"],
        "site": "malang",
        "sites": ["malang", "batu"],
        "agency": "dukcapil",
        "counter": 3,
        "nik": "3573014101900001",
        "ttl_seconds": 60,
    }
    status, reply = call(issuer, "/token", asked)
    assert status == 200
    assert (reply["token_type"], reply["expires_in"]) == ("Bearer", 60)
    claims = verify(issuer, reply["access_token"])
    assert claims["sub"] == "officer-7"
    assert claims["exp"] - claims["iat"] == 60
    own = ("roles", "site", "sites", "agency", "counter", "nik")
    assert {name: claims[name] for name in own} == {name: asked[name] for name in own}


def test_a_token_omits_what_was_not_asked_and_each_has_its_own_id(issuer: Issuer) -> None:
    tokens = [call(issuer, "/token", {"subject": "k", "roles": ["kiosk"]})[1]["access_token"] for _ in range(2)]
    first, second = (verify(issuer, token) for token in tokens)
    assert not {"site", "sites", "agency", "counter", "nik"} & set(first)
    assert first["jti"] != second["jti"]


def test_rotation_keeps_the_previous_key_and_forgets_the_one_before(issuer: Issuer) -> None:
    old = call(issuer, "/token", PERSON)[1]["access_token"]
    kid = call(issuer, "/rotate", b"")[1]["kid"]
    new = call(issuer, "/token", PERSON)[1]["access_token"]
    assert jwt.get_unverified_header(new)["kid"] == kid != jwt.get_unverified_header(old)["kid"]
    assert verify(issuer, old)["sub"] == verify(issuer, new)["sub"] == "u-1"
    call(issuer, "/rotate", b"")
    with pytest.raises(jwt.PyJWKClientError):
        verify(issuer, old)
    assert len(call(issuer, "/jwks.json")[1]["keys"]) == 3


def test_the_keys_outlive_a_restart_in_a_private_file_and_are_never_published(issuer: Issuer, tmp_path: Path) -> None:
    again = KeyRing(tmp_path / "state")
    assert again.jwks() == issuer.ring.jwks() == call(issuer, "/jwks.json")[1]
    files = list((tmp_path / "state").iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600]
    assert all("d" not in key for key in again.jwks()["keys"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"subject": "a b"}, "subject"),
        ({"roles": []}, "roles"),
        ({"roles": "citizen"}, "roles"),
        ({"roles": ["Citizen"]}, "roles"),
        ({"roles": [["citizen"]]}, "roles"),
        ({"site": "sites/malang"}, "site"),
        ({"agency": 7}, "agency"),
        ({"sites": "malang"}, "sites"),
        ({"sites": ["malang", "Kota Batu"]}, "sites"),
        ({"sites": ["malang"] * 101}, "sites"),
        ({"counter": -1}, "counter"),
        ({"counter": True}, "counter"),
        ({"counter": "3"}, "counter"),
        ({"nik": "357301410190000"}, "nik"),
        ({"nik": "3573014101900001\n"}, "nik"),
        ({"ttl_seconds": 0}, "ttl_seconds"),
        ({"ttl_seconds": 86_401}, "ttl_seconds"),
        ({"ttl_seconds": 1.5}, "ttl_seconds"),
        ({"admin": True}, "admin"),
    ],
)
def test_bad_input_is_refused_and_the_field_named(issuer: Issuer, change: dict[str, Any], field: str) -> None:
    status, reply = call(issuer, "/token", {**PERSON, **change})
    assert (status, reply["field"]) == (400, field)
    assert "access_token" not in reply


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 60_000])
def test_a_body_that_is_no_object_is_refused(issuer: Issuer, body: bytes) -> None:
    status, reply = call(issuer, "/token", body)
    assert (status, reply["field"]) == (400, "body")
    assert call(issuer, "/healthz") == (200, {"status": "ok"})


def test_a_web_page_gets_no_token(issuer: Issuer) -> None:
    status, _ = call(issuer, "/token", PERSON, **{"Content-Type": "text/plain"})
    assert status == 415
    status, reply = call(issuer, "/token", PERSON, Host="evil.example:80")
    assert (status, reply["field"]) == (403, "host")


def test_unknown_paths_and_oversized_bodies_are_refused(issuer: Issuer) -> None:
    assert call(issuer, "/nothing")[0] == 404
    assert call(issuer, "/token")[0] == 404  # GET
    connection = http.client.HTTPConnection("127.0.0.1", issuer.server_address[1], timeout=30)
    connection.request("POST", "/token", headers={"Content-Length": str(10**9)})
    reply = connection.getresponse()
    assert (reply.status, json.load(reply)["field"]) == (400, "content-length")
    connection.close()


def test_it_listens_on_loopback_only(issuer: Issuer) -> None:
    assert issuer.server_address[0] == "127.0.0.1"
    assert issuer.url.startswith("http://127.0.0.1:")


def run(state: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mpp_devissuer", "--port", "0", "--state", str(state)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_refuses_to_start_in_production(tmp_path: Path) -> None:
    process = run(tmp_path / "state", MPP_ENV="production")
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 2
    assert "MPP_ENV=production" in errors
    assert not (tmp_path / "state").exists()


def test_the_process_serves_and_ends_well(tmp_path: Path) -> None:
    process = run(tmp_path / "state", MPP_ENV="development")
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    with urllib.request.urlopen(f"{url}/healthz", timeout=30) as reply:
        assert reply.status == 200
    process.terminate()
    process.communicate(timeout=180)
    assert process.returncode == 0


def test_in_a_container_its_neighbours_reach_it_by_its_name_and_tokens_still_say_loopback(tmp_path: Path) -> None:
    def status(server: Issuer, host: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
        connection.request("GET", "/jwks.json", headers={"Host": host})
        return connection.getresponse().status

    for container, expected in (("issuer", 200), ("", 403)):
        server = Issuer(0, KeyRing(tmp_path / "state"), container=container)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            assert server.url == f"http://127.0.0.1:{server.server_address[1]}"
            assert status(server, f"issuer:{server.server_address[1]}") == expected
            assert status(server, "elsewhere.example") == 403
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
