"""Runs what the images hold: `migrate`, `serve` and `work` of every service, issuer and gateway, on a bare-machine stack.

Knows the platform's processes and ports (mpp_localrun), and one gRPC service that every service has (mpp.ops.v1).
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from mpp.ops.v1 import ops_service_pb2, ops_service_pb2_grpc
from mpp_localrun.__main__ import load
from mpp_localrun.platform import GATEWAY, ISSUER, Platform, Process, stop, tail, wait_ready
from mpp_localrun.visit import run_visit
from rich.console import Console

from mpp_images.container import Container
from mpp_images.errors import ImagesError

STOP_SECONDS = 10.0  # SIGTERM to exit 0: what the chassis promises, and a cluster's grace period is built on
DEVISSUER = "devissuer"
SHARED = "/tmp/shared"  # noqa: S108  # inside the image, where only this is


@dataclass
class Trial:
    """The images of the services, on the profile's stack. `say` gets a line for each thing that was seen to work.

    `others`: images of the issuer and the gateway, under their names; without them the issuer runs without an image.
    """

    platform: Platform
    containers: dict[str, Container]
    others: dict[str, Container]
    say: Callable[[str], None]
    visit: bool  # needs all services
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self) -> None:
        """Raises ImagesError or NotReady with the end of the log of what failed. Leaves no process behind."""
        with ExitStack() as after:
            after.callback(self.platform.clean)
            after.callback(self.platform.stack.clean)
            self.platform.stack.clean()
            self.platform.stack.up()
            after.callback(self._stop_all)
            self._start_issuer()
            for service in self.containers:
                self._is_confined(service)
                self._migrate(service)
            self._start_all()
            for service in self.containers:
                self._answers(service)
            if GATEWAY in self.others and self.visit:
                self._start_gateway()
                self._gateway_answers()
            if self.visit:
                self._visit()
            for name in [*self._running]:
                self._ends(name)

    def _start_issuer(self) -> None:
        issuer = self.platform.issuer()
        if container := self.others.get(DEVISSUER):
            _, port = self.platform.endpoints()[ISSUER].rsplit(":", 1)
            log = self.platform.logs / f"{issuer.name}.log"
            self._running[issuer.name] = container.start(["--port", port], {}, log)
        else:
            self._running[issuer.name] = self.platform.start(issuer)
        wait_ready([(issuer, self._running[issuer.name])], self.platform.logs)

    def _start_gateway(self) -> None:
        """With the settings of production and the addresses of here, as a cluster gives them: a file and variables."""
        ends, shared = self.platform.endpoints(), self.platform.home / "edge"
        shared.mkdir(parents=True, exist_ok=True)
        (shared / "edge.local.yaml").write_text("metrics_port: 0\n")  # it would listen beyond loopback
        arguments = ["--edge", f"{SHARED}/edge.local.yaml", "--listen", ends[GATEWAY].removeprefix("http://")]
        arguments += ["--admin", ends[f"{GATEWAY}-admin"].rsplit(":", 1)[1], "--concurrency", "1"]
        for service in self.containers:
            arguments += ["--upstream", f"{service}={ends[service]}"]
        settings = {"MPP_OIDC_ISSUER": ends[ISSUER], "MPP_OIDC_JWKS_URL": f"{ends[ISSUER]}/jwks.json"}
        log = self.platform.logs / f"{GATEWAY}.log"
        self._running[GATEWAY] = self.others[GATEWAY].start(arguments, settings, log, shared)
        wait_ready([(self.platform.gateway(), self._running[GATEWAY])], self.platform.logs)

    def _gateway_answers(self) -> None:
        """The site is loaded through the edge (gRPC); then JSON, a refusal, and the page of the contract."""
        ends = self.platform.endpoints()
        mppctl = [sys.executable, "-m", "mppctl.main", "--endpoint", f"catalog={ends[GATEWAY].removeprefix('http://')}"]
        mppctl += ["--endpoint", f"queue={ends[GATEWAY].removeprefix('http://')}"]
        mppctl += ["--endpoint", f"issuer={ends[ISSUER]}", "apply", "-f", "sites/malang"]
        done = subprocess.run(mppctl, capture_output=True, text=True, cwd=self.platform.root)
        if done.returncode:
            raise ImagesError(f"mppctl through the gateway: exit {done.returncode}\n{done.stdout}{done.stderr}")
        for path, wanted in {
            "/v1/sites/malang": 200,
            "/v1/sites/malang/notifications": 401,
            "/openapi.json": 200,
        }.items():
            if (status := _status(ends[GATEWAY] + path)) != wanted:
                raise ImagesError(
                    f"gateway: {path} gave {status}, wanted {wanted}\n{tail(self.platform.logs / 'gateway.log')}"
                )
        self.say("gateway: mppctl loaded the site through it (gRPC); JSON, a refusal without a token, /openapi.json")

    def _is_confined(self, service: str) -> None:
        """Who runs there, and what it may write: its /tmp, and nothing else."""
        code = (
            "import os\n"
            "def can(path):\n"
            "    try: open(path, 'w').close(); return True\n"
            "    except OSError as e: return e.strerror\n"
            f"import mpp_{service}\n"
            f"print(os.getuid(), os.getgid(), os.getgroups(), can('/x'), can(mpp_{service}.__file__), can('/tmp/x'))"
        )
        seen = self.containers[service].python(code).strip()
        wanted = "10001 10001 [] Read-only file system Read-only file system True"
        if seen != wanted:
            raise ImagesError(f"mpp-{service} runs as {seen!r}, wanted {wanted!r}")

    def _migrate(self, service: str) -> None:
        """Twice: the Job of a cluster may run again."""
        log, times = self.platform.logs / f"{service}-migrate.log", []
        for _ in range(2):
            started = time.perf_counter()
            done = self._start(service, "migrate", log)
            if code := done.wait(120):
                raise ImagesError(f"mpp-{service} migrate: exit {code}\n{tail(log)}")
            times.append(f"{time.perf_counter() - started:.1f} s")
        self.say(f"{service}: migrate, and once more ({', '.join(times)})")

    def _start(self, service: str, verb: str, log: Path) -> subprocess.Popen[bytes]:
        outbox = self.platform.outbox
        outbox.mkdir(parents=True, exist_ok=True)
        outbox.chmod(0o777)
        environment = self.platform.environment(service, verb)
        own = {name: value for name, value in environment.items() if name.startswith("MPP_")}
        own |= {"MPP_BIND": "127.0.0.1", "MPP_NOTIFICATIONS_OUTBOX": SHARED}
        return self.containers[service].start([verb], own, log, shared=outbox)

    def _start_all(self) -> None:
        started: list[tuple[Process, subprocess.Popen[bytes]]] = []
        began = time.perf_counter()
        for service in self.containers:
            for verb in ("serve", "work"):
                process = self.platform.process(service, verb)
                running = self._start(service, verb, self.platform.logs / f"{process.name}.log")
                self._running[process.name] = running
                started.append((process, running))
        wait_ready(started, self.platform.logs, seconds=180)
        self.say(f"{len(started)} processes answer /readyz ({time.perf_counter() - began:.1f} s)")

    def _answers(self, service: str) -> None:
        """Two real calls: which services are there (reflection), and the parked events (token, broker and store)."""
        with grpc.insecure_channel(self.platform.endpoints()[service]) as channel:
            asked = reflection_pb2.ServerReflectionRequest(list_services="")
            replies = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]), timeout=10)
            names = [each.name for each in next(iter(replies)).list_services_response.service]
            own = [name for name in names if name.startswith(f"mpp.{service}.v1.")]
            if not own:
                raise ImagesError(f"mpp-{service} serve: no mpp.{service}.v1 service among {names}")
            token = self.platform.token("operator-1", ["platform_admin"])
            parked = ops_service_pb2_grpc.OpsServiceStub(channel).ListParked(
                ops_service_pb2.ListParkedRequest(), timeout=10, metadata=[("authorization", f"Bearer {token}")]
            )
        self.say(f"{service}: gRPC answers: {', '.join(own)}; {len(parked.parked)} parked events")

    def _visit(self) -> None:
        """The visit of `make run`, through the images."""
        load(self.platform)
        log = self.platform.logs / "visit.log"
        with log.open("w") as output:
            visit = run_visit(self.platform, Console(file=output, width=120))
        self.say(f"a citizen's visit in {len(visit.steps)} steps went through them")

    def _ends(self, name: str) -> None:
        running = self._running.pop(name)
        if (code := running.poll()) is not None:
            raise ImagesError(f"{name} had ended by itself, exit {code}\n{tail(self.platform.logs / f'{name}.log')}")
        began = time.perf_counter()
        code = stop(running, STOP_SECONDS)
        seconds = time.perf_counter() - began
        if code:
            raise ImagesError(
                f"{name}: exit {code} {seconds:.1f} s after SIGTERM\n{tail(self.platform.logs / f'{name}.log')}"
            )
        self.say(f"{name}: SIGTERM, exit 0 after {seconds:.1f} s")

    def _stop_all(self) -> None:
        for running in self._running.values():
            stop(running, STOP_SECONDS)
        self.platform.stack.down()


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        return refused.code
