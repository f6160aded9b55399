"""A login over HTTP as a browser does it: page, cookie, redirect, token, userinfo, logout, and what a page may not do."""

from __future__ import annotations

import base64
import http.client
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from mpp_devissuer import oidc
from mpp_devissuer.keys import KeyRing
from mpp_devissuer.server import Issuer

VERIFIER = "v" * 50
BACK = "http://127.0.0.1:5173/callback"
PAGE = "http://127.0.0.1:5173"  # its origin
ASKED = {
    "client_id": "frontend",
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid profile offline_access",
    "state": "s&1=ü",
    "nonce": "n-1",
    "code_challenge": oidc.challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def sent_back(self) -> dict[str, str]:
        """What the client's redirect_uri is told."""
        assert self.status == 303, self.text
        return {k: v[0] for k, v in parse_qs(urlsplit(self.headers["location"]).query).items()}


@dataclass
class Browser:
    """Keeps the cookie; follows no redirect by itself."""

    issuer: Issuer
    cookie: str = ""
    origin: str = field(init=False)

    def __post_init__(self) -> None:
        self.origin = self.issuer.url

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.issuer.server_address[1], timeout=30)
        sent = {"cookie": self.cookie, **({"content-type": "application/x-www-form-urlencoded"} if form else {})}
        connection.request(method, path, urlencode(form) if form else None, {**sent, **headers})
        reply = connection.getresponse()
        found = Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read().decode())
        connection.close()
        if set_cookie := found.headers.get("set-cookie"):
            assert {"HttpOnly", "SameSite=Lax"} <= set(set_cookie.split("; "))
            self.cookie = set_cookie.split(";")[0]
        return found

    def authorize(self, **changed: str) -> Reply:
        return self.ask("GET", "/authorize?" + urlencode({**ASKED, **changed}))

    def pick(self, page: Reply, person: str, **headers: str) -> Reply:
        found = re.search(r'name=pending value="([^"]+)"', page.text)
        assert found, page.text
        return self.ask("POST", "/login", {"pending": found[1], "person": person}, **{"origin": self.origin, **headers})

    def token(self, code: str, **changed: str) -> Reply:
        form = {"client_id": "frontend", "redirect_uri": BACK, "code_verifier": VERIFIER, "code": code, **changed}
        return self.ask("POST", "/token", {"grant_type": "authorization_code", **form}, origin=PAGE)

    def log_in(self, person: str) -> Any:
        return self.token(self.pick(self.authorize(), person).sent_back["code"]).json


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    server = Issuer(0, KeyRing(tmp_path / "state"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Browser(server)
    server.shutdown()
    thread.join()
    server.server_close()


def verified(browser: Browser, token: str, audience: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(browser.ask("GET", "/jwks.json").json)
    key = keys[jwt.get_unverified_header(token)["kid"]].key
    return jwt.decode(token, key, ["ES256"], audience=audience, issuer=browser.issuer.url)


def test_the_whole_way_of_a_login(browser: Browser) -> None:
    found = browser.ask("GET", "/.well-known/openid-configuration").json
    assert found["issuer"] == browser.issuer.url
    assert {urlsplit(found[f"{n}_endpoint"]).path for n in ("authorization", "token", "userinfo", "end_session")} == {
        "/authorize",
        "/token",
        "/userinfo",
        "/logout",
    }
    page = browser.authorize()
    assert page.status == 200
    for text in ("Masuk sebagai siapa?", "Who are you today?", "Siti Aminah", "Verifier of files"):
        assert text in page.text
    told = browser.pick(page, "hendra").sent_back
    assert (told["state"], told["iss"]) == (ASKED["state"], browser.issuer.url)
    reply = browser.token(told["code"])
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert (reply.json["token_type"], reply.headers["cache-control"]) == ("Bearer", "no-store")
    access = verified(browser, reply.json["access_token"], "mpp")
    assert (access["sub"], access["roles"], access["agency"]) == ("hendra", ["officer", "citizen"], "dukcapil")
    identity = verified(browser, reply.json["id_token"], "frontend")
    assert (identity["sub"], identity["nonce"], identity["name"]) == ("hendra", "n-1", "Hendra Gunawan")
    assert "nik" not in identity
    who = browser.ask("GET", "/userinfo", authorization=f"Bearer {reply.json['access_token']}").json
    assert who == {"sub": "hendra", "name": "Hendra Gunawan", "roles": ["officer", "citizen"], "site": "malang",
                   "agency": "dukcapil", "counter": 4}  # fmt: skip
    assert browser.token(told["code"]).json["error"] == "invalid_grant"


def test_an_id_token_is_no_access_token(browser: Browser) -> None:
    reply = browser.log_in("siti")
    assert browser.ask("GET", "/userinfo", authorization=f"Bearer {reply['id_token']}").status == 401
    for authorization in ("", "Bearer", "Bearer x.y.z", f"Basic {reply['access_token']}"):
        assert browser.ask("GET", "/userinfo", authorization=authorization).status == 401


def test_a_second_application_needs_no_second_login(browser: Browser) -> None:
    assert browser.authorize(prompt="none").sent_back["error"] == "login_required"
    browser.log_in("siti")
    again = browser.authorize(prompt="none").sent_back
    assert browser.token(again["code"]).status == 200
    assert browser.authorize(prompt="login").status == 200  # the page
    assert browser.authorize(login_hint="agus").status == 200


def test_a_refresh_token_rotates(browser: Browser) -> None:
    first = browser.log_in("siti")["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "frontend"}
    second = browser.ask("POST", "/token", {**form, "refresh_token": first}).json
    assert verified(browser, second["access_token"], "mpp")["sub"] == "siti"
    assert browser.ask("POST", "/token", {**form, "refresh_token": first}).json["error"] == "invalid_grant"
    assert browser.ask("POST", "/token", {**form, "refresh_token": second["refresh_token"]}).status == 400


def test_logging_out_by_hint_goes_back_to_the_application_and_without_one_asks(browser: Browser) -> None:
    hint = browser.log_in("siti")["id_token"]
    back = {"post_logout_redirect_uri": f"{PAGE}/", "state": "x"}
    asked = browser.ask("GET", "/logout?" + urlencode({**back, "client_id": "frontend"}))
    assert "Keluar sebagai Siti Aminah?" in asked.text
    assert browser.authorize(prompt="none").sent_back["code"]
    gone = browser.ask("GET", "/logout?" + urlencode({**back, "id_token_hint": hint}))
    assert (gone.status, gone.headers["location"]) == (303, f"{PAGE}/?state=x")
    assert browser.authorize(prompt="none").sent_back["error"] == "login_required"
    browser.log_in("siti")
    elsewhere = {"post_logout_redirect_uri": "https://evil.example/", "id_token_hint": hint}
    page = browser.ask("GET", "/logout?" + urlencode(elsewhere))
    assert (page.status, "Anda sudah keluar" in page.text) == (200, True)


def test_a_service_account_gets_its_own_token(browser: Browser) -> None:
    basic = base64.b64encode(b"agency-dukcapil:development-only-dukcapil").decode()
    form = {"grant_type": "client_credentials"}
    reply = browser.ask("POST", "/token", form, authorization=f"Basic {basic}")
    claims = verified(browser, reply.json["access_token"], "mpp")
    assert (claims["sub"], claims["roles"], claims["client_id"]) == ("agency-dukcapil", ["service"], "agency-dukcapil")
    assert not {"id_token", "refresh_token"} & set(reply.json)
    in_body = {**form, "client_id": "agency-dukcapil", "client_secret": "development-only-dukcapil"}
    assert browser.ask("POST", "/token", in_body).status == 200
    wrong = browser.ask("POST", "/token", {**in_body, "client_secret": "x"})
    assert (wrong.status, wrong.json["error"]) == (401, "invalid_client")
    assert "Basic" in wrong.headers["www-authenticate"]
    other = browser.ask("POST", "/token", {**in_body, "grant_type": "password"})
    assert other.json["error"] == "unsupported_grant_type"


def test_a_stranger_is_shown_a_page_and_sent_nowhere(browser: Browser) -> None:
    for change in ({"redirect_uri": "https://evil.example/"}, {"client_id": "<script>"}):
        reply = browser.authorize(**change)
        assert (reply.status, "location" in reply.headers) == (400, False)
        assert "<script>" not in reply.text
    told = browser.authorize(response_type="token").sent_back
    assert (told["error"], told["state"]) == ("unsupported_response_type", ASKED["state"])


def test_the_login_page_lets_in_nobody_elses_form(browser: Browser) -> None:
    page = browser.authorize()
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "same-origin"  # no-referrer: a browser would hide the page's own origin
    assert "form-action 'self' http://127.0.0.1:5173" in page.headers["content-security-policy"]
    for origin in ("https://evil.example", "null"):
        assert browser.pick(page, "siti", origin=origin).status == 403
    assert browser.pick(page, "siti").sent_back["code"]


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/jwks.json", "/.well-known/openid-configuration"])
def test_pages_of_clients_may_call_and_others_may_not(browser: Browser, path: str) -> None:
    for origin, allowed in (
        (PAGE, PAGE),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://evil.example", None),
    ):
        reply = browser.ask("OPTIONS", path, origin=origin)
        assert reply.headers.get("access-control-allow-origin") == allowed
        assert reply.headers["access-control-allow-headers"] == "authorization"  # so: no JSON, no token without a login
        assert "access-control-allow-credentials" not in reply.headers


def test_a_page_neither_asks_for_any_token_nor_rotates(browser: Browser) -> None:
    body = {"content-type": "application/json", "origin": PAGE}
    assert browser.ask("POST", "/token", None, **body).status == 403
    assert browser.ask("POST", "/rotate", None, origin=PAGE).status == 403


def test_the_log_holds_no_query_and_no_code(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mpp_devissuer")
    browser.log_in("siti")
    assert "/authorize" in caplog.text
    assert "code" not in caplog.text
    assert "state" not in caplog.text
