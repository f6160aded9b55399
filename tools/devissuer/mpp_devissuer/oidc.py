"""The rules of a login: who asks, for whom, and what a code is good for. Knows no HTTP, no key and no page.

OpenID Connect Core 1.0 section 3.1 (code flow), RFC 6749, RFC 7636 (PKCE, S256 only), RFC 9700 (exact redirect_uri,
refresh tokens rotate). Everything lives in memory: a restart ends every login, and no token that was signed before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from mpp_devissuer.directory import Client, Directory, Person
from mpp_devissuer.tokens import TokenRequest

CODE_LIFE = timedelta(seconds=60)
PENDING_LIFE = timedelta(minutes=10)  # between the login page and the choice on it
SESSION_LIFE = timedelta(hours=12)  # a working day; refresh tokens live no longer either
SCOPES = ("openid", "profile", "offline_access")
_MOST = 1_000  # of each kind kept at once; the oldest goes

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_T = TypeVar("_T")


class Unusable(Exception):
    """The client or its redirect_uri is not known: a person is told, and the browser is sent nowhere."""


class Refused(Exception):
    """An OAuth error (RFC 6749 sections 4.1.2.1 and 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class RefusedAtRedirect(Refused):
    """An error that the client hears at its own redirect_uri."""

    def __init__(self, error: str, description: str, redirect_uri: str, state: str) -> None:
        super().__init__(error, description)
        self.redirect_uri, self.state = redirect_uri, state


@dataclass(frozen=True, slots=True)
class Authorization:
    """A checked request for a login."""

    client: Client
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...]
    state: str
    nonce: str
    prompt: tuple[str, ...]
    max_age: timedelta | None
    hint: str


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is logged in at this issuer, in one browser."""

    id: str
    person: Person
    since: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """What a code or a refresh token stands for."""

    authorization: Authorization
    session: Session


@dataclass(frozen=True, slots=True)
class Granted:
    """What the token endpoint shall sign. No `login`: a service account for itself. `refresh` may be empty."""

    client: Client
    access: TokenRequest
    scopes: tuple[str, ...]
    login: Login | None = None
    refresh: str = ""


class Shelf(Generic[_T]):
    """Things under a secret name, each until its time. Safe from several threads; a thing is taken once at the most."""

    def __init__(self) -> None:
        self._things: dict[str, tuple[datetime, _T]] = {}
        self._lock = threading.Lock()

    def put(self, name: str, thing: _T, until: datetime) -> None:
        with self._lock:
            self._things[name] = (until, thing)
            while len(self._things) > _MOST:
                del self._things[next(iter(self._things))]

    def get(self, name: str, now: datetime) -> _T | None:
        with self._lock:
            until, thing = self._things.get(name, (now, None))
            return thing if now < until else None

    def take(self, name: str, now: datetime) -> _T | None:
        with self._lock:
            until, thing = self._things.pop(name, (now, None))
            return thing if now < until else None

    def drop(self, unwanted: Callable[[_T], bool]) -> None:
        with self._lock:
            self._things = {n: (u, t) for n, (u, t) in self._things.items() if not unwanted(t)}


@dataclass(frozen=True, slots=True)
class _Family:
    """The refresh tokens that came of one login: only the newest is good (RFC 9700 section 4.14.2)."""

    login: Login
    current: str
    until: datetime


class Logins:
    """Requests, sessions, codes and refresh tokens. `secret` gives a new unguessable text each time it is called."""

    def __init__(self, directory: Directory, secret: Callable[[], str]) -> None:
        self.directory, self._secret = directory, secret
        self._pending: Shelf[Authorization] = Shelf()
        self._sessions: Shelf[Session] = Shelf()
        self._codes: Shelf[Login] = Shelf()
        self._spent: Shelf[str] = Shelf()  # code -> the family that came of it
        self._families: Shelf[_Family] = Shelf()

    def request(self, query: Mapping[str, Sequence[str]]) -> Authorization:
        """Check the query of /authorize. Raises Unusable or RefusedAtRedirect."""
        client = self.directory.clients.get(_first(query, "client_id"))
        redirect_uri = _first(query, "redirect_uri")
        if client is None or client.secret:
            raise Unusable("client_id is not known here")
        if not client.redirects_to(redirect_uri):
            raise Unusable(f"redirect_uri is not one that {client.id} may use")
        state = _first(query, "state")
        if problem := _problem(query):
            raise RefusedAtRedirect(*problem, redirect_uri, state)
        age = _first(query, "max_age")
        return Authorization(
            client=client,
            redirect_uri=redirect_uri,
            challenge=_first(query, "code_challenge"),
            scopes=tuple(s for s in dict.fromkeys(_first(query, "scope").split()) if s in SCOPES),
            state=state,
            nonce=_first(query, "nonce"),
            prompt=tuple(_first(query, "prompt").split()),
            max_age=timedelta(seconds=int(age)) if age else None,
            hint=_first(query, "login_hint"),
        )

    def session(self, id: str, now: datetime) -> Session | None:
        return self._sessions.get(id, now)

    def wait(self, wanted: Authorization, now: datetime) -> str:
        """Keep a request while its person chooses; returns the name that the page's form sends back."""
        name = self._secret()
        self._pending.put(name, wanted, now + PENDING_LIFE)
        return name

    def choose(self, pending: str, subject: str, now: datetime) -> Login:
        """A person was picked on the page. Raises Unusable when the page is too old or nobody has this name."""
        person = self.directory.people.get(subject)
        wanted = self._pending.take(pending, now) if person else None
        if person is None or wanted is None:
            raise Unusable("this login page is no longer good: go back to the application and log in again")
        session = Session(self._secret(), person, now)
        self._sessions.put(session.id, session, now + SESSION_LIFE)
        return Login(wanted, session)

    def code(self, login: Login, now: datetime) -> str:
        code = self._secret()
        self._codes.put(code, login, now + CODE_LIFE)
        return code

    def redeem(self, form: Mapping[str, Sequence[str]], client: Client, now: datetime) -> Granted:
        """grant_type authorization_code. A code is gone after the first try, good or bad. Raises Refused."""
        code, verifier = _first(form, "code"), _first(form, "code_verifier")
        login = self._codes.take(code, now)
        if login is None:
            if family := self._spent.take(code, now):
                self._families.take(family, now)  # a code came twice: whoever came first may be the thief
            raise Refused("invalid_grant", "the code is not known, too old, or was used before")
        wanted = login.authorization
        if wanted.client.id != client.id or wanted.redirect_uri != _first(form, "redirect_uri"):
            raise Refused("invalid_grant", "the code was given to another client or redirect_uri")
        if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(challenge_of(verifier), wanted.challenge):
            raise Refused("invalid_grant", "code_verifier does not fit the code_challenge")
        until = login.session.since + SESSION_LIFE
        refresh = self._refresh(login, self._secret(), until) if "offline_access" in wanted.scopes else ""
        if refresh:
            self._spent.put(code, refresh.partition(".")[0], until)
        return Granted(client, login.session.person.grant, wanted.scopes, login, refresh)

    def renew(self, form: Mapping[str, Sequence[str]], client: Client, now: datetime) -> Granted:
        """grant_type refresh_token. An old one of the same login ends the login. Raises Refused."""
        name, _, secret = _first(form, "refresh_token").partition(".")
        family = self._families.take(name, now)
        if family is None or family.login.authorization.client.id != client.id:
            raise Refused("invalid_grant", "the refresh token is not known or too old")
        if not hmac.compare_digest(family.current.encode(), secret.encode()):
            raise Refused("invalid_grant", "the refresh token was used before: the login has ended")
        login = family.login
        refresh = self._refresh(login, name, family.until)
        return Granted(client, login.session.person.grant, login.authorization.scopes, login, refresh)

    def own(self, client: Client) -> Granted:
        """grant_type client_credentials: a service account for itself. Raises Refused for a public client."""
        if client.grant is None:
            raise Refused("unauthorized_client", "only a service account may ask for itself")
        return Granted(client, client.grant, ())

    def client(self, id: str, secret: str) -> Client:
        """The client that calls the token endpoint. Raises Refused."""
        client = self.directory.clients.get(id)
        if client is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
            raise Refused("invalid_client", "the client is not known, or its secret is wrong")
        return client

    def end(self, session: str, now: datetime) -> None:
        """Log out: the session, its unused codes and its refresh tokens."""
        self._sessions.take(session, now)
        self._codes.drop(lambda login: login.session.id == session)
        self._families.drop(lambda family: family.login.session.id == session)

    def _refresh(self, login: Login, name: str, until: datetime) -> str:
        secret = self._secret()
        self._families.put(name, _Family(login, secret, until), until)
        return f"{name}.{secret}"


def good_for(session: Session | None, wanted: Authorization, now: datetime) -> bool:
    """Whether the request needs no login page: a session is there, is young enough, and no new choice is asked for."""
    if session is None or {"login", "select_account"} & set(wanted.prompt):
        return False
    if wanted.hint and wanted.hint != session.person.subject:
        return False
    return wanted.max_age is None or now - session.since < wanted.max_age


def challenge_of(verifier: str) -> str:
    """RFC 7636 section 4.2, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _problem(query: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """What is wrong with a request whose client and redirect_uri are right."""
    prompt = set(_first(query, "prompt").split())
    rules = (
        (all(len(v) == 1 for v in query.values()), "invalid_request", "a parameter is there twice"),
        (not {"request", "request_uri"} & set(query), "request_not_supported", "request objects are not supported"),
        (_first(query, "response_type") == "code", "unsupported_response_type", "response_type must be code"),
        (_first(query, "response_mode") in ("", "query"), "invalid_request", "response_mode must be query"),
        (_first(query, "code_challenge_method") == "S256", "invalid_request", "code_challenge_method must be S256"),
        (_CHALLENGE.fullmatch(_first(query, "code_challenge")), "invalid_request", "code_challenge is due (PKCE)"),
        (re.fullmatch("[0-9]{0,9}", _first(query, "max_age")), "invalid_request", "max_age must be seconds"),
        (not ("none" in prompt and len(prompt) > 1), "invalid_request", "prompt none stands alone"),
    )
    return next(((error, text) for good, error, text in rules if not good), None)


def _first(values: Mapping[str, Sequence[str]], name: str) -> str:
    found = values.get(name, ())
    return found[0] if found else ""
