"""One profile's stack: a broker and a store, their state under `.dev/<profile>/` of a checkout.

Knows which parts there are and where their state lives; the parts know how they run.
"""

from __future__ import annotations

import concurrent.futures
import fcntl
import os
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mpp_devstack import store as stores
from mpp_devstack.broker import Broker
from mpp_devstack.errors import DevstackError
from mpp_devstack.ports import PortBook
from mpp_devstack.progress import Reporter


class Stack:
    """RabbitMQ and a MongoDB-compatible store for one profile of one checkout.

    `up`, `down` and `clean` are idempotent and safe against each other in several processes. Guaranteed: everything
    listens on loopback only; two profiles or checkouts never share a port, a file or a process; after `down` no
    process of the profile is left. Not guaranteed: that the stack survives a reboot, or any use beyond one machine.
    """

    def __init__(
        self,
        profile: str,
        root: Path | None = None,
        *,
        management: bool = False,
        tls: bool = False,
        report: Reporter | None = None,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", profile):
            raise DevstackError(
                f"profile {profile!r} must be lower-case letters, digits, - and _, at most 31, a letter first"
            )
        self.profile = profile
        self.home = (root or find_root()).resolve() / ".dev" / profile
        report = report or Reporter(quiet=True)
        ports = PortBook(self.home / "ports.json", random.SystemRandom())
        self.broker = Broker(self.home, ports, management=management, tls=tls, report=report)
        self.store: stores.Store = stores.choose(self.home, ports, report)
        self._former = stores.DocumentStore(self.home, ports, report)  # from before MONGODB_URI was set, perhaps

    @property
    def amqp_uri(self) -> str:
        return self.broker.uri

    @property
    def mongodb_uri(self) -> str:
        return self.store.uri

    def environment(self) -> dict[str, str]:
        """The variables by which the platform's processes find this stack."""
        found = {"MPP_AMQP_URI": self.amqp_uri, "MPP_MONGODB_URI": self.mongodb_uri}
        if self.broker.management_uri:
            found["MPP_RABBITMQ_MANAGEMENT_URI"] = self.broker.management_uri
        return found

    def ready(self) -> bool:
        return self.broker.ready() and self.store.ready()

    def up(self) -> None:
        """Start what does not run; returns when both parts answer. Raises DevstackError."""
        if self.ready():
            return
        with self._lock(), concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            for started in [pool.submit(self.broker.start), pool.submit(self.store.start)]:
                started.result()

    def down(self) -> None:
        """End every process of this profile and wait for their end; data stays."""
        if not self.home.exists():
            return
        with self._lock(), concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            for stopped in [pool.submit(part.stop) for part in (self.broker, self.store, self._former)]:
                stopped.result()

    def clean(self) -> None:
        """down, then forget the profile's data, logs and ports. The cache of downloads stays."""
        self.down()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self._former.engine.sockets, ignore_errors=True)

    def pids(self) -> list[int]:
        """Every live process of this profile."""
        return self.broker.pids() + self.store.pids()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home.parent / f"{self.profile}.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def find_root() -> Path:
    """The checkout: MPP_ROOT, else the nearest folder upwards from here that holds the Makefile and tools/devstack."""
    if os.environ.get("MPP_ROOT"):
        return Path(os.environ["MPP_ROOT"])
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if (folder / "tools" / "devstack").is_dir():
                return folder
    raise DevstackError("not inside a checkout: run from it, or set MPP_ROOT")
