"""Visits on the real store: nobody at two counters, what a crash left is completed, a citizen's own only."""

from __future__ import annotations

import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from mpp.catalog.v1 import agency_pb2, offering_pb2
from mpp.queue.v1 import queue_service_pb2, ticket_pb2, visit_pb2
from mpp.queue.v1 import visits_service_pb2 as pb
from mpp.queue.v1.visits_service_pb2_grpc import VisitsServiceStub
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Command
from mpp_chassis.errors import Aborted, FailedPrecondition, NotFound, PermissionDenied
from mpp_queue import calling, domain, main
from mpp_queue import usecases as ticket_usecases
from mpp_queue.app import local_day
from mpp_queue.rooms import INDEXES
from mpp_queue.visits import domain as visits
from mpp_queue.visits import messages, store, usecases

from tests.integration.queue.house import QUEUE, SITE, House, together

Ticket = ticket_pb2.Ticket
KIOSK = "kiosk:k1"


@pytest.fixture
def house(mongodb_uri: str) -> Iterator[House]:
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True)
    name = f"t_{uuid.uuid4().hex[:12]}"
    storage.ensure_indexes(client[name], INDEXES, main.SERVICE.aggregates)
    yield House(client[name])
    client.drop_database(name)
    client.close()


def start(house: House, *queues: str, who: str = KIOSK, process: int = 0, request_id: str = "", nik: str = "") -> Any:
    request = pb.StartVisitRequest(
        parent=f"sites/{SITE}",
        wishes=[pb.VisitWish(queue=queue) for queue in queues],
        request_id=request_id or str(uuid.uuid4()),
        phone="+6281234567890",
        nik=nik,
    )
    return usecases.start_visit(house.apps[process].visits, request, house.by(who, "StartVisit", request))


def get(house: House, name: str, who: str = KIOSK) -> Any:
    return usecases.get_visit(house.apps[0].visits, name, house.by(who, "GetVisit", pb.CancelVisitRequest()))


def cancel(house: House, name: str, who: str) -> Any:
    request = pb.CancelVisitRequest(name=name, reason="pulang", request_id=str(uuid.uuid4()))
    return usecases.cancel_visit(house.apps[0].visits, request, house.by(who, "CancelVisit", request))


def tickets(house: House, queue: str) -> list[dict[str, Any]]:
    return list(house.database["tickets"].find({"queue": queue}).sort("seq", 1))


class Officer:
    """Calls, serves and finishes at one counter, through one composition."""

    def __init__(self, house: House, queue: str, counter: int, process: int) -> None:
        self.house, self.queue, self.counter, self.app = house, queue, counter, house.apps[process]
        self.who = f"site_manager:petugas-{counter}"  # officers of three agencies: the scope is not what is tested

    def ask(self, rpc: str, function: Any, **given: Any) -> Any:
        request = getattr(queue_service_pb2, f"{rpc}Request")(request_id=str(uuid.uuid4()), **given)
        return function(self.app, request, self.house.by(self.who, rpc, request))

    def call(self) -> Any:
        return self.ask("CallNext", calling.call_next, parent=self.queue, counter=self.counter)

    def serve(self, ticket: Any) -> None:
        self.ask("StartServing", ticket_usecases.start_serving, name=ticket.name)

    def finish(self, ticket: Any) -> None:
        self.ask("FinishTicket", ticket_usecases.finish_ticket, name=ticket.name)


def test_thirty_visitors_of_three_queues_are_never_at_two_of_sixteen_counters(house: House) -> None:
    """Intervals are taken by the officers between the answer to the call and the request to finish: within the time at the
    counter by the store's order of writes, so two of one visit must never overlap. Somebody else reads the store meanwhile.
    """
    counters = {"a": range(1, 7), "b": range(7, 12), "c": range(12, 17)}
    queues = {house.line(f"antrean-{q}", q.upper(), numbers): numbers for q, numbers in counters.items()}
    names = [start(house, *queues, process=n % 2).name for n in range(30)]
    visit_of = {w["ticket"]: d["_id"] for d in house.database["visits"].find({}) for w in d["wishes"]}
    assert len(visit_of) == 90
    held: list[tuple[str, float, float, int]] = []
    done, lock, enough = itertools.count(1), threading.Lock(), threading.Event()

    def work(queue: str, counter: int) -> None:
        officer = Officer(house, queue, counter, counter % 2)
        while not enough.is_set():
            try:
                ticket = officer.call()
            except (NotFound, Aborted, domain.QueueError):
                time.sleep(0.005)  # who is left is at other counters
                continue
            begun = time.perf_counter()
            officer.serve(ticket)
            with lock:
                held.append((visit_of[ticket.name], begun, time.perf_counter(), counter))
            officer.finish(ticket)
            if next(done) == 90:
                enough.set()

    places = [(queue, counter) for queue, numbers in queues.items() for counter in numbers]
    seen, sampled = 0, 0
    with ThreadPoolExecutor(len(places)) as pool:
        working = [pool.submit(work, *place) for place in places]
        end = time.monotonic() + 60
        while not enough.is_set() and time.monotonic() < end:
            there = Counter(d["visit"] for d in house.database["tickets"].find({"at_counter": True}, {"visit": 1}))
            seen, sampled = max([seen, *there.values()]), sampled + 1
        in_time = enough.is_set()
        enough.set()
        for one in working:
            one.result()
    assert in_time, f"{len(held)} of 90 were served"
    assert {d["state"] for d in house.database["tickets"].find({})} == {"finished"}
    assert (seen, sampled > 5) == (1, True)
    for visit in names:
        mine = sorted((begun, ended) for name, begun, ended, _ in held if name == visit)
        assert len(mine) == 3
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(mine)), mine
    # and the key was what kept them apart: at the same time many others were at counters
    assert max(sum(b <= moment < e for _, b, e, _ in held) for _, moment, _, _ in held) > 3


def test_who_is_at_another_counter_is_passed_over_and_keeps_the_place(house: House) -> None:
    other = house.line("samsat", "S", [40])
    visit = start(house, QUEUE, other)
    later = start(house, QUEUE)
    here, there = Officer(house, QUEUE, 1, 0), Officer(house, other, 40, 1)
    first = there.call()
    assert first.number == "S-001"
    assert here.call().name == later.stops[0].ticket.name
    shown = get(house, visit.name)
    assert [s.queue for s in shown.stops] == [other, QUEUE]
    assert [s.ticket.state for s in shown.stops] == [Ticket.STATE_CALLED, Ticket.STATE_WAITING]
    with pytest.raises((NotFound, domain.QueueError)):
        Officer(house, QUEUE, 2, 1).call()
    there.serve(first)
    there.finish(first)
    assert Officer(house, QUEUE, 2, 1).call().number == "D-001"


def test_a_visit_takes_a_ticket_in_each_queue_and_a_repetition_the_same(house: House) -> None:
    other = house.line("samsat", "S", [40, 41])
    request_id = str(uuid.uuid4())
    replies = together(8, lambda n: start(house, QUEUE, other, process=n % 2, request_id=request_id))
    assert len({r.SerializeToString(deterministic=True) for r in replies}) == 1
    assert {s.ticket.number for s in replies[0].stops} == {"D-001", "S-001"}
    assert [s.ticket.masked_phone for s in replies[0].stops] == [replies[0].stops[0].ticket.masked_phone] * 2
    assert len(tickets(house, QUEUE)) == len(tickets(house, other)) == 1
    assert {d["visit"] for d in house.database["tickets"].find({})} == {replies[0].name}
    start(house, QUEUE)
    shown = get(house, start(house, other, QUEUE).name)
    assert {s.queue: s.people_ahead for s in shown.stops} == {QUEUE: 2, other: 1}
    assert shown.estimated_total.seconds > 0


def test_an_offering_leads_to_the_queue_of_its_agency(house: House) -> None:
    offering = offering_pb2.Offering(name=f"sites/{SITE}/offerings/stnk", agency=f"sites/{SITE}/agencies/samsat")
    samsat = house.line("samsat", "S", [40])
    assert house.apps[0].fees is not None
    house.apps[0].fees.learn(offering, 1)  # type: ignore[attr-defined]

    def ask(**wish: str) -> Any:
        request = pb.StartVisitRequest(parent=f"sites/{SITE}", wishes=[wish], request_id=str(uuid.uuid4()))
        return usecases.start_visit(house.apps[0].visits, request, house.by(KIOSK, "StartVisit", request))

    (stop,) = ask(offering=offering.name).stops
    assert (stop.queue, stop.ticket.number, stop.ticket.offering) == (samsat, "S-001", offering.name)
    for wish in ({}, {"offering": f"sites/{SITE}/offerings/tidak-ada"}):
        with pytest.raises(domain.InvalidField) as caught:
            ask(**wish)
        assert caught.value.field == "wishes[0].queue"


def test_a_queue_that_is_closed_is_told_and_all_closed_is_an_error(house: House) -> None:
    other = house.line("samsat", "S", [40])
    house.apps[0].queues.learn_agency(agency_pb2.Agency(name=f"sites/{SITE}/agencies/samsat"), 2)
    visit = start(house, other, QUEUE)
    assert [(s.queue, s.refused_reason) for s in visit.stops] == [(QUEUE, ""), (other, "QUEUE_CLOSED")]
    assert get(house, visit.name).stops[1].refused_reason == "QUEUE_CLOSED"
    request_id = str(uuid.uuid4())
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as none:
            start(house, other, request_id=request_id)
        assert none.value.reason == "QUEUE_CLOSED"
    before = house.database["visits"].count_documents({})
    with pytest.raises(NotFound):
        start(house, QUEUE, f"sites/{SITE}/queues/tidak-ada")
    assert house.database["visits"].count_documents({}) == before


def test_what_takes_a_ticket_asks_a_visit_asks_too(house: House) -> None:
    """Quota and person: a visit is no way round them."""
    spec = agency_pb2.QueueSpec(id="paspor", prefix="P", counters=[50], minutes_per_visit=5)
    spec.quota.per_day, spec.quota.person_required = 1, True
    agency = agency_pb2.Agency(name=f"sites/{SITE}/agencies/paspor", queue=spec)
    house.apps[0].queues.learn_agency(agency, 1)
    guarded = f"sites/{SITE}/queues/paspor"
    nobody = start(house, QUEUE, guarded)
    assert [(s.queue, s.refused_reason) for s in nobody.stops] == [(QUEUE, ""), (guarded, "PERSON_REQUIRED")]
    with pytest.raises(domain.QueueError) as alone:
        start(house, guarded)
    assert alone.value.reason == "PERSON_REQUIRED"
    results = together(6, lambda n: start(house, QUEUE, guarded, process=n % 2, nik="3573015708950001"))
    got = [r for r in results for s in r.stops if s.queue == guarded and s.HasField("ticket")]
    assert len(got) == 1
    reasons = Counter(s.refused_reason for r in results for s in r.stops if s.queue == guarded)
    assert reasons == {"": 1, "QUOTA_REACHED": 5}
    assert "3573015708950001" not in str(list(house.database["visits"].find({})))


def _written(now: datetime, database: Any, site: str, *queues: str) -> visits.Visit:
    """A visit as a process leaves it that dies before the first ticket."""
    made = uuid.uuid4().hex[:26]
    visit = visits.start(
        name=f"sites/{site}/visits/{made}", day=local_day("Asia/Jakarta", now), now=now, actor=KIOSK,
        channel="kiosk", wishes=visits.wishes_of(f"sites/{site}/visits/{made}", [(queue, "", "") for queue in queues]),
    )  # fmt: skip
    kept = store.Visits(Store(database, None, lambda: now, random.Random()))
    command = Command(str(uuid.uuid4()), "StartVisit", "", KIOSK, now)
    kept.create(visit, command, visit_pb2.Visit(name=visit.name), messages.events(visit))
    return visit


def test_what_a_crash_left_out_is_completed_once_whoever_does_it(house: House) -> None:
    other = house.line("samsat", "S", [40])
    visit = _written(house.now, house.database, SITE, QUEUE, other)
    together(6, lambda n: usecases.complete(house.apps[n % 2].visits, visit.name, house.now))
    for queue in (QUEUE, other):
        (ticket,) = tickets(house, queue)
        assert (ticket["_id"] in visit.tickets, ticket["visit"]) == (True, visit.name)
    usecases.complete(house.apps[0].visits, f"sites/{SITE}/visits/tidak-ada-sama-sekali", house.now)


def test_what_a_crash_left_out_is_not_made_up_for_on_another_day(house: House) -> None:
    """Else the citizen would stand in tomorrow's line, before everybody."""
    other, left = house.line("samsat", "S", [40]), itertools.count()
    whole = house.apps[0].visits

    def dies_at_the_second(admission: Any, command: Any) -> Any:
        if next(left):
            raise Aborted("as if the process had died")
        return whole.admit(admission, command)

    request = pb.StartVisitRequest(
        parent=f"sites/{SITE}", wishes=[pb.VisitWish(queue=q) for q in (QUEUE, other)], request_id=str(uuid.uuid4())
    )
    with pytest.raises(Aborted):
        usecases.start_visit(replace(whole, admit=dies_at_the_second), request, house.by(KIOSK, "StartVisit", request))
    visit = house.database["visits"].find_one({})
    house.now += timedelta(hours=18)  # 02:00 of the next day, when `work` is back
    usecases.complete(house.apps[1].visits, visit["_id"], house.now)
    assert (len(tickets(house, QUEUE)), tickets(house, other)) == (1, [])
    seen = {s.queue: (s.HasField("ticket"), s.refused_reason) for s in get(house, visit["_id"]).stops}
    assert seen == {QUEUE: (True, ""), other: (False, "DAY_OVER")}
    again = usecases.start_visit(whole, request, house.by(KIOSK, "StartVisit", request))
    assert [s.refused_reason for s in again.stops] == ["", "DAY_OVER"]


def test_cancelling_gives_up_what_waits_and_nothing_else(house: House) -> None:
    other = house.line("samsat", "S", [40])
    visit = start(house, QUEUE, other, who="citizen:ani")
    called = Officer(house, other, 40, 0).call()
    for act in (lambda: get(house, visit.name, "citizen:budi"), lambda: cancel(house, visit.name, "citizen:budi")):
        with pytest.raises(PermissionDenied):
            act()
    cancelled = cancel(house, visit.name, "citizen:ani")
    assert cancelled.cancelled
    assert {s.queue: s.ticket.state for s in cancelled.stops} == {
        QUEUE: Ticket.STATE_CANCELLED, other: Ticket.STATE_CALLED,
    }  # fmt: skip
    usecases.complete(house.apps[1].visits, visit.name, house.now)  # the events, once more
    cancel(house, visit.name, "site_manager:dewi")
    assert tickets(house, other)[0]["state"] == "called"
    assert called.name == tickets(house, other)[0]["_id"]
    # one that was cancelled before its tickets came: none comes
    late = _written(house.now, house.database, SITE, QUEUE)
    cancel(house, late.name, "site_manager:dewi")
    usecases.complete(house.apps[0].visits, late.name, house.now)
    assert [d["state"] for d in tickets(house, QUEUE)] == ["cancelled"]


def test_cancelling_finds_a_ticket_however_often_it_was_transferred(house: House) -> None:
    """Also when it is between the two writes of a transfer: then the visit's event comes again."""
    other = house.line("samsat", "S", [40])
    visit, here = start(house, QUEUE), QUEUE

    def sent_on(here: str, target: str) -> str:
        called = queue_service_pb2.CallNextRequest(
            parent=here, counter=1 if here == QUEUE else 40, request_id=str(uuid.uuid4())
        )
        name = calling.call_next(house.apps[0], called, house.by("site_manager:a", "CallNext", called)).name
        moved = queue_service_pb2.TransferTicketRequest(name=name, target=target, request_id=str(uuid.uuid4()))
        ticket_usecases.transfer_ticket(house.apps[0], moved, house.by("site_manager:a", "TransferTicket", moved))
        return str(name)

    for _ in range(7):
        target = other if here == QUEUE else QUEUE
        parent, here = sent_on(here, target), target
    born = house.database["tickets"].find_one_and_delete({"parent": parent})  # as before the transfer's second write
    assert cancel(house, visit.name, "site_manager:dewi").cancelled
    with pytest.raises(Aborted):
        usecases.complete(house.apps[0].visits, visit.name, house.now)
    assert ticket_usecases.complete_transfer(house.apps[1], parent, here, "")
    usecases.complete(house.apps[0].visits, visit.name, house.now)
    assert house.database["tickets"].find_one({"_id": born["_id"]})["state"] == "cancelled"
    assert house.database["tickets"].count_documents({"state": "waiting"}) == 0


def test_through_grpc_a_citizens_own_and_the_sweeper_completes_a_crash(services: Any, hall: Any, refusal: Any) -> None:
    lines = [hall.open_line(counters=(921 + n,)) for n in range(2)]
    site, stub = lines[0].name.split("/")[1], services.stub("queue", VisitsServiceStub)
    wishes = [pb.VisitWish(queue=line.name) for line in lines]
    request = pb.StartVisitRequest(parent=f"sites/{site}", wishes=wishes, request_id=str(uuid.uuid4()))
    visit = stub.StartVisit(request, metadata=hall.citizen("ani"), timeout=30)
    assert stub.StartVisit(request, metadata=hall.citizen("ani"), timeout=30) == visit
    assert [(s.ticket.number, s.ticket.state) for s in visit.stops] == [
        (f"{line.prefix}-001", Ticket.STATE_WAITING) for line in lines
    ]
    for who in (hall.citizen("ani"), hall.kiosk(), hall.officer(lines[0])):
        assert stub.GetVisit(pb.GetVisitRequest(name=visit.name), metadata=who, timeout=30).name == visit.name
    look = pb.GetVisitRequest(name=visit.name)
    assert refusal(stub.GetVisit, look, metadata=hall.citizen("budi"), timeout=30).code == "PERMISSION_DENIED"
    stop = pb.CancelVisitRequest(name=visit.name, request_id=str(uuid.uuid4()))
    assert refusal(stub.CancelVisit, stop, metadata=hall.kiosk(), timeout=30).code == "PERMISSION_DENIED"
    assert stub.CancelVisit(stop, metadata=hall.citizen("ani"), timeout=30).cancelled
    twice = pb.StartVisitRequest(parent=f"sites/{site}", wishes=[wishes[0]] * 2, request_id=str(uuid.uuid4()))
    assert refusal(stub.StartVisit, twice, metadata=hall.kiosk(), timeout=30).fields == ["wishes"]
    left = _written(datetime.now(UTC), hall.database, site, *(line.name for line in lines))
    hall.until(lambda: hall.database["tickets"].count_documents({"_id": {"$in": left.tickets}}) == 2, 60)
