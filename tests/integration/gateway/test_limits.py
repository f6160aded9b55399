"""What a client may not do, and what a service's failure may not do: rates, patience, dead services, disguises."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import jwt
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import queue_service_pb2_grpc
from mpp_devissuer.keys import KeyRing
from mpp_devissuer.server import Issuer
from mpp_localrun.platform import free_ports

from tests.integration.gateway.conftest import Stubborn
from tests.integration.gateway.ground import Gateway, gateway
from tests.integration.gateway.test_faces import reason_of

QUEUE = "sites/malang/queues/samsat"
pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


def at(address: str) -> dict[str, str]:
    """As the load balancer before this gateway would say it (trusted_hops: 1)."""
    return {"x_forwarded_for": address}


def get_queue(edge: Gateway, address: str, **metadata: str) -> grpc.RpcError:
    """The refusal of a gRPC call that must not succeed."""
    with grpc.insecure_channel(edge.target) as channel:
        stub = queue_service_pb2_grpc.QueueServiceStub(channel)
        sent = [("x-forwarded-for", address), *metadata.items()]
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetQueue(pb.GetQueueRequest(name=QUEUE), timeout=30, metadata=sent)
    return caught.value


def test_the_rate_of_one_address_is_limited_and_of_another_not(harsh: Gateway) -> None:
    answers = [harsh.call("GET", "/nowhere", **at("203.0.113.1")) for _ in range(20)]
    statuses = [answer.status for answer in answers]
    assert statuses[:8] == [404] * 8
    assert 429 in statuses
    refused = next(answer for answer in answers if answer.status == 429)
    assert (refused.reason, refused.json["code"], refused.headers["retry-after"]) == ("RATE_LIMITED", 8, "1")
    assert harsh.call("GET", "/nowhere", **at("203.0.113.2")).status == 404
    # Who writes the header itself, is still the address that the load balancer saw.
    assert harsh.call("GET", "/nowhere", x_forwarded_for="203.0.113.3, 203.0.113.1").status == 429


def test_the_rate_of_one_subject_is_limited_and_of_another_not(harsh: Gateway, services: Any) -> None:
    stub_path = "/v1/sites/malang"  # the dead catalogue: what passes the limit gets 503
    greedy, modest = (services.token("citizen", subject=name) for name in ("greedy", "modest"))
    statuses = [harsh.call("GET", stub_path, token=greedy, **at(f"198.51.100.{n}")).status for n in range(8)]
    assert statuses[:3] == [503] * 3
    assert 429 in statuses
    assert harsh.call("GET", stub_path, token=modest, **at("198.51.100.1")).status == 503
    error = get_queue(harsh, "198.51.100.100", authorization=f"Bearer {greedy}")
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(error) == "RATE_LIMITED"


def test_what_makes_something_new_has_a_limit_of_its_own_over_all_such_calls(
    harsh: Gateway, services: Any, eventually: Callable[..., Any]
) -> None:
    """Two at once, whichever they are; the third must wait for half a minute, while reading goes on."""
    broker, other = (services.token("citizen", subject=name) for name in ("calo", "bukan-calo"))
    hold, file = "/v1/sites/malang/queues/samsat/appointments", "/v1/sites/malang/complaints"

    def make(path: str, token: str) -> Any:
        return harsh.call("POST", path, token=token, body={}, **at("192.0.2.77"))

    assert [make(path, broker).status == 429 for path in (hold, file)] == [False, False]
    refused = make(hold, broker)
    assert (refused.status, refused.reason, refused.json["code"]) == (429, "RATE_LIMITED", 8)
    assert refused.headers["retry-after"] == "30"
    assert refused.json["details"][1] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}
    assert make(hold, other).status != 429, "another person's calls are counted apart"
    # The bucket of all calls of a subject has one more within a second.
    eventually(lambda: harsh.call("GET", "/v1/sites/malang", token=broker, **at("192.0.2.79")).status == 503)
    sent = [("authorization", f"Bearer {broker}"), ("x-forwarded-for", "192.0.2.78")]
    with grpc.insecure_channel(harsh.target) as channel:
        take = queue_service_pb2_grpc.QueueServiceStub(channel).TakeTicket
        with pytest.raises(grpc.RpcError) as caught:
            take(pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4())), timeout=30, metadata=sent)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    status, info = rpc_status.from_call(caught.value), error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(info)
    assert info.retry_delay.seconds == 1


def test_a_dead_service_is_said_at_once(harsh: Gateway) -> None:
    began = time.monotonic()
    answer = harsh.call("GET", "/v1/sites/malang", **at("192.0.2.1"))
    assert time.monotonic() - began < 20
    assert (answer.status, answer.reason, answer.headers["retry-after"]) == (503, "UNAVAILABLE", "1")


def test_a_slow_service_is_given_up_and_nobody_can_ask_for_more_patience(harsh: Gateway, stubborn: Stubborn) -> None:
    stubborn.let.clear()
    for disguise in ({}, {"x_envoy_upstream_rq_timeout_ms": "60000", "x_envoy_max_retries": "0"}):
        began = time.monotonic()
        answer = harsh.call("GET", f"/v1/{QUEUE}", **at("192.0.2.2"), **disguise)
        assert (answer.status, answer.reason, answer.json["code"]) == (504, "DEADLINE_EXCEEDED", 4)
        assert 0.9 < time.monotonic() - began < 30
    error = get_queue(harsh, "192.0.2.3")
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason_of(error) == "DEADLINE_EXCEEDED"


def test_a_service_sees_no_address_no_cookie_no_query_and_no_disguise(harsh: Gateway, stubborn: Stubborn) -> None:
    stubborn.let.set()
    stubborn.seen.clear()
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = harsh.call(
        "GET",
        f"/v1/{QUEUE}",
        traceparent=f"00-{trace}-b7ad6b7169203331-01",
        cookie="session=1",
        x_mpp_subject="somebody-else",
        x_jwt_payload="e30",
        x_envoy_original_path="/v1/other",
        x_forwarded_client_cert="Hash=1",
        **at("192.0.2.4"),
    )
    assert answer.status == 200
    answer = harsh.call(
        "GET", f"/v1/{QUEUE}", traceparent=f"00-{trace}-b7ad6b7169203331-01", cookie="a=1", **at("192.0.2.5")
    )
    assert answer.status == 200
    seen = stubborn.seen[-1]
    assert seen["traceparent"][3:35] == trace
    assert not [k for k in seen if k.startswith(("x-mpp", "x-jwt", "cookie", "x-forwarded-for", "x-forwarded-client"))]
    assert not [v for v in seen.values() if "192.0.2" in v]
    assert "x-envoy-original-path" not in seen
    anew = harsh.call("GET", f"/v1/{QUEUE}", **at("192.0.2.6"))  # who brings no trace gets one
    assert anew.status == 200
    assert len(stubborn.seen[-1]["traceparent"]) == 55


def test_calls_under_way_end_well_when_the_gateway_stops(
    services: Any, stubborn: Stubborn, tmp_path_factory: pytest.TempPathFactory
) -> None:
    services.issuer()
    stubborn.let.clear()
    stubborn.asked.clear()
    home = tmp_path_factory.mktemp("drain")
    settings = {"timeouts": {"drain": 10}}
    with (
        gateway(services.platform, home, settings, "/healthz", queue=[stubborn.target]) as here,
        ThreadPoolExecutor(1) as pool,
    ):
        call = pool.submit(here.call, "GET", f"/v1/{QUEUE}")
        assert stubborn.asked.wait(10)
        here.process.terminate()
        end = time.monotonic() + 8
        while here.healthz() == 200:
            assert time.monotonic() < end, "it still says that it is healthy"
            time.sleep(0.05)
        stubborn.let.set()
        assert call.result(10).status == 200
        assert here.process.wait(15) == 0


def test_the_issuer_may_be_away(
    services: Any, tmp_path_factory: pytest.TempPathFactory, eventually: Callable[..., Any]
) -> None:
    """Before its keys were ever seen: 503, not 401. Afterwards: the known keys stay good, and a new one is learnt."""
    port, dead = free_ports(2)
    home = tmp_path_factory.mktemp("issuer")
    address, ring = f"http://127.0.0.1:{port}", KeyRing(home / "keys")

    def token() -> str:
        now = int(time.time())
        claims = {"iss": address, "aud": "mpp", "sub": "u", "iat": now, "exp": now + 600, "roles": ["citizen"]}
        return jwt.encode(claims, ring.current.private, algorithm="ES256", headers={"kid": ring.current.kid})

    with gateway(services.platform, home, {}, "/healthz", address, catalog=[f"127.0.0.1:{dead}"]) as here:

        def said(bearer: str) -> str:
            return here.call("GET", "/v1/sites/malang", token=bearer).reason

        first = token()
        assert said(first) == "ISSUER_UNAVAILABLE"
        server = Issuer(port, ring)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            eventually(lambda: said(first) == "UNAVAILABLE")  # let through to the dead catalogue
            ring.rotate()
            second = token()
            eventually(lambda: said(second) == "UNAVAILABLE")
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        failed = "http.edge.jwt_authn.jwks_fetch_failed"
        before = here.stats(f"^{failed}$")[failed]
        eventually(lambda: here.stats(f"^{failed}$")[failed] >= before + 2)
        assert said(second) == "UNAVAILABLE"
