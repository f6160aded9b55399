"""The contract as the protos state it: services, messages, enums, events, with their comments and our options.

Knows descriptor sets. Knows nothing of OpenAPI or AsyncAPI. Read from the protos (`read`) or from the image of an
earlier release (`read_image`; such an image carries no comments).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from buf.validate import validate_pb2
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from mpp.options.v1 import options_pb2

ROOT = Path(__file__).resolve().parents[3]
_TYPES = descriptor_pb2.FieldDescriptorProto.Type
_OPTIONAL, _REPEATED = 1, 3
# Numbers of descriptor.proto by which source_code_info names its places.
_MESSAGE, _ENUM, _SERVICE, _NESTED, _NESTED_ENUM, _FIELD, _METHOD, _VALUE = 4, 5, 6, 3, 4, 2, 2, 2
VERBS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Field:
    """A field. `kind` is protobuf's name of the type in lower case; `type_name` is set for messages and enums."""

    name: str
    json_name: str
    kind: str
    type_name: str
    repeated: bool
    presence: bool  # declared `optional`, or a message: absent and default differ
    comment: str
    rules: Any  # buf.validate.FieldRules; empty when there are none
    personal: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """Fields of which at most one is given; exactly one when `required`."""

    name: str
    fields: tuple[str, ...]  # by their JSON names
    required: bool


@dataclass(frozen=True, slots=True)
class Message:
    full_name: str
    package: str
    comment: str
    fields: tuple[Field, ...]
    map_entry: bool
    rules: Any  # buf.validate.MessageRules
    audience: int  # of an event; AUDIENCE_UNSPECIFIED for every other message
    oneofs: tuple[OneOf, ...] = ()

    @property
    def name(self) -> str:
        return self.full_name.removeprefix(f"{self.package}.")

    @property
    def public(self) -> bool:
        return bool(self.audience == options_pb2.AUDIENCE_PUBLIC)

    @property
    def service(self) -> str:
        """`queue` of `mpp.queue.v1`."""
        return self.package.split(".")[1]

    @property
    def version(self) -> str:
        return self.package.split(".")[2]

    @property
    def shown(self) -> tuple[Field, ...]:
        """Fields that agencies see."""
        return tuple(f for f in self.fields if not f.personal)

    @property
    def public_key(self) -> str:
        """Routing key for agencies, by the rule of mpp_chassis.events."""
        key = re.sub(r"(?<!^)(?=[A-Z])", "_", self.name).lower() + f".{self.version}"
        return f"{key}.public" if len(self.shown) < len(self.fields) else key


@dataclass(frozen=True, slots=True)
class Enum:
    full_name: str
    values: tuple[tuple[str, int, str], ...]  # name, number, comment
    comment: str


@dataclass(frozen=True, slots=True)
class Binding:
    """One HTTP form of a method, from its google.api.http annotation."""

    verb: str
    path: str
    body: str


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    service: str  # full name
    request: str
    response: str
    streams: bool
    bindings: tuple[Binding, ...]
    anonymous: bool
    mutating: bool
    grants: Mapping[str, str]  # role -> scope, lower case
    comment: str

    @property
    def operation(self) -> str:
        """`QueueService.TakeTicket`."""
        return f"{self.service.rsplit('.', 1)[1]}.{self.name}"

    @property
    def grpc_path(self) -> str:
        return f"/{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Service:
    full_name: str
    package: str
    comment: str
    methods: tuple[Method, ...]

    @property
    def name(self) -> str:
        return self.full_name.rsplit(".", 1)[1]


@dataclass
class Contract:
    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)

    def methods(self) -> Iterator[Method]:
        for service in self.services:
            yield from service.methods

    def public_events(self) -> list[Message]:
        return sorted((m for m in self.messages.values() if m.public), key=lambda m: m.full_name)


def read(proto: Path = ROOT / "proto") -> Contract:
    """The contract of the protos in this checkout, comments included. Raises CalledProcessError when they do not compile."""
    sources = sorted(str(p.relative_to(proto)) for p in (proto / "mpp").rglob("*.proto"))
    include = [f"-I{proto}", f"-I{proto / 'third_party'}", f"-I{files('grpc_tools') / '_proto'}"]
    with tempfile.TemporaryDirectory() as tmp:
        out = Path(tmp) / "set.binpb"
        command = [sys.executable, "-m", "grpc_tools.protoc", *include, "--include_imports", "--include_source_info"]
        subprocess.run([*command, f"--descriptor_set_out={out}", *sources], check=True)
        return read_image(out)


def read_image(file: Path) -> Contract:
    """The contract in a serialized FileDescriptorSet (a buf image is one too)."""
    contract = Contract()
    for one in descriptor_pb2.FileDescriptorSet.FromString(file.read_bytes()).file:
        _read_file(one, contract)
    contract.services.sort(key=lambda s: s.full_name)
    return contract


def _read_file(file: Any, contract: Contract) -> None:
    comments = _comments(file)
    for i, message in enumerate(file.message_type):
        _read_message(message, file.package, file.package, (_MESSAGE, i), comments, contract)
    for i, enum in enumerate(file.enum_type):
        _read_enum(enum, file.package, (_ENUM, i), comments, contract)
    for i, service in enumerate(file.service):
        full_name = f"{file.package}.{service.name}"
        methods = tuple(
            _method(m, full_name, comments.get((_SERVICE, i, _METHOD, j), "")) for j, m in enumerate(service.method)
        )
        contract.services.append(Service(full_name, file.package, comments.get((_SERVICE, i), ""), methods))


def _comments(file: Any) -> dict[tuple[int, ...], str]:
    found = {}
    for place in file.source_code_info.location:
        if text := (place.leading_comments or place.trailing_comments).strip():
            found[tuple(place.path)] = re.sub(r"\s*\n\s*", " ", text)
    return found


def _read_message(
    message: Any, scope: str, package: str, path: tuple[int, ...], comments: Mapping[Any, str], contract: Contract
) -> None:
    full_name = f"{scope}.{message.name}"
    fields = tuple(_field(f, comments.get((*path, _FIELD, i), "")) for i, f in enumerate(message.field))
    contract.messages[full_name] = Message(
        full_name,
        package,
        comments.get(path, ""),
        fields,
        message.options.map_entry,
        message.options.Extensions[validate_pb2.message],
        message.options.Extensions[options_pb2.event].audience,
        tuple(_oneofs(message)),
    )
    for i, nested in enumerate(message.nested_type):
        _read_message(nested, full_name, package, (*path, _NESTED, i), comments, contract)
    for i, enum in enumerate(message.enum_type):
        _read_enum(enum, full_name, (*path, _NESTED_ENUM, i), comments, contract)


def _oneofs(message: Any) -> Iterator[OneOf]:
    for i, oneof in enumerate(message.oneof_decl):
        inside = [f for f in message.field if f.HasField("oneof_index") and f.oneof_index == i]
        if not any(f.proto3_optional for f in inside):  # else it only carries the presence of one field
            required = oneof.options.Extensions[validate_pb2.oneof].required
            yield OneOf(oneof.name, tuple(f.json_name for f in inside), required)


def _field(f: Any, comment: str) -> Field:
    kind = _TYPES.Name(f.type).removeprefix("TYPE_").lower()
    return Field(
        f.name,
        f.json_name,
        kind,
        f.type_name.lstrip("."),
        f.label == _REPEATED,
        f.proto3_optional or (kind == "message" and f.label != _REPEATED) or f.HasField("oneof_index"),
        comment,
        f.options.Extensions[validate_pb2.field],
        bool(f.options.Extensions[options_pb2.personal]),
    )


def _read_enum(enum: Any, scope: str, path: tuple[int, ...], comments: Mapping[Any, str], contract: Contract) -> None:
    full_name = f"{scope}.{enum.name}"
    values = tuple((v.name, v.number, comments.get((*path, _VALUE, i), "")) for i, v in enumerate(enum.value))
    contract.enums[full_name] = Enum(full_name, values, comments.get(path, ""))


def _method(method: Any, service: str, comment: str) -> Method:
    access = method.options.Extensions[options_pb2.access]
    http = method.options.Extensions[annotations_pb2.http]
    grants = {_plain(options_pb2.Role.Name(g.role)): _plain(options_pb2.Scope.Name(g.scope)) for g in access.grants}
    return Method(
        method.name,
        service,
        method.input_type.lstrip("."),
        method.output_type.lstrip("."),
        method.server_streaming,
        tuple(_bindings(http)),
        access.anonymous,
        access.mutating,
        grants,
        comment,
    )


def _bindings(http: Any) -> Iterator[Binding]:
    verb = http.WhichOneof("pattern")
    if verb is None:
        return
    if verb not in VERBS:
        raise ValueError(f"a custom HTTP verb is not documented: {http}")
    yield Binding(verb, getattr(http, verb), http.body)
    for more in http.additional_bindings:
        yield from _bindings(more)


def _plain(name: str) -> str:
    return name.split("_", 1)[1].lower()
