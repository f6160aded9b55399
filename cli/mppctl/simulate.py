"""`mppctl simulate`: a day of visits against a running platform, as a person can watch it.

Knows the command's options, the terminal and Ctrl-C; the day and the calls are in `simulation/`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json as json_module
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated

import typer
from mpp.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from rich.live import Live

from mppctl.connection import ISSUER, Connection, NoConnection
from mppctl.problems import REFUSED, UNREACHABLE, errors, explained, tell
from mppctl.showing import console
from mppctl.simulation import opening, picture
from mppctl.simulation.calling import Badges, Caller, Refused
from mppctl.simulation.day import SitePlan, make_day
from mppctl.simulation.play import Result, Theatre

TICK = 0.25  # seconds between two pictures


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command's options. `speed` None: as fast as the platform answers."""

    invented: int
    existing: tuple[str, ...]
    visits: int
    seed: int
    speed: float | None
    together: int
    verify: int
    quiet: bool


def simulate(
    context: typer.Context,
    sites: Annotated[int, typer.Option(min=0, max=999, help="Invented sites: sim-001 and so on.")] = 3,
    site: Annotated[list[str] | None, typer.Option("--site", help="An existing site; again for more.")] = None,
    visits: Annotated[int, typer.Option(min=1, max=100_000, help="Visits a site.")] = 100,
    speed: Annotated[str, typer.Option(help="Simulated seconds a second; `max`: as fast as the platform is.")] = "60",
    seed: Annotated[int, typer.Option(help="The same seed is the same day.")] = 1,
    together: Annotated[int, typer.Option(min=1, max=1000, help="Calls at the same time, at most.")] = 64,
    verify: Annotated[int, typer.Option(min=0, help="Tickets to ask for at the end, at most.")] = 2000,
) -> None:
    """Play a day: citizens come with a midday peak, officers call, serve and finish. Watch the queues; Ctrl-C ends it.

    Only where the development issuer signs for invented people, never on a platform with real citizens. Without --site,
    invented sites are made in the catalogue; with it, only the sites that are named are used, unless --sites is given too.
    """
    quiet = bool(context.meta.get("json"))
    given = context.get_parameter_source("sites")
    invented = 0 if site and (given is None or given.name == "DEFAULT") else sites
    if not invented and not site:
        raise typer.BadParameter("no site to play at: give --sites N or --site ID", param_hint="--sites")
    wanted = Wanted(invented, tuple(site or ()), visits, seed, _speed(speed), together, verify, quiet)
    with explained():
        try:
            result = asyncio.run(_run(context.obj, wanted))
        except Refused as refused:
            tell(refused.refusal)
            raise typer.Exit(refused.refusal.exit_code) from None
        except (ValueError, TimeoutError) as problem:
            errors.print(f"[red]✗[/red] {problem}", markup=True)
            raise typer.Exit(UNREACHABLE if isinstance(problem, TimeoutError) else REFUSED) from None
    if quiet:
        console.print_json(json_module.dumps(picture.summary(result)))
    else:
        console.print(picture.told(result))
    if result.breaches:
        raise typer.Exit(REFUSED)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
        if 0 < speed < 1e6:
            return speed
    except ValueError:
        pass
    raise typer.BadParameter("a number above 0, or `max`", param_hint="--speed")


async def _run(connection: Connection, wanted: Wanted) -> Result:
    badges = Badges(connection.endpoints.get(ISSUER, ""))
    async with _callers(connection, wanted) as (catalogue, queue):
        plans = await _open(catalogue, queue, badges, wanted)
        theatre = Theatre(queue, badges, plans, make_day(plans, wanted.visits, wanted.seed), wanted.speed, wanted.seed)
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, _interrupted(theatre))
        watching = asyncio.ensure_future(_watch(theatre, queue, wanted))
        try:
            return await theatre.play(wanted.verify)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def _interrupted(theatre: Theatre) -> Callable[[], None]:
    """The first Ctrl-C ends the day cleanly; the second ends the program."""

    def stop() -> None:
        theatre.stop()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        errors.print("Ending: what is under way comes to its end. Ctrl-C again to leave at once.")

    return stop


@contextlib.asynccontextmanager
async def _callers(connection: Connection, wanted: Wanted) -> AsyncIterator[tuple[Caller, Caller]]:
    made = [
        Caller([_address(connection, name)], stub, wanted.together, random.Random(wanted.seed))
        for name, stub in (("catalog", CatalogServiceStub), ("queue", QueueServiceStub))
    ]
    try:
        yield made[0], made[1]
    finally:
        for caller in made:
            await caller.close()


def _address(connection: Connection, service: str) -> str:
    if address := connection.endpoints.get(service):
        return address
    raise NoConnection(f"no endpoint of {service!r} is known; is the platform up (`make run`)?")


async def _open(catalogue: Caller, queue: Caller, badges: Badges, wanted: Wanted) -> list[SitePlan]:
    if not wanted.quiet:
        errors.print(f"Opening {wanted.invented + len(wanted.existing)} sites ...")
    plans = [await opening.read(catalogue, site) for site in wanted.existing]
    plans += await opening.invent(catalogue, badges, range(1, wanted.invented + 1))
    await opening.until_known(queue, plans)
    queue.forget()
    return plans


async def _watch(theatre: Theatre, queue: Caller, wanted: Wanted) -> None:
    """The live picture; a line now and then where the output is no terminal; nothing when a program reads."""
    began = time.monotonic()

    def moment() -> picture.Moment:
        return picture.Moment(time.monotonic() - began, queue.calls, queue.repeats, theatre.behind())

    if wanted.quiet:
        return
    if not console.is_terminal:
        while True:
            await asyncio.sleep(10)
            console.print(picture.totals(theatre.ledger, moment()))
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            rows = max(4, console.size.height - 10)
            live.update(picture.live(theatre.ledger, moment(), rows), refresh=True)
            await asyncio.sleep(TICK)
