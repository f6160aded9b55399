"""gRPC to use cases: one line a method, and which domain error is which status. Never pymongo, never eventlet."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from mpp.drivethru.v1 import drivethru_service_pb2 as pb
from mpp.drivethru.v1 import pass_pb2
from mpp_chassis.call import Call

from mpp_drivethru import domain, gate, usecases
from mpp_drivethru.app import App, TicketOffice

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    domain.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.DriveThruError: grpc.StatusCode.FAILED_PRECONDITION,
}


class DriveThruApi:
    """mpp.drivethru.v1.DriveThruService. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App, office: TicketOffice) -> None:
        self._app, self._office = app, office

    def RegisterVehicle(self, request: pb.RegisterVehicleRequest, call: Call) -> pass_pb2.Pass:
        return gate.register_vehicle(self._app, self._office, request, call)

    def GetPass(self, request: pb.GetPassRequest, call: Call) -> pass_pb2.Pass:
        return usecases.get_pass(self._app, request, call)

    def ListPasses(self, request: pb.ListPassesRequest, call: Call) -> pb.ListPassesResponse:
        return usecases.list_passes(self._app, request, call)

    def FindPass(self, request: pb.FindPassRequest, call: Call) -> pass_pb2.Pass:
        return usecases.find_pass(self._app, request, call)

    def StartStage(self, request: pb.StartStageRequest, call: Call) -> pass_pb2.Pass:
        return usecases.start_stage(self._app, self._office, request, call)

    def FinishStage(self, request: pb.FinishStageRequest, call: Call) -> pass_pb2.Pass:
        return usecases.finish_stage(self._app, self._office, request, call)

    def SendAside(self, request: pb.SendAsideRequest, call: Call) -> pass_pb2.Pass:
        return usecases.send_aside(self._app, request, call)

    def GetLane(self, request: pb.GetLaneRequest, call: Call) -> pass_pb2.Lane:
        return usecases.get_lane(self._app, request.name, call.now)

    def WatchLane(self, request: pb.WatchLaneRequest, call: Call) -> Iterator[pass_pb2.Lane | None]:
        return usecases.watch_lane(self._app, request, call)

    def ReportStages(self, request: pb.ReportStagesRequest, call: Call) -> pass_pb2.StageReport:
        return usecases.report_stages(self._app, request, call)
