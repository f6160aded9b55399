"""Starts, finds and ends processes that outlive us. Knows /proc and signals; knows nothing of what the processes do.

A zombie counts as gone: where process 1 does not reap, a killed orphan stays in the process table for ever.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "MPP_DEVSTACK_PART"
"""Environment variable that every process of a stack carries, so that none can be left behind unseen."""


@dataclass(frozen=True)
class Part:
    """One named part (broker, engine, front) of one profile, and how to find its processes."""

    name: str
    home: Path

    @property
    def pid_file(self) -> Path:
        return self.home / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return self.home / "logs" / f"{self.name}.log"

    @property
    def mark(self) -> str:
        return f"{self.home}:{self.name}"

    def spawn(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> int:
        """Start `command` detached from the terminal and from us, its output in the part's log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command, env={**env, MARK: self.mark}, cwd=cwd,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        child.returncode = 0  # ended by signal from any later command, never waited for as a child
        self.remember(child.pid)
        return child.pid

    def remember(self, pid: int) -> None:
        """Write the pid file: pid and start time, so that a recycled pid is not taken for ours."""
        draft = self.pid_file.with_suffix(".tmp")
        draft.write_text(f"{pid} {start_time(pid)}\n")
        draft.replace(self.pid_file)

    def main_pid(self) -> int | None:
        """The pid of the part's main process if it is alive."""
        try:
            pid, started = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if alive(int(pid)) and start_time(int(pid)) == started else None

    def processes(self) -> list[int]:
        """Every live process of this part, by the mark in its environment."""
        needle = f"{MARK}={self.mark}\0".encode()
        return [pid for pid in all_pids() if needle in _read(pid, "environ") and alive(pid)]

    def log_tail(self, lines: int = 15) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"


def all_pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes() + b"\0"
    except OSError:
        return b""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command name: state first, start time at 19."""
    return _read(pid, "stat").rpartition(b")")[2].decode().strip("\0 \n").split()


def alive(pid: int) -> bool:
    """Is `pid` a running (or stopped) process? A zombie is not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # reaps our own child; somebody else's raises ChildProcessError
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZXx"


def start_time(pid: int) -> str:
    """Start time in clock ticks after boot; empty when the process is gone."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def command_name(pid: int) -> str:
    return _read(pid, "comm").decode(errors="replace").strip("\0\n")


def working_directory(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal each process; one that is gone already is no error."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def freeze(pids: Iterable[int]) -> None:
    """SIGSTOP each process and wait until every thread of it stands still: the signal alone returns before that, and a
    thread on another core may still answer somebody."""
    stopped = list(pids)
    send(stopped, signal.SIGSTOP)
    wait_until(lambda: all(_stands_still(pid) for pid in stopped), 5.0)


def _stands_still(pid: int) -> bool:
    states = [_stat_of(thread) for thread in Path(f"/proc/{pid}/task").glob("*")] if alive(pid) else []
    return all(state in ("T", "t", "Z", "") for state in states)


def _stat_of(thread: Path) -> str:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""  # it has ended meanwhile


def wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Wait at most `timeout` seconds until `condition()` holds; tells whether it did."""
    deadline = time.monotonic() + timeout
    pause = 0.005
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return True


def end(
    find: Callable[[], list[int]], *, grace: float, first: signal.Signals = signal.SIGTERM, only: int | None = None
) -> None:
    """End every process that `find` returns: `first` (to `only`, when given), then after `grace` seconds SIGKILL.

    Guaranteed on return: `find()` was empty once, or 10 s of SIGKILL did not help (RuntimeError).
    """
    found = find()
    if not found:
        return
    send(found, signal.SIGCONT)
    send(found if only is None else [only], first)
    if wait_until(lambda: not find(), grace):
        return
    deadline = time.monotonic() + 10
    while remaining := find():
        if time.monotonic() > deadline:
            raise RuntimeError(f"processes {remaining} survive SIGKILL")
        send(remaining, signal.SIGKILL)
        wait_until(lambda: not find(), 0.5)
