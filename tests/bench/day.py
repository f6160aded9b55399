"""A simulated day against a platform of this machine, and its invariants from the RPCs, the store and the events."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mpp.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mppctl.simulation import opening
from mppctl.simulation.calling import Badges, Caller
from mppctl.simulation.day import Mix, Shape, make_day
from mppctl.simulation.play import Result, Theatre

from tests.bench import proofs

SETTLE_SECONDS = 300.0  # until every event has left its document


@dataclass(frozen=True, slots=True)
class Replay:
    """A day that was played at full speed. `breaches` of the invariants, by who tells of them."""

    result: Result
    breaches: dict[str, list[str]]


def replay(
    platform: Any,
    database: Any,
    sites: Sequence[int],
    visits: int,
    *,
    seed: int = 1,
    shape: Shape | None = None,
    mix: Mix | None = None,
    addresses: Sequence[str] = (),
    together: int = 64,
    begun: Callable[[Theatre], None] = lambda theatre: None,
    note: Callable[[str], None] = lambda text: None,
) -> Replay:
    """Play `visits` at each of these invented sites. The catalogue and the queue run; `database` is the queue's.

    `addresses` of several `serve` processes of the queue. `begun` is called as the day begins.
    """
    journal = proofs.Journal(platform.stack.amqp_uri)
    theatre_of: list[Theatre] = []

    async def play() -> Result:
        ends = platform.endpoints()
        catalogue = Caller([ends["catalog"]], CatalogServiceStub, together, random.Random(seed))
        queue = Caller(addresses or [ends["queue"]], QueueServiceStub, together, random.Random(seed))
        badges = Badges(ends["issuer"])
        try:
            plans = await opening.invent(catalogue, badges, sites)
            await opening.until_known(queue, plans)
            note(f"{len(plans)} sites are open")
            queue.forget()
            theatre = Theatre(queue, badges, plans, make_day(plans, visits, seed, shape, mix), None, seed)
            theatre_of.append(theatre)
            begun(theatre)
            return await theatre.play(verify=len(plans) * visits if visits <= 100 else 2000)
        finally:
            await catalogue.close()
            await queue.close()

    result = asyncio.run(play())
    note(f"played in {result.seconds:.0f} s, {result.calls / result.seconds:.0f} calls/s")
    documents = _settled(database, list(theatre_of[0].ledger.lines))
    return Replay(result, {
        "the answers": list(result.breaches),
        "the store": proofs.against_store(result.ledger, documents),
        "the events": proofs.against_events(result.ledger, journal.read()),
    })  # fmt: skip


def _settled(database: Any, queues: list[str]) -> list[dict[str, Any]]:
    """The tickets of these queues once every event has left."""
    end = time.monotonic() + SETTLE_SECONDS
    while database["tickets"].count_documents({"outbox.last": {"$gt": ""}}, limit=1):
        if time.monotonic() > end:
            raise TimeoutError("events do not leave their documents")
        time.sleep(0.1)
    fields = {"queue": 1, "day": 1, "number": 1, "state": 1, "history.step": 1}
    return [
        document
        for queue in queues
        for document in database["tickets"].find({"site_id": queue.split("/")[1], "queue": queue}, fields)
    ]
