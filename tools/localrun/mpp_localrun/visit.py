"""One citizen's visit to MPP Merdeka Malang, told step by step. Public surfaces only; what is announced is awaited.

Knows the public contract. Knows no store. What a queue can do beyond this one visit is shown in tour/.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import grpc
from mpp.applications.v1 import application_pb2, applications_service_pb2, applications_service_pb2_grpc
from mpp.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, offering_pb2
from mpp.complaints.v1 import complaint_pb2, complaints_service_pb2, complaints_service_pb2_grpc
from mpp.queue.v1 import queue_service_pb2, queue_service_pb2_grpc, ticket_pb2
from rich.console import Console
from rich.table import Table

from mpp_localrun.onlookers import AgencySystem, Board, Seen, now
from mpp_localrun.platform import Platform
from mpp_localrun.walk import VisitFailed, Walk, fault_of

__all__ = ["COUNTER", "QUEUE", "SITE", "Visit", "VisitFailed", "run_visit", "traced"]

SITE = "sites/malang"
AGENCY = f"{SITE}/agencies/dukcapil"
QUEUE = f"{SITE}/queues/dukcapil"
COUNTER = 3


@dataclass
class People:
    """Who acts: a token each, with the least rights that do."""

    citizen: str
    kiosk: str
    officer: str
    verifier: str
    admin: str
    manager: str


class Visit(Walk):
    """The family card: who acts, and the services that are used."""

    def __init__(self, platform: Platform, console: Console, people: People, phone: str, nik: str) -> None:
        super().__init__(platform, console, site=SITE, manager=people.manager)
        self.people, self.phone, self.nik = people, phone, nik
        self.catalog = self.stub("catalog", catalog_service_pb2_grpc.CatalogServiceStub)
        self.queue = self.stub("queue", queue_service_pb2_grpc.QueueServiceStub)
        self.applications = self.stub("applications", applications_service_pb2_grpc.ApplicationsServiceStub)
        self.complaints = self.stub("complaints", complaints_service_pb2_grpc.ComplaintsServiceStub)


def run_visit(platform: Platform, console: Console) -> Visit:
    """The whole visit. Raises VisitFailed."""
    serial = secrets.randbelow(9998) + 1
    nik, phone = f"357301150590{serial:04d}", f"+62812{secrets.randbelow(10**8):08d}"
    subject = f"warga-{serial}"
    people = People(
        citizen=platform.token(subject, ["citizen"], nik=nik),
        kiosk=platform.token("kiosk-1", ["kiosk"], site="malang"),
        officer=platform.token("petugas-3", ["officer"], site="malang", agency="dukcapil", counter=COUNTER),
        verifier=platform.token("verifikator-1", ["verifier"], site="malang", agency="dukcapil"),
        admin=platform.token("admin-dukcapil", ["agency_admin"], site="malang", agency="dukcapil"),
        manager=platform.token("manajer-malang", ["site_manager"], site="malang"),
    )
    visit = Visit(platform, console, people, phone, nik)
    started = now()
    offering = _look_for(visit)
    ticket = _take_ticket(visit, offering)
    _call_and_serve(visit, ticket)
    application = _open_application(visit, offering, ticket)
    _work_on_it(visit, application)
    _finish(visit, ticket)
    _collect(visit, application)
    _complain(visit, ticket, application)
    _as_the_agency_sees_it(visit, ticket, application, started)
    summary(visit, "One visit")
    return visit


def _look_for(visit: Visit) -> offering_pb2.Offering:
    with visit.step('The citizen looks for "kartu keluarga" and reads the service standard'):
        search = catalog_service_pb2.SearchOfferingsRequest(parent=SITE, query="kartu keluarga")
        found = visit.call(visit.catalog.SearchOfferings, search).offerings
        if not found:
            raise VisitFailed("the catalogue knows no kartu keluarga; was the site loaded?")
        name = catalog_service_pb2.GetOfferingRequest(name=found[0].name)
        offering = visit.call(visit.catalog.GetOffering, name)
        visit.say(f"{offering.display_name.id} ({offering.display_name.en})")
    visit.console.print(_standard(offering))
    return offering  # type: ignore[no-any-return]


_COMPONENTS = {
    "requirements": "Persyaratan / requirements",
    "procedure": "Prosedur / procedure",
    "time": "Waktu / time",
    "fee": "Biaya / fee",
    "product": "Produk / product",
    "complaint_handling": "Pengaduan / complaints",
    "legal_basis": "Dasar hukum / legal basis",
    "facilities": "Sarana / facilities",
    "competence": "Kompetensi / competence",
    "internal_supervision": "Pengawasan / supervision",
    "staff_count": "Jumlah pelaksana / staff",
    "service_guarantee": "Jaminan pelayanan / service guarantee",
    "security_guarantee": "Jaminan keamanan / safety",
    "performance_evaluation": "Evaluasi kinerja / evaluation",
}


def _standard(offering: offering_pb2.Offering) -> Table:
    """The 14 components; a gap is shown as a gap, a sample as a sample."""
    table = Table(title="Standar pelayanan / service standard", title_justify="left", show_header=False, box=None)
    for component, label in _COMPONENTS.items():
        if component in offering.missing_components:
            text = "[yellow]belum tersedia / not published yet[/yellow]"
        else:
            text = _component(offering.standard, component)
        if component in offering.standard.sample_components:
            text += " [dim](contoh / sample)[/dim]"
        table.add_row(f"  {label}", text)
    return table


def _component(standard: offering_pb2.Standard, component: str) -> str:
    if component == "requirements":
        return "; ".join(r.display_name.id for r in standard.requirements)
    if component == "time":
        unit = offering_pb2.ServiceTime.Unit.Name(standard.time.unit).removeprefix("UNIT_").lower()
        return f"{standard.time.amount} {unit.replace('_', ' ')}"
    if component == "fee":
        fee = standard.fee
        amounts = [f"{t.display_name.id}: Rp{t.amount_idr:,}" for t in fee.tariffs] or (
            [f"Rp{fee.amount_idr:,}"] if fee.HasField("amount_idr") else [fee.formula]
        )
        return f"{'; '.join(amounts).replace(',', '.')} ({fee.basis})"
    value = getattr(standard, component)
    return "; ".join(value) if component in ("procedure", "legal_basis") else str(value)


def _take_ticket(visit: Visit, offering: offering_pb2.Offering) -> ticket_pb2.Ticket:
    with visit.step("The kiosk prints a ticket for Dukcapil"):
        request = queue_service_pb2.TakeTicketRequest(parent=QUEUE, offering=offering.name, phone=visit.phone)
        issued = visit.call(visit.queue.TakeTicket, request, visit.people.kiosk)
        ticket = issued.ticket
        minutes = round(issued.estimated_wait.seconds / 60)
        visit.say(f"Number [bold]{ticket.number}[/bold], {issued.people_ahead} ahead, about {minutes} min to wait")
    with visit.step("The citizen is told by SMS"):
        visit.announced(ticket.name, "ticket_issued")
    return ticket  # type: ignore[no-any-return]


def _call_and_serve(visit: Visit, ticket: ticket_pb2.Ticket) -> None:
    officer = visit.people.officer
    board = Board(visit.platform, QUEUE)
    with visit.step(f"Counter {COUNTER} calls the next number"):
        called = _call_next(visit)
        while called.name != ticket.name:  # somebody left over from an earlier day or run is served first
            visit.say(f"[dim]{called.number} was before us and is served[/dim]")
            visit.call(visit.queue.StartServing, queue_service_pb2.StartServingRequest(name=called.name), officer)
            visit.call(visit.queue.FinishTicket, queue_service_pb2.FinishTicketRequest(name=called.name), officer)
            called = _call_next(visit)
        visit.say(f"{called.number} to counter {called.counter}")
    with visit.step("The wall screen shows it, over the gateway"):
        visit.until(f"{ticket.number} on the board ({board.url}) {board.problem}", lambda: board.shows(ticket.number))
        visit.say(f"[dim]EventSource {board.url}[/dim]")
        board.close()
    with visit.step("The call reaches the phone"):
        visit.announced(ticket.name, "ticket_called")
    with visit.step("The citizen sits down: serving starts"):
        request = queue_service_pb2.StartServingRequest(name=ticket.name)
        visit.call(visit.queue.StartServing, request, officer)


def _call_next(visit: Visit) -> ticket_pb2.Ticket:
    """The next ticket; one that an interrupted visit left at the counter is ended first."""
    request = queue_service_pb2.CallNextRequest(parent=QUEUE, counter=COUNTER)
    try:
        return visit.call(visit.queue.CallNext, request, visit.people.officer)  # type: ignore[no-any-return]
    except grpc.RpcError as e:
        left = fault_of(e)[1].get("ticket")
        if not left:
            raise
        officer = visit.people.officer
        for method, kind in (
            (visit.queue.StartServing, queue_service_pb2.StartServingRequest),
            (visit.queue.FinishTicket, queue_service_pb2.FinishTicketRequest),
        ):
            try:
                visit.call(method, kind(name=left), officer)
            except grpc.RpcError as wrong_state:
                if wrong_state.code() != grpc.StatusCode.FAILED_PRECONDITION:
                    raise
        return visit.call(visit.queue.CallNext, request, officer)  # type: ignore[no-any-return]


def _open_application(visit: Visit, offering: offering_pb2.Offering, ticket: ticket_pb2.Ticket) -> Any:
    officer = visit.people.officer
    with visit.step("The officer opens the application with its requirements"):
        request = applications_service_pb2.CreateApplicationRequest(
            parent=SITE,
            offering=offering.name,
            ticket=ticket.name,
            applicant=application_pb2.Applicant(full_name="Budi Santoso", nik=visit.nik, phone=visit.phone),
            presented_requirements=[r.id for r in offering.standard.requirements],
        )
        application = visit.call(visit.applications.CreateApplication, request, officer)
        who = application.applicant
        visit.say(f"{application.name.rsplit('/', 1)[1]} for {who.masked_name}, NIK {who.masked_nik}")
        visit.announced(application.name, "application_opened")
    with visit.step("The file is handed in"):
        submit = applications_service_pb2.SubmitApplicationRequest(name=application.name)
        visit.call(visit.applications.SubmitApplication, submit, officer)
        visit.announced(application.name, "application_submitted")
    with visit.step("The queue learns of the application, by event"):
        look = queue_service_pb2.GetTicketRequest(name=ticket.name)
        visit.until(
            "the application on the ticket",
            lambda: application.name in visit.call(visit.queue.GetTicket, look, officer).applications,
        )
    return application


def _work_on_it(visit: Visit, application: Any) -> None:
    commands = application_pb2.OfficerCommand
    people = visit.people
    steps = (
        ("The verifier takes the file up", commands.OFFICER_COMMAND_START_VERIFICATION, people.verifier, "verifying"),
        ("The file is complete: the clock starts", commands.OFFICER_COMMAND_ACCEPT, people.verifier, "accepted"),
        ("The office works on it", commands.OFFICER_COMMAND_START_PROCESSING, people.officer, "processing"),
        ("It is approved", commands.OFFICER_COMMAND_APPROVE, people.admin, "approved"),
    )
    for title, command, token, state in steps:
        with visit.step(title):
            request = applications_service_pb2.AdvanceApplicationRequest(name=application.name, command=command)
            reply = visit.call(visit.applications.AdvanceApplication, request, token)
            if state == "accepted" and reply.HasField("due_at"):
                visit.say(f"due {reply.due_at.ToDatetime():%Y-%m-%d %H:%M} UTC by the service standard")
            visit.announced(application.name, f"application_{state}")
    with visit.step("The document is issued"):
        issue = applications_service_pb2.IssueApplicationRequest(
            name=application.name, document_number=f"3573{secrets.randbelow(10**8):08d}-KK"
        )
        visit.call(visit.applications.IssueApplication, issue, people.officer)
        visit.announced(application.name, "application_issued")


def _finish(visit: Visit, ticket: ticket_pb2.Ticket) -> None:
    with visit.step(f"{ticket.number} is finished; counter {COUNTER} is free"):
        request = queue_service_pb2.FinishTicketRequest(name=ticket.name)
        visit.call(visit.queue.FinishTicket, request, visit.people.officer)


def _collect(visit: Visit, application: Any) -> None:
    with visit.step("It is ready: the pickup code goes to the citizen's phone only"):
        request = applications_service_pb2.AdvanceApplicationRequest(
            name=application.name, command=application_pb2.OfficerCommand.OFFICER_COMMAND_MARK_READY
        )
        visit.call(visit.applications.AdvanceApplication, request, visit.people.officer)
        text = visit.announced(application.name, "application_ready_for_pickup")
        code = re.search(r"Kode pengambilan: (\d{6})\b", text)  # a reference in the text may hold six digits too
        if code is None:
            raise VisitFailed("the message holds no pickup code")
    with visit.step("The citizen shows the code and collects the family card"):
        collect = applications_service_pb2.CollectApplicationRequest(name=application.name, pickup_code=code[1])
        visit.call(visit.applications.CollectApplication, collect, visit.people.officer)
        visit.announced(application.name, "application_collected")


def _complain(visit: Visit, ticket: ticket_pb2.Ticket, application: Any) -> None:
    commands = complaint_pb2.HandlerCommand
    people = visit.people
    with visit.step("The citizen complains about the waiting time"):
        complaint = visit.call(
            visit.complaints.FileComplaint,
            complaints_service_pb2.FileComplaintRequest(
                parent=SITE,
                agency=AGENCY,
                ticket=ticket.name,
                application=application.name,
                subject="Waktu tunggu / waiting time",
                text="Saya menunggu terlalu lama di Dukcapil.",
                visibility=complaint_pb2.Complaint.VISIBILITY_ANONYMOUS,
                phone=visit.phone,
            ),
            people.citizen,
        )
        visit.announced(complaint.name, "complaint_filed")
    advance = complaints_service_pb2.AdvanceComplaintRequest
    with visit.step("The site manager verifies and assigns it; the measured wait lies beside it"):
        for command in (commands.HANDLER_COMMAND_VERIFY, commands.HANDLER_COMMAND_ASSIGN):
            request = advance(name=complaint.name, command=command)
            reply = visit.call(visit.complaints.AdvanceComplaint, request, people.manager)
        look = complaints_service_pb2.GetComplaintRequest(name=complaint.name)
        seen = visit.until(
            "the measured wait",
            lambda: (
                (c := visit.call(visit.complaints.GetComplaint, look, people.manager)).HasField("measured_wait_seconds")
                and c
            ),
        )
        visit.say(
            f"measured: {seen.measured_wait_seconds} s of waiting; next due {reply.due_at.ToDatetime():%Y-%m-%d %H:%M} UTC"
        )
    with visit.step("The agency takes it up and answers"):
        request = advance(name=complaint.name, command=commands.HANDLER_COMMAND_START)
        visit.call(visit.complaints.AdvanceComplaint, request, people.admin)
        answer = complaints_service_pb2.AnswerComplaintRequest(
            name=complaint.name, answer="Mohon maaf. Mulai besok loket 4 dibuka pada jam sibuk."
        )
        visit.call(visit.complaints.AnswerComplaint, answer, people.admin)
        visit.announced(complaint.name, "complaint_answered")
    with visit.step("The citizen rates the answer: 5 of 5"):
        rate = complaints_service_pb2.RateComplaintRequest(name=complaint.name, rating=5)
        visit.call(visit.complaints.RateComplaint, rate, people.citizen)
        visit.announced(complaint.name, "complaint_closed")


def _as_the_agency_sees_it(visit: Visit, ticket: ticket_pb2.Ticket, application: Any, started: datetime) -> None:
    """The agency's own system reads its streams with its own account: the same visit, without the person."""
    mine = (ticket.name, application.name)
    with visit.step("Dukcapil's own system reads the visit from its event streams"):
        system = AgencySystem(visit.platform, SITE, AGENCY)

        def read() -> list[Seen]:
            seen = [s for s in system.events_since(started) if s.subject in mine]
            return seen if any(s.body.get("state") == "STATE_COLLECTED" for s in seen) else []

        seen = visit.until("the collected application in the agency's stream", read)
        visit.say(f"[dim]account {system.access['username']}, streams {', '.join(system.access['streams'])}[/dim]")
    table = Table(
        title="Events of this visit, as the agency gets them (no personal data)", title_justify="left", box=None
    )
    for event in seen:
        what = event.body.get("number") or event.subject[-8:].upper()  # the reference on the phone
        state = str(event.body.get("state", "")).removeprefix("STATE_").lower()
        table.add_row(f"  {event.time:%H:%M:%S.%f}"[:-3], event.type.rsplit(".", 1)[1], what, state)
    visit.console.print(table)


def summary(visit: Walk, title: str) -> None:
    """The steps with their times, and on how many log lines the walk's trace stands."""
    table = Table(title=f"{title}, step by step", title_justify="left")
    table.add_column("Step")
    table.add_column("ms", justify="right")
    for step, milliseconds in visit.steps:
        table.add_row(step, f"{milliseconds:.0f}")
    table.add_row("[bold]in all[/bold]", f"[bold]{sum(ms for _, ms in visit.steps):.0f}[/bold]")
    visit.console.print(table)
    lines, processes = traced(visit.platform, visit.trace)
    visit.console.print(
        f"{title}, one trace: [bold]{visit.trace}[/bold] stands on {lines} log lines of {len(processes)} processes "
        f"({', '.join(sorted(processes))})."
    )


def traced(platform: Platform, trace: str) -> tuple[int, set[str]]:
    """Log lines of a trace, and the processes that wrote them."""
    lines, processes = 0, set()
    for file in platform.logs.glob("*.log"):
        with file.open(errors="replace") as log:
            for line in log:
                if trace in line:
                    lines += 1
                    found = re.search(r'"service": "(\w+)", "process": "(\w+)"', line)
                    if found:
                        processes.add(f"{found[1]}-{found[2]}")
    return lines, processes
