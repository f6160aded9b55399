"""A backup, the loss of store *and* broker, and the way back: rehearsed with real processes on the real store.

The platform of this test has databases and a broker's virtual host of its own on the shared stack, so losing both harms
nobody else's tests.
"""

from __future__ import annotations

import base64
import contextlib
import json
import random
import subprocess
import sys
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pymongo
import pytest
from google.protobuf.message import Message
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_backup import archive, dump, restore
from mpp_chassis import broker
from mpp_chassis.events import Event, encode, new_event_id
from mpp_localrun.platform import Process, free_ports, stop, wait_ready

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
SITE, QUEUE, AGENCY = "sites/uji", "sites/uji/queues/dukcapil", "sites/uji/agencies/dukcapil"
RUNNING = (("queue", "serve"), ("queue", "work"), ("notifications", "work"))


class Town:
    """A small platform: the queue's two processes and notifications."""

    def __init__(self, services: Any) -> None:
        services.issuer()
        self.platform, self.auth = services.platform, services.auth
        made = uuid.uuid4().hex[:8]
        self.prefix, self.vhost = f"bk{made}_", f"bk-{made}"
        stack = self.platform.stack
        self.amqp_uri = stack.amqp_uri.removesuffix("//") + f"/{self.vhost}"
        self.client: pymongo.MongoClient[Any] = pymongo.MongoClient(stack.mongodb_uri, tz_aware=True)
        self.ports = dict(zip([*RUNNING, "grpc"], free_ports(len(RUNNING) + 1), strict=True))
        self.running: dict[tuple[str, str], Any] = {}

    def database(self, service: str) -> Any:
        return self.client[self.prefix + service]

    # -- the broker's virtual host: the whole broker, as far as this town knows

    def new_broker(self) -> None:
        self._manage("PUT", f"vhosts/{self.vhost}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._manage("PUT", f"permissions/{self.vhost}/guest", everything)

    def lose_broker(self) -> None:
        self._manage("DELETE", f"vhosts/{self.vhost}", None)

    def lose_store(self) -> None:
        for name in self.client.list_database_names():
            if name.startswith(self.prefix):
                self.client.drop_database(name)

    def _manage(self, method: str, path: str, body: Any) -> None:
        uri = urllib.parse.urlsplit(self.platform.stack.broker.management_uri)
        login = base64.b64encode(f"{uri.username}:{uri.password}".encode()).decode()
        request = urllib.request.Request(
            f"http://{uri.hostname}:{uri.port}/api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=30).close()

    # -- processes

    def extra(self) -> dict[str, str]:
        return {"MPP_DATABASE_PREFIX": self.prefix, "MPP_AMQP_URI": self.amqp_uri}

    def migrate(self) -> None:
        names = [s for s in self.platform.services() if s != "subscriptions"]  # it manages the broker's own accounts
        environments = {s: self.platform.environment(s, "migrate", **self.extra()) for s in names}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "mpp_localrun.migrate"],
            input=json.dumps(environments),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, *chosen: tuple[str, str], **extra: str) -> None:
        started = []
        for which in chosen or RUNNING:
            ports = {"MPP_HTTP_PORT": str(self.ports[which]), "MPP_GRPC_PORT": str(self.ports["grpc"])}
            environment = self.platform.environment(*which, **{**self.extra(), **ports, **extra})
            command = (sys.executable, "-m", f"mpp_{which[0]}.main", which[1])
            ready = f"http://127.0.0.1:{self.ports[which]}/readyz"
            process = Process("-".join((self.vhost, *which)), command, environment, ready)
            self.running[which] = self.platform.start(process)
            started.append((process, self.running[which]))
        wait_ready(started, self.platform.logs)

    def stop(self, *which: tuple[str, str]) -> None:
        for each in which or tuple(self.running):
            stop(self.running.pop(each))

    # -- people

    def tell(self, message: Message, subject: str) -> None:
        """What the catalogue would publish."""
        now = datetime.now(UTC)
        event_id = new_event_id(now, random.Random())
        wire = encode(Event(message, subject), sequence=1, event_id=event_id, time=now, traceparent="")[0]
        publisher = broker.Publisher(self.amqp_uri)
        assert publisher.publish([broker.Outgoing.of("catalog.events", wire)]).accepted
        publisher.close()

    @contextlib.contextmanager
    def stub(self) -> Iterator[QueueServiceStub]:
        with grpc.insecure_channel(f"127.0.0.1:{self.ports['grpc']}") as channel:
            yield QueueServiceStub(channel)

    def take(self, request_id: str) -> Any:
        request = pb.TakeTicketRequest(parent=QUEUE, request_id=request_id, phone="+6281211112222")
        with self.stub() as stub:
            return stub.TakeTicket(request, metadata=self.auth("kiosk", site="uji"), timeout=30).ticket

    def call_next(self) -> Any:
        request = pb.CallNextRequest(parent=QUEUE, counter=3, request_id=str(uuid.uuid4()))
        with self.stub() as stub:
            return stub.CallNext(request, metadata=self._officer(), timeout=30)

    def visit(self, request_id: str) -> Any:
        taken = self.take(request_id)
        assert self.call_next().name == taken.name
        with self.stub() as stub:
            for rpc in ("StartServing", "FinishTicket"):
                request = getattr(pb, f"{rpc}Request")(name=taken.name, request_id=str(uuid.uuid4()))
                getattr(stub, rpc)(request, metadata=self._officer(), timeout=30)
        return taken

    def _officer(self) -> Any:
        return self.auth("officer", site="uji", agency="dukcapil", counter=3)

    def messages(self, ticket: Any, template: str = "ticket_issued") -> int:
        found = self.database("notifications")["notifications"]
        return int(found.count_documents({"subject": ticket.name, "template": template}))


@pytest.fixture(scope="module")
def town(services: Any) -> Iterator[Town]:
    here = Town(services)
    here.new_broker()
    yield here
    here.stop()
    here.lose_broker()
    here.lose_store()
    here.client.close()


def everything(town: Town) -> dict[str, dict[str, Any]]:
    """All documents by collection and id, without what belongs to processes."""
    return {
        f"{name.removeprefix(town.prefix)}.{collection}": {d["_id"]: d for d in town.client[name][collection].find({})}
        for name in town.client.list_database_names()
        if name.startswith(town.prefix)
        for collection in town.client[name].list_collection_names()
        if collection != "leases"
    }


def test_store_and_broker_are_lost_and_the_day_goes_on(
    town: Town, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    town.migrate()
    town.start()
    site = site_pb2.Site(name=SITE, time_zone="Asia/Jakarta")
    spec = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=[3], minutes_per_visit=10)
    town.tell(catalog_events.SitePublished(site=site), SITE)
    town.tell(catalog_events.AgencyPublished(agency=agency_pb2.Agency(name=AGENCY, queue=spec)), AGENCY)
    known = town.database("queue")
    eventually(lambda: known["agencies"].find_one({"_id": AGENCY}) and known["sites"].find_one({"_id": SITE}))
    asked = [str(uuid.uuid4()) for _ in range(5)]
    visited = [town.visit(request_id) for request_id in asked[:3]]
    eventually(lambda: all(town.messages(t) == 1 for t in visited))

    # The last ticket's event never gets out: nobody publishes for a while.
    town.stop(("queue", "serve"), ("queue", "work"))
    town.start(("queue", "serve"), MPP_DISPATCH="off")
    waiting = town.take(asked[3])
    assert waiting.number == "D-004"
    assert known["tickets"].find_one({"_id": waiting.name})["outbox"]

    folder = tmp_path / "backup"
    manifest = dump.dump(town.platform.stack.mongodb_uri, folder, prefix=town.prefix, amqp_uri=town.amqp_uri)
    held = {queue.split(".")[0] for queue in manifest.unsettled}
    assert held, "nobody works in applications and complaints: what they have not heard is named"
    assert held.isdisjoint({"queue", "notifications"})
    before = everything(town)
    town.stop()
    town.lose_broker()
    town.lose_store()
    assert everything(town) == {}

    town.new_broker()
    restore.restore(town.platform.stack.mongodb_uri, folder)
    after = everything(town)
    assert after.keys() == {name for name, found in before.items() if found}
    grown = {f"{p.database.removeprefix(town.prefix)}.{p.collection}" for p in manifest.parts if p.aggregate}
    for name, documents in after.items():
        raised = restore.NEWER_BY if name in grown else 0
        assert documents == {k: _newer(d, raised) for k, d in before[name].items()}, name

    town.migrate()
    town.start()
    assert town.take(asked[1]) == visited[1], "a repeated command still has its first reply"
    assert town.take(asked[3]).name == waiting.name
    assert town.take(asked[4]).number == "D-005", "no number twice"
    assert town.call_next().name == waiting.name, "who waited is called"
    eventually(lambda: town.messages(waiting) == 1 and town.messages(waiting, "ticket_called") == 1, 30)
    assert [town.messages(t) for t in visited] == [1, 1, 1], "nobody is told twice"
    numbers = [d["number"] for d in known["tickets"].find({})]
    assert len(numbers) == len(set(numbers)) == 5
    called = known["tickets"].find_one({"_id": waiting.name})
    assert called["version"] > restore.NEWER_BY, "what happens now is newer than anything that anybody heard before"


def _newer(document: dict[str, Any], by: int) -> dict[str, Any]:
    return {**document, "version": document["version"] + by} if by else document


@pytest.fixture
def small(database: Any, tmp_path: Path) -> Any:
    """A backup of one collection of aggregates and one of others; the store is emptied afterwards."""
    database["things"].create_index([("outbox.last", 1)], sparse=True)
    database["things"].insert_many(
        {"_id": f"t{n:04d}", "version": n, "at": datetime(2026, 1, 1, tzinfo=UTC), "bytes": b"\x00\xff" * n}
        for n in range(1100)
    )
    database["views"].insert_many({"_id": n, "sequence": 7} for n in range(3))
    database["leases"].insert_one({"_id": "sweeper"})
    database["empty"].create_index([("a", 1)])
    uri = "mongodb://{}:{}".format(*database.client.address)
    made = dump.dump(uri, tmp_path / "b", prefix=database.name)
    documents = {d["_id"]: d for d in database["things"].find({})}
    database.client.drop_database(database.name)
    return uri, tmp_path / "b", made, documents


def test_every_document_comes_back_as_it_was(small: Any, database: Any) -> None:
    uri, folder, made, documents = small
    assert {(p.collection, p.documents, p.aggregate) for p in made.parts} == {
        ("things", 1100, True),
        ("views", 3, False),
        ("empty", 0, False),
    }
    restore.restore(uri, folder, newer_by=5)
    assert {d["_id"]: d for d in database["things"].find({})} == {k: _newer(d, 5) for k, d in documents.items()}
    assert database["views"].count_documents({"sequence": 7}) == 3
    assert database["leases"].count_documents({}) == 0
    with pytest.raises(restore.NotEmpty, match="things"):
        restore.restore(uri, folder)


def test_a_damaged_archive_is_refused_and_nothing_is_written(small: Any, database: Any) -> None:
    uri, folder, made, _ = small
    file = folder / made.parts[-1].path
    whole = file.read_bytes()
    for damage in (whole[:-9], whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], None):
        file.unlink() if damage is None else file.write_bytes(damage)
        with pytest.raises(archive.BadArchive, match=made.parts[-1].collection):
            restore.restore(uri, folder)
    (folder / archive.MANIFEST).unlink()
    with pytest.raises(archive.BadArchive, match="not finished"):
        restore.restore(uri, folder)
    assert database.list_collection_names() == []


def test_a_backup_overwrites_nothing(small: Any) -> None:
    uri, folder, _, _ = small
    with pytest.raises(FileExistsError):
        dump.dump(uri, folder)
    with pytest.raises(ValueError, match="no database"):
        dump.dump(uri, folder / "new", prefix="nobody-has-this-")
