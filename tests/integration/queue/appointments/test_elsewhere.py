"""By phone and by video on the real store, and how many bookings one e-mail address may have open."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from mpp.queue.v1 import appointment_pb2, queue_service_pb2
from mpp.queue.v1 import appointments_service_pb2 as pb
from mpp_queue import calling, reading
from mpp_queue.appointments import checking_in
from mpp_queue.appointments.domain import errors
from mpp_queue.domain import InvalidField, QuotaReached

from .conftest import QUEUE, SITE, Bureau, at

S = appointment_pb2.Appointment
PHONE, VIDEO = appointment_pb2.APPOINTMENT_VARIANT_PHONE, appointment_pb2.APPOINTMENT_VARIANT_VIDEO
LINK = "https://temu.example.id/r/{code}?x=1"
MAIL = "budi@example.id"


@pytest.fixture
def office(bureau: Bureau) -> Bureau:
    bureau.learn(2, variants=["on_site", "phone", "video"], video_link=LINK)
    return bureau


def limited(bureau: Bureau, **rules: Any) -> Bureau:
    bureau.learn(3, **{"max_open_per_email": 2, **rules})
    return bureau


def test_a_video_link_is_for_the_citizen_and_for_officers(office: Bureau) -> None:
    sure = office.confirm(office.hold(at(8), variant=VIDEO, email=MAIL))
    assert sure.video_link.startswith("https://temu.example.id/r/")
    assert (sure.video_link.endswith("?x=1"), "{" in sure.video_link) == (True, False)
    assert sure.booking_code.replace("-", "").lower() not in sure.video_link
    assert office.get(sure.name).video_link == sure.video_link
    assert office.get(sure.name, role="officer", subject="o").video_link == sure.video_link
    assert office.database["audit"].count_documents({"action": "read_appointment_link"}) == 1
    assert office.get(sure.name, role="site_manager", subject="m").video_link == ""
    day = office.database["agendas"].find_one({"_id": sure.name.split("/appointments/")[0]})
    body = str({**day, "replies": [S.FromString(r["body"]) for r in day["replies"]]})
    assert "temu.example.id" not in body
    assert MAIL not in body
    moved = office.move(sure.name, at(9))
    assert moved.video_link == sure.video_link  # the calendars of both already have it


def test_a_phone_appointment_stands_in_line_unannounced(office: Bureau) -> None:
    held = office.hold(at(8), variant=PHONE)
    with pytest.raises(InvalidField) as refused:
        office.confirm(held)
    assert refused.value.field == "phone"
    sure = office.confirm(held, phone="+6281234567890")
    office.now = at(7, 50)
    with pytest.raises(errors.Elsewhere):
        office.check_in(code=sure.booking_code)
    office.sweep(at(8))  # the reminder was not due any more, so this begins it
    there = office.get(sure.name)
    assert there.state == S.STATE_CHECKED_IN
    checking_in.complete_check_in(office.app, sure.name, office.now)  # what the event's handler does
    request = queue_service_pb2.CallNextRequest(parent=QUEUE, counter=3, request_id=str(uuid.uuid4()))
    called = calling.call_next(office.rooms, request, office.by("CallNext", request, "officer", "o"))
    assert (called.name, called.channel) == (there.ticket, "appointment_phone")
    document = office.database["tickets"].find_one({"_id": called.name})
    said = [e for e in document["outbox"]["events"] if e["key"].startswith("ticket_called")]
    assert said
    assert all("silakan" not in str(e["body"]) for e in said)
    status = reading.get_queue(
        office.rooms, (r := queue_service_pb2.GetQueueRequest(name=QUEUE)), office.by("GetQueue", r)
    )
    assert not status.board


def test_a_ticket_that_ended_unheard_ends_its_appointment(office: Bureau) -> None:
    sure = office.book(at(8))
    office.now = at(8)
    issued = office.check_in(code=sure.booking_code).issued.ticket
    office.database["tickets"].update_one({"_id": issued.name}, {"$set": {"state": "finished"}})
    office.sweep(at(23, 59))
    assert office.get(sure.name).state == S.STATE_CHECKED_IN
    office.sweep(at(6, 0, day=24))
    assert office.get(sure.name).state == S.STATE_FULFILLED


def test_so_many_open_of_one_address_however_it_is_spelled(bureau: Bureau) -> None:
    limited(bureau)
    first = bureau.hold(at(8), email="Budi@Example.id", subject="a")
    bureau.book(at(9), email="budi+lagi@example.id", subject="b")
    with pytest.raises(QuotaReached) as refused:
        bureau.hold(at(10, day=24), email=MAIL, subject="c")
    assert refused.value.metadata == {"limit": "email", "max_open": "2"}
    other = bureau.hold(at(10), subject="c")
    with pytest.raises(QuotaReached):
        bureau.confirm(other, subject="c", email=MAIL)
    assert bureau.confirm(other, subject="c").state == S.STATE_CONFIRMED
    bureau.hold(at(11), role="officer", subject="o", email=MAIL)  # an officer knows better
    bureau.cancel(first.name, subject="a")
    assert bureau.hold(at(11), email=MAIL, subject="d").masked_email == "b***@e***.id"


def test_a_moved_booking_counts_once_and_a_hold_that_ran_out_not_at_all(bureau: Bureau) -> None:
    limited(bureau)
    sure = bureau.book(at(8), email=MAIL)
    moved = bureau.move(sure.name, at(8, day=24))
    bureau.hold(at(9), email=MAIL)
    with pytest.raises(QuotaReached):
        bureau.hold(at(10), email=MAIL)
    bureau.now += timedelta(minutes=16)
    bureau.hold(at(10), email=MAIL)
    claims = {d["appointment"] for d in bureau.database["booking_claims"].find({})}
    assert moved.name in claims
    assert sure.name not in claims


def test_who_was_refused_for_another_reason_has_used_nothing(bureau: Bureau) -> None:
    limited(bureau, max_open_per_email=1, public_places=1)
    bureau.hold(at(8))
    with pytest.raises(errors.SlotFull):
        bureau.hold(at(8), email=MAIL)
    assert bureau.database["booking_claims"].count_documents({}) == 0
    rid = str(uuid.uuid4())
    first = bureau.hold(at(9), email=MAIL, request_id=rid)
    assert bureau.hold(at(9), email=MAIL, request_id=rid) == first


def test_a_claim_whose_process_died_waits_a_minute(bureau: Bureau) -> None:
    limited(bureau, max_open_per_email=1)
    held = bureau.hold(at(8), email=MAIL)
    bureau.database["agendas"].delete_many({})  # as if it had died before the second write
    with pytest.raises(QuotaReached):
        bureau.hold(at(9), email=MAIL)
    bureau.now += timedelta(seconds=60)
    assert bureau.hold(at(9), email=MAIL).name != held.name


def test_so_many_open_of_one_person(bureau: Bureau) -> None:
    limited(bureau, max_open_per_email=0, max_open_per_person=1)
    nik = "3573014107900001"
    missed = bureau.confirm(bureau.hold(at(8), nik=nik))
    bureau.sweep(at(7, day=22))
    with pytest.raises(QuotaReached) as refused:
        bureau.hold(at(9, day=24), nik=nik)
    assert refused.value.metadata["limit"] == "person"
    bureau.sweep(at(8, 40))
    bureau.sweep(at(8, 41))
    assert bureau.get(missed.name).state == S.STATE_NO_SHOW
    held = bureau.hold(at(9, day=24), nik=nik)
    with pytest.raises(QuotaReached):  # a second chance is a booking too
        bureau.move(missed.name, at(10, day=24))
    bureau.cancel(held.name)
    assert bureau.move(missed.name, at(10, day=24)).state == S.STATE_CONFIRMED
    with pytest.raises(QuotaReached):
        bureau.hold(at(9, day=25), nik=nik)


def test_twenty_at_once_in_two_processes(bureau: Bureau) -> None:
    houses = [limited(bureau, places=50, public_places=50), Bureau(bureau.database)]
    limited(houses[1], places=50, public_places=50)

    def one(n: int) -> str:
        try:
            return str(houses[n % 2].hold(at(8 + n % 3, day=23 + n % 2), email=MAIL, subject=f"s{n}").name)
        except QuotaReached:
            return ""

    with ThreadPoolExecutor(10) as pool:
        got = [name for name in pool.map(one, range(20)) if name]
    assert len(set(got)) == 2
    there = [b for d in bureau.database["agendas"].find({}) for b in d["bookings"]]
    assert len(there) == 2


def test_the_history_tells_an_officer_what_became_of_it(bureau: Bureau) -> None:
    sure = bureau.book(at(8))
    bureau.cancel(sure.name, reason="Sudah selesai")
    request = pb.ListAppointmentsRequest(parent=f"sites/{SITE}/queues/imigrasi/agendas/2026-11-23", show_ended=True)
    (row,) = bureau.do("ListAppointments", request, "officer", "o").appointments
    assert [(line.state, line.actor, line.note) for line in row.history] == [
        (S.STATE_HELD, "citizen", ""),
        (S.STATE_CONFIRMED, "citizen", ""),
        (S.STATE_CANCELLED, "citizen", "Sudah selesai"),
    ]
