"""Validation rules (buf.validate) as JSON Schema keywords, and which fields a request must carry.

Knows protovalidate's rules and JSON Schema 2020-12. A rule that has no translation here raises ValueError, so that the
documents never stay silent about one; the equivalence with protovalidate itself is tested (tests/contract/apidocs).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from buf.validate import validate_pb2

from mpp_apidocs.contract import Field

# What mpp_chassis.bounds refuses in every string of a request, whatever its own rules are: control characters but tab
# and line ends, line separators, and what turns the direction of the text after it.
VISIBLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$"
_LONG = ("int64", "uint64", "sint64", "fixed64", "sfixed64")
_FORMATS = {"uuid": "uuid", "email": "email", "hostname": "hostname", "uri": "uri", "ipv4": "ipv4", "ipv6": "ipv6"}
_Keyword = Callable[[Any], dict[str, Any]]
_STRING: Mapping[str, _Keyword] = {
    "pattern": lambda v: {"pattern": v},
    "min_len": lambda v: {"minLength": v},
    "max_len": lambda v: {"maxLength": v},
    "len": lambda v: {"minLength": v, "maxLength": v},
    "in": lambda v: {"enum": list(v)},
    "not_in": lambda v: {"not": {"enum": list(v)}},
    "const": lambda v: {"const": v},
    "prefix": lambda v: {"pattern": "^" + re.escape(v)},
    **{rule: (lambda _v, f=name: {"format": f}) for rule, name in _FORMATS.items()},  # type: ignore[misc]
}
_NUMBER: Mapping[str, _Keyword] = {
    "gte": lambda v: {"minimum": v},
    "lte": lambda v: {"maximum": v},
    "gt": lambda v: {"exclusiveMinimum": v},
    "lt": lambda v: {"exclusiveMaximum": v},
    "in": lambda v: {"enum": list(v)},
    "const": lambda v: {"const": v},
}
_REPEATED: Mapping[str, _Keyword] = {
    "min_items": lambda v: {"minItems": v},
    "max_items": lambda v: {"maxItems": v},
    "unique": lambda v: {"uniqueItems": v},
}
_MAP: Mapping[str, _Keyword] = {
    "min_pairs": lambda v: {"minProperties": v},
    "max_pairs": lambda v: {"maxProperties": v},
}


@dataclass
class Constraint:
    """Keywords for the field's value, for the items of a list or the values of a map, and what only words can say."""

    keywords: dict[str, Any] = field(default_factory=dict)
    items: Any = None  # FieldRules of the items or the map's values
    allowed: frozenset[int] | None = None  # numbers of an enum's values; None: all
    refused: frozenset[int] = frozenset()
    notes: list[str] = field(default_factory=list)


def constraint(rules: Any, where: str) -> Constraint:
    """Translate one field's rules. Raises ValueError naming `where` for a rule without a translation."""
    out = Constraint()
    if rules.ignore == validate_pb2.IGNORE_ALWAYS:
        return out
    for cel in rules.cel:
        out.notes.append(cel.message or cel.expression)
    kind = rules.WhichOneof("type")
    if kind is None:
        return out
    for descriptor, value in getattr(rules, kind).ListFields():
        _add(out, kind, descriptor.name, value, where)
    if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE and kind == "string" and out.keywords:
        out.keywords = {"anyOf": [{"const": ""}, out.keywords]}
    return out


def _add(out: Constraint, kind: str, rule: str, value: Any, where: str) -> None:
    if rule == "example":
        return
    if kind == "enum":
        _add_enum(out, rule, value, where)
    elif kind in ("timestamp", "duration", "field_mask", "any"):
        out.notes.append(f"{rule}: {str(value).strip()}".replace("\n", " "))
    elif kind in ("repeated", "map") and rule in ("items", "values"):
        out.items = value
    elif kind == "map" and rule == "keys":
        out.keywords["propertyNames"] = constraint(value, where).keywords
    elif kind == "bool" and rule == "const":
        out.keywords["const"] = value
    elif kind in _LONG:
        _add_long(out, rule, value)
    else:
        table = {"string": _STRING, "bytes": {}, "repeated": _REPEATED, "map": _MAP}.get(kind, _NUMBER)
        if rule not in table:
            raise ValueError(f"{where}: the rule {kind}.{rule} has no translation in mpp_apidocs.rules")
        out.keywords.update(table[rule](value))


def _add_enum(out: Constraint, rule: str, value: Any, where: str) -> None:
    if rule == "in":
        out.allowed = frozenset(value)
    elif rule == "const":
        out.allowed = frozenset([value])
    elif rule == "not_in":
        out.refused = frozenset(value)
    elif rule != "defined_only":
        raise ValueError(f"{where}: the rule enum.{rule} has no translation in mpp_apidocs.rules")


def _add_long(out: Constraint, rule: str, value: int) -> None:
    """64-bit numbers are strings in JSON: only `not negative` and `positive` can be said by a keyword."""
    if (rule, value) in (("gte", 0), ("gt", -1)):
        out.keywords["pattern"] = "^[0-9]+$"
    elif (rule, value) in (("gte", 1), ("gt", 0)):
        out.keywords["pattern"] = "^0*[1-9][0-9]*$"
    else:
        out.notes.append(f"{rule}: {value}")


def needed(one: Field) -> bool:
    """Whether a request without this field is refused, because its default breaks a rule."""
    rules = one.rules
    if rules.ignore != validate_pb2.IGNORE_UNSPECIFIED:
        return False
    if rules.required:
        return True
    kind = rules.WhichOneof("type")
    if one.presence or kind is None:
        return False
    given = {d.name: v for d, v in getattr(rules, kind).ListFields()}
    if kind == "string":
        return _refuses_empty(given)
    if kind == "enum":
        return _refuses_zero(given)
    if kind in ("repeated", "map"):
        return bool(given.get("min_items") or given.get("min_pairs"))
    if kind in ("bool", "bytes"):
        return bool(given.get("const") or given.get("min_len"))
    return _refuses_zero(given)


def _refuses_empty(given: Mapping[str, Any]) -> bool:
    return bool(
        given.get("min_len")
        or given.get("len")
        or any(given.get(rule) for rule in (*_FORMATS, "const", "prefix", "suffix", "contains"))
        or ("pattern" in given and not re.search(given["pattern"], ""))
        or ("in" in given and "" not in given["in"])
        or "" in given.get("not_in", ())
    )


def _refuses_zero(given: Mapping[str, Any]) -> bool:
    return bool(
        given.get("gte", 0) > 0
        or given.get("gt", -1) >= 0
        or given.get("lte", 0) < 0
        or given.get("lt", 1) <= 0
        or given.get("const")
        or ("in" in given and 0 not in given["in"])
        or 0 in given.get("not_in", ())
    )
