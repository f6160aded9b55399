"""gRPC to use cases. Knows the requests' shapes and each error's status; never a store, never eventlet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import grpc
from mpp.subscriptions.v1 import feed_pb2
from mpp.subscriptions.v1 import feed_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_subscriptions import journal
from mpp_subscriptions.feed import usecases
from mpp_subscriptions.feed.domain import PAGE

ERRORS: Mapping[type[Exception], grpc.StatusCode] = {journal.Expired: grpc.StatusCode.OUT_OF_RANGE}


class FeedApi:
    """mpp.subscriptions.v1.FeedService."""

    def __init__(self, app: usecases.App) -> None:
        self._app = app

    def Subscribe(self, request: pb.SubscribeRequest, call: Call) -> Iterator[feed_pb2.FeedEvent | None]:
        return usecases.subscribe(self._app, request, call)

    def Acknowledge(self, request: pb.AcknowledgeRequest, call: Call) -> feed_pb2.Subscription:
        return usecases.acknowledge(self._app, request, call)

    def GetSubscription(self, request: pb.GetSubscriptionRequest, call: Call) -> feed_pb2.Subscription:
        return usecases.get_subscription(self._app, request.name, call)

    def ListSubscriptions(self, request: pb.ListSubscriptionsRequest, call: Call) -> pb.ListSubscriptionsResponse:
        size, below = request.page_size or PAGE, f"{request.parent}/subscriptions/"
        found = usecases.list_subscriptions(self._app, request.parent, below + request.page_token, size + 1, call)
        token = found[size - 1].name.removeprefix(below) if len(found) > size else ""
        return pb.ListSubscriptionsResponse(subscriptions=found[:size], next_page_token=token)

    def DeleteSubscription(self, request: pb.DeleteSubscriptionRequest, call: Call) -> pb.DeleteSubscriptionResponse:
        return usecases.delete_subscription(self._app, request.name, call)
