"""The processes of a service: `serve` (gRPC, threads), `work` (nameko, eventlet), `migrate` (indexes and queues, once).

The composition root of the chassis: it alone knows all its parts. A service's main.py describes the service and calls
`run`. grpcio and eventlet never share a process, so each verb imports its own side only, and `work` patches first.
"""

from __future__ import annotations

import gc
import importlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

AUDIT_HEAD_SECONDS = 60.0  # how often a grown audit chain tells its head
CALL_SECONDS = 4.0  # for calls and handlers under way after SIGTERM; sweeper and dispatcher take 4 more at the worst


@dataclass(frozen=True, slots=True)
class Service:
    """What a service is made of. Strings name things that only some process may import."""

    name: str
    compose: Callable[[Any], Any]  # Kit -> the service's App
    api: Callable[[Any], Sequence[Any]]  # App -> [(ServiceDescriptor, implementation, errors)]
    handlers: str  # "mpp_queue.handlers:Handlers"
    indexes: str  # "mpp_queue.store:INDEXES"
    aggregates: tuple[str, ...]  # collections whose documents carry an outbox
    events: str  # "mpp.queue.v1.events_pb2"


@dataclass(frozen=True, slots=True)
class Kit:
    """What the chassis gives a service to compose itself from."""

    settings: Any
    store: Any
    cipher: Any
    index: Any
    audit: Any
    clock: Callable[[], datetime]
    rng: random.Random
    log: Any


def run(service: Service, argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run one verb until SIGTERM or SIGINT. Exit 0 after a clean stop, 2 for bad usage or settings."""
    verbs = {"serve": _serve, "work": _work, "migrate": _migrate}
    if len(argv) != 1 or argv[0] not in verbs:
        sys.stderr.write(f"usage: python -m mpp_{service.name}.main {'|'.join(verbs)}\n")
        return 2
    if argv[0] == "work":
        import eventlet

        eventlet.monkey_patch()
    from mpp_chassis import logs
    from mpp_chassis.settings import BadSettings, from_env

    try:
        settings = from_env(service.name, env)
        logs.configure(service.name, argv[0], settings.log_level)
        return verbs[argv[0]](service, settings)
    except BadSettings as e:
        sys.stderr.write(f"mpp-{service.name}: {e}\n")
        return 2


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, name) if name else loaded


class _Parts:
    """Everything a running process holds, in the order in which it must stop."""

    def __init__(self, service: Service, settings: Any) -> None:
        from mpp_chassis import logs, storage
        from mpp_chassis.aggregates import Store
        from mpp_chassis.audit import AuditLog
        from mpp_chassis.broker import Publisher
        from mpp_chassis.outbox import Dispatcher, Sweeper
        from mpp_chassis.privacy import BlindIndex, FieldCipher

        self._stopping = threading.Event()
        self.log = logs.get(part="process")
        self.rng = random.SystemRandom()
        self.identity = f"{os.uname().nodename}-{os.getpid()}-{self.rng.getrandbits(32):08x}"
        self.database = storage.connect(settings.mongodb_uri, settings.database, timeout_seconds=8)
        publisher = Publisher(settings.amqp_uri)
        self.dispatcher = Dispatcher(self.database, f"{service.name}.events", publisher)
        store = Store(self.database, self.dispatcher if settings.dispatch else None, _now, self.rng)
        self.lease = partial(_lease, self.database, self.identity)
        # The sweeper has a dispatcher of its own: a slow sweep never holds up fresh events.
        swept = Dispatcher(self.database, f"{service.name}.events", Publisher(settings.amqp_uri))
        self.sweeper = Sweeper(self.database, service.aggregates, swept, self.lease("sweeper", 10), _now)
        self.dispatching = settings.dispatch
        self.index = BlindIndex(settings.index_key)
        self.audit = AuditLog(self.database["audit"], f"{service.name}-{self.identity}")
        self.kit = Kit(
            settings, store, FieldCipher(settings.field_keys), self.index, self.audit, _now, self.rng,
            logs.get(part="service"),
        )  # fmt: skip
        self.app = service.compose(self.kit)

    def start(self) -> None:
        if self.dispatching:
            self.dispatcher.start()
            self.sweeper.start()

        threading.Thread(target=self._publish_heads, name="audit-head", daemon=True).start()

    def _publish_heads(self) -> None:
        while not self._stopping.wait(AUDIT_HEAD_SECONDS):
            self.audit.publish_head()

    def stop(self) -> None:
        self._stopping.set()
        self.sweeper.stop()
        if self.dispatching:
            self.dispatcher.stop(2.0)
        self.audit.publish_head()


def _lease(database: Any, holder: str, name: str, seconds: float) -> Any:
    from mpp_chassis.lease import Lease

    return Lease(database["leases"], name, holder, _now, seconds)


def _now() -> datetime:
    return datetime.now(UTC)


def _serve(service: Service, settings: Any) -> int:
    from mpp.ops.v1 import ops_service_pb2

    from mpp_chassis.health import serve_health
    from mpp_chassis.identity import Authenticator, KeySet
    from mpp_chassis.parked import ERRORS, OpsApi
    from mpp_chassis.server import GrpcServer
    from mpp_chassis.server import Kit as GrpcKit

    parts = _Parts(service, settings)

    def nik_index(nik: str) -> str:
        return parts.index.of(nik, "nik")

    keys = KeySet(settings.jwks_url)
    authenticator = Authenticator(keys, settings.issuer, settings.audience, nik_index, settings.claims)

    def queues() -> list[str]:
        return [d["_id"] for d in parts.database["handlers"].find({}).sort("_id", 1)]

    ops = (ops_service_pb2.DESCRIPTOR.services_by_name["OpsService"], OpsApi(settings.amqp_uri, queues), ERRORS)
    server = GrpcServer(
        GrpcKit(authenticator, _now, settings.grpc_streams),
        [*service.api(parts.app), ops],
        f"{settings.bind}:{settings.grpc_port}",
        settings.grpc_threads,
    )
    stop = _stop_signal()
    serving = threading.Event()
    http = serve_health(settings.bind, settings.http_port, live=lambda: True, ready=serving.is_set)
    parts.start()
    server.start()
    serving.set()
    # What lives now lives for good: no collection needs to look at it again, so none takes long in the middle of a call.
    gc.collect()
    gc.freeze()
    parts.log.info("serving", grpc_port=server.port, http_port=settings.http_port)
    stop.wait()
    serving.clear()
    server.stop(CALL_SECONDS)
    parts.stop()
    http.shutdown()
    parts.log.info("stopped")
    return 0


def _work(service: Service, settings: Any) -> int:
    from nameko.runners import ServiceRunner

    from mpp_chassis.depths import Depths
    from mpp_chassis.entrypoint import WorkContext, handlers_of
    from mpp_chassis.health import serve_health

    parts = _Parts(service, settings)
    context = WorkContext(service.name, settings.amqp_uri, settings.retry_delays_ms, parts.app, parts.lease)
    config: dict[str, Any] = {"mpp": context, "max_workers": 512, "AMQP_URI": settings.amqp_uri}
    runner = ServiceRunner(config)
    runner.add_service(_named(service.handlers))
    depths = Depths(settings.amqp_uri, [queue for queue, _ in handlers_of(_named(service.handlers))])
    stop = _stop_signal()
    parts.start()
    runner.start()
    depths.start()
    consumer = config.get("mpp_consumer")

    def live() -> bool:
        return consumer is None or consumer.live(time.monotonic())

    def ready() -> bool:
        return consumer is None or (consumer.attached and not stop.is_set())

    http = serve_health(settings.bind, settings.http_port, live, ready)
    parts.log.info("working", http_port=settings.http_port)
    while not stop.is_set():
        stop.wait(1.0)
    depths.stop()
    stopper = threading.Thread(target=runner.stop, daemon=True)
    stopper.start()
    stopper.join(CALL_SECONDS)
    parts.stop()
    http.shutdown()
    parts.log.info("stopped")
    return 0


def _migrate(service: Service, settings: Any) -> int:
    """Indexes and queues. Safe to run twice and by several at once; run it before `serve` and `work` of a new version:
    an event published before a consumer's queue exists would not reach that consumer."""
    from mpp_chassis import logs, storage
    from mpp_chassis.entrypoint import handlers_of

    database = storage.connect(settings.mongodb_uri, settings.database, timeout_seconds=20)
    storage.ensure_indexes(database, _named(service.indexes), service.aggregates)
    found = handlers_of(_named(service.handlers))
    _patiently(lambda: _declare(service, settings, found))
    for queue, kind in found:
        database["handlers"].update_one({"_id": queue}, {"$set": {"key": kind.routing_key}}, upsert=True)
    logs.get(part="process").info("migrated", queues=len(found))
    return 0


def _declare(service: Service, settings: Any, found: Sequence[tuple[str, Any]]) -> None:
    from mpp_chassis import broker
    from mpp_chassis.events import event_types

    conn = broker.connection(settings.amqp_uri)
    try:
        channel = conn.channel()
        broker.declare_source(channel, service.name, event_types(_named(service.events)))
        for queue, kind in found:
            broker.declare_handler(channel, queue, kind, settings.retry_delays_ms)
    finally:
        conn.close()


def _patiently(act: Callable[[], None], seconds: float = 20.0) -> None:
    """Again after a failure: for about a second after its start RabbitMQ says that a stream which is there is not."""
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _stop_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
