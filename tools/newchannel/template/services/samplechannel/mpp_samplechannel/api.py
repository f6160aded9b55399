"""gRPC to use cases: one line a method, and which domain error is which status. Never pymongo, never eventlet."""

from __future__ import annotations

import grpc
from mpp.samplechannel.v1 import entry_pb2
from mpp.samplechannel.v1 import samplechannel_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_samplechannel import domain, usecases
from mpp_samplechannel.usecases import App

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    domain.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.SampleChannelError: grpc.StatusCode.FAILED_PRECONDITION,
}


class SampleChannelApi:
    """The service's RPCs. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App) -> None:
        self._app = app

    def OpenEntry(self, request: pb.OpenEntryRequest, call: Call) -> entry_pb2.Entry:
        return usecases.open_entry(self._app, request, call)

    def GetEntry(self, request: pb.GetEntryRequest, call: Call) -> entry_pb2.Entry:
        return usecases.get_entry(self._app, request, call)

    def CloseEntry(self, request: pb.CloseEntryRequest, call: Call) -> entry_pb2.Entry:
        return usecases.close_entry(self._app, request, call)
