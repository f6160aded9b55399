"""Every query of the store has an index: put to the store's own explain, among many passes of earlier days."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pymongo
import pytest
from mpp.catalog.v1 import channel_pb2
from mpp.drivethru.v1 import pass_pb2
from mpp_chassis import storage
from mpp_chassis.aggregates import Store, Taken
from mpp_chassis.call import Command
from mpp_drivethru import domain, gate, hearing, store, views
from mpp_drivethru.app import App
from mpp_drivethru.app import Taken as TicketTaken
from mpp_drivethru.domain import Cause, Pass, State
from pymongo import monitoring

pytestmark = pytest.mark.stack
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SETTINGS = {"queue": "polresta", "lanes": [{"id": "1"}], "stages": [{"id": "check"}, {"id": "pay"}]}
SPEC = domain.channel("sites/malang/channels/sim", "sites/malang/agencies/polresta", [], SETTINGS)
CHANNEL = channel_pb2.Channel(name=SPEC.name, agency=SPEC.agency, kind="sites/malang/channelKinds/drive_thru")
CHANNEL.settings.update(SETTINGS)


@pytest.fixture
def asked(mongodb_uri: str, database: Any) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    found: list[dict[str, Any]] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            if event.command_name == "find":
                found.append(dict(event.command))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    client: Any = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[Listener()])
    yield client[database.name], found
    client.close()


def vehicle(n: int, day: str = "2026-11-23", **given: Any) -> Pass:
    ticket = f"sites/malang/queues/polresta/tickets/{day}-{n}"
    made = domain.register(
        f"{SPEC.name}/passes/{day}-{n}", SPEC, ticket=ticket, number=f"K-{n}", offering="", day=day,
        now=NOW + timedelta(seconds=n),
    )  # fmt: skip
    return replace(made, plate_index=f"{day}{n}", **given)


def keep(passes: store.Passes, one: Pass) -> None:
    passes.create(one, Command(one.name, "X", "", "test", NOW), pass_pb2.Pass(name=one.name), ())


def test_every_query_has_an_index(asked: tuple[Any, list[dict[str, Any]]]) -> None:
    database, found = asked
    storage.ensure_indexes(database, store.INDEXES, ("passes",))
    passes = store.Passes(Store(database, None, lambda: NOW, random.Random(1)))
    for n in range(300):
        keep(
            passes, vehicle(n, "2026-11-20", state=State.DONE, ended_at=NOW - timedelta(days=3), lane="1", place=n + 1)
        )
    keep(passes, vehicle(1, state=State.IN_LANE, lane="1", place=1))
    keep(passes, vehicle(2))
    found.clear()
    assert passes.of_ticket(vehicle(2).ticket) is not None
    assert passes.of_plate(SPEC.name, "2026-11-232") is not None
    assert [p.number for p in passes.in_lane(SPEC.name, "1", "2026-11-23")] == ["K-1"]
    assert passes.last_place(SPEC.name, "1", "2026-11-20") == 300
    assert [p.number for p in passes.open_of(SPEC.name, 10)] == ["K-1", "K-2"]
    first = vehicle(1)
    assert [p.number for p in passes.open_of(SPEC.name, 10, (first.registered_at, first.name))] == ["K-2"]
    assert len(passes.of_days(SPEC.name, "2026-11-23", "2026-11-23")) == 2
    assert len(passes.with_old_plate(NOW, 500)) == 300
    assert len(found) == 8
    for command in list(found):
        kept = {k: v for k, v in command.items() if not k.startswith("$") and k not in ("lsid", "writeConcern")}
        plan = str(database.command({"explain": kept, "verbosity": "queryPlanner"}))
        assert "COLLSCAN" not in plan, kept
        assert "IXSCAN" in plan, kept


def test_what_was_in_the_way_of_a_pass_may_go_before_it_is_looked_at(database: Any) -> None:
    """The ticket is drawn: it must not be left without a pass since another one with the plate ended at that moment."""
    storage.ensure_indexes(database, store.INDEXES, ("passes",))
    kept = Store(database, None, lambda: NOW, random.Random(1))
    other = vehicle(1)

    class Hurried(store.Passes):
        def create(self, *given: Any) -> Any:
            try:
                return super().create(*given)
            except Taken:
                database["passes"].delete_one({"_id": other.name})
                raise

    passes = Hurried(kept)
    keep(passes, other)
    arrivals, tickets = store.Arrivals(kept), views.Tickets(kept)
    nothing: Any = None
    app = App(
        passes, arrivals, views.Channels(kept), tickets, nothing, nothing, nothing, nothing, lambda: NOW, {}
    )  # fmt: skip
    mine = replace(vehicle(2), plate_index=other.plate_index)
    arrival = arrivals.note(mine, Command("r", "RegisterVehicle", "f", "kiosk:1", NOW))
    views.Channels(kept).learn(CHANNEL, 1)
    assert gate.complete_arrival(app, TicketTaken(mine.ticket, mine.number, ""))
    assert passes.load(arrival.vehicle.name) is not None
    assert arrivals.of(mine.ticket) is None


def test_a_pass_whose_tickets_end_was_never_heard_of_ends_after_two_days(database: Any) -> None:
    """Its plate could not come again, and would be kept for ever."""
    storage.ensure_indexes(database, store.INDEXES, ("passes",))
    kept, nothing = Store(database, None, lambda: NOW, random.Random(1)), cast("Any", None)
    passes, channels = store.Passes(kept), views.Channels(kept)
    app = App(
        passes, store.Arrivals(kept), channels, views.Tickets(kept), nothing, nothing, nothing, nothing, lambda: NOW, {}
    )  # fmt: skip
    channels.learn(CHANNEL, 1)
    channels.retire(SPEC.name, 2)
    lost, inside = vehicle(1), vehicle(2, state=State.IN_LANE, lane="1", place=1)
    for one in (lost, inside, replace(vehicle(3), registered_at=NOW + timedelta(days=1))):
        keep(passes, one)
    assert hearing.end_stale(app, NOW + timedelta(days=2)) == 0
    assert [hearing.end_stale(app, NOW + timedelta(days=2, seconds=n)) for n in (5, 5)] == [2, 0]
    ended = passes.load(inside.name)
    assert ended is not None
    assert (ended.state, ended.cause) == (State.ABANDONED, Cause.CLOSED_AT_DAY_END)
    assert passes.of_plate(SPEC.name, lost.plate_index) is None
    assert [p.number for p in passes.open_of(SPEC.name, 10)] == ["K-3"]


@pytest.mark.parametrize(
    ("second", "index"),
    [
        ({"lane": "1", "place": 1, "state": State.IN_LANE}, store.PLACE_INDEX),
        ({"plate_index": "2026-11-231"}, store.PLATE_INDEX),
        ({"ticket": vehicle(1).ticket}, store.TICKET_INDEX),
    ],
)
def test_what_the_indexes_refuse(database: Any, second: dict[str, Any], index: str) -> None:
    storage.ensure_indexes(database, store.INDEXES, ("passes",))
    passes = store.Passes(Store(database, None, lambda: NOW, random.Random(1)))
    keep(passes, vehicle(1, state=State.IN_LANE, lane="1", place=1))
    with pytest.raises(Taken) as caught:
        keep(passes, replace(vehicle(2), **second))
    assert caught.value.index == index
