"""A simulated day against a platform of this machine, and its invariants from the RPCs, the store and the events.

`python -m tests.bench.day [--sites 192] [--visits 300] [--serves 2]` plays it on a stack of its own, tells how long
it took and writes build/bench-day.json; the exit code is 1 when an invariant is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mpp.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_localrun.platform import stop, wait_ready
from mppctl.simulation import opening, picture
from mppctl.simulation.calling import Badges, Caller
from mppctl.simulation.day import Mix, Shape, make_day
from mppctl.simulation.play import Result, Theatre

from tests.bench import proofs, serves
from tests.bench.jobs import World

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


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.day", description=__doc__)
    parser.add_argument("--sites", type=int, default=192)
    parser.add_argument("--visits", type=int, default=300, help="of each site")
    parser.add_argument("--serves", type=int, default=2, help="serve processes of the queue")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    world, more = World(), []
    try:
        world.platform.migrate()
        world.need("issuer", "catalog-serve", "queue-serve", "queue-work")
        for number in range(2, wanted.serves + 1):
            process, address = serves.another(world.platform, str(number))
            more.append((process, world.platform.start(process), address))
        wait_ready([(process, popen) for process, popen, _ in more], world.platform.logs)
        addresses = [world.platform.endpoints()["queue"], *(address for _, _, address in more)]
        return _full_day(world, addresses, wanted)
    finally:
        for _, popen, _ in more:
            stop(popen)
        world.close()


def _full_day(world: World, addresses: list[str], wanted: argparse.Namespace) -> int:
    began, whole = time.monotonic(), wanted.sites * wanted.visits

    def note(text: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)

    over = threading.Event()

    def tell(theatre: Theatre) -> None:
        while not over.wait(15):
            note(f"{sum(line.ended for line in theatre.ledger.lines.values())} of {whole} visits are over")

    def begun(theatre: Theatre) -> None:
        threading.Thread(target=tell, args=(theatre,), daemon=True).start()

    try:
        played = replay(
            world.platform, world.client["mpp_queue"], range(1, wanted.sites + 1), wanted.visits,
            seed=wanted.seed, addresses=addresses, begun=begun, note=note,
        )  # fmt: skip
    finally:
        over.set()
    note("checked against the answers, the store and the events")
    written = {
        "sites": wanted.sites,
        "visits": wanted.visits,
        "serves": wanted.serves,
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        **picture.summary(played.result),
        "broken": played.breaches,
    }
    print(text := json.dumps(written, indent=1))
    out = world.platform.root / "build" / "bench-day.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(text)
    return int(any(played.breaches.values()) or bool(played.result.ledger.errors))


if __name__ == "__main__":
    sys.exit(main())
