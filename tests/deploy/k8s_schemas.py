"""Validates objects against the Kubernetes API's own schemas, as the package kubernetes-validate ships them.

Its own `validate` reads 2 MB of definitions anew for each object; here they are read once a version.
"""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import Any

import jsonschema
from referencing import Registry, Resource

Object = dict[str, Any]


def complaints(one: Object, version: str) -> list[str]:
    """What `one` breaks of the strict schema (unknown fields too). Raises FileNotFoundError for an unknown kind."""
    group = re.sub(r"^([^./]*)[^/]*/", r"\1-", one["apiVersion"])  # rbac.authorization.k8s.io/v1: rbac-v1
    name = f"{one['kind'].lower()}-{group}"
    found = _validator(version, name).iter_errors(one)
    return [f"{one['kind']} {one['metadata']['name']}: {'.'.join(map(str, e.path))}: {e.message[:200]}" for e in found]


@functools.cache
def _validator(version: str, name: str) -> Any:
    schema = _read(version, name)
    registry: Registry[Any] = Resource.from_contents(schema) @ _definitions(version)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@functools.cache
def _definitions(version: str) -> Registry[Any]:
    return (Resource.from_contents(_read(version, "_definitions")) @ Registry()).crawl()


def _read(version: str, name: str) -> Any:
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    return json.loads((folder / f"{name}.json").read_text())
