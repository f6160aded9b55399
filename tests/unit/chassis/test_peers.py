"""A call from one service to another: the caller's token and trace travel on, refusals keep their reason. A real server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from mpp.catalog.v1 import catalog_service_pb2 as pb
from mpp.catalog.v1 import site_pb2
from mpp.catalog.v1.catalog_service_pb2_grpc import (
    CatalogServiceServicer,
    CatalogServiceStub,
    add_CatalogServiceServicer_to_server,
)
from mpp_chassis import errors
from mpp_chassis.call import Call, Command
from mpp_chassis.peers import Peers, derived
from mpp_chassis.server import Problem

CALL = Call(now=datetime.now(UTC), caller=None, bearer="t0k3n", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")  # type: ignore[arg-type]


class There(CatalogServiceServicer):
    """The other service: answers, or refuses as it is told to; remembers what it heard."""

    def __init__(self) -> None:
        self.problem: Problem | None = None
        self.heard: dict[str, Any] = {}

    def GetSite(self, request: Any, context: Any) -> Any:
        self.heard = dict(context.invocation_metadata())
        if self.problem is not None:
            context.abort_with_status(self.problem.to_status())
        return site_pb2.Site(name=request.name)


@pytest.fixture
def there() -> Iterator[tuple[There, Peers]]:
    servicer, server = There(), grpc.server(futures.ThreadPoolExecutor(2))
    add_CatalogServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, Peers({"MPP_PEER_CATALOG": f"127.0.0.1:{port}"})
    server.stop(None).wait()


def ask(peers: Peers, call: Call = CALL) -> Any:
    return peers.call(peers.stub("catalog", CatalogServiceStub).GetSite, pb.GetSiteRequest(name="sites/malang"), call)


def test_it_asks_as_the_caller_and_the_trace_goes_on(there: tuple[There, Peers]) -> None:
    servicer, peers = there
    assert ask(peers).name == "sites/malang"
    assert servicer.heard["authorization"] == "Bearer t0k3n"
    assert servicer.heard["traceparent"].split("-")[1] == "a" * 32


def test_who_has_no_token_brings_none(there: tuple[There, Peers]) -> None:
    servicer, peers = there
    ask(peers, Call(now=CALL.now, caller=CALL.caller))
    assert "authorization" not in servicer.heard


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.NOT_FOUND, errors.NotFound),
        (grpc.StatusCode.FAILED_PRECONDITION, errors.FailedPrecondition),
        (grpc.StatusCode.PERMISSION_DENIED, errors.PermissionDenied),
        (grpc.StatusCode.INVALID_ARGUMENT, errors.FailedPrecondition),
    ],
)
def test_a_refusal_keeps_its_reason(there: tuple[There, Peers], code: grpc.StatusCode, kind: type[Exception]) -> None:
    servicer, peers = there
    servicer.problem = Problem(code, "QUEUE_CLOSED", "closed today", metadata={"queue": "polresta"})
    with pytest.raises(kind) as caught:
        ask(peers)
    fault: Any = caught.value
    assert (fault.reason, str(fault), fault.metadata) == ("QUEUE_CLOSED", "closed today", {"queue": "polresta"})


def test_who_is_away_is_unavailable_and_no_inner_detail_is_told() -> None:
    with pytest.raises(errors.Unavailable) as caught:
        ask(Peers({"MPP_PEER_CATALOG": "127.0.0.1:9"}))
    assert caught.value.reason == "PEER_UNAVAILABLE"
    assert "127.0.0.1" not in str(caught.value)


def test_without_an_address_a_service_is_found_by_its_name() -> None:
    assert Peers({}).address("catalog") == "dns:///catalog:50051"


def test_a_derived_request_id_is_the_same_for_the_same_command_and_step_only() -> None:
    first, other = (Command(i, "X.Y", "f", "kiosk:1", CALL.now) for i in ("1", "2"))
    assert derived(first, "take") == derived(first, "take")
    assert len({derived(first, "take"), derived(first, "finish"), derived(other, "take")}) == 3


def test_the_token_shows_in_no_text() -> None:
    assert "t0k3n" not in repr(CALL)
