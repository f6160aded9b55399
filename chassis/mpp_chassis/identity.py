"""Who calls: OIDC access tokens, checked against the issuer's keys. Knows JWT and claims; knows no RPC.

Checks signature (ES256 or RS256 only: RFC 8725 says to fix the algorithms), issuer, audience, expiry and not-before with
30 s of clock skew. Keys are fetched from the JWKS address, kept for 10 minutes (a key that the issuer took back is not
trusted longer, unless the issuer cannot be asked), and fetched again for an unknown key id (rotation). One asks at a
time, at most every 10 s and every second while it fails, and nobody waits for him who need not: rubbish tokens can
neither make us hammer the issuer nor hold up the server while it does not answer.

Where a token says its roles, site, agency, counter and NIK is configuration (`ClaimNames`). Roles that are not the
platform's (an issuer has its own) are left out.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from mpp.options.v1 import options_pb2

from mpp_chassis.call import Caller
from mpp_chassis.errors import Unauthenticated, Unavailable
from mpp_chassis.settings import ClaimNames

ALGORITHMS = ("ES256", "RS256")
LEEWAY = 30  # seconds
REFRESH = 10.0  # seconds between fetches at the least
RETRY = 1.0  # ... while the issuer does not answer
ASK_SECONDS = 3.0
KEPT_SECONDS = 600.0  # a key set that is older is fetched anew
KEPT_TOKENS = 4096
ROLES = frozenset(role.name.removeprefix("ROLE_").lower() for role in options_pb2.Role.DESCRIPTOR.values if role.number)


class KeySet:
    """The issuer's public keys by key id."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, Any] = {}
        self._tried = float("-inf")  # when the issuer was asked last
        self._failing = False
        self._lock = threading.Lock()

    def key(self, kid: str) -> Any:
        """Raises Unauthenticated for a key the issuer does not have, Unavailable when it cannot be asked."""
        if kid not in self._keys or time.monotonic() - self._tried > KEPT_SECONDS:
            self._refresh(needed=kid not in self._keys)
        try:
            return self._keys[kid]
        except KeyError:
            raise Unauthenticated("the token's key is not known to the issuer", reason="TOKEN_INVALID") from None

    def _refresh(self, needed: bool) -> None:
        """Fetch the keys if it is time to. A caller whose key is there already (`needed` is false) waits for nobody."""
        if not self._lock.acquire(blocking=needed):
            return
        try:
            if time.monotonic() - self._tried >= (RETRY if self._failing else REFRESH):
                try:
                    self._keys = self._fetch()
                    self._failing = False
                except Unavailable:
                    self._failing = True
                    raise
                finally:
                    self._tried = time.monotonic()
            elif self._failing:
                raise Unavailable("the token issuer cannot be asked", reason="ISSUER_UNAVAILABLE")
        except Unavailable:
            if needed:
                raise
        finally:
            self._lock.release()

    def _fetch(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(self._url, timeout=ASK_SECONDS) as reply:  # noqa: S310  address from settings
                keys = jwt.PyJWKSet.from_dict(json.load(reply)).keys
        except (OSError, http.client.HTTPException, ValueError, AttributeError, TypeError, jwt.PyJWTError) as e:
            raise Unavailable("the token issuer cannot be asked", reason="ISSUER_UNAVAILABLE") from e
        return {k.key_id: k.key for k in keys if k.key_id}


@dataclass(frozen=True, slots=True)
class _Checked:
    expires: float
    kid: str
    key: Any
    caller: Caller


class Authenticator:
    """Turns a bearer token into a Caller; remembers checked tokens until they expire or their key is fetched anew."""

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        nik_index: Callable[[str], str],
        names: ClaimNames = ClaimNames(),  # noqa: B008  frozen
    ) -> None:
        self._keys, self._issuer, self._audience, self._nik_index = keys, issuer, audience, nik_index
        self._names = names
        self._checked: OrderedDict[str, _Checked] = OrderedDict()

    def caller(self, token: str) -> Caller:
        """Raises Unauthenticated (reason TOKEN_INVALID or TOKEN_EXPIRED) or Unavailable."""
        known = self._checked.get(token)
        if known and known.expires > time.time() and self._keys.key(known.kid) is known.key:
            return known.caller  # its key is still one of the issuer's, and was not fetched anew since
        claims = self._claims(token)
        caller = self._from_claims(claims)
        kid = _kid(token)
        self._checked[token] = _Checked(float(claims["exp"]), kid, self._keys.key(kid), caller)
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
                self._keys.key(_kid(token)),
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as e:
            raise Unauthenticated("the token has expired", reason="TOKEN_EXPIRED") from e
        except (jwt.PyJWTError, TypeError, ValueError, OverflowError) as e:
            raise Unauthenticated("the token is not valid", reason="TOKEN_INVALID") from e
        return claims

    def _from_claims(self, claims: Mapping[str, Any]) -> Caller:
        roles, nik, site, agency, counter = (
            _find(claims, path)
            for path in (self._names.roles, self._names.nik, self._names.site, self._names.agency, self._names.counter)
        )
        nik, counter, sites = str(nik or ""), counter or 0, _find(claims, self._names.sites) or []
        if (
            not isinstance(roles, list)
            or not isinstance(counter, int)
            or isinstance(counter, bool)
            or not _texts(sites)
        ):
            raise Unauthenticated("the token's claims are malformed", reason="TOKEN_INVALID")
        subject = str(claims["sub"])
        if not subject:  # it would own what nobody owns
            raise Unauthenticated("the token has no subject", reason="TOKEN_INVALID")
        own = {f"sub:{subject}"} | ({f"nik:{self._nik_index(nik)}"} if nik else set())
        return Caller(
            subject=subject,
            roles=frozenset(str(r) for r in roles) & ROLES,
            site=str(site or ""),
            sites=frozenset(sites),
            agency=str(agency or ""),
            counter=counter,
            nik=nik,
            owner_keys=frozenset(own),
            expires=float(claims["exp"]) + LEEWAY,
        )


def _texts(claim: Any) -> bool:
    return isinstance(claim, list) and all(isinstance(one, str) and one for one in claim)


def _kid(token: str) -> str:
    """Raises PyJWTError."""
    return str(jwt.get_unverified_header(token).get("kid", ""))


def _find(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of this very name, else what the dotted path leads to; None when there is nothing."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
