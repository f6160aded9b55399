"""An agency's subscriptions to its feed: read. Knows the contract of subscriptions; asks as the agency's own admin."""

from __future__ import annotations

from collections.abc import Iterator

from mpp.subscriptions.v1 import feed_pb2
from mpp.subscriptions.v1 import feed_service_pb2 as pb
from mpp.subscriptions.v1 import feed_service_pb2_grpc as rpc

from mppctl.connection import Connection

PAGE = 200
ROLE = "agency_admin"


def of_agency(connection: Connection, agency: str) -> Iterator[feed_pb2.Subscription]:
    """All of an agency (`sites/malang/agencies/dukcapil`), by name, page by page. Raises grpc.RpcError, NoConnection."""
    stub, token = connection.stub("subscriptions", rpc.FeedServiceStub), ""
    while True:
        request = pb.ListSubscriptionsRequest(parent=agency, page_size=PAGE, page_token=token)
        reply = connection.call(stub.ListSubscriptions, request, _as_admin(connection, agency))
        yield from reply.subscriptions
        token = reply.next_page_token
        if not token:
            return


def one(connection: Connection, name: str) -> feed_pb2.Subscription:
    """Raises grpc.RpcError, NoConnection."""
    stub = connection.stub("subscriptions", rpc.FeedServiceStub)
    request = pb.GetSubscriptionRequest(name=name)
    found: feed_pb2.Subscription = connection.call(stub.GetSubscription, request, _as_admin(connection, name))
    return found


def _as_admin(connection: Connection, name: str) -> list[tuple[str, str]]:
    parts = [*name.split("/"), "", "", ""]
    return connection.metadata(ROLE, site=parts[1], agency=parts[3])
