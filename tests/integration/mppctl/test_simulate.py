"""mppctl simulate against the running catalogue and queue: a day broken off, and the next run, which finds who was left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

SITE = "sim-001"
pytestmark = pytest.mark.stack


@pytest.fixture
def command(services: Any) -> list[str]:
    services.service("catalog", "queue")
    endpoints = services.platform.endpoints()
    given = [f"--endpoint={name}={endpoints[name]}" for name in ("catalog", "queue", "issuer")]
    return [sys.executable, "-m", "mppctl.main", "--profile", "none", *given]


def test_a_day_broken_off_leaves_no_counter_busy_and_the_next_run_goes_on(
    services: Any, command: list[str], eventually: Callable[..., Any]
) -> None:
    tickets = services.database("queue")["tickets"]
    slow = [*command, "simulate", "--sites", "1", "--visits", "200", "--speed", "3000", "--seed", "3"]
    with subprocess.Popen(slow, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            eventually(lambda: tickets.count_documents({"site_id": SITE, "state": "finished"}) >= 5, seconds=60)
            assert tickets.count_documents({"site_id": SITE}) < 200
            running.send_signal(signal.SIGINT)
            output, _ = running.communicate(timeout=180)
        finally:
            running.kill()
    assert running.returncode == 0, output
    assert "Broken off" in output
    assert "none called twice" in output
    assert not tickets.count_documents({"site_id": SITE, "state": {"$in": ["called", "serving"]}})
    left = tickets.count_documents({"site_id": SITE, "state": "waiting"})

    fast = [*command, "--json", "simulate", "--sites", "1", "--visits", "25", "--speed", "max"]
    done = subprocess.run(fast, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert (figures["came"], figures["errors"], figures["breaches"]) == (25, {}, [])
    assert figures["finished"] + figures["no_show"] + figures["cancelled"] == figures["asked"] == 25 + left
    assert not tickets.count_documents({"site_id": SITE, "state": {"$nin": ["finished", "no_show", "cancelled"]}})


def test_an_existing_site_is_played_with_its_own_services(services: Any, command: list[str]) -> None:
    """The site is one that another run made: the catalogue does not know the difference."""
    subprocess.run(
        [*command, "--json", "simulate", "--sites", "1", "--visits", "1", "--speed", "max"], check=True, timeout=180
    )
    done = subprocess.run(
        [*command, "--json", "simulate", "--site", SITE, "--visits", "10", "--speed", "max"],
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["came"] == 10
    offerings = services.database("queue")["tickets"].distinct("offering", {"site_id": SITE})
    assert f"sites/{SITE}/offerings/kartu-keluarga" in offerings


def test_a_site_that_is_not_there_is_told(command: list[str]) -> None:
    done = subprocess.run([*command, "simulate", "--site", "nowhere"], capture_output=True, text=True, timeout=180)
    assert done.returncode == 1
    assert "nowhere" in done.stderr
