"""The gRPC face: one method an RPC, each one use case. Never pymongo, never eventlet."""

from __future__ import annotations

import grpc
from mpp.applications.v1 import application_pb2 as pb
from mpp.applications.v1 import applications_service_pb2 as rpc
from mpp_chassis.call import Call

from mpp_applications import domain, listing, usecases

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    domain.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.WrongPickupCode: grpc.StatusCode.INVALID_ARGUMENT,
    domain.WrongState: grpc.StatusCode.FAILED_PRECONDITION,
    domain.RequirementsMissing: grpc.StatusCode.FAILED_PRECONDITION,
    domain.PickupLocked: grpc.StatusCode.FAILED_PRECONDITION,
}


class ApplicationsApi:
    def __init__(self, app: usecases.App) -> None:
        self._app = app

    def CreateApplication(self, request: rpc.CreateApplicationRequest, call: Call) -> pb.Application:
        return usecases.create_application(self._app, request, call)

    def GetApplication(self, request: rpc.GetApplicationRequest, call: Call) -> pb.Application:
        return usecases.get_application(self._app, request.name, call)

    def ListApplications(self, request: rpc.ListApplicationsRequest, call: Call) -> rpc.ListApplicationsResponse:
        return listing.list_applications(self._app, request, call)

    def SubmitApplication(self, request: rpc.SubmitApplicationRequest, call: Call) -> pb.Application:
        return usecases.submit_application(self._app, request, call)

    def AdvanceApplication(self, request: rpc.AdvanceApplicationRequest, call: Call) -> pb.Application:
        return usecases.advance_application(self._app, request, call)

    def IssueApplication(self, request: rpc.IssueApplicationRequest, call: Call) -> pb.Application:
        return usecases.issue_application(self._app, request, call)

    def CollectApplication(self, request: rpc.CollectApplicationRequest, call: Call) -> pb.Application:
        return usecases.collect_application(self._app, request, call)

    def WithdrawApplication(self, request: rpc.WithdrawApplicationRequest, call: Call) -> pb.Application:
        return usecases.withdraw_application(self._app, request, call)
