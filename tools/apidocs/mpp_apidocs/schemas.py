"""JSON Schemas of messages, as protobuf's JSON form prints them (and Envoy's transcoder, and our events).

Knows the JSON mapping: lowerCamel names, enums by name, 64-bit numbers as strings, RFC 3339 times, `3.5s` durations.
Knows no OpenAPI and no AsyncAPI; both are built from these schemas.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mpp_apidocs import rules
from mpp_apidocs.contract import Contract, Enum, Field, Message, OneOf

Schema = dict[str, Any]
_INTEGERS = {
    "int32": (-(2**31), 2**31 - 1),
    "sint32": (-(2**31), 2**31 - 1),
    "sfixed32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "fixed32": (0, 2**32 - 1),
}
_SIGNED_LONG, _UNSIGNED_LONG = ("int64", "sint64", "sfixed64"), ("uint64", "fixed64")
_WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
        "description": "Seconds: `90s`, `1.5s`.",
    },
    "google.protobuf.FieldMask": {
        "type": "string",
        "description": "Paths of fields in lowerCamel, separated by commas.",
    },
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
    "google.protobuf.StringValue": {"type": ["string", "null"]},
    "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
    "google.protobuf.Int32Value": {"type": ["integer", "null"]},
}


def reachable(contract: Contract, names: Iterable[str]) -> set[str]:
    """These messages and all that are inside them."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or name not in contract.messages or name in _WELL_KNOWN:
            continue
        found.add(name)
        waiting += [f.type_name for f in contract.messages[name].fields if f.kind == "message"]
    return found


class Schemas:
    """Collects the component schemas of one document as they are asked for.

    `printed`: messages of which every field without presence is always in the JSON (replies through the gateway).
    `hide_personal`: fields marked personal are left out (public events).
    """

    def __init__(
        self, contract: Contract, base: str, *, printed: Iterable[str] = (), hide_personal: bool = False
    ) -> None:
        self._contract, self._base = contract, base
        self._printed, self._hide = frozenset(printed), hide_personal
        self.components: dict[str, Schema] = {}

    def reference(self, name: str) -> Schema:
        if name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[name])
        if name not in self.components:
            self.components[name] = {}  # a message may hold itself
            if name in self._contract.enums:
                self.components[name] = enum_schema(self._contract.enums[name])
            else:
                self.components[name] = self.message(self._contract.messages[name])
        return {"$ref": f"{self._base}{name}"}

    def message(self, message: Message, without: Iterable[str] = ()) -> Schema:
        """The object schema of a message; `without` names fields that travel elsewhere (in the path)."""
        left_out = frozenset(without)
        fields = [f for f in message.fields if f.name not in left_out and not (self._hide and f.personal)]
        schema: Schema = {"type": "object"}
        if notes := [message.comment, *(c.message or c.expression for c in message.rules.cel)]:
            schema["description"] = " ".join(n for n in notes if n)
        if not schema.get("description"):
            schema.pop("description", None)
        schema["properties"] = {f.json_name: self.field(f, message.full_name) for f in fields}
        if required := [f.json_name for f in fields if self._required(f, message.full_name)]:
            schema["required"] = required
        for oneof in message.oneofs:
            for name in oneof.fields:
                one = schema["properties"][name]
                one["description"] = f"{one.get('description', '')} {choice(oneof)}".strip()
            if oneof.required:
                schema.setdefault("allOf", []).append({"oneOf": [{"required": [name]} for name in oneof.fields]})
        return schema

    def _required(self, one: Field, holder: str) -> bool:
        return rules.needed(one) or (holder in self._printed and not one.presence)

    def field(self, one: Field, holder: str) -> Schema:
        """The schema of a field's value with its rules, description and whether it is personal."""
        where = f"{holder}.{one.name}"
        found = rules.constraint(one.rules, where)
        entry = self._contract.messages.get(one.type_name) if one.kind == "message" else None
        if entry is not None and entry.map_entry:
            value = next(f for f in entry.fields if f.name == "value")
            schema: Schema = {"type": "object", "additionalProperties": self._item(value, found.items, where)}
        elif one.repeated:
            schema = {"type": "array", "items": self._item(one, found.items, where)}
        else:
            schema = self._value(one, found)
        if one.repeated:
            schema.update(found.keywords)
        text = " ".join([one.comment, *found.notes]).strip()
        if text:
            schema["description"] = text
        if one.personal:
            schema["x-mpp-personal"] = True
        return schema

    def _item(self, one: Field, item_rules: Any, where: str) -> Schema:
        found = rules.constraint(item_rules, where) if item_rules is not None else rules.Constraint()
        return self._value(one, found)

    def _value(self, one: Field, found: rules.Constraint) -> Schema:
        if one.kind == "enum":
            return self._enum(one, found)
        if one.kind == "message":
            return self.reference(one.type_name)
        schema = _merge(scalar(one.kind), found.keywords)
        if one.kind == "string" and not schema.keys() & {"pattern", "enum", "const", "format"}:
            schema["pattern"] = rules.VISIBLE
        return schema

    def _enum(self, one: Field, found: rules.Constraint) -> Schema:
        enum = self._contract.enums[one.type_name]
        if found.allowed is None and not found.refused:
            return self.reference(one.type_name)
        names = [
            name
            for name, number, _ in enum.values
            if (found.allowed is None or number in found.allowed) and number not in found.refused
        ]
        return {"type": "string", "enum": names}


def choice(oneof: OneOf) -> str:
    """Which of its fields a message may carry, in a sentence."""
    names = ", ".join(f"`{name}`" for name in oneof.fields)
    return f"{'Exactly' if oneof.required else 'At most'} one of {names}."


def scalar(kind: str) -> Schema:
    """The schema of a scalar protobuf type."""
    if kind in _INTEGERS:
        low, high = _INTEGERS[kind]
        return {"type": "integer", "format": kind, "minimum": low, "maximum": high}
    if kind in _SIGNED_LONG:
        return {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
    if kind in _UNSIGNED_LONG:
        return {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}
    if kind in ("double", "float"):
        return {"type": "number", "format": kind}
    if kind == "bool":
        return {"type": "boolean"}
    if kind == "bytes":
        return {"type": "string", "format": "byte"}
    return {"type": "string"}


def enum_schema(enum: Enum) -> Schema:
    """Names of an enum, with what the protos say of each."""
    schema: Schema = {"type": "string", "enum": [name for name, _, _ in enum.values]}
    lines = [enum.comment, *(f"- `{name}`: {text}" for name, _, text in enum.values if text)]
    if text := "\n".join(line for line in lines if line):
        schema["description"] = text
    return schema


def _merge(base: Schema, keywords: Schema) -> Schema:
    """Rules over a type's own bounds: whole numbers never leave their 32 bits."""
    merged = {**base, **keywords}
    if "exclusiveMinimum" in keywords:
        merged.pop("minimum", None)
    if "exclusiveMaximum" in keywords:
        merged.pop("maximum", None)
    return merged
