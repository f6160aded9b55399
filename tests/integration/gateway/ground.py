"""A gateway of a test's own: private ports, settings that differ, replicas. And the three faces as a client speaks them."""

from __future__ import annotations

import base64
import http.client
import json
import struct
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from google.protobuf.message import Message
from mpp_localrun.platform import Platform, Process, free_ports, stop, wait_ready


@dataclass
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """ErrorInfo.reason of a google.rpc.Status in JSON."""
        return str(self.json["details"][0]["reason"])


@dataclass
class Gateway:
    """Address of a gateway, and its admin interface."""

    url: str
    admin: str = ""
    log: Path = field(default_factory=Path)
    running: subprocess.Popen[bytes] | None = None  # of a gateway of a test's own

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self.running is not None
        return self.running

    def healthz(self) -> int:
        """0 when nobody listens."""
        try:
            return self.call("GET", "/healthz").status
        except OSError:
            return 0

    @property
    def target(self) -> str:
        return self.url.removeprefix("http://")

    def call(
        self,
        method: str,
        path: str,
        body: bytes | str | dict[str, Any] | None = None,
        token: str = "",
        timeout: float = 15,
        **headers: str,
    ) -> Answer:
        """One HTTP request, never retried by this client. `headers`: underscores become hyphens."""
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            wanted["authorization"] = f"Bearer {token}"
        if isinstance(body, dict):
            body = json.dumps(body)
            wanted.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection(self.target, timeout=timeout)
        try:
            connection.request(method, path, body, wanted)
            reply = connection.getresponse()
            return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def grpc_web(self, method: str, request: Message, token: str = "", **headers: str) -> tuple[Answer, bytes]:
        """A unary gRPC-Web call; the answer (its headers hold the trailers too) and the reply's message."""
        message = request.SerializeToString()
        frame = struct.pack(">BI", 0, len(message)) + message
        web = {"content_type": "application/grpc-web+proto", "x_grpc_web": "1", **headers}
        answer = self.call("POST", f"/{method}", frame, token, **web)
        reply, trailers = b"", dict(answer.headers)
        for flags, part in frames(answer.body):
            if flags & 0x80:
                trailers.update(line.split(":", 1) for line in part.decode().strip().lower().split("\r\n"))
            else:
                reply = part
        return Answer(answer.status, {k: v.strip() for k, v in trailers.items()}, answer.body), reply

    def stats(self, pattern: str) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.admin}/stats?filter={pattern}&format=json", timeout=30) as reply:
            return {s["name"]: s["value"] for s in json.load(reply)["stats"] if "name" in s}

    def healthy(self, cluster: str) -> int:
        return self.stats(f"^cluster.{cluster}.membership_healthy$").get(f"cluster.{cluster}.membership_healthy", 0)


def frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(flags, content) of gRPC-Web's length-prefixed frames."""
    while body:
        flags, length = struct.unpack(">BI", body[:5])
        yield flags, body[5 : 5 + length]
        body = body[5 + length :]


@contextmanager
def gateway(
    platform: Platform,
    home: Path,
    settings: Mapping[str, Any] | None = None,
    ready: str = "/readyz",
    issuer: str = "",
    **replicas: list[str],
) -> Iterator[Gateway]:
    """A running gateway with `settings` over those of the bare machine, its files and log in `home`.

    `issuer`: another one than the platform's.
    """
    edge = home / "edge.yaml"
    edge.write_text(yaml.safe_dump(dict(settings or {})))
    port, admin = free_ports(2)
    process = platform.gateway(edge, **replicas)
    own = ("--listen", f"127.0.0.1:{port}", "--admin", str(admin), "--out", str(home))  # the last one counts
    here = Gateway(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin}", home / "gateway.log")
    environment = dict(process.environment)
    if issuer:
        environment |= {"MPP_OIDC_ISSUER": issuer, "MPP_OIDC_JWKS_URL": f"{issuer}/jwks.json"}
    command = (*process.command, *own)
    process = replace(process, command=command, environment=environment, ready_url=here.url + ready)
    here.running = start(process, here.log)
    try:
        wait_ready([(process, here.running)], home, seconds=30)
        yield here
    finally:
        stop(here.running)


def start(process: Process, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            process.command, env=dict(process.environment), stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def host_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 80)
