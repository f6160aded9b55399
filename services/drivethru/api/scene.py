"""The SIM corner in the tour that `make run` shows: a vehicle from the gate through the stages of a lane.

Played by tools/localrun, which finds it here and gives the walk: calls, steps, what is awaited. Knows the public contract
and the reference site's corner (sites/malang/channels/sim-drivethru.yaml); knows no store.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import grpc
from mpp.drivethru.v1 import drivethru_service_pb2 as pb
from mpp.drivethru.v1 import pass_pb2
from mpp.drivethru.v1.drivethru_service_pb2_grpc import DriveThruServiceStub
from mpp.queue.v1 import queue_service_pb2 as queue_pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub

SITE, CORNER = "sites/malang", "sites/malang/channels/sim-drivethru"
QUEUE, AGENCY, COUNTER = f"{SITE}/queues/polresta", "polresta", 29
LANE = f"{CORNER}/lanes/1"


class Corner:
    """The stubs and the tokens of the scene."""

    def __init__(self, walk: Any) -> None:
        self.walk = walk
        self.passes: Any = walk.stub("drivethru", DriveThruServiceStub)
        self.queue: Any = walk.stub("queue", QueueServiceStub)
        self.kiosk = walk.platform.token("gerbang-1", ["kiosk"], site="malang")
        self.officer = walk.platform.token("petugas-29", ["officer"], site="malang", agency=AGENCY, counter=COUNTER)

    def display(self) -> Iterator[pass_pb2.Lane]:
        """The lane's display: pushed with every change."""
        told: Iterator[pass_pb2.Lane] = self.passes.WatchLane(pb.WatchLaneRequest(name=LANE), timeout=15)
        return told

    def at_queue(self, rpc: str, **given: Any) -> Any:
        return self.walk.call(getattr(self.queue, rpc), getattr(queue_pb, f"{rpc}Request")(**given), self.officer)


def play(walk: Any) -> None:
    """One vehicle at the SIM corner."""
    walk.listen("queue", "drivethru")
    corner = Corner(walk)
    plate = f"N {1000 + secrets.randbelow(9000)} {''.join(secrets.choice('ABDEFG') for _ in range(2))}"
    with walk.step("Lantatur (drive-thru): a vehicle comes to the SIM corner's gate"):
        _clear(corner)
        vehicle = walk.call(
            corner.passes.RegisterVehicle, pb.RegisterVehicleRequest(parent=CORNER, plate=plate), corner.kiosk
        )
        told = walk.event("PassRegistered", vehicle.name)
        walk.check(plate.replace(" ", "") not in str(told), "the event holds no plate")
        walk.say(f"nomor {vehicle.number}, pelat {vehicle.masked_plate}")
    with walk.step("It is called, and goes from stage to stage; the lane's display is pushed"):
        shown = corner.display()
        _call(corner, vehicle)
        next(lane for lane in shown if vehicle.number in lane.called)
        walk.say(f"tahap: {' → '.join(_stages(corner, vehicle, shown))}")
    with walk.step("With the hand-over (serah terima) the ticket ends too; stage times are in the report"):
        ended = walk.event("PassEnded", vehicle.name, state="STATE_DONE")
        walk.event("TicketEnded", vehicle.ticket, state="STATE_FINISHED")
        report = walk.until("the pass in the report", lambda: _report(corner, vehicle))
        walk.say(f"{ended['number']} selesai; hari ini {report.done} kendaraan, {len(report.stages)} tahap terukur")


def _stages(corner: Corner, vehicle: pass_pb2.Pass, shown: Iterator[pass_pb2.Lane]) -> Iterator[str]:
    """Every stage begun and finished, and each seen on the display; gives their names as citizens read them."""
    walk = corner.walk
    left = True
    while left:
        start = pb.StartStageRequest(name=vehicle.name, lane="1")
        stage = walk.call(corner.passes.StartStage, start, corner.officer).stages[-1].stage
        at = next(s for lane in shown for s in lane.stages if (s.stage, s.number) == (stage, vehicle.number))
        done = walk.call(corner.passes.FinishStage, pb.FinishStageRequest(name=vehicle.name), corner.officer)
        walk.event("PassAdvanced", vehicle.name, step="STEP_STAGE_FINISHED", stage=stage)
        left = done.state == pass_pb2.Pass.STATE_IN_LANE
        yield at.display_name.id
    walk.check(done.state == pass_pb2.Pass.STATE_DONE, f"{vehicle.number} is through")


def _call(corner: Corner, vehicle: pass_pb2.Pass) -> None:
    """The queue's turn; who came before us for another reason is served first."""
    while (called := corner.at_queue("CallNext", parent=QUEUE, counter=COUNTER)).name != vehicle.ticket:
        corner.walk.say(f"[dim]{called.number} was before us and is served[/dim]")
        corner.at_queue("StartServing", name=called.name)
        corner.at_queue("FinishTicket", name=called.name)


def _report(corner: Corner, vehicle: pass_pb2.Pass) -> pass_pb2.StageReport | None:
    """The corner's report of the ticket's day, once the vehicle is in it."""
    ticket = corner.at_queue("GetTicket", name=vehicle.ticket)
    day = pb.ReportStagesRequest(parent=CORNER, first_day=ticket.day, last_day=ticket.day)
    report: pass_pb2.StageReport = corner.walk.call(corner.passes.ReportStages, day, corner.officer)
    return report if report.done and all(stage.count for stage in report.stages) else None


def _clear(corner: Corner) -> None:
    """What an interrupted tour left: vehicles drive off, and the counter is free."""
    walk = corner.walk
    for left in walk.call(corner.passes.ListPasses, pb.ListPassesRequest(parent=CORNER), corner.officer).passes:
        if left.counter == COUNTER or left.lane == "1":
            request = pb.SendAsideRequest(name=left.name, cause=pass_pb2.Pass.CAUSE_OTHER)
            walk.call(corner.passes.SendAside, request, corner.officer)
    for ticket in corner.at_queue("ListTickets", parent=QUEUE).tickets:
        if ticket.counter == COUNTER:
            try:
                corner.at_queue("CancelTicket", name=ticket.name, reason="tur terhenti")
            except grpc.RpcError as e:
                if e.code() is not grpc.StatusCode.FAILED_PRECONDITION:  # it ended meanwhile
                    raise
