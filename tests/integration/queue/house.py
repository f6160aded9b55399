"""Several compositions of the queue service in this process, on one database of the test's own: their locks and memories
are apart, as those of processes are. Knows no broker: events stay in their documents."""

from __future__ import annotations

import base64
import random
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.queue.v1 import counters_service_pb2 as pb
from mpp.queue.v1 import queue_service_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.privacy import FieldCipher
from mpp_queue import admitting, calling, domain, main
from mpp_queue import usecases as tickets
from mpp_queue.counters import usecases

SITE = "malang"
QUEUE, AGENCY = f"sites/{SITE}/queues/dukcapil", f"sites/{SITE}/agencies/dukcapil"
SCOPES = {"officer": "agency", "citizen": "own"}  # others: the site
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 08:00 in Malang


class House:
    """The service's parts on a database of the test's own; `apps` as many as there would be processes."""

    def __init__(self, database: Any, processes: int = 2) -> None:
        self.database, self.now = database, MORNING
        self.apps = [main.compose(self._kit(n)) for n in range(processes)]  # type: ignore[arg-type]
        spec = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=range(1, 33), minutes_per_visit=10)
        self.apps[0].queues.learn_site(site_pb2.Site(name=f"sites/{SITE}", time_zone="Asia/Jakarta"), 1)
        self.apps[0].queues.learn_agency(agency_pb2.Agency(name=AGENCY, queue=spec), 1)

    def _kit(self, seed: int) -> Any:
        rng = random.Random(seed)
        return SimpleNamespace(
            store=Store(self.database, None, lambda: self.now, rng),
            cipher=FieldCipher("k:" + base64.b64encode(bytes(32)).decode()),
            index=SimpleNamespace(of=lambda value, kind: f"{kind}:{hash(value)}" if value else ""),
            settings=SimpleNamespace(extra={}, amqp_uri=""),
            audit=SimpleNamespace(record=lambda *given, **named: None),
            rng=rng,
            clock=lambda: self.now,
        )

    def line(self, queue: str, prefix: str, counters: Sequence[int]) -> str:
        """A queue more, of an agency of the same name."""
        spec = agency_pb2.QueueSpec(id=queue, prefix=prefix, counters=counters, minutes_per_visit=5)
        agency = agency_pb2.Agency(name=f"sites/{SITE}/agencies/{queue}", queue=spec)
        self.apps[0].queues.learn_agency(agency, 1)
        return f"sites/{SITE}/queues/{queue}"

    def by(self, who: str, method: str, request: Any) -> Call:
        role = who.split(":")[0]
        body = request.SerializeToString(deterministic=True).hex()
        command = Command(request.request_id, method, body, who, self.now)
        own = frozenset({f"sub:{who.split(':')[1]}"})
        caller = Caller(who.split(":")[1], frozenset({role}), SITE, agency="dukcapil", owner_keys=own)
        return Call(caller, self.now, command, frozenset({SCOPES.get(role, "site")}), role)

    def do(
        self, rpc: str, number: int, who: str = "officer:ani", process: int = 0, request_id: str = "", **given: Any
    ) -> Any:
        request_id = request_id or str(uuid.uuid4())
        request = getattr(pb, f"{rpc}Request")(name=f"sites/{SITE}/counters/{number}", request_id=request_id, **given)
        name = (
            "".join(f"_{c.lower()}" if c.isupper() else c for c in rpc).lstrip("_").replace("_counter_alarm", "_alarm")
        )
        return getattr(usecases, name)(self.apps[process].counters, request, self.by(who, rpc, request))

    def open(self, number: int, who: str = "officer:ani", process: int = 0, **given: Any) -> Any:
        return self.do("OpenCounter", number, who, process, queue=QUEUE, **given)

    def desk(self, number: int, who: str = "officer:ani", process: int = 0) -> Any:
        app = self.apps[process]
        request = queue_service_pb2.CallNextRequest(parent=QUEUE, counter=number, request_id=str(uuid.uuid4()))
        return usecases.desk_for_call(app.counters, app.queues.find(QUEUE), number, self.by(who, "CallNext", request))

    def take(self, offering: str = "") -> Any:
        request = queue_service_pb2.TakeTicketRequest(parent=QUEUE, offering=offering, request_id=str(uuid.uuid4()))
        return admitting.take_ticket(self.apps[0], request, self.by("kiosk:k1", "TakeTicket", request)).ticket

    def call(self, number: int, who: str = "officer:ani", process: int = 0, request_id: str = "") -> Any:
        request_id = request_id or str(uuid.uuid4())
        request = queue_service_pb2.CallNextRequest(parent=QUEUE, counter=number, request_id=request_id)
        return calling.call_next(self.apps[process], request, self.by(who, "CallNext", request))

    def there(self, number: int) -> str:
        """The ticket at a counter."""
        return str(self.database["tickets"].find_one({"counter": number, "at_counter": True})["_id"])

    def cancel(self, ticket: str) -> Any:
        request = queue_service_pb2.CancelTicketRequest(name=ticket, reason="pulang", request_id=str(uuid.uuid4()))
        return tickets.cancel_ticket(self.apps[0], request, self.by("site_manager:dewi", "CancelTicket", request))

    def document(self, number: int) -> dict[str, Any]:
        return self.database["counters"].find_one({"_id": f"sites/{SITE}/counters/{number}"})

    def events(self, number: int) -> list[str]:
        found = self.document(number).get("outbox", {"events": []})["events"]
        return [e["key"].removesuffix(".v1") for e in found if not e["key"].endswith(".public")]


def together(callers: int, act: Callable[[int], Any]) -> list[Any]:
    """All start at the same moment; what each got, or its refusal."""
    gate = threading.Barrier(callers)

    def run(n: int) -> Any:
        gate.wait()
        try:
            return act(n)
        except domain.QueueError as e:
            return e

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(run, range(callers)))
