"""Pages of applications: an agency's own, or a citizen's own. Reads only; never changes a file.

A page goes on after the last file of the one before (keyset paging): what is opened meanwhile is newer and so is
not seen, and nothing is seen twice.
"""

from __future__ import annotations

import base64
import binascii
import re

from mpp.applications.v1 import applications_service_pb2 as rpc
from mpp_chassis.call import Call
from mpp_chassis.errors import InvalidField

from mpp_applications import store
from mpp_applications.usecases import App, shown

PAGE = 50  # when the caller does not say
_ORDER_KEY = re.compile(r"\d{8}T\d{6}\.\d{6}-[a-z0-9-]{8,40}")


def list_applications(app: App, request: rpc.ListApplicationsRequest, call: Call) -> rpc.ListApplicationsResponse:
    """Newest first, as far as the caller reaches. Raises InvalidField("page_token")."""
    limit, before = request.page_size or PAGE, _before(request.page_token)
    site_id, reach = request.parent.removeprefix("sites/"), call.reach()
    if reach.all:
        raise RuntimeError("no grant of ListApplications reaches a whole site, and no index serves it")
    if reach.agency:
        found = app.applications.of_agency(site_id, reach.agency, before, limit + 1)
    else:
        found = app.applications.of_owner(site_id, sorted(reach.owner_keys), before, limit + 1)
    page = found[:limit]
    token = _token(store.order_key(page[-1])) if len(found) > limit else ""
    return rpc.ListApplicationsResponse(applications=[shown(app, a, call) for a in page], next_page_token=token)


def _token(order_key: str) -> str:
    return base64.urlsafe_b64encode(order_key.encode()).decode().rstrip("=")


def _before(token: str) -> str:
    if not token:
        return ""
    try:
        key = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not _ORDER_KEY.fullmatch(key):
        raise InvalidField("page_token", "is not a token of this listing; start again without one")
    return key
