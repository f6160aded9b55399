"""Aggregates on the real store: one effect a command, versions that grow, events that survive a crash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pymongo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpp.queue.v1 import events_pb2
from mpp_chassis import replies
from mpp_chassis.aggregates import ATTEMPTS, Aggregates, Decision, Stale, Taken
from mpp_chassis.errors import Aborted, FailedPrecondition, NotFound
from pymongo import monitoring

from .ground import Ground, add_one, event, reply

pytestmark = pytest.mark.stack
Reply = events_pb2.TicketServing


@pytest.fixture(params=[0, 8], ids=["plain", "remembering"])
def ground(database: Any, amqp_uri: str, request: pytest.FixtureRequest) -> Iterator[Ground]:
    """Processes that remember nothing, and processes that remember what they saved: nobody must see a difference."""
    here = Ground(database, amqp_uri, remembered=request.param)
    yield here
    here.close()


@pytest.fixture
def notes(ground: Ground) -> Aggregates:
    return ground.aggregates()


def test_create_and_load(ground: Ground, notes: Aggregates) -> None:
    ground.create(notes, "n/1")
    stored = notes.load("n/1")
    assert stored is not None
    assert (stored.name, stored.site_id, stored.version, stored.state) == (
        "n/1",
        "malang",
        1,
        {"number": 0, "label": "n/1"},
    )
    assert [w.headers["ce-sequence"] for w in stored.waiting] == ["1"]
    assert notes.load("n/2") is None


def test_a_repeated_create_gets_the_stored_reply_and_another_body_is_refused(ground: Ground, notes: Aggregates) -> None:
    command = ground.command()
    ground.create(notes, "n/1", command)
    other = notes.create("n/1", "malang", {"number": 9, "label": "z"}, command, reply("other", 9), [event("n/1", 9)])
    assert other == reply("n/1", 0)
    assert ground.database["notes"].count_documents({}) == 1
    with pytest.raises(FailedPrecondition) as caught:
        ground.create(notes, "n/1", ground.command(command.request_id, fingerprint="other"))
    assert (caught.value.reason, caught.value.field) == ("REQUEST_ID_REUSED", "request_id")


def test_a_unique_index_that_refuses_is_named_and_nothing_is_written(ground: Ground, notes: Aggregates) -> None:
    ground.create(notes, "n/1", label="same")
    before = list(ground.database["notes"].find())
    with pytest.raises(Taken) as caught:
        ground.create(notes, "n/2", label="same")
    assert caught.value.index == "label"
    with pytest.raises(Taken):
        ground.create(notes, "n/1", label="other")  # the name itself
    ground.create(notes, "n/3")
    stored = notes.load("n/3")
    assert stored is not None
    with pytest.raises(Taken):
        notes.save(stored, {**stored.state, "label": "same"}, ground.command(), reply("n/3", 1), [])
    assert [d for d in ground.database["notes"].find() if d["_id"] != "n/3"] == before
    assert notes.load("n/3") == stored


def test_a_lost_race_is_stale_and_writes_nothing(ground: Ground, notes: Aggregates) -> None:
    ground.create(notes, "n/1")
    old = notes.load("n/1")
    assert old is not None
    notes.change("n/1", ground.command(), Reply, add_one)
    with pytest.raises(Stale):
        notes.save(old, {**old.state, "number": 99}, ground.command(), reply("n/1", 99), [])
    now = notes.load("n/1")
    assert now is not None
    assert (now.version, now.state["number"]) == (2, 1)


def test_the_chassis_own_keys_cannot_be_overwritten_by_a_state(ground: Ground, notes: Aggregates) -> None:
    for key in ("_id", "site_id", "version", "replies", "replies_moved_at", "outbox"):
        with pytest.raises(ValueError, match=key):
            notes.create("n/1", "malang", {"label": "x", key: 7}, ground.command(), reply("n/1", 0), [])
    assert notes.load("n/1") is None


def test_a_change_of_nothing_is_not_found_and_a_failing_decision_writes_nothing(
    ground: Ground, notes: Aggregates
) -> None:
    with pytest.raises(NotFound):
        notes.change("n/none", ground.command(), Reply, add_one)
    ground.create(notes, "n/1")

    def refuse(_: Any) -> Decision:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        notes.change("n/1", ground.command(), Reply, refuse)
    stored = notes.load("n/1")
    assert stored is not None
    assert stored.version == 1


def test_a_race_that_is_always_lost_ends_in_aborted(ground: Ground, notes: Aggregates) -> None:
    ground.create(notes, "n/1")
    tries = []

    def overtaken(stored: Any) -> Decision:
        tries.append(1)
        ground.database["notes"].update_one({"_id": "n/1"}, {"$inc": {"version": 1}})  # somebody else, each time
        return add_one(stored)

    with pytest.raises(Aborted):
        notes.change("n/1", ground.command(), Reply, overtaken)
    assert len(tries) == ATTEMPTS


def test_sixty_four_threads_with_one_command_make_one_effect_and_one_reply(ground: Ground, notes: Aggregates) -> None:
    ground.create(notes, "n/1")
    command, gate = ground.command(), threading.Barrier(64)
    elsewhere = [ground.aggregates() for _ in range(4)]  # four "processes": they share no locks

    def go(n: int) -> Any:
        gate.wait(30)
        return elsewhere[n % 4].change("n/1", command, Reply, add_one)

    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(go, range(64)))
    assert replies == [reply("n/1", 1)] * 64
    stored = notes.load("n/1")
    assert stored is not None
    assert (stored.state["number"], stored.version, len(stored.replies)) == (1, 2, 2)
    assert len(stored.waiting) == 2


def test_sixty_four_threads_creating_with_one_command_make_one_document(ground: Ground) -> None:
    command, gate = ground.command(), threading.Barrier(64)
    elsewhere = [ground.aggregates() for _ in range(4)]

    def go(n: int) -> Any:
        gate.wait(30)
        return ground.create(elsewhere[n % 4], "n/1", command)

    with ThreadPoolExecutor(64) as pool:
        assert list(pool.map(go, range(64))) == [reply("n/1", 0)] * 64
    assert ground.database["notes"].count_documents({}) == 1


def test_different_commands_at_once_all_count_and_sequences_are_gapless(ground: Ground, notes: Aggregates) -> None:
    ground.create(notes, "n/1")
    elsewhere = [ground.aggregates() for _ in range(3)]

    def go(n: int) -> int:
        return int(elsewhere[n % 3].change("n/1", ground.command(), Reply, add_one).waited_seconds)

    with ThreadPoolExecutor(12) as pool:
        numbers = list(pool.map(go, range(48)))
    assert sorted(numbers) == list(range(1, 49))
    stored = notes.load("n/1")
    assert stored is not None
    assert stored.version == 49
    sequences = [int(w.headers["ce-sequence"]) for w in stored.waiting]
    assert sequences == list(range(1, 50))  # in order, unique, all still waiting
    assert len({w.id for w in stored.waiting}) == 49


def test_several_events_of_one_save_have_sequences_of_their_own(ground: Ground, notes: Aggregates) -> None:
    ground.create(notes, "n/1")
    for events in (3, 0, 2):
        stored = notes.load("n/1")
        assert stored is not None
        notes.save(stored, stored.state, ground.command(), reply("n/1", 0), [event("n/1", n) for n in range(events)])
    stored = notes.load("n/1")
    assert stored is not None
    assert [int(w.headers["ce-sequence"]) for w in stored.waiting] == [1, 2, 3, 4, 6, 7]
    assert stored.version == 7  # 1, then three events, none (but a change), two


def test_replies_are_kept_for_24_hours_and_then_forgotten(ground: Ground, notes: Aggregates) -> None:
    ground.create(notes, "n/1")
    early = ground.command()
    notes.change("n/1", early, Reply, add_one)
    ground.clock.ahead = timedelta(hours=23, minutes=59)
    notes.change("n/1", ground.command(), Reply, add_one)
    assert notes.change("n/1", ground.command(early.request_id), Reply, add_one) == reply("n/1", 1)  # still known
    ground.clock.ahead = timedelta(hours=24, minutes=1)
    notes.change("n/1", ground.command(), Reply, add_one)
    stored = notes.load("n/1")
    assert stored is not None
    assert len(stored.replies) == 2  # what is older is gone: the document does not grow for ever
    assert early.key not in {r["key"] for r in stored.replies}


def test_what_was_committed_before_a_crash_is_delivered_by_the_sweeper(ground: Ground) -> None:
    crashed = ground.aggregates(dispatcher=None)  # killed between commit and dispatch
    ground.clock.stop()
    for n in range(30):
        ground.create(crashed, f"n/{n}")
        crashed.change(f"n/{n}", ground.command(), Reply, add_one)
    sweeper = ground.sweeper()
    ground.clock.ahead = timedelta(seconds=2)
    assert sweeper.sweep() == 0, "younger than the grace: its own process may still be at it"
    ground.clock.ahead = timedelta(seconds=4)
    assert sweeper.sweep() == 30
    assert ground.pending() == 0
    found = ground.received()
    assert sorted((m["subject"], m["sequence"]) for m in found) == sorted(
        (f"n/{n}", s) for n in range(30) for s in (1, 2)
    )
    assert len({m["id"] for m in found}) == 60
    assert sweeper.sweep() == 0
    assert ground.received() == []


def test_one_command_is_one_read_and_one_write(ground: Ground) -> None:
    """Counted on the wire: what a command costs is part of the contract."""
    seen: list[str] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            seen.append(event.command_name)

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    host = ground.database.client.address
    assert host is not None
    client: Any = pymongo.MongoClient(host[0], host[1], event_listeners=[Listener()], tz_aware=True, retryWrites=False)
    ground.database = client[ground.database.name]
    notes = ground.aggregates()
    seen.clear()
    ground.create(notes, "n/1")
    assert seen == ["insert"]
    seen.clear()
    notes.change("n/1", ground.command(), Reply, add_one)
    assert seen == ["find", "update"]
    seen.clear()
    notes.change("n/1", ground.command(), Reply, add_one)
    assert seen == (["update"] if ground.remembered else ["find", "update"])
    client.close()


def test_replies_beyond_what_a_document_holds_are_found_all_the_same(ground: Ground, notes: Aggregates) -> None:
    """Thousands of commands a day to one aggregate leave its document small, and each is answered as it was."""
    ground.create(notes, "n/1")
    commands = [ground.command() for _ in range(replies.MOST + replies.LEAST + 5)]
    for n, command in enumerate(commands):
        notes.change("n/1", command, Reply, lambda s, n=n: Decision({**s.state, "number": n}, reply("n/1", n)))  # type: ignore[misc]
    document = ground.database["notes"].find_one({"_id": "n/1"})
    assert len(document["replies"]) <= replies.MOST
    version = document["version"]
    for n, command in enumerate(commands):
        assert notes.change("n/1", command, Reply, add_one) == reply("n/1", n)
    with pytest.raises(FailedPrecondition) as caught:
        notes.change("n/1", ground.command(commands[0].request_id, fingerprint="other"), Reply, add_one)
    assert caught.value.reason == "REQUEST_ID_REUSED"
    stored = notes.load("n/1")
    assert stored is not None
    assert stored.version == version, "nothing was done twice"
    assert "replies_moved_at" not in stored.state
    # A day later both places are forgotten, and nothing is looked for elsewhere any more.
    ground.clock.ahead = timedelta(hours=25)
    notes.change("n/1", ground.command(), Reply, add_one)
    document = ground.database["notes"].find_one({"_id": "n/1"})
    assert (len(document["replies"]), "replies_moved_at" in document) == (1, False)


def test_a_reply_is_moved_before_it_leaves_its_document(ground: Ground, notes: Aggregates) -> None:
    """A write that loses its race has moved them already: still in the document, and moved again without harm."""
    ground.create(notes, "n/1")
    commands = [ground.command() for _ in range(replies.MOST - 1)]
    for command in commands:
        notes.change("n/1", command, Reply, add_one)
    stored = notes.load("n/1")
    assert stored is not None
    notes.change("n/1", ground.command(), Reply, add_one)
    with pytest.raises(Stale):
        notes.save(stored, stored.state, ground.command(), reply("n/1", 0), ())
    last = ground.command()
    notes.change("n/1", last, Reply, add_one)
    moved = ground.database[replies.COLLECTION].count_documents({})
    assert moved >= replies.MOST - replies.LEAST
    again = notes.load("n/1")
    assert again is not None
    assert all(notes.repeated(again, c, Reply) is not None for c in [*commands, last])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.booleans()), min_size=2, max_size=14))
def test_steps_of_two_processes_are_as_those_of_one(ground: Ground, steps: list[tuple[int, int, bool]]) -> None:
    """Whoever did the last step, with whatever the other remembers; a step that is repeated is done once."""
    ground.database["notes"].delete_many({})
    processes, numbers = [ground.aggregates(), ground.aggregates()], [0, 0, 0]
    for n in range(3):
        ground.create(processes[0], f"n/{n}")
    for who, which, again in steps:
        name, command = f"n/{which}", ground.command()
        numbers[which] += 1
        assert processes[who].change(name, command, Reply, add_one) == reply(name, numbers[which])
        if again:
            assert processes[1 - who].change(name, command, Reply, add_one) == reply(name, numbers[which])
    for n, number in enumerate(numbers):
        stored = processes[0].load(f"n/{n}")
        assert stored is not None
        assert (stored.state["number"], stored.version, len(stored.waiting)) == (number, number + 1, number + 1)


def test_what_is_refused_is_refused_for_what_the_store_has(ground: Ground) -> None:
    here, elsewhere = ground.aggregates(), ground.aggregates()
    ground.create(here, "n/1")

    def once(stored: Any) -> Decision:
        if stored.state["number"]:
            raise ZeroDivisionError
        return add_one(stored)

    here.change("n/1", ground.command(), Reply, once)
    with pytest.raises(ZeroDivisionError):
        here.change("n/1", ground.command(), Reply, once)
    here.change("n/1", ground.command(), Reply, lambda s: Decision({**s.state, "number": 5}, reply("n/1", 5)))
    elsewhere.change("n/1", ground.command(), Reply, lambda s: Decision({**s.state, "number": 0}, reply("n/1", 0)))
    assert here.change("n/1", ground.command(), Reply, once) == reply("n/1", 1)  # remembered: 5


def test_an_event_that_the_broker_has_waits_no_longer(ground: Ground) -> None:
    """Also where nobody came to clear it; and what the broker does not have waits on."""
    dispatcher = ground.dispatcher()
    notes = ground.aggregates(dispatcher)
    ground.create(notes, "n/1")
    notes.change("n/1", ground.command(), Reply, add_one)
    dispatcher.publish([c for c in dispatcher._queue if c.last][:1])  # of two commits one; nothing is cleared
    notes.change("n/1", ground.command(), Reply, add_one)
    stored = notes.load("n/1")
    assert stored is not None
    assert [w.headers["ce-sequence"] for w in stored.waiting] == ["2", "3"]
    assert [m["sequence"] for m in ground.received()] == [1]
