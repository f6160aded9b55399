"""The settings of the edge, as a person writes them in deploy/gateway/edge.yaml. Knows their names, units and bounds.

Read into frozen dataclasses; an unknown or impossible setting is refused by its dotted name. What differs from one
installation to the next (issuer, origins) can also come from the environment, under the names that the services use.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


class BadEdge(Exception):
    """A setting of the edge is missing, unknown or impossible; the text names it."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the edge listens. With both TLS files it speaks TLS, else plain text (TLS ends before it)."""

    address: str = "0.0.0.0"  # noqa: S104  the edge is there to be reached; on a bare machine it is loopback
    port: int = 8080
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    trusted_hops: int = 0  # proxies before the edge whose X-Forwarded-For is believed


@dataclass(frozen=True, slots=True)
class Files:
    """Where Envoy finds its files when it runs."""

    descriptors: str = "/etc/envoy/mpp.binpb"
    docs: str = "/etc/envoy/docs"
    trusted_ca: str = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True, slots=True)
class Upstreams:
    """How a service is reached. `{service}` is its name."""

    address: str = "{service}"
    port: int = 50051
    connections: int = 64  # a host's HTTP/2 connections and waiting calls, at most
    requests: int = 2_000  # unary calls under way to a service, at most
    streams: int = 20_000  # open server streams to a service, at most
    retries: int = 3
    health_interval_seconds: float = 2.0
    health_interval_unhealthy_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The OIDC issuer whose access tokens are accepted."""

    issuer: str = ""
    jwks_url: str = ""
    audience: str = "mpp"
    jwks_refresh_seconds: float = 10.0
    clock_skew_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: so many calls a second in the long run, so many at once."""

    per_second: int
    burst: int


@dataclass(frozen=True, slots=True)
class Creation:
    """A token bucket of a caller for all calls together that make something new: so many a minute, so many at once."""

    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask for."""

    address: Rate = field(default_factory=lambda: Rate(50, 200))
    subject: Rate = field(default_factory=lambda: Rate(20, 60))
    creating: Creation = field(default_factory=lambda: Creation(60, 30))
    known_clients: int = 20_000  # buckets kept; the one unused longest goes first
    request_bytes: int = 1_000_000
    response_bytes: int = 16_000_000
    header_kilobytes: int = 32
    headers: int = 64
    connections: int = 10_000
    streams_a_connection: int = 128
    heap_megabytes: int = 384


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds."""

    unary: float = 30.0
    stream: float = 3_600.0  # a server stream's whole life; a client comes back
    stream_idle: float = 900.0  # ... without a message
    connection_idle: float = 300.0
    request_headers: float = 10.0
    request_body: float = 30.0
    drain: float = 20.0  # from SIGTERM until the process ends


@dataclass(frozen=True, slots=True)
class Edge:
    """All settings of the edge."""

    listen: Listen = field(default_factory=Listen)
    admin_port: int = 9901  # on loopback, always
    metrics_port: int = 9090  # /metrics for Prometheus, on the address of `listen`; 0: none
    files: Files = field(default_factory=Files)
    upstreams: Upstreams = field(default_factory=Upstreams)
    identity: Identity = field(default_factory=Identity)
    origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
    strict_transport_security_seconds: int = 31_536_000


_LEAST: Mapping[str, float] = {
    "port": 0, "admin_port": 0, "metrics_port": 0, "trusted_hops": 0, "retries": 0,
    "strict_transport_security_seconds": 0, "drain": 0, "clock_skew_seconds": 0,
}  # fmt: skip
_MOST: Mapping[str, float] = {"port": 65_535, "admin_port": 65_535, "metrics_port": 65_535, "clock_skew_seconds": 300}


def read(*files: Path, env: Mapping[str, str] | None = None) -> Edge:
    """The settings of one file, and of others that change some of them. Raises BadEdge.

    `env`: MPP_OIDC_ISSUER, MPP_OIDC_JWKS_URL, MPP_OIDC_AUDIENCE and MPP_EDGE_ORIGINS (comma-separated) win over files.
    """
    data: dict[str, Any] = {}
    for file in files:
        try:
            loaded = yaml.safe_load(file.read_text()) or {}
        except (OSError, yaml.YAMLError) as e:
            raise BadEdge(f"{file}: {e}") from e
        if not isinstance(loaded, dict):
            raise BadEdge(f"{file}: not a mapping")
        _merge(data, loaded)
    return check(_from_env(_dataclass(Edge, data, ""), env or {}))


def check(edge: Edge) -> Edge:
    """Rules over several settings. Raises BadEdge."""
    for name in ("issuer", "jwks_url"):
        url = urlsplit(getattr(edge.identity, name))
        if url.scheme not in ("http", "https") or not url.hostname:
            raise BadEdge(f"identity.{name}: not an http(s) address: {getattr(edge.identity, name)!r}")
    if not edge.identity.audience:
        raise BadEdge("identity.audience: empty")
    if bool(edge.listen.tls_certificate_file) != bool(edge.listen.tls_key_file):
        raise BadEdge("listen.tls_certificate_file and listen.tls_key_file go together")
    for origin in edge.origins:
        if origin == "*" or not origin.startswith(("http://", "https://")) or origin.endswith("/"):
            raise BadEdge(f"origins: {origin!r} is not scheme://host[:port]; a `*` may stand for a part, never for all")
    return edge


def _from_env(edge: Edge, env: Mapping[str, str]) -> Edge:
    names = {"MPP_OIDC_ISSUER": "issuer", "MPP_OIDC_JWKS_URL": "jwks_url", "MPP_OIDC_AUDIENCE": "audience"}
    changes: dict[str, Any] = {attribute: env[name] for name, attribute in names.items() if env.get(name)}
    edge = replace(edge, identity=replace(edge.identity, **changes))
    if origins := env.get("MPP_EDGE_ORIGINS"):
        edge = replace(edge, origins=tuple(o.strip() for o in origins.split(",") if o.strip()))
    return edge


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _dataclass(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise BadEdge(f"{where or 'the file'}: not a mapping")
    hints = typing.get_type_hints(kind)
    if unknown := sorted(str(key) for key in set(data) - set(hints)):
        raise BadEdge(f"{where}{unknown[0]}: unknown; known are {', '.join(hints)}")
    values = {key: _value(hints[key], value, f"{where}{key}") for key, value in data.items()}
    if missing := [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING and f.name not in values
    ]:
        raise BadEdge(f"{where}{missing[0]}: missing")
    return kind(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, f"{where}.")
    if isinstance(kind, types.GenericAlias):
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise BadEdge(f"{where}: not a list of texts")
        return tuple(value)
    if kind is str:
        if not isinstance(value, str):
            raise BadEdge(f"{where}: not a text: {value!r}")
        return value
    wanted = (int,) if kind is int else (int, float)
    name = where.rsplit(".", 1)[-1]
    least, most = _LEAST.get(name, 0.1 if kind is float else 1), _MOST.get(name, 10**9)
    if isinstance(value, bool) or not isinstance(value, wanted) or not least <= value <= most:
        raise BadEdge(f"{where}: not a{' whole' if kind is int else ''} number from {least} to {most:.0f}: {value!r}")
    return kind(value)
