"""`mppctl delete`: take agencies, services, channels, kinds and empty sites out of the catalogue, displays out of the
queue service, an agency's subscriptions and webhooks out of its edge. Asks before; what citizens wait for stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

import grpc
import typer
from mpp.catalog.v1 import catalog_service_pb2 as pb
from mpp.catalog.v1 import catalog_service_pb2_grpc as rpc
from mpp.queue.v1 import displays_service_pb2 as displays_pb
from mpp.queue.v1 import displays_service_pb2_grpc as displays_rpc
from mpp.subscriptions.v1 import feed_service_pb2 as feed_pb
from mpp.subscriptions.v1 import feed_service_pb2_grpc as feed_rpc
from mpp.subscriptions.v1 import grants_service_pb2 as grants_pb
from mpp.subscriptions.v1 import grants_service_pb2_grpc as grants_rpc
from mpp.subscriptions.v1 import webhooks_service_pb2 as hooks_pb
from mpp.subscriptions.v1 import webhooks_service_pb2_grpc as hooks_rpc
from mpp.subscriptions.v1.grant_pb2 import Grant

from mppctl import agency as agencies
from mppctl import applying, displays, feeds
from mppctl import webhook as webhooks
from mppctl.applying import ROLE
from mppctl.connection import Connection
from mppctl.getting import site_id
from mppctl.problems import errors, explained
from mppctl.showing import console

HINTS = {
    "OPEN_TICKETS": "to drain it: apply the agency with `draining: true` in its queue, wait until `mppctl describe` tells "
    "that nothing is open, and delete then",
    "OPEN_APPLICATIONS": "let each application come to its end first",
    "OPEN_APPOINTMENTS": "with `draining: true` in its queue nobody books any more; wait for the last day that was booked, "
    "or cancel",
    "HAS_OFFERINGS": "give --with-all to delete its services and channels first",
    "HAS_CHANNELS": "give --with-all, or delete the channels first",
    "HAS_AGENCIES": "only an empty site goes: give --with-all, or delete its agencies first",
    "HAS_CHANNEL_KINDS": "only an empty site goes: give --with-all, or delete its kinds first",
}


def delete(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(
            help="sites/malang/agencies/..., .../offerings/..., .../channels/..., .../channelKinds/..., .../displays/..., "
            ".../agencies/dukcapil/subscriptions/..., .../agencies/dukcapil/webhooks/..., sites/..."
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    with_all: Annotated[
        bool,
        typer.Option(
            "--with-all",
            help="Also what hangs on it: of an agency its channels, services, access to events and webhooks, of a site all.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check only; of --with-all, the first step is checked.")
    ] = False,
) -> None:
    """Take resources out of the platform. Refused while tickets, applications or bookings are open."""
    connection: Connection = context.obj
    with explained():
        wanted = [one for name in names for one in (_all_of(connection, name) if with_all else [name])]
    wanted = list(dict.fromkeys(wanted))
    for name in wanted:
        _method(connection, name)  # a wrong name is told before anything is asked or done
    if not yes and not dry_run:
        for name in wanted:
            console.print(f"  {name}")
        typer.confirm(f"Delete {'these ' + str(len(wanted)) if len(wanted) > 1 else 'it'}?", abort=True)
    for name in wanted:
        with explained(HINTS):
            if not _gone(connection, name, dry_run, fine=len(wanted) > 1 and with_all):
                continue
        console.print(f"{name} {'could be deleted' if dry_run else 'deleted'}")
        if dry_run and with_all:
            return


def _gone(connection: Connection, name: str, dry_run: bool, *, fine: bool) -> bool:
    """False, and said so, where it is not there and that is `fine`: an interrupted run goes on. Raises grpc.RpcError."""
    try:
        remove(connection, name, dry_run)
    except grpc.RpcError as error:
        if not fine or error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        console.print(f"{name} was not there")
        return False
    return True


def remove(connection: Connection, name: str, dry_run: bool) -> None:
    """Raises grpc.RpcError."""
    method, request = _method(connection, name)
    given = request(name=name, request_id=str(uuid.uuid4()))
    if dry_run and not hasattr(given, "validate_only"):
        raise typer.BadParameter(
            f"{name}: nothing stands against its deletion but that it is not there: there is no dry run"
        )
    if dry_run:
        given.validate_only = True
    connection.call(method, given, connection.metadata(ROLE, site=site_id(name)))


def _method(connection: Connection, name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    parts = name.split("/")
    if len(parts) == 4 and parts[0] == "sites" and parts[2] == "grants":
        return connection.stub("subscriptions", grants_rpc.GrantsServiceStub).RevokeGrant, grants_pb.RevokeGrantRequest
    if len(parts) == 6 and parts[0] == "sites" and parts[2] == "agencies" and parts[4] == "subscriptions":
        return connection.stub(
            "subscriptions", feed_rpc.FeedServiceStub
        ).DeleteSubscription, feed_pb.DeleteSubscriptionRequest
    if len(parts) == 6 and parts[0] == "sites" and parts[2] == "agencies" and parts[4] == "webhooks":
        return connection.stub(
            "subscriptions", hooks_rpc.WebhooksServiceStub
        ).DeleteWebhook, hooks_pb.DeleteWebhookRequest
    if len(parts) == 4 and parts[0] == "sites" and parts[2] == "displays":
        screens = connection.stub("queue", displays_rpc.DisplaysServiceStub)
        return screens.DeleteDisplay, displays_pb.DeleteDisplayRequest
    stub = connection.stub("catalog", rpc.CatalogServiceStub)
    known = {
        "agencies": (stub.DeleteAgency, pb.DeleteAgencyRequest),
        "offerings": (stub.DeleteOffering, pb.DeleteOfferingRequest),
        "channels": (stub.DeleteChannel, pb.DeleteChannelRequest),
        "channelKinds": (stub.DeleteChannelKind, pb.DeleteChannelKindRequest),
    }
    if len(parts) == 2 and parts[0] == "sites" and parts[1]:
        return stub.DeleteSite, pb.DeleteSiteRequest
    if len(parts) != 4 or parts[0] != "sites" or parts[2] not in known:
        raise typer.BadParameter(
            f"{name!r} is no agency, service, channel, kind, display, subscription, webhook or site; "
            "write sites/malang/agencies/..."
        )
    return known[parts[2]]


def _all_of(connection: Connection, name: str) -> list[str]:
    """What refers to it, and it, in an order in which nothing refers to what is gone."""
    site, collection = f"sites/{site_id(name)}", name.split("/")[2:3]
    if name.count("/") > 3:
        return [name]
    if not collection:
        held = [*_names(applying.everything(connection, site)), *_names(_displays(connection, site))]
        members = [one for one in held if one.split("/")[2] == "agencies"]
        return [*in_order(held), name, *(reading for member in members for reading in _access(connection, member))]
    if collection == ["agencies"]:
        channels = _names(applying.channels(connection, site, name))
        services = _names(applying.offerings(connection, site, name))
        return [*channels, *services, name, *_access(connection, name)]
    if collection == ["offerings"]:
        return [*(c.name for c in applying.channels(connection, site) if name in c.offerings), name]
    if collection == ["channelKinds"]:
        return [*(c.name for c in applying.channels(connection, site) if c.kind == name), name]
    return [name]


def _names(resources: Iterable[Any]) -> list[str]:
    """None below what is gone already. Raises grpc.RpcError."""
    try:
        return [resource.name for resource in resources]
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return []


def _displays(connection: Connection, site: str) -> Iterator[Any]:
    """Of a site that goes. Raises NoConnection when they cannot be asked for: they would outlive it unseen."""
    return displays.of_site(connection, site, connection.metadata(ROLE, site=site_id(site)))


def _access(connection: Connection, agency: str) -> Iterator[str]:
    """What an agency that goes reads events with: its grant, subscriptions, webhooks. Last, so that one that must stay keeps
    them. Where no endpoint tells of them they stay, which is said.
    """
    if not connection.knows("subscriptions"):
        errors.print(f"[yellow]![/yellow] {agency}: whether it may read events is not known here: mppctl agency revoke")
        return
    grant = agencies.find(connection, agency.replace("/agencies/", "/grants/"))
    if grant is not None and grant.state == Grant.STATE_ACTIVE:
        yield grant.name
    yield from (one.name for one in feeds.of_agency(connection, agency))
    yield from (one.name for one in webhooks.of_agency(connection, agency))


_ORDER = ("displays", "channels", "offerings", "agencies", "channelKinds")


def in_order(names: Iterable[str]) -> list[str]:
    """So that nothing refers to what is gone: displays, channels, services, agencies, kinds."""
    return sorted(names, key=lambda name: (_ORDER.index(name.split("/")[2]), name))
