"""Settings of a process, read once from a mapping of the environment by the composition root. Knows no service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path


class BadSettings(Exception):
    """A setting is missing or wrong; the text names the variable."""


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where an access token says what the platform needs. A dotted name leads into objects: `realm_access.roles`.

    A claim whose very name has the dots in it (`https://mpp.example/roles`) is found first.
    """

    roles: str = "roles"
    site: str = "site"
    sites: str = "sites"
    agency: str = "agency"
    counter: str = "counter"
    nik: str = "nik"


@dataclass(frozen=True, slots=True)
class Settings:
    """Durations are in seconds unless the name says otherwise; secrets never show in repr."""

    service: str
    environment: str
    mongodb_uri: str = field(repr=False)
    database: str
    amqp_uri: str = field(repr=False)
    grpc_port: int
    http_port: int
    bind: str
    issuer: str
    jwks_url: str
    audience: str
    claims: ClaimNames
    field_keys: str = field(repr=False)  # "kid:base64key,kid:base64key", the first seals, all open
    index_key: str = field(repr=False)  # base64
    retry_delays_ms: tuple[int, ...]
    grpc_threads: int
    grpc_streams: int  # server streams open at once
    dispatch: bool  # False only in chaos tests: commits stay pending, as if killed before dispatch
    log_level: str
    extra: Mapping[str, str] = field(repr=False)

    @property
    def production(self) -> bool:
        return self.environment == "production"


def from_env(service: str, env: Mapping[str, str]) -> Settings:
    """Read `MPP_*`. `X_FILE` names a file that holds the value of `X` (a mounted secret).

    Raises BadSettings naming the variable.
    """

    def text(name: str, default: str | None = None) -> str:
        if path := env.get(f"{name}_FILE"):
            try:
                return Path(path).read_text().strip()
            except OSError as e:
                raise BadSettings(f"{name}_FILE: cannot read {path}: {e.strerror}") from e
        value = env.get(name, default)
        if value is None or not value.strip():
            raise BadSettings(f"{name} is not set" if value is None else f"{name} is empty")
        return value

    def number(name: str, default: int, least: int, most: int) -> int:
        value = text(name, str(default))
        if not value.isdecimal() or not least <= int(value) <= most:
            raise BadSettings(f"{name} is not a whole number from {least} to {most}: {value[:40]!r}")
        return int(value)

    def one_of(name: str, *words: str) -> str:
        """The first is the default."""
        value = text(name, words[0]).lower()
        if value not in words:
            raise BadSettings(f"{name} is none of {', '.join(words)}: {value[:40]!r}")
        return value

    return Settings(
        service=service,
        environment=text("MPP_ENV", "development"),
        mongodb_uri=text("MPP_MONGODB_URI"),
        database=text("MPP_DATABASE_PREFIX", "mpp_") + service,
        amqp_uri=text("MPP_AMQP_URI"),
        grpc_port=number("MPP_GRPC_PORT", 50051, 0, 65535),
        http_port=number("MPP_HTTP_PORT", 9090, 0, 65535),
        bind=text("MPP_BIND", "127.0.0.1"),
        issuer=text("MPP_OIDC_ISSUER"),
        jwks_url=text("MPP_OIDC_JWKS_URL"),
        audience=text("MPP_OIDC_AUDIENCE", "mpp"),
        claims=ClaimNames(**{f.name: text(f"MPP_OIDC_{f.name.upper()}_CLAIM", f.name) for f in fields(ClaimNames)}),
        field_keys=text("MPP_FIELD_KEYS"),
        index_key=text("MPP_INDEX_KEY"),
        retry_delays_ms=_delays(text("MPP_RETRY_DELAYS_MS", "1000,10000,60000,600000")),
        grpc_threads=number("MPP_GRPC_THREADS", 128, 1, 10_000),
        grpc_streams=number("MPP_GRPC_STREAMS", 500, 1, 10_000),
        dispatch=one_of("MPP_DISPATCH", "on", "off") == "on",
        log_level=one_of("MPP_LOG_LEVEL", "info", "debug", "warning", "error"),
        extra={k: v for k, v in env.items() if k.startswith("MPP_")},
    )


def _delays(text: str) -> tuple[int, ...]:
    parts = [p.strip() for p in text.split(",")]
    if not all(p.isdecimal() and int(p) for p in parts):
        raise BadSettings(f"MPP_RETRY_DELAYS_MS is not a comma-separated list of milliseconds above 0: {text[:80]!r}")
    return tuple(int(p) for p in parts)
