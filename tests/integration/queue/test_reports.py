"""Reports on the real store: a day's events in any order, twice, give one report; then once through real processes."""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.queue.v1 import events_pb2, report_pb2, ticket_pb2
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
from structlog.testing import capture_logs

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
    layout = Layout(store)

    def offered() -> Offered:
        """As a process that has just started: what was read of an agenda is known for some seconds."""
        return Offered(database["channels"], layout, Agendas(store, Queues(store), Channels(store)))

    app = usecases.App(past, Learned(store), Staffing(store), queues, layout.zone, offered())
    yield SimpleNamespace(app=app, database=database, asked=asked, offered=offered)
    client.drop_database(name)
    client.close()


def asks(now: datetime, role: str = "site_manager", scope: str = "site", request: Any = None, agency: str = "") -> Call:
    command = None
    if request is not None:
        command = Command(request.request_id, "SetStaffing", request.SerializeToString().hex(), role, now)
    return Call(Caller(site=SITE, agency=agency), now, command, frozenset({scope}), role)


def query(by: str = "AGENCY", agency: str = "", queue: str = "") -> pb.QueryReportRequest:
    group = report_pb2.ReportGroup.Value(f"REPORT_GROUP_{by}")
    return pb.QueryReportRequest(
        parent=f"sites/{SITE}", from_day=DAY, to_day=DAY, group_by=group, agency=agency, queue=queue
    )


def counted(lines: list[Any], group: Group) -> report_pb2.Report:
    """What the report should be, from the lines alone."""
    rows, total = report(lines, group, "Asia/Jakarta")
    found = report_messages.report(f"sites/{SITE}", DAY, DAY, "", group, rows, total)
    found.time_zone = "Asia/Jakarta"
    return found


def tell(app: usecases.App, event: Any, sequence: int) -> None:
    if isinstance(event, events_pb2.TicketEnded):
        usecases.note_end(app, event, sequence)


def test_a_day_in_any_order_and_twice_is_one_report(office: Any) -> None:
    rng = random.Random(11)
    told = [pair for number in range(1, 61) for pair in ticket_events(rng, number)]
    ends = [e for e, _ in told if isinstance(e, events_pb2.TicketEnded) and e.HasField("facts")]
    assert len(ends) == 60  # each way ends once; a missed call is no end
    wanted = {group: counted([report_messages.line_of_end(e) for e in ends], group) for group in Group}
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


def test_two_workers_that_both_get_everything_in_an_order_of_their_own(office: Any) -> None:
    """Both apply each event twice at once, and old news after new: lines, bookings and open time are noted once."""
    rng = random.Random(13)
    told: list[tuple[Callable[[], object], Any]] = []
    lines = []
    for number in range(1, 16):
        *_, (end, sequence) = ticket_events(rng, number)
        old = events_pb2.TicketEnded()
        old.CopyFrom(end)
        old.state, old.facts.calls = ticket_pb2.Ticket.STATE_FINISHED, 99  # as it never was: the newer one wins
        told += [(partial(usecases.note_end, office.app, e, s), e) for e, s in ((end, sequence), (old, sequence - 1))]
        lines.append(report_messages.line_of_end(end))
    for number, states in enumerate((("booked", "kept"), ("booked", "missed"), ("booked", "dropped"), ("kept",))):
        name = f"{QUEUE}/agendas/{DAY}/appointments/a{number}"  # of the last one the booking was never heard
        event = events_pb2.AppointmentConfirmed(appointment=name, agency=AGENCY)
        event.start.FromDatetime(OPENS)
        told += [
            (partial(usecases.note_booking, office.app, event, state, sequence), event)
            for sequence, state in enumerate(states, 2)
        ]
    closed = events_pb2.CounterClosed(
        counter=f"sites/{SITE}/counters/1", number=1, queue=QUEUE, agency=AGENCY, day=DAY, open_seconds=3600
    )
    closed.closed_at.FromDatetime(OPENS + timedelta(hours=1))
    told += [(partial(usecases.note_session, office.app, closed, sequence), closed) for sequence in (4, 9)]
    orders = [rng.sample(told, len(told)) for _ in range(4)]
    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(lambda order: [act() for act, _ in order], order) for order in orders]:
            done.result(timeout=60)
    found = usecases.query_report(office.app, query("QUEUE"), asks(OPENS + timedelta(hours=10)))
    total = found.total
    assert (total.appointments_booked, total.appointments_kept, total.appointments_missed) == (3, 2, 1)
    assert total.counter_open_seconds == 7200
    plain = counted(lines, Group.QUEUE).total
    for field in ("tickets", "served", "no_shows", "missed_calls", "wait", "walk", "service", "called_out_of_turn"):
        assert getattr(total, field) == getattr(plain, field), field


def test_what_version_0_2_0_ended_is_in_no_report(office: Any) -> None:
    """Its events carry no figures; nothing is invented for them, and they disturb nothing."""
    old = events_pb2.TicketEnded(ticket=f"{QUEUE}/tickets/t1", agency=AGENCY, state=ticket_pb2.Ticket.STATE_FINISHED)
    assert not usecases.note_end(office.app, old, 5)
    assert usecases.query_report(office.app, query(), asks(OPENS)).total.tickets == 0


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


def test_from_the_site_down_to_one_queue(office: Any) -> None:
    for number in range(1, 4):
        tell(office.app, *ticket_events(random.Random(number), number)[-1])
    inside = usecases.query_report(office.app, query("SERVICE", AGENCY, QUEUE), asks(OPENS))
    assert (inside.queue, inside.total.tickets) == (QUEUE, 3)
    beside = usecases.query_report(office.app, query("SERVICE", queue=f"sites/{SITE}/queues/pajak"), asks(OPENS))
    assert beside.total.tickets == 0
    stranger = asks(OPENS, "agency_admin", "agency", agency="pajak")  # the queue of another agency tells nothing
    assert usecases.query_report(office.app, query(queue=QUEUE), stranger).total.tickets == 0
    with pytest.raises(InvalidField, match="is not of"):
        usecases.query_report(office.app, query(queue="sites/solo/queues/dukcapil"), asks(OPENS))


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


def agenda(places: int, hours: tuple[str, str]) -> agency_pb2.Agency:
    rules = agency_pb2.AppointmentRules(slot_minutes=30, places=places, public_places=1, latest_days=30)
    rules.hours.add(weekday=1, opens=hours[0], closes=hours[1])
    spec = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=[1], minutes_per_visit=10, appointments=rules)
    return agency_pb2.Agency(name=AGENCY, queue=spec)


def test_a_day_that_is_over_keeps_the_rules_that_it_had(office: Any) -> None:
    def places(day: str, now: datetime, **given: str) -> int:
        asked = pb.QueryReportRequest(parent=f"sites/{SITE}", from_day=day, to_day=day, **given)
        return usecases.query_report(office.app, asked, asks(now)).total.appointment_places

    def rules(places: int, closes: str, sequence: int) -> None:
        office.app.queues.learn_agency(agenda(places, ("09:00", closes)), sequence)
        office.app = replace(office.app, offered=office.offered())

    next_monday = OPENS + timedelta(days=7)
    rules(3, "11:00", 2)
    assert usecases.keep_places(office.app, OPENS) == 1
    rules(5, "10:00", 3)
    assert places(DAY, OPENS) == 10  # still today: what is offered now
    assert usecases.keep_places(office.app, OPENS + timedelta(hours=1)) == 1
    rules(1, "09:30", 4)
    assert places(DAY, next_monday) == 10  # a Monday of the past, as it was when it ended
    assert places("2026-11-30", next_monday) == 1
    assert places("2026-11-16", next_monday) == 1  # nobody wrote that one down
    assert places(DAY, next_monday, queue=f"sites/{SITE}/queues/pajak") == 0


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
    assert times.staff == ()  # the day is not over
    assert usecases.learn(office.app, evening + timedelta(minutes=59)) == 0
    assert usecases.learn(office.app, evening + timedelta(hours=4, minutes=20)) == 1  # after midnight in Malang
    overnight = office.app.learned.get(QUEUE)
    assert overnight is not None
    assert max(overnight.staff) == 3.0
    assert usecases.learn(office.app, evening + timedelta(hours=12)) == 0
    assert usecases.learn(office.app, evening + timedelta(hours=28, minutes=20)) == 1


def test_a_queue_whose_lines_cannot_be_read_holds_up_no_other(office: Any) -> None:
    """It was first in line each minute, and nobody learned anything any more."""
    spec = agency_pb2.QueueSpec(id="adu", prefix="A", counters=[1], minutes_per_visit=7)
    office.app.queues.learn_agency(agency_pb2.Agency(name=f"sites/{SITE}/agencies/adu", queue=spec), 1)
    damaged = f"sites/{SITE}/queues/adu"
    forgotten = OPENS + timedelta(days=30)
    office.database["report_lines"].insert_one({"_id": "x", "queue": damaged, "day": DAY, "forget_at": forgotten})
    for event, sequence in ticket_events(random.Random(5), 1):
        tell(office.app, event, sequence)
    with capture_logs() as told:
        assert usecases.learn(office.app, OPENS) == 1
    assert [each["queue"] for each in told] == [damaged]
    assert office.app.learned.get(QUEUE) is not None
    assert office.app.learned.get(damaged).whole.mean == 420, "what it declares"
    assert usecases.learn(office.app, OPENS + timedelta(minutes=59)) == 0


def test_a_site_whose_rules_cannot_be_read_keeps_no_other_from_its_places(office: Any) -> None:
    office.database["sites"].insert_one({"_id": "sites/aaa", "time_zone": "Mars/Olympus"})
    with capture_logs() as told:
        assert usecases.keep_places(office.app, OPENS) == 1
    assert [each["site"] for each in told] == ["aaa"]


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
    assert len(asked) == 9
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
    assert stub.SetStaffing(request, metadata=manager, timeout=30).counters == 2
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
    found = hall.until(lambda: (r := stub.QueryReport(asked, metadata=manager, timeout=30)).total.tickets == 2 and r)
    assert [(r.group, r.served, r.cancelled, r.called) for r in found.rows] == [(line.name, 1, 1, 2)]
    assert found.total.wait.count == 2
    exported = pb.ExportReportRequest(parent=asked.parent, from_day=day, to_day=day, agency=line.agency)
    assert stub.ExportReport(exported, metadata=manager, timeout=30).csv.count("\r\n") == 3
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
    assert refusal(stub.QueryReport, asked, metadata=hall.officer(line), timeout=30).code == "PERMISSION_DENIED"
    backwards = pb.QueryReportRequest(parent=asked.parent, from_day=day, to_day="2026-01-01")
    refused = refusal(stub.QueryReport, backwards, metadata=manager, timeout=30)
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ["to_day"])
