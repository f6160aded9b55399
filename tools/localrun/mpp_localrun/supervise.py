"""One supervisor (honcho) over all processes of a profile: prefixed, readable logs in one file; start and stop.

Knows processes and signals; knows no service. When one process dies honcho ends the others: on a bare machine a platform
that is half down should be seen, not nursed. (In a cluster Kubernetes restarts each one alone.)
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from honcho.manager import Manager
from honcho.printer import Printer

from mpp_localrun.platform import NotReady, Platform, tail, wait_ready

STOP_SECONDS = 12  # a process has 10 s to drain


def supervise(platform: Platform) -> int:
    """Run every process until SIGTERM. In the foreground of the process that calls it."""
    manager = Manager(Printer(sys.stdout, colour=False, prefix=True))
    for process in platform.processes():
        # honcho runs a shell: `exec` puts the process in its place, so that signals and exit codes are its own.
        manager.add_process(process.name, f"exec {shlex.join(process.command)}", env=dict(process.environment))
    manager.loop()
    return int(manager.returncode or 0)


def start(platform: Platform) -> None:
    """Start the supervisor in the background and wait until every process is ready. Raises NotReady."""
    platform.logs.mkdir(parents=True, exist_ok=True)
    with log_file(platform).open("wb") as log:
        popen = subprocess.Popen(
            [sys.executable, "-m", "mpp_localrun", "supervise", "--profile", platform.profile],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=platform.root,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    _pid_file(platform).write_text(json.dumps({"pid": popen.pid, "started": _started(popen.pid)}))
    try:
        wait_ready([(process, popen) for process in platform.processes()], platform.logs, seconds=90)
    except NotReady as e:
        stop(platform)
        raise NotReady(f"{e.args[0].splitlines()[0]}\n{tail(log_file(platform), 40)}") from e


def stop(platform: Platform) -> bool:
    """End the supervisor and all its processes; False when none ran. Leaves no process behind."""
    pid = running(platform)
    _pid_file(platform).unlink(missing_ok=True)
    if pid is None:
        return False
    family = [pid, *_descendants(pid)]
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while any(_alive(p) for p in family) and time.monotonic() < end:
        time.sleep(0.05)
    for left in filter(_alive, family):
        os.kill(left, signal.SIGKILL)
    while any(_alive(p) for p in family):
        time.sleep(0.02)
    return True


def running(platform: Platform) -> int | None:
    """The supervisor's pid, if it is really ours: pids are used again, start times are not."""
    try:
        known = json.loads(_pid_file(platform).read_text())
    except (OSError, ValueError):
        return None
    pid = int(known["pid"])
    return pid if _alive(pid) and _started(pid) == known["started"] else None


def log_file(platform: Platform) -> Path:
    return platform.logs / "platform.log"


def _pid_file(platform: Platform) -> Path:
    return platform.home / "supervisor.json"


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _alive(pid: int) -> bool:
    """A zombie counts as gone: in some containers nobody reaps it."""
    stat = _stat(pid)
    return bool(stat) and stat[0] != "Z"


def _started(pid: int) -> str:
    stat = _stat(pid)
    return stat[19] if len(stat) > 19 else ""


def _descendants(pid: int) -> list[int]:
    parents = {int(p.name): _stat(int(p.name)) for p in Path("/proc").iterdir() if p.name.isdigit()}
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        children = [child for child, stat in parents.items() if len(stat) > 1 and int(stat[1]) == current]
        found += children
        todo += children
    return found
