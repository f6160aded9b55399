"""Access policy, read from the protos: who may call an RPC and how far. Knows descriptors and callers; no transport."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from mpp.options.v1 import options_pb2

from mpp_chassis.call import Caller
from mpp_chassis.errors import PermissionDenied, Unauthenticated

_SITE = re.compile(r"^sites/([^/]+)")
_WIDEST_FIRST = ("any", "site", "agency", "own")
_OF_SITES = frozenset({"city_viewer"})  # whose token may name several; they change nothing


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one RPC. `grants`: role -> scope, both in lower case."""

    anonymous: bool
    mutating: bool
    grants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Admission:
    """How a caller got in: the scopes that hold for this request, and the role of the widest."""

    scopes: frozenset[str]
    role: str


def policy_of(method: MethodDescriptor) -> Policy:
    """Raises TypeError when the proto declares no policy, or one that nobody could meet or check."""
    options: Any = method.GetOptions()
    if not options.HasExtension(options_pb2.access):
        raise TypeError(f"{method.full_name} declares no access policy (option mpp.options.v1.access)")
    access = options.Extensions[options_pb2.access]
    if access.anonymous == bool(access.grants):
        raise TypeError(f"{method.full_name}: either anonymous or grants")
    if access.mutating and "request_id" not in method.input_type.fields_by_name:
        raise TypeError(f"{method.full_name} is mutating and its request has no request_id")
    grants = {
        options_pb2.Role.Name(g.role).removeprefix("ROLE_").lower(): options_pb2.Scope.Name(g.scope)
        .removeprefix("SCOPE_")
        .lower()
        for g in access.grants
    }
    if len(grants) != len(access.grants) or "unspecified" in {*grants, *grants.values()}:
        raise TypeError(f"{method.full_name}: a role is granted twice, or role or scope is unspecified")
    return Policy(access.anonymous, access.mutating, grants)


def check_role(policy: Policy, caller: Caller | None) -> None:
    """Whether this caller may call at all. Raises Unauthenticated or PermissionDenied."""
    if policy.anonymous:
        return
    if caller is None:
        raise Unauthenticated("a bearer token is needed")
    if not caller.roles & policy.grants.keys():
        raise PermissionDenied("your roles do not allow this call", reason="ROLE_MISSING")


def admit(policy: Policy, caller: Caller | None, request: Message) -> Admission:
    """Check role and site. Raises Unauthenticated or PermissionDenied.

    Agency and owner are *not* checked here: they need the resource, so the use case calls `Call.require`.
    """
    check_role(policy, caller)
    if caller is None:
        return Admission(frozenset(), "anonymous")
    held = {role: policy.grants[role] for role in caller.roles if role in policy.grants}
    if policy.anonymous:
        return Admission(frozenset(held.values()), min(caller.roles, default="anonymous"))
    sites = set(sites_in(request))
    if sites != {caller.site}:
        seen = len(sites) == 1 and sites <= caller.sites
        held = {r: scope for r, scope in held.items() if scope in ("any", "own") or (seen and r in _OF_SITES)}
        if not held:
            raise PermissionDenied("your role is bound to another site", reason="SITE_MISMATCH")
    widest = min(held, key=lambda role: (_WIDEST_FIRST.index(held[role]), role))
    return Admission(frozenset(held.values()), widest)


def sites_in(request: Message) -> Iterator[str]:
    """Sites of every resource name in the request, at any depth, in lists and maps too: none may smuggle another site."""
    for field, value in request.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            values: list[Any] = [*value.keys(), *value.values()]
        else:
            values = list(value) if field.is_repeated else [value]
        for one in values:
            if isinstance(one, Message):
                yield from sites_in(one)
            elif isinstance(one, str) and (match := _SITE.match(one)):
                yield match[1]
