"""The life of complaints through gRPC and events, with the real broker and store."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import grpc
import pytest
from mpp.complaints.v1 import complaint_pb2
from mpp.complaints.v1 import complaints_service_pb2 as rpc
from mpp.queue.v1 import events_pb2 as queue_events
from mpp.queue.v1 import ticket_pb2

Complaint = complaint_pb2.Complaint
State = complaint_pb2.Complaint.State
WIB = timezone(timedelta(hours=7))
FILED, ADVANCED, OVERDUE = "complaint_filed.v1", "complaint_advanced.v1", "complaint_overdue.v1"


def states(events: list[dict[str, Any]]) -> list[str]:
    return [e["state"].removeprefix("STATE_").lower() for e in events]


def working_days_after(start: datetime, n: int, holidays: list[date]) -> datetime:
    """The slow and simple way: walk the days; the last ends at its closing hour."""
    day = start.astimezone(WIB).date()
    while n:
        day += timedelta(days=1)
        n -= day.isoweekday() < 6 and day not in holidays
    return datetime.combine(day, time(15 if day.isoweekday() == 5 else 16), WIB)


def test_the_whole_life(desk: Any, ear: Any) -> None:
    ticket = f"{desk.name}/queues/dukcapil/tickets/{uuid.uuid4().hex[:12]}"
    filed = desk.file(ticket=ticket)
    assert filed.state == State.STATE_RECEIVED
    assert not filed.HasField("measured_wait_seconds"), "the queue has told nothing yet"
    desk.advance(filed.name, "VERIFY", **{"class": "CLASS_NORMATIVE"})
    desk.advance(filed.name, "ASSIGN")
    serving = queue_events.TicketServing(ticket=ticket, agency=desk.dukcapil, waited_seconds=4321)
    desk.tell("queue.events", serving, ticket, 4)
    seen = desk.until(lambda: (c := desk.get(filed.name, desk.citizen())).HasField("measured_wait_seconds") and c)
    assert seen.measured_wait_seconds == 4321
    started = desk.advance(filed.name, "START")
    assert started.measured_wait_seconds == 4321
    answered = desk.answer(filed.name, "Mulai besok loket 3 dan 4 dibuka.")
    assert answered.answer == "Mulai besok loket 3 dan 4 dibuka."
    closed = desk.rate(filed.name, 5)
    assert (closed.state, closed.rating) == (State.STATE_CLOSED, 5)
    assert not closed.HasField("due_at")
    assert getattr(closed, "class") == Complaint.CLASS_NORMATIVE
    assert [State.Name(e.state).removeprefix("STATE_").lower() for e in closed.history] == [
        "received", "verified", "assigned", "in_progress", "answered", "closed",
    ]  # fmt: skip
    assert [e.actor.split(":")[0] for e in closed.history] == ["citizen", *["agency_admin"] * 4, "citizen"]
    desk.until(lambda: len(ear.of(filed.name, ADVANCED)) == 5)
    assert states(ear.of(filed.name, ADVANCED)) == [
        "verified",
        "assigned",
        "in_progress",
        "answered",
        "closed",
    ]
    (told,) = ear.of(filed.name, FILED)
    assert told["ticket"] == ticket
    assert told["class"] == "CLASS_LIGHT"


def test_questions_and_replies(desk: Any) -> None:
    name = desk.file().name
    asked = desk.advance(name, "REQUEST_INFO", reason="Loket yang mana?")
    assert (asked.state, asked.reason) == (State.STATE_NEEDS_INFO, "Loket yang mana?")
    assert (asked.due_at.ToDatetime(UTC) - asked.history[-1].at.ToDatetime(UTC)) == timedelta(days=10)
    assert desk.reply(name, "Loket tiga.").state == State.STATE_RECEIVED
    assert desk.get(name, desk.citizen()).text == f"{desk.secret}\n\nLoket tiga."


def test_two_reopenings_then_one_level_up(desk: Any) -> None:
    name = desk.answered()
    found = []
    for _ in range(3):
        again = desk.reopen(name)
        found.append((again.state, again.escalation_level))
        desk.answer(name, "Sudah kami perbaiki.")
    assert found == [(State.STATE_REOPENED, 0), (State.STATE_REOPENED, 0), (State.STATE_ESCALATED, 1)]
    assert desk.get(name, desk.citizen()).history[3].reason == "Loket tetap satu"


def test_deadlines_jump_over_weekends_and_holidays(desk: Any) -> None:
    filed = desk.file(**{"class": "CLASS_SUPERVISORY"})
    received = filed.received_at.ToDatetime(UTC)
    assert filed.due_at.ToDatetime(UTC) == working_days_after(received, 3, desk.holidays)
    assert filed.due_at.ToDatetime(UTC) - received > timedelta(days=4), "two holidays were jumped over"
    verified = desk.advance(filed.name, "VERIFY")
    at = verified.history[-1].at.ToDatetime(UTC)
    assert verified.due_at.ToDatetime(UTC) == working_days_after(at, 5, desk.holidays)
    desk.advance(filed.name, "ASSIGN")
    started = desk.advance(filed.name, "START")
    assert started.due_at.ToDatetime(UTC) == at + timedelta(days=60), "60 working days, capped by the law's 60"


def test_what_cannot_be_said_in_the_clear(desk: Any, refused: Any) -> None:
    before = desk.database["complaints"].count_documents({})
    for subject in ("NIK 3573011207900001 ditolak", "Hubungi 0812-9876-5432"):
        told = refused(lambda subject=subject: desk.file(subject=subject))
        assert (told.code, told.reason, told.fields) == (
            grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", ("subject",),
        )  # fmt: skip
    assert desk.database["complaints"].count_documents({}) == before
    name = desk.file().name
    desk.advance(name, "VERIFY")
    assert refused(lambda: desk.answer(name, "Bapak 3573011207900001 sudah dilayani")).fields == ("answer",)
    assert refused(lambda: desk.advance(name, "ESCALATE", reason="telp 081298765432")).fields == ("reason",)
    assert desk.get(name, desk.admin()).state == State.STATE_VERIFIED


def test_what_it_is_about_must_exist_and_lie_here(desk: Any, refused: Any) -> None:
    told = refused(lambda: desk.file(agency=f"{desk.name}/agencies/tidak-ada"))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "AGENCY_UNKNOWN")
    assert refused(lambda: desk.file(agency="sites/lain/agencies/dukcapil")).fields == ("agency",)
    assert refused(lambda: desk.file(ticket="sites/lain/queues/q1/tickets/aaaaaaaa")).fields == ("ticket",)
    told = refused(lambda: desk.file(parent="sites/tak-dikenal", agency="sites/tak-dikenal/agencies/aa"))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "SITE_UNKNOWN")
    told = refused(lambda: desk.get(f"{desk.name}/complaints/aaaaaaaaaaaa", desk.manager()))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


def test_wrong_role_agency_site_owner(desk: Any, refused: Any) -> None:
    name = desk.file().name
    denied = grpc.StatusCode.PERMISSION_DENIED
    for call in (
        lambda: desk.file(desk.officer()),
        lambda: desk.get(name, desk.citizen("budi")),
        lambda: desk.get(name, desk.officer("samsat")),
        lambda: desk.get(name, desk.manager("lain")),
        lambda: desk.get(name, desk.kiosk()),
        lambda: desk.advance(name, "VERIFY", desk.officer()),
        lambda: desk.advance(name, "VERIFY", desk.admin("samsat")),
        lambda: desk.advance(name, "VERIFY", desk.admin(site="lain")),
        lambda: desk.advance(name, "VERIFY", desk.citizen()),
        lambda: desk.answer(name, "Ya, benar.", desk.admin("samsat")),
        lambda: desk.withdraw(name, desk.citizen("budi")),
        lambda: desk.withdraw(name, desk.manager()),
        lambda: desk.list(desk.admin(site="lain")),
    ):
        assert refused(call).code == denied
    assert refused(lambda: desk.get(name, None)).code == grpc.StatusCode.UNAUTHENTICATED
    assert desk.get(name, desk.citizen()).state == State.STATE_RECEIVED
    desk.advance(name, "VERIFY", desk.manager())
    desk.answer(name)
    for call in (
        lambda: desk.rate(name, 1, desk.citizen("budi")),
        lambda: desk.reopen(name, who=desk.citizen("budi")),
        lambda: desk.rate(name, 5, desk.admin()),
    ):
        assert refused(call).code == denied


def test_wrong_order_is_refused_and_says_so(desk: Any, refused: Any) -> None:
    name = desk.file().name
    for call in (lambda: desk.answer(name), lambda: desk.rate(name, 3), lambda: desk.advance(name, "START")):
        told = refused(call)
        assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE")
    assert refused(lambda: desk.advance(name, "REJECT")).fields == ("reason",)
    assert refused(lambda: desk.advance(name, "ESCALATE", **{"class": "CLASS_LIGHT"})).fields == ("class",)
    assert desk.withdraw(name).state == State.STATE_WITHDRAWN
    assert refused(lambda: desk.advance(name, "VERIFY")).reason == "WRONG_STATE"


def test_merging_needs_another_open_complaint_of_the_agency(desk: Any, refused: Any) -> None:
    one, other, foreign = desk.file().name, desk.file().name, desk.file(agency=desk.samsat).name
    for target in (f"{desk.name}/complaints/aaaaaaaaaaaa", foreign, one, "yang kemarin"):
        assert refused(lambda target=target: desk.advance(one, "MERGE", reason=target)).fields == ("reason",)
    merged = desk.advance(one, "MERGE", reason=other)
    assert (merged.state, merged.reason) == (State.STATE_MERGED, other)
    assert refused(lambda: desk.advance(other, "MERGE", reason=one)).fields == ("reason",)


def test_what_was_merged_is_answered_too_and_comes_back_when_the_other_is_withdrawn(desk: Any, ear: Any) -> None:
    ani, sari = desk.citizen("ani"), desk.citizen("sari-2")
    first, hers = desk.file().name, desk.file(who=sari).name
    desk.advance(hers, "MERGE", reason=first)
    desk.withdraw(first)
    back = desk.until(lambda: (c := desk.get(hers, sari)).state == State.STATE_RECEIVED and c)
    assert back.due_at.seconds > 0
    assert (back.history[-1].actor, back.history[-1].reason) == ("system:deadlines", "")
    told = desk.until(lambda: [e for e in ear.of(hers, ADVANCED) if e["state"] == "STATE_RECEIVED"])
    assert [e["fromState"] for e in told] == ["STATE_MERGED"]
    second = desk.file().name
    desk.advance(hers, "MERGE", reason=second)
    desk.advance(second, "VERIFY")
    desk.answer(second)
    assert desk.get(hers, sari).answer == desk.get(second, ani).answer != ""


def test_64_callers_with_one_request_id_file_one_complaint(desk: Any, ear: Any, refused: Any) -> None:
    request, who = desk.request(), desk.citizen("sari")
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda _: desk.stub.FileComplaint(request, metadata=who, timeout=30), range(64)))
    assert Counter(r.SerializeToString(deterministic=True) for r in replies).most_common() == [
        (replies[0].SerializeToString(deterministic=True), 64)
    ]
    name = replies[0].name
    assert desk.database["complaints"].count_documents({"owner": "sub:sari"}) == 1
    request.subject = "Hal lain"
    told = refused(lambda: desk.stub.FileComplaint(request, metadata=who, timeout=30))
    assert told.reason == "REQUEST_ID_REUSED"
    marker = desk.advance(name, "VERIFY").name  # its event comes after all of the filing
    desk.until(lambda: ear.of(marker, ADVANCED))
    assert len(ear.of(name, FILED)) == 1


def test_64_callers_with_one_request_id_answer_once(desk: Any, ear: Any) -> None:
    name = desk.file().name
    desk.advance(name, "VERIFY")
    request = rpc.AnswerComplaintRequest(name=name, answer="Sudah.", request_id=str(uuid.uuid4()))
    who = desk.admin()
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda _: desk.stub.AnswerComplaint(request, metadata=who, timeout=30), range(64)))
    assert len({r.SerializeToString(deterministic=True) for r in replies}) == 1
    desk.rate(name, 4)
    desk.until(lambda: len(ear.of(name, ADVANCED)) >= 3)
    assert states(ear.of(name, ADVANCED)) == ["verified", "answered", "closed"]


def age(desk: Any, name: str) -> None:
    """Let its deadline lie in the past, as if days had gone by."""
    past, complaints = datetime.now(UTC) - timedelta(hours=1), desk.database["complaints"]
    lines = complaints.find_one({"_id": name})["history"]
    aged = [{**line, "at": line["at"] - timedelta(days=90)} for line in lines]  # else the sweep counts the days anew
    changed = complaints.update_one({"_id": name}, {"$set": {"due_at": past, "look_at": past, "history": aged}})
    assert changed.matched_count == 1


def test_a_missed_deadline_is_told_once_and_seen(desk: Any, ear: Any) -> None:
    name = desk.file().name
    age(desk, name)
    assert desk.get(name, desk.manager()).overdue, "seen at once, before any sweep"
    (told,) = desk.until(lambda: ear.of(name, OVERDUE))
    assert told["state"] == "STATE_RECEIVED"
    other = desk.file().name
    age(desk, other)
    desk.until(lambda: ear.of(other, OVERDUE))  # one more sweep has passed over both
    assert len(ear.of(name, OVERDUE)) == 1
    assert "look_at" not in desk.database["complaints"].find_one({"_id": name})
    assert not desk.advance(name, "VERIFY").overdue, "the next deadline is another one"


def test_what_has_no_reply_closes_by_itself(desk: Any, ear: Any, refused: Any) -> None:
    answered, asked = desk.answered(), desk.file().name
    desk.advance(asked, "REQUEST_INFO", reason="Kapan kejadiannya?")
    age(desk, answered)
    age(desk, asked)
    late = {
        refused(lambda: desk.rate(answered, 1)).reason,
        refused(lambda: desk.reply(asked, "Besok")).reason,
    }
    assert late <= {"REPLY_WINDOW_CLOSED", "WRONG_STATE"}  # before or after the sweep: too late all the same
    for name in (answered, asked):
        closed = desk.until(lambda name=name: (c := desk.get(name, desk.citizen())).state == State.STATE_CLOSED and c)
        assert (closed.rating, closed.history[-1].actor) == (0, "system:deadlines")
        desk.until(lambda name=name: states(ear.of(name, ADVANCED))[-1:] == ["closed"])
        assert ear.of(name, OVERDUE) == [], "it was the reporter's turn, nobody was late"


def test_lists_are_newest_first_and_reach_as_far_as_the_caller(desk: Any, refused: Any) -> None:
    mine = [desk.file(desk.citizen("tuti"), agency=desk.samsat).name for _ in range(5)]
    desk.file(desk.citizen("udin"))
    seen, token = [], ""
    while True:
        page = desk.list(desk.citizen("tuti"), page_size=2, page_token=token)
        assert len(page.complaints) <= 2
        seen += [c.name for c in page.complaints]
        if not (token := page.next_page_token):
            break
    assert seen == mine[::-1]
    assert {c.agency for c in desk.list(desk.officer(), page_size=200).complaints} == {desk.dukcapil}
    assert {c.agency for c in desk.list(desk.manager(), page_size=200).complaints} == {
        desk.dukcapil, desk.samsat,
    }  # fmt: skip
    assert not any(c.text for c in desk.list(desk.manager(), page_size=200).complaints)
    for token in ("bohong", "MTIz", "\u00e9"):
        assert refused(lambda token=token: desk.list(desk.manager(), page_token=token)).fields == ("page_token",)


def test_old_and_repeated_events_change_nothing(desk: Any) -> None:
    ticket = f"{desk.name}/queues/dukcapil/tickets/{uuid.uuid4().hex[:12]}"
    name = desk.file(ticket=ticket).name
    ended = queue_events.TicketEnded(
        ticket=ticket, agency=desk.dukcapil, waited_seconds=900, state=ticket_pb2.Ticket.STATE_FINISHED
    )
    serving = queue_events.TicketServing(ticket=ticket, agency=desk.dukcapil, waited_seconds=1)
    desk.tell("queue.events", ended, ticket, 7)
    waits = desk.database["ticket_waits"]
    desk.until(lambda: waits.find_one({"_id": ticket}))
    desk.tell("queue.events", ended, ticket, 7)
    desk.tell("queue.events", serving, ticket, 5)
    marker = f"{desk.name}/queues/dukcapil/tickets/{uuid.uuid4().hex[:12]}"
    for event in (
        queue_events.TicketServing(ticket=marker, agency=desk.dukcapil, waited_seconds=2),
        queue_events.TicketEnded(ticket=marker, agency=desk.dukcapil, waited_seconds=2),
    ):
        desk.tell("queue.events", event, marker, 1 if event.DESCRIPTOR.name == "TicketServing" else 2)
    desk.until(lambda: (waits.find_one({"_id": marker}) or {}).get("sequence") == 2)
    assert desk.get(name, desk.citizen()).measured_wait_seconds == 900
    stale = "sites/uji-basi"
    desk.tell_site(5, stale)
    desk.until(lambda: desk.database["sites"].find_one({"_id": stale}))
    desk.tell_site(4, stale, time_zone="Asia/Jayapura")
    desk.tell_site(6, f"{stale}-tanda")
    desk.until(lambda: desk.database["sites"].find_one({"_id": f"{stale}-tanda"}))
    assert desk.database["sites"].find_one({"_id": stale})["zone"] == "Asia/Jakarta"


def test_a_ticket_of_another_agency_proves_nothing(desk: Any) -> None:
    ticket = f"{desk.name}/queues/samsat/tickets/{uuid.uuid4().hex[:12]}"
    event = queue_events.TicketServing(ticket=ticket, agency=desk.samsat, waited_seconds=600)
    desk.tell("queue.events", event, ticket, 2)
    desk.until(lambda: desk.database["ticket_waits"].find_one({"_id": ticket}))
    assert not desk.file(ticket=ticket).HasField("measured_wait_seconds")
    assert desk.file(ticket=ticket, agency=desk.samsat).measured_wait_seconds == 600


@pytest.mark.parametrize(
    ("query", "order", "index"),
    [
        ({"site_id": "s"}, "order", "site_newest"),
        ({"site_id": "s", "agency": "a", "order": {"$lt": "x"}}, "order", "agency_newest"),
        ({"site_id": "s", "owner": "o", "order": {"$lt": "x"}}, "order", "owner_newest"),
        ({"look_at": {"$lte": datetime(2020, 1, 1, tzinfo=UTC)}}, "look_at", "due"),
    ],
)
def test_every_find_has_an_index(desk: Any, query: dict[str, Any], order: str, index: str) -> None:
    direction = -1 if order == "order" else 1
    plan = desk.database["complaints"].find(query).sort(order, direction).limit(10).explain()
    assert index in str(plan["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
