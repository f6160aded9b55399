"""Webhooks' and subscriptions' documents on the real store: claims are fenced, and every query has an index."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from google.protobuf import empty_pb2
from mpp.subscriptions.v1 import events_pb2
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Command
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event
from mpp_subscriptions import store as root
from mpp_subscriptions.feed.store import Subscriptions
from mpp_subscriptions.webhooks import usecases
from mpp_subscriptions.webhooks.domain import Attempt, Progress, Secret, Target, Webhook
from mpp_subscriptions.webhooks.store import Claim, Deliveries, Webhooks
from pymongo import monitoring

pytestmark = pytest.mark.stack
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
AGENCY = "sites/x/agencies/y"
NAME = f"{AGENCY}/webhooks/w"
LATER = NOW + timedelta(seconds=20)


@pytest.fixture
def asked() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def store(database: Any, mongodb_uri: str, asked: list[tuple[str, dict[str, Any]]]) -> Iterator[Store]:
    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            if event.command_name in ("find", "update", "findAndModify", "aggregate", "count", "delete"):
                asked.append((event.command_name, dict(event.command)))

        def succeeded(self, event: Any) -> None:
            return

        def failed(self, event: Any) -> None:
            return

    storage.ensure_indexes(database, root.INDEXES, ("grants", "webhooks", "subscriptions"))
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[Listener()])
    yield Store(client[database.name], None, lambda: NOW, random.Random(3))
    client.close()


def webhook(number: int = 0) -> Webhook:
    name = f"{NAME}{number}" if number else NAME
    secret = Secret("s", "sealed", NOW)
    return Webhook(name, "x", "y", Target("https://example.test/"), (secret,), NOW, NOW, start_time=NOW)


def make(store: Store, count: int) -> Webhooks:
    webhooks = Webhooks(store)
    for n in range(count):
        webhooks.create(webhook(n), Command(f"r{n}", "Create", "f", "a", NOW), empty_pb2.Empty())
    return webhooks


def progress(cursor: str) -> Progress:
    attempt = Attempt(NOW, "e1", "t", 503, "http_503", 3)
    return Progress(1, 1, cursor, 2, NOW, LATER, NOW, (attempt,))


def test_one_holder_at_a_time_and_who_lost_it_moves_nothing(store: Store) -> None:
    deliveries = Deliveries(store)
    first, second = Claim(NAME, "p1/1"), Claim(NAME, "p2/1")
    assert deliveries.claim(first, NOW, LATER) == Progress()
    assert deliveries.claim(second, NOW, LATER) is None
    assert deliveries.save(first, progress("c1"), LATER)
    assert deliveries.held(NOW) == {NAME}
    assert deliveries.claim(second, LATER, LATER + timedelta(seconds=20)) == progress("c1")
    assert not deliveries.save(first, progress("c0"), LATER), "it woke up late: fenced"
    assert not deliveries.renew(first, LATER)
    deliveries.release(first)
    assert deliveries.renew(second, LATER + timedelta(seconds=20))
    assert deliveries.progress(NAME) == progress("c1")
    deliveries.release(second)
    assert deliveries.held(LATER) == set()


def test_a_webhook_reads_back_as_it_was_written(store: Store) -> None:
    webhooks = make(store, 1)
    assert webhooks.load(NAME) == webhook()


def test_processes_that_deliver_are_counted_as_long_as_they_live(store: Store) -> None:
    deliveries = Deliveries(store)
    assert deliveries.present("p1", NOW, LATER) == 1
    assert deliveries.present("p2", NOW, LATER) == 2
    assert deliveries.present("p2", LATER + timedelta(seconds=1), LATER + timedelta(seconds=9)) == 1
    deliveries.leave("p2")
    assert deliveries.present("p3", LATER, LATER) == 1


def subscribed(store: Store) -> tuple[Subscriptions, str]:
    subscriptions, name = Subscriptions(store), f"{AGENCY}/subscriptions/s"
    subscriptions.open(name, "x", "y", "h", NOW, "", NOW)
    return subscriptions, name


def ended(name: str) -> list[Event]:
    return [Event(events_pb2.SubscriptionDeleted(subscription=name, agency="y"), name)]


def test_a_deleted_subscription_is_forgotten_but_for_its_reply_and_begins_anew(store: Store) -> None:
    subscriptions, name = subscribed(store)
    subscriptions.acknowledge(name, 7, "c7", NOW)
    command = Command("r1", "DeleteSubscription", "f", "a", LATER)
    for _ in range(2):  # the second is the same command again
        assert subscriptions.delete(name, command, empty_pb2.Empty(), ended(name)) == empty_pb2.Empty()
    assert (subscriptions.get(name), subscriptions.count("x", "y", 9), subscriptions.page("x", "y", "", 9)) == (
        None,
        0,
        [],
    )
    assert subscriptions.acknowledge(name, 8, "c8", LATER) is None
    with pytest.raises(NotFound):
        subscriptions.delete(name, replace(command, request_id="r2"), empty_pb2.Empty(), ended(name))
    document = store.database["subscriptions"].find_one({"_id": name})
    assert (len(document["outbox"]["events"]), "cursor" in document) == (1, False)

    again = subscriptions.open(name, "x", "y", "h2", LATER, "", LATER)
    assert again is not None
    assert (again.acknowledged, again.cursor, again.created_at, again.holder) == (-1, "", LATER, "h2")
    assert subscriptions.delete(name, command, empty_pb2.Empty(), ended(name)) == empty_pb2.Empty()
    assert subscriptions.get(name) is not None, "a repeated command deletes nothing that was made since"
    assert [one.name for one in subscriptions.page("x", "y", "", 9)] == [name]


def test_a_subscription_of_an_older_version_can_be_deleted(store: Store) -> None:
    subscriptions, name = subscribed(store)
    store.database["subscriptions"].update_one({"_id": name}, {"$unset": {"version": "", "ended_at": ""}})
    assert [one.name for one in subscriptions.page("x", "y", "", 9)] == [name]
    assert subscriptions.acknowledge(name, 7, "c7", NOW) is not None
    subscriptions.delete(name, Command("r1", "DeleteSubscription", "f", "a", NOW), empty_pb2.Empty(), ended(name))
    assert subscriptions.get(name) is None


def test_tombstones_of_subscriptions_go_when_they_are_old_and_told(store: Store) -> None:
    subscriptions, name = subscribed(store)
    subscriptions.delete(name, Command("r1", "DeleteSubscription", "f", "a", NOW), empty_pb2.Empty(), ended(name))
    assert subscriptions.forget(LATER, 9) == 0, "its event waits"
    store.database["subscriptions"].update_one({"_id": name}, {"$unset": {"outbox": ""}})
    assert (subscriptions.forget(NOW, 9), subscriptions.forget(LATER, 9), subscriptions.forget(LATER, 9)) == (0, 1, 0)


def test_what_a_deleted_webhook_leaves_behind_is_swept(store: Store) -> None:
    """A process died after the deletion, or a courier was just being hired: its place is there again."""
    webhooks, deliveries = make(store, 2), Deliveries(store)
    for name in (NAME, f"{NAME}1"):
        deliveries.claim(Claim(name, "p/1"), NOW, LATER)
        deliveries.save(Claim(name, "p/1"), progress("c1"), LATER)
    webhooks.change(
        NAME,
        Command("d", "Delete", "f", "a", NOW),
        empty_pb2.Empty,
        lambda w: w.delete(NOW),
        lambda _: (empty_pb2.Empty(), []),
    )
    app: Any = SimpleNamespace(webhooks=webhooks, deliveries=deliveries)
    usecases.sweep(app, NOW)
    assert (deliveries.progress(NAME), deliveries.held(NOW)) == (Progress(), {f"{NAME}1"})
    assert not deliveries.save(Claim(NAME, "p/1"), progress("c2"), LATER), "its courier has lost it"
    assert webhooks.made(NAME), "a repeated command must hear its reply"
    usecases.sweep(app, LATER)
    assert (webhooks.made(NAME), webhooks.made(f"{NAME}1")) == (False, True)


def test_every_query_has_an_index(store: Store, asked: list[tuple[str, dict[str, Any]]]) -> None:
    webhooks, deliveries, subscriptions = make(store, 200), Deliveries(store), Subscriptions(store)
    for n in range(200):
        deliveries.claim(Claim(webhook(n).name, "p/1"), NOW, LATER)
        subscriptions.open(f"{AGENCY}/subscriptions/s{n}", "x", f"y{n}", "h", NOW, "", NOW)
    asked.clear()
    webhooks.load(NAME)
    webhooks.count("x", "y", 20)
    webhooks.page("x", "y", "", 10)
    webhooks.enabled()
    webhooks.stopped()
    claim = Claim(NAME, "p/1")
    deliveries.held(NOW)
    deliveries.save(claim, progress("c"), LATER)
    deliveries.renew(claim, LATER)
    deliveries.release(claim)
    deliveries.claim(claim, NOW, LATER)
    deliveries.progress(NAME)
    name = f"{AGENCY}/subscriptions/s1"
    subscriptions.get(name)
    subscriptions.count("x", "y1", 50)
    subscriptions.acknowledge(name, 3, "c", NOW)
    subscriptions.page("x", "y1", "", 50)
    subscriptions.delete(name, Command("r", "DeleteSubscription", "f", "a", NOW), empty_pb2.Empty(), [])
    subscriptions.forget(LATER, 9)
    webhooks.deleted("", 10)
    webhooks.forget([NAME], NOW)
    deliveries.forget([NAME])
    assert {kind for kind, _ in asked} >= {"find", "update", "findAndModify", "aggregate"}
    for kind, command in asked:
        kept = {
            k: v for k, v in command.items() if not k.startswith("$") and k not in ("lsid", "writeConcern", "txnNumber")
        }
        stages = _stages(store.database.command({"explain": kept, "verbosity": "queryPlanner"}))
        assert "COLLSCAN" not in stages, (kind, command, stages)


def _stages(node: Any) -> list[str]:
    if isinstance(node, list):
        return [stage for one in node for stage in _stages(one)]
    if not isinstance(node, dict):
        return []
    own = [node["stage"]] if isinstance(node.get("stage"), str) else []
    return own + [stage for value in node.values() for stage in _stages(value)]
