"""The SIM corner through real processes: gate, call, stages, hand-over; crashes between; nobody's plate anywhere."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications_events
from mpp.drivethru.v1 import drivethru_service_pb2 as pb
from mpp.drivethru.v1.pass_pb2 import Pass
from mpp.queue.v1.ticket_pb2 import Ticket

from .conftest import STAGES, TIMEOUT, Corner, Yard

pytestmark = pytest.mark.stack
RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)


def through(yard: Yard, corner: Corner, vehicle: Any, upto: int = len(STAGES)) -> Any:
    """From the first stage on, `upto` stages."""
    for stage in STAGES[:upto]:
        vehicle = yard.do("StartStage", corner, vehicle, stage=stage, lane="1" if stage == STAGES[0] else "")
        assert [s.number for s in yard.lane(corner).stages if s.stage == stage] == [vehicle.number]
        vehicle = yard.do("FinishStage", corner, vehicle)
    return vehicle


def test_from_the_gate_to_the_hand_over(yard: Yard, corner: Corner, refusal: Any) -> None:
    listen, plate = yard.ear(), yard.plate()
    vehicle = yard.register(corner, plate, phone="+6281234567890")
    assert (vehicle.state, vehicle.masked_plate[0], vehicle.masked_plate.count("*")) == (Pass.STATE_WAITING, "N", 6)
    assert yard.lane(corner).waiting == 1
    again = refusal(yard.register, corner, plate.lower().replace(" ", ""))
    assert (again.code, again.reason, again.metadata["number"]) == ("ALREADY_EXISTS", "VEHICLE_IN_LINE", vehicle.number)
    early = refusal(yard.do, "StartStage", corner, vehicle, lane="1")
    assert early.reason == "WRONG_STATE"

    assert yard.call_next(corner, 1).number == vehicle.number  # and at once, before any event came
    started = yard.do("StartStage", corner, vehicle, lane="1")
    assert (started.state, started.lane, started.stages[0].stage) == (Pass.STATE_IN_LANE, "1", STAGES[0])
    assert yard.ticket(corner, vehicle).state == Ticket.STATE_SERVING
    yard.do("FinishStage", corner, vehicle)
    for stage in STAGES[1:]:
        yard.do("StartStage", corner, vehicle, stage=stage)
        ended = yard.do("FinishStage", corner, vehicle)
    assert (ended.state, len(ended.stages), ended.next_stage) == (Pass.STATE_DONE, 5, "")
    assert yard.ticket(corner, vehicle).state == Ticket.STATE_FINISHED
    assert yard.lane(corner).waiting == 0

    today = datetime.now(UTC).astimezone().date().isoformat()
    request = pb.ReportStagesRequest(parent=corner.name, first_day="2026-01-01", last_day=today)
    far = refusal(yard.stub.ReportStages, request, metadata=yard.officer(corner), timeout=TIMEOUT)
    assert far.code == "INVALID_ARGUMENT"
    document = yard.database["passes"].find_one({"_id": vehicle.name})
    assert document is not None
    request = pb.ReportStagesRequest(parent=corner.name, first_day=document["day"], last_day=document["day"])
    report = yard.stub.ReportStages(request, metadata=yard.officer(corner), timeout=TIMEOUT)
    assert report.done == 1
    assert [(s.stage, s.count) for s in report.stages] == [(stage, 1) for stage in STAGES]
    assert report.stages[0].declared.seconds > 0

    def of(name: str) -> list[dict[str, Any]]:
        return [body for key, body in listen() if key == name and body["passName"] == vehicle.name]

    yard.until(lambda: of("pass_ended.v1"))
    assert len(of("pass_registered.v1")) == 1
    assert [b["stage"] for b in of("pass_advanced.v1") if b["step"] == "STEP_STAGE_FINISHED"] == list(STAGES)


def test_the_display_shows_numbers_as_they_move(yard: Yard, corner: Corner) -> None:
    watch = yard.stub.WatchLane(pb.WatchLaneRequest(name=corner.lane()), timeout=60)
    seen = next(watch)
    assert [s.stage for s in seen.stages] == list(STAGES)

    def until(condition: Any) -> Any:
        return next(lane for lane in watch if condition(lane))

    vehicle = yard.register(corner)
    until(lambda lane: lane.waiting == 1)
    yard.call_next(corner, 1)
    until(lambda lane: list(lane.called) == [vehicle.number])
    yard.do("StartStage", corner, vehicle, lane="1")
    until(lambda lane: lane.stages[0].number == vehicle.number)
    yard.do("FinishStage", corner, vehicle)
    lane = until(lambda lane: list(lane.stages[0].finished) == [vehicle.number])
    assert (lane.stages[0].number, list(lane.called), lane.waiting) == ("", [], 0)
    watch.cancel()


def test_applications_and_ends_come_by_events(yard: Yard, corner: Corner) -> None:
    first, second = yard.register(corner), yard.register(corner)
    name, states = (
        f"{corner.name.split('/channels')[0]}/applications/{uuid.uuid4().hex[:26]}",
        application_pb2.Application,
    )
    opened = applications_events.ApplicationOpened(application=name, ticket=first.ticket, agency=corner.agency)
    yard.tell("applications.events", opened, name, 1)
    advanced = applications_events.ApplicationAdvanced(
        application=name, ticket=first.ticket, state=states.STATE_SUBMITTED
    )
    yard.tell("applications.events", advanced, name, 2)
    yard.until(lambda: [a.state for a in yard.get(corner, first).applications] == [states.STATE_SUBMITTED])

    yard.call_next(corner, 2)
    yard.until(lambda: yard.get(corner, first).state == Pass.STATE_CALLED)
    yard.at_queue("MissTicket", corner, first, 2)
    yard.until(lambda: yard.get(corner, first).state == Pass.STATE_WAITING)
    yard.at_queue("CancelTicket", corner, second, 2, reason="pergi")
    third = yard.register(corner)
    yard.at_queue("CallTicket", corner, third, 4, counter=4, reason="lewat")
    yard.until(lambda: yard.get(corner, third).state == Pass.STATE_CALLED)
    yard.at_queue("UndoCall", corner, third, 4)
    yard.until(lambda: yard.get(corner, third).state == Pass.STATE_WAITING)
    gone = yard.until(lambda: (p := yard.get(corner, second)).state == Pass.STATE_ABANDONED and p)
    assert gone.cause == Pass.CAUSE_CANCELLED
    listed = yard.stub.ListPasses(
        pb.ListPassesRequest(parent=corner.name), metadata=yard.officer(corner), timeout=TIMEOUT
    )
    assert [p.name for p in listed.passes] == [first.name, third.name]


def test_vehicles_that_come_together_stay_in_their_order(yard: Yard, corner: Corner, refusal: Any) -> None:
    """Four officers at once, a lane: one gets the first stage, and the next only when it is free."""
    vehicles = [yard.register(corner) for _ in range(4)]
    for counter in (1, 2, 3, 4):
        yard.call_next(corner, counter)
    yard.until(lambda: all(yard.get(corner, v).state == Pass.STATE_CALLED for v in vehicles))

    def start(vehicle: Any) -> str:
        try:
            return str(yard.do("StartStage", corner, vehicle, lane="1").number)
        except grpc.RpcError as error:
            return "" if error.code() is grpc.StatusCode.FAILED_PRECONDITION else str(error)

    with ThreadPoolExecutor(4) as pool:
        won = [number for number in pool.map(start, vehicles) if number]
    assert len(won) == 1
    ahead = next(v for v in vehicles if v.number == won[0])
    behind = next(v for v in vehicles if v.number != won[0])
    assert refusal(yard.do, "StartStage", corner, behind, lane="1").reason == "STAGE_TAKEN"
    yard.do("FinishStage", corner, ahead)
    yard.do("StartStage", corner, behind, lane="1")
    yard.do("FinishStage", corner, behind)
    blocked = refusal(yard.do, "StartStage", corner, behind)
    assert (blocked.reason, blocked.metadata["number"]) == ("LANE_BLOCKED", ahead.number)
    yard.do("SendAside", corner, ahead, cause=Pass.CAUSE_INCOMPLETE_DOCUMENTS)
    assert yard.do("StartStage", corner, behind).stages[-1].stage == STAGES[1]


def test_a_command_repeated_at_the_same_moment_has_one_effect(yard: Yard, corner: Corner) -> None:
    plate, request_id = yard.plate(), str(uuid.uuid4())
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: yard.register(corner, plate, request_id), range(8)))
    assert len({v.SerializeToString(deterministic=True) for v in made}) == 1
    assert yard.services.database("queue")["tickets"].count_documents({"queue": corner.queue}) == 1
    assert yard.database["passes"].count_documents({"channel": corner.name}) == 1


def test_the_queue_is_away(yard: Yard, corner: Corner, refusal: Any) -> None:
    """At the gate, at the first stage, at the hand-over: said at once, nothing half-written; in between the lane goes on."""
    last, first, request_id = yard.register(corner), yard.register(corner), str(uuid.uuid4())
    yard.call_next(corner, 3)
    through(yard, corner, last, upto=3)
    yard.call_next(corner, 4)
    yard.until(lambda: yard.get(corner, first).state == Pass.STATE_CALLED)
    yard.services.kill("queue-serve")
    yard.do("StartStage", corner, last)
    yard.do("FinishStage", corner, last)
    yard.do("StartStage", corner, last)
    told = refusal(yard.do, "FinishStage", corner, last, request_id)
    assert (told.code, told.reason) == ("UNAVAILABLE", "PEER_UNAVAILABLE")
    at_the_end = yard.get(corner, last)
    assert (at_the_end.state, len(at_the_end.stages)) == (Pass.STATE_IN_LANE, len(STAGES))
    assert not at_the_end.stages[-1].HasField("finished_at")
    assert refusal(yard.do, "StartStage", corner, first, lane="1").reason == "PEER_UNAVAILABLE"
    assert yard.get(corner, first).state == Pass.STATE_CALLED
    assert refusal(yard.register, corner).reason == "PEER_UNAVAILABLE"
    assert yard.database["passes"].count_documents({"channel": corner.name}) == 2
    yard.services.service("queue")
    yard.until(lambda: yard.ticket(corner, last).state == Ticket.STATE_SERVING)

    def repeated() -> Any:
        try:
            return yard.do("FinishStage", corner, last, request_id)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:  # its channel to the queue has not come back yet
                raise
            return None

    assert yard.until(repeated).state == Pass.STATE_DONE
    assert yard.ticket(corner, last).state == Ticket.STATE_FINISHED
    assert yard.do("StartStage", corner, first, lane="1").state == Pass.STATE_IN_LANE


def test_two_officers_take_one_payment_once(yard: Yard, corner: Corner, refusal: Any) -> None:
    """The same step by two commands at the same moment; then the photo fails, and the vehicle behind has the stage."""
    ahead, behind = yard.register(corner), yard.register(corner)
    yard.call_next(corner, 1)
    through(yard, corner, ahead, upto=1)
    yard.do("StartStage", corner, ahead)

    def pay(_: int) -> str:
        try:
            return str(yard.do("FinishStage", corner, ahead).next_stage)
        except grpc.RpcError as error:
            return str(error.code().name)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(pay, range(4))) == ["FAILED_PRECONDITION"] * 3 + ["foto"]
    yard.do("StartStage", corner, ahead)
    yard.call_next(corner, 2)
    through(yard, corner, behind, upto=2)
    assert refusal(yard.do, "StartStage", corner, behind).reason == "STAGE_TAKEN"
    gone = yard.do("SendAside", corner, ahead, cause=Pass.CAUSE_EQUIPMENT)
    assert (gone.state, gone.stages[-1].stage) == (Pass.STATE_ASIDE, "foto")
    assert not gone.stages[-1].HasField("finished_at")
    assert yard.ticket(corner, ahead).state == Ticket.STATE_SERVING  # a counter goes on with it
    assert yard.do("StartStage", corner, behind).stages[-1].stage == "foto"
    day = yard.ticket(corner, behind).day
    request = pb.ReportStagesRequest(parent=corner.name, first_day=day, last_day=day)
    report = yard.stub.ReportStages(request, metadata=yard.officer(corner), timeout=TIMEOUT)
    assert [s.count for s in report.stages] == [2, 2, 0, 0, 0]  # no photo came to its end
    assert (report.done, report.aside) == (0, 1)


def test_a_ticket_that_is_there_gets_its_pass_once(yard: Yard, corner: Corner, refusal: Any) -> None:
    from mpp.queue.v1 import queue_service_pb2

    request = queue_service_pb2.TakeTicketRequest(parent=corner.queue, request_id=str(uuid.uuid4()))
    ticket = yard.queue.TakeTicket(request, metadata=yard.kiosk, timeout=TIMEOUT).ticket
    vehicle = yard.register(corner, ticket=ticket.name)
    assert (vehicle.ticket, vehicle.number) == (ticket.name, ticket.number)
    assert refusal(yard.register, corner, ticket=ticket.name).reason == "TICKET_HAS_PASS"


def test_the_plate_is_nowhere_in_the_clear(yard: Yard, corner: Corner, refusal: Any) -> None:
    listen, plate = yard.ear(), "N 7341 ZQW"
    vehicle = yard.register(corner, plate)
    request = pb.FindPassRequest(parent=corner.name, plate="n7341zqw")
    found = yard.stub.FindPass(request, metadata=yard.officer(corner), timeout=TIMEOUT)
    assert found.name == vehicle.name
    assert "7341" not in str(found)
    stranger = yard.services.auth("officer", site="uji-lajur", agency="lain")
    assert refusal(yard.stub.FindPass, request, metadata=stranger, timeout=TIMEOUT).code == "PERMISSION_DENIED"
    refusal(yard.register, corner, plate)
    yard.call_next(corner, 1)
    through(yard, corner, vehicle)
    yard.until(lambda: [b for key, b in listen() if key == "pass_ended.v1" and b["passName"] == vehicle.name])
    stored = b""
    for service in ("drivethru", "queue"):
        database = yard.services.database(service)
        for collection in database.list_collection_names():
            for document in database[collection].with_options(codec_options=RAW).find({}):
                stored += document.raw
    logs = "".join(yard.services.log(f"{s}-{v}") for s in ("drivethru", "queue") for v in ("serve", "work"))
    events = str(listen())
    assert vehicle.name.encode() in stored  # a reader that finds nothing must be able to find something
    assert "rpc_refused" in logs
    assert vehicle.name in events
    for clear in (plate, "N7341ZQW", "7341ZQW", "N 7341", "7341 ZQW"):  # bare digits occur in random ids
        assert clear.encode() not in stored.replace(vehicle.name.encode(), b"")
        assert clear not in events.replace(vehicle.name, "")
    assert "7341ZQW" not in logs
    assert "7341 ZQW" not in logs
    assert yard.database["audit"].find_one({"action": "find_by_plate"})


def test_a_misconfigured_and_a_retired_channel_say_so(yard: Yard, corner: Corner, refusal: Any) -> None:
    from mpp.catalog.v1 import events_pb2 as catalog_events

    yard.publish_channel(corner, {"queue": "x", "lanes": [{"id": "1"}]}, 2)
    yard.until(lambda: (d := yard.database["channels"].find_one({"_id": corner.name})) and d["sequence"] == 2)
    assert refusal(yard.register, corner).reason == "CHANNEL_MISCONFIGURED"
    yard.publish_channel(corner, {"queue": "x", "lanes": [{"id": "1"}], "stages": [{"id": "a"}]}, 3)
    yard.until(lambda: (d := yard.database["channels"].find_one({"_id": corner.name})) and d["sequence"] == 3)
    yard.tell("catalog.events", catalog_events.ChannelRetired(channel=corner.name), corner.name, 4)
    yard.until(lambda: (d := yard.database["channels"].find_one({"_id": corner.name})) and d["sequence"] == 4)
    assert refusal(yard.register, corner).reason == "CHANNEL_CLOSED"
    assert refusal(yard.lane, corner, "9").reason == "LANE_UNKNOWN"
