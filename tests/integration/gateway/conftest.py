"""The gateway of the session, and services that misbehave on purpose."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from mpp.queue.v1 import queue_service_pb2_grpc, ticket_pb2

from tests.integration.gateway.ground import Gateway, gateway


@pytest.fixture(scope="session")
def edge(malang: Any) -> Gateway:
    """The gateway before all services, MPP Merdeka Malang loaded."""
    ends = malang.platform.endpoints()
    return Gateway(malang.gateway(), ends["gateway-admin"], malang.platform.logs / "gateway.log")


@dataclass
class Stubborn(queue_service_pb2_grpc.QueueServiceServicer):
    """A queue service that answers GetQueue when it is let, and remembers what came with each call."""

    target: str = ""
    let: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    seen: list[dict[str, str]] = field(default_factory=list)

    def GetQueue(self, request: Any, context: Any) -> ticket_pb2.QueueStatus:
        self.seen.append({k: v for k, v in context.invocation_metadata() if isinstance(v, str)})
        self.asked.set()
        self.let.wait(20)
        return ticket_pb2.QueueStatus(name=request.name)


@pytest.fixture(scope="module")
def stubborn() -> Iterator[Stubborn]:
    service = Stubborn()
    server = grpc.server(futures.ThreadPoolExecutor(16))
    queue_service_pb2_grpc.add_QueueServiceServicer_to_server(service, server)
    healthy = health.HealthServicer()
    healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    service.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield service
    service.let.set()
    server.stop(1).wait()


@pytest.fixture(scope="module")
def harsh(services: Any, stubborn: Stubborn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with short patience, few calls and two bad services: the stubborn queue, and a catalogue that is dead."""
    services.issuer()
    settings = {
        "listen": {"trusted_hops": 1},
        "timeouts": {"unary": 1},
        "limits": {
            "subject": {"per_second": 1, "burst": 3},
            "creating": {"per_minute": 2, "burst": 2},
            "address": {"per_second": 1, "burst": 8},
            "header_kilobytes": 8,
        },
    }
    dead = 9  # discard: nobody listens there, and no free port of another could come to it
    home: Path = tmp_path_factory.mktemp("harsh")
    addresses = {"queue": [stubborn.target], "catalog": [f"127.0.0.1:{dead}"]}
    with gateway(services.platform, home, settings, "/healthz", **addresses) as here:
        end = time.monotonic() + 20
        while here.healthy("queue") != 1:
            assert time.monotonic() < end
            time.sleep(0.05)
        yield here
