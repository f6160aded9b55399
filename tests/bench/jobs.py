"""The jobs of DESIGN.md section 12 that exist so far, each with its raw floor. Every `round` gives named figures.

Floors have equal durability: a raw pymongo insert (w=majority, journal) of the same document, a raw pipelined confirmed
publish of the same messages to the same quorum queues, a raw grpcio unary of the same sizes, a raw consume-and-upsert.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pymongo
from mpp.applications.v1 import application_pb2, applications_service_pb2, applications_service_pb2_grpc
from mpp.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from mpp.queue.v1 import events_pb2, queue_service_pb2, queue_service_pb2_grpc
from mpp_chassis import broker, outbox
from mpp_chassis.broker import Outgoing, Publisher
from mpp_chassis.events import Event, encode, event_type, event_types, new_event_id
from mpp_chassis.outbox import Committed, Dispatcher
from mpp_localrun.platform import Platform, Process, free_ports, stop, wait_ready

from tests.bench import waiting
from tests.bench.measure import Sample, callers

QUEUE = "sites/malang/queues/dukcapil"
Figures = dict[str, float]


class World:
    """A platform of its own (profile `bench`), with just the processes that a job needs."""

    def __init__(self) -> None:
        self.platform = Platform("bench")
        self.platform.stack.clean()
        self.platform.stack.up()
        self.running: dict[str, Any] = {}
        self.client: pymongo.MongoClient[Any] = pymongo.MongoClient(
            self.platform.stack.mongodb_uri, w="majority", journal=True, retryWrites=False, tz_aware=True
        )

    def need(self, *names: str) -> None:
        """Run exactly these processes: others would take the CPU from what is measured."""
        for name in [n for n in self.running if n not in names]:
            stop(self.running.pop(name))
        started = []
        for name in names:
            if name not in self.running:
                service, _, verb = name.partition("-")
                process = self.platform.issuer() if name == "issuer" else self.platform.process(service, verb)
                self.running[name] = self.platform.start(process)
                started.append((process, self.running[name]))
        wait_ready(started, self.platform.logs)

    def load_site(self) -> None:
        """The catalogue, until queue and applications know it."""
        self.platform.migrate()
        self.need("issuer", "catalog-serve", "queue-serve", "queue-work", "applications-work", "notifications-work")
        command = [sys.executable, "-m", "mppctl.main", "--profile", "bench", "apply", "-f", "sites/malang"]
        subprocess.run(command, check=True, cwd=self.platform.root, stdout=subprocess.DEVNULL)
        self.settle("queue", "applications", "notifications")

    def settle(self, *services: str) -> None:
        """Wait until the running workers of these services have nothing left to do: a backlog is not what is measured."""
        conn = broker.connection(self.platform.stack.amqp_uri)
        channel = conn.channel()
        names = [d["_id"] for s in services for d in self.client[f"mpp_{s}"]["handlers"].find()]
        end = time.monotonic() + 120
        while any(channel.queue_declare(n, passive=True).message_count for n in names):
            if time.monotonic() > end:
                raise TimeoutError("the workers do not get to the end of their queues")
            time.sleep(0.1)
        conn.close()

    def channel(self, service: str) -> grpc.Channel:
        return grpc.insecure_channel(self.platform.endpoints()[service])

    def auth(self, subject: str, *roles: str, **claims: Any) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self.platform.token(subject, list(roles), **claims)}")]

    def close(self) -> None:
        self.need()
        self.platform.stack.down()


class TakeTicket:
    """RPC and durable write of a ticket, against the slower of a raw RPC and a raw write."""

    name = "take a ticket"
    reach = "ratio >= 0.6; p99 <= 3 x the floors' p99 in sum"

    def __init__(self, world: World) -> None:
        world.need("issuer", "queue-serve")
        self.stub = queue_service_pb2_grpc.QueueServiceStub(world.channel("queue"))
        self.auth = world.auth("kiosk-1", "kiosk", site="malang")
        request, reply = self._request(), self._take(0, 0)
        self.document = world.client["mpp_queue"]["tickets"].find_one({"_id": reply.ticket.name})
        self.document.pop("outbox", None)
        self.raw = world.client["floor"]["tickets"]
        port = next(iter(free_ports(1)))
        self.echo = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.echo", str(port), str(reply.ByteSize())],
            stdout=subprocess.PIPE, cwd=world.platform.root,
        )  # fmt: skip
        assert self.echo.stdout is not None
        self.echo.stdout.readline()  # it says when it is ready
        self.body = request.SerializeToString()
        self.floor = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary("/Floor/Echo")

    def _request(self) -> Any:
        return queue_service_pb2.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))

    def _take(self, _caller: int, _number: int) -> Any:
        return self.stub.TakeTicket(self._request(), metadata=self.auth, timeout=20)

    def _echo(self, _caller: int, _number: int) -> Any:
        return self.floor(self.body, metadata=self.auth, timeout=20)

    def _insert(self, _caller: int, _number: int) -> Any:
        return self.raw.insert_one({**self.document, "_id": uuid.uuid4().hex})

    def round(self, scale: int) -> Figures:
        figures: Figures = {}
        for clients in (1, 8):
            each = 40 * scale // (1 if clients == 1 else 4)
            rpc, write, take = (callers(clients, each, f) for f in (self._echo, self._insert, self._take))
            floor = min(rpc.rate, write.rate)
            figures |= {
                f"{clients} client: take/s": take.rate,
                f"{clients} client: raw rpc/s": rpc.rate,
                f"{clients} client: raw write/s": write.rate,
                f"{clients} client: ratio": take.rate / floor,
                f"{clients} client: p50 ms": take.quantile(0.5) * 1000,
                f"{clients} client: p99 ms": take.quantile(0.99) * 1000,
                f"{clients} client: p99 / floors' p99": take.quantile(0.99)
                / (rpc.quantile(0.99) + write.quantile(0.99)),
            }
        return figures

    def close(self) -> None:
        self.echo.kill()
        self.echo.wait()


class _Events:
    """Events of a kind that one quorum queue and the public journal receive."""

    def __init__(self, world: World) -> None:
        self.uri = world.platform.stack.amqp_uri
        self.rng = random.Random(7)
        self.conn = broker.connection(self.uri)
        self.channel = self.conn.channel()
        self.kind = event_type(events_pb2.TicketServing)
        broker.declare_source(self.channel, "queue", event_types(events_pb2))
        broker.declare_handler(self.channel, "probe.record", self.kind, (200, 1000))
        # Only the queue that is measured: the consumers of the platform are not running and would only pile up.
        for consumer in ("complaints.ticket_serving", "applications.ticket_serving"):
            with contextlib.suppress(Exception):
                self.channel.queue_unbind(consumer, "queue.events", self.kind.routing_key)

    def make(self, count: int) -> list[Any]:
        found = []
        for number in range(count):
            now = datetime.now(UTC)
            message = events_pb2.TicketServing(
                ticket=f"t/{number}", number=f"D-{number}", agency="sites/malang/agencies/d"
            )
            found += encode(
                Event(message, f"t/{number}"),
                sequence=1,
                event_id=new_event_id(now, self.rng),
                time=now,
                traceparent="",
            )
        return found

    def purge(self) -> None:
        self.channel.queue_purge("probe.record")


class Dispatch:
    """Publishing and clearing what waits in documents, against a raw pipelined publish of the same messages."""

    name = "outbox dispatch"
    reach = "ratio >= 0.5"

    def __init__(self, world: World) -> None:
        world.need()
        self.events = _Events(world)
        self.database = world.client["floor"]
        self.database["outboxes"].create_indexes([outbox.INDEX])
        self.publisher = Publisher(self.events.uri, confirm_timeout=30)
        self.dispatcher = Dispatcher(self.database, "queue.events", Publisher(self.events.uri, confirm_timeout=30))

    def round(self, scale: int) -> Figures:
        count = 200 * scale // 2
        raw = [Outgoing.of("queue.events", m) for m in self.events.make(count)]
        started = time.perf_counter()
        for chunk in (raw[i : i + outbox.BATCH] for i in range(0, count, outbox.BATCH)):
            assert len(self.publisher.publish(chunk).accepted) == len(chunk)
        floor = count / (time.perf_counter() - started)
        items = []
        for wire in self.events.make(count):
            document = {"_id": wire.id, "site_id": "s", "version": 1, "outbox": outbox.waiting([wire])}
            items.append((document, Committed("outboxes", wire.id, wire.id, (wire,))))
        self.database["outboxes"].insert_many([d for d, _ in items])
        started = time.perf_counter()
        cleared = 0
        for chunk in (items[i : i + outbox.BATCH] for i in range(0, count, outbox.BATCH)):
            cleared += self.dispatcher.deliver([i for _, i in chunk])
        job = count / (time.perf_counter() - started)
        assert cleared == count
        self.database["outboxes"].delete_many({})
        self.events.purge()
        return {"events/s": job, "raw publish/s": floor, "ratio": job / floor}

    def close(self) -> None:
        self.events.conn.close()


class Projection:
    """A `work` process that projects events, against a raw loop of consume, upsert, acknowledge."""

    name = "projection"
    reach = "ratio >= 0.5"

    def __init__(self, world: World) -> None:
        world.need()
        self.world, self.events = world, _Events(world)
        self.prefix = f"b{uuid.uuid4().hex[:6]}_"
        self.effects = world.client[f"{self.prefix}probe"]["effects"]

    def round(self, scale: int) -> Figures:
        count = 200 * scale // 2
        self._publish(count)
        floor = count / self._raw(count)
        self._publish(count)
        job = count / self._worker(count)
        return {"events/s": job, "raw loop/s": floor, "ratio": job / floor}

    def _publish(self, count: int) -> None:
        publisher = Publisher(self.events.uri, confirm_timeout=30)
        publisher.publish([Outgoing.of("queue.events", m) for m in self.events.make(count)])
        publisher.close()

    def _raw(self, count: int) -> float:
        board, seen = self.world.client["floor"]["boards"], 0

        def consume(message: Any) -> None:
            nonlocal seen
            body = json.loads(message.body)
            fields = {"sequence": int(message.headers["ce-sequence"]), "number": body["number"]}
            board.update_one({"_id": message.headers["ce-id"]}, {"$set": fields}, upsert=True)
            message.channel.basic_ack(message.delivery_tag)
            seen += 1

        conn = broker.connection(self.events.uri)
        channel = conn.channel()
        channel.basic_qos(0, 16, False)
        channel.basic_consume("probe.record", callback=consume)
        started = time.perf_counter()
        while seen < count:
            conn.drain_events(timeout=10)
        took = time.perf_counter() - started
        conn.close()
        return took

    def _worker(self, count: int) -> float:
        """From the first effect to the last: the start of the process is not what is measured."""
        self.effects.delete_many({})
        with self._probe():
            while not self.effects.find_one({}):
                time.sleep(0.001)
            started, first = time.perf_counter(), self.effects.count_documents({})
            while self.effects.count_documents({}) < count:
                time.sleep(0.02)
            return (time.perf_counter() - started) * count / (count - first)

    @contextlib.contextmanager
    def _probe(self) -> Iterator[None]:
        platform, port = self.world.platform, next(iter(free_ports(1)))
        script = Path(__file__).parents[1] / "integration" / "chassis" / "probe.py"
        environment = {**platform.environment("queue", "work"), "MPP_DATABASE_PREFIX": self.prefix,
                       "MPP_HTTP_PORT": str(port), "MPP_RETRY_DELAYS_MS": "200,1000"}  # fmt: skip
        process = Process(
            "probe-work", (sys.executable, str(script), "work"), environment, f"http://127.0.0.1:{port}/readyz"
        )
        popen = platform.start(process)
        try:
            yield
        finally:
            stop(popen)

    def close(self) -> None:
        self.events.channel.queue_delete("probe.record")
        self.events.conn.close()


class SubmitToNotification:
    """From the call of SubmitApplication to the message in the provider's hands, against rpc + write + publish-consume."""

    name = "submit to notification"
    reach = "p50 <= 25 ms"

    def __init__(self, world: World) -> None:
        world.platform.migrate()  # bindings that another job took away come back
        world.need("issuer", "catalog-serve", "applications-serve", "notifications-work")
        self.world = world
        self.stub = applications_service_pb2_grpc.ApplicationsServiceStub(world.channel("applications"))
        self.auth = world.auth("petugas-3", "officer", site="malang", agency="dukcapil", counter=3)
        catalog = catalog_service_pb2_grpc.CatalogServiceStub(world.channel("catalog"))
        search = catalog_service_pb2.SearchOfferingsRequest(parent="sites/malang", query="kartu keluarga")
        self.offering = catalog.SearchOfferings(search, timeout=10).offerings[0]
        world.need("issuer", "applications-serve", "notifications-work")
        world.settle("notifications")  # tickets that other jobs took
        self.outbox = world.platform.outbox / "messages.jsonl"
        self.floor_queue = f"floor.{uuid.uuid4().hex[:6]}"

    def round(self, scale: int) -> Figures:
        count = max(10, scale // 2)
        job = [self._once() for _ in range(count)]
        raw = self._raw(count)
        job.sort()
        raw.sort()
        return {
            "p50 ms": job[len(job) // 2] * 1000,
            "p99 ms": job[int(len(job) * 0.99)] * 1000,
            "raw write+publish+consume p50 ms": raw[len(raw) // 2] * 1000,
            "p50 / raw p50": job[len(job) // 2] / raw[len(raw) // 2],
        }

    def _once(self) -> float:
        serial = random.randint(1, 9999)
        phone = f"+62813{random.randint(0, 10**8 - 1):08d}"
        create = applications_service_pb2.CreateApplicationRequest(
            parent="sites/malang",
            offering=self.offering.name,
            applicant=application_pb2.Applicant(full_name="Bench", nik=f"357301150590{serial:04d}", phone=phone),
            presented_requirements=[r.id for r in self.offering.standard.requirements],
            request_id=str(uuid.uuid4()),
        )
        application = self.stub.CreateApplication(create, metadata=self.auth, timeout=10)
        self._await(phone, 1)
        submit = applications_service_pb2.SubmitApplicationRequest(name=application.name, request_id=str(uuid.uuid4()))
        started = time.perf_counter()
        self.stub.SubmitApplication(submit, metadata=self.auth, timeout=10)
        self._await(phone, 2)
        return time.perf_counter() - started

    def _await(self, phone: str, count: int) -> None:
        """Until the provider has `count` messages for this phone; the file is looked at every half millisecond."""
        end = time.monotonic() + 20
        needle = phone.encode()
        while not self.outbox.exists() or self._tail().count(needle) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"message {count} did not reach the provider")
            time.sleep(0.0005)

    def _tail(self) -> bytes:
        with self.outbox.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 4096))
            return file.read()

    def _raw(self, count: int) -> list[float]:
        """One insert, one confirmed publish, one consume: the least that the way can cost."""
        uri, collection = self.world.platform.stack.amqp_uri, self.world.client["floor"]["submits"]
        conn = broker.connection(uri)
        channel = conn.channel()
        channel.queue_declare(self.floor_queue, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        came = threading.Event()
        tag = channel.basic_consume(self.floor_queue, callback=lambda _m: came.set(), no_ack=True)
        publisher, seconds = Publisher(uri), []
        for _ in range(count):
            came.clear()
            started = time.perf_counter()
            collection.insert_one({"_id": uuid.uuid4().hex, "body": "x" * 2000})
            publisher.publish([Outgoing(uuid.uuid4().hex, "", self.floor_queue, {}, "x" * 500)])
            while not came.is_set():
                conn.drain_events(timeout=5)
            seconds.append(time.perf_counter() - started)
        channel.basic_cancel(tag)
        channel.queue_delete(self.floor_queue)
        publisher.close()
        conn.close()
        return seconds

    def close(self) -> None:
        """Nothing of its own runs."""


class Display:
    """A ticket taken, called, and its number on a watched board, at a steady 50 tickets a second over four queues."""

    name = "take, call, display at 50 tickets/s"
    reach = "call to display: p50 <= 15 ms, p99 <= 60 ms"
    RATE = 50
    QUEUES = ("dukcapil", "samsat", "imigrasi", "bapenda")
    HANDS = 8  # callers; each has a counter of its own

    def __init__(self, world: World) -> None:
        world.need("issuer", "queue-serve")
        self.stub = queue_service_pb2_grpc.QueueServiceStub(world.channel("queue"))
        self.kiosk = world.auth("kiosk-1", "kiosk", site="malang")
        self.seen: dict[tuple[str, str], float] = {}
        self.places: list[tuple[str, int, Any]] = []
        for queue in self.QUEUES:
            name = f"sites/malang/queues/{queue}"
            status = self.stub.GetQueue(queue_service_pb2.GetQueueRequest(name=name), timeout=10)
            for counter in status.counters[: self.HANDS // len(self.QUEUES)]:  # nobody sits at two
                agency = status.agency.rsplit("/", 1)[1]
                officer = world.auth(f"officer-{queue}-{counter}", "officer", site="malang", agency=agency)
                self.places.append((name, counter, officer))
            threading.Thread(target=self._watch, args=(name,), daemon=True).start()

    def _watch(self, queue: str) -> None:
        with contextlib.suppress(grpc.RpcError):
            for status in self.stub.WatchQueue(queue_service_pb2.WatchQueueRequest(name=queue), timeout=3600):
                now = time.perf_counter()
                for line in status.board:
                    self.seen.setdefault((queue, line.number), now)

    def _one(self, place: tuple[str, int, Any], figures: dict[str, list[float]]) -> None:
        queue, counter, officer = place
        taken = time.perf_counter()
        request = queue_service_pb2.TakeTicketRequest(parent=queue, request_id=str(uuid.uuid4()))
        self.stub.TakeTicket(request, metadata=self.kiosk, timeout=20)
        calling = time.perf_counter()
        call = queue_service_pb2.CallNextRequest(parent=queue, counter=counter, request_id=str(uuid.uuid4()))
        called = self.stub.CallNext(call, metadata=officer, timeout=20)
        done = time.perf_counter()
        end = done + 5
        while (shown := self.seen.get((queue, called.number))) is None:
            if time.perf_counter() > end:
                raise TimeoutError(f"{called.number} never came on the board of {queue}")
            time.sleep(0.001)
        cancel = queue_service_pb2.CancelTicketRequest(name=called.name, request_id=str(uuid.uuid4()))
        self.stub.CancelTicket(cancel, metadata=officer, timeout=20)  # frees the counter
        for name, value in (("take", calling - taken), ("call", done - calling), ("call to display", shown - calling)):
            figures[name].append(value)

    def round(self, scale: int) -> Figures:
        """Open loop: a ticket is due every 20 ms whether or not the one before is through."""
        figures: dict[str, list[float]] = {"take": [], "call": [], "call to display": []}
        each = 40 * scale // self.HANDS
        start = time.perf_counter()
        late: list[float] = []

        def hand(number: int) -> None:
            for turn in range(each):
                due = start + (turn * self.HANDS + number) / self.RATE
                late.append(max(0.0, time.perf_counter() - due))
                time.sleep(max(0.0, due - time.perf_counter()))
                self._one(self.places[number], figures)

        with ThreadPoolExecutor(self.HANDS) as hands:
            list(hands.map(hand, range(self.HANDS)))
        rate = self.HANDS * each / (time.perf_counter() - start)
        found = {"tickets/s": rate, "most behind ms": 1000 * max(late)}
        for name, seconds in figures.items():
            sample = Sample(seconds, 1.0)
            found |= {f"{name} p50 ms": 1000 * sample.quantile(0.5), f"{name} p99 ms": 1000 * sample.quantile(0.99)}
        return found

    def close(self) -> None:
        self.places.clear()


class WaitEstimate:
    """Told waits against what came true, over simulated days; ours beside the naive average. No process, no store."""

    name = "wait estimate"
    reach = "mean error < naive's; 0.7 to 0.95 inside the range"

    def __init__(self, world: World) -> None:
        self.seed = 0

    def round(self, scale: int) -> Figures:
        """Other days in each round; the same in each run."""
        self.seed += 1
        found: Figures = {}
        for name, score in waiting.backtest(self.seed, days=scale).items():
            found[f"{name}: mean error, minutes"] = score.mean_error
            if name.startswith("ours"):
                found[f"{name}: inside the range"] = score.inside
                found[f"{name}: bias, minutes"] = score.bias
        return found

    def close(self) -> None: ...


JOBS = (TakeTicket, Dispatch, Projection, SubmitToNotification, Display, WaitEstimate)
__all__ = ["JOBS", "World"]
