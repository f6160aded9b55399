"""gRPC to use cases. Never pymongo, never eventlet. Nobody sends by this API: messages come from events."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import grpc
from mpp.notifications.v1 import notification_pb2, notifications_service_pb2
from mpp_chassis.call import Call
from mpp_chassis.errors import InvalidField

from mpp_notifications import domain, usecases
from mpp_notifications.matters import usecases as matters

ERRORS: Mapping[type[Exception], grpc.StatusCode] = {
    domain.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.WrongState: grpc.StatusCode.FAILED_PRECONDITION,
    domain.TooSoon: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
DEFAULT_PAGE = 50
_NAME = re.compile(r"sites/[a-z0-9-]{2,31}/notifications/[a-z0-9-]{8,60}")


class NotificationsApi:
    """Method names are RPC names; role, site and field rules were checked by the kit."""

    def __init__(self, app: usecases.App) -> None:
        self._app = app

    def GetNotification(
        self, request: notifications_service_pb2.GetNotificationRequest, call: Call
    ) -> notification_pb2.Notification:
        return usecases.get_notification(self._app, request.name)

    def ListNotifications(
        self, request: notifications_service_pb2.ListNotificationsRequest, call: Call
    ) -> notifications_service_pb2.ListNotificationsResponse:
        if not request.subject.startswith(f"{request.parent}/"):
            raise InvalidField("subject", f"must be a resource below {request.parent}")
        size = request.page_size or DEFAULT_PAGE
        site = request.parent.removeprefix("sites/")
        after = _after(request.page_token)
        found = usecases.list_notifications(self._app, site, request.subject, size + 1, after)
        token = _token(found[size - 1]) if len(found) > size else ""
        return notifications_service_pb2.ListNotificationsResponse(notifications=found[:size], next_page_token=token)

    def ReportReceipt(
        self, request: notifications_service_pb2.ReportReceiptRequest, call: Call
    ) -> notification_pb2.Notification:
        return usecases.report_receipt(self._app, request, call)

    def SetOptOut(
        self, request: notifications_service_pb2.SetOptOutRequest, call: Call
    ) -> notifications_service_pb2.SetOptOutResponse:
        return usecases.set_opt_out(self._app, request, call)

    def SendOverview(
        self, request: notifications_service_pb2.SendOverviewRequest, call: Call
    ) -> notifications_service_pb2.SendOverviewResponse:
        return matters.send_overview(self._app, request, call)


def _token(last: notification_pb2.Notification) -> str:
    """Opaque to clients: where the page ended."""
    place = [last.created_at.ToDatetime(UTC).isoformat(), last.name]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _after(token: str) -> tuple[datetime, str] | None:
    if not token:
        return None
    try:
        created_at, name = json.loads(base64.urlsafe_b64decode(token))
        moment = datetime.fromisoformat(created_at)
        if moment.tzinfo is None or not _NAME.fullmatch(name):
            raise ValueError
        return moment.astimezone(UTC), name
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
        raise InvalidField("page_token", "is not one that this listing gave out") from error
