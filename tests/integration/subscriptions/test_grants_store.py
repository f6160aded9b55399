"""Every find of grants goes through an index, by the store's own explain. Only the drift check reads them all."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from mpp_chassis.aggregates import Store
from mpp_chassis.storage import ensure_indexes
from mpp_subscriptions.domain.grants import grant_name, open_grant
from mpp_subscriptions.store import GRANTS, INDEXES, Grants, to_state
from pymongo.monitoring import CommandListener, CommandStartedEvent

pytestmark = pytest.mark.stack
NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


class Finds(CommandListener):
    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            kept = ("find", "filter", "sort", "limit")
            self.seen.append({k: event.command[k] for k in kept if k in event.command})

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


def document(n: int) -> dict[str, Any]:
    """One of 2,000 grants at 20 sites; one of 100 waits for the broker."""
    grant = open_grant(f"sites/s{n % 20}a/agencies/a{n}", ["queue"], "h", NOW + timedelta(seconds=n), "op")
    known = grant if n % 100 == 0 else replace(grant, applied_revision=1)
    return {"_id": grant.name, "site_id": grant.site_id, "version": 1, **to_state(known)}


def test_every_find_uses_an_index(database: Any, mongodb_uri: str) -> None:
    finds = Finds()
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[finds])
    mine = client[database.name]
    ensure_indexes(mine, INDEXES, [GRANTS])
    mine[GRANTS].insert_many(document(n) for n in range(2000))
    grants = Grants(Store(mine, None, lambda: NOW, random.Random(1)))
    finds.seen.clear()
    name = grant_name("sites/s7a/agencies/a7")
    assert grants.load(name).agency == "sites/s7a/agencies/a7"
    page = grants.page("s7a", name, 5)
    assert [g.name for g in page] == sorted(g.name for g in page)
    assert len(page) == 5
    waiting = grants.pending(NOW + timedelta(seconds=500), 50)
    assert [g.agency.rsplit("/a", 1)[1] for g in waiting] == ["0", "100", "200", "300", "400", "500"]
    assert len(finds.seen) == 3
    for find in finds.seen:
        plan = database.client[database.name].command("explain", find, verbosity="queryPlanner")
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"]), find
    assert sum(1 for _ in grants.all()) == 2000
    client.close()
