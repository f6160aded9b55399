"""JSON Schema validation against a component of one of the two documents. Knows jsonschema; knows no service."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs" / "api"


def document(name: str) -> dict[str, Any]:
    return dict(json.loads((DOCS / name).read_text(encoding="utf-8")))


def validator(schema: dict[str, Any], whole: dict[str, Any]) -> Draft202012Validator:
    """`schema` may refer to the components of `whole`."""
    held = {**schema, "components": whole["components"]}
    return Draft202012Validator(held, format_checker=FormatChecker())


def faults(schema: dict[str, Any], whole: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with `value`, a line each; empty when nothing is."""
    found = validator(schema, whole).iter_errors(value)
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in found]


def strict(whole: dict[str, Any]) -> dict[str, Any]:
    """The document with every object closed: a field that is not described is a fault. For what we ourselves print."""
    closed = copy.deepcopy(whole)

    def close(schema: Any) -> None:
        if isinstance(schema, dict):
            if "properties" in schema and "additionalProperties" not in schema:
                schema["additionalProperties"] = False
            for inside in schema.values():
                close(inside)
        elif isinstance(schema, list):
            for inside in schema:
                close(inside)

    for name, schema in closed["components"]["schemas"].items():
        if name.startswith("mpp."):
            close(schema)
    return closed


def operations(openapi: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """`QueueService.TakeTicket` -> (verb, path, operation)."""
    found = {}
    for path, verbs in openapi["paths"].items():
        for verb, operation in verbs.items():
            name = operation["operationId"].replace("_", ".")
            found.setdefault(name, (verb, path, operation))
    return found
