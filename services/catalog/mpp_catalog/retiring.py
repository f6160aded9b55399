"""Taking out of the catalogue: agencies, services, channels, kinds of channel, an empty site. Load, decide, save.

What goes leaves a tombstone (its name and version), so that a name that is published again goes on with its sequence,
and every projection of it takes the newer. Knows the domain, the store and the caller's reach; never a transport.

Not guaranteed: what is applied, or a ticket that is taken, in the very moment of a deletion may refer to what is gone;
two documents are never written as one. Its next change is refused, and the queue of a retired agency takes nobody new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp.catalog.v1 import catalog_service_pb2 as rpc
from mpp.catalog.v1 import events_pb2
from mpp_chassis.aggregates import Aggregates, Stale, Stored
from mpp_chassis.call import Call
from mpp_chassis.errors import Aborted, NotFound
from mpp_chassis.events import Event

from mpp_catalog import domain, metrics, store
from mpp_catalog.openwork import APPLICATIONS, APPOINTMENTS, TICKETS
from mpp_catalog.usecases import ATTEMPTS, App

M = TypeVar("M", bound=Message)


def delete_agency(app: App, request: rpc.DeleteAgencyRequest, call: Call) -> rpc.DeleteAgencyResponse:
    """Raises NotFound, ETAG_MISMATCH, OPEN_TICKETS, OPEN_APPLICATIONS, OPEN_APPOINTMENTS, HAS_CHANNELS, HAS_OFFERINGS,
    Aborted.
    """
    name, site_id = request.name, _site_id(request.name)

    def hanging(_: Stored) -> domain.Dependants:
        return domain.Dependants(
            offerings=app.catalogue.offerings_of(site_id, name),
            channels=app.catalogue.channels_of(site_id, name),
            tickets=app.open_work.of_agency(name, TICKETS),
            applications=app.open_work.of_agency(name, APPLICATIONS),
            appointments=app.open_work.of_agency(name, APPOINTMENTS),
        )

    event = events_pb2.AgencyRetired(agency=name)
    reply, grave = rpc.DeleteAgencyResponse(), {"queue": None, **store.claims(name, None)}
    return _retire("agency", app.catalogue.agencies, request, call, reply, event, grave, hanging)


def delete_offering(app: App, request: rpc.DeleteOfferingRequest, call: Call) -> rpc.DeleteOfferingResponse:
    """Raises NotFound, PermissionDenied, ETAG_MISMATCH, OPEN_TICKETS, OPEN_APPLICATIONS, OPEN_APPOINTMENTS, HAS_CHANNELS,
    Aborted.
    """
    name = request.name

    def hanging(stored: Stored) -> domain.Dependants:
        agency = stored.state["agency"]
        call.require(agency=agency)
        return domain.Dependants(
            channels=app.catalogue.channels_of(_site_id(name), agency, name),
            tickets=app.open_work.of_offering(name, TICKETS),
            applications=app.open_work.of_offering(name, APPLICATIONS),
            appointments=app.open_work.of_offering(name, APPOINTMENTS),
        )

    event = events_pb2.OfferingRetired(offering=name)
    reply, grave = rpc.DeleteOfferingResponse(), {"search": [], "changed_at": app.catalogue.clock()}
    reply = _retire("offering", app.catalogue.offerings, request, call, reply, event, grave, hanging)
    app.memory.changed(_site_id(name))
    return reply


def delete_channel(app: App, request: rpc.DeleteChannelRequest, call: Call) -> rpc.DeleteChannelResponse:
    """Raises NotFound, PermissionDenied, ETAG_MISMATCH, OPEN_APPOINTMENTS, Aborted."""

    def hanging(stored: Stored) -> domain.Dependants:
        call.require(agency=stored.state["agency"])
        return domain.Dependants(appointments=app.open_work.of_channel(request.name, APPOINTMENTS))

    event = events_pb2.ChannelRetired(channel=request.name)
    return _retire("channel", app.catalogue.channels, request, call, rpc.DeleteChannelResponse(), event, {}, hanging)


def delete_channel_kind(app: App, request: rpc.DeleteChannelKindRequest, call: Call) -> rpc.DeleteChannelKindResponse:
    """Raises NotFound, ETAG_MISMATCH, HAS_CHANNELS, Aborted."""
    name = request.name

    def hanging(_: Stored) -> domain.Dependants:
        return domain.Dependants(channels=app.catalogue.channels_of_kind(_site_id(name), name))

    event, reply = events_pb2.ChannelKindRetired(channel_kind=name), rpc.DeleteChannelKindResponse()
    return _retire("channel_kind", app.catalogue.channel_kinds, request, call, reply, event, {}, hanging)


def delete_site(app: App, request: rpc.DeleteSiteRequest, call: Call) -> rpc.DeleteSiteResponse:
    """Only an empty one goes. Raises NotFound, ETAG_MISMATCH, HAS_AGENCIES, HAS_CHANNEL_KINDS, Aborted.

    Services and channels need an agency, so none is there without one.
    """
    site_id = _site_id(request.name)

    def hanging(_: Stored) -> domain.Dependants:
        return domain.Dependants(
            agencies=app.catalogue.agencies_of(site_id), channel_kinds=app.catalogue.kinds_of(site_id)
        )

    event, reply = events_pb2.SiteRetired(site=request.name), rpc.DeleteSiteResponse()
    return _retire("site", app.catalogue.sites, request, call, reply, event, {}, hanging)


def open_work(app: App, request: rpc.GetOpenWorkRequest, call: Call) -> rpc.OpenWork:
    """What hangs on an agency, a service or a channel. Raises NotFound, PermissionDenied."""
    name, collection = request.name, request.name.split("/")[2]
    shelf = {
        "agencies": app.catalogue.agencies,
        "offerings": app.catalogue.offerings,
        "channels": app.catalogue.channels,
    }[collection]
    stored = store.read(shelf, name)
    if stored is None:
        reason = {"agencies": "AGENCY", "offerings": "OFFERING", "channels": "CHANNEL"}[collection]
        raise NotFound(f"there is no {name}", reason=f"{reason}_NOT_FOUND", field="name")
    agency = name if collection == "agencies" else stored.state["agency"]
    call.require(agency=agency)
    counted = {
        "agencies": app.open_work.of_agency,
        "offerings": app.open_work.of_offering,
        "channels": app.open_work.of_channel,
    }[collection]
    reply = rpc.OpenWork(
        name=name,
        tickets=counted(name, TICKETS),
        applications=counted(name, APPLICATIONS),
        appointments=counted(name, APPOINTMENTS),
    )
    if collection == "agencies":
        reply.offerings.extend(app.catalogue.offerings_of(_site_id(name), name))
        reply.draining = bool((stored.state["queue"] or {}).get("draining"))
    if collection != "channels":
        of = name if collection == "offerings" else ""
        reply.channels.extend(app.catalogue.channels_of(_site_id(name), agency, of))
    return reply


def _retire(
    kind: str,
    shelf: Aggregates,
    request: Any,
    call: Call,
    reply: M,
    event: Message,
    grave: dict[str, Any],
    hanging: Callable[[Stored], domain.Dependants],
) -> M:
    """One write of a tombstone with its event. `hanging` checks the caller's reach and looks what hangs on it."""
    for _ in range(ATTEMPTS):
        stored = shelf.load(request.name)
        known = shelf.repeated(stored, call.mutation, type(reply)) if stored else None
        if known is not None:
            return known
        if stored is None or stored.state.get(store.RETIRED):
            raise NotFound(f"there is no {request.name}", reason=f"{kind.upper()}_NOT_FOUND", field="name")
        on = hanging(stored)
        domain.check_etag("etag", request.etag, request.name, stored.version)
        _refuse(request.name, on)
        if request.validate_only:
            return reply
        tombstone = {store.RETIRED: call.now, "retired_by": call.actor, **grave}
        try:
            shelf.save(stored, tombstone, call.mutation, reply, [Event(event, request.name)])
        except Stale:
            continue
        metrics.RETIRED.labels(_site_id(request.name), kind).inc()
        return reply
    raise Aborted(f"{request.name} is being changed by too many at once; try again")


def _refuse(name: str, on: domain.Dependants) -> None:
    try:
        domain.refuse_retiring(name, on)
    except (domain.StillOpen, domain.StillNeeded) as error:
        metrics.REFUSED.labels(_site_id(name), error.reason).inc()
        raise


def _site_id(name: str) -> str:
    return name.split("/")[1]
