"""The queue asked as the caller: a challenge comes back unharmed, its answer goes through. Real server, real proofs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent import futures
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from mpp.drivethru.v1.drivethru_service_pb2 import RegisterVehicleRequest
from mpp.queue.v1 import queue_service_pb2_grpc, ticket_pb2
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.challenge import Door, Mode, Rule, Rules, solve
from mpp_chassis.errors import FailedPrecondition, Fault
from mpp_chassis.peers import Peers
from mpp_chassis.server import problem_of
from mpp_drivethru.neighbours import Queue

QUEUE = "sites/malang/queues/polresta"


class Asking(queue_service_pb2_grpc.QueueServiceServicer):
    """The queue's TakeTicket at a site that asks each guest for work."""

    def __init__(self) -> None:
        rules = Rules(Rule(Mode.ON, milliseconds=10), {})
        self._door = Door(rules, "key", random.Random(1), lambda site, since: False)

    def TakeTicket(self, request: Any, context: Any) -> Any:
        call = Call(Caller(subject="warga", roles=frozenset({"citizen"})), datetime.now(UTC), role="citizen")
        try:
            self._door.check("QueueService.TakeTicket", "sites/malang", request, call, lambda: False)
        except Fault as e:
            problem = problem_of(e, {})
            assert problem is not None
            context.abort_with_status(problem.to_status())
        return ticket_pb2.IssuedTicket(ticket={"name": f"{QUEUE}/tickets/t", "number": "K-001"})


@pytest.fixture
def queue() -> Iterator[Queue]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    queue_service_pb2_grpc.add_QueueServiceServicer_to_server(Asking(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield Queue(Peers({"MPP_PEER_QUEUE": f"127.0.0.1:{port}"}))
    server.stop(None).wait()


def test_a_challenge_is_passed_back_and_its_proof_passed_on(queue: Queue) -> None:
    now = datetime.now(UTC)
    command = Command(
        "3f6f6b8d-2a10-4c7e-9a51-6f1b6c7e2f0e", "DriveThruService.RegisterVehicle", "", "citizen:warga", now
    )
    call = Call(Caller(subject="warga"), now, command, role="citizen")
    vehicle = RegisterVehicleRequest(parent="sites/malang/channels/sim", plate="N 1 AB", phone="+6281234567890")
    with pytest.raises(FailedPrecondition) as caught:
        queue.take(QUEUE, "", vehicle, call)
    told = caught.value
    assert told.reason == "CHALLENGE_REQUIRED"
    assert {"challenge", "why", "expected_ms", "at_most_ms"} <= set(told.metadata)
    again = problem_of(told, {})  # what the caller of the drive-thru sees is what the queue said
    assert again is not None
    assert (again.code, again.reason, again.metadata) == (
        grpc.StatusCode.FAILED_PRECONDITION, "CHALLENGE_REQUIRED", told.metadata,
    )  # fmt: skip
    vehicle.proof = solve(told.metadata["challenge"])
    assert queue.take(QUEUE, "", vehicle, call).number == "K-001"
