"""The gRPC face: one method an RPC, each one use case. Never pymongo, never eventlet."""

from __future__ import annotations

import grpc
from mpp.complaints.v1 import complaint_pb2
from mpp.complaints.v1 import complaints_service_pb2 as rpc
from mpp_chassis.call import Call

from mpp_complaints import domain, usecases

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    domain.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.AgencyNeeded: grpc.StatusCode.INVALID_ARGUMENT,
    domain.NotAboveFee: grpc.StatusCode.FAILED_PRECONDITION,
    domain.WrongState: grpc.StatusCode.FAILED_PRECONDITION,
    domain.WindowClosed: grpc.StatusCode.FAILED_PRECONDITION,
    domain.LimitReached: grpc.StatusCode.FAILED_PRECONDITION,
    domain.NobodyToAsk: grpc.StatusCode.FAILED_PRECONDITION,
}


class ComplaintsApi:
    def __init__(self, app: usecases.App) -> None:
        self._app = app

    def FileComplaint(self, request: rpc.FileComplaintRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.file_complaint(self._app, request, call)

    def ReportOvercharge(self, request: rpc.ReportOverchargeRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.report_overcharge(self._app, request, call)

    def GetComplaint(self, request: rpc.GetComplaintRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.get_complaint(self._app, request.name, call)

    def ListComplaints(self, request: rpc.ListComplaintsRequest, call: Call) -> rpc.ListComplaintsResponse:
        return usecases.list_complaints(self._app, request, call)

    def AdvanceComplaint(self, request: rpc.AdvanceComplaintRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.advance_complaint(self._app, request, call)

    def AnswerComplaint(self, request: rpc.AnswerComplaintRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.answer_complaint(self._app, request.name, request.answer, call)

    def ReplyComplaint(self, request: rpc.ReplyComplaintRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.reply_complaint(self._app, request.name, request.text, call)

    def RateComplaint(self, request: rpc.RateComplaintRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.rate_complaint(self._app, request.name, request.rating, call)

    def ReopenComplaint(self, request: rpc.ReopenComplaintRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.reopen_complaint(self._app, request.name, request.reason, call)

    def WithdrawComplaint(self, request: rpc.WithdrawComplaintRequest, call: Call) -> complaint_pb2.Complaint:
        return usecases.withdraw_complaint(self._app, request.name, call)
