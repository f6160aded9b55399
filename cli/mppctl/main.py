"""mppctl: the commands and their options. Knows typer; the work is in the modules beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mppctl import agency as agencies
from mppctl import pruning, showing, sitefiles
from mppctl.applying import Applier, Outcome, Report
from mppctl.connection import Connection, Identity, NoConnection, connect
from mppctl.deleting import delete
from mppctl.describing import describe
from mppctl.events import parked_app
from mppctl.exporting import export
from mppctl.getting import get_app
from mppctl.problems import INTERRUPTED, REFUSED, WOULD_CHANGE, errors, explained, tell
from mppctl.report import report, staffing
from mppctl.showing import console
from mppctl.simulate import simulate
from mppctl.webhook import webhook_app

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=(
    "The command line of the MPP platform. It talks gRPC only. Exit codes: 0 done, 1 refused by the platform, "
    "2 wrong usage, 3 a file is wrong, 4 nobody answers, 5 not allowed, 6 (only with --exit-code) something would change, "
    "130 interrupted."
))  # fmt: skip
events_app = typer.Typer(no_args_is_help=True, help="Events that services exchange.")
app.add_typer(get_app, name="get")
app.add_typer(events_app, name="events")
app.add_typer(agencies.agency_app, name="agency")
app.add_typer(webhook_app, name="webhook")
events_app.add_typer(parked_app, name="parked")
app.command()(simulate)
app.command()(describe)
app.command()(delete)
app.command()(export)
app.command()(report)
app.command()(staffing)


@app.callback()
def options(
    context: typer.Context,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(help="NAME=HOST:PORT of a service; may be given again. Also MPP_ENDPOINTS, comma-separated."),
    ] = None,
    profile: Annotated[
        str, typer.Option(envvar="MPP_PROFILE", help="Take endpoints from .dev/PROFILE/endpoints.json.")
    ] = "run",
    token: Annotated[
        str, typer.Option(envvar="MPP_TOKEN", help="Bearer token. Without it the development issuer is asked.")
    ] = "",
    role: Annotated[str, typer.Option("--as", metavar="ROLE", help="Role to ask the issuer for.")] = "",
    subject: Annotated[str, typer.Option(help="Subject to ask the issuer for.")] = "mppctl",
    site: Annotated[
        str, typer.Option(help="Site of the token, `malang`; of a city_viewer several, `malang,batu`.")
    ] = "",
    agency: Annotated[str, typer.Option(help="Agency of the token, `dukcapil`.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the contract's JSON instead of tables.")] = False,
) -> None:
    with explained():
        try:
            connection = connect(endpoint or [], profile, token, Identity(role, subject, site, agency))
        except NoConnection as problem:
            raise typer.BadParameter(str(problem)) from problem
    context.obj = connection
    context.meta["json"] = json
    context.call_on_close(connection.close)


@app.command()
def apply(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Option(
            "--file",
            "-f",
            help="A site's folder, a folder of sites, a site's folder of displays, any file (site, agency, kind, channel, "
            "display, AgencyAccess ...), or `-`.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, show what would change, change nothing.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="With --dry-run: end with 6 when anything would change.")
    ] = False,
    services_only: Annotated[
        bool, typer.Option("--services-only", help="Leave site and agencies alone: what an agency's admin may do.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Of a site's folder, or its folder of displays: delete what is in no file."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --prune: do not ask.")] = False,
    secrets: agencies.Secrets = None,
) -> None:
    """Bring the platform to what the files say. Repeatable; unchanged resources make no event."""
    connection: Connection = context.obj
    if agencies.is_access_file(file):
        agencies.apply_file(context, file, dry_run, secrets)
        return
    if prune:
        pruning.check(file, services_only)
    with explained():
        reports, pruned = [], list[pruning.Pruned]()
        for files in sitefiles.load(file):
            if services_only:
                files.site = None
                files.agencies.clear()
                files.overseers.clear()
                files.kinds.clear()
                files.leave_displays()
            if files.site and files.displays and not connection.knows("queue"):
                files.leave_displays()
                errors.print(
                    f"[yellow]![/yellow] {files.site_name}: its displays are left alone: no endpoint of the queue service "
                    "is known (--endpoint queue=HOST:PORT)"
                )
            reports.append(_apply(connection, files, dry_run))
            if reports[-1].interrupted:
                raise typer.Exit(INTERRUPTED)
            if prune:
                pruned += pruning.prune(connection, files, reports[-1], dry_run=dry_run, yes=yes)
    refused = [o.refusal for report in reports for o in report.refused] + [one.refusal for one in pruned]
    if any(refused):
        raise typer.Exit(max(one.exit_code for one in refused if one) or REFUSED)
    if dry_run and exit_code and (pruned or any(report.pending for report in reports)):
        raise typer.Exit(WOULD_CHANGE)


def _apply(connection: Connection, files: sitefiles.SiteFiles, dry_run: bool) -> Report:
    total = bool(files.site) + len(files.kinds) + len(files.agencies) + len(files.offerings)
    total += len(files.overseers) + len(files.channels) + len(files.displays)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(files.site_name, total=total)

        def advance(outcome: Outcome) -> None:
            progress.update(task, advance=1, description=outcome.name)

        report = Applier(connection, files, dry_run, advance).run()
    _summary(files, report, dry_run)
    if report.stopped or report.interrupted:
        why = "gave up: every further call would end the same way" if report.stopped else "interrupted"
        errors.print(f"[red]✗[/red] {why}; {total - len(report.outcomes)} of {total} not done; run it again to go on")
    if report.interrupted and not dry_run:
        errors.print("  the one that was under way may have been done")
    return report


def _summary(files: sitefiles.SiteFiles, report: Report, dry_run: bool) -> None:
    for outcome in report.refused:
        assert outcome.refusal
        _tell(files, outcome)
    if dry_run:
        for outcome in report.outcomes:
            showing.difference(outcome.kind, outcome.name, outcome.result, outcome.changes)
    verb = "would be " if dry_run else ""
    kinds = {"site": "site", "kind": "kinds of channel", "agency": "agencies", "service": "services"}
    for kind, plural in {**kinds, "overseer": "overseers", "channel": "channels", "display": "displays"}.items():
        counts = {r: report.count(kind, r) for r in ("created", "changed", "unchanged", "unchecked", "refused")}
        parts = [f"{n} {_word(result, verb)}" for result, n in counts.items() if n]
        if parts:
            console.print(f"{files.site_name}: {plural}: {', '.join(parts)}")
    if report.beyond:
        console.print(f"{files.site_name}: on the platform but in no file: {', '.join(report.beyond)}", markup=False)


def _tell(files: sitefiles.SiteFiles, outcome: Outcome) -> None:
    """A refusal with the place of each field that is wrong: file, line and column."""
    refused = outcome.refusal
    assert refused
    where = {path: files.where(outcome.name, path) for path, _ in refused.fields}
    first = next(iter(where.values()), "") or files.where(outcome.name, "")
    tell(refused, f"{first}: {outcome.name}", where)
    if refused.reason == "ETAG_MISMATCH":
        errors.print("  somebody else changed it since this run began: look with --dry-run, and run again")


def _word(result: str, verb: str) -> str:
    if result == "unchecked":
        return "not checked yet (what they refer to does not exist yet)"
    return f"{verb}{result}" if result in ("created", "changed") else result


if __name__ == "__main__":
    app()
