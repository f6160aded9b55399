"""`python -m tests.bench [--rounds N] [--scale N] [--only WORD] [--long]`: run, print a table, write build/bench.json.

`--long` runs the jobs that take many minutes instead, and writes build/bench-long.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import jobs
from tests.bench.calls import CallNext, History
from tests.bench.finding import Search
from tests.bench.jobs import World
from tests.bench.measure import Series

ROOT = Path(__file__).resolve().parents[2]
JOBS = (*jobs.JOBS, CallNext, Search)
LONG = (History,)
console = Console(soft_wrap=True, highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=int, default=20, help="work in a round; 20 takes some minutes in all")
    parser.add_argument("--only", default="", help="jobs whose name holds this word")
    parser.add_argument("--long", action="store_true", help="the long jobs, and only they")
    arguments = parser.parse_args()
    world = World()
    results: dict[str, dict[str, Series]] = {}
    failed = False
    try:
        world.load_site()
        for job_class in LONG if arguments.long else JOBS:
            if arguments.only not in job_class.name:
                continue
            try:
                run(job_class(world), arguments.rounds, arguments.scale, results)
            except Exception:
                failed = True  # the other jobs' figures are worth having all the same
                console.print_exception()
    finally:
        world.close()
    report(results, "bench-long.json" if arguments.long else "bench.json")
    return int(failed)


def run(job: Any, rounds: int, scale: int, results: dict[str, dict[str, Series]]) -> None:
    """One job: a small round to warm up (imports, caches, connections), then those that count."""
    try:
        job.round(max(2, scale // 10))
        for number in range(rounds):
            console.print(f"[dim]{job.name}: round {number + 1} of {rounds}[/dim]")
            for figure, value in job.round(scale).items():
                results.setdefault(job.name, {}).setdefault(figure, Series()).values.append(value)
    finally:
        job.close()


def report(results: dict[str, dict[str, Series]], file: str) -> None:
    reaches = {job.name: job.reach for job in (*JOBS, *LONG)}
    table = Table(title="Median of the rounds (least to most)", title_justify="left")
    for column in ("job", "figure", "median", "spread", "reach"):
        table.add_column(column)
    for job, figures in results.items():
        for i, (figure, series) in enumerate(figures.items()):
            low, high = series.spread()
            table.add_row(
                job if i == 0 else "", figure, f"{series.median():.2f}", f"{low:.2f} to {high:.2f}",
                reaches[job] if i == 0 else "",
            )  # fmt: skip
    console.print(table)
    out = ROOT / "build" / file
    out.parent.mkdir(exist_ok=True)
    written = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "jobs": {
            job: {
                "reach": reaches[job],
                "figures": {name: {"median": s.median(), "rounds": s.values} for name, s in figures.items()},
            }
            for job, figures in results.items()
        },
    }
    out.write_text(json.dumps(written, indent=1))
    console.print(f"Written to {out.relative_to(ROOT)}.")


if __name__ == "__main__":
    sys.exit(main())
