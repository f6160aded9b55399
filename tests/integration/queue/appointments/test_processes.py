"""Real processes: two serve one agenda, and kill -9 in a storm of check-ins."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from mpp.catalog.v1 import agency_pb2, channel_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import appointment_pb2
from mpp.queue.v1 import appointments_service_pb2 as pb
from mpp.queue.v1.appointments_service_pb2_grpc import AppointmentsServiceStub
from mpp_localrun.platform import free_ports, stop, wait_ready

TIMEOUT = 20
State = appointment_pb2.Appointment
ALWAYS = [agency_pb2.AgendaHours(weekday=d, opens="00:00", closes="23:59") for d in range(1, 8)]


@dataclass
class Bookable:
    """A queue of the test's own that can be booked all day."""

    hall: Any
    line: Any
    stub: Any

    def request(self, start: Any, **given: Any) -> pb.HoldSlotRequest:
        return pb.HoldSlotRequest(parent=self.line.name, start=start, request_id=str(uuid.uuid4()), **given)

    def slots(self, days: int = 1) -> list[Any]:
        return list(self.stub.ListSlots(pb.ListSlotsRequest(parent=self.line.name, days=days), timeout=TIMEOUT).slots)

    def documents(self) -> list[dict[str, Any]]:
        return list(
            self.hall.database["agendas"].find({"site_id": self.line.name.split("/")[1], "parent": self.line.name})
        )


def open_agenda(hall: Any, **rules: Any) -> Bookable:
    line = hall.open_line()
    spec = agency_pb2.QueueSpec(
        id=line.name.rsplit("/", 1)[1],
        prefix=line.prefix,
        counters=line.counters,
        minutes_per_visit=10,
        appointments=agency_pb2.AppointmentRules(
            **{"slot_minutes": 30, "places": 10, "public_places": 10, "latest_days": 7, "hours": ALWAYS, **rules}
        ),
    )
    agency = agency_pb2.Agency(name=line.agency, queue=spec)
    hall.tell("catalog.events", catalog_events.AgencyPublished(agency=agency), line.agency, 2)
    made = Bookable(hall, line, hall.services.stub("queue", AppointmentsServiceStub))

    def bookable() -> bool:
        try:
            return bool(made.slots(2))
        except grpc.RpcError:
            return False

    hall.until(bookable)
    return made


@pytest.fixture(scope="module")
def second_stub(services: Any, hall: Any) -> Iterator[Any]:
    """A second `serve` process of the service, on ports of its own."""
    platform = services.platform
    grpc_port, http_port = free_ports(2)
    made = platform.process("queue", "serve", MPP_GRPC_PORT=str(grpc_port), MPP_HTTP_PORT=str(http_port))
    process = replace(made, name="queue-serve-bookings", ready_url=f"http://127.0.0.1:{http_port}/readyz")
    popen = platform.start(process)
    wait_ready([(process, popen)], platform.logs)
    channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
    yield AppointmentsServiceStub(channel)
    channel.close()
    assert stop(popen) == 0


def test_200_callers_of_two_processes_on_10_places(hall: Any, second_stub: Any) -> None:
    agenda = open_agenda(hall)
    slot = agenda.slots(2)[-1]
    stubs, kiosk = (agenda.stub, second_stub), hall.kiosk()

    def one(n: int) -> str:
        try:
            request = agenda.request(slot.start)
            return str(stubs[n % 2].HoldSlot(request, metadata=kiosk, timeout=TIMEOUT).name)
        except grpc.RpcError as e:
            if e.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            return ""

    with ThreadPoolExecutor(64) as pool:
        got = [name for name in pool.map(one, range(200)) if name]
    assert len(set(got)) == len(got) == 10
    (day,) = agenda.documents()
    assert {b["id"] for b in day["bookings"]} == {name.rsplit("/", 1)[1] for name in got}
    assert agenda.slots(2)[-1].free == 0


def test_one_request_and_one_address_in_two_processes(hall: Any, second_stub: Any) -> None:
    """A request over two agendas has one hold, whichever process hears it; an address has two open bookings at each."""
    both = [open_agenda(hall, max_open_per_email=2) for _ in range(2)]
    slot, stubs, kiosk = both[0].slots(2)[-1], (both[0].stub, second_stub), hall.kiosk()

    def ask(n: int, request_id: str, email: str) -> str:
        request = pb.HoldAnySlotRequest(
            parent="/".join(both[0].line.name.split("/")[:2]),
            agendas=[agenda.line.name for agenda in both],
            start=slot.start,
            offering="/".join([*both[0].line.name.split("/")[:2], "offerings/apa-saja"]),
            email=email,
            request_id=request_id,
        )
        try:
            return str(stubs[n % 2].HoldAnySlot(request, metadata=kiosk, timeout=TIMEOUT).name)
        except grpc.RpcError as e:
            if e.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            return ""

    once = str(uuid.uuid4())
    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(lambda n: ask(n, once, ""), range(12)))) == 1
        got = [name for name in pool.map(lambda n: ask(n, str(uuid.uuid4()), "siti@example.id"), range(24)) if name]
    assert len(set(got)) == len(got) == 4
    there = [b for agenda in both for d in agenda.documents() for b in d["bookings"] if b["state"] == "held"]
    assert len(there) == 5


def test_kill_9_between_check_in_and_ticket(hall: Any, services: Any) -> None:
    """Whoever was checked in has a ticket in the end, and one only, although `serve` is killed amid a storm of check-ins."""
    agenda = open_agenda(hall, early_minutes=240, places=40, public_places=40)
    now = datetime.now(UTC)
    soon = [s for s in agenda.slots() if s.start.ToDatetime(tzinfo=UTC) > now + timedelta(minutes=1)]
    if not soon:
        pytest.skip("the last half hour of the site's day: nothing of today can be booked")
    kiosk = hall.kiosk()
    held = [agenda.stub.HoldSlot(agenda.request(soon[0].start), metadata=kiosk, timeout=TIMEOUT) for _ in range(16)]
    sure = [
        agenda.stub.ConfirmAppointment(
            pb.ConfirmAppointmentRequest(name=h.name, request_id=str(uuid.uuid4())), metadata=kiosk, timeout=TIMEOUT
        )
        for h in held
    ]
    requests = [
        pb.CheckInRequest(parent=a.name.split("/queues/")[0], booking_code=a.booking_code, request_id=str(uuid.uuid4()))
        for a in sure
    ]
    done: list[str] = []

    def check_in(request: pb.CheckInRequest) -> None:
        try:
            done.append(agenda.stub.CheckIn(request, metadata=kiosk, timeout=TIMEOUT).issued.ticket.number)
        except grpc.RpcError as e:
            if e.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED):
                raise

    with ThreadPoolExecutor(8) as pool:
        storm = [pool.submit(check_in, r) for r in requests]
        hall.until(lambda: len(done) >= 4)
        services.kill("queue-serve")
        for each in storm:
            each.result()
    acknowledged = set(done)
    tickets = hall.database["tickets"]

    def all_have_one() -> bool:
        (day,) = agenda.documents()
        checked_in = [b["ticket"] for b in day["bookings"] if b["state"] == "checked_in"]
        return tickets.count_documents({"_id": {"$in": checked_in}}) == len(checked_in) > 0

    hall.until(all_have_one)  # `work` alone: nobody asked again, and `serve` is dead
    services.service("queue")
    for request in requests:
        answer = agenda.stub.CheckIn(request, metadata=kiosk, timeout=TIMEOUT, wait_for_ready=True)
        assert answer.appointment.state == State.STATE_CHECKED_IN
        acknowledged.discard(answer.issued.ticket.number)
    assert not acknowledged
    documents = hall.documents(agenda.line)
    assert len(documents) == len(requests) == len({d["appointment"] for d in documents})
    assert len({d["number"] for d in documents}) == len(documents)


def test_a_channel_is_bookable_as_soon_as_it_is_told_of(hall: Any) -> None:
    """And the time that a hold gives runs out by itself: the event comes from the sweep."""
    ear = hall.ear()
    agenda = open_agenda(hall, hold_minutes=1)
    name = f"{agenda.line.name.split('/queues/')[0]}/channels/ruang-{uuid.uuid4().hex[:8]}"
    channel = channel_pb2.Channel(
        name=name,
        kind=f"{name.split('/channels/')[0]}/channelKinds/ruang",
        agency=agenda.line.agency,
        appointments=agency_pb2.AppointmentRules(
            slot_minutes=120, places=1, public_places=1, latest_days=7, hours=ALWAYS
        ),
    )
    hall.tell("catalog.events", catalog_events.ChannelPublished(channel=channel), name, 1)
    hall.until(lambda: hall.database["channels"].find_one({"_id": name}))
    slot = agenda.stub.ListSlots(pb.ListSlotsRequest(parent=name, days=2), timeout=TIMEOUT).slots[-1]
    request = pb.HoldSlotRequest(parent=name, start=slot.start, request_id=str(uuid.uuid4()))
    held = agenda.stub.HoldSlot(request, metadata=hall.citizen("ani"), timeout=TIMEOUT)
    # Nobody waits a minute: the store's clock of this one hold is put back.
    day = held.name.rsplit("/appointments/", 1)[0]
    past = datetime(2026, 1, 1, tzinfo=UTC)
    earlier = {"due_at": past, "bookings.0.hold_until": past, "bookings.0.cool_until": past}
    hall.database["agendas"].update_one({"_id": day}, {"$set": earlier, "$inc": {"version": 1}})
    hall.until(lambda: len(ear.of(held.name)) == 2)
    (held_key, _), (gone_key, gone) = ear.of(held.name)
    assert (held_key, gone_key) == ("appointment_held.v1", "appointment_cancelled.v1")
    assert gone["cause"] == "CAUSE_HOLD_EXPIRED"
    public = [
        body for key, headers, body in ear.heard if headers["ce-subject"] == held.name and key.endswith(".public")
    ]
    assert not [field for body in public for field in body if field.endswith("Key") or field.startswith("sealed")]
