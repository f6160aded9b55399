"""`python -m mpp_localrun run|visit|stop|clean|supervise`: what `make run`, `make stop` and `make clean-data` do."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mpp_devstack import DevstackError
from rich.console import Console

from mpp_localrun import supervise
from mpp_localrun.platform import GATEWAY, ISSUER, NotReady, Platform
from mpp_localrun.tour import run_tour
from mpp_localrun.visit import VisitFailed, run_visit

console = Console(highlight=False, soft_wrap=True)


@contextmanager
def stage(title: str) -> Iterator[None]:
    started = time.perf_counter()
    with console.status(title):
        yield
    console.print(f"[green]✓[/green] {title} [dim]({time.perf_counter() - started:.1f} s)[/dim]")


def run(platform: Platform) -> None:
    """Everything: stack, processes, site, visit; the platform stays up."""
    with stage("RabbitMQ and the document store are up"):
        platform.stack.up()
    with stage("Indexes and queues are there"):
        supervise.stop(platform)
        platform.migrate()
    with stage(f"{len(platform.processes())} processes are ready"):
        supervise.start(platform)
    with stage("The catalogue of sites/malang is loaded"):
        load(platform)
    walk(platform)
    console.rule("[bold]The platform stays up")
    where(platform)


def walk(platform: Platform) -> None:
    """One citizen's visit, then the tour of what else a queue does."""
    console.rule("[bold]A visit to MPP Merdeka Malang")
    run_visit(platform, console)
    console.rule("[bold]A tour: counters, priority, visits, bookings, a cut line, a drive-thru, reports")
    run_tour(platform, console)


def load(platform: Platform) -> None:
    """Apply sites/ with mppctl, as an operator would. A second time nothing changes."""
    site = str(platform.root / "sites" / "malang")
    command = [sys.executable, "-m", "mppctl.main", "--profile", platform.profile, "apply", "-f", site]
    done = subprocess.run(command, capture_output=True, text=True, cwd=platform.root)
    if done.returncode:
        raise NotReady(f"mppctl apply failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def where(platform: Platform) -> None:
    ends = platform.endpoints()
    for service in platform.services():
        serve, work = ends[f"{service}-serve-http"], ends[f"{service}-work-http"]
        console.print(f"  {service:14s} gRPC {ends[service]:18s} metrics {serve}/metrics  {work}/metrics")
    console.print(f"  {'[bold]gateway[/bold]':27s} {ends[GATEWAY]}  gRPC, gRPC-Web, JSON, server-sent events")
    console.print(f"  {'':14s} {ends[GATEWAY]}/docs  /openapi.json  /asyncapi.json")
    console.print(f"  {'tokens':14s} {ends[ISSUER]}  (development only)")
    console.print(f"  {'broker':14s} {platform.stack.amqp_uri}")
    console.print(f"  {'store':14s} {platform.stack.mongodb_uri}")
    console.print(f"  {'SMS outbox':14s} {platform.outbox.relative_to(platform.root)}/messages/*.txt")
    console.print(f"  {'logs':14s} {supervise.log_file(platform).relative_to(platform.root)}")
    console.print("Stop it with [bold]make stop[/bold]; forget its data with [bold]make clean-data[/bold].")


def stop(platform: Platform) -> None:
    """The processes, then the stack. Leaves no process behind; harmless when nothing runs."""
    with stage("All processes are stopped"):
        supervise.stop(platform)
        platform.stack.down()


def clean(platform: Platform) -> None:
    """Stop, and forget data, logs and messages. Downloads stay in the cache."""
    stop(platform)
    with stage(f"The data of profile {platform.profile} is forgotten"):
        platform.stack.clean()
        platform.clean()


def main() -> int:
    parser = argparse.ArgumentParser(prog="mpp_localrun", description=__doc__)
    parser.add_argument("verb", choices=("run", "visit", "stop", "clean", "supervise"))
    parser.add_argument("--profile", default="run")
    arguments = parser.parse_args()
    platform = Platform(arguments.profile)
    try:
        if arguments.verb == "supervise":
            return supervise.supervise(platform)
        if arguments.verb == "visit":
            walk(platform)
            return 0
        {"run": run, "stop": stop, "clean": clean}[arguments.verb](platform)
    except (NotReady, VisitFailed, DevstackError) as e:
        console.print(f"[red]✗ {e}[/red]", markup=True)
        console.print(f"  logs: {os.path.relpath(platform.logs)}; stop what runs with [bold]make stop[/bold]")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
