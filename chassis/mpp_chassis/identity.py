"""Who calls: OIDC access tokens, checked against the issuer's keys. Knows JWT and claims; knows no RPC.

Checks signature (ES256 or RS256 only: RFC 8725 says to fix the algorithms), issuer, audience, expiry and not-before with
30 s of clock skew. Keys are fetched from the JWKS address, kept, and fetched again for an unknown key id (rotation), at
most every 10 s, so that rubbish tokens cannot make us hammer the issuer.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from mpp_chassis.call import Caller
from mpp_chassis.errors import Unauthenticated, Unavailable

ALGORITHMS = ("ES256", "RS256")
LEEWAY = 30  # seconds
REFRESH = 10.0  # seconds between fetches at the least
KEPT_TOKENS = 4096


class KeySet:
    """The issuer's public keys by key id."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, Any] = {}
        self._fetched = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str) -> Any:
        """Raises Unauthenticated for a key the issuer does not have, Unavailable when it cannot be asked."""
        if kid not in self._keys:
            self._refresh()
        try:
            return self._keys[kid]
        except KeyError:
            raise Unauthenticated("the token's key is not known to the issuer", reason="TOKEN_INVALID") from None

    def _refresh(self) -> None:
        with self._lock:
            if time.monotonic() - self._fetched < REFRESH and self._keys:
                return
            try:
                with urllib.request.urlopen(self._url, timeout=3) as reply:  # noqa: S310  address from settings
                    keys = jwt.PyJWKSet.from_dict(json.load(reply)).keys
            except (OSError, ValueError, jwt.PyJWTError) as e:
                raise Unavailable("the token issuer cannot be asked", reason="ISSUER_UNAVAILABLE") from e
            self._keys = {k.key_id: k.key for k in keys if k.key_id}
            self._fetched = time.monotonic()


class Authenticator:
    """Turns a bearer token into a Caller; remembers checked tokens until they expire."""

    def __init__(self, keys: KeySet, issuer: str, audience: str, nik_index: Callable[[str], str]) -> None:
        self._keys, self._issuer, self._audience, self._nik_index = keys, issuer, audience, nik_index
        self._checked: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    def caller(self, token: str) -> Caller:
        """Raises Unauthenticated (reason TOKEN_INVALID or TOKEN_EXPIRED) or Unavailable."""
        known = self._checked.get(token)
        if known and known[0] > time.time():
            return known[1]
        claims = self._claims(token)
        caller = self._from_claims(claims)
        self._checked[token] = (float(claims["exp"]), caller)
        while len(self._checked) > KEPT_TOKENS:
            self._checked.popitem(last=False)
        return caller

    def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise Unauthenticated("the token's algorithm is not allowed", reason="TOKEN_INVALID")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                self._keys.key(str(header.get("kid", ""))),
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as e:
            raise Unauthenticated("the token has expired", reason="TOKEN_EXPIRED") from e
        except (jwt.PyJWTError, TypeError, ValueError) as e:
            raise Unauthenticated("the token is not valid", reason="TOKEN_INVALID") from e
        return claims

    def _from_claims(self, claims: Mapping[str, Any]) -> Caller:
        roles = claims.get("roles")
        nik, counter = str(claims.get("nik", "") or ""), claims.get("counter") or 0
        if not isinstance(roles, list) or not isinstance(counter, int):
            raise Unauthenticated("the token's claims are malformed", reason="TOKEN_INVALID")
        subject = str(claims["sub"])
        own = {f"sub:{subject}"} | ({f"nik:{self._nik_index(nik)}"} if nik else set())
        return Caller(
            subject=subject,
            roles=frozenset(str(r) for r in roles),
            site=str(claims.get("site", "") or ""),
            agency=str(claims.get("agency", "") or ""),
            counter=counter,
            nik=nik,
            owner_keys=frozenset(own),
        )
