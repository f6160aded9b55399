"""What runs on a bare machine, with which environment: used by `make run` and by the tests alike.

Knows the devstack, the ports, the development secrets and the command of each process. Starts nothing by itself but
`migrate`; `supervise` and the tests do.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpp_devstack import Stack

ROOT = Path(__file__).resolve().parents[3]
ISSUER = "issuer"
GATEWAY = "gateway"


class NotReady(Exception):
    """A process did not come up in time, or died; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Process:
    """One OS process of the platform."""

    name: str  # "queue-serve"
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready_url: str


class Platform:
    """The processes of one profile. Its state lives in `.dev/<profile>/` of the checkout."""

    def __init__(self, profile: str, root: Path = ROOT) -> None:
        self.profile, self.root = profile, root
        self.home = root / ".dev" / profile
        self.logs = self.home / "logs"
        self.outbox = self.home / "outbox"
        # Accounts of agencies are made over the HTTP API; TLS is what agencies use.
        self.stack = Stack(profile, root=root, management=True, tls=True)

    def services(self) -> list[str]:
        return sorted(p.parent.name for p in (self.root / "services").glob("*/pyproject.toml"))

    def endpoints(self) -> dict[str, str]:
        """Addresses by name: gRPC as host:port; the gateway, the issuer and each process's HTTP as URLs.

        Ports are kept once chosen.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.root / ".dev" / "endpoints.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two profiles that start together must not choose the same ports
            return self._choose(self.home / "endpoints.json")

    def _choose(self, file: Path) -> dict[str, str]:
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        wanted = [
            ISSUER,
            GATEWAY,
            f"{GATEWAY}-admin",
            *self.services(),
            *(f"{s}-{v}-http" for s in self.services() for v in ("serve", "work")),
        ]
        missing = [name for name in wanted if name not in known]
        others = (json.loads(f.read_text()) for f in (self.root / ".dev").glob("*/endpoints.json"))
        taken = frozenset(int(_port(address)) for ends in others for address in ends.values())
        for name, port in zip(missing, free_ports(len(missing), first=12_000, taken=taken), strict=True):
            web = name == ISSUER or name.startswith(GATEWAY) or name.endswith("-http")
            known[name] = f"http://127.0.0.1:{port}" if web else f"127.0.0.1:{port}"
        if missing:
            file.write_text(json.dumps(known, indent=1))
        return known

    def environment(self, service: str, verb: str, **extra: str) -> dict[str, str]:
        """The environment of one process. Keys are made once for the profile and are of no use elsewhere."""
        ends = self.endpoints()
        base = {k: v for k, v in os.environ.items() if not k.startswith("MPP_")}
        return {
            **base,
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
            "MPP_ENV": "development",
            "MPP_AMQP_URI": self.stack.amqp_uri,
            "MPP_MONGODB_URI": self.stack.mongodb_uri,
            "MPP_OIDC_ISSUER": ends[ISSUER],
            "MPP_OIDC_JWKS_URL": f"{ends[ISSUER]}/jwks.json",
            "MPP_GRPC_PORT": _port(ends[service]),
            "MPP_HTTP_PORT": _port(ends[f"{service}-{verb}-http"]) if verb != "migrate" else "0",
            "MPP_NOTIFICATIONS_OUTBOX": str(self.outbox),
            **self._peers(verb),
            **self._broker_api(service, verb),
            **self._secrets(),
            **extra,
        }

    def process(self, service: str, verb: str, **extra: str) -> Process:
        command = (sys.executable, "-m", f"mpp_{service}.main", verb)
        ready = self.endpoints()[f"{service}-{verb}-http"] + "/readyz"
        return Process(f"{service}-{verb}", command, self.environment(service, verb, **extra), ready)

    def issuer(self) -> Process:
        url = self.endpoints()[ISSUER]
        command = (sys.executable, "-m", "mpp_devissuer", "--port", _port(url), "--state", str(self.home / "issuer"))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MPP_")}
        return Process(ISSUER, command, {**environment, "PYTHONUNBUFFERED": "1"}, f"{url}/healthz")

    def gateway(self, *edge: Path, **replicas: list[str]) -> Process:
        """Envoy before every service; ready when each has a host that answers.

        `edge`: files that change its settings. `replicas`: addresses of a service that runs more than once.
        """
        ends, home = self.endpoints(), self.root / "deploy" / "gateway"
        command = [sys.executable, "-m", "mpp_gateway", "run", "--out", str(self.home / GATEWAY), "--concurrency", "1"]
        command += ["--listen", ends[GATEWAY].removeprefix("http://"), "--admin", _port(ends[f"{GATEWAY}-admin"])]
        for file in (home / "edge.yaml", home / "edge.dev.yaml", *edge):
            command += ["--edge", str(file)]
        for service in self.services():
            for address in replicas.get(service, [ends[service]]):
                command += ["--upstream", f"{service}={address}"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MPP_")}
        identity = {"MPP_OIDC_ISSUER": ends[ISSUER], "MPP_OIDC_JWKS_URL": f"{ends[ISSUER]}/jwks.json"}
        return Process(GATEWAY, tuple(command), {**environment, **identity}, f"{ends[GATEWAY]}/readyz")

    def processes(self) -> list[Process]:
        """All of them: the issuer, `serve` and `work` of every service, and the gateway before them."""
        services = (self.process(s, v) for s in self.services() for v in ("serve", "work"))
        return [self.issuer(), *services, self.gateway()]

    def migrate(self, *services: str) -> None:
        """Create indexes and queues, one service after the other in one process (imports are what takes the time).

        Raises NotReady with the output of what failed.
        """
        names = services or tuple(self.services())
        environments = {s: self.environment(s, "migrate") for s in names}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "mpp_localrun.migrate"],
            input=json.dumps(environments),
            capture_output=True,
            text=True,
            timeout=180,
        )
        if done.returncode:
            raise NotReady(f"migrate failed:\n{(done.stdout + done.stderr)[-3000:]}")

    def start(self, process: Process) -> subprocess.Popen[bytes]:
        """Start one process in its own session, its output in `logs/<name>.log`. For tests; `make run` uses honcho."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{process.name}.log").open("ab") as log:
            return subprocess.Popen(
                process.command,
                env=dict(process.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def token(self, subject: str, roles: list[str], **claims: Any) -> str:
        """A token of the development issuer."""
        body = json.dumps({"subject": subject, "roles": roles, **claims}).encode()
        request = urllib.request.Request(
            f"{self.endpoints()[ISSUER]}/token", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return str(json.load(reply)["access_token"])

    def clean(self) -> None:
        """Forget logs, messages, keys and chosen ports of this profile. Stop everything before."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _peers(self, verb: str) -> dict[str, str]:
        """Where a `serve` reaches the others; `work` asks nobody."""
        ends = self.endpoints()
        return {f"MPP_PEER_{name.upper()}": ends[name] for name in self.services()} if verb == "serve" else {}

    def _broker_api(self, service: str, verb: str) -> dict[str, str]:
        """Only the process that makes accounts gets the key to all of them."""
        url = self.stack.broker.management_uri if (service, verb) == ("subscriptions", "work") else None
        return {"MPP_BROKER_API": url} if url else {}

    def _secrets(self) -> dict[str, str]:
        file = self.home / "keys.json"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            key, index = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
            temporary = file.with_suffix(f".{os.getpid()}")
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps({"MPP_FIELD_KEYS": f"dev1:{key}", "MPP_INDEX_KEY": index}))
            temporary.rename(file)
        kept: dict[str, str] = json.loads(file.read_text())
        return kept


def wait_ready(processes: list[tuple[Process, Any]], logs: Path, seconds: float = 120) -> None:
    """Wait until each answers its readiness; `Any` is its Popen or None. Raises NotReady."""
    end = time.monotonic() + seconds
    for process, running in processes:
        while not _answers(process.ready_url):
            if (running is not None and running.poll() is not None) or time.monotonic() > end:
                raise NotReady(f"{process.name} did not become ready:\n{tail(logs / f'{process.name}.log')}")
            time.sleep(0.05)


def stop(running: subprocess.Popen[bytes], seconds: float = 12) -> int:
    """SIGTERM, then SIGKILL after `seconds`; returns the exit code."""
    if running.poll() is None:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(seconds)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
    return int(running.returncode)


def tail(file: Path, lines: int = 30) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.exists() else "(no log)"


def free_ports(count: int, first: int = 10_000, taken: frozenset[int] = frozenset()) -> Iterator[int]:
    """Ports that nobody listens on now. Three ranges, below the ephemeral one, keep those apart who choose now and bind
    later: from 10,000 for a test's own process, from 12,000 for a profile's, from 20,000 for the devstack's.
    """
    chosen = set(taken)
    found = 0
    while found < count:
        port = first + secrets.randbelow(2_000 if first < 12_000 else 8_000)
        if port in chosen:
            continue
        chosen.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found += 1
        yield port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _port(address: str) -> str:
    return address.rsplit(":", 1)[1]
