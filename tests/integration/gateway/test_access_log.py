"""The access log tells what happened, and nothing of a person."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import queue_service_pb2_grpc

from tests.integration.gateway.ground import Gateway

NIK, PHONE, PERSON, AGENT = "3573014101907731", "+628119007731", "budi.santoso@example.org", "Budis-own-browser/7.31"
QUEUE = "sites/malang/queues/samsat"
pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


def test_no_person_is_in_the_access_log(edge: Gateway, malang: Any, eventually: Callable[..., Any]) -> None:
    token = malang.token("citizen", subject=PERSON, nik=NIK)
    traces = [secrets.token_hex(16) for _ in range(7)]

    def headers(number: int) -> dict[str, str]:
        trace = f"00-{traces[number]}-{secrets.token_hex(8)}-01"
        return {
            "traceparent": trace,
            "user_agent": AGENT,
            "x_forwarded_for": "203.0.113.77",
            "referer": f"http://a/?{NIK}",
        }

    body = {"requestId": str(uuid.uuid4()), "phone": PHONE}
    edge.call("POST", f"/v1/{QUEUE}/tickets", body, token, **headers(0))
    edge.call("GET", f"/v1/{QUEUE}?nik={NIK}", token=token, **headers(1))
    edge.call("GET", f"/v1/sites/malang/offerings:search?query={PHONE}+{PERSON}", **headers(2))
    edge.call("GET", f"/{NIK}/{PERSON}?token={token}", **headers(3))
    edge.call("GET", f"/v1/{QUEUE}/tickets/{NIK}", token=token + "x", **headers(4))
    edge.call("POST", f"/v1/{QUEUE}/tickets", json.dumps(body)[:-1] + NIK, token, **headers(5))
    with grpc.insecure_channel(edge.target) as channel:
        request = pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()), phone=PHONE)
        metadata = [("authorization", f"Bearer {token}"), ("traceparent", headers(6)["traceparent"])]
        queue_service_pb2_grpc.QueueServiceStub(channel).TakeTicket(request, metadata=metadata, timeout=30)

    def logged() -> Any:
        text = edge.log.read_text()
        return text if all(trace in text for trace in traces) else ""

    text = eventually(logged, 20)
    for secret in (NIK, PHONE, PHONE[1:], "budi", "Budi", token, token.split(".")[1], "203.0.113.77", "127.0.0.1"):
        assert secret not in text, secret

    lines = {line["trace_id"]: line for line in map(json.loads, text.splitlines()) if "trace_id" in line}
    mine = [lines[trace] for trace in traces]
    assert [line["code"] for line in mine] == [200, 400, 200, 404, 401, 400, 200]
    assert mine[0]["route"] == mine[6]["route"] == "mpp.queue.v1.QueueService/TakeTicket"
    assert mine[3]["route"] == "unknown-path"
    assert mine[6]["grpc_status"] == "0"
    assert {"ms", "bytes_in", "bytes_out", "attempts", "upstream"} <= set(mine[0])
    assert traces[0] in malang.log("queue-serve")  # the service's lines have the same trace


def test_health_checks_do_not_fill_the_log(edge: Gateway) -> None:
    edge.call("GET", "/healthz")
    assert "/healthz" not in edge.log.read_text()
    assert "health" not in {
        json.loads(line).get("route") for line in edge.log.read_text().splitlines() if line[:1] == "{"
    }
