"""Counters on the real store, two compositions of the service side by side in this process (their locks are apart, as in
two processes), and through gRPC what only the running service can show: who may, and what is told."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest
from mpp.catalog.v1 import agency_pb2
from mpp.queue.v1 import counter_pb2, ticket_pb2
from mpp.queue.v1 import counters_service_pb2 as pb
from mpp.queue.v1.counters_service_pb2_grpc import CountersServiceStub
from mpp_chassis import storage
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_queue import domain, main, store
from mpp_queue.counters import usecases
from mpp_queue.counters.domain import CounterNotOpen, CounterPausedNow, CounterTaken, OfficerHasCounter
from pymongo import monitoring
from structlog.testing import capture_logs

from tests.integration.queue.house import MORNING, QUEUE, SITE, House, together

State = counter_pb2.Counter


@pytest.fixture
def asked() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def house(mongodb_uri: str, asked: list[Any]) -> Iterator[House]:
    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            if event.command_name in ("find", "aggregate", "update"):
                asked.append((event.command_name, dict(event.command)))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[Listener()])
    name = f"t_{uuid.uuid4().hex[:12]}"
    storage.ensure_indexes(client[name], store.INDEXES, main.SERVICE.aggregates)
    yield House(client[name])
    client.drop_database(name)
    client.close()


def test_sixteen_officers_open_one_counter_at_once_and_one_has_it(house: House) -> None:
    for number in range(1, 6):
        results = together(16, lambda n, c=number: house.open(c, f"officer:{c}-{n}", n % 2))
        kinds = Counter(type(r).__name__ for r in results)
        assert kinds == {"Counter": 1, "CounterTaken": 15}
        (opened,) = [r for r in results if isinstance(r, counter_pb2.Counter)]
        assert house.document(number)["session"]["officer"] == opened.officer
        assert house.events(number) == ["counter_opened"]


def test_an_officer_who_opens_eight_counters_at_once_has_one(house: House) -> None:
    for round_ in range(3):
        who = f"officer:o{round_}"
        results = together(8, lambda n, w=who, r=round_: house.open(r * 8 + n + 1, w, n % 2))
        assert Counter(type(r).__name__ for r in results) == {"Counter": 1, "OfficerHasCounter": 7}
        (opened,) = [r for r in results if isinstance(r, counter_pb2.Counter)]
        assert {r.metadata["counter"] for r in results if isinstance(r, OfficerHasCounter)} == {opened.name}


def test_a_counter_that_nobody_opened_belongs_to_whoever_has_a_citizen_there(house: House) -> None:
    for _ in range(12):
        house.take()
    for number in range(1, 6):
        results = together(8, lambda n, c=number: house.call(c, f"officer:{n}", n % 2))
        called = [r for r in results if isinstance(r, ticket_pb2.Ticket)]
        assert len(called) == 1
        assert {getattr(r, "reason", "") for r in results if r not in called} == {"COUNTER_BUSY"}
    with pytest.raises(domain.CounterBusy) as busy:
        house.open(1, "officer:new")
    assert busy.value.metadata["ticket"] == house.there(1)
    house.cancel(house.there(1))
    assert house.open(1, "officer:new").officer == "officer:new"  # its citizen has left
    assert house.events(1)[-2:] == ["counter_closed", "counter_opened"]
    with pytest.raises(CounterTaken):
        house.call(1, "officer:1")  # and now it is held
    # such an opening binds nobody: the same officer calls from another counter too
    assert house.call(6, "officer:0").counter == 6
    assert house.call(7, "officer:0").counter == 7


def test_a_call_asks_the_counter_once(house: House, asked: list[tuple[str, dict[str, Any]]]) -> None:
    house.open(3, offerings=[f"sites/{SITE}/offerings/ktp"], appointments_only=True)
    house.desk(3)
    asked.clear()
    desk = house.desk(3)
    assert (desk.offerings, desk.appointments_only) == (frozenset({f"sites/{SITE}/offerings/ktp"}), True)
    of_the_queue = {"agencies", "sites"}  # what a queue is may be looked at meanwhile
    assert [command[name] for name, command in asked if command[name] not in of_the_queue] == ["counters"]


def test_a_call_repeated_late_hears_its_reply_whatever_the_counter_is_by_now(house: House) -> None:
    """And opens no counter, calls nobody else. Its first look-up is only of tickets that were called twice."""
    again = str(uuid.uuid4())
    house.take()
    house.open(3)
    called = house.call(3, request_id=again)
    house.take()
    house.cancel(called.name)

    def repeated() -> None:
        for process in (0, 1):
            assert house.call(3, process=process, request_id=again) == called
        with pytest.raises(FailedPrecondition) as reused:
            house.call(4, request_id=again)
        assert reused.value.reason == "REQUEST_ID_REUSED"

    repeated()  # open and free: the next would be called
    house.do("PauseCounter", 3, reason="istirahat")
    repeated()
    house.do("CloseCounter", 3)
    repeated()
    house.open(3, "officer:budi")
    repeated()
    assert house.events(3).count("counter_opened") == 2
    assert house.document(4) is None
    assert sorted(d["state"] for d in house.database["tickets"].find({})) == ["cancelled", "waiting"]


def test_who_opened_a_counter_calls_from_no_other(house: House) -> None:
    house.open(3)
    with pytest.raises(OfficerHasCounter) as other:
        house.desk(4)
    assert other.value.metadata["counter"].endswith("/counters/3")
    house.do("CloseCounter", 3)
    house.desk(4)


def test_a_paused_counter_and_one_of_somebody_else_call_nobody(house: House) -> None:
    house.open(3)
    paused = house.do("PauseCounter", 3, reason="istirahat")
    assert (paused.state, paused.pause_reason) == (State.STATE_PAUSED, "istirahat")
    with pytest.raises(CounterPausedNow):
        house.desk(3)
    with pytest.raises(CounterTaken) as taken:
        house.desk(3, "officer:budi")
    assert "ani" not in str(taken.value) + str(taken.value.metadata)
    for rpc in ("ResumeCounter", "CloseCounter"):
        with pytest.raises(CounterTaken):
            house.do(rpc, 3, "officer:budi")
    assert house.do("ResumeCounter", 3).state == State.STATE_OPEN
    house.desk(3)
    assert house.events(3) == ["counter_opened", "counter_paused", "counter_resumed"]


def test_a_counter_calls_what_is_served_there_and_nothing_while_paused(house: House) -> None:
    ktp, kk = (f"sites/{SITE}/offerings/{one}" for one in ("ktp-el-baru", "kartu-keluarga-baru"))
    first, second, third = house.take(ktp), house.take(kk), house.take()
    house.open(3, offerings=[kk])
    house.do("PauseCounter", 3, reason="istirahat")
    with pytest.raises(CounterPausedNow):
        house.call(3)
    house.do("ResumeCounter", 3)
    assert house.call(3).name == second.name
    house.cancel(second.name)
    assert house.call(3).name == third.name  # who named no offering may be called anywhere
    house.cancel(third.name)
    with pytest.raises(NotFound):
        house.call(3)
    house.do("SetCounterServices", 3)
    assert house.call(3).name == first.name
    house.cancel(first.name)
    house.take()
    house.do("SetCounterServices", 3, "site_manager:dewi", appointments_only=True)
    with pytest.raises(NotFound):
        house.call(3)


def test_a_repeated_command_is_one_and_another_body_is_refused(house: House) -> None:
    request_id = str(uuid.uuid4())
    replies = together(8, lambda n: house.open(3, process=n % 2, request_id=request_id))
    assert len({r.SerializeToString(deterministic=True) for r in replies}) == 1
    assert house.events(3) == ["counter_opened"]


def test_a_counter_with_a_ticket_does_not_close_but_can_be_released(house: House) -> None:
    key = domain.busy_key(QUEUE, 3, "2026-11-23")
    ticket = {
        "_id": f"{QUEUE}/tickets/t1", "site_id": SITE, "queue": QUEUE, "day": "2026-11-23", "seq": 1, "number": "D-001",
        "busy_key": key, "at_counter": True, "called_at": MORNING, "serving_at": None, "quota_key": "", "visit_key": "",
    }  # fmt: skip
    house.open(3)
    house.database["tickets"].insert_one(ticket)
    with pytest.raises(domain.CounterBusy) as busy:
        house.do("CloseCounter", 3)
    assert busy.value.metadata["number"] == "D-001"
    listed = usecases.list_counters(
        house.apps[0].counters,
        pb.ListCountersRequest(parent=f"sites/{SITE}", queue=QUEUE),
        house.by("site_manager:dewi", "ListCounters", pb.CloseCounterRequest()),
    ).counters
    assert [c.number for c in listed] == list(range(1, 33))
    assert (listed[2].ticket_number, listed[2].officer, listed[2].state) == ("D-001", "officer:ani", State.STATE_OPEN)
    assert (listed[3].state, listed[3].HasField("since")) == (State.STATE_CLOSED, False)
    house.do("ReleaseCounter", 3, "site_manager:dewi", reason="petugas pulang")
    assert house.open(3, "officer:budi").officer == "officer:budi"
    house.open(4)  # and who lost it is free


def test_the_next_day_a_counter_is_free_before_and_after_the_sweep(house: House) -> None:
    house.open(3, "officer:ani")
    house.open(4, "officer:budi")
    house.now += timedelta(days=1)
    house.open(3, "officer:cici")  # nobody swept yet
    assert house.events(3) == ["counter_opened", "counter_closed", "counter_opened"]
    with pytest.raises(CounterNotOpen):
        house.do("PauseCounter", 4, "officer:budi", reason="istirahat")
    closed = together(4, lambda n: usecases.close_earlier_days(house.apps[n % 2].counters, house.now))
    assert sum(closed) == 1
    assert house.events(4) == ["counter_opened", "counter_closed"]
    house.open(5, "officer:budi")
    assert usecases.close_earlier_days(house.apps[0].counters, house.now) == 0


def test_a_damaged_counter_keeps_no_other_site_open_overnight(house: House) -> None:
    house.open(3, "officer:ani")
    house.do("RaiseCounterAlarm", 3, "officer:ani")
    house.database["sites"].insert_one({"_id": "sites/aaa", "time_zone": "Asia/Jakarta"})
    house.database["counters"].insert_one(
        {"_id": "sites/aaa/counters/1", "site_id": "aaa", "working": True, "day": "2026-11-22", "alarm_open": True}
    )
    house.now += timedelta(days=1)
    counters = house.apps[0].counters
    with capture_logs() as told:
        assert usecases.close_earlier_days(counters, house.now) == 1
    assert [each["site"] for each in told] == ["aaa"]
    assert [counters.counters.open_alarms(site) for site in ("aaa", "malang")] == [1, 1], "no alarm goes uncounted"


def test_a_counter_that_the_catalogue_gave_to_another_queue_is_free(house: House) -> None:
    house.open(3)
    other = agency_pb2.QueueSpec(id="dlh", prefix="L", counters=[3], minutes_per_visit=10)
    agency = f"sites/{SITE}/agencies/dlh"
    house.apps[0].queues.learn_agency(agency_pb2.Agency(name=agency, queue=other), 1)
    spec = house.apps[0].queues.find(f"sites/{SITE}/queues/dlh")
    call = house.by("officer:budi", "CallNext", pb.CloseCounterRequest(request_id=str(uuid.uuid4())))
    usecases.desk_for_call(house.apps[0].counters, spec, 3, call)
    assert house.events(3) == ["counter_opened", "counter_closed", "counter_opened"]


def test_the_emergency_button_pressed_by_sixteen_is_one_alarm(house: House) -> None:
    results = together(16, lambda n: house.do("RaiseCounterAlarm", 3, f"officer:{n}", n % 2))
    assert all(isinstance(r, counter_pb2.CounterAlarm) for r in results)
    assert max(r.presses for r in results) == 16
    assert house.events(3) == ["counter_alarm_raised"]
    raiser = house.document(3)["alarm"]["raised_by"]
    assert house.open(3, "officer:99").alarm_open
    with pytest.raises(domain.QueueError) as own:
        house.do("AcknowledgeCounterAlarm", 3, raiser)
    assert own.value.reason == "ALARM_OWN"
    found = usecases.list_alarms(house.apps[1].counters, pb.ListCounterAlarmsRequest(parent=f"sites/{SITE}"), None)  # type: ignore[arg-type]
    assert [(a.number, a.presses) for a in found.alarms] == [(3, 16)]
    seen = together(4, lambda n: house.do("AcknowledgeCounterAlarm", 3, f"officer:helper-{n}", n % 2))
    assert Counter(type(r).__name__ for r in seen) == {"CounterAlarm": 1, "NoAlarm": 3}
    assert house.events(3).count("counter_alarm_acknowledged") == 1
    found = usecases.list_alarms(house.apps[1].counters, pb.ListCounterAlarmsRequest(parent=f"sites/{SITE}"), None)  # type: ignore[arg-type]
    assert not found.alarms


def test_every_query_has_an_index(house: House, asked: list[tuple[str, dict[str, Any]]]) -> None:
    house.database["counters"].insert_many(
        {
            "_id": f"sites/s{n}/counters/{n}", "site_id": f"s{n}", "version": 1, "working": n % 2 == 0, "day": "2026-11-20",
            "holder_key": f"o{n}", "holds": True, "alarm_open": n % 5 == 0, "alarm_at": MORNING,
        }
        for n in range(500)
    )  # fmt: skip
    asked.clear()
    house.desk(2, "officer:budi")
    house.open(3)
    house.do("RaiseCounterAlarm", 3)
    usecases.list_alarms(house.apps[0].counters, pb.ListCounterAlarmsRequest(parent=f"sites/{SITE}"), None)  # type: ignore[arg-type]
    call = house.by("site_manager:dewi", "ListCounters", pb.CloseCounterRequest())
    usecases.list_counters(house.apps[0].counters, pb.ListCountersRequest(parent=f"sites/{SITE}"), call)
    usecases.close_earlier_days(house.apps[0].counters, house.now + timedelta(days=1))
    looked = [(n, c) for n, c in asked if c.get(n) in ("counters", "tickets")]
    assert len(looked) > 6
    for name, command in looked:
        kept = {k: v for k, v in command.items() if not k.startswith("$") and k not in ("lsid", "writeConcern")}
        plan = str(house.database.command({"explain": kept, "verbosity": "queryPlanner"}))
        assert "COLLSCAN" not in plan, (name, command)
        assert "IXSCAN" in plan or "IDHACK" in plan, (name, command)


def test_through_grpc_who_may_and_what_is_told(services: Any, hall: Any, refusal: Any) -> None:
    line = hall.open_line(counters=(901, 902))
    stub = services.stub("queue", CountersServiceStub)
    ani, budi = hall.officer(line, "ani"), hall.officer(line, "budi")
    manager = services.auth("site_manager", subject="dewi", site="uji-antrean")
    stranger = services.auth("officer", subject="cici", site="uji-antrean", agency="lain")
    ear, name = hall.ear(), "sites/uji-antrean/counters/901"

    def ask(rpc: str, who: Any, **given: Any) -> Any:
        kind = getattr(pb, f"{rpc}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            given["request_id"] = str(uuid.uuid4())
        given.setdefault(
            "parent" if rpc.startswith("List") else "name", "sites/uji-antrean" if rpc.startswith("List") else name
        )
        return getattr(stub, rpc)(kind(**given), metadata=who, timeout=30)

    opened = ask("OpenCounter", ani, queue=line.name)
    assert (opened.state, opened.number, opened.queue, opened.officer) == (
        State.STATE_OPEN,
        901,
        line.name,
        "officer:ani",
    )
    taken = refusal(ask, "OpenCounter", budi, queue=line.name)
    assert (taken.code, taken.reason) == ("FAILED_PRECONDITION", "COUNTER_TAKEN")
    second = refusal(ask, "OpenCounter", ani, queue=line.name, name="sites/uji-antrean/counters/902")
    assert (second.reason, second.metadata["counter"]) == ("OFFICER_HAS_COUNTER", name)
    none = refusal(ask, "OpenCounter", budi, queue=line.name, name="sites/uji-antrean/counters/903")
    assert (none.code, none.fields) == ("INVALID_ARGUMENT", ["name"])
    assert refusal(ask, "OpenCounter", stranger, queue=line.name).code == "PERMISSION_DENIED"
    assert refusal(ask, "PauseCounter", stranger, reason="x").code == "PERMISSION_DENIED"
    assert refusal(ask, "ReleaseCounter", ani, reason="x").code == "PERMISSION_DENIED"
    assert refusal(ask, "PauseCounter", ani, reason="telepon 081234567890").fields == ["reason"]
    assert ask("GetCounter", budi).officer == ""
    assert ask("GetCounter", ani).officer == ask("GetCounter", manager).officer == "officer:ani"
    assert [c.number for c in ask("ListCounters", budi, queue=line.name).counters] == [901, 902]
    assert [c.state for c in ask("ListCounters", manager, agency=line.agency).counters] == [
        State.STATE_OPEN,
        State.STATE_CLOSED,
    ]
    assert ask("RaiseCounterAlarm", stranger).presses == 1
    assert name in [a.counter for a in ask("ListCounterAlarms", ani).alarms]
    assert refusal(ask, "AcknowledgeCounterAlarm", stranger).reason == "ALARM_OWN"
    assert ask("AcknowledgeCounterAlarm", ani).HasField("acknowledged_at")
    assert ask("ReleaseCounter", manager, reason="tugas lain").state == State.STATE_CLOSED
    hall.until(lambda: len(ear.of(name)) == 4)
    whole = ear.of(name)
    assert [key for key, _ in whole] == [
        "counter_opened.v1", "counter_alarm_raised.v1", "counter_alarm_acknowledged.v1", "counter_closed.v1",
    ]  # fmt: skip
    assert whole[3][1]["cause"] == "CAUSE_RELEASED"
    public = [str(body) for key, body in whole if "alarm" not in key]
    assert not [b for b in public if "ani" in b.replace("uji-antrean", "") or "tugas lain" in b]
