"""Fixtures of the whole test suite: the devstack's `test` profile, and services as real processes on it. They are given to
tests/ and to services/*/tests alike by the conftest.py of the checkout's root.

Everything is started when first asked for, once a session, and stopped at its end. Unit tests ask for nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pymongo
import pytest
from hypothesis import HealthCheck, settings
from mpp_chassis import broker

ROOT = Path(__file__).resolve().parents[1]
QUICK_WEBHOOKS = """
retry_delays_seconds: [0.1, 0.2, 0.3, 0.4]
jitter: 0.2
timeout_seconds: 2
claim_seconds: 4
scan_seconds: 0.2
rest_seconds: 5
most_couriers: 100
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stack: needs the broker and the store (set by fixtures)")
    # The same code gets the same examples and so the same verdict; a machine's pause is no fault of the code.
    # MPP_EXPLORE=1 draws new examples at each run, and four times as many.
    explore = bool(os.environ.get("MPP_EXPLORE"))
    settings.register_profile(
        "mpp",
        deadline=None,
        derandomize=not explore,
        max_examples=200 if explore else 50,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("mpp")


@pytest.fixture(autouse=True)
def one_day(request: pytest.FixtureRequest) -> None:
    """No test of the stack begins in the last 90 s of a day in Malang: what it takes today it would look for tomorrow."""
    left = 86_400 - (time.time() + 7 * 3600) % 86_400
    if left < 90 and request.node.get_closest_marker("stack"):
        time.sleep(left + 0.5)


@pytest.fixture(scope="session")
def platform() -> Iterator[Any]:
    """The `test` profile: broker and store are up, the data is fresh, no service runs yet."""
    from mpp_localrun.platform import Platform

    here = Platform(os.environ.get("MPP_TEST_PROFILE", "test"), ROOT)
    here.stack.down()
    here.stack.clean()
    here.stack.up()
    yield here
    here.stack.broker.kill()  # the next run forgets the data; closing hundreds of quorum queues in order takes seconds
    here.stack.down()


@pytest.fixture(scope="session")
def stack(platform: Any) -> Any:
    return platform.stack


@pytest.fixture(scope="session")
def amqp_uri(stack: Any) -> str:
    return str(stack.amqp_uri)


@pytest.fixture(scope="session")
def mongodb_uri(stack: Any) -> str:
    return str(stack.mongodb_uri)


@pytest.fixture
def database(mongodb_uri: str) -> Iterator[Any]:
    """An empty database of the test's own."""
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, serverSelectionTimeoutMS=8000)
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield client[name]
    client.drop_database(name)
    client.close()


class Running:
    """Services as processes on the `test` profile. `service("queue")` starts its serve and work, once."""

    def __init__(self, platform: Any) -> None:
        self.platform = platform
        self.running: dict[str, Any] = {}
        self._channels: dict[str, grpc.Channel] = {}
        self._tokens: dict[Any, str] = {}
        self._migrated: set[str] = set()
        self.extra: dict[str, dict[str, str]] = {}  # environment of a service for the whole session

    def issuer(self) -> None:
        if "issuer" not in self.running:
            self._start(self.platform.issuer())

    def gateway(self) -> str:
        """The gateway's address; it and every service run afterwards."""
        self.service(*self.platform.services())
        if "gateway" not in self.running:
            self._start(self.platform.gateway())
        return str(self.platform.endpoints()["gateway"])

    def migrate(self, *names: str) -> None:
        missing = [n for n in names if n not in self._migrated]
        if missing:
            self.platform.migrate(*missing)
            self._migrated.update(missing)

    def service(self, *names: str, verbs: tuple[str, ...] = ("serve", "work"), **extra: str) -> None:
        """Every service's queues exist before the first process starts: an event needs its consumers' queues."""
        from mpp_localrun.platform import wait_ready

        self.issuer()
        self.migrate(*self.platform.services())
        started = []
        for name in names:
            for verb in verbs:
                if f"{name}-{verb}" not in self.running:
                    process = self.platform.process(name, verb, **{**self.extra.get(name, {}), **extra})
                    started.append((process, self._launch(process)))
        wait_ready(started, self.platform.logs)

    def _launch(self, process: Any) -> Any:
        popen = self.platform.start(process)
        self.running[process.name] = popen
        return popen

    def _start(self, process: Any) -> None:
        from mpp_localrun.platform import wait_ready

        wait_ready([(process, self._launch(process))], self.platform.logs)

    def kill(self, name: str) -> None:
        """SIGKILL, as a power cut would."""
        popen = self.running.pop(name)
        popen.kill()
        popen.wait()

    def stop(self, name: str) -> int:
        from mpp_localrun.platform import stop

        return int(stop(self.running.pop(name)))

    def channel(self, service: str) -> grpc.Channel:
        if service not in self._channels:
            self._channels[service] = grpc.insecure_channel(self.platform.endpoints()[service])
        return self._channels[service]

    def stub(self, service: str, stub: Callable[[grpc.Channel], Any]) -> Any:
        return stub(self.channel(service))

    def token(self, *roles: str, subject: str = "", **claims: Any) -> str:
        self.issuer()
        key = (roles, subject, tuple(sorted(claims.items())))
        if key not in self._tokens:
            self._tokens[key] = self.platform.token(subject or f"{'-'.join(roles)}-1", list(roles), **claims)
        return self._tokens[key]

    def auth(self, *roles: str, subject: str = "", **claims: Any) -> list[tuple[str, str]]:
        """gRPC metadata with a token: `stub.X(request, metadata=services.auth("officer", site=...), timeout=30)`."""
        return [("authorization", f"Bearer {self.token(*roles, subject=subject, **claims)}")]

    def database(self, service: str) -> Any:
        client: pymongo.MongoClient[Any] = pymongo.MongoClient(self.platform.stack.mongodb_uri, tz_aware=True)
        return client[f"mpp_{service}"]

    def settled(self, seconds: float = 120) -> None:
        """Wait until no event waits anywhere: neither in a document nor in a handler's queue."""
        end = time.monotonic() + seconds
        while waiting := self.unsettled():
            assert time.monotonic() < end, f"still waiting after {seconds} s: {waiting}"
            time.sleep(0.1)

    def unsettled(self) -> dict[str, int]:
        """Handler queues and outboxes that still hold something."""
        found = {}
        conn = broker.connection(self.platform.stack.amqp_uri)
        try:
            channel = conn.channel()
            for service in self.platform.services():
                database = self.database(service)
                for handler in database["handlers"].find({}):
                    if count := channel.queue_declare(handler["_id"], passive=True).message_count:
                        found[handler["_id"]] = count
                for name in database.list_collection_names():
                    if count := database[name].count_documents({"outbox.last": {"$gt": ""}}):
                        found[f"{service}.{name}"] = count
        finally:
            conn.close()
        return found

    def log(self, name: str) -> str:
        file = self.platform.logs / f"{name}.log"
        return str(file.read_text(errors="replace")) if file.exists() else ""

    def close(self) -> None:
        from mpp_localrun.platform import stop

        for channel in self._channels.values():
            channel.close()
        for popen in self.running.values():
            if popen.poll() is None:
                popen.terminate()
        for popen in self.running.values():
            stop(popen)


@pytest.fixture(scope="session")
def services(platform: Any) -> Iterator[Running]:
    """Processes of the platform, started as tests ask: `services.service("catalog", "queue")`."""
    here = Running(platform)
    # Claims of a killed notifier run out after 5 s instead of 60, so that tests need not wait so long.
    policy = (ROOT / "services/notifications/mpp_notifications/data/delivery.yaml").read_text()
    quick = platform.home / "delivery.yaml"
    quick.write_text(re.sub(r"claim_seconds: \d+", "claim_seconds: 5", policy))
    # Accounts that the broker lost are missed after a second instead of a minute.
    # Webhooks go to servers of the tests, and are tried again within seconds instead of a day.
    webhooks = platform.home / "webhooks.yaml"
    webhooks.write_text(QUICK_WEBHOOKS)
    here.extra["subscriptions"] = {
        "MPP_GRANTS_DRIFT_SECONDS": "1",
        "MPP_SUBSCRIPTIONS_WEBHOOKS": str(webhooks),
        "MPP_WEBHOOK_ALLOW_PRIVATE": "1",
    }
    sites = "{uji-penjaga: {mode: alarm, milliseconds: 25}, uji-peramban: {mode: 'on', milliseconds: 25}}"
    challenges = {"MPP_CHALLENGES": f"sites: {sites}"}
    here.extra["queue"], here.extra["complaints"] = challenges, challenges
    here.extra["notifications"] = {"MPP_NOTIFICATIONS_DELIVERY": str(quick)}
    yield here
    here.close()


@pytest.fixture(scope="session")
def malang(services: Running) -> Running:
    """All services run, and MPP Merdeka Malang is loaded and known to all of them."""
    services.service(*services.platform.services())
    command = [sys.executable, "-m", "mppctl.main", "--profile", services.platform.profile, "apply", "-f"]
    done = subprocess.run([*command, str(ROOT / "sites" / "malang")], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    services.settled()
    return services


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait for a condition, never for a time: `eventually(lambda: store.count() == 3)`."""
    return wait_for


def wait_for(condition: Callable[[], Any], seconds: float = 60, every: float = 0.02) -> Any:
    """The first truthy value of `condition`; fails after `seconds` with the last value seen."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not true within {seconds} s; last value {value!r}")
        time.sleep(every)


def request_id() -> str:
    return str(uuid.uuid4())
