"""What the sweeps `measure` tell: the right numbers, by an index (the store's own explain), and nothing of yesterday."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from mpp_applications import usecases as applications
from mpp_applications.metrics import DUE
from mpp_applications.store import APPLICATIONS, Applications
from mpp_applications.store import INDEXES as APPLICATIONS_INDEXES
from mpp_chassis.aggregates import Store
from mpp_chassis.metrics import replace_all
from mpp_chassis.storage import ensure_indexes
from mpp_complaints import usecases as complaints
from mpp_complaints.metrics import OPEN, OVERDUE
from mpp_complaints.store import COMPLAINTS, Complaints
from mpp_complaints.store import INDEXES as COMPLAINTS_INDEXES
from mpp_queue import sweeps
from mpp_queue.metrics import LONGEST_WAIT_SECONDS, OPEN_TICKETS, TICKETS
from mpp_queue.store import INDEXES as QUEUE_INDEXES
from prometheus_client import CollectorRegistry, Gauge
from pymongo.monitoring import CommandListener, CommandStartedEvent

from tests.integration.queue.test_store import MORNING, QUEUE, Office

pytestmark = pytest.mark.stack
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class Asked(CommandListener):
    def __init__(self) -> None:
        self.aggregates: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "aggregate":
            self.aggregates.append({k: event.command[k] for k in ("aggregate", "pipeline", "cursor")})

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


@pytest.fixture
def asked(database: Any, mongodb_uri: str) -> Iterator[Any]:
    """A database that notes what it is asked."""
    listener = Asked()
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[listener])
    yield SimpleNamespace(database=client[database.name], listener=listener)
    client.close()


def told(gauge: Gauge) -> dict[tuple[str, ...], float]:
    return {tuple(s.labels.values()): s.value for m in gauge.collect() for s in m.samples}


def stages(database: Any, command: dict[str, Any]) -> str:
    return repr(database.command({"explain": command, "verbosity": "queryPlanner"}))


def store_of(asked: Any) -> Store:
    return Store(asked.database, None, lambda: NOW, random.Random(1))


def test_due_applications_are_counted_by_their_index(asked: Any) -> None:
    ensure_indexes(asked.database, APPLICATIONS_INDEXES, [APPLICATIONS])
    due = {"late": NOW - timedelta(days=3), "soon": NOW + timedelta(hours=5), "later": NOW + timedelta(days=9)}
    thin = [
        {"_id": f"{word}-{n}", "site_id": "s", "agency": f"sites/s/agencies/a{n % 2}", "due_at": at, "clock_runs": runs}
        for word, at in due.items()
        for n, runs in enumerate([True, True, True, False])
    ]
    asked.database[APPLICATIONS].insert_many(thin)
    asked.database[APPLICATIONS].insert_many(
        {"_id": f"over-{n}", "site_id": "s", "agency": "x", "due_at": due["late"], "clock_runs": False}
        for n in range(3000)
    )
    app = SimpleNamespace(applications=Applications(store_of(asked)))
    replace_all(DUE, {("gone", "agency", "overdue"): 4.0})
    applications.measure(app, NOW)  # type: ignore[arg-type]
    assert told(DUE) == {
        ("s", "a0", "overdue"): 2,
        ("s", "a1", "overdue"): 1,
        ("s", "a0", "within_a_day"): 2,
        ("s", "a1", "within_a_day"): 1,
    }
    for command in asked.listener.aggregates:
        plan = stages(asked.database, command)
        assert "'due_at'" in plan, plan
        assert "COLLSCAN" not in plan, plan


def test_open_complaints_are_counted_by_their_index(asked: Any) -> None:
    ensure_indexes(asked.database, COMPLAINTS_INDEXES, [COMPLAINTS])
    states = {
        "verified": NOW - timedelta(days=1),
        "in_progress": NOW + timedelta(days=1),
        "answered": NOW - timedelta(1),
    }
    asked.database[COMPLAINTS].insert_many(
        {"_id": s, "site_id": "sites/s", "agency": "sites/s/agencies/a", "state": s, "due_at": at, "open": True}
        for s, at in states.items()
    )
    asked.database[COMPLAINTS].insert_many(
        {"_id": f"over-{n}", "site_id": "sites/s", "agency": "x", "state": "closed", "due_at": None, "open": False}
        for n in range(3000)
    )
    complaints.measure(SimpleNamespace(complaints=Complaints(store_of(asked))), NOW)  # type: ignore[arg-type]
    assert told(OPEN) == {("s", "a", "handler"): 2, ("s", "a", "reporter"): 1}
    assert told(OVERDUE) == {("s", "a"): 1}  # an answer that waits for the reporter is nobody's fault
    for command in asked.listener.aggregates:
        plan = stages(asked.database, command)
        assert "'open_due'" in plan, plan
        assert "COLLSCAN" not in plan, plan


def test_a_queue_tells_how_full_it_is(asked: Any) -> None:
    ensure_indexes(asked.database, QUEUE_INDEXES, ["tickets"])
    office = Office(asked.database)
    office.learn()
    for _ in range(4):
        office.take()
    office.now = MORNING + timedelta(minutes=20)
    office.call(3)
    sweeps.measure(office.app, office.now)
    name = QUEUE.rsplit("/", 1)[1]
    site = QUEUE.split("/")[1]
    states = {"waiting": 3, "called": 1, "serving": 0, "parked": 0}
    assert told(OPEN_TICKETS) == {(site, name, state): count for state, count in states.items()}
    assert told(LONGEST_WAIT_SECONDS) == {(site, name): 20 * 60}
    sweeps.measure(office.app, office.now + timedelta(days=1))  # what nobody closed yesterday is not today's queue
    assert set(told(OPEN_TICKETS).values()) == {0}


def test_each_step_is_counted_once_and_a_repeated_command_not_at_all(asked: Any) -> None:
    ensure_indexes(asked.database, QUEUE_INDEXES, ["tickets"])
    office = Office(asked.database)
    office.learn()
    site, line = QUEUE.split("/")[1], QUEUE.rsplit("/", 1)[1]

    def counted() -> dict[str, float]:
        samples = [s for m in TICKETS.collect() for s in m.samples if s.labels["queue"] == line]
        return {s.labels["step"]: s.value for s in samples if s.labels["site"] == site}

    before = counted()
    commands = [str(uuid.uuid4()) for _ in range(2)]
    for _ in range(3):
        taken = office.take(commands[0])
        called = office.call(3, commands[1])
    assert called.name == taken.ticket.name
    office.miss(called.name)  # back to waiting
    office.call(3)
    office.miss(called.name)  # not there again
    grown = {step: value - before.get(step, 0) for step, value in counted().items() if value != before.get(step, 0)}
    assert grown == {"taken": 1, "called": 2, "missed": 1, "no_show": 1}


def test_a_gauge_forgets_what_is_no_more() -> None:
    gauge = Gauge("t_places", "of the test", ("site", "queue"), registry=CollectorRegistry())
    replace_all(gauge, {("a", "x"): 1, ("a", "y"): 2})
    replace_all(gauge, {("a", "y"): 3})
    assert told(gauge) == {("a", "y"): 3}
