"""What is at the edge: every RPC with a `google.api.http` annotation. Knows descriptors; knows nothing of Envoy.

The descriptor set is made from the generated packages `mpp.<service>.v1` of the folders under services/, and can be
written to a file: where the repository is not (an image), the file is the contract.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.rpc import error_details_pb2, status_pb2
from mpp.options.v1 import options_pb2

_VERBS = ("get", "put", "post", "delete", "patch")
_VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=([^}]*))?\}")


class BadContract(Exception):
    """A proto cannot be served at the edge; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to reach an RPC by HTTP/JSON."""

    verb: str  # "POST"
    template: str  # "/v1/{parent=sites/*/queues/*}/tickets"

    @property
    def pattern(self) -> str:
        """A regular expression (RE2) of the paths that the template means."""
        text, start = "", 0
        for variable in _VARIABLE.finditer(self.template):
            text += re.escape(self.template[start : variable.start()])
            segments = re.escape(variable[2] or "*").replace(r"\*\*", ".+").replace(r"\*", "[^/:]+")
            text, start = text + segments, variable.end()
        return text + re.escape(self.template[start:])


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC at the edge."""

    upstream: str  # the service that answers: "queue"
    service: str  # "mpp.queue.v1.QueueService"
    name: str  # "TakeTicket"
    bindings: tuple[Binding, ...]
    anonymous: bool
    mutating: bool
    server_streaming: bool
    client_streaming: bool
    # Anybody, or any citizen, makes something new by it: a ticket, a held time. The edge limits such calls apart.
    creating: bool = False

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"

    @property
    def full_name(self) -> str:
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything at the edge, and the descriptor set that Envoy's transcoder needs."""

    rpcs: tuple[Rpc, ...]
    descriptors: bytes

    @property
    def services(self) -> list[str]:
        """Full names of the proto services."""
        return sorted({rpc.service for rpc in self.rpcs})

    @property
    def upstreams(self) -> list[str]:
        return sorted({rpc.upstream for rpc in self.rpcs})


def from_repository(root: Path) -> Contract:
    """The contract of the folders under services/. A service without an annotated RPC is not at the edge.

    Raises BadContract.
    """
    names = sorted(p.parent.name for p in (root / "services").glob("*/pyproject.toml"))
    files = [file for name in names for file in _files_of(name)]
    return from_descriptors(_serialized([*files, status_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR]))


def from_descriptors(descriptors: bytes) -> Contract:
    """The contract that a descriptor set holds. Raises BadContract."""
    pool = descriptor_pool.DescriptorPool()
    found = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
    for file in found.file:
        pool.Add(file)
    rpcs = [
        rpc
        for file in found.file
        for service in file.service
        for method in pool.FindServiceByName(f"{file.package}.{service.name}").methods
        if (rpc := _rpc(method))
    ]
    _refuse_clashes(rpcs)
    return Contract(tuple(sorted(rpcs, key=lambda rpc: rpc.full_name)), descriptors)


def _files_of(service: str) -> Iterator[FileDescriptor]:
    try:
        package = importlib.import_module(f"mpp.{service}")
    except ModuleNotFoundError:
        return
    for module in pkgutil.walk_packages(package.__path__, f"mpp.{service}."):
        if module.name.endswith("_pb2"):
            yield importlib.import_module(module.name).DESCRIPTOR


def _serialized(files: Iterable[FileDescriptor]) -> bytes:
    """Files and what they import, each after its imports: deterministic."""
    ordered: dict[str, bytes] = {}

    def add(file: FileDescriptor) -> None:
        if file.name not in ordered:
            for imported in file.dependencies:
                add(imported)
            ordered[file.name] = file.serialized_pb

    for file in files:
        add(file)
    everything = descriptor_pb2.FileDescriptorSet()
    for serialized in ordered.values():
        everything.file.add().MergeFromString(serialized)
    return everything.SerializeToString(deterministic=True)


def _rpc(method: MethodDescriptor) -> Rpc | None:
    # Options are read again from their bytes: the ones of a private pool know no extensions of ours.
    options: Any = descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString())
    if not options.HasExtension(annotations_pb2.http):
        return None
    if not options.HasExtension(options_pb2.access):
        raise BadContract(f"{method.full_name} declares no access policy (option mpp.options.v1.access)")
    access = options.Extensions[options_pb2.access]
    service = method.containing_service
    package = service.file.package.split(".")
    if len(package) != 3 or package[0] != "mpp":
        raise BadContract(f"{method.full_name}: its package is not mpp.<service>.v<N>, so nobody knows who answers")
    return Rpc(
        upstream=package[1],
        service=service.full_name,
        name=method.name,
        bindings=tuple(_bindings(method, options.Extensions[annotations_pb2.http])),
        anonymous=access.anonymous,
        mutating=access.mutating,
        server_streaming=method.server_streaming,
        client_streaming=method.client_streaming,
        creating=access.mutating and (access.anonymous or any(_any_citizen(grant) for grant in access.grants)),
    )


def _any_citizen(grant: Any) -> bool:
    """Of what is there already a citizen may change only the own."""
    return bool(grant.role == options_pb2.ROLE_CITIZEN and grant.scope == options_pb2.SCOPE_ANY)


def _bindings(method: MethodDescriptor, rule: http_pb2.HttpRule) -> Iterator[Binding]:
    verb = rule.WhichOneof("pattern")
    if verb not in _VERBS:
        raise BadContract(f"{method.full_name}: an HTTP rule needs one of {', '.join(_VERBS)}")
    yield Binding(verb.upper(), getattr(rule, verb))
    for more in rule.additional_bindings:
        yield from _bindings(method, more)


def _refuse_clashes(rpcs: Iterable[Rpc]) -> None:
    known: dict[tuple[str, str], Rpc] = {}
    for rpc in rpcs:
        for binding in rpc.bindings:
            other = known.setdefault((binding.verb, binding.pattern), rpc)
            if other is not rpc:
                raise BadContract(f"{other.full_name} and {rpc.full_name} share {binding.verb} {binding.template}")
