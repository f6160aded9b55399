"""Who may log in and which programs may ask for tokens: read from YAML and checked. Knows no HTTP and no key.

Everything in it is invented and public: there are no passwords.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from mpp_devissuer import tokens

DEMO = Path(__file__).parent / "data" / "directory.yaml"

_CLIENT_ID = re.compile(r"[a-z][a-z0-9-]{1,60}")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_ANY_PORT = re.compile(r"http://([^/:]+|\[::1\]):\*(/[^?#]*)")
_PORT = re.compile(r"[1-9][0-9]{0,4}")


class BadDirectory(ValueError):
    """The directory's file cannot be used; the text names the entry."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can be picked on the login page. `grant` is what their access tokens say."""

    grant: tokens.TokenRequest
    name: str
    about_id: str
    about_en: str

    @property
    def subject(self) -> str:
        return self.grant.subject


@dataclass(frozen=True, slots=True)
class Client:
    """A program that asks for tokens. Public without a `secret`; with one, `grant` is what its own tokens say."""

    id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    secret: str = ""
    grant: tokens.TokenRequest | None = None

    def redirects_to(self, uri: str) -> bool:
        return any(matches(uri, allowed) for allowed in self.redirect_uris)

    def returns_to(self, uri: str) -> bool:
        """Where a browser may be sent after the logout."""
        return any(matches(uri, allowed) for allowed in self.post_logout_redirect_uris)

    def lives_at(self, origin: str) -> bool:
        """Whether a page of this origin may be this client (CORS)."""
        return any(matches(origin, _origin(allowed)) for allowed in self.redirect_uris)


@dataclass(frozen=True, slots=True)
class Directory:
    people: Mapping[str, Person]
    clients: Mapping[str, Client]


def matches(uri: str, allowed: str) -> bool:
    """Letter for letter (RFC 9700 section 2.1); only a loopback address may leave its port open (RFC 8252 section 7.3)."""
    if ":*" not in allowed:
        return uri == allowed
    before, after = allowed.split(":*", 1)
    if not (uri.startswith(before + ":") and uri.endswith(after)):
        return False
    return bool(_PORT.fullmatch(uri[len(before) + 1 : len(uri) - len(after)]))


def load(file: Path) -> Directory:
    """Raises BadDirectory, OSError."""
    try:
        read = yaml.safe_load(file.read_text())
    except yaml.YAMLError as e:
        raise BadDirectory(f"{file.name}: not YAML: {e}") from e
    if not isinstance(read, Mapping) or set(read) != {"people", "clients"}:
        raise BadDirectory(f"{file.name}: must hold `people` and `clients`")
    people = [_person(entry, f"people[{i}]") for i, entry in enumerate(read["people"] or [])]
    clients = [_client(entry, f"clients[{i}]") for i, entry in enumerate(read["clients"] or [])]
    return Directory(
        _by_key("people", [(p.subject, p) for p in people]),
        _by_key("clients", [(c.id, c) for c in clients]),
    )


def _by_key(where: str, entries: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(entries)
    if len(found) != len(entries):
        raise BadDirectory(f"{where}: two entries have the same name")
    return found


def _person(entry: Any, where: str) -> Person:
    texts = ("name", "about_id", "about_en")
    claims = {k: v for k, v in _mapping(entry, where).items() if k not in texts}
    return Person(_grant(claims, where), **{name: _text(entry, name, where) for name in texts})


def _client(entry: Any, where: str) -> Client:
    own = ("id", "name", "redirect_uris", "post_logout_redirect_uris", "secret")
    claims = {k: v for k, v in _mapping(entry, where).items() if k not in own}
    client = Client(
        id=_text(entry, "id", where),
        name=_text(entry, "name", where),
        redirect_uris=_uris(entry, "redirect_uris", where),
        post_logout_redirect_uris=_uris(entry, "post_logout_redirect_uris", where),
        secret=_text(entry, "secret", where) if "secret" in entry else "",
        grant=_grant({"subject": entry["id"], **claims}, where) if claims else None,
    )
    if not _CLIENT_ID.fullmatch(client.id) or client.id == tokens.AUDIENCE:
        raise BadDirectory(f"{where}.id: {client.id!r} is not an id, or is the audience of access tokens")
    if bool(client.secret) == bool(client.redirect_uris) or bool(client.secret) != bool(client.grant):
        raise BadDirectory(f"{where}: either redirect_uris (people log in), or a secret and roles (a service account)")
    return client


def _grant(claims: Mapping[str, Any], where: str) -> tokens.TokenRequest:
    try:
        return tokens.parse(claims)
    except tokens.BadField as e:
        raise BadDirectory(f"{where}.{e}") from e


def _mapping(entry: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping):
        raise BadDirectory(f"{where}: must be a mapping")
    return entry


def _text(entry: Mapping[str, Any], field: str, where: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not value:
        raise BadDirectory(f"{where}.{field}: must be a text")
    return value


def _uris(entry: Mapping[str, Any], field: str, where: str) -> tuple[str, ...]:
    for uri in (uris := tuple(entry.get(field, ()))):
        open_port = _ANY_PORT.fullmatch(uri) if isinstance(uri, str) else None
        if not (open_port[1] in _LOOPBACK if open_port else _absolute(uri)):
            raise BadDirectory(f"{where}.{field}: {uri!r} is not an absolute address (`:*` only on loopback)")
    return uris


def _absolute(uri: Any) -> bool:
    if not isinstance(uri, str) or "*" in uri or "#" in uri:
        return False
    parts = urlsplit(uri)
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _origin(uri: str) -> str:
    return "/".join(uri.split("/", 3)[:3])
