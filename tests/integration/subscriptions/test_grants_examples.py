"""examples/agency: each program is run as it is written, with an agency's own credentials."""

from __future__ import annotations

import importlib.util
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from .conftest import Agency, Edge

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples" / "agency"


@pytest.fixture(scope="module")
def node() -> str:
    """Node with the example's locked packages; npm's own cache makes it quick."""
    place = ROOT / "clients" / "typescript" / "npm.py"
    spec = importlib.util.spec_from_file_location("mpp_npm", place)
    assert spec is not None
    assert spec.loader is not None
    npm = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(npm)
    npm.install(EXAMPLES / "node")
    return str(npm.environment()["PATH"])


@pytest.fixture(scope="module")
def agency(edge_session: Edge) -> Agency:
    return edge_session.granted("queue")


def command(language: str, program: str, request: pytest.FixtureRequest) -> list[str]:
    if language == "python":
        return [sys.executable, "-u", str(EXAMPLES / "python" / f"{program}.py")]
    os.environ["PATH"] = request.getfixturevalue("node")
    return ["node", str(EXAMPLES / "node" / f"{program}.mjs")]


@contextmanager
def running(edge: Edge, agency: Agency, arguments: list[str]) -> Iterator[Any]:
    """Its lines, as they come, while it runs."""
    address = agency.grant.broker.address.removeprefix("amqp://")
    given = {
        "AMQP_URI": f"amqp://{agency.account}:{agency.password}@{address}/%2F",
        "AMQP_QUEUE": agency.grant.broker.queue,
        "PATH": os.environ["PATH"],
    }
    process = subprocess.Popen(arguments, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    out = process.stdout
    reader = threading.Thread(target=lambda: [lines.put(line) for line in out], daemon=True)
    reader.start()
    try:
        yield lambda: lines.get(timeout=30)
    finally:
        process.kill()
        process.wait()


def until(read: Any, text: str) -> list[str]:
    """Lines up to the one that holds `text`."""
    found = [read()]
    while text not in found[-1]:
        found.append(read())
    return found


@pytest.mark.parametrize("language", ["python", "node"])
def test_follow(edge: Edge, agency: Agency, language: str, request: pytest.FixtureRequest) -> None:
    with running(edge, agency, command(language, "follow", request)) as read:
        first, second = edge.call_ticket("D-001"), edge.call_ticket("D-002")
        until(read, first)
        last = until(read, second)[-1]
    assert last.startswith(f"mpp.queue.v1.TicketCalled {second} ")
    assert "D-002" in last


@pytest.mark.parametrize("language", ["python", "node"])
def test_replay(edge: Edge, agency: Agency, language: str, request: pytest.FixtureRequest) -> None:
    replay = command(language, "replay", request)
    before = edge.call_ticket()
    since = datetime.now(UTC).isoformat(timespec="milliseconds")
    after = edge.call_ticket()
    with running(edge, agency, [*replay, "public.queue", "first"]) as read:
        offset = until(read, before)[-1].split()[0]
        until(read, after)
    with running(edge, agency, [*replay, "public.queue", offset]) as read:
        assert before in read()  # from this very offset on
        until(read, after)
    with running(edge, agency, [*replay, "public.queue", since]) as read:
        until(read, after)
