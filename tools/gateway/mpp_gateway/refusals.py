"""How the edge says no: the same google.rpc.Status, with ErrorInfo (domain `mpp`), that the services answer with.

Knows status codes and Envoy's local replies. Every refusal exists as JSON, and for gRPC and gRPC-Web as
`grpc-status`, `grpc-message` and `grpc-status-details-bin`. Nobody else sees them, and nothing of them is logged.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One class of local replies. `when`: an expression over response.code_details; empty: every reply of `status`."""

    status: int  # HTTP, as Envoy would answer
    code: str  # google.rpc.Code
    reason: str
    message: str
    when: str = ""
    answer: int = 0  # HTTP, as we answer; 0: the same
    headers: tuple[tuple[str, str], ...] = ()
    grpc_code: str = ""  # for gRPC clients; empty: the same
    retry_seconds: int = 0  # google.rpc.RetryInfo; the header `retry-after` may ask for more
    explained: bool = False  # JSON clients are told what Envoy says of their request


FACE = ("mpp.edge", "content_type")  # metadata of a request: the content type that it came with
_DENIED = 'response.code_details.contains("{}")'
_TOKEN = (("www-authenticate", "Bearer"),)

# The first that fits is taken, so the particular ones come before the general one of their status.
REFUSALS = (
    Refusal(
        401,
        "UNAVAILABLE",
        "ISSUER_UNAVAILABLE",
        "the token issuer cannot be asked",
        _DENIED.format("Jwks_remote_fetch_is_failed"),
        503,
        (("retry-after", "1"),),
    ),
    Refusal(
        401,
        "UNAUTHENTICATED",
        "UNAUTHENTICATED",
        "a bearer token is needed",
        _DENIED.format("Jwt_is_missing"),
        0,
        _TOKEN,
    ),
    Refusal(
        401,
        "UNAUTHENTICATED",
        "TOKEN_EXPIRED",
        "the token has expired",
        _DENIED.format("Jwt_is_expired"),
        0,
        _TOKEN,
    ),
    Refusal(401, "UNAUTHENTICATED", "TOKEN_INVALID", "the token is not valid", headers=_TOKEN),
    Refusal(  # Envoy answers a wrong audience with 403
        403, "UNAUTHENTICATED", "TOKEN_INVALID", "the token is not valid", _DENIED.format("jwt_authn"), 401, _TOKEN
    ),
    Refusal(403, "PERMISSION_DENIED", "PERMISSION_DENIED", "the edge does not allow this"),
    Refusal(404, "NOT_FOUND", "UNKNOWN_PATH", "nothing answers on this path", grpc_code="UNIMPLEMENTED"),
    Refusal(405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED", "this path does not know this HTTP method"),
    Refusal(408, "DEADLINE_EXCEEDED", "REQUEST_TIMEOUT", "the request did not arrive in time"),
    Refusal(413, "RESOURCE_EXHAUSTED", "BODY_TOO_LARGE", "the request is too large"),
    Refusal(415, "INVALID_ARGUMENT", "CONTENT_TYPE", "this path takes gRPC and gRPC-Web only"),
    Refusal(426, "INVALID_ARGUMENT", "INVALID_REQUEST", "this protocol is not spoken here"),
    Refusal(429, "RESOURCE_EXHAUSTED", "RATE_LIMITED", "too many calls; try again later", retry_seconds=1),
    Refusal(431, "INVALID_ARGUMENT", "HEADERS_TOO_LARGE", "the request's headers are too large"),
    Refusal(
        503,
        "UNAVAILABLE",
        "UNAVAILABLE",
        "the service does not answer; repeat with the same request_id",
        headers=(("retry-after", "1"),),
    ),
    Refusal(504, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "the service did not answer in time"),
    Refusal(400, "INVALID_ARGUMENT", "INVALID_REQUEST", "the request cannot be understood", explained=True),
    Refusal(500, "INTERNAL", "INTERNAL", "an unforeseen error at the edge"),
)


def status_of(refusal: Refusal, code: str) -> status_pb2.Status:
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain="mpp")
    details: list[Message] = [info]
    if refusal.retry_seconds:
        details.append(error_details_pb2.RetryInfo(retry_delay={"seconds": refusal.retry_seconds}))
    boxes = [any_pb2.Any() for _ in details]
    for box, detail in zip(boxes, details, strict=True):
        box.Pack(detail)
    return status_pb2.Status(code=code_pb2.Code.Value(code), message=refusal.message, details=boxes)


def local_replies() -> dict[str, Any]:
    """Envoy's `local_reply_config`."""
    return {
        "mappers": [mapper for refusal in REFUSALS for mapper in (_grpc_web(refusal), _grpc(refusal), _json(refusal))]
    }


def body(refusal: Refusal) -> dict[str, Any]:
    """The JSON face."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": refusal.reason, "domain": "mpp"}
    why = refusal.message + (": %LOCAL_REPLY_BODY%" if refusal.explained else "")
    details: list[dict[str, Any]] = [{**info, "metadata": {}}]
    if refusal.retry_seconds:
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{refusal.retry_seconds}s"}
        details.append(retry)
    return {"code": code_pb2.Code.Value(refusal.code), "message": why, "details": details}


def _grpc(refusal: Refusal) -> dict[str, Any]:
    return {
        "filter": _all(_status(refusal), *_when(refusal), _spoke("application/grpc")),
        "headers_to_add": _headers({**dict(refusal.headers), **_in_headers(refusal)}),
        "body_format_override": {"text_format_source": {"inline_string": refusal.message}},  # Envoy's grpc-message
    }


def _grpc_web(refusal: Refusal) -> dict[str, Any]:
    """Such clients look for a status only in an answer of HTTP 200; an empty body lets Envoy's filter leave it alone."""
    message = {"grpc-message": refusal.message}  # ASCII without a percent sign: nothing to encode
    return {
        "filter": _all(_status(refusal), *_when(refusal), _spoke("application/grpc-web")),
        "headers_to_add": _headers({**dict(refusal.headers), **_in_headers(refusal), **message}),
        "body_format_override": {
            "text_format_source": {"inline_string": ""},
            "content_type": "application/grpc-web+proto",
        },
        "status_code": 200,
    }


def _in_headers(refusal: Refusal) -> dict[str, str]:
    code = refusal.grpc_code or refusal.code
    details = base64.b64encode(status_of(refusal, code).SerializeToString()).decode().rstrip("=")
    return {"grpc-status": str(code_pb2.Code.Value(code)), "grpc-status-details-bin": details}


def _spoke(content_type: str) -> dict[str, Any]:
    namespace, key = FACE
    value = {"string_match": {"prefix": content_type}}
    matcher = {"filter": namespace, "path": [{"key": key}], "value": value}
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": False}}


def _json(refusal: Refusal) -> dict[str, Any]:
    return {
        "filter": _all(_status(refusal), *_when(refusal)),
        "headers_to_add": _headers(dict(refusal.headers)),
        "body_format_override": {"json_format": body(refusal), "content_type": "application/json"},
        **({"status_code": refusal.answer} if refusal.answer else {}),
    }


def _headers(headers: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in headers.items()
    ]


def _status(refusal: Refusal) -> dict[str, Any]:
    value = {"default_value": refusal.status, "runtime_key": f"edge.status.{refusal.status}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _when(refusal: Refusal) -> list[dict[str, Any]]:
    if not refusal.when:
        return []
    return [{"extension_filter": {"name": "cel", "typed_config": {"@type": _CEL, "expression": refusal.when}}}]


def _all(*filters: dict[str, Any]) -> dict[str, Any]:
    return filters[0] if len(filters) == 1 else {"and_filter": {"filters": list(filters)}}
