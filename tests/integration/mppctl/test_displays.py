"""mppctl's displays against the running catalogue and queue: a screen's whole life as files."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mppctl.main import app
from typer.testing import CliRunner, Result

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.stack
Run = Callable[..., Result]


@pytest.fixture
def run(services: Any) -> Run:
    services.service("catalog", "queue")
    endpoints = services.platform.endpoints()

    def command(*arguments: object, given: str = "") -> Result:
        ends = [f"--endpoint={name}={endpoints[name]}" for name in ("catalog", "queue", "issuer")]
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*ends, *map(str, arguments)], input=given)

    return command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new site with one agency of the reference site, and its example of a display."""
    site = f"uji-{uuid.uuid4().hex[:10]}"
    for part in ("site.yaml", "holidays-2026.yaml", "agencies/dlh.yaml", "displays/lobi.yaml"):
        text = (ROOT / "sites" / "malang" / part).read_text()
        text = text.replace("site: malang", f"site: {site}").replace("id: malang\n", f"id: {site}\n")
        target = tmp_path / site / part
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return tmp_path / site


def test_a_display_from_its_file_to_its_end(
    run: Run, folder: Path, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    site, screens = f"sites/{folder.name}", folder / "displays"
    name, file = f"{site}/displays/lobi", folder / "displays" / "lobi.yaml"
    early = run("apply", "-f", screens)
    assert (early.exit_code, "SITE_NOT_FOUND" in early.output) == (1, True), early.output  # the catalogue has it not

    rehearsal = run("apply", "-f", folder, "--dry-run")  # the site is in the files only
    assert (rehearsal.exit_code, "displays: 1 not checked yet" in rehearsal.output) == (0, True), rehearsal.output
    first = run("apply", "-f", folder)  # its displays at once after it: the queue may not have heard of the site
    assert first.exit_code == 0, first.output
    assert f"{site}: displays: 1 created" in first.output
    assert "displays: 1 unchanged" in run("apply", "-f", screens).output

    assert "all of the site" in run("get", "displays", folder.name).output
    assert json.loads(run("--json", "get", "display", name).output)["ring"] == "gong"
    # On its board though the file does not name it, as soon as the queue has heard of the agency.
    eventually(lambda: "dlh" in run("describe", name).output, seconds=30, every=0.5)
    _round_trip(run, site, tmp_path)
    _with_its_site(run, folder, tmp_path)
    _changes_and_slips(run, file)

    run("apply", "-f", "-", given=f"kind: Display\nsite: {folder.name}\nid: pintu\n")
    told = run("apply", "-f", screens, "--prune", "--dry-run", "--exit-code")
    assert (told.exit_code, f"- {site}/displays/pintu\n" in told.output) == (6, True), told.output
    assert f"{site}/displays/pintu deleted" in run("apply", "-f", screens, "--prune", "--yes").output
    assert run("delete", name, "--yes").exit_code == 0
    assert "DISPLAY_UNKNOWN" in run("get", "display", name).output
    assert "displays: 1 created" in run("apply", "-f", file).output  # the same content is a new command


def _round_trip(run: Run, site: str, tmp_path: Path) -> None:
    """Of the folder, of one resource, and through a pipe."""
    out = tmp_path / "out"
    assert run("export", f"{site}/displays", "-o", out).exit_code == 0
    same = ("apply", "--dry-run", "--exit-code", "-f")
    again = run(*same, out / site.removeprefix("sites/") / "displays")
    assert (again.exit_code, "displays: 1 unchanged" in again.output) == (0, True), again.output
    for whole in (site, f"{site}/displays", f"{site}/displays/lobi"):
        assert run(*same, "-", given=run("export", whole).output).exit_code == 0


def _with_its_site(run: Run, folder: Path, tmp_path: Path) -> None:
    """A whole site is exported, applied again and pruned with its displays, and deleted with them."""
    site, out = f"sites/{folder.name}", tmp_path / "whole"
    assert run("export", site, "-o", out).exit_code == 0
    again = run("apply", "--dry-run", "--exit-code", "--prune", "-f", out / folder.name)
    assert (again.exit_code, "displays: 1 unchanged" in again.output) == (0, True), again.output
    run("apply", "-f", "-", given=f"kind: Display\nsite: {folder.name}\nid: pintu\n")
    pruned = run("apply", "-f", out / folder.name, "--prune", "--yes")
    assert (pruned.exit_code, f"{site}/displays/pintu deleted" in pruned.output) == (0, True), pruned.output
    (out / folder.name / "displays" / "lobi.yaml").unlink()  # the files say nothing of displays any more
    kept = run("apply", "-f", out / folder.name, "--prune", "--dry-run", "--exit-code")
    assert (kept.exit_code, "displays" in kept.output) == (0, False), kept.output
    gone = run("delete", site, "--with-all", "--yes")
    assert (gone.exit_code, f"{site}/displays/lobi deleted" in gone.output) == (0, True), gone.output
    assert "nothing found" in run("get", "displays", folder.name).output
    assert "displays: 1 created" in run("apply", "-f", folder).output  # and back it comes


def _changes_and_slips(run: Run, file: Path) -> None:
    before = file.read_text()
    file.write_text(before.replace("last_calls: 6", "last_calls: 9"))
    told = run("apply", "-f", file, "--dry-run", "--exit-code")
    assert told.exit_code == 6, told.output
    assert ("- last_calls: 6" in told.output, "+ last_calls: 9" in told.output) == (True, True)
    assert "displays: 1 changed" in run("apply", "-f", file).output
    file.write_text(before)
    assert "displays: 1 changed" in run("apply", "-f", file).output  # the way back is a command too
    file.write_text(before.replace("last_calls: 6", "last_calls: 6000"))
    refused = run("apply", "-f", file)
    line = next(n for n, text in enumerate(file.read_text().splitlines(), start=1) if "6000" in text)
    assert refused.exit_code == 1
    assert f"lobi.yaml:{line}:13" in refused.output.replace("\n", ""), refused.output
    assert "display.last_calls" in refused.output
    file.write_text(before)
