"""Rolling restarts of two `serve` processes behind the gateway, under load: no client sees an error.

The clients never repeat a call; what is repeated is repeated by the gateway. MPP_ROLLING_RESTARTS says how often
(`make rolling`: 100).
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import queue_service_pb2_grpc
from mpp_localrun.platform import Process, free_ports, stop, wait_ready

from tests.integration.gateway.ground import Gateway, gateway, start

RESTARTS = int(os.environ.get("MPP_ROLLING_RESTARTS", "6"))
QUEUE = "sites/malang/queues/bpjs-kesehatan"
PAUSE = 0.03  # seconds of a client between two calls: steady load, not a benchmark
pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(120 + 15 * RESTARTS)]


@dataclass
class Load:
    """Citizens who take a ticket, look at it and cancel it (so the line stays short), until told to stop."""

    target: str
    token: str
    taken: list[str] = field(default_factory=list)  # names of acknowledged tickets
    reads: int = 0
    cancelled: int = 0
    errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, clients: int) -> list[threading.Thread]:
        faces: list[Callable[[], Iterator[Callable[[], None]]]] = [self._json, self._grpc]
        threads = [threading.Thread(target=self._loop, args=(faces[i % 2],), daemon=True) for i in range(clients)]
        for thread in threads:
            thread.start()
        return threads

    def _loop(self, face: Callable[[], Iterator[Callable[[], None]]]) -> None:
        for call in face():
            if self.over.wait(PAUSE):
                return
            began = time.perf_counter()
            try:
                call()
            except Exception as e:
                self.errors.append(f"{time.strftime('%X')} {face.__name__} {type(e).__name__} {e}"[:300])
            self.seconds.append(time.perf_counter() - began)

    def _json(self) -> Iterator[Callable[[], None]]:
        """Each call on a connection that is kept, as a browser's."""
        connection = http.client.HTTPConnection(self.target, timeout=20)
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}

        def ask(method: str, path: str, body: str | None = None) -> Any:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            text = reply.read()
            if reply.status != 200:
                raise AssertionError(f"{reply.status} {text.decode()}")
            return json.loads(text)

        while True:
            name = ""

            def take() -> None:
                nonlocal name
                name = ask("POST", f"/v1/{QUEUE}/tickets", json.dumps({"requestId": str(uuid.uuid4())}))["ticket"][
                    "name"
                ]
                self.taken.append(name)

            def look() -> None:
                ask("GET", f"/v1/{name}")
                self.reads += 1

            def cancel() -> None:
                ask("POST", f"/v1/{name}:cancel", json.dumps({"requestId": str(uuid.uuid4())}))
                self.cancelled += 1

            yield take
            if name:
                yield from (look, cancel)

    def _grpc(self) -> Iterator[Callable[[], None]]:
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        stub = queue_service_pb2_grpc.QueueServiceStub(grpc.insecure_channel(self.target, options=options))
        metadata = [("authorization", f"Bearer {self.token}")]

        while True:
            name = ""

            def take() -> None:
                nonlocal name
                request = pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))
                name = stub.TakeTicket(request, metadata=metadata, timeout=20).ticket.name
                self.taken.append(name)

            def look() -> None:
                stub.GetTicket(pb.GetTicketRequest(name=name), metadata=metadata, timeout=20)
                self.reads += 1

            def cancel() -> None:
                request = pb.CancelTicketRequest(name=name, request_id=str(uuid.uuid4()))
                stub.CancelTicket(request, metadata=metadata, timeout=20)
                self.cancelled += 1

            yield take
            if name:
                yield from (look, cancel)


def replica(malang: Any, grpc_port: int, http_port: int) -> Process:
    extra = {"MPP_GRPC_PORT": str(grpc_port), "MPP_HTTP_PORT": str(http_port)}
    environment = malang.platform.environment("queue", "serve", **extra)
    command = malang.platform.process("queue", "serve").command
    return Process(f"queue-serve-{grpc_port}", command, environment, f"http://127.0.0.1:{http_port}/readyz")


def test_rolling_restarts_cost_no_client_an_error(
    malang: Any, tmp_path: Path, eventually: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    ports = list(free_ports(4))
    replicas = [replica(malang, grpc_port, http_port) for grpc_port, http_port in (ports[:2], ports[2:])]
    running = [malang.platform.start(process) for process in replicas]
    tickets = malang.database("queue")["tickets"]
    before = tickets.count_documents({"queue": QUEUE})
    try:
        wait_ready(list(zip(replicas, running, strict=True)), malang.platform.logs)
        addresses = [f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[2]}"]
        with gateway(malang.platform, tmp_path, queue=addresses) as edge:
            eventually(lambda: edge.healthy("queue") == 2)
            load = Load(edge.target, malang.token("citizen", subject="rolling"))
            clients = load.run(6)
            began = time.monotonic()
            for number in range(RESTARTS):
                which = number % 2
                assert stop(running[which]) == 0
                running[which] = malang.platform.start(replicas[which])
                wait_ready([(replicas[which], running[which])], malang.platform.logs)
                eventually(lambda: edge.healthy("queue") == 2)
            load.over.set()
            for client in clients:
                client.join(30)
            told(load, edge, time.monotonic() - began, capsys)
    finally:
        for popen in running:
            stop(popen)
    assert load.errors == []
    assert len(load.taken) > RESTARTS, "there was no load"
    assert len(set(load.taken)) == len(load.taken)
    kept = {document["_id"] for document in tickets.find({"queue": QUEUE}, {"_id": 1})}
    assert set(load.taken) <= kept  # what was acknowledged exists
    assert tickets.count_documents({"queue": QUEUE}) - before == len(load.taken)  # and nothing else: no double


def told(load: Load, edge: Gateway, seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    retries = edge.stats("^cluster.queue.upstream_rq_retry")
    percentiles = statistics.quantiles(load.seconds, n=100)
    with capsys.disabled():
        print(
            f"\n{RESTARTS} restarts in {seconds:.0f} s: {len(load.taken)} tickets, {load.reads} reads,"
            f" {load.cancelled} cancelled, {len(load.errors)} errors, repeated by the gateway {retries.get('cluster.queue.upstream_rq_retry', 0)};"
            f" p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms, max {max(load.seconds) * 1000:.0f} ms"
        )
        for error in load.errors[:10]:
            print(" ", error)
