"""A login at the development issuer over HTTP, without a browser: page, choice, code, token."""

from __future__ import annotations

import json
import re
import secrets
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from mpp_devissuer.oidc import challenge_of

BACK = "http://127.0.0.1:9/callback"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None: ...


def log_in(issuer: str, person: str) -> dict[str, Any]:
    """The token endpoint's reply for someone of the demo directory."""
    verifier = secrets.token_urlsafe(40)
    asked = {
        "client_id": "frontend",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid profile",
        "state": "s",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    with urllib.request.urlopen(f"{issuer}/authorize?{urlencode(asked)}", timeout=30) as page:
        pending = re.search(r'name=pending value="([^"]+)"', page.read().decode())
    assert pending
    choice = urlencode({"pending": pending[1], "person": person}).encode()
    request = urllib.request.Request(f"{issuer}/login", choice, {"origin": issuer})
    answer = parse_qs(urlsplit(_sent_to(request)).query)
    form = {"client_id": "frontend", "redirect_uri": BACK, "code_verifier": verifier, "code": answer["code"][0]}
    return post(f"{issuer}/token", {"grant_type": "authorization_code", **form})


def _sent_to(request: urllib.request.Request) -> str:
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=30) as page:
            raise AssertionError(f"no redirect: {page.read()!r}")
    except urllib.error.HTTPError as redirect:
        with redirect:
            if redirect.code != 303:
                raise
            return str(redirect.headers["location"])


def post(url: str, form: dict[str, str]) -> dict[str, Any]:
    with urllib.request.urlopen(url, urlencode(form).encode(), timeout=30) as reply:
        found: dict[str, Any] = json.load(reply)
        return found
