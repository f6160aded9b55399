"""gRPC to use cases: one line a method, and which domain error is which status. Never pymongo, never
eventlet.
"""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import ticket_pb2
from mpp_chassis.call import Call

from mpp_queue import admitting, calling, domain, reading, usecases
from mpp_queue.app import App

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    domain.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.QueueError: grpc.StatusCode.FAILED_PRECONDITION,
}


class QueueApi:
    """mpp.queue.v1.QueueService. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App) -> None:
        self._app = app

    def TakeTicket(self, request: pb.TakeTicketRequest, call: Call) -> ticket_pb2.IssuedTicket:
        return admitting.take_ticket(self._app, request, call)

    def GetTicket(self, request: pb.GetTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return reading.get_ticket(self._app, request, call)

    def GetQueue(self, request: pb.GetQueueRequest, call: Call) -> ticket_pb2.QueueStatus:
        return reading.get_queue(self._app, request, call)

    def WatchQueue(self, request: pb.WatchQueueRequest, call: Call) -> Iterator[ticket_pb2.QueueStatus | None]:
        return reading.watch_queue(self._app, request, call)

    def CallNext(self, request: pb.CallNextRequest, call: Call) -> ticket_pb2.Ticket:
        return calling.call_next(self._app, request, call)

    def RecallTicket(self, request: pb.RecallTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.recall_ticket(self._app, request, call)

    def StartServing(self, request: pb.StartServingRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.start_serving(self._app, request, call)

    def FinishTicket(self, request: pb.FinishTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.finish_ticket(self._app, request, call)

    def MissTicket(self, request: pb.MissTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.miss_ticket(self._app, request, call)

    def CancelTicket(self, request: pb.CancelTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.cancel_ticket(self._app, request, call)

    def PreviewNext(self, request: pb.PreviewNextRequest, call: Call) -> pb.PreviewNextResponse:
        return calling.preview_next(self._app, request, call)

    def CallTicket(self, request: pb.CallTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return calling.call_ticket(self._app, request, call)

    def UndoCall(self, request: pb.UndoCallRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.undo_call(self._app, request, call)

    def ParkTicket(self, request: pb.ParkTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.park_ticket(self._app, request, call)

    def ResumeTicket(self, request: pb.ResumeTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return calling.resume_ticket(self._app, request, call)

    def TransferTicket(self, request: pb.TransferTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.transfer_ticket(self._app, request, call)

    def RequeueTicket(self, request: pb.RequeueTicketRequest, call: Call) -> ticket_pb2.Ticket:
        return usecases.requeue_ticket(self._app, request, call)

    def ListTickets(self, request: pb.ListTicketsRequest, call: Call) -> pb.ListTicketsResponse:
        return reading.list_tickets(self._app, request, call)
