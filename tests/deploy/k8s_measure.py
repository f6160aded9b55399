"""Measures what the processes of a running platform need: the ground of every `resources:` in deploy/k8s.

    .venv/bin/python -m mpp_localrun run --profile mine
    .venv/bin/python -m tests.deploy.k8s_measure mine        # prints a table; then `mpp_localrun clean --profile mine`

Knows /proc and the public way to load the queue (the busiest service); knows no manifest. Sends its bounded load to the
platform of that profile on loopback only. RSS counts pages that several processes share; the sum of PSS does not.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import grpc
from mpp.queue.v1 import queue_service_pb2, queue_service_pb2_grpc
from mpp_localrun.platform import Platform
from mpp_localrun.visit import QUEUE, run_visit
from rich.console import Console

TICK = os.sysconf("SC_CLK_TCK")
MIB = 1024  # smaps_rollup counts in KiB


@dataclass(frozen=True)
class Sample:
    """One process at one moment: memory in MiB, processor time since its start in seconds."""

    rss: float
    pss: float
    cpu: float
    threads: int


def processes(platform: Platform) -> dict[str, int]:
    """Pid of each process of the profile by name, told apart by what only this profile's say: ports and folders."""
    ports = {p.environment["MPP_HTTP_PORT"]: p.name for p in platform.processes() if "MPP_HTTP_PORT" in p.environment}
    home = f"{platform.home}/gateway".encode()
    found: dict[str, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # it ended, or is not ours
            continue
        if any(part.startswith(home) for part in command):
            found["gateway" if b"mpp_gateway" in command else "gateway-envoy"] = int(folder.name)
        elif any(part.endswith(b".main") for part in command):
            port = next((e[14:].decode() for e in environment if e.startswith(b"MPP_HTTP_PORT=")), "")
            if port in ports:
                found[ports[port]] = int(folder.name)
    return found


def sample(pid: int) -> Sample:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(stat[11]) + int(stat[12])) / TICK
    return Sample(sizes["Rss"] / MIB, sizes["Pss"] / MIB, cpu, int(stat[17]))


def load(platform: Platform, visits: int, tickets: int, callers: int) -> float:
    """Whole visits one after the other, then tickets by `callers` at once; seconds that the tickets took."""
    quiet = Console(quiet=True)
    for _ in range(visits):
        run_visit(platform, quiet)
    token = platform.token("kiosk-load", ["kiosk"], site="malang")
    stub = queue_service_pb2_grpc.QueueServiceStub(grpc.insecure_channel(platform.endpoints()["queue"]))

    def take(_: int) -> None:
        request = queue_service_pb2.TakeTicketRequest(parent=QUEUE, request_id=str(uuid.uuid4()))
        stub.TakeTicket(request, metadata=[("authorization", f"Bearer {token}")], timeout=25)

    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        list(pool.map(take, range(tickets)))
    return time.perf_counter() - started


def table(before: dict[str, Sample], after: dict[str, Sample]) -> str:
    lines = [
        "| Process | RSS quiet | RSS after load | PSS after load | CPU s of the load | threads |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in sorted(after):
        b, a = before[name], after[name]
        lines.append(f"| {name} | {b.rss:.0f} | {a.rss:.0f} | {a.pss:.0f} | {a.cpu - b.cpu:.1f} | {a.threads} |")
    rss, pss = sum(a.rss for a in after.values()), sum(a.pss for a in after.values())
    lines.append(f"| all | {sum(b.rss for b in before.values()):.0f} | {rss:.0f} | {pss:.0f} | | |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("profile")
    parser.add_argument("--visits", type=int, default=20)
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--callers", type=int, default=64)
    arguments = parser.parse_args()
    platform = Platform(arguments.profile)
    pids = processes(platform)
    if not pids:
        sys.stderr.write(f"no process of profile {arguments.profile} runs: mpp_localrun run --profile ...\n")
        return 1
    before = {name: sample(pid) for name, pid in pids.items()}
    seconds = load(platform, arguments.visits, arguments.tickets, arguments.callers)
    after = {name: sample(pid) for name, pid in pids.items()}
    sys.stdout.write(table(before, after) + "\n")
    sys.stdout.write(f"{arguments.visits} visits; {arguments.tickets} tickets in {seconds:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
