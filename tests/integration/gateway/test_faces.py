"""One contract, three faces: gRPC, gRPC-Web and JSON say the same, also when they refuse."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import queue_service_pb2_grpc, ticket_pb2
from mpp_gateway import contract as contracts
from mpp_gateway.contract import Binding, Rpc

from tests.integration.gateway.ground import Answer, Gateway

ROOT = Path(__file__).resolve().parents[3]
QUEUE = "sites/malang/queues/samsat"
SERVICE = "mpp.queue.v1.QueueService"
CONTRACT = contracts.from_repository(ROOT)
pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def channel(edge: Gateway) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(edge.target) as opened:
        yield opened


def reason_of(error: grpc.RpcError) -> str:
    status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "mpp"
    return str(info.reason)


def test_a_citizen_takes_looks_and_cancels_over_each_face(edge: Gateway, malang: Any, channel: grpc.Channel) -> None:
    token = malang.token("citizen", subject="faces")
    stub = queue_service_pb2_grpc.QueueServiceStub(channel)
    auth = [("authorization", f"Bearer {token}")]

    by_json = edge.call("POST", f"/v1/{QUEUE}/tickets", {"requestId": str(uuid.uuid4())}, token)
    assert (by_json.status, by_json.headers["content-type"]) == (200, "application/json")
    names = [by_json.json["ticket"]["name"]]

    request = pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))
    names.append(stub.TakeTicket(request, metadata=auth, timeout=30).ticket.name)

    request = pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))
    answer, message = edge.grpc_web(f"{SERVICE}/TakeTicket", request, token)
    assert answer.headers["grpc-status"] == "0"
    names.append(ticket_pb2.IssuedTicket.FromString(message).ticket.name)
    assert len(set(names)) == 3

    for name in names:  # each face sees what another has done
        seen = edge.call("GET", f"/v1/{name}", token=token).json
        assert (seen["name"], seen["state"]) == (name, "STATE_WAITING")
        assert stub.GetTicket(pb.GetTicketRequest(name=name), metadata=auth, timeout=30).number == seen["number"]
        _, message = edge.grpc_web(f"{SERVICE}/GetTicket", pb.GetTicketRequest(name=name), token)
        assert ticket_pb2.Ticket.FromString(message).number == seen["number"]
        cancelled = edge.call("POST", f"/v1/{name}:cancel", {"requestId": str(uuid.uuid4())}, token)
        assert cancelled.json["state"] == "STATE_CANCELLED"


def test_a_repeated_request_id_is_one_ticket_whatever_the_face(
    edge: Gateway, malang: Any, channel: grpc.Channel
) -> None:
    token, same = malang.token("citizen", subject="faces"), str(uuid.uuid4())
    first = edge.call("POST", f"/v1/{QUEUE}/tickets", {"requestId": same}, token).json["ticket"]["name"]
    stub = queue_service_pb2_grpc.QueueServiceStub(channel)
    request = pb.TakeTicketRequest(parent=QUEUE, request_id=same)
    again = stub.TakeTicket(request, metadata=[("authorization", f"Bearer {token}")], timeout=30)
    assert again.ticket.name == first


@pytest.mark.parametrize(
    ("name", "token", "status", "code", "reason"),
    [
        (f"{QUEUE}/tickets/no-such-ticket", "citizen", 404, grpc.StatusCode.NOT_FOUND, "NOT_FOUND"),  # service
        (
            f"{QUEUE}/tickets/no-such-ticket",
            "display",
            403,
            grpc.StatusCode.PERMISSION_DENIED,
            "ROLE_MISSING",
        ),  # service
        (f"{QUEUE}/tickets/no-such-ticket", "", 401, grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),  # edge
    ],
)
def test_a_refusal_is_the_same_on_each_face(
    edge: Gateway, malang: Any, channel: grpc.Channel, name: str, token: str, status: int, code: Any, reason: str
) -> None:
    bearer = malang.token(token, subject="faces", site="malang") if token else ""
    answer = edge.call("GET", f"/v1/{name}", token=bearer)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert (answer.json["code"], answer.reason) == (code.value[0], reason)
    assert answer.json["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"

    stub = queue_service_pb2_grpc.QueueServiceStub(channel)
    metadata = [("authorization", f"Bearer {bearer}")] if bearer else []
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetTicket(pb.GetTicketRequest(name=name), metadata=metadata, timeout=30)
    assert caught.value.code() is code
    assert caught.value.details() == answer.json["message"]
    assert reason_of(caught.value) == reason

    web, _ = edge.grpc_web(f"{SERVICE}/GetTicket", pb.GetTicketRequest(name=name), bearer)
    assert (web.status, web.headers["grpc-status"]) == (200, str(code.value[0]))
    assert web.headers["grpc-status-details-bin"]


def path_of(binding: Binding) -> str:
    """A path that the template means, of things that do not exist."""

    def value(variable: re.Match[str]) -> str:
        wild = iter(["nowhere", *("no-such-thing" for _ in range(9))])
        return re.sub(r"\*+", lambda _: next(wild), variable[1] or "*")

    return re.sub(r"\{[a-z0-9_.]+(?:=([^}]*))?\}", value, binding.template)


def reached(edge: Gateway, rpc: Rpc, binding: Binding) -> Answer:
    body = None if binding.verb == "GET" else {}
    return edge.call(binding.verb, path_of(binding), body, timeout=30)


def test_every_annotated_rpc_is_reachable_and_asks_for_a_token_or_not(edge: Gateway, channel: grpc.Channel) -> None:
    wrong = []
    for rpc in CONTRACT.rpcs:
        for binding in rpc.bindings:
            answer = reached(edge, rpc, binding)
            reason = answer.reason if answer.status != 200 else ""
            refused = (answer.status, reason) == (401, "UNAUTHENTICATED")
            if refused is rpc.anonymous or reason in ("UNKNOWN_PATH", "METHOD_NOT_ALLOWED") or answer.status >= 500:
                wrong.append(f"{binding.verb} {path_of(binding)}: {answer.status} {reason}")
        if not rpc.anonymous:
            call = channel.unary_stream if rpc.server_streaming else channel.unary_unary
            try:
                list(call(rpc.path)(b"", timeout=30)) if rpc.server_streaming else call(rpc.path)(b"", timeout=30)
                wrong.append(f"{rpc.full_name}: answered without a token")
            except grpc.RpcError as e:
                if e.code() is not grpc.StatusCode.UNAUTHENTICATED:
                    wrong.append(f"{rpc.full_name}: {e.code()}")
    assert wrong == []
    assert len(CONTRACT.rpcs) >= 40


def test_what_is_not_annotated_is_not_at_the_edge(edge: Gateway, channel: grpc.Channel) -> None:
    for method in ("mpp.ops.v1.OpsService/ListParked", "grpc.health.v1.Health/Check", f"{SERVICE}/NoSuchMethod"):
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{method}")(b"", timeout=30)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert reason_of(caught.value) == "UNKNOWN_PATH"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "reason"),
    [
        ("GET", "/nowhere", {}, 404, "UNKNOWN_PATH"),
        ("GET", "/v1/sites/malang/queues/samsat/nothing", {}, 404, "UNKNOWN_PATH"),
        ("DELETE", "/v1/sites/malang/queues/samsat", {}, 405, "METHOD_NOT_ALLOWED"),
        ("GET", f"/v1/{QUEUE}?unknown=1", {}, 400, "INVALID_REQUEST"),
        ("POST", f"/{SERVICE}/TakeTicket", {"content_type": "text/plain"}, 415, "CONTENT_TYPE"),
        ("GET", "/v1/sites%2Fmalang", {}, 400, "INVALID_REQUEST"),
        ("GET", "/v1/sites/malang", {"x_too_long": "a" * 40_000}, 431, "HEADERS_TOO_LARGE"),
    ],
)
def test_a_request_that_is_no_call_gets_a_status_in_json(
    edge: Gateway, method: str, path: str, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = edge.call(method, path, **headers)
    assert (answer.status, answer.reason) == (status, reason)
    if status == 405:
        assert answer.headers["allow"] == "GET"


def test_a_json_body_that_is_none_is_explained_to_its_sender(edge: Gateway, malang: Any) -> None:
    token = malang.token("citizen", subject="faces")
    answer = edge.call("POST", f"/v1/{QUEUE}/tickets", "{nonsense", token, content_type="application/json")
    assert (answer.status, answer.reason) == (400, "INVALID_REQUEST")
    assert "Expected" in answer.json["message"]


def test_a_body_too_large_is_refused_before_a_service_sees_it(
    edge: Gateway, malang: Any, channel: grpc.Channel
) -> None:
    token = malang.token("citizen", subject="faces")
    answer = edge.call("POST", f"/v1/{QUEUE}/tickets", json.dumps({"phone": "1" * 1_100_000}), token)
    assert (answer.status, answer.reason) == (413, "BODY_TOO_LARGE")
    with pytest.raises(grpc.RpcError) as caught:
        queue_service_pb2_grpc.QueueServiceStub(channel).GetQueue(pb.GetQueueRequest(name="a" * 1_100_000), timeout=30)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_cors(edge: Gateway) -> None:
    ask = {"access_control_request_method": "POST", "access_control_request_headers": "authorization,x-grpc-web"}
    for path in (f"/{SERVICE}/TakeTicket", f"/v1/{QUEUE}/tickets"):
        answer = edge.call("OPTIONS", path, origin="http://localhost:5173", **ask)
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
        assert {"authorization", "x-grpc-web", "content-type"} <= {
            word.strip() for word in answer.headers["access-control-allow-headers"].split(",")
        }
        stranger = edge.call("OPTIONS", path, origin="http://evil.example", **ask)
        assert "access-control-allow-origin" not in stranger.headers
    for path, status in ((f"/v1/{QUEUE}", 200), ("/nowhere", 404), (f"/v1/{QUEUE}/tickets/no-such-ticket", 401)):
        answer = edge.call("GET", path, origin="http://localhost:5173")  # a page may read refusals too
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, "http://localhost:5173")
        assert "grpc-status-details-bin" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-origin" not in edge.call("GET", path, origin="http://evil.example").headers


def test_headers_that_protect_browsers_are_on_every_answer(edge: Gateway) -> None:
    for path in (f"/v1/{QUEUE}", "/nowhere", f"/v1/{QUEUE}/tickets/no-such-ticket"):
        headers = edge.call("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert headers["server"] == "mpp"
        assert not [name for name in headers if name.startswith("x-envoy")]


def test_health_and_documents(edge: Gateway) -> None:
    assert edge.call("GET", "/healthz").status == 200
    assert edge.call("GET", "/readyz").status == 200
    for path, name in (("/openapi.json", "openapi.json"), ("/asyncapi.json", "asyncapi.json"), ("/docs", "index.html")):
        answer = edge.call("GET", path)
        file = ROOT / "docs" / "api" / name
        assert answer.status == 200
        assert answer.body == file.read_bytes()
        assert answer.headers["content-type"].startswith("text/html" if path == "/docs" else "application/json")
