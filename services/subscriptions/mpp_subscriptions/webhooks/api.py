"""gRPC to use cases. Knows the requests' shapes and each error's status; never a store, never eventlet."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import grpc
from mpp.subscriptions.v1 import webhook_pb2
from mpp.subscriptions.v1 import webhooks_service_pb2 as pb
from mpp_chassis.call import Call
from mpp_chassis.errors import InvalidField

from mpp_subscriptions import journal
from mpp_subscriptions.webhooks import domain, usecases

ERRORS: Mapping[type[Exception], grpc.StatusCode] = {
    domain.TooManySecrets: grpc.StatusCode.FAILED_PRECONDITION,
    domain.TooManyWebhooks: grpc.StatusCode.RESOURCE_EXHAUSTED,
    journal.Expired: grpc.StatusCode.OUT_OF_RANGE,
}
DEFAULT_PAGE = 50


class WebhooksApi:
    """mpp.subscriptions.v1.WebhooksService."""

    def __init__(self, app: usecases.App) -> None:
        self._app = app

    def CreateWebhook(self, request: pb.CreateWebhookRequest, call: Call) -> webhook_pb2.WebhookWithSecret:
        return usecases.create_webhook(self._app, request, call)

    def GetWebhook(self, request: pb.GetWebhookRequest, call: Call) -> webhook_pb2.Webhook:
        return usecases.get_webhook(self._app, request.name, call)

    def ListWebhooks(self, request: pb.ListWebhooksRequest, call: Call) -> pb.ListWebhooksResponse:
        size = request.page_size or DEFAULT_PAGE
        found = usecases.list_webhooks(self._app, request.parent, _after(request), size + 1, call)
        token = base64.urlsafe_b64encode(found[size - 1].name.encode()).decode() if len(found) > size else ""
        return pb.ListWebhooksResponse(webhooks=found[:size], next_page_token=token)

    def UpdateWebhook(self, request: pb.UpdateWebhookRequest, call: Call) -> webhook_pb2.Webhook:
        return usecases.update_webhook(self._app, request, call)

    def EnableWebhook(self, request: pb.EnableWebhookRequest, call: Call) -> webhook_pb2.Webhook:
        return usecases.enable_webhook(self._app, request.name, call)

    def DisableWebhook(self, request: pb.DisableWebhookRequest, call: Call) -> webhook_pb2.Webhook:
        return usecases.disable_webhook(self._app, request.name, call)

    def RotateWebhookSecret(self, request: pb.RotateWebhookSecretRequest, call: Call) -> webhook_pb2.WebhookWithSecret:
        return usecases.rotate_secret(self._app, request, call)

    def TestWebhook(self, request: pb.TestWebhookRequest, call: Call) -> pb.TestWebhookResponse:
        return usecases.test_webhook(self._app, request.name, call)

    def ReplayWebhook(self, request: pb.ReplayWebhookRequest, call: Call) -> webhook_pb2.Webhook:
        return usecases.replay_webhook(self._app, request, call)

    def ListWebhookAttempts(self, request: pb.ListWebhookAttemptsRequest, call: Call) -> pb.ListWebhookAttemptsResponse:
        return pb.ListWebhookAttemptsResponse(attempts=usecases.list_attempts(self._app, request.name, call))

    def DeleteWebhook(self, request: pb.DeleteWebhookRequest, call: Call) -> pb.DeleteWebhookResponse:
        return usecases.delete_webhook(self._app, request.name, call)


def _after(request: pb.ListWebhooksRequest) -> str:
    """The name at which the page before ended."""
    try:
        name = base64.b64decode(request.page_token, altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error) as error:
        raise InvalidField("page_token", "is not one that this listing gave out") from error
    if name and not name.startswith(f"{request.parent}/webhooks/"):
        raise InvalidField("page_token", "is not one that this listing gave out")
    return name
