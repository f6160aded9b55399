"""gRPC to use cases. Knows the requests' shapes and each error's status; never a store, never eventlet."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import grpc
from mpp.subscriptions.v1 import grant_pb2
from mpp.subscriptions.v1 import grants_service_pb2 as pb
from mpp_chassis.call import Call
from mpp_chassis.errors import InvalidField

from mpp_subscriptions import usecases, views
from mpp_subscriptions.domain import errors

ERRORS: Mapping[type[Exception], grpc.StatusCode] = {
    errors.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    errors.WrongState: grpc.StatusCode.FAILED_PRECONDITION,
    errors.AlreadyGranted: grpc.StatusCode.ALREADY_EXISTS,
    errors.EtagMismatch: grpc.StatusCode.FAILED_PRECONDITION,
}
DEFAULT_PAGE = 50


class GrantsApi:
    """mpp.subscriptions.v1.GrantsService."""

    def __init__(self, app: usecases.App) -> None:
        self._app = app

    def CreateGrant(self, request: pb.CreateGrantRequest, call: Call) -> grant_pb2.IssuedGrant:
        return usecases.create_grant(self._app, request, call)

    def UpdateGrant(self, request: pb.UpdateGrantRequest, call: Call) -> grant_pb2.Grant:
        return usecases.update_grant(self._app, request, call)

    def RotateGrant(self, request: pb.RotateGrantRequest, call: Call) -> grant_pb2.IssuedGrant:
        return usecases.rotate_grant(self._app, request, call)

    def RevokeGrant(self, request: pb.RevokeGrantRequest, call: Call) -> grant_pb2.Grant:
        return usecases.revoke_grant(self._app, request, call)

    def GetGrant(self, request: pb.GetGrantRequest, call: Call) -> grant_pb2.Grant:
        return views.get_grant(self._app, request.name, call)

    def ListGrants(self, request: pb.ListGrantsRequest, call: Call) -> pb.ListGrantsResponse:
        size = request.page_size or DEFAULT_PAGE
        found = views.list_grants(self._app, request.parent, _after(request), size + 1, call)
        token = base64.urlsafe_b64encode(found[size - 1].name.encode()).decode() if len(found) > size else ""
        return pb.ListGrantsResponse(grants=found[:size], next_page_token=token)

    def ListEntitlements(self, request: pb.ListEntitlementsRequest, call: Call) -> pb.ListEntitlementsResponse:
        return views.list_entitlements(self._app, request.entitlement)


def _after(request: pb.ListGrantsRequest) -> str:
    """The name at which the page before ended."""
    try:
        name = base64.b64decode(request.page_token, altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error) as e:
        raise InvalidField("page_token", "is not one that this listing gave out") from e
    if name and not name.startswith(f"{request.parent}/grants/"):
        raise InvalidField("page_token", "is not one that this listing gave out")
    return name
