"""An access token for a program: OAuth 2.0 client credentials at any OIDC issuer. Knows HTTP; knows no gRPC."""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

_ASK_SECONDS = 10.0


class TokenRefused(Exception):
    """The issuer gave no token: `error` is OAuth's (`invalid_client`), or `issuer_unavailable`."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(f"{error}: {message}")
        self.error = error


class ClientCredentials:
    """A service account's token, asked for when needed and kept until shortly before it expires.

    Call it to get the token. Safe from several threads; one asks at a time. `audience` and `scope` are sent when given
    (some issuers need them). Raises TokenRefused.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str = "",
        audience: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._id, self._secret = issuer.rstrip("/"), client_id, client_secret
        self._extra = {k: v for k, v in {"scope": scope, "audience": audience}.items() if v}
        self._clock, self._lock = clock, threading.Lock()
        self._endpoint, self._token, self._until = "", "", 0.0

    def __repr__(self) -> str:
        return f"ClientCredentials({self._issuer!r}, {self._id!r})"

    def __call__(self) -> str:
        with self._lock:
            if self._clock() >= self._until:
                self._ask()
            return self._token

    def _ask(self) -> None:
        if not self._endpoint:
            self._endpoint = str(self._json(f"{self._issuer}/.well-known/openid-configuration")["token_endpoint"])
        form = urlencode({"grant_type": "client_credentials", **self._extra}).encode()
        # RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
        basic = base64.b64encode(f"{quote(self._id, safe='')}:{quote(self._secret, safe='')}".encode()).decode()
        said = self._json(self._endpoint, form, {"authorization": f"Basic {basic}"})
        lives = float(said.get("expires_in", 60))
        self._token = str(said["access_token"])
        self._until = self._clock() + lives - min(60.0, lives / 5)

    def _json(self, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(url, body, headers or {})  # noqa: S310  the address is configuration
        try:
            with urllib.request.urlopen(request, timeout=_ASK_SECONDS) as reply:  # noqa: S310
                said: dict[str, Any] = json.load(reply)
                return said
        except urllib.error.HTTPError as e:
            raise _refusal(e) from None
        except (OSError, ValueError) as e:
            raise TokenRefused("issuer_unavailable", f"{url} cannot be asked: {e}") from e


def _refusal(error: urllib.error.HTTPError) -> TokenRefused:
    try:
        said = json.load(error)
        return TokenRefused(str(said["error"]), str(said.get("error_description", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return TokenRefused("issuer_unavailable", f"{error.url} answered {error.code}")
