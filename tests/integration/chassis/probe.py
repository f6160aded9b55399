"""A consumer with nothing but an effect: the service `probe` of the chassis' own tests, run as a real process.

Its handler writes one document an event, so lost and doubled effects can be counted. `PROBE_FAULT` says how it errs:
`none`, `percent` (poison for 1 in 100, by number), `flaky` (each event's first attempt fails), `always`.
`PROBE_HEARTBEAT` makes the heartbeat to the broker quicker, and with it the notice that the broker froze (four times that).
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from mpp_chassis.process import Service, run

if sys.argv[1:2] == ["work"]:  # before anything that opens a socket
    import eventlet

    eventlet.monkey_patch()

from mpp.queue.v1 import events_pb2
from mpp_chassis import entrypoint
from mpp_chassis.entrypoint import Composed, EventMeta, on
from mpp_chassis.projection import Projection
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

FAULT = os.environ.get("PROBE_FAULT", "none")
PACE = float(os.environ.get("PROBE_PACE", "0"))
entrypoint.HEARTBEAT = int(os.environ.get("PROBE_HEARTBEAT", entrypoint.HEARTBEAT))
entrypoint.SILENCE = min(entrypoint.SILENCE, 4.0 * entrypoint.HEARTBEAT)
INDEXES: dict[str, list[IndexModel]] = {"effects": [IndexModel([("number", 1)])]}


class Broken(Exception):
    pass


class Handlers:
    name = "probe"
    app = Composed()

    @on(events_pb2.TicketServing)
    def record(self, event: events_pb2.TicketServing, meta: EventMeta) -> None:
        number = int(event.number.split("-")[1])
        if FAULT == "always" or (FAULT == "percent" and number % 100 == 0):
            raise Broken(f"cannot digest number {number}, nik 3573010101900001")
        if FAULT == "flaky" and meta.attempt == 1:
            raise Broken("first attempt")
        if PACE:
            time.sleep(PACE)
        try:
            self.app["effects"].insert_one({"_id": meta.id, "number": number, "attempt": meta.attempt})
        except DuplicateKeyError:
            self.app["repeats"].insert_one({"event": meta.id})

    @on(events_pb2.TicketCalled)
    def project(self, event: events_pb2.TicketCalled, meta: EventMeta) -> None:
        Projection(self.app["store"], "boards").apply(meta.subject, meta.sequence, {"calls": event.calls})


def compose(kit: Any) -> Any:
    database = kit.store.database
    return {"effects": database["effects"], "repeats": database["repeats"], "store": kit.store}


SERVICE = Service(
    name="probe",
    compose=compose,
    api=lambda app: [],
    handlers=f"{__name__}:Handlers",
    indexes=f"{__name__}:INDEXES",
    aggregates=(),
    events="mpp.ops.v1.ops_service_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
