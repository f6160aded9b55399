"""`mppctl agency`: which agency may read which public events, and its account at the broker.

Knows the operators' contract of grants. A password is shown when it is made and never again; where it goes (the screen,
or a file that only its owner reads) is the operator's choice.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import grpc
import typer
from google.protobuf.message import Message
from mpp.subscriptions.v1 import grants_service_pb2 as pb
from mpp.subscriptions.v1 import grants_service_pb2_grpc as rpc
from mpp.subscriptions.v1.grant_pb2 import Grant
from rich.table import Table

from mppctl import showing
from mppctl.applying import request_id
from mppctl.connection import Connection
from mppctl.problems import REFUSED, explained, refusal, tell
from mppctl.sitefiles import FileProblems
from mppctl.yamlfile import FileProblem, file_text, read

agency_app = typer.Typer(no_args_is_help=True, help="Agencies that read public events: accounts and entitlements.")
ROLE, PAGE = "platform_admin", 200
KIND = "AgencyAccess"

Site = Annotated[str, typer.Argument(help="`malang`")]
Agency = Annotated[str, typer.Argument(help="`dukcapil`")]
Secrets = Annotated[
    Path | None,
    typer.Option("--secrets", help="Folder for passwords, a file an account (mode 600), instead of the screen."),
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agency shall have; nothing: revoked. `place` is `file:line`, or empty for the command line."""

    site: str
    agency: str
    entitlements: tuple[str, ...]
    place: str = ""

    @property
    def name(self) -> str:
        return f"sites/{self.site}/grants/{self.agency}"


@agency_app.command("grant")
def grant(
    context: typer.Context,
    site: Site,
    agency: Agency,
    entitlements: Annotated[list[str], typer.Argument(help="All that it shall have: `queue applications`")],
    secrets: Secrets = None,
) -> None:
    """Give an agency exactly these entitlements. Repeatable; a new account's password is shown once."""
    with explained():
        result, reply = fulfil(context.obj, Wish(site, agency, tuple(entitlements)))
    _show(context, result, reply, secrets)


@agency_app.command("rotate")
def rotate(context: typer.Context, site: Site, agency: Agency, secrets: Secrets = None) -> None:
    """A new password; the old one is refused at once and its connections are closed."""
    connection: Connection = context.obj
    request = pb.RotateGrantRequest(name=f"sites/{site}/grants/{agency}", request_id=str(uuid.uuid4()))
    with explained():
        reply = connection.call(_stub(connection).RotateGrant, request, connection.metadata(ROLE))
    _show(context, "rotated", reply, secrets)


@agency_app.command("revoke")
def revoke(
    context: typer.Context,
    site: Site,
    agency: Agency,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take everything away: account, queue, open connections."""
    if not yes:
        typer.confirm(f"Delete account and queue of {agency} of {site}?", abort=True)
    with explained():
        result, reply = fulfil(context.obj, Wish(site, agency, ()))
    _show(context, result, reply, None)


@agency_app.command("list")
def list_grants(context: typer.Context, site: Site) -> None:
    """Every agency of a site that has or had access."""
    with explained():
        found = list(_all(context.obj, site))
    if context.meta.get("json"):
        showing.as_json(found)
        return
    table = Table("agency", "entitlements", "state", "broker", "password")
    for one in found:
        version = f"no. {one.credential_version}" if one.state == Grant.STATE_ACTIVE else ""
        table.add_row(one.agency.rsplit("/", 1)[1], ", ".join(one.entitlements), _state(one), _broker(one), version)
    showing.console.print(table)


@agency_app.command("show")
def show(context: typer.Context, site: Site, agency: Agency) -> None:
    """One agency's access and how it connects, without the password."""
    connection: Connection = context.obj
    with explained():
        found = find(connection, f"sites/{site}/grants/{agency}")
    if found is None:
        showing.console.print(f"{agency} of {site} has no access")
        raise typer.Exit(REFUSED)
    _show(context, "", found, None)


@agency_app.command("entitlements")
def entitlements(context: typer.Context) -> None:
    """What can be granted."""
    connection: Connection = context.obj
    with explained():
        found = connection.call(_stub(connection).ListEntitlements, pb.ListEntitlementsRequest()).entitlements
    if context.meta.get("json"):
        showing.as_json(list(found))
        return
    table = Table("entitlement", "events", "stream")
    for one in found:
        table.add_row(one.name, "\n".join(one.event_types), one.stream)
    showing.console.print(table)


def is_access_file(file: Path) -> bool:
    """Whether `mppctl apply -f` was given a file of this kind; whoever reads it next says what is wrong with it."""
    try:
        return file.is_file() and any(line.split() == ["kind:", KIND] for line in file_text(file).splitlines())
    except (OSError, FileProblem):
        return False


def apply_file(context: typer.Context, file: Path, dry_run: bool, secrets: Path | None) -> None:
    """Bring all agencies of a file to what it says. Agencies that it does not name stay as they are."""
    connection: Connection = context.obj
    refused = 0
    with explained():
        wishes = load(file)
        for wish in wishes:
            try:
                before = find(connection, wish.name)
                if dry_run:
                    showing.console.print(f"{wish.name}: {_verb(before, wish, 'would be ')}")
                    continue
                result, reply = fulfil(connection, wish)
                _show(context, result, reply, secrets)
            except grpc.RpcError as error:
                found = refusal(error)
                tell(found, f"{wish.place}: {wish.name}")
                refused = max(refused, found.exit_code)
                if found.hopeless:
                    break
    if refused:
        raise typer.Exit(refused)


def load(file: Path) -> list[Wish]:
    """Raises FileProblems."""
    try:
        f = read(file).fields("kind site agencies")
        f["kind"].choice({KIND: None})
        wishes: list[Wish] = []
        for item in f["agencies"].items():
            one = item.fields("id entitlements")
            wish = Wish(f["site"].text(), one["id"].text(), tuple(one["entitlements"].texts()), f"{file}:{item.line}")
            if any(w.name == wish.name for w in wishes):
                raise one["id"].problem("this agency stands here twice")
            wishes.append(wish)
    except FileProblem as problem:
        raise FileProblems([problem]) from problem
    return wishes


def fulfil(connection: Connection, wish: Wish) -> tuple[str, Any]:
    """What was done (granted, changed, revoked, unchanged) and the reply: a grant, or one with its password.

    The request_id comes from the wish and the version that it is laid over, as in `apply`. Raises grpc.RpcError.
    """
    stub, metadata = _stub(connection), connection.metadata(ROLE)
    before = find(connection, wish.name)
    result, etag = _verb(before, wish), before.etag if before else ""
    if result == "unchanged":
        return result, before or Grant(name=wish.name, agency=_agency(wish), state=Grant.STATE_REVOKED)
    if result == "revoked":
        revoking = pb.RevokeGrantRequest(name=wish.name)
        return result, connection.call(stub.RevokeGrant, _identified(revoking, etag), metadata)
    if result == "changed":
        changing = pb.UpdateGrantRequest(name=wish.name, entitlements=wish.entitlements, etag=etag)
        return result, connection.call(stub.UpdateGrant, _identified(changing, etag), metadata)
    creating = pb.CreateGrantRequest(parent=f"sites/{wish.site}", agency=_agency(wish), entitlements=wish.entitlements)
    return result, connection.call(stub.CreateGrant, _identified(creating, etag), metadata)


def _verb(before: Any, wish: Wish, prefix: str = "") -> str:
    active = before is not None and before.state == Grant.STATE_ACTIVE
    if not wish.entitlements:
        return f"{prefix}revoked" if active else "unchanged"
    if not active:
        return f"{prefix}granted"
    return "unchanged" if set(before.entitlements) == set(wish.entitlements) else f"{prefix}changed"


def _identified(request: Any, etag: str) -> Message:
    request.request_id = request_id(type(request).__name__, request, etag)
    return request  # type: ignore[no-any-return]


def _agency(wish: Wish) -> str:
    return f"sites/{wish.site}/agencies/{wish.agency}"


def _stub(connection: Connection) -> Any:
    return connection.stub("subscriptions", rpc.GrantsServiceStub)


def find(connection: Connection, name: str) -> Any:
    try:
        return connection.call(_stub(connection).GetGrant, pb.GetGrantRequest(name=name), connection.metadata(ROLE))
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise


def _all(connection: Connection, site: str) -> Iterator[Any]:
    token = ""
    while True:
        request = pb.ListGrantsRequest(parent=f"sites/{site}", page_size=PAGE, page_token=token)
        reply = connection.call(_stub(connection).ListGrants, request, connection.metadata(ROLE))
        yield from reply.grants
        token = reply.next_page_token
        if not token:
            return


def _state(found: Any) -> str:
    return "active" if found.state == Grant.STATE_ACTIVE else "revoked"


def _broker(found: Any) -> str:
    applied = found.provisioning == Grant.PROVISIONING_APPLIED
    return "applied" if applied else "pending: the broker will be told as soon as it answers"


def _show(context: typer.Context, result: str, reply: Any, secrets: Path | None) -> None:
    """A grant, or a grant with its new password."""
    issued = hasattr(reply, "password")
    found, password = (reply.grant, reply.password) if issued else (reply, "")
    kept = _keep(secrets, found, password) if secrets and password else None
    if context.meta.get("json"):
        if kept:
            reply.password = ""
        showing.as_json(reply)
        return
    console = showing.console
    console.print(f"{found.name}: {result or _state(found)}{'' if result == 'unchanged' else f' ({_broker(found)})'}")
    if found.state != Grant.STATE_ACTIVE:
        return
    console.print(f"  entitlements  {', '.join(found.entitlements)}")
    if issued and not password:
        console.print(
            "  [yellow]this command was done before: its password was told then; `agency rotate` makes a new one"
        )
    if password or not result:
        _connection(found, password, kept)


def _connection(found: Any, password: str, kept: Path | None) -> None:
    """How to connect, in words that can be copied."""
    console, at = showing.console, found.broker
    lines = [f"  username      {at.username}"]
    if kept:
        lines.append(f"  password      in {kept}")
    elif password:
        lines.append(f"  password      [bold]{password}[/bold]   (shown this once, kept nowhere)")
    lines += [
        f"  address       {_uri(at, '' if kept else password)}",
        f"  queue         {at.queue}   (all granted events from now on)",
        f"  streams       {', '.join(at.streams)}   (the last days again: x-stream-offset)",
        f"  exchange      {at.exchange}, keys {', '.join(at.routing_keys)}",
        "  examples      examples/agency/python, examples/agency/node",
    ]
    for line in lines:
        console.print(line, soft_wrap=True)


def _uri(at: Any, password: str) -> str:
    scheme, _, host = at.address.partition("://")
    return f"{scheme}://{at.username}:{password or 'PASSWORD'}@{host}/{quote(at.virtual_host, safe='')}"


def _keep(folder: Path, found: Any, password: str) -> Path:
    """The account's URI in a file that only its owner may read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{found.broker.username}.env"
    file.unlink(missing_ok=True)
    lines = (
        f"AMQP_URI={_uri(found.broker, password)}",
        f"AMQP_QUEUE={found.broker.queue}",
        f"AMQP_STREAMS={','.join(found.broker.streams)}",
    )
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write("\n".join(lines) + "\n")
    return file
