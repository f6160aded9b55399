"""gRPC to use cases: one line a method, and which error is which status. Never pymongo, never eventlet."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from mpp.queue.v1 import display_pb2
from mpp.queue.v1 import displays_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_queue.displays import domain, usecases
from mpp_queue.displays.usecases import App
from mpp_queue.domain import InvalidField

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.EtagMismatch: grpc.StatusCode.FAILED_PRECONDITION,
}


class DisplaysApi:
    """mpp.queue.v1.DisplaysService. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App) -> None:
        self._app = app

    def SetDisplay(self, request: pb.SetDisplayRequest, call: Call) -> display_pb2.Display:
        return usecases.set_display(self._app, request, call)

    def GetDisplay(self, request: pb.GetDisplayRequest, call: Call) -> display_pb2.Display:
        return usecases.get_display(self._app, request)

    def ListDisplays(self, request: pb.ListDisplaysRequest, call: Call) -> pb.ListDisplaysResponse:
        return usecases.list_displays(self._app, request)

    def DeleteDisplay(self, request: pb.DeleteDisplayRequest, call: Call) -> pb.DeleteDisplayResponse:
        return usecases.delete_display(self._app, request, call)

    def WatchDisplay(self, request: pb.WatchDisplayRequest, call: Call) -> Iterator[display_pb2.DisplayFrame | None]:
        return usecases.watch_display(self._app, request, call)
