"""A google.api.http path as an OpenAPI path: `/v1/{name=sites/*/queues/*}` is `/v1/sites/{site}/queues/{queue}`.

Knows the template language (google/api/http.proto) as far as our protos use it, and refuses the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_VARIABLE = re.compile(r"\{([a-z_.]+)(?:=([^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One segment of the path that a client fills in."""

    name: str
    pattern: str
    collection: str  # `sites`; empty when the segment follows no literal


@dataclass(frozen=True, slots=True)
class HttpPath:
    template: str
    parameters: tuple[Parameter, ...]
    bound: Mapping[str, str]  # field of the request -> its shape, `sites/{site}/queues/{queue}`


def http_path(path: str, patterns: Mapping[str, str]) -> HttpPath:
    """Translate `path`; `patterns` holds the rule of each bound field, split among its segments.

    Raises ValueError for `**` and for two parameters of one name.
    """
    parameters: list[Parameter] = []
    bound: dict[str, str] = {}

    def fill(match: re.Match[str]) -> str:
        field, shape = match[1], match[2] or "*"
        segments = shape.split("/")
        if "**" in segments:
            raise ValueError(f"{path}: `**` has no OpenAPI form")
        rules = _segments(patterns.get(field, ""), len(segments))
        out = []
        for i, segment in enumerate(segments):
            if segment != "*":
                out.append(segment)
                continue
            collection = segments[i - 1] if i else ""
            name = singular(collection) if collection else field
            parameters.append(Parameter(name, rules[i], collection))
            out.append(f"{{{name}}}")
        bound[field] = "/".join(out)
        return bound[field]

    template = _VARIABLE.sub(fill, path)
    names = [p.name for p in parameters]
    if len(set(names)) < len(names):
        raise ValueError(f"{path}: two segments would be named alike: {names}")
    return HttpPath(template, tuple(parameters), bound)


def _segments(pattern: str, count: int) -> list[str]:
    """`^sites/[a-z]+$` -> [`^sites$`, `^[a-z]+$`]; anything but a slash where the rule cannot be split so."""
    parts = pattern.removeprefix("^").removesuffix("$").split("/")
    if not pattern.startswith("^") or not pattern.endswith("$") or len(parts) != count:
        return ["^[^/]+$"] * count
    return [f"^{part}$" for part in parts]


def singular(collection: str) -> str:
    """`agencies` -> `agency`, `sites` -> `site`."""
    if collection.endswith("sses"):
        return collection[:-2]
    return collection[:-3] + "y" if collection.endswith("ies") else collection.removesuffix("s")
