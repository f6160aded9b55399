"""`mppctl apply --prune`: what the platform holds of a site and no file of its folder says goes too. Knows the order in
which things can go, and that nothing goes when a file was refused; never decides what may go (the catalogue does).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import typer

from mppctl.applying import Report
from mppctl.connection import Connection
from mppctl.deleting import HINTS, in_order, remove
from mppctl.problems import Refusal, errors, refusal, tell
from mppctl.showing import console
from mppctl.sitefiles import SiteFiles

_REFERS = ("HAS_OFFERINGS", "HAS_CHANNELS")


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of one resource beyond the files."""

    name: str
    refusal: Refusal | None = None


def check(file: Path, services_only: bool) -> None:
    """Raises BadParameter: a single file does not say what a whole site holds."""
    if services_only:
        raise typer.BadParameter("--prune needs the whole site, --services-only is a part of it")
    if not file.is_dir() or not ((file / "site.yaml").exists() or file.resolve().name == "displays"):
        raise typer.BadParameter(
            f"--prune needs a site's folder, or its folder of displays, which says all that the site holds; {file} is none"
        )


def prune(connection: Connection, files: SiteFiles, report: Report, *, dry_run: bool, yes: bool) -> list[Pruned]:
    """Take out what is beyond the files, after everything else was applied. Asks, unless it is a dry run or `yes`.

    Nothing goes when a file was refused: then the files and the catalogue do not agree on what belongs there.
    """
    names = in_order(report.beyond)
    if not names:
        return []
    if report.refused:
        errors.print(f"[red]✗[/red] {len(names)} beyond the files stay: something in the files was refused")
        return []
    if not dry_run and not yes:
        for name in names:
            console.print(f"  {name}")
        typer.confirm(f"{files.site_name}: delete these {len(names)} that no file has?", abort=True)
    return list(_each(connection, files, names, dry_run))


def _each(connection: Connection, files: SiteFiles, names: list[str], dry_run: bool) -> Iterator[Pruned]:
    for name in names:
        try:
            remove(connection, name, dry_run)
        except grpc.RpcError as error:
            refused = refusal(error)
            if not (dry_run and refused.reason in _REFERS and not _referring(files, name)):
                tell(refused, name)
                if hint := HINTS.get(refused.reason):
                    errors.print(f"  {hint}", markup=False)
                yield Pruned(name, refused)
                continue
            # In a dry run what refers to it is still there, and goes before it.
        console.print(f"- {name}" if dry_run else f"{name} deleted", markup=False)
        yield Pruned(name)


def _referring(files: SiteFiles, name: str) -> list[str]:
    """What in the files needs it: then it would not go in earnest either."""
    channels = [c.name for c in files.channels if name in (c.agency, c.kind, *c.offerings)]
    return channels + [o.name for o in files.offerings if o.agency == name]
