"""gRPC to use cases: one line a method. Never pymongo, never eventlet."""

from __future__ import annotations

from mpp.queue.v1 import report_pb2
from mpp.queue.v1 import reports_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_queue.reports import usecases
from mpp_queue.reports.usecases import App


class ReportsApi:
    """mpp.queue.v1.ReportsService."""

    def __init__(self, app: App) -> None:
        self._app = app

    def QueryReport(self, request: pb.QueryReportRequest, call: Call) -> report_pb2.Report:
        return usecases.query_report(self._app, request, call)

    def ExportReport(self, request: pb.ExportReportRequest, call: Call) -> pb.ExportReportResponse:
        return usecases.export_report(self._app, request, call)

    def SetStaffing(self, request: pb.SetStaffingRequest, call: Call) -> report_pb2.Staffing:
        return usecases.set_staffing(self._app, request, call)

    def GetStaffing(self, request: pb.GetStaffingRequest, call: Call) -> report_pb2.Staffing:
        return usecases.get_staffing(self._app, request, call)
