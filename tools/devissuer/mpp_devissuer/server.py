"""The issuer over HTTP, on loopback only. Knows routes, headers, status codes; rules are in oidc.py, tokens.py, keys.py."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt

from mpp_devissuer import directory, oidc, pages, tokens
from mpp_devissuer.keys import ALGORITHM, KeyRing

HOST = "127.0.0.1"
FORM = "application/x-www-form-urlencoded"
_OPEN = ("/.well-known/openid-configuration", "/jwks.json", "/token", "/userinfo")  # what a page of a client may call
_MAX_BODY_BYTES = 64 * 1024
_LOG = logging.getLogger("mpp_devissuer")


class Issuer(ThreadingHTTPServer):
    """Serves until `shutdown()`. `port` 0 takes a free port; `url` is the issuer (`iss`) of every token.

    `container`: the name under which a container's neighbours ask for it; then it listens on all interfaces. `url`
    stays that of loopback, where the container's port is published.
    """

    daemon_threads = True

    def __init__(
        self, port: int, ring: KeyRing, people: directory.Directory | None = None, container: str = ""
    ) -> None:
        super().__init__(("0.0.0.0" if container else HOST, port), _Handler)  # noqa: S104  a container's own network
        self.names = frozenset({HOST, "localhost", container} - {""})
        self.ring = ring
        self.url = f"http://{HOST}:{self.server_address[1]}"
        self.logins = oidc.Logins(people or directory.load(directory.DEMO), lambda: secrets.token_urlsafe(32))
        self.cookie = f"mpp_devissuer_{self.server_address[1]}"  # cookies know no port: two issuers must not mix

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks.json",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "subject_types_supported": ["public"],
            "scopes_supported": list(oidc.SCOPES),
            "prompt_values_supported": ["none", "login", "select_account"],
            "claims_supported": ["sub", "name", "roles", "site", "sites", "agency", "counter", "nik"],
            "authorization_response_iss_parameter_supported": True,
            "ui_locales_supported": ["id", "en"],
        }

    def sign(self, request: tokens.TokenRequest, now: datetime, client: str = "") -> str:
        """An access token."""
        return self._signed(tokens.claims(request, issuer=self.url, now=now, jti=str(uuid.uuid4()), client=client))

    def id_token(self, login: oidc.Login, now: datetime) -> str:
        """Who logged in, for the client alone: its audience is the client, so no service takes it for an access token."""
        wanted, session, issued = login.authorization, login.session, int(now.timestamp())
        nonce = {"nonce": wanted.nonce} if wanted.nonce else {}
        return self._signed(
            {
                "iss": self.url,
                "aud": wanted.client.id,
                "sub": session.person.subject,
                "iat": issued,
                "exp": issued + tokens.DEFAULT_TTL_SECONDS,
                "auth_time": int(session.since.timestamp()),
                "sid": session.id[:12],
                **self._profile(session.person, wanted.scopes),
                **nonce,
            }
        )

    def claims(self, token: str, audience: str | None) -> dict[str, Any]:
        """Claims of a token of ours. Without an audience: an ID token as a hint, which may be expired. Raises PyJWTError."""
        key = self.ring.public(str(jwt.get_unverified_header(token).get("kid")))
        if key is None:
            raise jwt.InvalidKeyError("not a key of this issuer")
        strict = audience is not None
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            [ALGORITHM],
            {"verify_aud": strict, "verify_exp": strict},
            audience=audience,
            issuer=self.url,
        )
        return claims

    def userinfo(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """OpenID Connect Core 1.0 section 5.3. The NIK is in the access token only."""
        person = self.logins.directory.people.get(claims["sub"])
        own = {name: claims[name] for name in ("sub", "roles", "site", "sites", "agency", "counter") if name in claims}
        return {**own, **({"name": person.name} if person else {})}

    def _signed(self, claims: dict[str, Any]) -> str:
        key = self.ring.current
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})

    @staticmethod
    def _profile(person: directory.Person, scopes: Sequence[str]) -> dict[str, Any]:
        return {"name": person.name, "roles": list(person.grant.roles)} if "profile" in scopes else {}


@dataclass(frozen=True, slots=True)
class _Reply:
    status: HTTPStatus
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, field: str, message: str) -> None:
        super().__init__(message)
        self.status, self.field = status, field


class _Handler(BaseHTTPRequestHandler):
    server: Issuer
    protocol_version = "HTTP/1.1"
    server_version = "mpp-devissuer"
    sys_version = ""
    timeout = 10  # seconds that a silent client may hold its thread

    def do_GET(self) -> None:
        self._serve(
            {
                "/healthz": lambda: _json({"status": "ok"}),
                "/jwks.json": lambda: _json(self.server.ring.jwks()),
                "/.well-known/openid-configuration": lambda: _json(self.server.discovery()),
                "/authorize": self._authorize,
                "/userinfo": self._userinfo,
                "/logout": self._logout,
            }
        )

    def do_POST(self) -> None:
        self._serve(
            {
                "/token": self._token,
                "/rotate": self._rotate,
                "/authorize": self._authorize,
                "/login": self._login,
                "/userinfo": self._userinfo,
                "/logout": self._logout,
            }
        )

    def do_OPTIONS(self) -> None:
        """CORS preflight. Only `authorization` may be sent: no page may send JSON to /token, which asks for no login."""
        allowed = {"access-control-allow-methods": "GET, POST", "access-control-allow-headers": "authorization"}
        self._serve({path: lambda: _Reply(HTTPStatus.NO_CONTENT, headers=allowed) for path in _OPEN})

    def log_message(self, format: str, *args: Any) -> None:
        """One line a request on the logger, without the query; bodies and tokens are never logged."""
        _LOG.info("%s %s %s", self.command, urlsplit(self.path).path, args[1] if len(args) > 1 else "")

    def _serve(self, routes: Mapping[str, Callable[[], _Reply]]) -> None:
        try:
            self._raw = self._body()
            self._check_host()
            route = routes.get(self.path.partition("?")[0])
            if route is None:
                raise _Refused(HTTPStatus.NOT_FOUND, "path", f"nothing answers {self.command} on this path")
            self._now = datetime.now(UTC)
            self._answer(route())
        except _Refused as refused:
            self._answer(_error(refused.status, refused.field, str(refused)))
        except tokens.BadField as bad:
            self._answer(_error(HTTPStatus.BAD_REQUEST, bad.field, str(bad)))
        except oidc.RefusedAtRedirect as refused:
            told = {"error": refused.error, "error_description": str(refused)}
            self._answer(self._redirect(refused.redirect_uri, refused.state, told))
        except oidc.Refused as refused:
            self._answer(self._oauth_error(refused))
        except oidc.Unusable as unusable:
            self._answer(_html(pages.problem(str(unusable)), status=HTTPStatus.BAD_REQUEST))

    # Logging in

    def _authorize(self) -> _Reply:
        wanted = self.server.logins.request(self._parameters())
        session = self._session()
        if session and oidc.good_for(session, wanted, self._now):
            return self._back(oidc.Login(wanted, session))
        if "none" in wanted.prompt:
            raise oidc.RefusedAtRedirect("login_required", "nobody is logged in", wanted.redirect_uri, wanted.state)
        pending = self.server.logins.wait(wanted, self._now)
        people = self.server.logins.directory.people.values()
        page = pages.login(people, pending, wanted.client.name, wanted.hint)
        return _html(page, form_to=_origin(wanted.redirect_uri))

    def _login(self) -> _Reply:
        self._own_page_only()
        form = self._form()
        login = self.server.logins.choose(_one(form, "pending"), _one(form, "person"), self._now)
        return self._back(login, cookie=f"{self.server.cookie}={login.session.id}; Path=/; HttpOnly; SameSite=Lax")

    def _back(self, login: oidc.Login, cookie: str = "") -> _Reply:
        code = self.server.logins.code(login, self._now)
        return self._redirect(login.authorization.redirect_uri, login.authorization.state, {"code": code}, cookie)

    def _redirect(self, uri: str, state: str, values: Mapping[str, str], cookie: str = "") -> _Reply:
        values = {**values, **({"state": state} if state else {}), "iss": self.server.url}  # iss: RFC 9207
        where = f"{uri}{'&' if '?' in uri else '?'}{urlencode(values)}"
        return _see(where, **({"set-cookie": cookie} if cookie else {}))

    def _logout(self) -> _Reply:
        """OpenID Connect RP-Initiated Logout 1.0. Without a hint that names this session's person, the person is asked."""
        asked, session = self._parameters(), self._session()
        hint = self._hint(_one(asked, "id_token_hint"))
        client = self.server.logins.directory.clients.get(str(hint.get("aud") or _one(asked, "client_id")))
        confirmed = self.command == "POST" and _one(asked, "confirmed") == "yes"
        if confirmed:
            self._own_page_only()
        if session and not confirmed and hint.get("sub") != session.person.subject:
            return _html(pages.confirm_logout(session.person.name))
        if session:
            self.server.logins.end(session.id, self._now)
        forget = {"set-cookie": f"{self.server.cookie}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"}
        back = _one(asked, "post_logout_redirect_uri")
        if client and client.returns_to(back):
            state = _one(asked, "state")
            return _see(f"{back}?{urlencode({'state': state})}" if state else back, **forget)
        return _html(pages.logged_out(), headers=forget)

    def _hint(self, token: str) -> Mapping[str, Any]:
        try:
            return self.server.claims(token, audience=None) if token else {}
        except jwt.PyJWTError:
            return {}

    # Tokens

    def _token(self) -> _Reply:
        if self.headers.get_content_type() == FORM:
            return self._granted(self._grant())
        # A web page cannot send JSON to another origin without asking first (CORS preflight), and the answer never
        # allows that: a page in a developer's browser gets no token without a login.
        if self.headers.get_content_type() != "application/json":
            raise _Refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "body", f"content-type must be application/json or {FORM}"
            )
        self._no_page()
        try:
            parsed = json.loads(self._raw)
        except (ValueError, RecursionError):
            raise tokens.BadField("body", "must be a JSON object") from None
        request = tokens.parse(parsed)
        token = self.server.sign(request, self._now)
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": request.ttl_seconds})

    def _grant(self) -> oidc.Granted:
        form, logins = self._form(), self.server.logins
        if any(len(values) > 1 for values in form.values()):
            raise oidc.Refused("invalid_request", "a parameter is there twice")
        client = logins.client(*self._client_credentials(form))
        match _one(form, "grant_type"):
            case "authorization_code":
                return logins.redeem(form, client, self._now)
            case "refresh_token":
                return logins.renew(form, client, self._now)
            case "client_credentials":
                return logins.own(client)
        raise oidc.Refused("unsupported_grant_type", "authorization_code, refresh_token or client_credentials")

    def _granted(self, granted: oidc.Granted) -> _Reply:
        body: dict[str, Any] = {
            "access_token": self.server.sign(granted.access, self._now, granted.client.id),
            "token_type": "Bearer",
            "expires_in": granted.access.ttl_seconds,
        }
        if granted.scopes:
            body["scope"] = " ".join(granted.scopes)
        if granted.login and "openid" in granted.scopes:
            body["id_token"] = self.server.id_token(granted.login, self._now)
        if granted.refresh:
            body["refresh_token"] = granted.refresh
        return _json(body)

    def _client_credentials(self, form: Mapping[str, Sequence[str]]) -> tuple[str, str]:
        """RFC 6749 section 2.3.1: HTTP Basic, or in the body."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return _one(form, "client_id"), _one(form, "client_secret")
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise oidc.Refused("invalid_client", "the authorization header is not HTTP Basic") from None
        return unquote(name), unquote(secret)

    def _userinfo(self) -> _Reply:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        try:
            claims = self.server.claims(token if scheme.lower() == "bearer" else "", tokens.AUDIENCE)
        except jwt.PyJWTError:
            told = {"www-authenticate": 'Bearer error="invalid_token"'}
            return _json({"error": "invalid_token"}, HTTPStatus.UNAUTHORIZED, told)
        return _json(self.server.userinfo(claims))

    def _rotate(self) -> _Reply:
        self._no_page()
        return _json({"kid": self.server.ring.rotate().kid})

    # The request

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True  # what follows on the wire is unknown
            raise tokens.BadField("content-length", f"must be a number up to {_MAX_BODY_BYTES}")
        return self.rfile.read(int(length))

    def _check_host(self) -> None:
        # A name that was re-bound to 127.0.0.1 must not reach the issuer through a browser.
        name = self.headers.get("host", "").rpartition(":")[0] or self.headers.get("host", "")
        if name not in self.server.names:
            raise _Refused(HTTPStatus.FORBIDDEN, "host", f"must be {HOST} or localhost")

    def _no_page(self) -> None:
        if "origin" in self.headers:
            raise _Refused(HTTPStatus.FORBIDDEN, "origin", "not for web pages")

    def _own_page_only(self) -> None:
        origin = self.headers.get("origin", "null")
        if origin != f"http://{self.headers.get('host', '')}":
            raise _Refused(HTTPStatus.FORBIDDEN, "origin", "only the issuer's own page may send this")

    def _parameters(self) -> dict[str, list[str]]:
        return self._form() if self.command == "POST" else _parse(urlsplit(self.path).query)

    def _form(self) -> dict[str, list[str]]:
        try:
            return _parse(self._raw.decode())
        except UnicodeDecodeError:
            raise tokens.BadField("body", "must be a form") from None

    def _session(self) -> oidc.Session | None:
        try:
            found = SimpleCookie(self.headers.get("cookie", "")).get(self.server.cookie)
        except CookieError:
            return None
        return self.server.logins.session(found.value, self._now) if found else None

    # The reply

    def _answer(self, reply: _Reply) -> None:
        self.send_response(reply.status)
        # Not `no-referrer`: under that a browser sends the login page's own form with the origin `null`.
        headers = {"cache-control": "no-store", "referrer-policy": "same-origin", "x-content-type-options": "nosniff"}
        for name, value in {**headers, **reply.headers, **self._cors()}.items():
            self.send_header(name, value)
        if reply.body:
            self.send_header("content-type", reply.kind)
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _cors(self) -> dict[str, str]:
        origin = self.headers.get("origin", "")
        clients = self.server.logins.directory.clients.values()
        if self.path.partition("?")[0] in _OPEN and any(client.lives_at(origin) for client in clients):
            return {"access-control-allow-origin": origin, "vary": "origin"}
        return {"vary": "origin"}

    def _oauth_error(self, refused: oidc.Refused) -> _Reply:
        """RFC 6749 section 5.2."""
        told = {"error": refused.error, "error_description": str(refused)}
        if refused.error == "invalid_client":
            return _json(told, HTTPStatus.UNAUTHORIZED, {"www-authenticate": 'Basic realm="mpp_devissuer"'})
        return _json(told, HTTPStatus.BAD_REQUEST)


def _json(
    body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> _Reply:
    return _Reply(status, json.dumps(body).encode(), headers=headers or {})


def _error(status: HTTPStatus, field: str, message: str) -> _Reply:
    """RFC 6749 section 5.2, and the name of the field."""
    return _json({"error": "invalid_request", "field": field, "error_description": message}, status)


def _html(
    page: str, status: HTTPStatus = HTTPStatus.OK, form_to: str = "", headers: Mapping[str, str] | None = None
) -> _Reply:
    # A browser holds the redirect that follows a form to form-action too.
    policy = (
        f"default-src 'none'; img-src data:; style-src '{pages.STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
    )
    policy = f"{policy}; form-action 'self' {form_to}".rstrip()
    kind = "text/html; charset=utf-8"
    return _Reply(status, page.encode(), kind, {"content-security-policy": policy, **(headers or {})})


def _see(where: str, **headers: str) -> _Reply:
    return _Reply(HTTPStatus.SEE_OTHER, headers={"location": where, **headers})


def _parse(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=40, errors="strict")
    except ValueError:
        raise tokens.BadField("query", "must be a form with at most 40 fields") from None


def _one(values: Mapping[str, Sequence[str]], name: str) -> str:
    return values[name][0] if values.get(name) else ""


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
