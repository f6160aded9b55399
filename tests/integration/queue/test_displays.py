"""A hall's screen on the real store and broker: calls of another process, a process that is killed, displays that change,
and how little many screens ask of the store."""

from __future__ import annotations

import base64
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import grpc
import pymongo
import pytest
from google.protobuf import json_format
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.queue.v1 import display_pb2, displays_service_pb2, queue_service_pb2
from mpp.queue.v1 import displays_service_pb2 as pb
from mpp.queue.v1.displays_service_pb2_grpc import DisplaysServiceStub
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.errors import NotFound
from mpp_chassis.privacy import BlindIndex, FieldCipher
from mpp_localrun.platform import free_ports, wait_ready
from mpp_queue import admitting, calling, main, rooms
from mpp_queue.boards import BEAT_SECONDS, Boards
from mpp_queue.displays import usecases as displays
from mpp_queue.displays.domain import Display
from mpp_queue.displays.halls import PLACES_SECONDS, Halls
from mpp_queue.displays.store import RECENT, Calls
from mpp_queue.domain import REMOTE_CHANNELS
from pymongo import monitoring

SITE, TIMEOUT, SCREENS = "uji-antrean", 20, 10


class Screen:
    """Reads a stream in a thread, and keeps what came, as a screen does."""

    def __init__(self, stub: DisplaysServiceStub, name: str, resume: str = "") -> None:
        self.frames: list[display_pb2.DisplayFrame] = []
        self.problem: grpc.RpcError | None = None
        self._stream = stub.WatchDisplay(pb.WatchDisplayRequest(name=name, resume=resume), timeout=110)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for frame in self._stream:
                self.frames.append(frame)
        except grpc.RpcError as e:
            self.problem = e

    @property
    def spoken(self) -> list[str]:
        return [a.call.number for frame in self.frames for a in frame.announcements]

    @property
    def last(self) -> display_pb2.DisplayFrame:
        return self.frames[-1]

    def leave(self) -> None:
        self._stream.cancel()
        self._thread.join(10)


@pytest.fixture
def screens() -> Iterator[list[Screen]]:
    here: list[Screen] = []
    yield here
    for one in here:
        one.leave()


@pytest.fixture
def other(services: Any, hall: Any) -> Iterator[Any]:
    """A second `serve` process of the queue service, which a test may kill."""
    grpc_port, http_port = free_ports(2)
    process = services.platform.process("queue", "serve", MPP_GRPC_PORT=str(grpc_port), MPP_HTTP_PORT=str(http_port))
    process = type(process)(
        "queue-serve-2", process.command, process.environment, f"http://127.0.0.1:{http_port}/readyz"
    )
    popen = services.platform.start(process)
    wait_ready([(process, popen)], services.platform.logs)
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
        yield SimpleNamespace(displays=DisplaysServiceStub(channel), queue=QueueServiceStub(channel), process=popen)
    if popen.poll() is None:
        popen.terminate()
    popen.wait(20)


@pytest.fixture
def manager(services: Any) -> Any:
    return services.auth("site_manager", site=SITE)


def put(stub: DisplaysServiceStub, who: Any, request_id: str = "", **given: Any) -> display_pb2.Display:
    made = f"sites/{SITE}/displays/d{uuid.uuid4().hex[:10]}"
    display = display_pb2.Display(**{"name": made, "last_calls": 10, "speech": True, **given})
    request = pb.SetDisplayRequest(parent=f"sites/{SITE}", display=display, request_id=request_id or str(uuid.uuid4()))
    return stub.SetDisplay(request, metadata=who, timeout=TIMEOUT)


def test_a_screen_sees_calls_of_two_queues_made_in_another_process_and_follows_its_display(
    hall: Any, other: Any, manager: Any, screens: list[Screen], eventually: Callable[..., Any]
) -> None:
    one, two = hall.open_line(), hall.open_line((7,))
    display = put(other.displays, manager, queues=[one.name, two.name], show_waiting=True, show_wait=True)
    before = hall.take(one).ticket
    hall.call(one, 1)
    screen = Screen(other.displays, display.name)
    screens.append(screen)
    eventually(lambda: screen.frames)
    first = screen.frames[0]
    assert first.display == display
    assert [c.number for c in first.queues[0].calls] == [before.number]  # shown, but not spoken: it was before
    mine, theirs = hall.take(one).ticket, hall.take(two, phone="+628123456789").ticket
    eventually(lambda: screen.last.queues[0].waiting == 1 and screen.last.queues[1].waiting == 1)
    hall.call(two, 7)
    hall.call(one, 2)
    eventually(lambda: len(screen.last.last_calls) == 3)
    assert [c.number for c in screen.last.last_calls] == [mine.number, theirs.number, before.number]
    assert [(c.number, c.counter) for c in screen.last.queues[1].calls] == [(theirs.number, 7)]
    assert screen.spoken == [theirs.number, mine.number]
    assert any("loket tujuh" in a.spoken[0].text for f in screen.frames for a in f.announcements)
    assert "8123456" not in json_format.MessageToJson(screen.last)

    display.etag, display.title.id = "", "Aula utama"
    sent = time.monotonic()
    put(hall.services.stub("queue", DisplaysServiceStub), manager, **_fields(display))
    eventually(lambda: screen.last.display.title.id == "Aula utama", seconds=2)
    print(f"a change of the display was on the screen after {time.monotonic() - sent:.3f} s")
    stub = hall.services.stub("queue", DisplaysServiceStub)
    stub.DeleteDisplay(pb.DeleteDisplayRequest(name=display.name, request_id=str(uuid.uuid4())), metadata=manager)
    eventually(lambda: screen.problem is not None)
    assert screen.problem is not None
    assert screen.problem.code() is grpc.StatusCode.NOT_FOUND
    assert screen.spoken == [theirs.number, mine.number]


def test_a_screen_whose_process_is_killed_neither_repeats_a_call_nor_loses_one(
    hall: Any, other: Any, manager: Any, screens: list[Screen], eventually: Callable[..., Any]
) -> None:
    here = hall.services.stub("queue", DisplaysServiceStub)
    line = hall.open_line()
    display = put(here, manager, queues=[line.name])
    heard = Screen(other.displays, display.name)
    screens.append(heard)
    eventually(lambda: heard.frames)
    numbers = [hall.take(line).ticket.number for _ in range(3)]
    hall.call(line, 1)
    eventually(lambda: heard.spoken == numbers[:1])
    other.process.kill()
    other.process.wait()
    eventually(lambda: heard.problem is not None)
    hall.call(line, 2)  # while the screen is without a stream
    again = Screen(here, display.name, resume=heard.last.resume)
    screens.append(again)
    eventually(lambda: again.spoken == numbers[1:2])
    hall.call(line, 3)
    eventually(lambda: again.spoken == numbers[1:])
    assert [c.number for c in again.last.last_calls] == numbers[::-1]
    # A screen that knows of nothing speaks nothing old, and shows all.
    fresh = Screen(here, display.name)
    screens.append(fresh)
    eventually(lambda: fresh.frames)
    assert fresh.spoken == []
    assert [c.number for c in fresh.last.last_calls] == numbers[::-1]


def test_a_display_is_declared(hall: Any, manager: Any, refusal: Callable[..., Any], services: Any) -> None:
    stub = services.stub("queue", DisplaysServiceStub)
    first = put(stub, manager, rows=4)
    assert put(stub, manager, **_fields(first), etag="") == first  # the same again: nothing happened
    changed = put(stub, manager, **{**_fields(first), "rows": 5})
    assert changed.etag != first.etag
    stale = refusal(put, stub, manager, **{**_fields(first), "rows": 6}, etag=first.etag)
    assert (stale.code, stale.reason) == ("FAILED_PRECONDITION", "ETAG_MISMATCH")
    foreign = refusal(put, stub, manager, name=f"sites/{SITE}/displays/x", queues=[f"sites/{SITE}x/queues/q1"])
    assert foreign.reason == "SITE_MISMATCH"
    bad = refusal(put, stub, manager, title={"id": "Aula\u202e"})
    assert (bad.code, bad.fields) == ("INVALID_ARGUMENT", ["display.title.id"])
    nowhere = pb.SetDisplayRequest(parent="sites/antah", display={"name": "sites/antah/displays/x"})
    nowhere.request_id = str(uuid.uuid4())
    admin = services.auth("platform_admin")
    assert refusal(stub.SetDisplay, nowhere, metadata=admin, timeout=TIMEOUT).reason == "SITE_NOT_FOUND"
    officer = refusal(put, stub, services.auth("officer", site=SITE, agency="a1"))
    assert officer.reason == "ROLE_MISSING"
    names = [put(stub, manager).name for _ in range(3)]
    listed, token = list[str](), ""
    while True:
        request = pb.ListDisplaysRequest(parent=f"sites/{SITE}", page_size=2, page_token=token)
        page = stub.ListDisplays(request, metadata=manager, timeout=TIMEOUT)
        listed += [d.name for d in page.displays]
        if not (token := page.next_page_token):
            break
    assert listed == sorted(listed)
    assert set(names) <= set(listed)
    assert refusal(
        lambda: next(stub.WatchDisplay(pb.WatchDisplayRequest(name=f"sites/{SITE}/displays/none")))
    ).reason == ("DISPLAY_UNKNOWN")


def _fields(display: display_pb2.Display) -> dict[str, Any]:
    return {f.name: value for f, value in display.ListFields() if f.name != "etag"}


# -- in this process, on the real store


class Hub:
    """One process's worth of the service, without a process; its boards hear what the test tells them."""

    def __init__(self, database: Any) -> None:
        self.now = datetime(2026, 11, 23, 1, tzinfo=UTC)  # 08:00 in Malang
        self.store = Store(database, None, lambda: self.now, random.Random(7))
        kit = SimpleNamespace(
            store=self.store,
            cipher=FieldCipher("k:" + base64.b64encode(bytes(32)).decode()),
            index=BlindIndex(base64.b64encode(bytes(32)).decode()),
            audit=SimpleNamespace(record=lambda *what: None),
            settings=SimpleNamespace(extra={}, amqp_uri=""),
            rng=random.Random(7),
            clock=lambda: self.now,
        )
        self.app: rooms.Rooms = main.compose(kit)  # type: ignore[arg-type]
        self.app.queues.learn_site(site_pb2.Site(name="sites/malang", time_zone="Asia/Jakarta"), 1)
        for n, agency in enumerate(("dukcapil", "samsat", "imigrasi"), 1):
            spec = agency_pb2.QueueSpec(id=agency, prefix=agency[0].upper(), counters=[n], minutes_per_visit=10)
            self.app.queues.learn_agency(agency_pb2.Agency(name=f"sites/malang/agencies/{agency}", queue=spec), 1)

    def by(self, method: str, request: Any) -> Call:
        command = Command(request.request_id, method, request.SerializeToString().hex(), "officer:o", self.now)
        return Call(Caller(), self.now, command, frozenset({"any"}), "officer")

    def set(self, **given: Any) -> str:
        display = display_pb2.Display(name="sites/malang/displays/hall-1", last_calls=5, **given)
        request = displays_service_pb2.SetDisplayRequest(
            parent="sites/malang", display=display, request_id=str(uuid.uuid4())
        )
        return displays.set_display(self.app.displays, request, self.by("SetDisplay", request)).name

    def take(self, queue: str = "dukcapil") -> Any:
        request = queue_service_pb2.TakeTicketRequest(
            parent=f"sites/malang/queues/{queue}", request_id=str(uuid.uuid4())
        )
        return admitting.take_ticket(self.app, request, self.by("TakeTicket", request)).ticket

    def call(self, queue: str = "dukcapil", counter: int = 1) -> Any:
        request = queue_service_pb2.CallNextRequest(
            parent=f"sites/malang/queues/{queue}", counter=counter, request_id=str(uuid.uuid4())
        )
        return calling.call_next(self.app, request, self.by("CallNext", request))

    def screen(self, name: str) -> Iterator[Any]:
        return displays.watch_display(self.app.displays, pb.WatchDisplayRequest(name=name), self.by_nobody())

    def by_nobody(self) -> Call:
        return Call(Caller(), self.now)


@pytest.fixture
def asked(mongodb_uri: str) -> Iterator[Any]:
    """A migrated database of the test's own, and what was asked of its tickets and displays."""
    commands: list[dict[str, Any]] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            if event.command_name in ("find", "aggregate"):
                commands.append(dict(event.command))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[Listener()])
    name = f"t_{uuid.uuid4().hex[:12]}"
    storage.ensure_indexes(client[name], rooms.INDEXES, ("tickets", "displays"))
    yield SimpleNamespace(database=client[name], commands=commands)
    client.drop_database(name)
    client.close()


def test_many_screens_read_a_queue_once_a_change_and_only_the_one_that_changed(asked: Any) -> None:
    hub = Hub(asked.database)
    hub.take()
    name = hub.set()
    streams = [hub.screen(name) for _ in range(SCREENS)]
    frames = [next(stream) for stream in streams]
    assert [q.queue.rpartition("/")[2] for q in frames[0].queues] == ["dukcapil", "imigrasi", "samsat"]
    called = hub.call()
    asked.commands.clear()
    hub.app.boards.changed(called.name)
    frames = [next(frame for frame in stream if frame is not None) for stream in streams]
    assert all([a.call.number for a in frame.announcements] == [called.number] for frame in frames)
    reads = [c["filter"]["queue"] for c in asked.commands if c.get("find") == "tickets" and "state" in c["filter"]]
    assert reads == ["sites/malang/queues/dukcapil"]
    assert not [c for c in asked.commands if c.get("find") == "displays"]


def test_a_quiet_screen_gets_a_beat_in_time(asked: Any) -> None:
    hub, now = Hub(asked.database), [0.0]

    def clock() -> float:
        now[0] += 0.9  # time passes whenever somebody looks
        return now[0]

    app = hub.app
    boards = Boards(clock=clock)
    quiet = Halls(boards, app.queues, app.views, Calls(hub.store), app.counters.layout, app.displays.displays)
    name, told = hub.set(queues=["sites/malang/queues/samsat"]), list[float]()
    stream = displays.watch_display(
        replace(app.displays, halls=quiet), pb.WatchDisplayRequest(name=name), hub.by_nobody()
    )
    for frame in stream:
        if frame is not None:
            assert frame.beat_seconds == BEAT_SECONDS
            told.append(now[0])
        if len(told) == 4:
            break
    assert all(later - before <= BEAT_SECONDS for before, later in pairwise(told))


def test_who_is_met_on_the_phone_is_neither_shown_nor_spoken(asked: Any) -> None:
    hub = Hub(asked.database)
    stream = hub.screen(hub.set())
    next(stream)
    ticket = hub.take()
    asked.database["tickets"].update_one({"_id": ticket.name}, {"$set": {"channel": min(REMOTE_CHANNELS)}})
    loud = hub.take("samsat")
    hub.app.boards.changed(hub.call().name)
    hub.app.boards.changed(hub.call("samsat", 2).name)
    frames = [next(frame for frame in stream if frame is not None)]
    assert [a.call.number for a in frames[0].announcements] == [loud.number]
    assert [c.number for c in frames[0].last_calls] == [loud.number]
    assert [len(q.calls) for q in frames[0].queues] == [0, 0, 1]


def test_a_number_that_a_phone_call_had_in_the_morning_is_spoken_for_the_hall(asked: Any) -> None:
    """Numbers begin anew at their range's end: a ticket is silent by its own channel, not by its number's. And many calls by
    phone push none of the hall off the board.
    """
    hub, tickets = Hub(asked.database), asked.database["tickets"]
    hall = hub.take()
    hub.call()
    hub.now += timedelta(seconds=1)
    pattern = tickets.find_one({"_id": hall.name})
    tickets.insert_many(
        {
            **pattern, "_id": f"{hall.name}-{n}", "seq": 1000 + n, "channel": min(REMOTE_CHANNELS), "state": "finished",
            "last_call": str(int(pattern["last_call"]) + 1 + n), "at_counter": False, "has_call": False, "outbox": None,
        }
        for n in range(RECENT)
    )  # fmt: skip
    frame = next(hub.screen(hub.set()))
    assert [c.number for c in frame.last_calls] == [hall.number]
    assert [[c.number for c in q.calls] for q in frame.queues] == [[hall.number], [], []]


def test_a_queue_that_is_not_there_is_looked_for_now_and_then_however_many_screens_name_it(asked: Any) -> None:
    """Each look of each screen asked the store for it, and everybody may watch."""
    hub = Hub(asked.database)
    halls, later = hub.app.displays.halls, "sites/malang/queues/pajak"
    display = Display("sites/malang/displays/hall-1", queues=(later,))

    def look(at: float) -> str:
        [queue], _ = halls.queues(display, hub.now, at)
        return queue.doors.reason

    asked.commands.clear()
    assert {look(100.0 + n / 100) for n in range(SCREENS)} == {"QUEUE_UNKNOWN"}
    assert len([c for c in asked.commands if c.get("filter", {}).get("queue") == later]) == 1
    spec = agency_pb2.QueueSpec(id="pajak", prefix="P", counters=[9], minutes_per_visit=10)
    hub.app.queues.learn_agency(agency_pb2.Agency(name="sites/malang/agencies/pajak", queue=spec), 1)
    assert look(100.0 + PLACES_SECONDS) == ""


def test_every_query_of_screens_has_an_index(asked: Any) -> None:
    hub = Hub(asked.database)
    name = hub.set()
    hub.take()
    asked.commands.clear()
    next(hub.screen(name))
    displays.list_displays(hub.app.displays, pb.ListDisplaysRequest(parent="sites/malang"))
    ours = [c for c in asked.commands if c.get("find") in ("tickets", "displays")]
    assert len(ours) >= 4
    for command in ours:
        kept = {k: v for k, v in command.items() if not k.startswith("$") and k not in ("lsid", "writeConcern")}
        plan = str(asked.database.command({"explain": kept, "verbosity": "queryPlanner"}))
        assert "COLLSCAN" not in plan, command
        assert "IXSCAN" in plan or "IDHACK" in plan, (command, plan)


def test_a_display_goes_away_under_its_screen_and_comes_back(asked: Any) -> None:
    hub = Hub(asked.database)
    name = hub.set()
    stream = hub.screen(name)
    etag = next(stream).display.etag
    request = pb.DeleteDisplayRequest(name=name, etag=etag, request_id=str(uuid.uuid4()))
    displays.delete_display(hub.app.displays, request, hub.by("DeleteDisplay", request))
    hub.app.boards.changed(name)
    with pytest.raises(NotFound):
        list(stream)
    with pytest.raises(NotFound):
        next(hub.screen(name))
    hub.set(rows=3)
    hub.now += timedelta(seconds=1)
    hub.app.boards.changed(name)
    assert next(hub.screen(name)).display.rows == 3
    assert next(hub.screen(name)).display.etag != etag
