"""Which request goes where: a route an RPC, generated. Knows paths, timeouts and retries; knows no filter's inside.

A JSON request has two routes in its life: its HTTP path's, until the transcoder has turned it into gRPC, and then the
RPC's own. The first leads to NOBODY, a cluster that does not exist: who still has it at the end is told 404. It is not a
direct response, since Envoy's CORS filter looks away from those.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from mpp_gateway.contract import Contract, Rpc
from mpp_gateway.edge import Edge

JWT = "envoy.filters.http.jwt_authn"
BUFFER = "envoy.filters.http.buffer"
CORS = "envoy.filters.http.cors"
NOBODY = "nobody"
STREAMS = "-streams"  # suffix of a service's second cluster, for open streams
LARGEST_PAGE = 4_000_000  # bytes of a file that the edge itself serves

# gRPC and gRPC-Web; never a form or plain text that a page could send without a CORS preflight
CONTENT_TYPES = r"application/grpc(-web(-text)?)?(\+proto)?(;.*)?"
PAGES = {
    "/openapi.json": ("openapi.json", "application/json"),
    "/asyncapi.json": ("asyncapi.json", "application/json"),
    "/docs": ("index.html", "text/html; charset=utf-8"),
}
_PREFLIGHT = [
    {"name": ":method", "string_match": {"exact": "OPTIONS"}},
    {"name": "origin", "present_match": True},
    {"name": "access-control-request-method", "present_match": True},
]
_PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def route_configuration(contract: Contract, edge: Edge, pages: tuple[str, ...]) -> dict[str, Any]:
    """`pages`: those of PAGES that exist."""
    routes = [
        *(_rpc(rpc, edge) for rpc in contract.rpcs),
        {"name": "preflight", "match": {"prefix": "/", "headers": _PREFLIGHT}, **_nobody()},
        *(_page(path, edge) for path in pages),
        *_json_paths(contract),
        {
            "name": "wrong-content-type",
            "match": {"prefix": "/mpp.", "headers": [_content_type(invert=True)]},
            "direct_response": {"status": 415},
        },
        {"name": "unknown-path", "match": {"prefix": "/"}, **_nobody()},
    ]
    return {
        "name": "edge",
        "validate_clusters": False,  # for NOBODY's sake; a test looks at the others
        "max_direct_response_body_size_bytes": LARGEST_PAGE,
        # The services need none of these; the first two are personal data.
        "request_headers_to_remove": [
            "x-forwarded-for", "cookie", "x-envoy-external-address", "x-envoy-original-path", "x-envoy-original-method",
        ],
        "virtual_hosts": [
            {"name": "edge", "domains": ["*"], "typed_per_filter_config": {CORS: _cors(edge)}, "routes": routes}
        ],
    }  # fmt: skip


def _rpc(rpc: Rpc, edge: Edge) -> dict[str, Any]:
    per_filter: dict[str, Any] = {
        JWT: {
            "@type": f"type.googleapis.com/{_v3(JWT)}.PerRouteConfig",
            "requirement_name": "anonymous" if rpc.anonymous else "token",
        }
    }
    if rpc.client_streaming:
        per_filter[BUFFER] = {"@type": f"type.googleapis.com/{_v3(BUFFER)}.BufferPerRoute", "disabled": True}
    return {
        "name": rpc.full_name,
        "match": {"path": rpc.path, "headers": [_content_type()]},
        "route": _stream(rpc, edge) if rpc.server_streaming or rpc.client_streaming else _unary(rpc, edge),
        "typed_per_filter_config": per_filter,
    }


def _unary(rpc: Rpc, edge: Edge) -> dict[str, Any]:
    """A repeated call is safe, also of a mutating RPC: its request_id makes the effect happen once. So a lost connection
    is tried again too, and `cancelled`: what a grpcio server says to calls that reach it while it shuts down.
    """
    return {
        "cluster": rpc.upstream,
        "timeout": _seconds(edge.timeouts.unary),
        "retry_policy": _retry("connect-failure,refused-stream,unavailable,cancelled,reset", edge),
    }


def _stream(rpc: Rpc, edge: Edge) -> dict[str, Any]:
    """Tried again only while nothing of it has been answered."""
    return {
        "cluster": rpc.upstream + STREAMS,
        "timeout": "0s",
        "idle_timeout": _seconds(edge.timeouts.stream_idle),
        "max_stream_duration": {"max_stream_duration": _seconds(edge.timeouts.stream)},
        "retry_policy": _retry("connect-failure,refused-stream,unavailable,cancelled,reset-before-request", edge),
    }


def _retry(retry_on: str, edge: Edge) -> dict[str, Any]:
    previous = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    return {
        "retry_on": retry_on,
        "num_retries": edge.upstreams.retries,
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.5s"},
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": f"type.googleapis.com/{previous}"},
            }
        ],
        "host_selection_retry_max_attempts": 20,  # a balancer that is asked too seldom names the dead host again
    }


def _json_paths(contract: Contract) -> list[dict[str, Any]]:
    """Two routes a path: for the methods it knows, until the transcoder comes; and 405 for the others."""
    known: dict[str, set[str]] = defaultdict(set)
    templates: dict[str, str] = {}
    for rpc in contract.rpcs:
        for binding in rpc.bindings:
            known[binding.pattern].add(binding.verb)
            templates.setdefault(binding.pattern, binding.template)
    routes: list[dict[str, Any]] = []
    for pattern, verbs in sorted(known.items()):
        path = {"safe_regex": {"regex": pattern}}
        method = {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(sorted(verbs))}}}
        refusal = {
            "direct_response": {"status": 405},
            "response_headers_to_add": [_header("allow", ", ".join(sorted(verbs)))],
        }
        routes.append({"name": templates[pattern], "match": {**path, "headers": [method]}, **_nobody()})
        routes.append({"name": templates[pattern], "match": path, **refusal})
    return routes


def _nobody() -> dict[str, Any]:
    return {"route": {"cluster": NOBODY, "cluster_not_found_response_code": "NOT_FOUND"}}


def _page(path: str, edge: Edge) -> dict[str, Any]:
    name, content_type = PAGES[path]
    return {
        "name": path.strip("/"),
        "match": {"path": path, "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]},
        "direct_response": {"status": 200, "body": {"filename": f"{edge.files.docs}/{name}"}},
        "response_headers_to_add": [
            _header("content-type", content_type),
            _header("content-security-policy", _PAGE_POLICY),
            _header("cache-control", "public, max-age=300"),
        ],
    }


def _cors(edge: Edge) -> dict[str, Any]:
    return {
        "@type": f"type.googleapis.com/{_v3(CORS)}.CorsPolicy",
        "allow_origin_string_match": [_origin(origin) for origin in edge.origins],
        "allow_methods": "GET, POST, PUT, PATCH, DELETE",
        "allow_headers": (
            "authorization, content-type, accept, x-grpc-web, x-user-agent, grpc-timeout, traceparent, tracestate, "
            "last-event-id, cache-control"
        ),
        "expose_headers": "grpc-status, grpc-message, grpc-status-details-bin, retry-after, www-authenticate",
        "max_age": "7200",
        "allow_credentials": False,  # tokens travel in `authorization`, never in cookies
        "forward_not_matching_preflights": False,
    }


def _origin(origin: str) -> dict[str, Any]:
    if "*" not in origin:
        return {"exact": origin}
    literal = "[^/]*".join(_escaped(part) for part in origin.split("*"))
    return {"safe_regex": {"regex": literal}}


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() or c in "/:-" else f"\\{c}" for c in text)


def _content_type(invert: bool = False) -> dict[str, Any]:
    match: dict[str, Any] = {"name": "content-type", "string_match": {"safe_regex": {"regex": CONTENT_TYPES}}}
    return {**match, "invert_match": True} if invert else match


def _header(key: str, value: str) -> dict[str, Any]:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _seconds(seconds: float) -> str:
    return f"{seconds:g}s"


def _v3(name: str) -> str:
    return name.replace("envoy.filters.http.", "envoy.extensions.filters.http.") + ".v3"
