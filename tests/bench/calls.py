"""Calling the next ticket beside its floors, and what a long history costs. Both at a queue of their own with 64 counters,
each counter with an officer of its own, as the platform wants it.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from mpp.catalog.v1 import agency_pb2, catalog_service_pb2, catalog_service_pb2_grpc
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_localrun.platform import free_ports, stop, wait_ready
from mppctl.simulation import town

from tests.bench import history, serves
from tests.bench.jobs import Figures, World
from tests.bench.measure import Sample, callers

NUMBER = 999  # of the invented site
SITE = town.site_id(NUMBER)
QUEUE = f"sites/{SITE}/queues/bench"
COUNTERS = tuple(range(101, 165))
AT_ONCE = 8  # hands for what is not measured
HISTORY = tuple(int(n) for n in os.environ.get("MPP_BENCH_HISTORY", "10000,1000000").split(","))
QUEUES = 20  # of a site among which its history is spread


def open_queue(world: World) -> None:
    """The queue comes into the catalogue and the queue service has heard of it. Twice is once."""
    world.need("issuer", "catalog-serve", "queue-work", "queue-serve")
    stub = catalog_service_pb2_grpc.CatalogServiceStub(world.channel("catalog"))
    admin = {"metadata": world.auth("bench", "platform_admin"), "timeout": 20}
    site = town.catalogue(NUMBER).site
    agency = agency_pb2.Agency(
        name=f"{site.name}/agencies/bench",
        display_name={"id": "Instansi uji", "en": "Bench"},
        category=agency_pb2.Agency.CATEGORY_REGIONAL_GOVERNMENT,
        queue={"id": "bench", "prefix": "B", "counters": COUNTERS, "minutes_per_visit": 10},
    )
    stub.ApplySite(catalog_service_pb2.ApplySiteRequest(site=site, request_id=str(uuid.uuid4())), **admin)
    request = catalog_service_pb2.ApplyAgencyRequest(parent=site.name, agency=agency, request_id=str(uuid.uuid4()))
    stub.ApplyAgency(request, **admin)
    queue, end = QueueServiceStub(world.channel("queue")), time.monotonic() + 60
    while True:
        try:
            queue.GetQueue(pb.GetQueueRequest(name=QUEUE), timeout=10)
            return
        except grpc.RpcError as e:
            if e.code() is not grpc.StatusCode.NOT_FOUND or time.monotonic() > end:
                raise
            time.sleep(0.1)


class Hall:
    """The bench's queue at one `serve` process: a kiosk and an officer at every counter."""

    def __init__(self, world: World, address: str) -> None:
        self.stub = QueueServiceStub(grpc.insecure_channel(address))
        self.kiosk = world.auth("kiosk-bench", "kiosk", site=SITE)
        self.officers = [world.auth(f"loket-{n}", "officer", site=SITE, agency="bench") for n in COUNTERS]

    def take(self) -> Any:
        return self.stub.TakeTicket(self.take_request(), metadata=self.kiosk, timeout=20)

    def call(self, desk: int) -> Any:
        return self.stub.CallNext(self.call_request(desk), metadata=self.officers[desk], timeout=20)

    def do(self, method: str, ticket: Any, desk: int) -> Any:
        request = getattr(pb, f"{method}Request")(name=ticket.name, request_id=str(uuid.uuid4()))
        return getattr(self.stub, method)(request, metadata=self.officers[desk], timeout=20)

    @staticmethod
    def take_request() -> Any:
        return pb.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))

    @staticmethod
    def call_request(desk: int) -> Any:
        return pb.CallNextRequest(parent=QUEUE, counter=COUNTERS[desk], request_id=str(uuid.uuid4()))


class CallNext:
    """CallNext against the slower of a raw RPC and a raw compare-and-set of the same document. Every counter is open."""

    name = "call next"
    reach = "ratio >= 0.6; p99 <= 3 x the floors' p99 in sum"

    def __init__(self, world: World) -> None:
        open_queue(world)
        world.need("issuer", "queue-serve")
        self.hall = Hall(world, world.platform.endpoints()["queue"])
        self.hands = ThreadPoolExecutor(AT_ONCE)
        self._fill()
        called = [self.hall.call(desk) for desk in range(len(COUNTERS))]  # opens the counters
        self.document = world.client["mpp_queue"]["tickets"].find_one({"_id": called[0].name})
        self.document.pop("outbox", None)
        self._free(dict(enumerate(called)))
        self.raw = world.client["floor"]["calls"]
        port = next(iter(free_ports(1)))
        self.echo = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.echo", str(port), str(called[0].ByteSize())],
            stdout=subprocess.PIPE, cwd=world.platform.root,
        )  # fmt: skip
        assert self.echo.stdout is not None
        self.echo.stdout.readline()  # it says when it is ready
        self.body = self.hall.call_request(0).SerializeToString()
        self.floor = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary("/Floor/Echo")

    def round(self, scale: int) -> Figures:
        figures: Figures = {}
        for clients in (1, 8):
            parts = [self._part(clients) for _ in range(max(1, scale // 4))]
            rpc, write, call = (_whole([part[n] for part in parts]) for n in range(3))
            floors = rpc.quantile(0.99) + write.quantile(0.99)
            figures |= {
                f"{clients} client: call/s": call.rate,
                f"{clients} client: raw rpc/s": rpc.rate,
                f"{clients} client: raw compare-and-set/s": write.rate,
                f"{clients} client: ratio": call.rate / min(rpc.rate, write.rate),
                f"{clients} client: p50 ms": call.quantile(0.5) * 1000,
                f"{clients} client: p99 ms": call.quantile(0.99) * 1000,
                f"{clients} client: p99 / floors' p99": call.quantile(0.99) / floors,
            }
        return figures

    def _part(self, clients: int) -> tuple[Sample, Sample, Sample]:
        """As many calls as there are counters, and as many of each floor."""
        each = len(COUNTERS) // clients
        self._fill()
        names = [uuid.uuid4().hex for _ in COUNTERS]
        self.raw.insert_many([{**self.document, "_id": name, "version": 1} for name in names])
        after = {**self.document, "version": 2}
        called: dict[int, Any] = {}

        def write(caller: int, number: int) -> None:
            name = names[caller * each + number]
            assert self.raw.replace_one({"_id": name, "version": 1}, {**after, "_id": name}).matched_count

        def call(caller: int, number: int) -> None:
            desk = caller * each + number
            called[desk] = self.hall.call(desk)

        def echo(caller: int, number: int) -> None:
            self.floor(self.body, metadata=self.hall.officers[0], timeout=20)

        found = tuple(callers(clients, each, act) for act in (echo, write, call))
        self._free(called)
        return found[0], found[1], found[2]

    def _fill(self) -> None:
        list(self.hands.map(lambda _: self.hall.take(), COUNTERS))

    def _free(self, called: dict[int, Any]) -> None:
        list(self.hands.map(lambda item: self.hall.do("CancelTicket", item[1], item[0]), called.items()))

    def close(self) -> None:
        self.echo.kill()
        self.echo.wait()
        self.hands.shutdown()


def _whole(parts: list[Sample]) -> Sample:
    return Sample([s for part in parts for s in part.seconds], sum(part.wall for part in parts))


@dataclass
class Side:
    """A `serve` process over a database of its own, with so many ended tickets in it."""

    hall: Hall
    popen: Any
    inserted: int


class History:
    """TakeTicket and CallNext over little and much history: two processes on two databases, a call here, a call there."""

    name = "cost with history"
    reach = "p50 ratios within 0.95 to 1.05"

    def __init__(self, world: World) -> None:
        open_queue(world)
        world.need("issuer")
        self.world = world
        self.sides = [self._side(count) for count in HISTORY]
        self.turn = itertools.count()

    def round(self, scale: int) -> Figures:
        """The sides take turns call by call, and in who begins: whatever else the machine does hits both."""
        seconds: dict[tuple[str, int], list[float]] = {}
        for desk in itertools.islice(itertools.cycle(range(len(COUNTERS))), 10 * scale):
            first = next(self.turn) % 2
            order = [first, 1 - first]
            for side in order:
                self._timed(seconds, "take", side, self.sides[side].hall.take)
            calls = {side: partial(self.sides[side].hall.call, desk) for side in order}
            called = {side: self._timed(seconds, "call", side, call) for side, call in calls.items()}
            for side, ticket in called.items():
                self.sides[side].hall.do("CancelTicket", ticket, desk)
        found: Figures = {}
        for what in ("take", "call"):
            little, much = (Sample(seconds[what, side], 1.0).quantile(0.5) for side in (0, 1))
            found[f"{what}: p50 ratio"] = much / little
            for count, value in zip(HISTORY, (little, much), strict=True):
                found[f"{what}: p50 ms with {count:,}"] = 1000 * value
        return found

    @staticmethod
    def _timed(seconds: dict[tuple[str, int], list[float]], what: str, side: int, act: Any) -> Any:
        began = time.perf_counter()
        reply = act()
        seconds.setdefault((what, side), []).append(time.perf_counter() - began)
        return reply

    def _side(self, count: int) -> Side:
        """What the queue has learnt is copied; its tickets are not."""
        prefix = f"h{count}_"
        database = self.world.client[f"{prefix}queue"]
        process, address = serves.another(self.world.platform, prefix, MPP_DATABASE_PREFIX=prefix)
        migrate = self.world.platform.environment("queue", "migrate", MPP_DATABASE_PREFIX=prefix)
        subprocess.run(
            [sys.executable, "-m", "mpp_queue.main", "migrate"], env=migrate, check=True, capture_output=True
        )
        source = self.world.client["mpp_queue"]
        for name in set(source.list_collection_names()) - {"tickets", "handlers", "leases"}:
            database[name].delete_many({})
            if documents := list(source[name].find()):
                database[name].insert_many(documents)
        popen = self.world.platform.start(process)
        wait_ready([(process, popen)], self.world.platform.logs)
        hall = Hall(self.world, address)
        hall.take()
        ticket = hall.call(0)
        hall.do("StartServing", ticket, 0)
        hall.do("FinishTicket", ticket, 0)
        sample = database["tickets"].find_one({"_id": ticket.name})
        began = time.monotonic()
        inserted = history.insert(database["tickets"], history.ended_like(sample, count, self._queues()))
        print(f"{inserted:,} tickets of history inserted in {time.monotonic() - began:.0f} s")
        for desk in range(len(COUNTERS)):  # opens the counters
            hall.take()
            hall.do("CancelTicket", hall.call(desk), desk)
        return Side(hall, popen, inserted)

    @staticmethod
    def _queues() -> Iterator[str]:
        return (QUEUE if n == 0 else f"sites/{SITE}/queues/other-{n}" for n in range(QUEUES))

    def close(self) -> None:
        for side in self.sides:
            stop(side.popen)
