"""gRPC to use cases: one line a method, and which error is which status. Never pymongo, never eventlet."""

from __future__ import annotations

import grpc
from mpp.queue.v1 import kiosk_pb2
from mpp.queue.v1 import kiosks_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_queue.domain import InvalidField
from mpp_queue.kiosks import domain, usecases
from mpp_queue.kiosks.usecases import App

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    domain.InvalidKioskField: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.TooManyBlocks: grpc.StatusCode.RESOURCE_EXHAUSTED,
    domain.NumbersExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    domain.KioskError: grpc.StatusCode.FAILED_PRECONDITION,
}


class KiosksApi:
    """mpp.queue.v1.KiosksService. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App) -> None:
        self._app = app

    def GetKiosk(self, request: pb.GetKioskRequest, call: Call) -> kiosk_pb2.Kiosk:
        return usecases.get_kiosk(self._app, request, call)

    def ActivateKiosk(self, request: pb.ActivateKioskRequest, call: Call) -> kiosk_pb2.Kiosk:
        return usecases.activate_kiosk(self._app, request, call)

    def DeactivateKiosk(self, request: pb.DeactivateKioskRequest, call: Call) -> kiosk_pb2.Kiosk:
        return usecases.deactivate_kiosk(self._app, request, call)

    def SetKioskButton(self, request: pb.SetKioskButtonRequest, call: Call) -> kiosk_pb2.Kiosk:
        return usecases.set_button(self._app, request, call)

    def SetKioskLayout(self, request: pb.SetKioskLayoutRequest, call: Call) -> kiosk_pb2.Kiosk:
        return usecases.set_layout(self._app, request, call)

    def LeaseBlock(self, request: pb.LeaseBlockRequest, call: Call) -> kiosk_pb2.OfflineBlock:
        return usecases.lease_block(self._app, request, call)

    def GetBlock(self, request: pb.GetBlockRequest, call: Call) -> kiosk_pb2.OfflineBlock:
        return usecases.get_block(self._app, request, call)

    def RenewBlock(self, request: pb.RenewBlockRequest, call: Call) -> kiosk_pb2.OfflineBlock:
        return usecases.renew_block(self._app, request, call)

    def MergeOffline(self, request: pb.MergeOfflineRequest, call: Call) -> pb.MergeOfflineResponse:
        return usecases.merge_offline(self._app, request, call)

    def ReturnBlock(self, request: pb.ReturnBlockRequest, call: Call) -> kiosk_pb2.OfflineBlock:
        return usecases.return_block(self._app, request, call)
