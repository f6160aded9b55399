"""Reports on the real store: a day's events in any order, twice, give one report; then once through real processes."""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.queue.v1 import events_pb2, report_pb2
from mpp.queue.v1 import reports_service_pb2 as pb
from mpp.queue.v1.reports_service_pb2_grpc import ReportsServiceStub
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.errors import InvalidField, PermissionDenied
from mpp_queue import domain, messages, rooms
from mpp_queue.appointments.agendas import Agendas, Channels
from mpp_queue.counters.store import Layout
from mpp_queue.reports import messages as report_messages
from mpp_queue.reports import usecases
from mpp_queue.reports.domain import Group, report
from mpp_queue.reports.offered import Offered
from mpp_queue.reports.store import Learned, Past, Plan, Staffing
from mpp_queue.views import Queues
from pymongo import monitoring

SITE, DAY = "malang", "2026-11-23"
QUEUE, AGENCY = f"sites/{SITE}/queues/dukcapil", f"sites/{SITE}/agencies/dukcapil"
OPENS = datetime(2026, 11, 23, 1, tzinfo=UTC)  # 08:00 in Malang
SPEC = domain.QueueSpec(QUEUE, SITE, AGENCY, "D", (1, 2, 3), 10, "Asia/Jakarta")
RULES = domain.Rules()


def ticket_events(rng: random.Random, number: int) -> list[tuple[Any, int]]:
    """One citizen's way by the real rules: (event, sequence) of each step."""
    now = OPENS + timedelta(seconds=rng.randrange(6 * 3600))
    group = rng.choice([domain.PriorityGroup.NONE, domain.PriorityGroup.NONE, domain.PriorityGroup.ELDERLY])
    admission = domain.Admission(
        f"{QUEUE}/tickets/t{number:08d}", QUEUE, rng.choice(["kiosk", "online"]), now, group=group
    )
    issued = domain.Issued(0, timedelta(0))
    ticket = domain.issue(SPEC, admission, day=DAY, seq=number, event=issued, now=now, actor="k", rules=RULES)
    found, sequence = [(messages.events(ticket)[0].message, 1)], 1
    for step in rng.choice(
        (["serve", "finish"], ["serve", "finish"], ["serve", "finish"], ["miss", "miss"], ["leave"])
    ):
        wait = timedelta(minutes=rng.randrange(1, 40))
        if step == "leave":
            ticket = ticket.cancel(now=now + wait, actor="k", reason="left")
        elif step == "finish":
            ticket = ticket.finish(now=now + wait, actor="o")
        else:
            ticket = ticket.call(
                now=now + wait, actor="o", counter=rng.randrange(1, 4), call_key=f"c{number}{sequence}"
            )
            sequence += 1
            found += [(e.message, sequence) for e in messages.events(ticket)]
            came = now + wait + timedelta(seconds=rng.randrange(90))
            ticket = (
                ticket.serve(now=came, actor="o") if step == "serve" else ticket.miss(now=came, actor="o", rules=RULES)
            )
        now += wait
        sequence += 1
        found += [(e.message, sequence) for e in messages.events(ticket)]
    return found


@pytest.fixture
def office(mongodb_uri: str) -> Iterator[Any]:
    """The reports' App on a migrated database of the test's own, and what was asked of it."""
    asked: list[tuple[str, dict[str, Any]]] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            if event.command_name == "find":
                asked.append((event.command_name, dict(event.command)))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[Listener()])
    name = f"t_{uuid.uuid4().hex[:12]}"
    database = client[name]
    storage.ensure_indexes(database, rooms.INDEXES, ("tickets",))
    store = Store(database, None, lambda: OPENS, random.Random(7))
    queues = Queues(store)
    queues.learn_site(site_pb2.Site(name=f"sites/{SITE}", time_zone="Asia/Jakarta"), 1)
    spec = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=[1, 2, 3], minutes_per_visit=10)
    queues.learn_agency(agency_pb2.Agency(name=AGENCY, queue=spec), 1)
    past = Past(store, timedelta(days=30))
    layout, agendas = Layout(store), Agendas(store, queues, Channels(store))
    offered = Offered(database["channels"], layout, agendas)
    app = usecases.App(past, Learned(store), Staffing(store), queues, layout.zone, offered)
    yield SimpleNamespace(app=app, database=database, asked=asked)
    client.drop_database(name)
    client.close()


def asks(now: datetime, role: str = "site_manager", scope: str = "site", request: Any = None, agency: str = "") -> Call:
    command = None
    if request is not None:
        command = Command(request.request_id, "SetStaffing", request.SerializeToString().hex(), role, now)
    return Call(Caller(site=SITE, agency=agency), now, command, frozenset({scope}), role)


def query(by: str = "AGENCY", agency: str = "") -> pb.QueryReportRequest:
    group = report_pb2.ReportGroup.Value(f"REPORT_GROUP_{by}")
    return pb.QueryReportRequest(parent=f"sites/{SITE}", from_day=DAY, to_day=DAY, group_by=group, agency=agency)


def tell(app: usecases.App, event: Any, sequence: int) -> None:
    if isinstance(event, events_pb2.TicketEnded):
        usecases.note_end(app, event, sequence)


def test_a_day_in_any_order_and_twice_is_one_report(office: Any) -> None:
    rng = random.Random(11)
    told = [pair for number in range(1, 61) for pair in ticket_events(rng, number)]
    ends = [e for e, _ in told if isinstance(e, events_pb2.TicketEnded) and e.HasField("facts")]
    assert len(ends) == 60  # each way ends once; a missed call is no end
    wanted = {}
    for group in Group:
        rows, total = report([report_messages.line_of_end(e) for e in ends], group, "Asia/Jakarta")
        wanted[group] = report_messages.report(f"sites/{SITE}", DAY, DAY, "", group, rows, total)
    told += rng.sample(told, len(told) // 2)
    rng.shuffle(told)
    for event, sequence in told:
        tell(office.app, event, sequence)
    evening = OPENS + timedelta(hours=10)
    for group in Group:
        assert usecases.query_report(office.app, query(group.name), asks(evening)) == wanted[group]
    total = wanted[Group.CLASS].total
    assert {r.group for r in wanted[Group.CLASS].rows} == {"others", "priority"}
    assert total.no_shows * 2 == total.missed_calls > 0
    assert total.walk.longest < 90 < total.wait.longest
    exported = pb.ExportReportRequest(parent=f"sites/{SITE}", from_day=DAY, to_day=DAY)
    reply = usecases.export_report(office.app, exported, asks(evening))
    assert reply.filename == f"malang-{DAY}-{DAY}-agency.csv"
    first, last = csv.DictReader(io.StringIO(reply.csv, newline=""))
    assert (first["group"], first["tickets"], first["wait_p90_seconds"]) == (AGENCY, "60", str(total.wait.p90))
    assert (last["group"], last["missed_calls"]) == ("total", str(total.missed_calls))
    later = OPENS + timedelta(days=32)  # the store cleans up when it likes, queries look at the date
    assert usecases.query_report(office.app, query(), asks(later)).total.tickets == 0


def test_no_line_tells_of_a_person(office: Any) -> None:
    for event, sequence in ticket_events(random.Random(3), 1):
        tell(office.app, event, sequence)
    (document,) = office.database["report_lines"].find({})
    personal = ("phone", "nik", "owner", "person", "group", "reason", "actor", "number")
    assert not [name for name in document if any(word in name for word in personal)]


def test_whose_figures(office: Any) -> None:
    tell(office.app, *ticket_events(random.Random(3), 1)[-1])
    other = f"sites/{SITE}/agencies/pajak"
    own = asks(OPENS, "agency_admin", "agency", agency="dukcapil")
    assert usecases.query_report(office.app, query(), own).total.tickets == 1
    assert usecases.query_report(office.app, query(agency=AGENCY), own).agency == AGENCY
    with pytest.raises(PermissionDenied):
        usecases.query_report(office.app, query(agency=other), own)
    stranger = asks(OPENS, "agency_admin", "agency", agency="pajak")
    assert usecases.query_report(office.app, query(), stranger).total.tickets == 0
    assert usecases.query_report(office.app, query(agency=other), asks(OPENS)).total.tickets == 0


def test_open_time_and_bookings_are_noted_once(office: Any) -> None:
    closed = events_pb2.CounterClosed(
        counter=f"sites/{SITE}/counters/1", number=1, queue=QUEUE, agency=AGENCY, day=DAY, open_seconds=3600
    )
    closed.closed_at.FromDatetime(OPENS + timedelta(hours=1))
    usecases.note_session(office.app, closed, 4)
    usecases.note_session(office.app, closed, 4)
    usecases.note_session(office.app, closed, 9)  # opened and closed again
    name = f"{QUEUE}/agendas/{DAY}/appointments/a1"
    told = [
        (events_pb2.AppointmentConfirmed(appointment=name, agency=AGENCY), "booked", 2),
        (events_pb2.AppointmentCheckedIn(appointment=name, agency=AGENCY), "kept", 5),
        (events_pb2.AppointmentConfirmed(appointment=name, agency=AGENCY), "booked", 2),
    ]
    for event, state, sequence in told:
        event.start.FromDatetime(OPENS)
        usecases.note_booking(office.app, event, state, sequence)
    total = usecases.query_report(office.app, query(), asks(OPENS)).total
    assert (total.counter_open_seconds, total.appointments_booked, total.appointments_kept) == (7200, 1, 1)


def test_places_that_the_agendas_offer(office: Any) -> None:
    """Monday from nine to eleven, slots of half an hour, three places: 12 a Monday, none on other days."""
    rules = agency_pb2.AppointmentRules(slot_minutes=30, places=3, public_places=2, latest_days=30)
    rules.hours.add(weekday=1, opens="09:00", closes="11:00")
    spec = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=[1], minutes_per_visit=10, appointments=rules)
    office.app.queues.learn_agency(agency_pb2.Agency(name=AGENCY, queue=spec), 2)
    week = pb.QueryReportRequest(
        parent=f"sites/{SITE}", from_day=DAY, to_day="2026-11-29", group_by=report_pb2.REPORT_GROUP_HOUR
    )
    found = usecases.query_report(office.app, week, asks(OPENS))
    assert [(r.group, r.appointment_places) for r in found.rows] == [("09", 6), ("10", 6)]
    assert found.total.appointment_places == 12
    other = f"sites/{SITE}/agencies/pajak"
    assert usecases.query_report(office.app, query(agency=other), asks(OPENS)).total.appointment_places == 0


def test_times_are_learned_when_they_are_due(office: Any) -> None:
    rng = random.Random(5)
    for number in range(1, 121):
        for event, sequence in ticket_events(rng, number):
            tell(office.app, event, sequence)
    evening = OPENS + timedelta(hours=12)
    assert usecases.learn(office.app, evening) == 1
    times = office.app.learned.get(QUEUE)
    assert times is not None
    assert times.whole.visits > 60
    assert times.whole.mean > 600  # 20 minutes on average, declared were 10
    assert max(times.staff) == 3.0
    assert usecases.learn(office.app, evening + timedelta(minutes=59)) == 0
    assert usecases.learn(office.app, evening + timedelta(days=1)) == 1


def test_staff_is_planned_until_the_end_of_the_day(office: Any) -> None:
    name = f"{QUEUE}/staffing"

    def plan(counters: int, request_id: str = "") -> report_pb2.Staffing:
        request = pb.SetStaffingRequest(name=name, counters=counters, request_id=request_id or str(uuid.uuid4()))
        return usecases.set_staffing(office.app, request, asks(OPENS, request=request))

    once = str(uuid.uuid4())
    assert plan(2, once) == report_pb2.Staffing(name=name, counters=2, day=DAY)
    assert plan(3).counters == 3
    assert plan(2, once).counters == 2  # its stored reply; the plan stays
    assert office.app.staffing.get(QUEUE) == Plan(3, DAY)
    assert office.app.staffing.get(QUEUE).of("2026-11-24") == 0
    tomorrow = asks(OPENS + timedelta(days=1))
    assert usecases.get_staffing(office.app, pb.GetStaffingRequest(name=name), tomorrow).counters == 0
    with pytest.raises(InvalidField, match="3 counters"):
        plan(4)
    assert plan(0) == report_pb2.Staffing(name=name)


def test_every_query_has_an_index(office: Any) -> None:
    lines = office.database["report_lines"]
    tell(office.app, *ticket_events(random.Random(3), 1)[-1])
    (one,) = lines.find({})
    lines.insert_many(
        [{**one, "_id": f"x{n}", "day": f"2025-{n % 12 + 1:02d}-11", "queue": f"q{n % 50}"} for n in range(3000)]
    )
    office.asked.clear()
    for agency in ("", AGENCY):
        usecases.query_report(office.app, query(agency=agency), asks(OPENS))
    usecases.learn(office.app, OPENS)
    asked = [command for _, command in office.asked if command["find"].startswith("report_")]
    assert len(asked) == 7
    for command in asked:
        kept = {k: v for k, v in command.items() if not k.startswith("$") and k not in ("lsid", "writeConcern")}
        plan = str(office.database.command({"explain": kept, "verbosity": "queryPlanner"}))
        assert "COLLSCAN" not in plan, command
        assert "IXSCAN" in plan, command


def test_from_the_kiosk_to_the_report(hall: Any, line: Any, refusal: Any) -> None:
    """Real processes: one is served, one missed, and both are in the report as soon as the events came."""
    stub = hall.services.stub("queue", ReportsServiceStub)
    manager = hall.services.auth("site_manager", site=line.name.split("/")[1])
    request = pb.SetStaffingRequest(name=f"{line.name}/staffing", counters=2, request_id=str(uuid.uuid4()))
    assert stub.SetStaffing(request, metadata=manager, timeout=20).counters == 2
    hall.take(line)
    first = hall.call(line)
    assert hall.take(line).wait_high.seconds >= 60
    hall.do("StartServing", first, hall.officer(line))
    hall.do("FinishTicket", first, hall.officer(line))
    hall.do("CancelTicket", hall.call(line), hall.officer(line))
    day = first.day
    asked = pb.QueryReportRequest(
        parent="/".join(line.name.split("/")[:2]), from_day=day, to_day=day, agency=line.agency,
        group_by=report_pb2.REPORT_GROUP_QUEUE,
    )  # fmt: skip
    found = hall.until(lambda: (r := stub.QueryReport(asked, metadata=manager, timeout=20)).total.tickets == 2 and r)
    assert [(r.group, r.served, r.cancelled, r.called) for r in found.rows] == [(line.name, 1, 1, 2)]
    assert found.total.wait.count == 2
    exported = pb.ExportReportRequest(parent=asked.parent, from_day=day, to_day=day, agency=line.agency)
    assert stub.ExportReport(exported, metadata=manager, timeout=20).csv.count("\r\n") == 3
    command = [
        sys.executable,
        "-m",
        "mppctl.main",
        "--profile",
        hall.services.platform.profile,
        "report",
        "--by",
        "queue",
    ]
    given = [asked.parent.removeprefix("sites/"), "--agency", line.agency, "--from", day, "--to", day, "--csv", "-"]
    done = subprocess.run([*command, *given], capture_output=True, cwd=hall.services.platform.root, check=False)
    assert done.returncode == 0, done.stderr
    assert [row.split(b",")[:2] for row in done.stdout.splitlines()[1:]] == [
        [line.name.encode(), b"2"],
        [b"total", b"2"],
    ]
    assert refusal(stub.QueryReport, asked, metadata=hall.officer(line), timeout=20).code == "PERMISSION_DENIED"
    backwards = pb.QueryReportRequest(parent=asked.parent, from_day=day, to_day="2026-01-01")
    refused = refusal(stub.QueryReport, backwards, metadata=manager, timeout=20)
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ["to_day"])
