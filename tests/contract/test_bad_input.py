"""Bad input on every RPC: the field is named and nothing is written. Generated from the descriptors: an RPC that is
added tomorrow is covered without a new test.

For each RPC and each field with a rule, a request that is good but for this field is sent to the running service.
"""

from __future__ import annotations

import importlib
import re._parser as sre_parser  # type: ignore[import-untyped]  # from 3.11 on
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from buf.validate import validate_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp_chassis.events import extension
from mpp_chassis.policy import policy_of
from mpp_chassis.server import violations

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(p.parent.name for p in (ROOT / "services").glob("*/pyproject.toml"))
LONG = "x" * 6000
# Values that some rule should refuse, by kind of field.
BAD: dict[int, list[Any]] = {
    FieldDescriptor.TYPE_STRING: [
        "",
        "no such name",
        "sites/../x",
        "sites/malang\n",
        LONG,
        "'; drop table--",
        "\u202e",
    ],
    FieldDescriptor.TYPE_INT32: [-1, 2**31 - 1],
    FieldDescriptor.TYPE_INT64: [-1],
    FieldDescriptor.TYPE_ENUM: [0, 99],
    FieldDescriptor.TYPE_UINT32: [],
    FieldDescriptor.TYPE_BOOL: [],
}
GUESSES: list[Any] = [
    str(uuid.UUID(int=7)), "malang", "Teks / text", "1234567890123456", "123456", "+628123456789",
    "35.73", "Asia/Jakarta", "2022-12-05", "08:00", "D", "light",
    "https://agency.example/hook", "",
]  # fmt: skip


def fitting(pattern: str) -> str:
    """The plainest text that a rule's pattern takes, so that no list of good names is kept: `sites/malang` needs no entry,
    and neither does a service that is added tomorrow.
    """
    return "".join(_plainest(step) for step in sre_parser.parse(pattern))


def _plainest(step: Any) -> str:
    kind, given = str(step[0]), step[1]
    if kind == "LITERAL":
        return chr(given)
    if kind == "IN":
        first = next(one for one in given if str(one[0]) in ("LITERAL", "RANGE"))
        return chr(first[1] if str(first[0]) == "LITERAL" else first[1][0])
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        least, _, inside = given
        return "".join(_plainest(one) for one in inside) * least
    if kind == "SUBPATTERN":
        return "".join(_plainest(one) for one in given[3])
    if kind == "BRANCH":
        return "".join(_plainest(one) for one in given[1][0])
    assert kind == "AT", f"no text is known for {kind}"
    return ""


def methods() -> Iterator[Any]:
    for service in SERVICES:
        for file in sorted((ROOT / "proto" / "mpp" / service / "v1").glob("*_service.proto")):
            module = importlib.import_module(f"mpp.{service}.v1.{file.stem}_pb2")
            for descriptor in module.DESCRIPTOR.services_by_name.values():
                for method in descriptor.methods:
                    yield pytest.param(service, method, id=method.full_name.removeprefix("mpp."))


def good(descriptor: Any, depth: int = 0) -> Any:
    """A message that breaks no rule, found by trying values until the validator is content."""
    message = message_factory.GetMessageClass(descriptor)()
    if depth > 8:
        return message
    for field in descriptor.fields:
        if field.type == field.TYPE_MESSAGE and not field.is_repeated and not field.message_type.GetOptions().map_entry:
            getattr(message, field.name).CopyFrom(good(field.message_type, depth + 1))
    for field in descriptor.fields:
        if field.is_repeated or field.type == field.TYPE_MESSAGE:
            continue
        for guess in _guesses(field):
            setattr(message, field.name, guess)
            if not [f for f, _ in violations(message) if f.split(".")[0].split("[")[0] == field.name]:
                break
    for field in descriptor.fields:
        if field.is_repeated and [f for f, _ in violations(message) if f == field.name]:
            getattr(message, field.name).append(_good_entry(field, depth))
    return message


def _good_entry(field: Any, depth: int) -> Any:
    """Of a list that must not be empty."""
    if field.type == field.TYPE_MESSAGE:
        return good(field.message_type, depth + 1)
    pattern = extension(field, validate_pb2.field).repeated.items.string.pattern
    return fitting(pattern) if pattern else 3 if field.type == field.TYPE_INT32 else "malang"


def _guesses(field: Any) -> list[Any]:
    if field.type == field.TYPE_STRING:
        pattern = extension(field, validate_pb2.field).string.pattern
        return [fitting(pattern), *GUESSES] if pattern else GUESSES
    if field.type == field.TYPE_ENUM:
        return [v.number for v in field.enum_type.values]
    if field.type == field.TYPE_BOOL:
        return [False]
    return [1, 0, 7]


def bad_requests(method: MethodDescriptor) -> Iterator[tuple[str, Any]]:
    """(field, request) pairs where the validator objects to this very field."""
    base = good(method.input_type)
    assert not violations(base), f"cannot build a good {method.input_type.name}: {violations(base)}"
    for path, holder in _holders(base):
        for field in holder.DESCRIPTOR.fields:
            for request in _spoilt(base, path, field):
                name = ".".join([*path, field.name])
                if any(f == name for f, _ in violations(request)):
                    yield name, request


def _spoilt(base: Any, path: tuple[str, ...], field: Any) -> Iterator[Any]:
    """Copies of `base` with one field spoilt: a bad value, or a message that must be there taken away."""
    if field.is_repeated:
        return
    is_message = field.type == field.TYPE_MESSAGE
    for value in [None] if is_message else BAD.get(field.type, []):
        request = type(base)()
        request.CopyFrom(base)
        target = request
        for step in path:
            target = getattr(target, step)
        if is_message:
            target.ClearField(field.name)
        else:
            setattr(target, field.name, value)
        yield request


def _holders(message: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE and not field.is_repeated:
            yield from _holders(value, (*path, field.name))


def status_of(error: grpc.RpcError) -> tuple[str, list[str], str]:
    """(code, named fields, reason) of an error as a client unpacks it."""
    status = rpc_status.from_call(error)
    fields, reason = [], ""
    for detail in status.details if status else ():
        bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
        if detail.Unpack(bad):
            fields += [v.field for v in bad.field_violations]
        if detail.Unpack(info):
            reason = info.reason
    return error.code().name, fields, reason


def census(database: Any) -> dict[str, int]:
    kept = ("leases", "audit", "service_times")  # what sweeps write, whatever is called
    return {c: database[c].count_documents({}) for c in sorted(database.list_collection_names()) if c not in kept}


@pytest.mark.stack
@pytest.mark.parametrize(("service", "method"), list(methods()))
def test_a_bad_field_is_named_and_nothing_is_written(services: Any, service: str, method: MethodDescriptor) -> None:
    services.service(service)
    policy = policy_of(method)
    metadata = []
    if not policy.anonymous:
        role = sorted(policy.grants)[0]
        metadata = services.auth(role, site="malang", agency="dukcapil", counter=3)
    call = services.channel(service).unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    before = census(services.database(service))
    tried = set()
    for field, request in bad_requests(method):
        with pytest.raises(grpc.RpcError) as caught:
            call(request, metadata=metadata, timeout=30)
        code, fields, reason = status_of(caught.value)
        assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_FIELD"), f"{field}: {code} {reason}"
        assert field in fields, f"{field} is not among {fields}"
        tried.add(field)
    assert tried, "no field of this request has a rule"
    if policy.mutating:
        assert "request_id" in tried
    assert census(services.database(service)) == before


@pytest.mark.stack
@pytest.mark.parametrize("service", SERVICES)
def test_bytes_that_are_no_message_are_refused(services: Any, service: str) -> None:
    services.service(service)
    found = [p.values for p in methods() if p.values[0] == service]
    for _, method in found:
        call = services.channel(service).unary_unary(f"/{method.containing_service.full_name}/{method.name}")
        policy = policy_of(method)
        role = sorted(policy.grants)[0] if not policy.anonymous else "citizen"
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff\xff garbage", metadata=services.auth(role, site="malang", agency="dukcapil"), timeout=30)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
