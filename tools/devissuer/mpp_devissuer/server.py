"""The issuer over HTTP, on loopback only. Knows routes and status codes; rules are in tokens.py, keys.py."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt

from mpp_devissuer import tokens
from mpp_devissuer.keys import ALGORITHM, KeyRing

HOST = "127.0.0.1"
_MAX_BODY_BYTES = 64 * 1024
_LOG = logging.getLogger("mpp_devissuer")


class Issuer(ThreadingHTTPServer):
    """Serves until `shutdown()`. `port` 0 takes a free port; `url` is the issuer (`iss`) of every token."""

    daemon_threads = True

    def __init__(self, port: int, ring: KeyRing) -> None:
        super().__init__((HOST, port), _Handler)
        self.ring = ring
        self.url = f"http://{HOST}:{self.server_address[1]}"

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3. No authorization endpoint: nobody logs in here."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks.json",
            "token_endpoint": f"{self.url}/token",
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
        }

    def sign(self, request: tokens.TokenRequest, now: datetime) -> str:
        key = self.ring.current
        body = tokens.claims(request, issuer=self.url, now=now, jti=str(uuid.uuid4()))
        return jwt.encode(body, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})


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
                "/healthz": lambda: {"status": "ok"},
                "/jwks.json": self.server.ring.jwks,
                "/.well-known/openid-configuration": self.server.discovery,
            }
        )

    def do_POST(self) -> None:
        self._serve({"/token": self._token, "/rotate": self._rotate})

    def log_message(self, format: str, *args: Any) -> None:
        """One line a request on the logger; bodies and tokens are never logged."""
        _LOG.info(format, *args)

    def _serve(self, routes: dict[str, Callable[[], dict[str, Any]]]) -> None:
        try:
            body = self._body()
            self._check_host()
            route = routes.get(self.path.partition("?")[0])
            if route is None:
                raise _Refused(HTTPStatus.NOT_FOUND, "path", f"nothing answers {self.command} on this path")
            self._raw = body
            self._answer(HTTPStatus.OK, route())
        except _Refused as refused:
            self._error(refused.status, refused.field, str(refused))
        except tokens.BadField as bad:
            self._error(HTTPStatus.BAD_REQUEST, bad.field, str(bad))

    def _token(self) -> dict[str, Any]:
        # A web page cannot send this content type to another origin without asking first (CORS preflight),
        # and nothing here answers such a question: a page in a developer's browser gets no token.
        if self.headers.get_content_type() != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "body", "content-type must be application/json")
        try:
            parsed = json.loads(self._raw)
        except (ValueError, RecursionError):
            raise tokens.BadField("body", "must be a JSON object") from None
        request = tokens.parse(parsed)
        token = self.server.sign(request, datetime.now(UTC))
        return {"access_token": token, "token_type": "Bearer", "expires_in": request.ttl_seconds}

    def _rotate(self) -> dict[str, Any]:
        return {"kid": self.server.ring.rotate().kid}

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True  # what follows on the wire is unknown
            raise tokens.BadField("content-length", f"must be a number up to {_MAX_BODY_BYTES}")
        return self.rfile.read(int(length))

    def _check_host(self) -> None:
        # A name that was re-bound to 127.0.0.1 must not reach the issuer through a browser.
        name = self.headers.get("host", "").rpartition(":")[0] or self.headers.get("host", "")
        if name not in (HOST, "localhost"):
            raise _Refused(HTTPStatus.FORBIDDEN, "host", f"must be {HOST} or localhost")

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("cache-control", "no-store")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _error(self, status: HTTPStatus, field: str, message: str) -> None:
        """RFC 6749 section 5.2, and the name of the field."""
        self._answer(status, {"error": "invalid_request", "field": field, "error_description": message})
