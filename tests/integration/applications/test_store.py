"""Every find of the service goes through an index, by the store's own explain."""

from __future__ import annotations

import contextlib
import random
from datetime import UTC, datetime
from typing import Any

import pymongo
import pytest
from mpp_applications.store import APPLICATIONS, INDEXES, Applications
from mpp_chassis.aggregates import Store
from mpp_chassis.storage import ensure_indexes
from pymongo.monitoring import CommandListener, CommandStartedEvent

pytestmark = pytest.mark.stack


class Finds(CommandListener):
    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            kept = ("find", "filter", "sort", "limit", "projection")
            self.seen.append({k: event.command[k] for k in kept if k in event.command})

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


def stages(plan: Any) -> list[str]:
    if isinstance(plan, dict):
        own = [plan["stage"]] if "stage" in plan else []
        return own + [s for value in plan.values() for s in stages(value)]
    if isinstance(plan, list):
        return [s for value in plan for s in stages(value)]
    return []


def test_every_find_uses_an_index(database: Any, mongodb_uri: str) -> None:
    finds = Finds()
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[finds])
    mine = client[database.name]
    ensure_indexes(mine, INDEXES, [APPLICATIONS])
    mine[APPLICATIONS].insert_many(
        {
            "_id": f"sites/s/applications/{n:08d}",
            "site_id": "s",
            "agency": f"a{n % 50}",
            "owner_keys": [f"nik:{n % 900}", f"sub:{n % 1100}"],
            "order": f"20250101T000000.{n:06d}-{n:08d}",
            "nik_index": str(n % 900),
            "offering": f"o{n % 40}",
            "open": n % 3 > 0,
            **({"flag_at": datetime(2025, 1, 1, n % 24, tzinfo=UTC)} if n % 5 == 0 else {}),
        }
        for n in range(3000)
    )
    shelf = Applications(Store(mine, None, lambda: datetime.now(UTC), random.Random(1)))
    finds.seen.clear()
    shelf.load("sites/s/applications/absent00")
    assert shelf.has_open("s", "7", "o7", besides="")
    for read in (
        lambda: shelf.of_agency("s", "a1", "", 3),
        lambda: shelf.of_agency("s", "a1", "20250101T000000.001000-00001000", 3),
        lambda: shelf.of_owner("s", ["nik:1", "sub:1"], "", 3),
        lambda: shelf.of_owner("s", ["nik:1", "sub:1"], "20250101T000000.001000-00001000", 3),
        lambda: shelf.due(datetime(2025, 1, 1, 1, tzinfo=UTC), 5),
    ):
        with contextlib.suppress(KeyError):  # the rows are too thin to be applications; the query was sent
            read()
    assert len(finds.seen) == 7
    for find in finds.seen:
        plan = database.client[database.name].command("explain", find, verbosity="queryPlanner")
        used = stages(plan["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in used, f"{find} scans: {used}"
        assert used, plan
    client.close()
