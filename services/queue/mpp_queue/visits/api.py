"""gRPC to use cases of visits: one line a method. Never pymongo, never eventlet."""

from __future__ import annotations

from mpp.queue.v1 import visit_pb2
from mpp.queue.v1 import visits_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_queue.visits import usecases
from mpp_queue.visits.usecases import App


class VisitsApi:
    """mpp.queue.v1.VisitsService. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App) -> None:
        self._app = app

    def StartVisit(self, request: pb.StartVisitRequest, call: Call) -> visit_pb2.Visit:
        return usecases.start_visit(self._app, request, call)

    def GetVisit(self, request: pb.GetVisitRequest, call: Call) -> visit_pb2.Visit:
        return usecases.get_visit(self._app, request.name, call)

    def CancelVisit(self, request: pb.CancelVisitRequest, call: Call) -> visit_pb2.Visit:
        return usecases.cancel_visit(self._app, request, call)
