"""The listener: what every request passes through, in order. Knows Envoy's filters; knows no single RPC.

The order is part of the design: answers to /healthz and to CORS preflights come first; a client's rate and its body's
size are checked before work is done for it; the token is checked after the transcoder, when the route is the RPC's own
and says whether it needs one; the rate of a token's subject is checked when the subject is known.
"""

from __future__ import annotations

from typing import Any

from mpp_gateway.contract import Contract
from mpp_gateway.edge import Edge, Rate
from mpp_gateway.refusals import FACE, local_replies
from mpp_gateway.routes import BUFFER, CORS, JWT, route_configuration

ISSUER_CLUSTER = "oidc-issuer"
SPANS_CLUSTER = "no-spans"
READY = "/readyz"  # every service has a host that answers; for start scripts, not for a load balancer
HEALTH = "/healthz"  # this edge takes calls; not during its drain
_HTTP = "envoy.filters.http."

# Set by Envoy or by nobody: a client that sends one of them wants to be somebody else.
_INTERNAL = ("x-envoy-", "x-mpp-", "x-jwt-", "x-forwarded-client-cert", "x-original-", "x-rewrite-")
_SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
# (level, name, value) of Linux: notice within about two minutes that a watcher of a board is gone.
_KEEPALIVE = ((1, 9, 1), (6, 4, 60), (6, 5, 15), (6, 6, 4))

# Nothing of a person: no path (it may hold what somebody typed), no query, no address, no user agent, no token.
ACCESS_LOG = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "service": "gateway",
    "event": "request",
    "route": "%ROUTE_NAME%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "protocol": "%PROTOCOL%",
    "code": "%RESPONSE_CODE%",
    "grpc_status": "%RESP(GRPC-STATUS)%%TRAILER(GRPC-STATUS)%",
    "flags": "%RESPONSE_FLAGS%",
    "ms": "%DURATION%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "trace_id": "%TRACE_ID%",
}


def listener(contract: Contract, edge: Edge, pages: tuple[str, ...]) -> dict[str, Any]:
    chain: dict[str, Any] = {"filters": [_manager(contract, edge, pages)]}
    if edge.listen.tls_certificate_file:
        chain["transport_socket"] = _tls(edge)
    return {
        "name": "edge",
        "address": {"socket_address": {"address": edge.listen.address, "port_value": edge.listen.port}},
        "per_connection_buffer_limit_bytes": 1_048_576,
        "socket_options": [
            {"level": level, "name": name, "int_value": value, "state": "STATE_PREBIND"}
            for level, name, value in _KEEPALIVE
        ],
        "filter_chains": [chain],
    }


def _manager(contract: Contract, edge: Edge, pages: tuple[str, ...]) -> dict[str, Any]:
    times, limits = edge.timeouts, edge.limits
    streams_in = any(rpc.client_streaming for rpc in contract.rpcs)
    manager = {
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "server_name": "mpp",
        "use_remote_address": True,
        "xff_num_trusted_hops": edge.listen.trusted_hops,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": limits.header_kilobytes,
        "request_headers_timeout": _seconds(times.request_headers),
        # A client stream has no end to wait for.
        **({} if streams_in else {"request_timeout": _seconds(times.request_body)}),
        "stream_idle_timeout": _seconds(times.unary * 2),
        "drain_timeout": _seconds(max(times.drain / 2, 1)),
        "common_http_protocol_options": {
            "idle_timeout": _seconds(times.connection_idle),
            "max_headers_count": limits.headers,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": limits.streams_a_connection,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
            "connection_keepalive": {"interval": "30s", "timeout": "10s"},
        },
        "local_reply_config": local_replies(),
        "tracing": _tracing(),
        "access_log": [_access_log()],
        "route_config": route_configuration(contract, edge, pages),
        "http_filters": _filters(contract, edge),
    }
    return _typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        manager,
    )


def _filters(contract: Contract, edge: Edge) -> list[dict[str, Any]]:
    return [
        _filter("header_mutation", "HeaderMutation", {"mutations": _mutations(edge)}),
        _filter("header_to_metadata", "Config", _face()),
        _health(HEALTH, {}),
        _health(READY, {name: {"value": 1.0} for name in contract.upstreams}),
        _typed(CORS, "envoy.extensions.filters.http.cors.v3.Cors", {}),
        _rate(edge.limits.address, edge, "remote_address", {"remote_address": {}}),
        _typed(
            BUFFER, "envoy.extensions.filters.http.buffer.v3.Buffer", {"max_request_bytes": edge.limits.request_bytes}
        ),
        _filter("grpc_web", "GrpcWeb", {}),
        _transcoder(contract, edge),
        _identity(edge),
        _rate(edge.limits.subject, edge, "subject", _subject()),
        _creations(contract, edge),
        _filter("router", "Router", {"suppress_envoy_headers": True}),
    ]


def _mutations(edge: Edge) -> dict[str, Any]:
    """Responses pass here last, also the edge's own refusals."""
    headers = dict(_SECURITY)
    if edge.strict_transport_security_seconds:
        headers["strict-transport-security"] = f"max-age={edge.strict_transport_security_seconds}; includeSubDomains"
    return {
        "request_mutations": [
            *({"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}} for prefix in _INTERNAL),
            # Legal in HTTP, not in gRPC metadata: the service would answer the whole call with INTERNAL.
            {"remove_on_match": {"key_matcher": {"safe_regex": {"regex": ".*[^a-z0-9_.:-].*"}}}},
        ],
        "response_mutations": [
            {"append": {"header": {"key": key, "value": value}, "append_action": "ADD_IF_ABSENT"}}
            for key, value in headers.items()
        ],
    }


def _face() -> dict[str, Any]:
    """Remember how the client spoke: later the transcoder makes gRPC of JSON."""
    kept = {"metadata_namespace": FACE[0], "key": FACE[1]}
    return {"request_rules": [{"header": "content-type", "on_header_present": kept}]}


def _health(path: str, clusters: dict[str, Any]) -> dict[str, Any]:
    checked = {
        "pass_through_mode": False,
        "headers": [{"name": ":path", "string_match": {"exact": path}}],
        "cluster_min_healthy_percentages": clusters,
    }
    return _filter("health_check", "HealthCheck", checked, name=f"health{path}")


def _rate(rate: Rate, edge: Edge, key: str, action: dict[str, Any]) -> dict[str, Any]:
    """One bucket for each value of the descriptor (an empty value in the configuration means: each)."""
    bucket = {"max_tokens": rate.burst, "tokens_per_fill": rate.per_second, "fill_interval": "1s"}
    return _limit(edge, key, [[action]], [[{"key": key}]], bucket, retry_after=1)


def _creations(contract: Contract, edge: Edge) -> dict[str, Any]:
    """One bucket a caller for all RPCs together that make something new: the token's subject, or the address of one who
    has no token. It comes after the transcoder, so that an RPC is known by its path, whatever the face."""
    rate, paths = edge.limits.creating, sorted(rpc.path for rpc in contract.rpcs if rpc.creating)
    bucket = {"max_tokens": rate.burst, "tokens_per_fill": rate.per_minute, "fill_interval": "60s"}
    nobody = _matches("caller", "nobody", {"name": "authorization", "present_match": True}, expect=False)
    yes = {"key": "creates", "value": "yes"}
    return _limit(
        edge,
        "creating",
        [
            actions
            for path in paths
            for actions in ([_is(path), _subject()], [_is(path), nobody, {"remote_address": {}}])
        ],
        [[yes, {"key": "subject"}], [yes, {"key": "caller", "value": "nobody"}, {"key": "remote_address"}]],
        bucket,
        retry_after=-(-60 // rate.per_minute),
    )


def _is(path: str) -> dict[str, Any]:
    """The same descriptor for each of them: they share a bucket."""
    return _matches("creates", "yes", {"name": ":path", "string_match": {"exact": path}})


def _matches(key: str, value: str, header: dict[str, Any], expect: bool = True) -> dict[str, Any]:
    return {
        "header_value_match": {
            "descriptor_key": key, "descriptor_value": value, "expect_match": expect, "headers": [header]
        }
    }  # fmt: skip


def _limit(
    edge: Edge, key: str, actions: list[list[dict[str, Any]]], entries: list[list[dict[str, str]]],
    bucket: dict[str, Any], retry_after: int,
) -> dict[str, Any]:  # fmt: skip
    limit = {
        "stat_prefix": f"rate_{key}",
        "filter_enabled": _always("edge.rate.enabled"),
        "filter_enforced": _always("edge.rate.enforced"),
        "rate_limited_as_resource_exhausted": True,
        "always_consume_default_token_bucket": False,
        "token_bucket": {"max_tokens": 1_000_000_000, "tokens_per_fill": 1_000_000_000, "fill_interval": "1s"},
        "max_dynamic_descriptors": edge.limits.known_clients,
        "rate_limits": [{"actions": of_one} for of_one in actions],
        "descriptors": [{"entries": of_one, "token_bucket": bucket} for of_one in entries],
        "response_headers_to_add": [{"header": {"key": "retry-after", "value": str(retry_after)}}],
    }
    return _filter("local_ratelimit", "LocalRateLimit", limit, name=f"rate.{key}")


def _subject() -> dict[str, Any]:
    path = [{"key": "payload"}, {"key": "sub"}]
    return {
        "metadata": {
            "descriptor_key": "subject",
            "metadata_key": {"key": JWT, "path": path},
            "source": "DYNAMIC",
            "skip_if_absent": True,
        }
    }


def _transcoder(contract: Contract, edge: Edge) -> dict[str, Any]:
    return _filter(
        "grpc_json_transcoder",
        "GrpcJsonTranscoder",
        {
            "proto_descriptor": edge.files.descriptors,
            "services": contract.services,
            "auto_mapping": False,
            "convert_grpc_status": True,
            "print_options": {"always_print_primitive_fields": True, "stream_sse_style_delimited": True},
            "request_validation_options": {"reject_unknown_query_parameters": True},
            "query_param_unescape_plus": True,
            "max_request_body_size": edge.limits.request_bytes,
            "max_response_body_size": edge.limits.response_bytes,
        },
    )


def _identity(edge: Edge) -> dict[str, Any]:
    identity = edge.identity
    provider = {
        "issuer": identity.issuer,
        "audiences": [identity.audience],
        "remote_jwks": {
            "http_uri": {"uri": identity.jwks_url, "cluster": ISSUER_CLUSTER, "timeout": "3s"},
            # Fetched in the background, so that no call waits; a new key of the issuer is known after this time.
            "cache_duration": _seconds(identity.jwks_refresh_seconds),
            "async_fetch": {"failed_refetch_duration": "1s"},
        },
        "forward": True,  # the services check it again
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "payload_in_metadata": "payload",
        "require_expiration": True,
        "clock_skew_seconds": identity.clock_skew_seconds,
    }
    either = {"requirements": [{"provider_name": "oidc"}, {"allow_missing": {}}]}
    return _filter(
        "jwt_authn",
        "JwtAuthentication",
        {
            "providers": {"oidc": provider},
            # "anonymous": no token is fine, a bad one is not.
            "requirement_map": {"token": {"provider_name": "oidc"}, "anonymous": {"requires_any": either}},
            "strip_failure_response": True,
        },
    )


def _tracing() -> dict[str, Any]:
    """A `traceparent` for whoever sends none, passed on to the services; nothing is exported from here."""
    otel = {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "service_name": "mpp-gateway",
        "grpc_service": {"envoy_grpc": {"cluster_name": SPANS_CLUSTER}, "timeout": "0.1s"},
    }
    never = {name: {"value": 0.0} for name in ("client_sampling", "random_sampling", "overall_sampling")}
    return {**never, "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": otel}}


def _access_log() -> dict[str, Any]:
    return _typed(
        "envoy.access_loggers.stdout",
        "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        {"log_format": {"json_format": ACCESS_LOG, "omit_empty_values": True}},
    ) | {"filter": {"not_health_check_filter": {}}}


def _tls(edge: Edge) -> dict[str, Any]:
    files = {
        "certificate_chain": {"filename": edge.listen.tls_certificate_file},
        "private_key": {"filename": edge.listen.tls_key_file},
    }
    common = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificates": [files],
        "alpn_protocols": ["h2", "http/1.1"],
    }
    context = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    return _typed("envoy.transport_sockets.tls", context, {"common_tls_context": common})


def _always(key: str) -> dict[str, Any]:
    return {"runtime_key": key, "default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def _filter(kind: str, message: str, config: dict[str, Any], name: str = "") -> dict[str, Any]:
    return _typed(name or _HTTP + kind, f"envoy.extensions.filters.http.{kind}.v3.{message}", config)


def _typed(name: str, message: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/{message}", **config}}


def _seconds(seconds: float) -> str:
    return f"{seconds:g}s"
