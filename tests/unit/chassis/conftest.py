"""Every event and every RPC of the platform, found in the generated code, and Hypothesis strategies made of descriptors."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import mpp
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st
from mpp_chassis.events import EventType, event_types


def proto_modules(ending: str) -> Iterator[Any]:
    """Generated modules of every service whose name ends so."""
    for package in pkgutil.iter_modules(mpp.__path__):
        inner = importlib.import_module(f"mpp.{package.name}.v1")
        for module in pkgutil.iter_modules(inner.__path__):
            if module.name.endswith(ending):
                yield importlib.import_module(f"mpp.{package.name}.v1.{module.name}")


EVENTS: list[EventType] = [kind for module in proto_modules("events_pb2") for kind in event_types(module)]
METHODS: list[MethodDescriptor] = [
    method
    for module in proto_modules("_service_pb2")
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
NAME = "sites/{site}/agencies/dukcapil"

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32, allow_nan=False),
}


@st.composite
def filled(draw: st.DrawFn, message: type[Message], depth: int = 2) -> Message:
    """A message with any fields set to any legal values."""
    found = message()
    if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        # What the JSON form can say: years 1 to 9999.
        found.seconds = draw(st.integers(-62_135_596_800, 253_402_300_799))  # type: ignore[attr-defined]
        found.nanos = draw(st.integers(0, 999_999_999))  # type: ignore[attr-defined]
        return found
    for field in message.DESCRIPTOR.fields:
        if draw(st.booleans()):
            _fill(draw, found, field, depth)
    return found


def _fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    there = getattr(message, field.name)
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry or depth == 0:
            return
        for target in [there] if not field.is_repeated else [there.add() for _ in range(draw(st.integers(0, 2)))]:
            target.CopyFrom(draw(filled(type(target), depth - 1)))
            target.SetInParent()
        return
    values = _scalar(field)
    if field.is_repeated:
        there.extend(draw(st.lists(values, max_size=2)))
    else:
        setattr(message, field.name, draw(values))


def _scalar(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        assert field.enum_type is not None
        return st.sampled_from([v.number for v in field.enum_type.values])
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=20)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    return _INTEGERS[field.cpp_type]


def personal_paths(descriptor: Descriptor, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, ...]]:
    """Paths of all fields marked personal, however deep: an own walk, not the chassis'."""
    from mpp.options.v1 import options_pb2

    for field in descriptor.fields:
        if field.GetOptions().Extensions[options_pb2.personal]:
            yield (field.name,)
        elif field.message_type is not None and field.message_type.full_name not in seen:
            for path in personal_paths(field.message_type, seen | {descriptor.full_name}):
                yield (field.name, *path)
