"""`mppctl describe`: everything about one resource, also what other services tell of it. Knows which service answers.

A service that does not answer is said so in its place; the rest is shown all the same.
"""

from __future__ import annotations

from typing import Annotated, Any

import grpc
import typer
from mpp.catalog.v1 import catalog_service_pb2 as pb
from mpp.catalog.v1 import catalog_service_pb2_grpc as rpc
from mpp.queue.v1 import counters_service_pb2 as counters_pb
from mpp.queue.v1 import counters_service_pb2_grpc as counters_rpc
from mpp.queue.v1 import displays_service_pb2 as displays_pb
from mpp.queue.v1 import displays_service_pb2_grpc as displays_rpc
from mpp.queue.v1 import queue_service_pb2 as queue_pb
from mpp.queue.v1 import queue_service_pb2_grpc as queue_rpc

from mppctl import applying, displayfile, displays, exporting, showing
from mppctl.connection import Connection, NoConnection
from mppctl.getting import site_id, site_name
from mppctl.problems import explained, refusal
from mppctl.showing import console


def describe(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="Resource name: a site, an agency, queue, service, kind, channel or display.")
    ],
) -> None:
    """Everything about one resource: what the catalogue holds, and what the queue says now."""
    connection: Connection = context.obj
    name = site_name(name)
    parts = name.split("/")
    known = {"agencies": _agency, "queues": _queue, "offerings": _offering, "channelKinds": _kind, "channels": _channel}
    known |= {"displays": _display}
    if len(parts) not in (2, 4) or (len(parts) == 4 and parts[2] not in known):
        raise typer.BadParameter(f"{name!r} is no site, agency, queue, service, kind, channel or display")
    with explained():
        known[parts[2]](connection, name) if len(parts) == 4 else _site(connection, name)


def _site(connection: Connection, name: str) -> None:
    stub = connection.stub("catalog", rpc.CatalogServiceStub)
    showing.site(connection.call(stub.GetSite, pb.GetSiteRequest(name=name)))
    showing.agencies(applying.agencies(connection, name))
    showing.channel_kinds(list(applying.channel_kinds(connection, name)))
    showing.channels(list(applying.channels(connection, name)))
    request = displays_pb.ListDisplaysRequest(parent=name, page_size=applying.PAGE)
    held = _asked(connection, "queue", displays_rpc.DisplaysServiceStub, "ListDisplays", request, site=site_id(name))
    if held is not None and held.displays:
        showing.displays(held.displays)


def _agency(connection: Connection, name: str) -> None:
    stub, site = connection.stub("catalog", rpc.CatalogServiceStub), f"sites/{site_id(name)}"
    agency = connection.call(stub.GetAgency, pb.GetAgencyRequest(name=name))
    showing.agency(agency)
    _open_work(connection, name)
    if agency.HasField("queue"):
        showing.document("queue", exporting.dump(exporting.agency(agency, ())["queue"]))
        _queue(connection, f"{site}/queues/{agency.queue.id}")
    if offered := list(applying.offerings(connection, site, name)):
        showing.offerings(offered)
    showing.channels(list(applying.channels(connection, site, name)))


def _queue(connection: Connection, name: str) -> None:
    """What the queue service says: who waits, how long, which counters are at work."""
    status = _asked(connection, "queue", queue_rpc.QueueServiceStub, "GetQueue", queue_pb.GetQueueRequest(name=name))
    if status is not None:
        showing.queue(status)
    request = counters_pb.ListCountersRequest(parent=f"sites/{site_id(name)}", queue=name)
    counters = _asked(
        connection, "queue", counters_rpc.CountersServiceStub, "ListCounters", request, site=site_id(name)
    )
    if counters is not None:
        showing.counters(counters.counters)


def _offering(connection: Connection, name: str) -> None:
    stub = connection.stub("catalog", rpc.CatalogServiceStub)
    offering = connection.call(stub.GetOffering, pb.GetOfferingRequest(name=name))
    showing.offering(offering)
    _open_work(connection, name)
    site = f"sites/{site_id(name)}"
    showing.channels([c for c in applying.channels(connection, site, offering.agency) if name in c.offerings])


def _kind(connection: Connection, name: str) -> None:
    stub = connection.stub("catalog", rpc.CatalogServiceStub)
    kind = connection.call(stub.GetChannelKind, pb.GetChannelKindRequest(name=name))
    showing.channel_kind(kind)
    site = f"sites/{site_id(name)}"
    showing.channels([c for c in applying.channels(connection, site) if c.kind == name])


def _channel(connection: Connection, name: str) -> None:
    stub = connection.stub("catalog", rpc.CatalogServiceStub)
    channel = connection.call(stub.GetChannel, pb.GetChannelRequest(name=name))
    showing.channels([channel])
    _open_work(connection, name)
    showing.document("settings and bookings", exporting.dump(exporting.channel(channel)))
    queue = exporting.channel(channel).get("settings", {}).get("queue")
    if queue and isinstance(queue, str):
        _queue(connection, f"sites/{site_id(name)}/queues/{queue.rsplit('/', 1)[-1]}")


def _display(connection: Connection, name: str) -> None:
    """How it is set, and what its screens show now."""
    display = displays.one(connection, name)
    showing.display(display)
    showing.document("file", exporting.dump(displayfile.document(display)))
    showing.frame(displays.frame(connection, name))


def _open_work(connection: Connection, name: str) -> None:
    """What must end before it may be deleted, as the catalogue has heard."""
    request = pb.GetOpenWorkRequest(name=name)
    found = _asked(connection, "catalog", rpc.CatalogServiceStub, "GetOpenWork", request, site=site_id(name))
    if found is not None:
        showing.open_work(found)


def _asked(connection: Connection, service: str, stub: Any, method: str, request: Any, site: str = "") -> Any:
    """The reply, or None after saying why there is none."""
    try:
        metadata = connection.metadata("site_manager", site=site) if site else None
        return connection.call(getattr(connection.stub(service, stub), method), request, metadata)
    except NoConnection as problem:
        console.print(f"{service}: {problem}", markup=False)
    except grpc.RpcError as error:
        console.print(f"{service}: {refusal(error).lines()[0]}", markup=False)
    return None
