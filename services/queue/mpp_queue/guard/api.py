"""gRPC to use cases, and which error is which status. Never pymongo, never eventlet."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

import grpc
from mpp.queue.v1 import guard_service_pb2 as pb
from mpp_chassis.call import Call
from mpp_chassis.errors import InvalidField

from mpp_queue import domain
from mpp_queue.guard import usecases
from mpp_queue.guard.usecases import App

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    domain.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.QueueError: grpc.StatusCode.FAILED_PRECONDITION,
}
DEFAULT_PAGE = 50
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


class GuardApi:
    """mpp.queue.v1.GuardService. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App) -> None:
        self._app = app

    def ListBookingAlarms(self, request: pb.ListBookingAlarmsRequest, call: Call) -> pb.ListBookingAlarmsResponse:
        size = request.page_size or DEFAULT_PAGE
        found = usecases.list_alarms(self._app, request, _after(request), size + 1, call)
        token = _token(found[size - 1]) if len(found) > size else ""
        return pb.ListBookingAlarmsResponse(alarms=found[:size], next_page_token=token)

    def AcknowledgeBookingAlarm(self, request: pb.AcknowledgeBookingAlarmRequest, call: Call) -> pb.BookingAlarm:
        return usecases.acknowledge_alarm(self._app, request, call)


def _token(alarm: pb.BookingAlarm) -> str:
    """Moment (ms, as the store keeps it) and name of the last of a page."""
    ms = (alarm.raised_at.ToDatetime(tzinfo=UTC) - _EPOCH) // _MILLISECOND
    return base64.urlsafe_b64encode(f"{ms} {alarm.name}".encode()).decode()


def _after(request: pb.ListBookingAlarmsRequest) -> tuple[datetime, str] | None:
    if not request.page_token:
        return None
    try:
        ms, name = base64.b64decode(request.page_token, altchars=b"-_", validate=True).decode().split(" ")
        if not name.startswith(f"{request.parent}/bookingAlarms/") or not 0 <= int(ms) < 2**42:
            raise ValueError(ms)
        return _EPOCH + int(ms) * _MILLISECOND, name
    except (ValueError, binascii.Error) as e:
        raise InvalidField("page_token", "is not one that this listing gave out") from e
