"""What a token says: checks a request for one and builds its claims. Pure; knows no key and no HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

AUDIENCE = "mpp"
ROLES = (
    "citizen",
    "kiosk",
    "display",
    "officer",
    "verifier",
    "agency_admin",
    "site_manager",
    "city_viewer",
    "platform_admin",
    "service",
)
DEFAULT_TTL_SECONDS = 3_600
MAX_TTL_SECONDS = 86_400

_ID = re.compile(r"[a-z][a-z0-9-]{1,30}")
_NIK = re.compile(r"[0-9]{16}")
_SUBJECT = re.compile(r"[\x21-\x7e]{1,200}")
MOST_SITES = 100  # a token travels in a header
_FIELDS = frozenset({"subject", "roles", "site", "sites", "agency", "counter", "nik", "ttl_seconds"})


class BadField(ValueError):
    """A field of the request for a token cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A checked request. Empty strings and counter 0 mean that the token does not carry the claim."""

    subject: str
    roles: tuple[str, ...]
    site: str = ""
    sites: tuple[str, ...] = ()
    agency: str = ""
    counter: int = 0
    nik: str = ""
    ttl_seconds: int = DEFAULT_TTL_SECONDS


def parse(body: object) -> TokenRequest:
    """Checks the decoded JSON body.

    Raises BadField, which names the field, at the first thing that is wrong; an unknown field is wrong too.
    The NIK's shape is checked (16 digits), not its birth date: that rule belongs to the services.
    """
    if not isinstance(body, Mapping):
        raise BadField("body", "must be a JSON object")
    unknown = sorted(str(key) for key in set(body) - _FIELDS)
    if unknown:
        raise BadField(unknown[0], f"is not known; known are {', '.join(sorted(_FIELDS))}")
    return TokenRequest(
        subject=_text(body, "subject", _SUBJECT, "1 to 200 printable characters without spaces"),
        roles=_roles(body.get("roles")),
        site=_text(body, "site", _ID, "an id such as malang", optional=True),
        sites=_sites(body.get("sites", [])),
        agency=_text(body, "agency", _ID, "an id such as dukcapil", optional=True),
        counter=_number(body, "counter", 0, 9_999, default=0),
        nik=_text(body, "nik", _NIK, "16 digits", optional=True),
        ttl_seconds=_number(body, "ttl_seconds", 1, MAX_TTL_SECONDS, default=DEFAULT_TTL_SECONDS),
    )


def claims(request: TokenRequest, *, issuer: str, now: datetime, jti: str, client: str = "") -> dict[str, Any]:
    """The claims of an access token (RFC 7519 and the platform's own: roles, site, sites, agency, counter, nik)."""
    issued = int(now.timestamp())
    own = {
        "site": request.site,
        "sites": list(request.sites),
        "agency": request.agency,
        "counter": request.counter,
        "nik": request.nik,
        "client_id": client,
    }
    return {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": request.subject,
        "iat": issued,
        "nbf": issued,
        "exp": issued + request.ttl_seconds,
        "jti": jti,
        "roles": list(request.roles),
        **{name: value for name, value in own.items() if value},
    }


def _text(
    body: Mapping[Any, Any], field: str, pattern: re.Pattern[str], expected: str, *, optional: bool = False
) -> str:
    value = body.get(field, "" if optional else None)
    if optional and value == "":
        return ""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BadField(field, f"must be {expected}")
    return value


def _number(body: Mapping[Any, Any], field: str, low: int, high: int, *, default: int) -> int:
    value = body.get(field, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadField(field, f"must be a whole number from {low} to {high}")
    return value


def _sites(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_SITES:
        raise BadField("sites", f"must be a list of at most {MOST_SITES} ids such as malang")
    for site in value:
        if not isinstance(site, str) or not _ID.fullmatch(site):
            raise BadField("sites", f"{site!r:.60} is not an id such as malang")
    return tuple(dict.fromkeys(value))


def _roles(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise BadField("roles", "must be a list with at least one role")
    for role in value:
        if role not in ROLES:
            raise BadField("roles", f"{role!r:.60} is not a role; roles are {', '.join(ROLES)}")
    return tuple(dict.fromkeys(value))
