"""What is granted, as it is read by operators and by an agency's admin.

Knows the domain, the store and the reach of a caller. Changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpp.subscriptions.v1 import grant_pb2
from mpp.subscriptions.v1 import grants_service_pb2 as rpc
from mpp_chassis.call import Call

from mpp_subscriptions import messages
from mpp_subscriptions.domain import grants
from mpp_subscriptions.domain.grants import Grant

if TYPE_CHECKING:
    from mpp_subscriptions.usecases import App


def get_grant(app: App, name: str, call: Call) -> grant_pb2.Grant:
    """Raises NotFound, PermissionDenied."""
    call.require(agency=grants.agency_of(name))
    return resource(app, app.grants.load(name))


def list_grants(app: App, parent: str, after: str, limit: int, call: Call) -> list[grant_pb2.Grant]:
    """At most `limit` grants of a site after the name `after`, as far as the caller may see them."""
    reach = call.reach()
    if reach.all:
        found = app.grants.page(parent.removeprefix("sites/"), after, limit)
    else:
        own = app.grants.find(grants.grant_name(reach.agency)) if reach.agency else None
        found = [own] if own is not None and own.name > after and own.name.startswith(f"{parent}/") else []
    return [resource(app, grant) for grant in found]


def list_entitlements(app: App, only: str) -> rpc.ListEntitlementsResponse:
    known = app.provisioner.known
    return messages.entitlements(one for name, one in known.items() if only in ("", name))


def resource(app: App, grant: Grant) -> grant_pb2.Grant:
    return messages.grant(grant, app.provisioner.access(grant), app.address)
