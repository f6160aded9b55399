"""The life of an application through gRPC, the store and the broker, as its people live it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import grpc
import pytest
from mpp.applications.v1 import application_pb2 as pb
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp_chassis.worktime import WorkCalendar

pytestmark = pytest.mark.stack
CALENDAR = WorkCalendar("Asia/Jakarta", {day: [(time(8), time(15))] for day in range(1, 6)})
State, Flag = pb.Application.State, pb.Application.Flag


def states(events: list[dict[str, Any]]) -> list[str]:
    return [e["state"].removeprefix("STATE_") for e in events if "state" in e]


def test_from_draft_to_pickup(desk: Any) -> None:
    opened = desk.create()
    assert opened.state == State.STATE_DRAFT
    assert opened.agency == desk.dukcapil
    assert (opened.applicant.masked_name, opened.applicant.masked_phone) == (
        "S*** Z******* R********",
        "+62********321",
    )
    name = opened.name
    desk.call("Submit", name)
    desk.advance(name, "START_VERIFICATION", desk.verifier())
    accepted = desk.advance(name, "ACCEPT", desk.verifier())
    started = accepted.accepted_at.ToDatetime(UTC)
    assert accepted.due_at.ToDatetime(UTC) == CALENDAR.add_working_days(started, 3)
    desk.advance(name, "START_PROCESSING")
    desk.advance(name, "APPROVE")
    assert desk.call("Issue", name, document_number="KK-2025-17").document_number == "KK-2025-17"
    ready = desk.advance(name, "MARK_READY")
    code = desk.pickup_code(name)
    assert code not in str(ready)
    collected = desk.call("Collect", name, pickup_code=code)
    assert collected.state == State.STATE_COLLECTED
    path = ["SUBMITTED", "VERIFYING", "ACCEPTED", "PROCESSING", "APPROVED", "ISSUED", "READY_FOR_PICKUP", "COLLECTED"]
    assert [State.Name(h.state).removeprefix("STATE_") for h in collected.history] == ["DRAFT", *path]
    assert collected.history[2].actor.startswith("verifier:")
    assert desk.get(name) == collected
    events = desk.until(lambda: len(found := desk.ear.of(name)) == 9 and found)
    assert states(events) == path
    assert events[0]["openedAt"]
    assert all(desk.cipher.open(e["sealedPhone"], "phone") == desk.phone for e in events)
    assert [bool(e.get("sealedPickupCode")) for e in events] == [False] * 7 + [True, False]


def test_a_citizen_opens_submits_and_withdraws_online(desk: Any) -> None:
    siti = desk.citizen()
    opened = desk.create(siti, presented_requirements=["ktp"])
    assert opened.history[0].actor == "citizen:siti"
    assert desk.call("Submit", opened.name, siti, presented_requirements=["kk-lama"]).state == State.STATE_SUBMITTED
    withdrawn = desk.call("Withdraw", opened.name, siti, reason="salah pilih layanan")
    assert (withdrawn.state, withdrawn.reason) == (State.STATE_WITHDRAWN, "salah pilih layanan")


def test_missing_requirements_are_listed(desk: Any, refused: Any) -> None:
    name = desk.create(presented_requirements=[]).name
    told = refused(lambda: desk.call("Submit", name, presented_requirements=["ktp"]))
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REQUIREMENTS_MISSING")
    assert told.metadata == {"missing": "kk-lama"}
    assert desk.get(name).presented_requirements == []


def test_an_unknown_offering_is_said_so(desk: Any, refused: Any) -> None:
    told = refused(lambda: desk.create(offering=f"{desk.name}/offerings/tidak-ada"))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "OFFERING_UNKNOWN")
    foreign = "sites/tempat-lain/offerings/kartu-keluarga"
    desk.tell_offering(foreign, "sites/tempat-lain/agencies/dukcapil", [], days=1)
    desk.until(lambda: desk.database["offerings"].find_one({"_id": foreign}))
    told = refused(lambda: desk.create(desk.citizen(), offering=foreign, presented_requirements=[]))
    assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("offering",))


def test_nothing_new_is_opened_for_a_retired_offering(desk: Any, refused: Any) -> None:
    name = f"{desk.name}/offerings/layanan-lama"
    desk.tell_offering(name, desk.dukcapil, [], days=1)
    desk.until(lambda: desk.database["offerings"].find_one({"_id": name}))
    opened = desk.create(offering=name, presented_requirements=[])
    desk.tell("catalog.events", catalog_events.OfferingRetired(offering=name), name, 2)
    desk.until(lambda: desk.database["offerings"].find_one({"_id": name, "retired": True}))
    desk.tell_offering(name, desk.dukcapil, [], days=1, sequence=1)  # late: the newer one counts
    told = refused(lambda: desk.create(offering=name, presented_requirements=[]))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "OFFERING_UNKNOWN")
    assert desk.call("Submit", opened.name).state == State.STATE_SUBMITTED


def test_a_ticket_of_another_agency_is_refused_once_it_is_known(desk: Any, refused: Any) -> None:
    ticket = f"{desk.name}/queues/samsat/tickets/zzzzzzzzzz01"
    assert desk.create(ticket=ticket).ticket == ticket  # the event may come later than the officer is quick
    desk.tell_ticket(ticket, desk.samsat)
    desk.until(lambda: desk.database["tickets"].find_one({"_id": ticket}))
    told = refused(lambda: desk.create(ticket=ticket))
    assert (told.code, told.reason, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", ("ticket",))
    own = f"{desk.name}/queues/dukcapil/tickets/zzzzzzzzzz02"
    desk.tell_ticket(own, desk.dukcapil)
    desk.until(lambda: desk.database["tickets"].find_one({"_id": own}))
    assert desk.create(ticket=own).ticket == own


def test_a_returned_file_comes_back_with_a_reason(desk: Any, refused: Any) -> None:
    name = desk.create().name
    desk.call("Submit", name)
    desk.advance(name, "START_VERIFICATION")
    told = refused(lambda: desk.advance(name, "RETURN"))
    assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("reason",))
    assert desk.advance(name, "RETURN", reason="KTP buram").reason == "KTP buram"
    told = refused(lambda: desk.advance(name, "ACCEPT"))
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE")
    assert told.metadata == {"state": "RETURNED", "action": "ACCEPT"}
    assert desk.call("Submit", name).state == State.STATE_SUBMITTED


def test_a_standard_without_time_or_requirements_works_all_the_same(desk: Any) -> None:
    name = desk.processing(offering=desk.untimed, presented_requirements=[])
    found = desk.get(name)
    assert found.HasField("accepted_at")
    assert not found.HasField("due_at")


def test_a_duplicate_is_flagged_and_told(desk: Any) -> None:
    nik = desk.new_nik()
    first = desk.create(nik=nik)
    assert not first.flags
    second = desk.create(nik=nik)
    assert list(second.flags) == [Flag.FLAG_DUPLICATE_SUSPECTED]
    assert not desk.create(nik=nik, offering=desk.untimed, presented_requirements=[]).flags
    events = desk.until(lambda: len(found := desk.ear.of(second.name)) == 2 and found)
    assert events[1]["flag"] == "FLAG_DUPLICATE_SUSPECTED"
    for name in (first.name, second.name):
        desk.call("Withdraw", name)
    assert not desk.create(nik=nik).flags


def test_the_sweep_flags_what_is_late_and_a_pause_stops_it(desk: Any) -> None:
    late, paused = desk.processing(), desk.processing()
    desk.advance(paused, "HOLD", reason="menunggu pusat")
    assert "flag_at" not in desk.database["applications"].find_one({"_id": paused})
    past = datetime.now(UTC) - timedelta(minutes=1)
    for name in (late, paused):
        # As if accepted long ago: the only thing a test cannot wait for.
        there = {"clock.at_risk_at": past, "clock.due_at": past, **({"flag_at": past} if name == late else {})}
        there["clock.accepted_at"] = past - timedelta(days=90)  # else the sweep counts the days anew
        desk.database["applications"].update_one({"_id": name}, {"$set": there})
    flags = desk.until(lambda: list(desk.get(late).flags), seconds=40)
    assert flags == [Flag.FLAG_SLA_BREACHED]
    told = desk.until(lambda: desk.ear.of(late, "application_flagged.v1"))
    assert [e["flag"] for e in told] == ["FLAG_SLA_BREACHED"]
    assert "flag_at" not in desk.database["applications"].find_one({"_id": late})
    assert not desk.get(paused).flags
    assert desk.advance(late, "APPROVE").flags == flags


def test_pages_are_newest_first_and_complete(desk: Any, refused: Any) -> None:
    who = desk.citizen("ratna")
    made = [desk.create(who).name for _ in range(5)]
    seen, token = [], ""
    for size in (2, 2, 1):
        page = desk.list(who, page_size=2, page_token=token)
        assert len(page.applications) == size
        seen += [a.name for a in page.applications]
        token = page.next_page_token
    assert token == ""
    assert seen == made[::-1]
    assert desk.list(desk.officer(), page_size=1).applications[0].agency == desk.dukcapil
    assert not [a for a in desk.list(desk.officer("samsat")).applications if a.agency != desk.samsat]
    told = refused(lambda: desk.list(who, page_token="bukan-token"))
    assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("page_token",))
