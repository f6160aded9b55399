"""`mppctl webhook`: an agency's signed webhooks. Knows the agencies' contract; asks as the agency's own admin.

A signing secret is shown when it is made and never again.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from mpp.subscriptions.v1 import webhooks_service_pb2 as pb
from mpp.subscriptions.v1 import webhooks_service_pb2_grpc as rpc
from mpp.subscriptions.v1.webhook_pb2 import Webhook
from rich.markup import escape
from rich.table import Table

from mppctl import showing
from mppctl.connection import Connection
from mppctl.problems import REFUSED, explained

webhook_app = typer.Typer(no_args_is_help=True, help="Signed webhooks of an agency.")
ROLE, PAGE = "agency_admin", 200

Site = Annotated[str, typer.Argument(help="`malang`")]
Agency = Annotated[str, typer.Argument(help="`dukcapil`")]
Name = Annotated[str, typer.Argument(help="`sites/malang/agencies/dukcapil/webhooks/...`, as `list` tells it.")]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", "-t", help="`mpp.queue.v1.TicketCalled`; again for more. None: all granted."),
]
Prefix = Annotated[str, typer.Option("--subject", help="Only events whose subject begins so: `sites/malang/`.")]


@webhook_app.command("create")
def create(
    context: typer.Context,
    site: Site,
    agency: Agency,
    url: Annotated[str, typer.Argument(help="`https://...`")],
    types: Types = None,
    subject: Prefix = "",
    description: Annotated[str, typer.Option(help="For people.")] = "",
) -> None:
    """A new webhook for events from now on. Its signing secret is shown once."""
    request = pb.CreateWebhookRequest(
        parent=f"sites/{site}/agencies/{agency}", url=url, event_types=types or [], subject_prefix=subject,
        description=description, request_id=str(uuid.uuid4()),
    )  # fmt: skip
    _show(context, _call(context, "CreateWebhook", request))


@webhook_app.command("list")
def list_webhooks(context: typer.Context, site: Site, agency: Agency) -> None:
    """All webhooks of an agency."""
    with explained():
        found = list(of_agency(context.obj, f"sites/{site}/agencies/{agency}"))
    if context.meta.get("json"):
        showing.as_json(found)
        return
    table = Table("webhook", "url", "events", "state", "delivered")
    for one in found:
        types = "\n".join(one.event_types) or "all granted"
        table.add_row(one.name, escape(one.url), types, _state(one), showing.moment(one, "delivered_at"))
    showing.console.print(table)


@webhook_app.command("show")
def show(context: typer.Context, name: Name) -> None:
    """One webhook with its latest tries."""
    webhook = _call(context, "GetWebhook", pb.GetWebhookRequest(name=name))
    attempts = _call(context, "ListWebhookAttempts", pb.ListWebhookAttemptsRequest(name=name)).attempts
    _show(context, webhook)
    if not context.meta.get("json") and attempts:
        table = Table("at", "event", "id", "outcome", "ms", title="latest tries", title_justify="left")
        for one in attempts[:20]:
            outcome = one.failure or f"delivered ({one.status})"
            row = (showing.moment(one, "at"), one.event_type, one.event_id, outcome, str(one.milliseconds))
            table.add_row(*row)
        showing.console.print(table)


@webhook_app.command("enable")
def enable(context: typer.Context, name: Name) -> None:
    """Go on where it stopped."""
    _show(context, _call(context, "EnableWebhook", pb.EnableWebhookRequest(name=name, request_id=_new())))


@webhook_app.command("disable")
def disable(context: typer.Context, name: Name) -> None:
    """Stop deliveries; the place is kept."""
    _show(context, _call(context, "DisableWebhook", pb.DisableWebhookRequest(name=name, request_id=_new())))


@webhook_app.command("rotate")
def rotate(
    context: typer.Context,
    name: Name,
    expire: Annotated[bool, typer.Option("--expire-previous", help="The old secrets end at once: one leaked.")] = False,
) -> None:
    """A new signing secret, shown once; the old one signs beside it for 24 hours."""
    request = pb.RotateWebhookSecretRequest(name=name, expire_previous=expire, request_id=_new())
    _show(context, _call(context, "RotateWebhookSecret", request))


@webhook_app.command("replay")
def replay(
    context: typer.Context,
    name: Name,
    since: Annotated[datetime | None, typer.Option(help="Events that happened from then on (UTC).")] = None,
    cursor: Annotated[str, typer.Option(help="Events behind this cursor.")] = "",
) -> None:
    """Deliver again from a time or a cursor, and enable."""
    if bool(since) == bool(cursor):
        raise typer.BadParameter("give --since or --cursor")
    request = pb.ReplayWebhookRequest(name=name, request_id=_new())
    if since:
        moment = Timestamp()
        moment.FromDatetime(since.replace(tzinfo=UTC))
        request.start_time.CopyFrom(moment)
    else:
        request.cursor = cursor
    _show(context, _call(context, "ReplayWebhook", request))


@webhook_app.command("test")
def test(context: typer.Context, name: Name) -> None:
    """Post a signed test event now. Exit code 1 when it was not taken."""
    reply = _call(context, "TestWebhook", pb.TestWebhookRequest(name=name, request_id=_new()))
    attempt = reply.attempt
    if context.meta.get("json"):
        showing.as_json(attempt)
    elif attempt.failure:
        showing.console.print(f"[red]✗[/red] {attempt.failure} after {attempt.milliseconds} ms")
    else:
        showing.console.print(f"[green]✓[/green] {attempt.status} after {attempt.milliseconds} ms")
    if attempt.failure:
        raise typer.Exit(REFUSED)


@webhook_app.command("delete")
def delete(
    context: typer.Context, name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """End a webhook for good."""
    if not yes:
        typer.confirm(f"Delete {name}, its secrets and its place?", abort=True)
    _call(context, "DeleteWebhook", pb.DeleteWebhookRequest(name=name, request_id=_new()))
    showing.console.print(f"{name}: deleted")


def _call(context: typer.Context, method: str, request: Any) -> Any:
    connection: Connection = context.obj
    owner = re.match(r"sites/([^/]+)/agencies/([^/]+)", getattr(request, "name", "") or getattr(request, "parent", ""))
    site, agency = owner.groups() if owner else ("", "")
    with explained():
        call = getattr(connection.stub("subscriptions", rpc.WebhooksServiceStub), method)
        return connection.call(call, request, connection.metadata(ROLE, site=site, agency=agency))


def of_agency(connection: Connection, agency: str) -> Iterator[Webhook]:
    """All of an agency (`sites/malang/agencies/dukcapil`), by name, page by page. Raises grpc.RpcError, NoConnection."""
    stub, token = connection.stub("subscriptions", rpc.WebhooksServiceStub), ""
    _, site, _, short = agency.split("/")
    metadata = connection.metadata(ROLE, site=site, agency=short)
    while True:
        request = pb.ListWebhooksRequest(parent=agency, page_size=PAGE, page_token=token)
        reply = connection.call(stub.ListWebhooks, request, metadata)
        yield from reply.webhooks
        token = reply.next_page_token
        if not token:
            return


def _show(context: typer.Context, reply: Message) -> None:
    """A webhook, with its secret when it was just made."""
    if context.meta.get("json"):
        showing.as_json(reply)
        return
    webhook: Any = getattr(reply, "webhook", reply)
    table = Table(title=escape(webhook.name), title_justify="left", show_header=False, box=None, pad_edge=False)
    for label, text in (
        ("url", webhook.url),
        ("events", ", ".join(webhook.event_types) or "all that is granted"),
        ("subject", webhook.subject_prefix),
        ("state", _state(webhook)),
        ("failing", showing.moment(webhook, "failing_since")),
        ("next try", showing.moment(webhook, "next_attempt_at")),
        ("delivered", showing.moment(webhook, "delivered_at")),
        ("place", webhook.position_cursor),
        ("secrets", ", ".join(f"{s.id[:8]} {_until(s)}".strip() for s in webhook.secrets)),
    ):
        if text:
            table.add_row(label, escape(text))
    showing.console.print(table)
    if secret := getattr(reply, "secret", ""):
        showing.console.print(f"signing secret, shown once: [bold]{escape(secret)}[/bold]", soft_wrap=True)


def _until(secret: Any) -> str:
    return f"until {showing.moment(secret, 'expires_at')}" if secret.HasField("expires_at") else ""


def _state(webhook: Webhook) -> str:
    state = Webhook.State.Name(webhook.state).removeprefix("STATE_").lower()
    if not webhook.disabled_reason:
        return f"{state}, failing ({webhook.failures})" if webhook.failures else state
    reason = Webhook.DisabledReason.Name(webhook.disabled_reason).removeprefix("DISABLED_REASON_").lower()
    return f"{state} ({reason.replace('_', ' ')})"


def _new() -> str:
    return str(uuid.uuid4())
