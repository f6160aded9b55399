"""The running service: events in over the broker, messages in the outbox, the API over gRPC, kill -9 in between."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.catalog.v1 import events_pb2 as catalog
from mpp.complaints.v1 import complaint_pb2
from mpp.complaints.v1 import events_pb2 as complaints
from mpp.notifications.v1 import notification_pb2
from mpp.notifications.v1 import notifications_service_pb2 as rpc
from mpp.queue.v1 import events_pb2 as queue
from mpp.queue.v1 import ticket_pb2
from mpp_chassis import broker
from mpp_chassis.events import PUBLIC_EXCHANGE

SITE = "sites/uji-kabar"
DUKCAPIL = f"{SITE}/agencies/dukcapil"
FAMILY_CARD = f"{SITE}/offerings/kartu-keluarga"
BUSY, UNKNOWN, REFUSED, ACCEPTS_ONLY = (f"+628000000000{n}" for n in range(1, 5))
TIMEOUT = 15
State = notification_pb2.Notification


def some(kind: str) -> str:
    """The name of a resource nobody has heard of yet."""
    below = f"queues/dukcapil/{kind}" if kind == "tickets" else kind
    return f"{SITE}/{below}/{uuid.uuid4().hex[:26]}"


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def problem(error: grpc.RpcError) -> tuple[grpc.StatusCode, str, list[str]]:
    """(code, reason, fields) of a refusal."""
    status = rpc_status.from_call(error)
    assert status is not None
    reason, fields = "", []
    for detail in status.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(bad):
            fields = [violation.field for violation in bad.field_violations]
    return error.code(), reason, fields


# What each event becomes, through the broker.


def test_a_visit_is_told_in_both_languages(desk: Any) -> None:
    ticket, phone = some("tickets"), desk.phone("+6281211110001")
    now = stamp(datetime.now(UTC))
    common = {"ticket": ticket, "number": "D-001", "agency": DUKCAPIL, "sealed_phone": phone}
    desk.tell(queue.TicketIssued(people_ahead=2, estimated_wait_minutes=20, issued_at=now, **common), ticket)
    desk.told(ticket, "delivered")
    desk.tell(queue.TicketCalled(counter=3, calls=1, called_at=now, **common), ticket, sequence=2)
    desk.told(ticket, "delivered", "delivered")
    desk.tell(queue.TicketEnded(state=ticket_pb2.Ticket.STATE_MISSED, **common), ticket, sequence=3)
    issued, called, missed = desk.told(ticket, "delivered", "delivered", "delivered")
    assert desk.body(issued) == (
        "MPP Uji Kabar: nomor antrean Anda D-001 di Dukcapil Uji. Ada 2 orang di depan Anda. "
        "Perkiraan waktu tunggu 20 menit. Kami kabari saat nomor Anda dipanggil.\n\n"
        "News Test Mall: your queue number is D-001 at Test Registry. People ahead of you: 2. "
        "Estimated wait: 20 min. We will tell you when your number is called."
    )
    assert "Silakan ke loket 3, Dukcapil Uji." in desk.body(called)
    assert "pindah ke akhir antrean" in desk.body(missed)
    assert [each["template"] for each in (issued, called, missed)] == [
        "ticket_issued",
        "ticket_called",
        "ticket_missed",
    ]


def test_an_application_is_told_up_to_its_pickup_code(desk: Any) -> None:
    application = some("applications")
    desk.tell(
        applications.ApplicationOpened(
            application=application, offering=FAMILY_CARD, agency=DUKCAPIL, sealed_phone=desk.phone("+6281211110002")
        ),
        application,
    )
    desk.told(application, "delivered")
    # 15:30 UTC is already the next day in Jayapura, the site's zone.
    desk.advanced("ACCEPTED", application=application, due_at=stamp(datetime(2026, 8, 16, 15, 30, tzinfo=UTC)))
    desk.told(application, "delivered", "delivered")
    code = desk.cipher.seal("739164", "pickup_code")
    desk.advanced("READY_FOR_PICKUP", application=application, sealed_pickup_code=code)
    _, accepted, ready = desk.told(application, "delivered", "delivered", "delivered")
    assert "Paling lambat selesai 17 Agustus 2026." in desk.body(accepted)
    assert "done by 17 August 2026" in desk.body(accepted)
    assert "Kode pengambilan: 739164." in desk.body(ready)
    assert "Kartu Keluarga" in desk.body(ready)
    assert "Family Card" in desk.body(ready)


def test_an_appointment_is_confirmed_reminded_of_and_cancelled(desk: Any) -> None:
    appointment = some("queues/dukcapil/agendas/2026-11-24/appointments")
    # 23:30 UTC is the next morning in Jayapura, the site's zone.
    common = {
        "appointment": appointment,
        "agency": DUKCAPIL,
        "offering": FAMILY_CARD,
        "start": stamp(datetime(2026, 11, 23, 23, 30, tzinfo=UTC)),
        "sealed_phone": desk.phone("+6281211110007"),
    }
    code = desk.cipher.seal("K7MP-2QXH", "booking_code")
    desk.tell(queue.AppointmentConfirmed(sealed_booking_code=code, **common), appointment)
    desk.told(appointment, "delivered")
    desk.tell(queue.AppointmentDue(sealed_booking_code=code, **common), appointment, sequence=2)
    desk.told(appointment, "delivered", "delivered")
    gone = queue.AppointmentCancelled(cause=queue.AppointmentCancelled.CAUSE_CANCELLED, **common)
    desk.tell(gone, appointment, sequence=3)
    sure, due, cancelled = desk.told(appointment, "delivered", "delivered", "delivered")
    assert "24 November 2026 pukul 08.30 WIT" in desk.body(sure)
    assert "Layanan: Kartu Keluarga." in desk.body(sure)
    assert "K7MP-2QXH" in desk.body(sure)
    assert "24 November 2026 at 08:30 WIT" in desk.body(due)
    assert "K7MP-2QXH" not in desk.body(cancelled)


def test_a_complaint_is_told_without_saying_what_it_is_about(desk: Any) -> None:
    complaint, phone = some("complaints"), desk.phone("+6281211110003")
    desk.tell(complaints.ComplaintFiled(complaint=complaint, agency=DUKCAPIL, sealed_phone=phone), complaint)
    desk.told(complaint, "delivered")
    answered = complaints.ComplaintAdvanced(
        complaint=complaint, state=complaint_pb2.Complaint.STATE_ANSWERED, sealed_phone=phone
    )
    desk.tell(answered, complaint, sequence=2)
    filed, told = desk.told(complaint, "delivered", "delivered")
    assert complaint[-8:].upper() in desk.body(filed)
    assert "Dukcapil" not in desk.body(filed)
    assert "sudah dijawab" in desk.body(told)


def test_the_same_event_again_and_events_without_a_phone_tell_nothing_more(desk: Any) -> None:
    application = desk.advanced("DRAFT")
    desk.advanced("SUBMITTED", phone="", application=application)
    event = applications.ApplicationAdvanced(
        application=application,
        agency=DUKCAPIL,
        offering=FAMILY_CARD,
        state=application_pb2.Application.STATE_SUBMITTED,
        sealed_phone=desk.phone("+6281211110004"),
    )
    event_id = desk.tell(event, application, sequence=2)
    for _ in range(3):
        desk.tell(event, application, sequence=2, event_id=event_id)
    # The queue is in order and quorum queues keep it for one consumer: when the last is told, the others were seen.
    desk.advanced("VERIFYING", application=application)
    told = desk.told(application, "delivered", "delivered")
    assert [each["template"] for each in told] == ["application_submitted", "application_verifying"]
    desk.body(told[0])  # exactly one line in the outbox


def test_names_follow_the_catalogue_and_old_news_does_not_undo_them(desk: Any) -> None:
    agency = f"{SITE}/agencies/samsat"

    def publish(name: str, sequence: int) -> None:
        said = agency_pb2.Agency(name=agency, display_name=site_pb2.LocalizedText(id=name))
        desk.tell(catalog.AgencyPublished(agency=said), agency, sequence=sequence)

    def issued() -> str:
        ticket = some("tickets")
        event = queue.TicketIssued(
            ticket=ticket, number="S-1", agency=agency, sealed_phone=desk.phone("+6281211110005")
        )
        desk.tell(event, ticket)
        return str(desk.body(desk.told(ticket, "delivered")[0]))

    assert "instansi yang Anda tuju" in issued()
    publish("Samsat Baru", 7)
    publish("Samsat Lama", 3)
    publish("Samsat Baru", 7)
    desk.until(lambda: desk.database["agencies"].find_one({"_id": agency, "sequence": 7}))
    body = issued()
    assert body.count("Samsat Baru") == 2, "a name without English is said in Indonesian in both"


def test_a_call_that_comes_too_late_is_not_sent(desk: Any) -> None:
    ticket = some("tickets")
    event = queue.TicketCalled(ticket=ticket, number="D-9", agency=DUKCAPIL, counter=1, sealed_phone=desk.phone(BUSY))
    desk.tell(event, ticket, at=datetime.now(UTC) - timedelta(minutes=11))
    [expired] = desk.told(ticket, "expired")
    assert expired["attempts"] == 0


def test_a_call_makes_the_unsent_ticket_message_useless(desk: Any) -> None:
    ticket, phone = some("tickets"), desk.phone(BUSY)
    desk.tell(queue.TicketIssued(ticket=ticket, number="D-8", agency=DUKCAPIL, sealed_phone=phone), ticket)
    desk.told(ticket, "temporary_failure")
    desk.tell(queue.TicketCalled(ticket=ticket, number="D-8", agency=DUKCAPIL, counter=1, sealed_phone=phone), ticket)
    first, second = desk.told(ticket, "cancelled", "temporary_failure")
    assert (first["template"], first["failure"], second["template"]) == ("ticket_issued", "superseded", "ticket_called")


def test_the_sweep_of_the_running_process_finishes_what_is_due(desk: Any) -> None:
    application = desk.advanced("SUBMITTED", phone=BUSY)
    for attempt in range(1, 5):
        [waiting] = desk.told(application, "temporary_failure")
        desk.until(lambda n=attempt: desk.documents(application)[0]["attempts"] >= n)
        assert waiting["failure"] == "busy"
        desk.time_passes(application)
        desk.until(lambda n=attempt: desk.documents(application)[0]["attempts"] == n + 1)
    [ended] = desk.told(application, "technical_failure")
    assert ended["failure"] == "retries_exhausted: busy"


def test_the_end_is_told_to_services_and_agencies_without_anything_personal(desk: Any, amqp_uri: str) -> None:
    connection = broker.connection(amqp_uri)
    channel = connection.channel()
    ears = []
    for exchange in ("notifications.events", PUBLIC_EXCHANGE):
        ears.append(channel.queue_declare("", exclusive=True).queue)
        channel.queue_bind(ears[-1], exchange, routing_key="notification_ended.#")
    application = desk.advanced("SUBMITTED", phone=UNKNOWN)
    [ended] = desk.told(application, "permanent_failure")
    heard: list[str] = []

    def both() -> bool:
        for ear in ears:
            while (message := channel.basic_get(ear, no_ack=True)) is not None:
                heard.append(message.body if isinstance(message.body, str) else message.body.decode())
        return len([each for each in heard if application in each]) >= 2

    desk.until(both)
    told = [json.loads(each) for each in heard if application in each]
    assert {each["notification"] for each in told} == {ended["_id"]}
    assert {(each["state"], each["template"], each["channel"]) for each in told} == {
        ("STATE_PERMANENT_FAILURE", "application_submitted", "CHANNEL_SMS")
    }
    assert UNKNOWN not in repr(heard)
    connection.close()


# kill -9


def test_killed_in_the_middle_nobody_is_left_out_and_nobody_told_twice(desk: Any, services: Any) -> None:
    """300 events; the process is killed twice on the way; claims of the dead lapse (their time is moved, not waited)."""
    names = [some("applications") for _ in range(300)]
    for name in names[:150]:
        desk.advanced("SUBMITTED", application=name)
    query = {"site_id": "uji-kabar", "subject": {"$in": names}}
    documents = desk.database["notifications"]
    for already in (20, 90):
        desk.until(lambda n=already: documents.count_documents(query) >= n)
        services.kill("notifications-work")
        services.service("notifications")
    for name in names[150:]:
        desk.advanced("SUBMITTED", application=name)

    def all_delivered() -> bool:
        now = datetime.now(UTC)
        documents.update_many({**query, "state": "sending", "due_at": {"$gt": now}}, {"$set": {"due_at": now}})
        return bool(documents.count_documents({**query, "state": "delivered"}) == 300)

    desk.until(all_delivered, lambda: documents.count_documents(query), seconds=60)
    # In one batch: between two of them the dispatcher may move a document that it clears.
    ids = {each["_id"].rpartition("/")[2] for each in documents.find(query, {"_id": 1}).batch_size(1000)}
    keys = [each["key"] for each in desk.effects() if each["key"] in ids]
    assert len(ids) == len(names)
    assert len(keys) == len(set(keys)) == 300


# The API


def listed(desk: Any, subject: str, **given: Any) -> Any:
    request = rpc.ListNotificationsRequest(parent=SITE, subject=subject, **given)
    return desk.stub.ListNotifications(request, metadata=desk.officer(), timeout=TIMEOUT)


def receipt(desk: Any, name: str, state: int, **given: Any) -> Any:
    request = rpc.ReportReceiptRequest(name=name, state=state, **{"request_id": str(uuid.uuid4()), **given})
    return desk.stub.ReportReceipt(request, metadata=desk.provider(), timeout=TIMEOUT)


def opt_out(desk: Any, phone: str, opted_out: bool, request_id: str = "") -> Any:
    request = rpc.SetOptOutRequest(
        parent=SITE, phone=phone, opted_out=opted_out, request_id=request_id or str(uuid.uuid4())
    )
    return desk.stub.SetOptOut(request, metadata=desk.officer(), timeout=TIMEOUT)


def test_get_and_list_show_a_masked_recipient(desk: Any) -> None:
    application = desk.advanced("SUBMITTED", phone="+6281234567890")
    [document] = desk.told(application, "delivered")
    request = rpc.GetNotificationRequest(name=document["_id"])
    got = desk.stub.GetNotification(request, metadata=desk.manager(), timeout=TIMEOUT)
    assert (got.subject, got.template, got.channel) == (application, "application_submitted", State.CHANNEL_SMS)
    assert (got.state, got.provider, got.attempts) == (State.STATE_DELIVERED, "file", 1)
    assert got.masked_recipient == "+62********890"
    assert got.HasField("sent_at")
    assert got.HasField("delivered_at")
    assert list(listed(desk, application).notifications) == [got]


def test_a_listing_goes_on_page_by_page_oldest_first(desk: Any) -> None:
    application = some("applications")
    states = ["SUBMITTED", "VERIFYING", "ACCEPTED", "PROCESSING", "APPROVED"]
    for n, state in enumerate(states, 1):
        desk.advanced(state, application=application)
        desk.told(application, *["delivered"] * n)
    found, token = [], ""
    while True:
        page = listed(desk, application, page_size=2, page_token=token)
        assert len(page.notifications) <= 2
        found += [each.template for each in page.notifications]
        token = page.next_page_token
        if not token:
            break
    assert found == [f"application_{state.lower()}" for state in states]


def test_receipts_decide_once(desk: Any) -> None:
    application = desk.advanced("SUBMITTED", phone=ACCEPTS_ONLY)
    [document] = desk.told(application, "pending")
    name, request_id = document["_id"], str(uuid.uuid4())
    first = receipt(desk, name, State.STATE_DELIVERED, request_id=request_id)
    assert (first.state, first.masked_recipient) == (State.STATE_DELIVERED, "+62********004")
    again = receipt(desk, name, State.STATE_DELIVERED, request_id=request_id)
    assert again.state == State.STATE_DELIVERED
    late = receipt(desk, name, State.STATE_PERMANENT_FAILURE, failure="x")
    assert (late.state, late.delivered_at, late.failure) == (State.STATE_DELIVERED, first.delivered_at, "")
    [after] = desk.told(application, "delivered")
    assert [entry["note"] for entry in after["history"]][-1] == "repeated receipt permanent_failure"


def test_a_receipt_may_send_a_message_round_again_under_a_new_key(desk: Any) -> None:
    application = desk.advanced("SUBMITTED", phone=ACCEPTS_ONLY)
    [document] = desk.told(application, "pending")
    waiting = receipt(desk, document["_id"], State.STATE_TEMPORARY_FAILURE, failure="phone_off")
    assert (waiting.state, waiting.failure) == (State.STATE_TEMPORARY_FAILURE, "phone_off")
    desk.time_passes(application)
    desk.told(application, "pending")
    key = document["_id"].rpartition("/")[2]
    assert [each["key"] for each in desk.effects() if each["key"].startswith(key)] == [key, f"{key}-2"]


def test_who_opted_out_is_not_told_until_they_change_their_mind(desk: Any) -> None:
    phone, request_id = "+6281298989898", str(uuid.uuid4())
    reply = opt_out(desk, phone, True, request_id)
    assert (reply.masked_phone, reply.opted_out) == ("+62********898", True)
    assert opt_out(desk, phone, True, request_id) == reply, "the same wish again: the same reply"
    desk.told(desk.advanced("SUBMITTED", phone=phone), "suppressed")
    opt_out(desk, phone, False)
    desk.told(desk.advanced("SUBMITTED", phone=phone), "delivered")


def test_who_stops_mail_still_hears_by_phone(desk: Any) -> None:
    email = f"warga.{uuid.uuid4().hex[:12]}@example.org"
    stop = rpc.SetOptOutRequest(parent=SITE, email=email, opted_out=True, request_id=str(uuid.uuid4()))
    reply = desk.stub.SetOptOut(stop, metadata=desk.officer(), timeout=TIMEOUT)
    assert (reply.masked_phone, reply.masked_email) == ("", "w****@e****.org")
    appointment = some("queues/dukcapil/agendas/2026-11-24/appointments")
    event = queue.AppointmentConfirmed(
        appointment=appointment,
        agency=DUKCAPIL,
        start=stamp(datetime(2026, 11, 23, 23, 30, tzinfo=UTC)),
        end=stamp(datetime(2026, 11, 23, 23, 45, tzinfo=UTC)),
        sealed_phone=desk.phone("+6281211110017"),
        sealed_email=desk.cipher.seal(email, "email"),
    )
    desk.tell(event, appointment)

    def both() -> list[Any]:
        found = desk.documents(appointment)
        return found if len(found) == 2 and all(each["due_at"] is None for each in found) else []

    ended = desk.until(both)
    assert {each["channel"]: each["state"] for each in ended} == {"sms": "delivered", "email": "suppressed"}


def test_an_overview_is_asked_for_and_comes(desk: Any, services: Any) -> None:
    phone, ticket = f"+62813{''.join(SystemRandom().choices('123456789', k=8))}", some("tickets")
    issued = queue.TicketIssued(ticket=ticket, number="D-017", agency=DUKCAPIL, sealed_phone=desk.phone(phone))
    desk.tell(issued, ticket)
    desk.until(lambda: desk.database["matters"].find_one({"_id": ticket}))
    asked = rpc.SendOverviewRequest(parent=SITE, phone=phone, request_id=str(uuid.uuid4()))
    who = services.auth("citizen")
    reply = desk.stub.SendOverview(asked, metadata=who, timeout=TIMEOUT)
    assert desk.stub.SendOverview(asked, metadata=who, timeout=TIMEOUT) == reply
    assert reply.masked_recipient == f"+62********{phone[-3:]}"
    document = desk.until(
        lambda: desk.database["notifications"].find_one({"template": "overview", "state": "delivered"})
    )
    assert "antrean D-017 di Dukcapil Uji." in desk.body(document)
    again = rpc.SendOverviewRequest(parent=SITE, phone=phone, request_id=str(uuid.uuid4()))
    with pytest.raises(grpc.RpcError) as refused:
        desk.stub.SendOverview(again, metadata=who, timeout=TIMEOUT)
    assert problem(refused.value)[:2] == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_SOON")
    nobody = rpc.SendOverviewRequest(parent=SITE, request_id=str(uuid.uuid4()))
    with pytest.raises(grpc.RpcError) as refused:
        desk.stub.SendOverview(nobody, metadata=who, timeout=TIMEOUT)
    assert problem(refused.value)[0::2] == (grpc.StatusCode.INVALID_ARGUMENT, ["phone"])
    with pytest.raises(grpc.RpcError) as refused:
        desk.stub.SendOverview(asked, metadata=desk.provider(), timeout=TIMEOUT)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_an_opt_out_holds_for_what_waits_too(desk: Any) -> None:
    application = desk.advanced("SUBMITTED", phone=BUSY)
    desk.told(application, "temporary_failure")
    opt_out(desk, BUSY, True)
    desk.time_passes(application)
    desk.told(application, "suppressed")
    opt_out(desk, BUSY, False)


def test_a_request_id_with_another_body_is_refused(desk: Any) -> None:
    request_id = str(uuid.uuid4())
    opt_out(desk, "+6281277777777", True, request_id)
    with pytest.raises(grpc.RpcError) as refused:
        opt_out(desk, "+6281277777777", False, request_id)
    assert problem(refused.value) == (grpc.StatusCode.FAILED_PRECONDITION, "REQUEST_ID_REUSED", ["request_id"])


def test_bad_input_names_its_field(desk: Any) -> None:
    name = f"{SITE}/notifications/{'0' * 26}"
    with pytest.raises(grpc.RpcError) as refused:
        listed(desk, "applications/x")
    assert problem(refused.value)[0::2] == (grpc.StatusCode.INVALID_ARGUMENT, ["subject"])
    for token in ("rubbish", "W10=", "WzEsMl0=", "\u00e9"):
        with pytest.raises(grpc.RpcError) as refused:
            listed(desk, f"{SITE}/applications/x", page_token=token)
        assert problem(refused.value)[0::2] == (grpc.StatusCode.INVALID_ARGUMENT, ["page_token"])
    with pytest.raises(grpc.RpcError) as refused:
        receipt(desk, name, State.STATE_CANCELLED)
    assert problem(refused.value)[0::2] == (grpc.StatusCode.INVALID_ARGUMENT, ["state"])
    with pytest.raises(grpc.RpcError) as refused:
        receipt(desk, name, State.STATE_DELIVERED)
    assert problem(refused.value)[:2] == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    with pytest.raises(grpc.RpcError) as refused:
        opt_out(desk, "081234567890", True)
    assert problem(refused.value)[0::2] == (grpc.StatusCode.INVALID_ARGUMENT, ["phone"])


def test_only_those_who_may(desk: Any, services: Any) -> None:
    name = f"{SITE}/notifications/{'0' * 26}"
    get = rpc.GetNotificationRequest(name=name)
    report = rpc.ReportReceiptRequest(name=name, state=State.STATE_DELIVERED, request_id=str(uuid.uuid4()))
    for call, request, who in (
        (desk.stub.GetNotification, get, services.auth("citizen")),
        (desk.stub.GetNotification, get, desk.officer()),
        (desk.stub.GetNotification, get, desk.manager("elsewhere")),
        (desk.stub.ReportReceipt, report, desk.manager()),
        (desk.stub.ReportReceipt, report, desk.provider("elsewhere")),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            call(request, metadata=who, timeout=TIMEOUT)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.RpcError) as refused:
        desk.stub.GetNotification(get, timeout=TIMEOUT)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_nothing_personal_is_in_the_logs_or_stored_in_the_clear(desk: Any, services: Any) -> None:
    digits = "".join(SystemRandom().choices("123456789", k=8))
    phone, code = f"+62812{digits}", "".join(SystemRandom().choices("123456789", k=9))
    application = desk.advanced(
        "READY_FOR_PICKUP",
        phone=phone,
        sealed_pickup_code=desk.cipher.seal(code, "pickup_code"),
        reason=f"hubungi Ibu Zulaikha {phone}",
    )
    [document] = desk.told(application, "delivered")
    assert code in desk.body(document)
    opt_out(desk, phone, True)
    appointment, person = some("queues/dukcapil/agendas/2026-11-24/appointments"), f"zulaikha.{digits}"
    event = queue.AppointmentConfirmed(
        appointment=appointment,
        agency=DUKCAPIL,
        start=stamp(datetime(2026, 11, 23, 23, 30, tzinfo=UTC)),
        end=stamp(datetime(2026, 11, 23, 23, 45, tzinfo=UTC)),
        variant="APPOINTMENT_VARIANT_VIDEO",  # type: ignore[arg-type]
        sealed_email=desk.cipher.seal(f"{person}@example.org", "email"),
        sealed_link=desk.cipher.seal(f"https://video.example/{code}", "video_link"),
    )
    desk.tell(event, appointment)
    [mail] = desk.told(appointment, "delivered")
    assert f"https://video.example/{code}" in desk.body(mail)
    overview = rpc.SendOverviewRequest(parent=SITE, email=f"{person}@example.org", request_id=str(uuid.uuid4()))
    desk.stub.SendOverview(overview, metadata=desk.officer(), timeout=TIMEOUT)
    receipt(desk, document["_id"], State.STATE_PERMANENT_FAILURE, failure=f"dead {phone}")
    logs = services.log("notifications-work") + services.log("notifications-serve")
    assert document["_id"] in logs
    stored = repr([list(desk.database[name].find({})) for name in desk.database.list_collection_names()])
    assert document["_id"] in stored
    for secret in (digits, code, "Zulaikha", "zulaikha", "VCALENDAR"):
        assert secret not in logs
        assert secret not in stored
