"""Envoy's whole configuration: listener, clusters, admin, overload. Knows where services and the issuer are reached."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mpp_gateway.contract import Contract
from mpp_gateway.edge import Edge
from mpp_gateway.listener import ISSUER_CLUSTER, SPANS_CLUSTER, listener
from mpp_gateway.routes import PAGES, STREAMS

LOOPBACK = "127.0.0.1"
_HTTP2 = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_MONITORS = "type.googleapis.com/envoy.extensions.resource_monitors"

Addresses = Mapping[str, Sequence[str]]  # service -> host:port of each replica


def configuration(contract: Contract, edge: Edge, addresses: Addresses, pages: tuple[str, ...]) -> dict[str, Any]:
    """`addresses`: where services are reached, for those that are not where `edge.upstreams` says."""
    listeners = [listener(contract, edge, pages)]
    clusters = [*_services(contract, edge, addresses), _issuer(edge), _no_spans()]
    if edge.metrics_port:
        listeners.append(_metrics(edge))
        clusters.append(_plain("admin", LOOPBACK, edge.admin_port))
    return {
        "admin": {
            "address": {"socket_address": {"address": LOOPBACK, "port_value": edge.admin_port}},
            "ignore_global_conn_limit": True,
        },
        "overload_manager": _overload(edge),
        "static_resources": {"listeners": listeners, "clusters": clusters},
    }


def existing_pages(docs: Path) -> tuple[str, ...]:
    """The pages of PAGES whose files are there."""
    return tuple(path for path, (name, _) in PAGES.items() if (docs / name).is_file())


def _services(contract: Contract, edge: Edge, addresses: Addresses) -> list[dict[str, Any]]:
    streaming = {rpc.upstream for rpc in contract.rpcs if rpc.server_streaming or rpc.client_streaming}
    found = []
    for name in contract.upstreams:
        where = addresses.get(name) or [f"{edge.upstreams.address.format(service=name)}:{edge.upstreams.port}"]
        found.append(_service(name, where, edge, edge.upstreams.requests))
        if name in streaming:  # apart, so that ten thousand watchers do not take the place of one ticket
            streams = _service(name + STREAMS, where, edge, edge.upstreams.streams)
            found.append({**streams, "lb_policy": "LEAST_REQUEST"})
    return found


def _service(name: str, addresses: Sequence[str], edge: Edge, most: int) -> dict[str, Any]:
    ups = edge.upstreams
    return {
        "name": name,
        **_hosts(name, addresses),
        "connect_timeout": "1s",
        # Not the least busy one: a host that refuses every connection is the least busy of all.
        "lb_policy": "ROUND_ROBIN",
        # When no host passes its check, all are tried: a check that is late on a busy machine must not be an outage.
        # And what a check finds holds at once: by default Envoy's workers may learn it a second later, and meanwhile
        # send calls to the host that is leaving and none to the one that has come.
        "common_lb_config": {"healthy_panic_threshold": {"value": 1.0}, "update_merge_window": "0s"},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP2,
                "explicit_http_config": {
                    "http2_protocol_options": {
                        "initial_stream_window_size": 1_048_576,
                        "initial_connection_window_size": 4_194_304,
                        "connection_keepalive": {"interval": "20s", "timeout": "5s"},
                    }
                },
            }
        },
        "health_checks": [
            {
                "timeout": "2s",
                "interval": f"{ups.health_interval_seconds:g}s",
                "no_traffic_interval": f"{ups.health_interval_seconds:g}s",
                "unhealthy_interval": f"{ups.health_interval_unhealthy_seconds:g}s",
                "no_traffic_healthy_interval": f"{ups.health_interval_seconds:g}s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "grpc_health_check": {},
            }
        ],
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": ups.connections,
                    "max_pending_requests": most,
                    "max_requests": most,
                    "retry_budget": {"budget_percent": {"value": 25.0}, "min_retry_concurrency": 20},
                    "track_remaining": True,
                }
            ]
        },
        "outlier_detection": _outliers(),
    }


def _outliers() -> dict[str, Any]:
    """A host that cannot be reached, or whose store is gone while its neighbours' is not, rests for a while; at most half
    of them. A health check that it passes brings it back.
    """
    return {
        "interval": "1s",
        "base_ejection_time": "5s",
        "max_ejection_time": "60s",
        "max_ejection_percent": 50,
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 5,
        "consecutive_gateway_failure": 20,
        "enforcing_consecutive_gateway_failure": 100,
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
    }


def _issuer(edge: Edge) -> dict[str, Any]:
    url = urlsplit(edge.identity.jwks_url)
    host = url.hostname or ""
    cluster = _plain(ISSUER_CLUSTER, host, url.port or (443 if url.scheme == "https" else 80))
    if url.scheme == "https":
        name = {"san_type": "IP_ADDRESS" if _is_address(host) else "DNS", "matcher": {"exact": host}}
        trusted = {
            "trusted_ca": {"filename": edge.files.trusted_ca},
            "match_typed_subject_alt_names": [name],
        }
        context = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {"@type": context, "sni": host, "common_tls_context": {"validation_context": trusted}},
        }
    return cluster


def _no_spans() -> dict[str, Any]:
    """The tracer wants to know where spans go. Nowhere: they would carry the query, which may be personal data."""
    return {"name": SPANS_CLUSTER, "type": "STATIC", "connect_timeout": "1s"}


def _plain(name: str, host: str, port: int) -> dict[str, Any]:
    return {"name": name, **_hosts(name, [f"{host}:{port}"]), "connect_timeout": "2s"}


def _hosts(name: str, addresses: Sequence[str]) -> dict[str, Any]:
    """Addresses as they are; names are asked again every 5 s, and every host behind one is used (a headless Service)."""
    pairs = [address.rsplit(":", 1) for address in addresses]
    endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}
        for host, port in pairs
    ]
    load = {"load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}}
    if all(_is_address(host) for host, _ in pairs):
        return {"type": "STATIC", **load}
    dns = {
        "@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
        "dns_refresh_rate": "5s",
        "dns_lookup_family": "V4_PREFERRED",
    }
    return {"cluster_type": {"name": "envoy.clusters.dns", "typed_config": dns}, **load}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _overload(edge: Edge) -> dict[str, Any]:
    heap = "envoy.resource_monitors.fixed_heap"

    def above(value: float) -> list[dict[str, Any]]:
        return [{"name": heap, "threshold": {"value": value}}]

    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            {
                "name": heap,
                "typed_config": {
                    "@type": f"{_MONITORS}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": edge.limits.heap_megabytes * 1_048_576,
                },
            },
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"{_MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": edge.limits.connections,
                },
            },
        ],
        "actions": [
            {"name": "envoy.overload_actions.shrink_heap", "triggers": above(0.85)},
            {"name": "envoy.overload_actions.disable_http_keepalive", "triggers": above(0.9)},
            {"name": "envoy.overload_actions.stop_accepting_requests", "triggers": above(0.95)},
        ],
    }


def _metrics(edge: Edge) -> dict[str, Any]:
    """Prometheus reads Envoy's statistics here; the rest of the admin interface stays on loopback."""
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    exact = {"path": "/metrics", "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]}
    routes = [{"match": exact, "route": {"cluster": "admin", "prefix_rewrite": "/stats/prometheus"}}]
    host = {"name": "metrics", "domains": ["*"], "routes": routes}
    config = {
        "@type": manager,
        "stat_prefix": "metrics",
        "route_config": {"name": "metrics", "virtual_hosts": [host]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
    }
    return {
        "name": "metrics",
        "address": {"socket_address": {"address": edge.listen.address, "port_value": edge.metrics_port}},
        "ignore_global_conn_limit": True,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": config}]}
        ],
    }
