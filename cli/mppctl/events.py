"""`mppctl events parked`: look at events that a handler could not digest; send them back, or drop them.

Knows the operators' contract (mpp.ops.v1), which every service answers for its own queues.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from mpp.ops.v1 import ops_service_pb2 as pb
from mpp.ops.v1 import ops_service_pb2_grpc as rpc

from mppctl import showing
from mppctl.connection import Connection
from mppctl.problems import REFUSED, errors, explained

parked_app = typer.Typer(no_args_is_help=True, help="Events that could not be handled and wait for a person.")
ROLE = "platform_admin"
MOST = 1000  # events a call may name or list

Service = Annotated[str, typer.Option("--service", "-s", help="The service whose handlers failed.")]
Queue = Annotated[str, typer.Option("--queue", "-q", help="Only this queue, `<service>.<handler>`.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[EVENT_ID]...")]


@parked_app.command("list")
def list_parked(context: typer.Context, service: Service, queue: Queue = "") -> None:
    """Parked events, oldest first in each queue."""
    with explained():
        found = _parked(context.obj, service, queue)
    if context.meta.get("json"):
        showing.as_json(found)
    elif found:
        showing.parked(found)
    else:
        showing.console.print(f"{service}: nothing is parked")


@parked_app.command("show")
def show(context: typer.Context, event_id: str, service: Service, queue: Queue = "") -> None:
    """One parked event with headers and body."""
    with explained():
        found = _parked(context.obj, service, queue, event_id)
    if not found:
        errors.print(f"[red]✗[/red] {service} has no parked event {event_id}")
        raise typer.Exit(REFUSED)
    for event in found:  # the same event may be parked by several handlers
        if context.meta.get("json"):
            showing.as_json(event)
        else:
            showing.parked_event(event)


@parked_app.command("replay")
def replay(
    context: typer.Context,
    service: Service,
    event_ids: Ids = None,
    queue: Queue = "",
    everything: Annotated[bool, typer.Option("--all", help="All that are parked now.")] = False,
) -> None:
    """Send parked events back to the handler that failed them."""
    if everything == bool(event_ids):
        raise typer.BadParameter("give event ids, or --all")
    connection: Connection = context.obj
    with explained():
        chosen = _chosen(_parked(connection, service, queue), event_ids)
        stub = connection.stub(service, rpc.OpsServiceStub)
        for name, ids in chosen.items():
            request = pb.ReplayParkedRequest(
                queue=name, event_ids=[] if everything else ids, request_id=str(uuid.uuid4())
            )
            reply = connection.call(stub.ReplayParked, request, connection.metadata(ROLE))
            showing.console.print(f"{name}: {reply.replayed} sent back")
    _nothing(chosen, service)


@parked_app.command("drop")
def drop(
    context: typer.Context,
    service: Service,
    event_ids: Annotated[list[str], typer.Argument(metavar="EVENT_ID...")],
    reason: Annotated[str, typer.Option(help="Why; it is logged.")],
    queue: Queue = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Drop parked events for good."""
    connection: Connection = context.obj
    with explained():
        chosen = _chosen(_parked(connection, service, queue), event_ids)
        count = sum(map(len, chosen.values()))
        if count and not yes:
            typer.confirm(f"Drop {count} event(s) of {', '.join(chosen)} for good?", abort=True)
        stub = connection.stub(service, rpc.OpsServiceStub)
        for name, ids in chosen.items():
            request = pb.DropParkedRequest(queue=name, event_ids=ids, reason=reason, request_id=str(uuid.uuid4()))
            reply = connection.call(stub.DropParked, request, connection.metadata(ROLE))
            showing.console.print(f"{name}: {reply.dropped} dropped")
    _nothing(chosen, service)


def _parked(connection: Connection, service: str, queue: str, event_id: str = "") -> list[Any]:
    stub = connection.stub(service, rpc.OpsServiceStub)
    request = pb.ListParkedRequest(queue=queue, event_id=event_id, page_size=MOST)
    return list(connection.call(stub.ListParked, request, connection.metadata(ROLE)).parked)


def _chosen(found: Iterable[Any], event_ids: list[str] | None) -> dict[str, list[str]]:
    """Queue -> ids of the events wanted (all, where no ids are given)."""
    chosen: dict[str, list[str]] = {}
    for event in found:
        if not event_ids or event.event_id in event_ids:
            chosen.setdefault(event.queue, []).append(event.event_id)
    return chosen


def _nothing(chosen: dict[str, list[str]], service: str) -> None:
    if not chosen:
        errors.print(f"[red]✗[/red] {service}: no such parked event")
        raise typer.Exit(REFUSED)
