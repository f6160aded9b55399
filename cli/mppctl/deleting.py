"""`mppctl delete`: take agencies, services and channels out of the catalogue. Asks before; what citizens wait for stays."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, Any

import typer
from mpp.catalog.v1 import catalog_service_pb2 as pb
from mpp.catalog.v1 import catalog_service_pb2_grpc as rpc

from mppctl import applying
from mppctl.applying import ROLE
from mppctl.connection import Connection
from mppctl.getting import site_id
from mppctl.problems import explained
from mppctl.showing import console

_HINTS = {
    "OPEN_TICKETS": "to drain it: apply the agency without a queue after closing time (nobody new; the day's end closes the "
    "rest), and delete then",
    "OPEN_APPLICATIONS": "let each application come to its end first",
    "OPEN_APPOINTMENTS": "close the days that are left (appointments.closures); who booked chooses another time",
    "HAS_OFFERINGS": "give --with-all to delete its services and channels first",
    "HAS_CHANNELS": "give --with-all, or delete the channels first",
}


def delete(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="sites/malang/agencies/..., .../offerings/..., .../channels/...")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    with_all: Annotated[
        bool,
        typer.Option("--with-all", help="Of an agency: its channels and services first; of a service: its channels."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check only; of --with-all, the first step is checked.")
    ] = False,
) -> None:
    """Take resources out of the catalogue. Refused while tickets or applications are open."""
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
        with explained(_HINTS):
            _delete(connection, name, dry_run)
        console.print(f"{name} {'could be deleted' if dry_run else 'deleted'}")
        if dry_run and with_all:
            return


def _delete(connection: Connection, name: str, dry_run: bool) -> None:
    method, request = _method(connection, name)
    given = request(name=name, validate_only=dry_run, request_id=str(uuid.uuid4()))
    connection.call(method, given, connection.metadata(ROLE, site=site_id(name)))


def _method(connection: Connection, name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    stub = connection.stub("catalog", rpc.CatalogServiceStub)
    known = {
        "agencies": (stub.DeleteAgency, pb.DeleteAgencyRequest),
        "offerings": (stub.DeleteOffering, pb.DeleteOfferingRequest),
        "channels": (stub.DeleteChannel, pb.DeleteChannelRequest),
    }
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "sites" or parts[2] not in known:
        raise typer.BadParameter(f"{name!r} is no agency, service or channel; write sites/malang/agencies/...")
    return known[parts[2]]


def _all_of(connection: Connection, name: str) -> list[str]:
    """What refers to it, and it, in an order in which nothing refers to what is gone."""
    site, collection = f"sites/{site_id(name)}", name.split("/")[2:3]
    if collection == ["agencies"]:
        channels = [channel.name for channel in applying.channels(connection, site, name)]
        return [*channels, *(offering.name for offering in applying.offerings(connection, site, name)), name]
    if collection == ["offerings"]:
        return [*(c.name for c in applying.channels(connection, site) if name in c.offerings), name]
    return [name]
