"""What would change between two forms of a resource, field by field. Knows messages in their JSON form; makes no call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

OUTPUT_ONLY = ("etag", "missing_components")


@dataclass(frozen=True, slots=True)
class Change:
    """One field: `old` is None where it is new, `new` is None where it goes."""

    path: str
    old: str | None
    new: str | None


def changes(old: Message | None, new: Message) -> list[Change]:
    """The fields that differ, in the order of the new form, then those that go. Output-only fields are left out."""
    before, after = _flat(old), _flat(new)
    found = [Change(p, before.get(p), text) for p, text in after.items() if before.get(p) != text]
    return found + [Change(p, text, None) for p, text in before.items() if p not in after]


def _flat(message: Message | None) -> dict[str, str]:
    if message is None:
        return {}
    whole = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return dict(_leaves("", {key: value for key, value in whole.items() if key not in OUTPUT_ONLY}))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, item)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{_key(item, index)}]", item)
    else:
        yield path, _text(value)


def _key(item: Any, index: int) -> str:
    """Entries with an id are known by it, so that one more in the middle is one change."""
    key = item.get("id") if isinstance(item, dict) else None
    return key if isinstance(key, str) else str(index)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
