"""docs/api/openapi.json says what the protos say: every call, every rule, and examples that keep to it."""

from __future__ import annotations

import copy
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor
from mpp_apidocs import contract, openapi
from mpp_apidocs.__main__ import documents
from mpp_apidocs.contract import Contract
from mpp_apidocs.examples import Example, load, load_all
from mpp_apidocs.paths import http_path
from mpp_chassis.server import violations
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.contract.apidocs.calls import dig
from tests.contract.apidocs.schemas import DOCS, ROOT, document, faults, operations, strict
from tests.contract.test_bad_input import bad_requests, good

OPENAPI = document("openapi.json")
CLOSED = strict(OPENAPI)
OPERATIONS = operations(OPENAPI)
EXAMPLES = load_all()


def rpcs() -> dict[str, Any]:
    """Method descriptors of all generated services with an HTTP form, by `Service.Method`."""
    found = {}
    for file in sorted((ROOT / "proto" / "mpp").glob("*/v1/*_service.proto")):
        module = importlib.import_module(f"mpp.{file.parent.parent.name}.v1.{file.stem}_pb2")
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                if b"/v1/" in method.GetOptions().SerializeToString():
                    found[f"{service.name}.{method.name}"] = method
    return found


RPCS = rpcs()


def test_the_committed_documents_are_what_the_protos_and_examples_give() -> None:
    for name, text in documents().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"{name} is stale: run `make proto`"


def test_it_is_openapi_3_1_and_a_broken_copy_is_not() -> None:
    OpenAPIV31SpecValidator(OPENAPI).validate()
    path = "/v1/sites/{site}"
    broken = copy.deepcopy({**OPENAPI, "paths": {path: OPENAPI["paths"][path]}})
    broken["paths"][path]["get"]["responses"]["200"].pop("description")
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_every_rpc_for_browsers_is_documented_and_nothing_else() -> None:
    """An RPC with a second path (an agenda of a queue or of a channel) has a second operation, `Service.Method.1`."""
    assert {".".join(name.split(".")[:2]) for name in OPERATIONS} == set(RPCS)


@pytest.mark.parametrize("name", RPCS)
def test_a_request_needs_just_what_the_validator_needs(name: str) -> None:
    """An empty request: the fields that protovalidate misses are those that the document calls required."""
    method = RPCS[name]
    empty = message_factory.GetMessageClass(method.input_type)()
    missed = {field for field, _ in violations(empty) if "." not in field and "[" not in field}
    assert required_fields(name) | required_choices(name) == missed


def required_choices(name: str) -> set[str]:
    """Oneofs of which the document demands one field."""
    protos = contract_of()
    mine = next(m for m in protos.methods() if m.operation == name)
    schema = OPENAPI["components"]["schemas"].get(mine.request, {})
    told = [{alternative["required"][0] for alternative in one["oneOf"]} for one in schema.get("allOf", ())]
    return {oneof.name for oneof in protos.messages[mine.request].oneofs if set(oneof.fields) in told}


def required_fields(name: str) -> set[str]:
    """What the document asks for, as fields of the proto: from the path, the query and the body."""
    _, _, operation = OPERATIONS[name]
    method = RPCS[name]
    by_json = {f.json_name: f.name for f in method.input_type.fields}
    protos = contract_of()
    mine = next(m for m in protos.methods() if m.operation == name)
    found = set(http_path(mine.bindings[0].path, {}).bound)
    found |= {by_json[p["name"]] for p in operation.get("parameters", ()) if p["in"] == "query" and p["required"]}
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        schema = OPENAPI["components"]["schemas"][body["$ref"].rsplit("/", 1)[1]]
        found |= {by_json[f] for f in schema.get("required", ())}
    return found


_CONTRACT: list[Contract] = []


def contract_of() -> Contract:
    if not _CONTRACT:
        _CONTRACT.append(contract.read())
    return _CONTRACT[0]


def request_faults(name: str, request: Any) -> list[str]:
    """What the document holds against a request, wherever its parts travel."""
    schemas = CLOSED["components"]["schemas"]
    _, _, operation = OPERATIONS[name]
    mine = next(m for m in contract_of().methods() if m.operation == name)
    path = http_path(
        mine.bindings[0].path, {f.name: f.rules.string.pattern for f in contract_of().messages[mine.request].fields}
    )
    values = json_format.MessageToDict(request, always_print_fields_with_no_presence=True)
    by_name = {f.name: f.json_name for f in RPCS[name].input_type.fields}
    found = []
    for field, shape in path.bound.items():
        segments = values.pop(by_name[field]).split("/")
        wanted = shape.split("/")
        if len(segments) != len(wanted):
            found.append(f"{field}: not of the form {shape}")
            continue
        for segment, place in zip(segments, wanted, strict=True):
            rule = next((p.pattern for p in path.parameters if f"{{{p.name}}}" == place), f"^{place}$")
            found += faults({"type": "string", "pattern": rule}, CLOSED, segment)
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        return found + faults(body, {"components": {"schemas": schemas}}, values)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and parameter["name"] in values:
            found += faults(parameter["schema"], CLOSED, values[parameter["name"]])
    return found


@pytest.mark.parametrize("name", RPCS)
def test_what_the_validator_refuses_the_document_forbids_and_what_it_takes_is_allowed(name: str) -> None:
    method = RPCS[name]
    assert request_faults(name, good(method.input_type)) == []
    for field, request in bad_requests(method):
        if _unset_in_json(request, field):
            continue
        assert request_faults(name, request), f"{name}: the document allows a bad {field}"


def _unset_in_json(request: Any, path: str) -> bool:
    """Whether JSON cannot carry the fault: an enum's number without a name is printed as a number all the same."""
    holder = request
    for step in path.split(".")[:-1]:
        holder = getattr(holder, step)
    field: FieldDescriptor = holder.DESCRIPTOR.fields_by_name[path.rsplit(".", 1)[-1]]
    # Python's `$` takes a line's end before the last newline for the end; ECMA's and RE2's do not.
    return field.type == field.TYPE_STRING and str(getattr(holder, field.name)).endswith("\n")


@pytest.mark.parametrize("name", RPCS)
def test_every_operation_has_an_example(name: str) -> None:
    assert [e for e in EXAMPLES if e.operation == name], f"add one to services/<name>/api/examples.yaml: {name}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.operation}-{e.title.replace(' ', '-')}")
def test_an_example_keeps_to_the_document(example: Example) -> None:
    assert example.operation in OPERATIONS, "no such operation"
    _, _, operation = OPERATIONS[example.operation]
    in_path = {p["name"]: p for p in operation.get("parameters", ()) if p["in"] == "path"}
    in_query = {p["name"]: p for p in operation.get("parameters", ()) if p["in"] == "query"}
    assert set(example.path) == set(in_path)
    assert set(example.query) <= set(in_query)
    for name, value in [*example.path.items(), *example.query.items()]:
        assert faults((in_path.get(name) or in_query[name])["schema"], OPENAPI, value) == []
    if "requestBody" in operation:
        assert faults(operation["requestBody"]["content"]["application/json"]["schema"], CLOSED, example.body) == []
    else:
        assert example.body is None
    assert reply_faults(example.operation, example.status, example.reply) == []
    for place in example.keep:
        assert len(str(dig(example.message, place))) >= 8, f"{place} is too short to be found again in later steps"


def reply_faults(name: str, status: int, reply: Any) -> list[str]:
    """What is wrong with a reply; it may be parsed JSON, or the text of Server-Sent Events."""
    _, _, operation = OPERATIONS[name]
    if status != 200:
        if str(status) not in operation["responses"]:
            return [f"{status} is not documented"]
        return faults({"$ref": openapi.BASE + openapi.STATUS}, OPENAPI, reply)
    kind, media = next(iter(operation["responses"]["200"]["content"].items()))
    if kind == "text/event-stream":
        first = str(reply).split("\n\n", 1)[0]
        reply = json.loads(first.removeprefix("data:"))
        return faults(media["schema"]["contentSchema"], CLOSED, reply)
    return faults(media["schema"], CLOSED, reply)


def test_a_reply_with_an_unknown_field_a_missing_one_or_a_wrong_value_is_a_fault() -> None:
    example = next(e for e in EXAMPLES if e.operation == "QueueService.TakeTicket")
    for spoil in (
        {**example.reply, "surprise": 1},
        {k: v for k, v in example.reply.items() if k != "peopleAhead"},
        {**example.reply, "estimatedWait": "soon"},
        {**example.reply, "ticket": {**example.reply["ticket"], "state": "STATE_UNHEARD_OF"}},
        {**example.reply, "ticket": {**example.reply["ticket"], "issuedAt": "yesterday"}},
    ):
        assert reply_faults(example.operation, 200, spoil)


def test_who_may_call_is_told_as_the_policy_says() -> None:
    from mpp_chassis.policy import policy_of

    for name, method in RPCS.items():
        policy = policy_of(method)
        _, _, operation = OPERATIONS[name]
        assert operation["x-mpp-roles"] == dict(policy.grants)
        assert operation["security"] == ([] if policy.anonymous else [{"bearer": []}])
        assert ("403" in operation["responses"]) is not policy.anonymous
        assert all(f"`{role}`" in operation["description"] for role in policy.grants)


@pytest.mark.parametrize("bad", ["/v1/{name=sites/**}", "/v1/{name=sites/*}/{other=sites/*}"])
def test_a_path_that_openapi_cannot_tell_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="v1"):
        http_path(bad, {})


def test_a_rule_without_a_translation_is_refused() -> None:
    from buf.validate import validate_pb2
    from mpp_apidocs.rules import constraint

    rules = validate_pb2.FieldRules(string=validate_pb2.StringRules(contains="x"))
    with pytest.raises(ValueError, match=r"a\.b: the rule string\.contains"):
        constraint(rules, "a.b")


def test_an_example_with_a_strange_key_names_its_step(tmp_path: Path) -> None:
    file = tmp_path / "examples.yaml"
    file.write_text("calls: [{operation: A.B, title: t, reply: {}, stauts: 200}]")
    with pytest.raises(ValueError, match=r"step 1 has unknown keys \['stauts'\]"):
        load(file)
