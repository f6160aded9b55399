"""`make run` as a person uses it: twice on living data, then `make stop`, which leaves no process behind."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mpp_localrun.platform import Platform

ROOT = Path(__file__).resolve().parents[2]
PROFILE = "test-run"
pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


def localrun(verb: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpp_localrun", verb, "--profile", PROFILE]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def mine() -> list[str]:
    """Command lines of living processes that belong to the profile, by their environment or their words."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if state != "Z" and f".dev/{PROFILE}/".encode() in words:
                found.append(words[:100].decode(errors="replace"))
    return found


@pytest.fixture(scope="module")
def runs() -> Iterator[list[subprocess.CompletedProcess[str]]]:
    localrun("clean")
    yield [localrun("run"), localrun("run")]
    localrun("clean")


def test_both_runs_end_well_and_say_how_to_stop(runs: list[Any]) -> None:
    for run in runs:
        assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
        for words in (
            "A visit to MPP Merdeka Malang",
            "in all",
            "One visit, one trace",
            "silakan ke loket satu”",
            "Serah terima",
            "The manager's report of today has it all",
            "One tour of",
            "make stop",
            "gRPC 127.0.0.1:",
        ):
            assert words in run.stdout
    assert "D-001" in runs[0].stdout
    assert "D-002" in runs[1].stdout or "D-001" in runs[1].stdout  # a new day starts anew


def test_what_is_said_to_listen_does(runs: list[Any]) -> None:
    platform = Platform(PROFILE)
    for service in platform.services():
        with grpc.insecure_channel(platform.endpoints()[service]) as channel:
            reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
        for verb in ("serve", "work"):
            with urllib.request.urlopen(
                platform.endpoints()[f"{service}-{verb}-http"] + "/metrics", timeout=30
            ) as page:
                assert b"mpp_" in page.read()
    assert mine()


def test_stop_leaves_no_process_behind_and_a_second_stop_is_harmless(runs: list[Any]) -> None:
    assert localrun("stop").returncode == 0
    end = time.monotonic() + 30
    while mine() and time.monotonic() < end:
        time.sleep(0.05)
    assert mine() == []
    assert localrun("stop").returncode == 0
