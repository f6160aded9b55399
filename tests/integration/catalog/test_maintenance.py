"""A site's maintenance, as the catalogue tells of it: four services take nothing new, and what is there goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
from mpp.applications.v1 import application_pb2, applications_service_pb2
from mpp.applications.v1.applications_service_pb2_grpc import ApplicationsServiceStub
from mpp.complaints.v1 import complaint_pb2, complaints_service_pb2
from mpp.complaints.v1.complaints_service_pb2_grpc import ComplaintsServiceStub
from mpp.queue.v1 import appointments_service_pb2, queue_service_pb2
from mpp.queue.v1.appointments_service_pb2_grpc import AppointmentsServiceStub
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub

from tests.conftest import request_id

WORDS = {"id": "Sistem sedang dirawat", "en": "Under maintenance"}
RULES = {"slot_minutes": 30, "places": 200, "public_places": 200, "latest_days": 30}
HOURS = [{"weekday": day, "opens": "00:00", "closes": "23:30"} for day in range(1, 8)]


class Citizens:
    """What citizens begin at the four services, and what an officer does meanwhile."""

    def __init__(self, services: Any, office: Any) -> None:
        services.service("queue", "applications", "complaints")
        self.office, self.queue = office, f"{office.site}/queues/dukcapil"
        self.tickets = services.stub("queue", QueueServiceStub)
        self.bookings = services.stub("queue", AppointmentsServiceStub)
        self.files = services.stub("applications", ApplicationsServiceStub)
        self.words = services.stub("complaints", ComplaintsServiceStub)
        self.citizen = services.auth("citizen", subject="ani")
        self.kiosk = services.auth("kiosk", site=office.site_id)
        self.officer = services.auth("officer", site=office.site_id, agency="dukcapil", counter=3)

    def take(self, id: str = "") -> Any:
        request = queue_service_pb2.TakeTicketRequest(parent=self.queue, request_id=id or request_id())
        return self.tickets.TakeTicket(request, metadata=self.kiosk, timeout=30).ticket

    def hold(self) -> Any:
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
        request = appointments_service_pb2.HoldSlotRequest(parent=self.queue, request_id=request_id())
        request.start.FromDatetime(start)
        return self.bookings.HoldSlot(request, metadata=self.citizen, timeout=30)

    def open_file(self, who: Any = None) -> Any:
        person = application_pb2.Applicant(full_name="Ani", nik="3573014112900001", phone="+6281234567890")
        request = applications_service_pb2.CreateApplicationRequest(
            parent=self.office.site,
            offering=f"{self.office.site}/offerings/kk",
            applicant=person,
            request_id=request_id(),
        )
        return self.files.CreateApplication(request, metadata=who or self.citizen, timeout=30)

    def complain(self) -> Any:
        request = complaints_service_pb2.FileComplaintRequest(
            parent=self.office.site,
            agency=f"{self.office.site}/agencies/dukcapil",
            subject="Antrean lama",
            text="Saya menunggu lama",
            visibility=complaint_pb2.Complaint.VISIBILITY_PUBLIC,
            request_id=request_id(),
        )
        return self.words.FileComplaint(request, metadata=self.citizen, timeout=30)

    def slots(self) -> int:
        request = appointments_service_pb2.ListSlotsRequest(parent=self.queue)
        try:
            return len(self.bookings.ListSlots(request, timeout=30).slots)
        except grpc.RpcError:  # its rules are not known here yet
            return 0


def works(begin: Any) -> bool:
    try:
        begin()
    except grpc.RpcError as error:
        print(f"{begin.__name__}: {error.code()} {error.details()}")  # shown when the test fails
        return False
    return True


@pytest.mark.stack
def test_nothing_new_begins_and_what_is_there_goes_on(services: Any, office: Any, eventually: Any) -> None:
    citizens = Citizens(services, office)
    office.apply_agency(office.an_agency(queue=queue_of(office)))
    office.apply_site(office.a_site(opening_hours=HOURS))
    office.apply_offering()
    begins = [citizens.take, citizens.hold, citizens.open_file, citizens.complain]
    for begin in begins:
        eventually(lambda one=begin: works(one))
    before = request_id()
    ticket = citizens.take(before)

    now = datetime.now(ZoneInfo("Asia/Jakarta"))
    starts, ends = (f"{now + timedelta(hours=h):%Y-%m-%dT%H:%M}" for h in (-1, 1))
    planned = f"{now + timedelta(days=9):%Y-%m-%dT%H:%M}", f"{now + timedelta(days=9, hours=1):%Y-%m-%dT%H:%M}"
    windows = [{"starts": a, "ends": b, "text": WORDS} for a, b in ((starts, ends), planned)]
    office.apply_site(office.a_site(opening_hours=HOURS, maintenance=windows))
    for begin in begins:
        eventually(lambda one=begin: not works(one))
        told = office.refused(begin)
        assert (told.code, told.reason) == ("FAILED_PRECONDITION", "MAINTENANCE"), begin
        assert (told.metadata["text_id"], told.metadata["text_en"]) == (WORDS["id"], WORDS["en"])
        assert datetime.fromisoformat(told.metadata["ends_at"]) == datetime.fromisoformat(f"{ends}+07:00")
    assert citizens.take(before) == ticket  # what was granted before is told again
    status = citizens.tickets.GetQueue(queue_service_pb2.GetQueueRequest(name=citizens.queue), timeout=30)
    assert (status.closed_reason, status.closed_text) == ("MAINTENANCE", WORDS["id"])
    assert citizens.slots() > 0  # reads go on
    call = queue_service_pb2.CallNextRequest(parent=citizens.queue, counter=3, request_id=request_id())
    assert citizens.tickets.CallNext(call, metadata=citizens.officer, timeout=30).number
    assert citizens.open_file(citizens.officer).name  # for who sits at the counter

    office.apply_site(office.a_site(opening_hours=HOURS, maintenance=windows[1:]))
    for begin in begins:
        eventually(lambda one=begin: works(one))


@pytest.mark.stack
def test_a_day_off_of_one_agency_closes_that_one(services: Any, office: Any, eventually: Any) -> None:
    citizens = Citizens(services, office)
    office.apply_site(office.a_site(opening_hours=HOURS))
    office.apply_agency(office.an_agency(queue=queue_of(office)))
    eventually(lambda: works(citizens.take))
    slots = eventually(citizens.slots)
    local = datetime.now(ZoneInfo("Asia/Jakarta"))
    days = [{"date": f"{local + timedelta(days=n):%Y-%m-%d}", "text": {"id": "Pelatihan"}} for n in range(3)]
    office.apply_agency(office.an_agency(queue=queue_of(office, closures=days)))
    eventually(lambda: not works(citizens.take))
    told = office.refused(citizens.take)
    assert (told.reason, told.metadata["cause"], told.metadata["text_id"]) == ("QUEUE_NOT_OPEN", "CLOSURE", "Pelatihan")
    eventually(lambda: 0 < citizens.slots() < slots)
    office.apply_agency(office.an_agency(queue=queue_of(office, draining=True)))
    eventually(lambda: citizens.slots() == 0)
    assert office.refused(citizens.hold).metadata["cause"] == "DRAINING"
    elsewhere = f"{office.site}/queues/samsat"
    request = queue_service_pb2.TakeTicketRequest(parent=elsewhere, request_id=request_id())
    ticket = citizens.tickets.TakeTicket(request, metadata=citizens.kiosk, timeout=30).ticket
    over = queue_service_pb2.TransferTicketRequest(
        name=ticket.name, target=citizens.queue, reason="salah loket", request_id=request_id()
    )
    samsat = services.auth("officer", site=office.site_id, agency="samsat", counter=7)
    told = office.refused(lambda: citizens.tickets.TransferTicket(over, metadata=samsat, timeout=30))
    assert (told.reason, told.fields, told.metadata["cause"]) == ("QUEUE_NOT_OPEN", ("target",), "DRAINING")


def queue_of(office: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "dukcapil", "prefix": "D", "counters": [3], "minutes_per_visit": 10, "appointments": RULES, **more
    }  # fmt: skip
