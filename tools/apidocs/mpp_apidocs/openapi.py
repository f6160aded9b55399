"""OpenAPI 3.1 of the gateway's JSON face: every RPC with a google.api.http annotation.

Knows how Envoy's grpc_json_transcoder maps calls, statuses and streams (tools/gateway configures it). Statuses are
those that a client has to expect; 500 is never promised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from mpp_apidocs import rules
from mpp_apidocs.contract import Binding, Contract, Field, Message, Method, Service
from mpp_apidocs.examples import Example
from mpp_apidocs.paths import HttpPath, Parameter, http_path
from mpp_apidocs.schemas import Schema, Schemas, choice, reachable

BASE = "#/components/schemas/"
STATUS = "google.rpc.Status"
SCOPES = {
    "any": "everywhere",
    "site": "at the site of the token",
    "agency": "for the agency of the token",
    "own": "for what is the caller's own",
}
# status -> (component, what it says, the reason in the sample)
PROBLEMS: dict[int, tuple[str, str, str, int, str]] = {
    400: (
        "BadRequest",
        "The request breaks a rule (`BadRequest` in `details` names each field), or the resource is not in a state for "
        "it (FAILED_PRECONDITION, code 9; trying again changes nothing until the state does).",
        "INVALID_FIELD",
        3,
        "request_id: must be a valid UUID",
    ),
    401: (
        "Unauthenticated",
        "No token, or one that is expired, of another issuer or audience, or badly signed. Open operations refuse a bad "
        "token too.",
        "UNAUTHENTICATED",
        16,
        "a bearer token is needed",
    ),
    403: (
        "PermissionDenied",
        "The token's roles do not reach this resource: the role is missing, or bound to another site, agency or person.",
        "ROLE_MISSING",
        7,
        "your roles do not allow this call",
    ),
    404: ("NotFound", "There is no such resource (or no such path).", "NOT_FOUND", 5, "there is no such queue"),
    409: (
        "Conflict",
        "The `requestId` was used before with another body, or other writers were faster each time (ABORTED, code 10: "
        "try again with the same `requestId`).",
        "REQUEST_ID_REUSED",
        6,
        "this request_id was used with another body",
    ),
    413: ("TooLarge", "The body is larger than the gateway takes.", "", 8, "Payload Too Large"),
    429: (
        "TooMany",
        "Too many requests of this client; `Retry-After` says in how many seconds to come back.",
        "RESOURCE_EXHAUSTED",
        8,
        "too many requests",
    ),
    503: (
        "Unavailable",
        "A part of the platform does not answer. Nothing is half-written: repeat it with the same `requestId`.",
        "STORE_UNAVAILABLE",
        14,
        "the store did not answer",
    ),
    504: ("TooLate", "No answer in time. Repeat it with the same `requestId`.", "DEADLINE_EXCEEDED", 4, "too late"),
}


def document(contract: Contract, examples: Sequence[Example], version: str) -> dict[str, Any]:
    """The whole document. Raises ValueError for a rule, a path or a binding that it could not tell."""
    methods = [m for m in contract.methods() if m.bindings]
    asked = reachable(contract, (m.request for m in methods))
    answered = reachable(contract, (m.response for m in methods))
    schemas = Schemas(contract, BASE, printed=answered - asked)
    by_operation: dict[str, list[Example]] = {}
    for example in examples:
        by_operation.setdefault(example.operation, []).append(example)
    paths: dict[str, dict[str, Any]] = {}
    for method in methods:
        for number, binding in enumerate(method.bindings):
            path = _path(contract, method, binding)
            shown = by_operation.get(method.operation, []) if number == 0 else []
            operation = _operation(contract, schemas, method, binding, path, shown)
            if number:
                operation["operationId"] += f"_{number}"
            paths.setdefault(path.template, {})[binding.verb] = operation
    return {
        "openapi": "3.1.0",
        "info": _info(version),
        "servers": [{"url": "/", "description": "The gateway that served this document."}],
        "tags": [_tag(s) for s in contract.services if any(m.bindings for m in s.methods)],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**dict(sorted(schemas.components.items())), **_error_schemas()},
            "responses": {name: _problem(status) for status, (name, *_) in PROBLEMS.items()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of the site's OIDC issuer. The claim `roles` says what its bearer is, "
                    "`site`, `agency` and `counter` how far that reaches.",
                }
            },
        },
    }


def _info(version: str) -> dict[str, Any]:
    return {
        "title": "MPP platform",
        "version": version,
        "summary": "The public services of a Mal Pelayanan Publik over HTTP and JSON.",
        "description": "Generated from the protos; the same calls are served as gRPC and gRPC-Web.\n\n"
        "- Names of resources are paths: `sites/malang/queues/dukcapil`.\n"
        "- Every changing call has a `requestId` (a UUID of yours). The same `requestId` with the same body gets the "
        "stored reply, so a call whose answer was lost is simply repeated.\n"
        "- Lists have `pageSize`, `pageToken` and `nextPageToken`; the token is opaque.\n"
        "- 64-bit numbers are strings, times are RFC 3339 in UTC, durations are seconds (`90s`), enums are names. "
        "Clients ignore fields and values that they do not know: the contract only grows.\n"
        "- Errors are `google.rpc.Status`; `ErrorInfo.reason` in `details` is stable, texts are not.\n"
        "- Streams are Server-Sent Events: one message in JSON an event.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }


def _tag(service: Service) -> dict[str, Any]:
    return {"name": service.name, "description": service.comment or f"{service.name}."}


def _path(contract: Contract, method: Method, binding: Binding) -> HttpPath:
    request = contract.messages[method.request]
    return http_path(binding.path, {f.name: f.rules.string.pattern for f in request.fields if f.kind == "string"})


def _operation(
    contract: Contract, schemas: Schemas, method: Method, binding: Binding, path: HttpPath, examples: Sequence[Example]
) -> dict[str, Any]:
    request = contract.messages[method.request]
    operation: dict[str, Any] = {
        "operationId": method.operation.replace(".", "_"),
        "tags": [method.operation.split(".")[0]],
        "summary": summary(method),
        "description": _description(method, path),
    }
    parameters = [_path_parameter(p, examples) for p in path.parameters]
    parameters += [_query_parameter(schemas, f, request, examples) for f in _in_query(contract, request, binding, path)]
    if parameters:
        operation["parameters"] = parameters
    if binding.body:
        operation["requestBody"] = _body(schemas, request, binding, path, examples)
    operation["responses"] = {"200": _reply(schemas, method, examples)}
    for status in statuses(method, binding):
        operation["responses"][str(status)] = _refusal(status, examples)
    operation["security"] = [] if method.anonymous else [{"bearer": []}]
    operation["x-mpp-grpc"] = method.grpc_path
    operation["x-mpp-roles"] = dict(method.grants)
    operation["x-mpp-mutating"] = method.mutating
    return operation


def summary(method: Method) -> str:
    """The first sentence of the comment, or the name in words."""
    if method.comment:
        return re.split(r"(?<=[.])\s", method.comment, maxsplit=1)[0].rstrip(".")
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", method.name).lower()
    return words[0].upper() + words[1:]


def callers(method: Method) -> str:
    """Who may call, in a sentence."""
    if method.anonymous:
        return "Anyone may call it, without a token."
    return "Roles: " + "; ".join(f"`{role}` ({SCOPES[scope]})" for role, scope in method.grants.items()) + "."


def _description(method: Method, path: HttpPath) -> str:
    parts = [method.comment, callers(method)]
    parts += [f"`{field}` of the gRPC request is `{shape}`, from the path." for field, shape in path.bound.items()]
    if method.streams:
        parts.append("A stream: Server-Sent Events, open until the client or the server ends it.")
    return "\n\n".join(p for p in parts if p)


def statuses(method: Method, binding: Binding) -> list[int]:
    """The problems that a caller of this operation has to expect."""
    left_out = {
        s for s, absent in ((403, method.anonymous), (409, not method.mutating), (413, not binding.body)) if absent
    }
    return [s for s in PROBLEMS if s not in left_out]


def _path_parameter(parameter: Parameter, examples: Sequence[Example]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": parameter.name,
        "in": "path",
        "required": True,
        "description": f"Id of the {parameter.name}: what follows `{parameter.collection}/` in its name.",
        "schema": {"type": "string", "pattern": parameter.pattern},
    }
    values = [e.path[parameter.name] for e in examples if parameter.name in e.path]
    return {**shown, "example": values[0]} if values else shown


def _in_query(contract: Contract, request: Message, binding: Binding, path: HttpPath) -> Iterable[Field]:
    if binding.body == "*":
        return
    for field in request.fields:
        if field.name in path.bound or field.name == binding.body:
            continue
        if field.kind == "message" and not field.type_name.startswith("google.protobuf."):
            raise ValueError(f"{request.full_name}.{field.name}: a message in the query is not documented yet")
        yield field


def _query_parameter(schemas: Schemas, field: Field, request: Message, examples: Sequence[Example]) -> dict[str, Any]:
    schema = schemas.field(field, request.full_name)
    shown: dict[str, Any] = {"name": field.json_name, "in": "query", "required": rules.needed(field)}
    notes = [choice(oneof) for oneof in request.oneofs if field.json_name in oneof.fields]
    if text := " ".join([schema.pop("description", ""), *notes]).strip():
        shown["description"] = text
    shown["schema"] = schema
    if field.repeated:
        shown.update(style="form", explode=True)
    values = [e.query[field.json_name] for e in examples if field.json_name in e.query]
    return {**shown, "example": values[0]} if values else shown


def _body(
    schemas: Schemas, request: Message, binding: Binding, path: HttpPath, examples: Sequence[Example]
) -> dict[str, Any]:
    if binding.body == "*":
        schemas.components[request.full_name] = schemas.message(request, without=path.bound)
        schema: Schema = {"$ref": BASE + request.full_name}
    else:
        field = next(f for f in request.fields if f.name == binding.body)
        schema = schemas.field(field, request.full_name)
    content: dict[str, Any] = {"schema": schema}
    if shown := {_key(e): {"summary": f"{e.title} ({e.who})", "value": e.body} for e in examples if e.body is not None}:
        content["examples"] = shown
    return {"required": True, "content": {"application/json": content}}


def _reply(schemas: Schemas, method: Method, examples: Sequence[Example]) -> dict[str, Any]:
    shown = {_key(e): {"summary": f"{e.title} ({e.who})", "value": e.reply} for e in examples if e.status == 200}
    reference = schemas.reference(method.response)
    if not method.streams:
        content: dict[str, Any] = {"schema": reference, **({"examples": shown} if shown else {})}
        return {"description": "Done.", "content": {"application/json": content}}
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": reference}
    events: dict[str, Any] = {"schema": {**text, "description": "Each event's `data` is one message."}}
    if shown:
        events["examples"] = shown
    return {"description": "Server-Sent Events.", "content": {"text/event-stream": events}}


def _key(example: Example) -> str:
    return re.sub(r"[^a-z0-9]+", "-", example.title.lower()).strip("-")


def _problem(status: int) -> dict[str, Any]:
    _, text, reason, code, message = PROBLEMS[status]
    details: list[dict[str, Any]] = []
    if reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        details.append({"@type": kind, "reason": reason, "domain": "mpp", "metadata": {}})
    if reason == "INVALID_FIELD":
        violation = {"field": "request_id", "description": "must be a valid UUID", "reason": reason}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    sample = {"code": code, "message": message, "details": details}
    problem: dict[str, Any] = {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": BASE + STATUS}, "example": sample}},
    }
    if status == 429:
        problem["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    return problem


def _refusal(status: int, examples: Sequence[Example]) -> dict[str, Any]:
    """The shared description of a problem; a copy of it with the operation's own examples where it has some."""
    shown = {_key(e): {"summary": f"{e.title} ({e.who})", "value": e.reply} for e in examples if e.status == status}
    if not shown:
        return {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"}
    problem = _problem(status)
    schema = problem["content"]["application/json"]["schema"]
    return {**problem, "content": {"application/json": {"schema": schema, "examples": shown}}}


def _error_schemas() -> dict[str, Schema]:
    text = {"type": "string"}
    violation = {"type": "object", "properties": {"field": text, "description": text, "reason": text}}
    return {
        STATUS: {
            "type": "object",
            "description": "Every error, of the services and of the gateway itself.",
            "properties": {
                "code": {"type": "integer", "description": "gRPC status code (google.rpc.Code)."},
                "message": {"type": "string", "description": "For developers; may change."},
                "details": {
                    "type": "array",
                    "items": {
                        "anyOf": [
                            {"$ref": BASE + "google.rpc.ErrorInfo"},
                            {"$ref": BASE + "google.rpc.BadRequest"},
                            {"type": "object", "properties": {"@type": text}, "required": ["@type"]},
                        ]
                    },
                },
            },
            "required": ["code", "message"],
        },
        "google.rpc.ErrorInfo": {
            "type": "object",
            "description": "Why, for programs. `reason` is stable, UPPER_SNAKE.",
            "properties": {
                "@type": {"const": "type.googleapis.com/google.rpc.ErrorInfo"},
                "reason": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
                "domain": text,
                "metadata": {"type": "object", "additionalProperties": text},
            },
            "required": ["@type", "reason", "domain"],
        },
        "google.rpc.BadRequest": {
            "type": "object",
            "description": "Which fields, and what is wrong with each.",
            "properties": {
                "@type": {"const": "type.googleapis.com/google.rpc.BadRequest"},
                "fieldViolations": {"type": "array", "items": violation},
            },
            "required": ["@type", "fieldViolations"],
        },
    }
