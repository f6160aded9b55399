"""The tour's order. Knows the scenes, and where services bring theirs; knows nothing of what happens in them."""

from __future__ import annotations

import runpy
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from mpp_localrun.onlookers import now
from mpp_localrun.platform import Platform
from mpp_localrun.tour import appointments, counters, kiosks, reports, visits
from mpp_localrun.tour.ground import Ground, settle
from mpp_localrun.visit import SITE, summary
from mpp_localrun.walk import Walk


def run_tour(platform: Platform, console: Console) -> Ground:
    """All scenes. Raises VisitFailed. May be repeated: what an interrupted tour left is cleared away first.

    The scenes that services bring play at the reference site, which must be loaded.
    """
    started = time.monotonic()
    ground = settle(platform, console, now())
    before = reports.so_far(ground)
    counters.open_and_call(ground)
    counters.park_and_resume(ground)
    counters.transfer(ground)
    visits.two_agencies(ground)
    appointments.booked_time(ground)
    kiosks.without_a_line(ground)
    counters.close(ground)
    reports.what_it_came_to(ground, before)
    guest = Walk(platform, console, site=SITE, manager=ground.manager_of(SITE))
    guest.steps, guest.trace = ground.steps, ground.trace
    for scene in scenes(platform.root):
        runpy.run_path(str(scene))["play"](guest)
    summary(ground, f"One tour of {time.monotonic() - started:.1f} s")
    guest.close()
    ground.close()
    return ground


def scenes(root: Path) -> Iterator[Path]:
    """Scenes that services bring: `play(walk)` of services/*/api/scene.py."""
    yield from sorted(root.glob("services/*/api/scene.py"))
