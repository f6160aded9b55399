"""What `buf breaking` does not see between two releases: our annotations are part of the promise too.

Knows two contracts. Messages, fields, numbers, types and enum values are buf's part. Here: paths of the JSON face,
who may call, what a request must carry, how far values reach, and which events agencies get under which routing key.
Not decided here: whether a changed pattern is wider or narrower; that is for the reviewer.
"""

from __future__ import annotations

from collections.abc import Iterator

from mpp_apidocs import rules
from mpp_apidocs.contract import Contract, Message, Method
from mpp_apidocs.paths import http_path
from mpp_apidocs.schemas import reachable

_REACH = {"any": 3, "site": 2, "agency": 1, "own": 1}
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")  # raised: fewer values pass
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")  # lowered: fewer values pass


def breaks(old: Contract, new: Contract) -> list[str]:
    """Every promise of `old` that `new` does not keep, a sentence each."""
    return [*_calls(old, new), *_requests(old, new), *_events(old, new)]


def _calls(old: Contract, new: Contract) -> Iterator[str]:
    known = {m.grpc_path: m for m in new.methods()}
    for before in old.methods():
        now = known.get(before.grpc_path)
        if now is None:
            continue  # buf says so
        for verb, path in sorted(_served(before) - _served(now)):
            yield f"{before.operation}: {verb.upper()} {path} is no longer served"
        if before.anonymous and not now.anonymous:
            yield f"{before.operation}: anyone could call it, now a token is needed"
        if now.mutating and not before.mutating:
            yield f"{before.operation}: a request_id is needed now"
        if now.anonymous:
            continue
        for role, scope in before.grants.items():
            reach = now.grants.get(role)
            if reach is None:
                yield f"{before.operation}: the role {role} may no longer call it"
            elif _REACH[reach] < _REACH[scope] or (_REACH[reach] == _REACH[scope] and reach != scope):
                yield f"{before.operation}: the role {role} reached {scope}, now {reach}"


def _served(method: Method) -> set[tuple[str, str]]:
    return {(b.verb, http_path(b.path, {}).template) for b in method.bindings}


def _requests(old: Contract, new: Contract) -> Iterator[str]:
    for name in sorted(reachable(old, (m.request for m in old.methods()))):
        if name not in new.messages:
            continue
        before = {f.name: f for f in old.messages[name].fields}
        for field in new.messages[name].fields:
            where = f"{name}.{field.name}"
            earlier = before.get(field.name)
            if rules.needed(field) and (earlier is None or not rules.needed(earlier)):
                yield f"{where}: a request without it was taken, now it is refused"
            if earlier is not None:
                yield from _narrower(where, earlier.rules, field.rules)


def _narrower(where: str, before: object, now: object) -> Iterator[str]:
    was, is_now = rules.constraint(before, where).keywords, rules.constraint(now, where).keywords
    for keyword in _LOWER:
        if keyword in is_now and is_now[keyword] > was.get(keyword, float("-inf")):
            yield f"{where}: {keyword} is {is_now[keyword]}, it was {was.get(keyword, 'not limited')}"
    for keyword in _UPPER:
        if keyword in is_now and is_now[keyword] < was.get(keyword, float("inf")):
            yield f"{where}: {keyword} is {is_now[keyword]}, it was {was.get(keyword, 'not limited')}"


def _events(old: Contract, new: Contract) -> Iterator[str]:
    for before in old.public_events():
        now = new.messages.get(before.full_name)
        if now is None:
            continue  # buf says so
        if not now.public:
            yield f"{before.full_name}: agencies got this event, now it is internal"
            continue
        if before.public_key != now.public_key:
            yield f"{before.full_name}: agencies' routing key was {before.public_key}, now {now.public_key}"
        for name in _hidden(before, now):
            yield f"{before.full_name}.{name}: agencies saw this field, now it is personal"


def _hidden(before: Message, now: Message) -> list[str]:
    shown = {f.name for f in now.shown}
    there = {f.name for f in now.fields}
    return [f.name for f in before.shown if f.name in there - shown]
