"""Generated classes of other versions of the contract, each in a pool of its own: of a release, and of a future.

Knows descriptors. An old and a new class of one message live side by side, as they would in two processes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from mpp_chassis.events import EventType, event_type

ROOT = Path(__file__).resolve().parents[3]
RELEASES = ROOT / "proto" / "releases"


def of_release(image: Path) -> descriptor_pool.DescriptorPool:
    """The pool of a release: what a consumer has that was generated from it."""
    return pool_of(descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes()).file)


def pool_of(files: Iterable[Any]) -> descriptor_pool.DescriptorPool:
    """A pool with these files; each after those that it imports."""
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def message_class(pool: descriptor_pool.DescriptorPool, name: str) -> type[Message]:
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def events_now() -> dict[str, EventType]:
    """The events of this checkout, by full name."""
    found = {}
    for file in sorted((ROOT / "proto" / "mpp").glob("*/v1/events.proto")):
        module = importlib.import_module(f"mpp.{file.parent.parent.name}.v1.events_pb2")
        for name in module.DESCRIPTOR.message_types_by_name:
            kind = event_type(getattr(module, name))
            found[kind.message.DESCRIPTOR.full_name] = kind
    return found


def as_kind(kind: EventType, message: type[Message]) -> EventType:
    """The same event for a consumer whose classes are of another version."""
    return EventType(kind.source, kind.name, kind.version, message, kind.public, kind.personal)


def grown() -> descriptor_pool.DescriptorPool:
    """A future of this checkout: each message has a new field, each enum a new value, each event a new nested message."""
    files: dict[str, Any] = {}

    def collect(descriptor: Any) -> None:
        if descriptor.name in files:
            return
        for dependency in descriptor.dependencies:
            collect(dependency)
        files[descriptor.name] = descriptor_pb2.FileDescriptorProto.FromString(descriptor.serialized_pb)

    for kind in events_now().values():
        collect(kind.message.DESCRIPTOR.file)
    for name, file in files.items():
        if name.startswith("mpp/") and "options" not in name:
            for message in file.message_type:
                _grow(message, f".{file.package}.{message.name}")
            for enum in file.enum_type:
                enum.value.add(name=f"{enum.name.upper()}_OF_TOMORROW", number=999)
    return pool_of(files.values())


def _grow(message: Any, full_name: str) -> None:
    kinds = descriptor_pb2.FieldDescriptorProto
    for enum in message.enum_type:
        enum.value.add(name=f"{enum.name.upper()}_OF_TOMORROW", number=999)
    for nested in message.nested_type:
        if not nested.options.map_entry:
            _grow(nested, f"{full_name}.{nested.name}")
    inside = message.nested_type.add(name="Tomorrow")
    inside.field.add(name="what", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL, json_name="what")
    optional = kinds.LABEL_OPTIONAL
    message.field.add(name="news", number=9001, type=kinds.TYPE_STRING, label=optional, json_name="news")
    message.field.add(
        name="tomorrow",
        number=9002,
        type=kinds.TYPE_MESSAGE,
        type_name=f"{full_name}.Tomorrow",
        label=optional,
        json_name="tomorrow",
    )
    message.field.add(name="more", number=9003, type=kinds.TYPE_INT64, label=kinds.LABEL_REPEATED, json_name="more")


def fill(message: Message, depth: int = 0) -> Any:
    """Put a value into every field, so that nothing gets lost unseen. Enums get their last value."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        target = getattr(message, field.name)
        if field.message_type is not None:
            if depth < 6:
                fill(target.add() if field.is_repeated else target, depth + 1)
            continue
        value = _value(field)
        if field.is_repeated:
            target.append(value)
        elif field.name != "nanos":
            setattr(message, field.name, value)
    return message


def _value(field: Any) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    if field.type == field.TYPE_STRING:
        return f"{field.name} 1"
    if field.type == field.TYPE_BOOL:
        return True
    return 7
