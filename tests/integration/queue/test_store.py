"""The use cases in this process on the real store, with a clock of the test's: midnight, the sweep, races that need
exact timing, and the proof that every query has an index."""

from __future__ import annotations

import base64
import contextlib
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import ticket_pb2
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.privacy import BlindIndex, FieldCipher
from mpp_queue import admitting, app, calling, domain, main, store, sweeps, usecases
from pymongo import monitoring

SITE = "malang"
QUEUE = f"sites/{SITE}/queues/dukcapil"
AGENCY = f"sites/{SITE}/agencies/dukcapil"
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 08:00 in Malang


class Office:
    """One process's worth of the service, without a process. Several share a store."""

    def __init__(self, database: Any) -> None:
        self.now = MORNING
        self.audited: list[tuple[str, str]] = []
        kit = SimpleNamespace(
            store=Store(database, None, lambda: self.now, random.Random(7)),
            cipher=FieldCipher("k:" + base64.b64encode(bytes(32)).decode()),
            index=BlindIndex(base64.b64encode(bytes(32)).decode()),
            audit=SimpleNamespace(record=lambda *what: self.audited.append(what[1:3])),
            settings=SimpleNamespace(extra={}, amqp_uri=""),
            rng=random.Random(7),
            clock=lambda: self.now,
        )
        self.app: app.App = main.compose(kit)  # type: ignore[arg-type]

    def by(self, method: str, request: Any) -> Call:
        command = Command(request.request_id, method, request.SerializeToString().hex(), "officer:o", self.now)
        return Call(Caller(), self.now, command, frozenset({"any"}), "officer")

    def take(self, request_id: str = "", **given: Any) -> ticket_pb2.IssuedTicket:
        request = pb.TakeTicketRequest(parent=QUEUE, request_id=request_id or str(uuid.uuid4()), **given)
        return admitting.take_ticket(self.app, request, self.by("TakeTicket", request))

    def call(self, counter: int = 3, request_id: str = "") -> ticket_pb2.Ticket:
        request = pb.CallNextRequest(parent=QUEUE, counter=counter, request_id=request_id or str(uuid.uuid4()))
        return calling.call_next(self.app, request, self.by("CallNext", request))

    def miss(self, name: str) -> ticket_pb2.Ticket:
        request = pb.MissTicketRequest(name=name, request_id=str(uuid.uuid4()))
        return usecases.miss_ticket(self.app, request, self.by("MissTicket", request))

    def learn(self, zone: str = "Asia/Jakarta") -> None:
        spec = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=[3, 4, 5], minutes_per_visit=10)
        self.app.queues.learn_site(site_pb2.Site(name=f"sites/{SITE}", time_zone=zone), 1)
        self.app.queues.learn_agency(agency_pb2.Agency(name=AGENCY, queue=spec), 1)


@pytest.fixture
def queries(mongodb_uri: str) -> Iterator[Any]:
    """A migrated database of the test's own, and what was asked of it."""
    asked: list[tuple[str, dict[str, Any]]] = []
    every: list[str] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            every.append(f"{event.command_name} {event.command.get(event.command_name)}")
            if event.command_name in ("find", "aggregate", "update"):
                asked.append((event.command_name, dict(event.command)))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[Listener()])
    name = f"t_{uuid.uuid4().hex[:12]}"
    storage.ensure_indexes(client[name], store.INDEXES, ("tickets",))
    yield SimpleNamespace(database=client[name], asked=asked, every=every)
    client.drop_database(name)
    client.close()


@pytest.fixture
def office(queries: Any) -> Office:
    here = Office(queries.database)
    here.learn()
    return here


def test_numbers_begin_anew_at_local_midnight(office: Office) -> None:
    office.now = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)  # 23:59 in Malang
    assert office.take().ticket.number == "D-001"
    office.now += timedelta(minutes=1)
    after = office.take().ticket
    assert (after.number, after.day) == ("D-001", "2026-11-24")


def test_the_sweep_closes_days_that_are_over(office: Office, queries: Any) -> None:
    names = [office.take().ticket.name for _ in range(5)]
    office.call(3)
    office.now += timedelta(hours=15, minutes=59)
    assert sweeps.close_earlier_days(office.app, office.now) == 0
    office.now += timedelta(minutes=1)
    today = office.take().ticket.name
    assert sweeps.close_earlier_days(office.app, office.now) == 5
    assert sweeps.close_earlier_days(office.app, office.now) == 0
    states = {d["_id"]: d["state"] for d in queries.database["tickets"].find({})}
    assert states == {**dict.fromkeys(names, "closed_at_day_end"), today: "waiting"}
    assert office.call(3).name == today  # yesterday's citizen does not hold the counter
    assert all(d["outbox"]["events"] for d in queries.database["tickets"].find({}))


def test_the_sweep_takes_more_than_a_batch(office: Office, monkeypatch: Any) -> None:
    monkeypatch.setattr(sweeps, "SWEEP_BATCH", 4)
    for _ in range(11):
        office.take()
    assert sweeps.close_earlier_days(office.app, MORNING + timedelta(days=1)) == 11


def test_two_processes_that_know_nothing_of_each_other(queries: Any, office: Office) -> None:
    other = Office(queries.database)
    numbers = [who.take().ticket.number for who in (office, other, office, office, other, other, office)]
    assert numbers == [f"D-{n:03d}" for n in range(1, 8)]


def test_a_repeat_in_another_process_burns_no_number(queries: Any, office: Office) -> None:
    other, request_id = Office(queries.database), str(uuid.uuid4())
    first = office.take(request_id)
    assert [o.take(request_id) for o in (office, other, other, office)] == [first] * 4
    assert [o.take().ticket.number for o in (other, office)] == ["D-002", "D-003"]


def test_a_number_whose_insert_failed_is_used_by_the_next(office: Office, monkeypatch: Any) -> None:
    def down(*_: Any) -> Any:
        raise pymongo.errors.AutoReconnect("gone")

    office.take()
    with monkeypatch.context() as patch:
        patch.setattr(store.Tickets, "create", down)
        with pytest.raises(pymongo.errors.AutoReconnect):
            office.take()
    assert office.take().ticket.number == "D-002"


def test_the_last_ticket_goes_to_the_same_command_in_another_process(queries: Any, office: Office) -> None:
    other, request_id = Office(queries.database), str(uuid.uuid4())
    office.take()
    called = office.call(3, request_id)
    assert other.call(3, request_id) == called
    with pytest.raises(domain.CounterBusy):
        other.call(3)
    with pytest.raises(NotFound) as empty:
        other.call(4)
    assert empty.value.reason == "QUEUE_EMPTY"


def test_a_repeat_that_slept_while_its_ticket_ended(queries: Any, office: Office, monkeypatch: Any) -> None:
    """The second came while the first's save was under way, its own save long after the counter was free again: the
    index refuses it, and then it is looked for.
    """
    other, request_id = Office(queries.database), str(uuid.uuid4())
    office.take()
    office.take()
    looks, real = list[bool](), store.Tickets.reply_of_call

    def counted(self: Any, *given: Any, second_only: bool = False) -> Any:
        looks.append(second_only)
        return real(self, *given, second_only=second_only)

    first = office.call(3, request_id)
    cancel = pb.CancelTicketRequest(name=first.name, request_id=str(uuid.uuid4()))
    usecases.cancel_ticket(office.app, cancel, office.by("CancelTicket", cancel))
    monkeypatch.setattr(store.Tickets, "reply_of_call", counted)
    assert other.call(3, request_id) == first
    assert looks == [True, False]  # the first of them does not see a ticket's first call
    waiting = [d["number"] for d in queries.database["tickets"].find({"site_id": SITE, "state": "waiting"})]
    assert waiting == ["D-002"]


def test_people_ahead_counts_those_of_other_processes(queries: Any, office: Office) -> None:
    other = Office(queries.database)
    ahead = [who.take().people_ahead for who in (office, other, other, office, other)]
    assert ahead == [0, 1, 2, 3, 4]


def test_the_estimate_learns_from_visits(office: Office) -> None:
    def ended(minutes: int) -> None:
        ticket = office.call(3)
        for name, function in (("StartServing", usecases.start_serving), ("FinishTicket", usecases.finish_ticket)):
            request = getattr(pb, f"{name}Request")(name=ticket.name, request_id=str(uuid.uuid4()))
            function(office.app, request, office.by(name, request))  # type: ignore[operator]
            office.now += timedelta(minutes=minutes)

    for minutes in (*[4] * 14, 90):
        office.take()
        ended(minutes)
    fresh = Office(office.app.tickets._aggregates._store.database)
    fresh.now = office.now
    assert fresh.take().estimated_wait.seconds == 0  # the counter is free and nobody is ahead
    told = fresh.take()
    assert told.wait_low.seconds <= told.estimated_wait.seconds <= told.wait_high.seconds
    assert 4 * 60 <= told.estimated_wait.seconds < 10 * 60  # today is faster than declared, whoever took 90 minutes


def test_closed_and_unknown(office: Office) -> None:
    with pytest.raises(NotFound) as unknown:
        office.app.queues.find(f"sites/{SITE}/queues/nobodys")
    assert unknown.value.reason == "QUEUE_UNKNOWN"
    office.app.queues.learn_agency(agency_pb2.Agency(name=AGENCY), 2)
    with pytest.raises(FailedPrecondition) as closed:
        office.app.queues.find(QUEUE, fresh=True)
    assert closed.value.reason == "QUEUE_CLOSED"
    office.learn()  # sequence 1, late
    with pytest.raises(FailedPrecondition):
        office.app.queues.find(QUEUE, fresh=True)


def test_every_query_has_an_index(queries: Any, office: Office) -> None:
    """Everything asked in the course of a day, put to the store's own explain."""
    _history(queries.database, 2_000)
    for n in range(8):
        office.take(priority_group=n % 2)
    for counter in (3, 4, 5):
        office.call(counter)
    office.miss(office.app.tickets.at_counter(SITE, domain.busy_key(QUEUE, 3, "2026-11-23")).name)  # type: ignore[union-attr]
    office.call(3)
    sweeps.measure(office.app, office.now)
    sweeps.close_earlier_days(office.app, office.now + timedelta(days=1))
    asked = [
        (name, command)
        for name, command in queries.asked
        if "tickets" in (command["find"] if name == "find" else command[name])
    ]
    assert {name for name, _ in asked} >= {"find", "aggregate", "update"}
    seen = set()
    for name, command in asked:
        stages = _stages(queries.database, name, command)
        assert "COLLSCAN" not in stages, (name, command)
        assert any("IXSCAN" in s or "IDHACK" in s for s in stages), (name, command, stages)
        seen.add(name)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["take", "first", "late", "call", "miss", "finish", "cancel"]), max_size=14))
def test_a_short_day_is_told_by_one_query_as_by_three(office: Office, queries: Any, steps: list[str]) -> None:
    queries.database["tickets"].delete_many({})
    office.app.numbering._days.clear()
    for step in steps:
        office.now += timedelta(minutes=1)
        _step(office, step)
    where = (SITE, QUEUE, "2026-11-23")
    tickets, taken = office.app.tickets, queries.database["tickets"].count_documents({})
    short = tickets.short_day(*where, limit=30)
    assert short is not None
    assert short[0] == tickets.last_seq(*where)
    assert sorted(map(repr, short[1])) == sorted(map(repr, tickets.count_waiting(*where)))
    assert short[2] == tickets.lately_called(*where, limit=30)
    assert taken == 0 or tickets.short_day(*where, limit=taken - 1) is None
    assert tickets.short_day(*where, limit=taken) is not None


def _step(office: Office, step: str) -> None:
    if step in ("take", "first", "late"):
        office.take(priority_group=1 if step == "first" else 0)
        return
    there = office.app.tickets.at_counter(SITE, domain.busy_key(QUEUE, 3, "2026-11-23"))
    with contextlib.suppress(NotFound, FailedPrecondition, domain.QueueError):
        if step == "call":
            office.call(3)
        elif step == "cancel":
            waiting = office.app.tickets.waiting(SITE, QUEUE, "2026-11-23", limit=1)
            named = waiting[0].ticket.name if waiting else f"{QUEUE}/tickets/none"
            request: Any = pb.CancelTicketRequest(name=named, request_id=str(uuid.uuid4()), reason="pergi")
            usecases.cancel_ticket(office.app, request, office.by("CancelTicket", request))
        elif there is not None and step == "miss":
            office.miss(there.name)
        elif there is not None:
            request = pb.StartServingRequest(name=there.name, request_id=str(uuid.uuid4()))
            usecases.start_serving(office.app, request, office.by("StartServing", request))
            office.now += timedelta(minutes=2)
            request = pb.FinishTicketRequest(name=there.name, request_id=str(uuid.uuid4()))
            usecases.finish_ticket(office.app, request, office.by("FinishTicket", request))


def test_a_quiet_queue_asks_little_of_the_store(queries: Any, office: Office) -> None:
    """Of many queues each is seldom asked for, and what was read for it is old; a second process takes tickets, too."""
    other = Office(queries.database)
    for here in (office, other, office, other):
        here.take()
    for here in (office, other):
        entry = here.app.views._entry(QUEUE, "2026-11-23")
        entry.read_at -= 60
        here.app.queues._changes._looked = time.monotonic()
        queries.every.clear()
        here.take()
        assert [line for line in queries.every if "counters" not in line] == ["find tickets", "insert tickets"]


def test_what_a_command_asks_of_the_store(queries: Any, office: Office) -> None:
    """Taking a ticket is one insert. A call: the counter, whether it is a repetition of a second call (of a first one
    the write itself would be refused), the line, and one write.
    """
    for _ in range(3):
        office.take()
    office.call(3)
    queries.every.clear()
    office.take()
    assert [line for line in queries.every if "insert" in line] == ["insert tickets"]
    own = [line for line in queries.every if line != "insert tickets"]
    assert len(own) <= 8, own  # at most one reading of the snapshot, and none of it under load
    ticket = office.app.tickets.at_counter(SITE, domain.busy_key(QUEUE, 3, "2026-11-23"))
    assert ticket is not None
    office.miss(ticket.name)
    queries.every.clear()
    office.call(3)
    assert queries.every == ["find counters", "find tickets", "find tickets", "update tickets"]
    ticket = office.app.tickets.at_counter(SITE, domain.busy_key(QUEUE, 3, "2026-11-23"))
    assert ticket is not None
    queries.every.clear()
    office.miss(ticket.name)  # who called it remembers it
    assert queries.every == ["update tickets"]


def _history(database: Any, count: int) -> None:
    """Tickets of earlier days, so that a scan of the collection would be the worse plan."""
    spec = domain.QueueSpec(QUEUE, SITE, AGENCY, "D", (3, 4, 5), 10, "Asia/Jakarta")
    documents = []
    for n in range(count):
        admission = domain.Admission(f"{QUEUE}/tickets/old{n:023d}", QUEUE, "kiosk", MORNING)
        ticket = domain.issue(
            spec, admission, day=f"2026-10-{n % 30 + 1:02d}", seq=n // 30 + 1, event=domain.Issued(0, timedelta(0)),
            now=MORNING, actor="test", rules=domain.Rules(),
        ).cancel(now=MORNING, actor="test", reason="")  # fmt: skip
        state = store.to_state(ticket)
        documents.append({"_id": ticket.name, "site_id": SITE, "version": 1, "replies": [], **state})
    database["tickets"].insert_many(documents)


def _stages(database: Any, name: str, command: dict[str, Any]) -> list[str]:
    kept = {k: v for k, v in command.items() if not k.startswith("$") and k not in ("lsid", "writeConcern")}
    plan = database.command({"explain": kept, "verbosity": "queryPlanner"})
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("stage"), str):
                found.append(node["stage"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(plan)
    return found
