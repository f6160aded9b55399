"""How errors look to a client: status, reason, field; and every rule of every request names its field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import grpc
import pymongo.errors
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.rpc import error_details_pb2, status_pb2
from mpp.catalog.v1 import catalog_service_pb2 as catalog
from mpp.ops.v1 import ops_service_pb2 as ops
from mpp.queue.v1 import queue_service_pb2 as queue
from mpp_chassis import errors
from mpp_chassis.aggregates import Stale, Taken
from mpp_chassis.broker import BrokerDown
from mpp_chassis.call import Caller
from mpp_chassis.policy import policy_of
from mpp_chassis.server import Kit, Problem, Refused, problem_of, violations

from .conftest import METHODS

Code = grpc.StatusCode


class DomainError(Exception):
    reason, field, metadata = "WRONG_STATE", None, {"state": "ended"}


class Narrower(DomainError):
    pass


class Bare(Exception):
    pass


KNOWN = {DomainError: Code.FAILED_PRECONDITION, errors.NotFound: Code.UNIMPLEMENTED}


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (errors.InvalidField("phone", "no"), Code.INVALID_ARGUMENT, "INVALID_FIELD"),
        (errors.AlreadyExists("x"), Code.ALREADY_EXISTS, "ALREADY_EXISTS"),
        (errors.FailedPrecondition("x", reason="REQUEST_ID_REUSED"), Code.FAILED_PRECONDITION, "REQUEST_ID_REUSED"),
        (errors.Aborted("x"), Code.ABORTED, "CONFLICT"),
        (errors.Unauthenticated("x"), Code.UNAUTHENTICATED, "UNAUTHENTICATED"),
        (errors.PermissionDenied("x"), Code.PERMISSION_DENIED, "PERMISSION_DENIED"),
        (errors.ResourceExhausted("x"), Code.RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED"),
        (errors.Unavailable("x"), Code.UNAVAILABLE, "UNAVAILABLE"),
        (errors.NotFound("x"), Code.UNIMPLEMENTED, "NOT_FOUND"),  # a service's own map comes first
        (Stale("n"), Code.ABORTED, "ABORTED"),
        (Taken("index"), Code.ALREADY_EXISTS, "ALREADY_EXISTS"),
        (BrokerDown("inner detail"), Code.UNAVAILABLE, "BROKER_UNAVAILABLE"),
        (pymongo.errors.AutoReconnect("10.0.0.7 refused"), Code.UNAVAILABLE, "STORE_UNAVAILABLE"),
        (pymongo.errors.ServerSelectionTimeoutError("10.0.0.7"), Code.UNAVAILABLE, "STORE_UNAVAILABLE"),
        (DomainError("ended already"), Code.FAILED_PRECONDITION, "WRONG_STATE"),
        (Narrower("ended already"), Code.FAILED_PRECONDITION, "WRONG_STATE"),
        (Refused(Problem(Code.OUT_OF_RANGE, "R", "m")), Code.OUT_OF_RANGE, "R"),
    ],
    ids=lambda v: type(v).__name__,
)
def test_each_error_has_its_status_and_reason(error: Exception, code: grpc.StatusCode, reason: str) -> None:
    problem = problem_of(error, KNOWN)
    assert problem is not None
    assert (problem.code, problem.reason) == (code, reason)
    assert "10.0.0.7" not in problem.message
    assert "inner detail" not in problem.message
    assert problem.message


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), Bare("x"), RuntimeError(), AssertionError("nik")])
def test_what_nobody_foresaw_has_no_status(error: Exception) -> None:
    assert problem_of(error, KNOWN) is None


def details(problem: Problem) -> dict[str, Any]:
    status = status_pb2.Status.FromString(dict(problem.to_status().trailing_metadata)["grpc-status-details-bin"])
    found: dict[str, Any] = {}
    for box in status.details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
            if box.Is(kind.DESCRIPTOR):
                found[kind.DESCRIPTOR.name] = kind.FromString(box.value)
    return found


def test_a_status_carries_reason_metadata_and_field() -> None:
    problem = problem_of(errors.InvalidField("phone", "not a phone", metadata={"hint": "E.164"}), {})
    assert problem is not None
    found = details(problem)
    assert (found["ErrorInfo"].domain, found["ErrorInfo"].reason) == ("mpp", "INVALID_FIELD")
    assert dict(found["ErrorInfo"].metadata) == {"hint": "E.164"}
    assert [(v.field, v.description) for v in found["BadRequest"].field_violations] == [("phone", "not a phone")]


def test_metadata_that_is_no_text_does_no_harm() -> None:
    error = DomainError("x")
    error.metadata = {"counter": 3, "due": None}  # type: ignore[dict-item]
    problem = problem_of(error, KNOWN)
    assert problem is not None
    assert dict(details(problem)["ErrorInfo"].metadata) == {"counter": "3", "due": "None"}


def test_a_status_stays_small_whatever_was_wrong() -> None:
    """gRPC refuses trailers above 8 kB: the client would see another error than ours."""
    request = catalog.ApplyOfferingRequest(parent="x" * 200)
    for n in range(2000):
        request.offering.aliases.append("y" * 5000)
        request.offering.standard.requirements.add(id="Ä" * 50 + str(n))
    found = violations(request)
    assert found
    problem = Problem(Code.INVALID_ARGUMENT, "INVALID_FIELD", "; ".join(f"{f}: {d}" for f, d in found), found)
    status = problem.to_status()
    assert len(status.details.encode()) + len(dict(status.trailing_metadata)["grpc-status-details-bin"]) < 7000
    assert details(problem)["BadRequest"].field_violations[0].field == found[0][0]


def test_paths_of_violations() -> None:
    assert violations(ops.ListParkedRequest(page_size=-1))[0][0] == "page_size"
    request = catalog.ApplyOfferingRequest(parent="sites/malang")
    request.offering.standard.requirements.add(id="UPPER")
    request.offering.standard.requirements.add(id="fine")
    request.offering.standard.requirements.add(id="UPPER")
    paths = {f for f, _ in violations(request)}
    assert {"offering.standard.requirements[0].id", "offering.standard.requirements[2].id"} <= paths
    assert not any("requirements[1].id" in p for p in paths)
    assert ("offering", "value is required") in [
        (f, d.replace("is required", "value is required") if d == "is required" else d)
        for f, d in violations(catalog.ApplyOfferingRequest(parent="sites/malang"))
    ]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.full_name.removeprefix("mpp."))
def test_an_empty_request_names_each_needed_field_and_breaks_no_validator(method: MethodDescriptor) -> None:
    found = violations(message_factory.GetMessageClass(method.input_type)())
    fields = {f.split(".")[0].split("[")[0] for f, _ in found}
    assert fields <= {*method.input_type.fields_by_name, *method.input_type.oneofs_by_name}
    if "request_id" in method.input_type.fields_by_name:
        assert "request_id" in fields


def test_a_service_without_an_implementation_or_policy_does_not_start() -> None:
    service = ops.DESCRIPTOR.services_by_name["OpsService"]
    server = grpc.server(None)
    with pytest.raises(TypeError, match="ListParked has no implementation"):
        Kit(None, None).mount(server, (service, object(), {}))  # type: ignore[arg-type]


def test_a_command_with_the_answer_to_a_challenge_is_the_command_without_it() -> None:
    """Else its request_id would be refused as used with another body when the first attempt had its effect."""
    method = queue.DESCRIPTOR.services_by_name["QueueService"].methods_by_name["TakeTicket"]
    kiosk = Caller(subject="k", roles=frozenset({"kiosk"}), site="malang")
    kit = Kit(None, lambda: datetime(2026, 11, 23, tzinfo=UTC), streams=1)  # type: ignore[arg-type]

    def fingerprint(**given: str) -> str:
        request = queue.TakeTicketRequest(parent="sites/malang/queues/dukcapil", **given)
        call = kit._call("X", policy_of(method), kiosk, request, {})
        assert request.proof == given.get("proof", ""), "the use case still sees it"
        return call.mutation.fingerprint

    assert fingerprint() == fingerprint(proof="abc") == fingerprint(proof="xyz")
    assert fingerprint(phone="+6281234567890") != fingerprint()
