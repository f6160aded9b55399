"""Every way through the line on the real store: chosen, taken back, parked, transferred, put back; what is refused; and
the races that unique indexes decide. Two compositions of the service stand for two processes."""

from __future__ import annotations

import base64
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pymongo
import pytest
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import ticket_pb2
from mpp_chassis import storage
from mpp_chassis.call import Command
from mpp_chassis.errors import NotFound
from mpp_chassis.privacy import BlindIndex
from mpp_queue import admitting, calling, domain, messages, reading, store, usecases
from mpp_queue.domain import Admission
from mpp_queue.rooms import INDEXES

from tests.integration.queue.house import AGENCY, QUEUE, SITE, House, together

Ticket = ticket_pb2.Ticket
OTHER = f"sites/{SITE}/queues/bpjs"
KK, KTP = (f"sites/{SITE}/offerings/{o}" for o in ("kk", "ktp"))


class Floor(House):
    """The house, and the tickets' RPCs by name."""

    def _kit(self, seed: int) -> Any:
        kit = super()._kit(seed)
        kit.index = BlindIndex(base64.b64encode(bytes(32)).decode())
        return kit

    def rpc(self, rpc: str, who: str = "officer:ani", process: int = 0, **given: Any) -> Any:
        kind = getattr(pb, f"{rpc}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            given.setdefault("request_id", str(uuid.uuid4()))
        request = kind(**given)
        function = "".join(f"_{c.lower()}" if c.isupper() else c for c in rpc).lstrip("_")
        module = next(room for room in (admitting, calling, reading, usecases) if hasattr(room, function))
        call = self.by(who, rpc, request) if "request_id" in given else self._reading(who)
        return getattr(module, function)(self.apps[process], request, call)

    def _reading(self, who: str) -> Any:
        return self.by(who, "", pb.CallNextRequest())

    def take(self, who: str = "kiosk:k1", parent: str = QUEUE, **given: Any) -> Ticket:
        return self.rpc("TakeTicket", who, parent=parent, **given).ticket

    def call(self, counter: int = 1, who: str = "officer:ani", process: int = 0, **given: Any) -> Ticket:
        return self.rpc("CallNext", who, process, parent=QUEUE, counter=counter, **given)

    def describe(self, **spec: Any) -> None:
        """The agency's queue, anew."""
        self.told = getattr(self, "told", 1) + 1
        queue = agency_pb2.QueueSpec(
            **{"id": "dukcapil", "prefix": "D", "counters": range(1, 33), "minutes_per_visit": 10, **spec}
        )
        self.apps[0].queues.learn_agency(agency_pb2.Agency(name=AGENCY, queue=queue), self.told)
        for app in self.apps:
            app.queues.find(QUEUE, fresh=True)

    def waiting(self) -> list[str]:
        listed = self.rpc("ListTickets", parent=QUEUE, state=ticket_pb2.Ticket.STATE_WAITING).tickets
        return [t.number for t in listed]


@pytest.fixture
def floor(mongodb_uri: str) -> Iterator[Floor]:
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True)
    name = f"t_{uuid.uuid4().hex[:12]}"
    storage.ensure_indexes(client[name], INDEXES, ("tickets",))
    here = Floor(client[name])
    here.line("bpjs", "B", (1, 2))
    yield here
    client.drop_database(name)
    client.close()


def outcome(act: Callable[[], Any]) -> str:
    try:
        return Ticket.State.Name(act().state)
    except domain.QueueError as e:
        return e.reason


# -- what an officer can do


def test_a_call_taken_back_stands_where_it_stood(floor: Floor) -> None:
    for _ in range(3):
        floor.take()
    request_id = str(uuid.uuid4())
    called = floor.call(1, request_id=request_id)
    assert outcome(lambda: floor.rpc("UndoCall", "officer:budi", name=called.name)) == "UNDO_REFUSED"
    assert floor.rpc("UndoCall", name=called.name).state == Ticket.STATE_WAITING
    assert floor.waiting() == ["D-001", "D-002", "D-003"]
    wait(lambda: floor.rpc("GetQueue", name=QUEUE).board == [])
    assert floor.call(1, request_id=request_id) == called  # the same command again is still the same call
    assert floor.waiting() == ["D-001", "D-002", "D-003"]
    assert floor.call(2, who="officer:budi").number == "D-001"
    floor.now += timedelta(seconds=61)
    assert outcome(lambda: floor.rpc("UndoCall", "officer:budi", name=called.name)) == "UNDO_REFUSED"


def test_a_chosen_ticket_is_marked_counted_and_audited(floor: Floor) -> None:
    audited: list[tuple[str, ...]] = []
    floor.apps[0].audit.record = lambda *told: audited.append(told[:3])
    floor.take()
    second = floor.take()
    called = floor.rpc("CallTicket", name=second.name, counter=2, reason="ibu hamil tua")
    assert (called.number, called.out_of_turn, called.counter) == ("D-002", True, 2)
    assert audited == [("officer:ani", "call_out_of_turn", second.name)]
    told = floor.database["tickets"].find_one({"_id": second.name})["history"][-1]
    assert (told["actor"], told["reason"]) == ("officer:ani", "ibu hamil tua")
    assert outcome(lambda: floor.rpc("CallTicket", name=second.name, counter=3, reason="lagi")) == "WRONG_STATE"


def test_parked_frees_the_counter_and_comes_back_to_another(floor: Floor) -> None:
    first, second = floor.take(), floor.take()
    floor.call(1)
    floor.rpc("StartServing", name=first.name)
    aside = floor.rpc("ParkTicket", name=first.name, reason="mengisi formulir")
    assert aside.state == Ticket.STATE_PARKED
    assert floor.call(1).name == second.name
    assert outcome(lambda: floor.rpc("ResumeTicket", name=first.name, counter=1)) == "COUNTER_BUSY"
    floor.now += timedelta(minutes=5)
    back = floor.rpc("ResumeTicket", name=first.name, counter=2)
    assert (back.state, back.counter, back.calls) == (Ticket.STATE_CALLED, 2, 1)
    wait(lambda: [line.number for line in floor.rpc("GetQueue", name=QUEUE).board] == ["D-001", "D-002"])
    floor.rpc("StartServing", name=first.name)
    done = floor.rpc("FinishTicket", name=first.name, delivery=ticket_pb2.DELIVERY_RECORDED, delivered=[KK])
    assert (list(done.delivered), done.state) == ([KK], Ticket.STATE_FINISHED)


def test_an_officer_ends_a_visit_that_the_citizen_left(floor: Floor) -> None:
    mine = floor.take("citizen:ani")
    floor.call(1)
    floor.rpc("StartServing", name=mine.name)
    assert outcome(lambda: floor.rpc("CancelTicket", "citizen:ani", name=mine.name)) == "WRONG_STATE"
    assert outcome(lambda: floor.rpc("CancelTicket", name=mine.name, reason="pergi")) == "STATE_CANCELLED"


def test_a_transfer_keeps_number_and_place(floor: Floor) -> None:
    first = floor.take("citizen:ani", phone="+6281298765432")
    floor.now += timedelta(minutes=5)
    floor.take(parent=OTHER)
    floor.call(1)
    request_id = str(uuid.uuid4())
    over = floor.rpc("TransferTicket", name=first.name, target=OTHER, offering=KTP, request_id=request_id)
    assert over.state == Ticket.STATE_TRANSFERRED
    there = floor.rpc("GetTicket", "kiosk:k1", name=over.transferred_to)
    assert (there.number, there.offering, there.channel, there.transferred_from) == (
        "D-001",
        KTP,
        "transfer",
        first.name,
    )
    assert (there.arrived_at, there.masked_phone) == (first.issued_at, "+62********432")
    assert floor.rpc("GetTicket", "citizen:ani", name=there.name).number == "D-001"  # still her own
    again = floor.rpc("TransferTicket", name=first.name, target=OTHER, offering=KTP, request_id=request_id)
    assert again == over
    assert floor.take(parent=OTHER).number == "B-002"  # a kept number costs none
    line = list(floor.database["tickets"].find({"queue": OTHER, "state": "waiting"}).sort("rank", 1))
    assert [d["number"] for d in line] == ["D-001", "B-001", "B-002"]
    floor.take()
    second = floor.call(2)
    for target, refusal in ((QUEUE, domain.InvalidField), (f"sites/{SITE}/queues/nowhere", NotFound)):
        with pytest.raises(refusal):
            floor.rpc("TransferTicket", name=second.name, target=target)


def test_a_transfer_that_died_between_its_writes_is_completed(floor: Floor, monkeypatch: Any) -> None:
    first = floor.take()
    floor.call(1)
    with monkeypatch.context() as patch:
        patch.setattr(usecases, "complete_transfer", lambda *_: None)  # the process died here
        over = floor.rpc("TransferTicket", name=first.name, target=OTHER)
    assert floor.database["tickets"].count_documents({"queue": OTHER}) == 0
    for process in (0, 1, 0):  # the event comes more than once, to whoever
        assert usecases.complete_transfer(floor.apps[process], over.name, OTHER, "")
    assert floor.database["tickets"].count_documents({"queue": OTHER}) == 1
    assert not usecases.complete_transfer(floor.apps[0], over.transferred_to, QUEUE, "")  # that one was not transferred


def test_put_back_with_a_reason(floor: Floor) -> None:
    floor.take()
    floor.take()
    called = floor.call(1)
    floor.rpc("RequeueTicket", name=called.name, reason="listrik padam")
    assert floor.waiting() == ["D-001", "D-002"]
    again = floor.call(1)
    assert (again.name, again.calls) == (called.name, 2)
    floor.rpc("RequeueTicket", name=called.name, reason="listrik padam", reset_calls=True)
    assert floor.call(1).calls == 1
    with pytest.raises(domain.InvalidField):
        floor.rpc("RequeueTicket", name=called.name, reason="hubungi 081298765432")


def test_the_preview_is_what_will_be_called(floor: Floor) -> None:
    for n in range(6):
        floor.take(priority_group=n % 2)
    seen = [t.number for t in floor.rpc("PreviewNext", parent=QUEUE, counter=1, count=6).tickets]
    assert seen == ["D-002", "D-004", "D-006", "D-001", "D-003", "D-005"]
    first = floor.rpc("PreviewNext", parent=QUEUE, counter=1, count=2)
    skipped = floor.rpc("PreviewNext", parent=QUEUE, counter=1, count=2, skip=[first.tickets[0].name])
    assert [t.number for t in skipped.tickets] == ["D-004", "D-006"]
    assert floor.database["counters"].count_documents({}) == 0  # looking opens no counter
    assert [floor.call(counter).number for counter in range(1, 7)] == seen


def test_a_counter_calls_what_it_serves(floor: Floor) -> None:
    floor.take(offering=KTP)
    floor.take(offering=KK)
    anything = floor.take()
    floor.open(1, offerings=[KK])
    assert [t.offering for t in floor.rpc("PreviewNext", parent=QUEUE, counter=1).tickets] == [KK, ""]
    assert floor.call(1).offering == KK
    assert floor.call(2, "officer:budi").offering == KTP
    assert floor.call(3, "officer:citra").name == anything.name


def test_lists_page_by_page(floor: Floor) -> None:
    names = [floor.take(phone="+6281298765432").number for _ in range(7)]
    for counter in (1, 2, 3):
        floor.now += timedelta(seconds=1)
        called = floor.call(counter)
    floor.rpc("ParkTicket", name=called.name)
    seen, token, pages = [], "", 0
    while pages == 0 or token:
        page = floor.rpc("ListTickets", parent=QUEUE, page_size=2, page_token=token)
        seen += [t.number for t in page.tickets]
        assert all(not t.masked_phone for t in page.tickets)
        token, pages = page.next_page_token, pages + 1
        assert pages < 9
    assert seen == [*names[3:], *names[:3]]
    with pytest.raises(domain.InvalidField):
        floor.rpc("ListTickets", parent=QUEUE, page_token="9|x|y")


# -- what a queue gives, and to whom


def test_numbers_contingent_and_classes_of_the_catalogue(floor: Floor) -> None:
    classes = [
        agency_pb2.PriorityClass(id="care", groups=["elderly"]),
        agency_pb2.PriorityClass(id="umkm"),
    ]
    kind = agency_pb2.PriorityPolicy.KIND_STRICT
    floor.describe(
        numbers=agency_pb2.NumberRange(first=98, last=101, blocked=[100]),
        daily_contingent=5,
        priority=agency_pb2.PriorityPolicy(kind=kind, classes=classes, max_wait_minutes=30),
        closed_text={"id": "Nomor habis", "en": "No numbers left"},
    )
    numbers = [floor.take(priority_class=c).number for c in ("", "umkm", "others", "")]
    assert numbers == ["D-098", "D-099", "D-101", "D-098"]
    floor.now += timedelta(minutes=1)
    assert floor.take(priority_group=ticket_pb2.PRIORITY_GROUP_ELDERLY).priority_class == "care"
    assert outcome(floor.take) == "CONTINGENT_EXHAUSTED"
    status = floor.rpc("GetQueue", name=QUEUE)
    wait(lambda: floor.rpc("GetQueue", name=QUEUE).closed_reason == "CONTINGENT_EXHAUSTED")
    status = floor.rpc("GetQueue", name=QUEUE)
    assert (status.open, status.closed_text) == (False, "Nomor habis")
    assert [(c.priority_class, c.waiting) for c in status.waiting_by_class] == [("care", 1), ("umkm", 1), ("others", 3)]
    with pytest.raises(domain.InvalidField):
        floor.take(priority_class="gold")
    seen = [t.priority_class for t in floor.rpc("PreviewNext", parent=QUEUE, counter=1, count=5).tickets]
    assert seen == ["care", "umkm", "others", "others", "others"]
    floor.now += timedelta(minutes=29)  # now the order of arrival, whatever the class
    assert floor.call(1).priority_class != "care"


def test_a_policy_may_change_while_people_wait(floor: Floor) -> None:
    """Nobody is lost, and nobody of a class that is gone stands behind all who come."""
    kind = agency_pb2.PriorityPolicy.KIND_AGEING
    classes = [agency_pb2.PriorityClass(id=one) for one in ("a", "b", "c")]
    floor.describe(priority=agency_pb2.PriorityPolicy(kind=kind, classes=classes))
    for named in ("c", "b", "others", "a"):
        floor.take(priority_class=named)
        floor.now += timedelta(seconds=1)
    floor.describe(priority=agency_pb2.PriorityPolicy(kind=kind, classes=classes[:1]))
    for _ in range(6):
        floor.take(priority_class="others")
    seen = [t.number for t in floor.rpc("PreviewNext", parent=QUEUE, counter=1, count=6).tickets]
    assert seen == ["D-001", "D-002", "D-003", "D-004", "D-005", "D-006"]
    assert [floor.call(n).number for n in range(1, 5)] == seen[:4]


def test_appointments_and_offline_numbers_do_not_count_in_the_contingent(floor: Floor) -> None:
    floor.describe(daily_contingent=2, appointments=agency_pb2.AppointmentRules(slot_minutes=15, places=2))

    def admit(**given: Any) -> Ticket:
        name = f"{QUEUE}/tickets/{uuid.uuid4().hex[:26]}"
        given = {"channel": "appointment", "arrived_at": floor.now, **given}
        command = Command(uuid.uuid4().hex, "Test", name, "service:queue", floor.now)
        return admitting.admit(floor.apps[0], Admission(name, QUEUE, **given), command, messages.ticket)

    booked = admit(
        appointment=f"{QUEUE}/agendas/2026-11-23/appointments/a1", arrived_at=floor.now - timedelta(minutes=9)
    )
    offline = admit(channel="offline_kiosk", seq=domain.OFFLINE_BASE + 1, arrived_at=floor.now - timedelta(minutes=3))
    assert (booked.number, offline.number) == ("D-001", "D-K001")
    assert [floor.take().number for _ in range(2)] == ["D-002", "D-003"]
    assert outcome(floor.take) == "CONTINGENT_EXHAUSTED"
    assert floor.waiting() == ["D-001", "D-K001", "D-002", "D-003"]
    with pytest.raises(domain.NumberTaken):
        admit(channel="offline_kiosk", seq=domain.OFFLINE_BASE + 1)


def test_only_within_the_hours(floor: Floor) -> None:
    hours = [site_pb2.OpeningHours(weekday=1, opens="08:30", closes="12:00")]
    site = site_pb2.Site(name=f"sites/{SITE}", time_zone="Asia/Jakarta", opening_hours=hours)
    floor.apps[0].queues.learn_site(site, 2)
    floor.describe(hours_enforced=True)
    with pytest.raises(domain.QueueNotOpen) as early:
        floor.take()
    opens = datetime.fromisoformat(early.value.metadata["opens_at"])
    assert opens.astimezone(UTC) == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    status = floor.rpc("GetQueue", name=QUEUE)
    assert (status.open, status.closed_reason, status.opens_at.seconds) == (False, "OUTSIDE_HOURS", opens.timestamp())
    floor.now = opens.astimezone(UTC)
    request_id = str(uuid.uuid4())
    first = floor.take(request_id=request_id)
    floor.now += timedelta(hours=4)
    assert outcome(floor.take) == "QUEUE_NOT_OPEN"
    assert floor.take(request_id=request_id) == first  # granted before


def test_a_person_takes_so_many_and_no_more(floor: Floor) -> None:
    floor.describe(quota=agency_pb2.Quota(per_day=2, person_required=True))
    nik, other = "3573010101900001", "3573010101900002"
    assert outcome(floor.take) == "PERSON_REQUIRED"
    replies = together(24, lambda n: outcome_of_take(floor, n % 2, nik))
    assert Counter(replies) == {"taken": 2, "QUOTA_REACHED": 22}
    assert floor.take(nik=other).state == Ticket.STATE_WAITING
    held = list(floor.database["tickets"].find({"queue": QUEUE}))
    assert nik not in str(held)
    with pytest.raises(domain.InvalidField) as wrong:
        floor.take(nik="3573013202900001")
    assert wrong.value.field == "nik"


def outcome_of_take(floor: Floor, process: int, nik: str) -> str:
    try:
        floor.rpc("TakeTicket", "kiosk:k1", process, parent=QUEUE, nik=nik)
        return "taken"
    except domain.QueueError as e:
        return e.reason


def test_what_version_0_2_0_wrote_goes_on(floor: Floor) -> None:
    first, second = floor.take(), floor.take()
    tickets = floor.database["tickets"]
    later = {"channel", "priority_class", "arrived_at"}
    for n, ticket in enumerate((first, second), 1):
        tickets.update_one(
            {"_id": ticket.name}, {"$unset": dict.fromkeys(later, ""), "$set": {"rank": f"1-{n:06d}-0000000000000"}}
        )
    third = floor.take()
    assert floor.waiting() == ["D-001", "D-002", "D-003"]
    called = floor.call(1)
    assert (called.name, called.priority_class, called.arrived_at) == (first.name, "others", first.issued_at)
    back = floor.rpc("MissTicket", name=called.name)
    assert back.state == Ticket.STATE_WAITING
    assert [floor.call(n).name for n in (1, 2, 3)] == [second.name, third.name, first.name]
    floor.rpc("StartServing", name=second.name)
    assert floor.rpc("FinishTicket", name=second.name).state == Ticket.STATE_FINISHED


# -- races


def test_two_officers_call_the_same_ticket(floor: Floor) -> None:
    who = ("officer:ani", "officer:budi")
    for _ in range(6):
        ticket = floor.take()

        def act(n: int, name: str = ticket.name) -> str:
            return outcome(lambda: floor.rpc("CallTicket", who[n], n, name=name, counter=n + 1, reason="gawat"))

        assert sorted(together(2, act)) == ["STATE_CALLED", "WRONG_STATE"]
        floor.rpc("CancelTicket", name=ticket.name)


def test_undo_against_serve(floor: Floor) -> None:
    seen: Counter[int] = Counter()
    for _ in range(12):
        floor.take()
        called = floor.call(1)

        def act(n: int, name: str = called.name) -> str:
            return outcome(lambda: floor.rpc(("UndoCall", "StartServing")[n], process=n, name=name))

        outcomes = together(2, act)
        assert sorted(outcomes)[1] == "WRONG_STATE", outcomes
        seen[outcomes.index("WRONG_STATE")] += 1
        state = floor.database["tickets"].find_one({"_id": called.name})["state"]
        assert state == ("serving" if outcomes[0] == "WRONG_STATE" else "waiting")
        floor.rpc("CancelTicket", name=called.name)
    print(f"undo lost {seen[0]}, serve lost {seen[1]} of 12")


def test_a_visitor_is_never_called_to_two_counters(floor: Floor) -> None:
    """Straight at the tickets: two of one visit, in one queue, chosen at once by two officers."""
    who = ("officer:ani", "officer:budi")
    for round_ in range(6):
        visit = f"sites/{SITE}/visits/v{round_}"
        tickets = []
        for n in range(2):
            name = f"{QUEUE}/tickets/{uuid.uuid4().hex[:26]}"
            admission = Admission(name, QUEUE, "kiosk", floor.now, visit=visit)
            command = Command(uuid.uuid4().hex, "Test", name, "kiosk:k1", floor.now)
            tickets.append(admitting.admit(floor.apps[n], admission, command, messages.ticket))

        def act(n: int, tickets: list[Ticket] = tickets) -> str:
            name = tickets[n].name
            return outcome(lambda: floor.rpc("CallTicket", who[n], n, name=name, counter=n + 1, reason="gawat"))

        assert sorted(together(2, act)) == ["STATE_CALLED", "VISITOR_BUSY"]
        with pytest.raises(NotFound):
            floor.call(3, "officer:citra")  # who waits is at another counter
        for ticket in tickets:
            floor.rpc("CancelTicket", name=ticket.name)


# -- real processes


def test_kill_9_while_tickets_are_transferred(services: Any, hall: Any) -> None:
    """Each transferred ticket goes on exactly once, with its number, though `serve` dies in the middle."""
    there, tickets = hall.open_line(), 24
    done: list[str] = []
    lines = hall.open_line(tuple(range(1, tickets + 1)))  # counters enough to call all at once
    for _ in range(tickets):
        hall.take(lines)
    officer = hall.officer(lines)
    called = [hall.call(lines, n, who=officer) for n in range(1, tickets + 1)]

    def transfer(ticket: Ticket) -> None:
        request_id, end = str(uuid.uuid4()), time.monotonic() + 60
        while True:
            try:
                hall.do("TransferTicket", ticket, officer, request_id, target=there.name)
                done.append(ticket.name)
                return
            except grpc.RpcError:
                assert time.monotonic() < end, "no answer for 60 s"
                time.sleep(0.05)

    killed = threading.Event()

    def kill() -> None:
        hall.until(lambda: len(done) >= tickets // 3)
        services.kill("queue-serve")
        killed.set()
        services.service("queue")

    with ThreadPoolExecutor(5) as pool:
        victim = pool.submit(kill)
        list(pool.map(transfer, called))
        victim.result()
    assert killed.is_set()
    parents = [d for d in hall.documents(lines) if d["state"] == "transferred"]
    assert len(parents) == tickets
    hall.until(lambda: len(hall.documents(there)) == tickets)
    children = {d["_id"]: d for d in hall.documents(there)}
    assert {d["child"] for d in parents} == set(children)
    assert {children[d["child"]]["number"] for d in parents} == {d["number"] for d in parents}


def wait(condition: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_queries_of_the_line_use_its_indexes(floor: Floor) -> None:
    for _ in range(3):
        floor.take()
    floor.call(1)
    tickets = floor.apps[0].tickets._collection
    where = {"site_id": SITE, "queue": QUEUE, "day": "2026-11-23"}
    calls = tickets.find({**where, "was_called": True, "last_call": {"$gt": ""}}).sort("last_call", -1).limit(30)
    visitor = tickets.find({"site_id": SITE, "visit_key": "v", "at_counter_of_visit": True})
    visitors = tickets.find({"site_id": SITE, "visit_key": {"$in": ["v", "w"]}, "at_counter_of_visit": True})
    for cursor, index in ((calls, "calls"), (visitor, store.VISIT_INDEX), (visitors, store.VISIT_INDEX)):
        assert index in str(cursor.explain()), cursor.explain()
