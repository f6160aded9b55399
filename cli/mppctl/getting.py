"""`mppctl get`: one resource, or a list. Knows which service answers, and which role may ask it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from mpp.applications.v1 import applications_service_pb2 as applications_pb
from mpp.applications.v1 import applications_service_pb2_grpc as applications_rpc
from mpp.catalog.v1 import catalog_service_pb2 as catalog_pb
from mpp.catalog.v1 import catalog_service_pb2_grpc as catalog_rpc
from mpp.complaints.v1 import complaints_service_pb2 as complaints_pb
from mpp.complaints.v1 import complaints_service_pb2_grpc as complaints_rpc
from mpp.notifications.v1 import notifications_service_pb2 as notifications_pb
from mpp.notifications.v1 import notifications_service_pb2_grpc as notifications_rpc
from mpp.queue.v1 import queue_service_pb2 as queue_pb
from mpp.queue.v1 import queue_service_pb2_grpc as queue_rpc

from mppctl import applying, displays, feeds, showing
from mppctl.connection import Connection
from mppctl.problems import explained

get_app = typer.Typer(no_args_is_help=True, help="Read resources.")
Name = Annotated[str, typer.Argument(help="Resource name, as in sites/malang/...")]
Site = Annotated[str, typer.Argument(help="`malang` or `sites/malang`.")]


@get_app.command("site")
def get_site(context: typer.Context, site: Site) -> None:
    """A site with its opening hours."""
    connection: Connection = context.obj
    with explained():
        stub = connection.stub("catalog", catalog_rpc.CatalogServiceStub)
        reply = connection.call(stub.GetSite, catalog_pb.GetSiteRequest(name=site_name(site)))
    _show(context, reply, lambda: showing.site(reply))


@get_app.command("agencies")
def get_agencies(context: typer.Context, site: Site) -> None:
    """The agencies of a site with their queues."""
    with explained():
        found = list(applying.agencies(context.obj, site_name(site)))
    _show(context, found, lambda: showing.agencies(found))


@get_app.command("offerings")
def get_offerings(
    context: typer.Context,
    site: Site,
    agency: Annotated[str, typer.Option(help="Only this agency's, `dukcapil`.")] = "",
    search: Annotated[str, typer.Option(help="Only those that match these words, best first.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="With --search: how many.")] = 10,
) -> None:
    """The public services of a site."""
    connection: Connection = context.obj
    name = site_name(site)
    with explained():
        if search:
            stub = connection.stub("catalog", catalog_rpc.CatalogServiceStub)
            request = catalog_pb.SearchOfferingsRequest(parent=name, query=search, page_size=limit)
            found = list(connection.call(stub.SearchOfferings, request).offerings)
            found = [o for o in found if not agency or o.agency == agency_name(name, agency)]
        else:
            found = list(applying.offerings(connection, name, agency_name(name, agency) if agency else ""))
    _show(context, found, lambda: showing.offerings(found))


@get_app.command("offering")
def get_offering(context: typer.Context, name: Name) -> None:
    """A public service with its standard of 14 components, gaps shown."""
    connection: Connection = context.obj
    with explained():
        stub = connection.stub("catalog", catalog_rpc.CatalogServiceStub)
        reply = connection.call(stub.GetOffering, catalog_pb.GetOfferingRequest(name=name))
    _show(context, reply, lambda: showing.offering(reply))


@get_app.command("kinds")
def get_kinds(context: typer.Context, site: Site) -> None:
    """The kinds of channel of a site."""
    with explained():
        found = list(applying.channel_kinds(context.obj, site_name(site)))
    _show(context, found, lambda: showing.channel_kinds(found))


@get_app.command("channels")
def get_channels(
    context: typer.Context,
    site: Site,
    agency: Annotated[str, typer.Option(help="Only this agency's, `dukcapil`.")] = "",
) -> None:
    """The channels of a site: kiosks, drive-thru corners, rooms, home visits ..."""
    name = site_name(site)
    with explained():
        found = list(applying.channels(context.obj, name, agency_name(name, agency) if agency else ""))
    _show(context, found, lambda: showing.channels(found))


@get_app.command("displays")
def get_displays(context: typer.Context, site: Site) -> None:
    """The screens of a site. Asks as a site manager unless --as says otherwise."""
    connection: Connection = context.obj
    name = site_name(site)
    with explained():
        found = list(displays.of_site(connection, name, connection.metadata(displays.READER, site=site_id(name))))
    _show(context, found, lambda: showing.displays(found))


@get_app.command("display")
def get_display(context: typer.Context, name: Name) -> None:
    """A screen: what it shows of which queues. Asks as a site manager unless --as says otherwise."""
    site_id(name)
    with explained():
        reply = displays.one(context.obj, name)
    _show(context, reply, lambda: showing.display(reply))


@get_app.command("subscriptions")
def get_subscriptions(
    context: typer.Context, site: Site, agency: Annotated[str, typer.Argument(help="`dukcapil`")]
) -> None:
    """How far an agency's systems are in its feed. Asks as the agency's admin unless --as says otherwise."""
    parent = agency_name(site_name(site), agency)
    with explained():
        found = list(feeds.of_agency(context.obj, parent))
    _show(context, found, lambda: showing.subscriptions(found))


@get_app.command("subscription")
def get_subscription(context: typer.Context, name: Name) -> None:
    """How far one is: sites/malang/agencies/dukcapil/subscriptions/..."""
    site_id(name)
    with explained():
        found = feeds.one(context.obj, name)
    _show(context, found, lambda: showing.subscriptions([found]))


@get_app.command("queue")
def get_queue(context: typer.Context, name: Name) -> None:
    """How many wait, how long it takes, and the last calls."""
    connection: Connection = context.obj
    with explained():
        stub = connection.stub("queue", queue_rpc.QueueServiceStub)
        reply = connection.call(stub.GetQueue, queue_pb.GetQueueRequest(name=name))
    _show(context, reply, lambda: showing.queue(reply))


@get_app.command("ticket")
def get_ticket(context: typer.Context, name: Name) -> None:
    """A ticket. Asks as a site manager unless --as says otherwise."""
    connection: Connection = context.obj
    site = site_id(name)
    with explained():
        stub = connection.stub("queue", queue_rpc.QueueServiceStub)
        request = queue_pb.GetTicketRequest(name=name)
        reply = connection.call(stub.GetTicket, request, connection.metadata("site_manager", site=site))
    _show(context, reply, lambda: showing.ticket(reply))


@get_app.command("application")
def get_application(context: typer.Context, name: Name) -> None:
    """An application. It is shown to its agency: give `--agency ID` before `get`."""
    connection: Connection = context.obj
    if not connection.token and not connection.identity.agency and not connection.identity.role:
        raise typer.BadParameter("an application is shown to its agency only: mppctl --agency ID get application NAME")
    site = site_id(name)
    with explained():
        stub = connection.stub("applications", applications_rpc.ApplicationsServiceStub)
        request = applications_pb.GetApplicationRequest(name=name)
        metadata = connection.metadata("agency_admin", site=site)
        reply = connection.call(stub.GetApplication, request, metadata)
    _show(context, reply, lambda: showing.application(reply))


@get_app.command("complaint")
def get_complaint(context: typer.Context, name: Name) -> None:
    """A complaint. Asks as a site manager unless --as says otherwise."""
    connection: Connection = context.obj
    site = site_id(name)
    with explained():
        stub = connection.stub("complaints", complaints_rpc.ComplaintsServiceStub)
        request = complaints_pb.GetComplaintRequest(name=name)
        reply = connection.call(stub.GetComplaint, request, connection.metadata("site_manager", site=site))
    _show(context, reply, lambda: showing.complaint(reply))


@get_app.command("notifications")
def get_notifications(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Resource that the messages are about.")],
) -> None:
    """What was told about a ticket, an application or a complaint, oldest first."""
    connection: Connection = context.obj
    parent = f"sites/{site_id(subject)}"
    found, token = [], ""
    with explained():
        stub = connection.stub("notifications", notifications_rpc.NotificationsServiceStub)
        metadata = connection.metadata("site_manager", site=site_id(subject))
        while True:
            request = notifications_pb.ListNotificationsRequest(parent=parent, subject=subject, page_token=token)
            reply = connection.call(stub.ListNotifications, request, metadata)
            found += reply.notifications
            token = reply.next_page_token
            if not token:
                break
    _show(context, found, lambda: showing.notifications(found))


def site_name(text: str) -> str:
    """`malang` and `sites/malang` alike."""
    return text if text.startswith("sites/") else f"sites/{text}"


def agency_name(site: str, text: str) -> str:
    """`dukcapil` and the full name alike."""
    return text if text.startswith("sites/") else f"{site}/agencies/{text}"


def site_id(name: str) -> str:
    """The site of a resource name. Raises BadParameter for something else."""
    parts = name.split("/")
    if len(parts) < 2 or parts[0] != "sites" or not parts[1]:
        raise typer.BadParameter(f"{name!r} is not a resource name; write sites/malang/...")
    return parts[1]


def _show(context: typer.Context, found: Any, table: Any) -> None:
    if context.meta.get("json"):
        showing.as_json(found)
    elif found:
        table()
    else:
        showing.console.print("nothing found")
