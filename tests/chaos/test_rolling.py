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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import grpc
import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import queue_service_pb2_grpc
from mpp_localrun.platform import Process, free_ports, stop, wait_ready

from tests.integration.gateway.ground import Gateway, gateway

RESTARTS = int(os.environ.get("MPP_ROLLING_RESTARTS", "4"))
QUEUE = "sites/malang/queues/bpjs-kesehatan"
PAUSE = 0.03  # seconds of a client between two calls: steady load, not a benchmark
pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(400 + 60 * RESTARTS)]


class Citizen(Protocol):
    """Takes a ticket, looks at it and cancels it (so the line stays short). Each raises when it is not answered well."""

    def take(self) -> str: ...
    def look(self, name: str) -> None: ...
    def cancel(self, name: str) -> None: ...


class JsonCitizen:
    """One connection that is kept, as a browser's."""

    def __init__(self, target: str, token: str) -> None:
        self._connection = http.client.HTTPConnection(target, timeout=30)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def take(self) -> str:
        return str(self._ask("POST", f"{QUEUE}/tickets")["ticket"]["name"])

    def look(self, name: str) -> None:
        self._ask("GET", name)

    def cancel(self, name: str) -> None:
        self._ask("POST", f"{name}:cancel")

    def _ask(self, method: str, path: str) -> Any:
        body = json.dumps({"requestId": str(uuid.uuid4())}) if method == "POST" else None
        self._connection.request(method, f"/v1/{path}", body, self._headers)
        reply = self._connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise AssertionError(f"{reply.status} {text.decode()}")
        return json.loads(text)


class GrpcCitizen:
    """One channel that is kept, without the client's own retries."""

    def __init__(self, target: str, token: str) -> None:
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        self._stub = queue_service_pb2_grpc.QueueServiceStub(grpc.insecure_channel(target, options=options))
        self._with = {"metadata": [("authorization", f"Bearer {token}")], "timeout": 20}

    def take(self) -> str:
        request = pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))
        return str(self._stub.TakeTicket(request, **self._with).ticket.name)

    def look(self, name: str) -> None:
        self._stub.GetTicket(pb.GetTicketRequest(name=name), **self._with)

    def cancel(self, name: str) -> None:
        self._stub.CancelTicket(pb.CancelTicketRequest(name=name, request_id=str(uuid.uuid4())), **self._with)


@dataclass
class Load:
    """What happened to the citizens until they were told to stop."""

    taken: list[str] = field(default_factory=list)  # names of acknowledged tickets
    errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, citizens: Sequence[Citizen]) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._visits, args=(citizen,), daemon=True) for citizen in citizens]
        for thread in threads:
            thread.start()
        return threads

    def _visits(self, citizen: Citizen) -> None:
        while not self.over.is_set():
            if name := self._timed(citizen, citizen.take):
                self.taken.append(name)
                self._timed(citizen, lambda: citizen.look(name))
                self._timed(citizen, lambda: citizen.cancel(name))

    def _timed(self, citizen: Citizen, call: Callable[[], Any]) -> Any:
        self.over.wait(PAUSE)
        began = time.perf_counter()
        try:
            return call()
        except Exception as e:
            self.errors.append(f"{time.strftime('%X')} {type(citizen).__name__} {type(e).__name__} {e}"[:300])
        finally:
            self.seconds.append(time.perf_counter() - began)
        return None


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
            load, token = Load(), malang.token("citizen", subject="rolling")
            clients = load.run([kind(edge.target, token) for kind in (JsonCitizen, GrpcCitizen) * 3])
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
    repeated = edge.stats("^cluster.queue.upstream_rq_retry$").get("cluster.queue.upstream_rq_retry", 0)
    cuts = [1000 * cut for cut in statistics.quantiles(load.seconds, n=100)]
    with capsys.disabled():
        print(
            f"\n{RESTARTS} restarts in {seconds:.0f} s, {len(load.errors)} errors, {repeated} calls repeated by the gateway"
        )
        print(f"{len(load.seconds)} calls, {len(load.taken)} tickets taken")
        print(f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, max {max(load.seconds) * 1000:.0f} ms")
        for error in load.errors[:10]:
            print(" ", error)
