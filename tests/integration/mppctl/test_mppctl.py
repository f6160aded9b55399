"""mppctl against the running catalogue: apply a site's files, again, changed; read; look at parked events."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mppctl import applying, sitefiles
from mppctl.connection import Connection
from mppctl.main import app
from typer.testing import CliRunner, Result

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., Result]


@pytest.fixture
def run(services: Any) -> Run:
    services.service("catalog")
    endpoints = services.platform.endpoints()

    def command(*arguments: object) -> Result:
        given = ["--profile=none", *(f"--endpoint={name}={endpoints[name]}" for name in ("catalog", "issuer"))]
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*given, *map(str, arguments)])

    return command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The reference site under a name of the test's own."""
    site = f"uji-{uuid.uuid4().hex[:10]}"
    target = tmp_path / site
    shutil.copytree(ROOT / "sites" / "malang", target)
    for file in target.rglob("*.yaml"):
        text = file.read_text()
        file.write_text(text.replace("site: malang", f"site: {site}").replace("id: malang\n", f"id: {site}\n"))
    return target


def test_a_site_is_applied_once_and_again_without_effect(run: Run, folder: Path, services: Any) -> None:
    site = f"sites/{folder.name}"
    rehearsal = run("apply", "-f", folder, "--dry-run")
    assert rehearsal.exit_code == 0, rehearsal.output
    assert "1 would be created" in rehearsal.output
    assert services.database("catalog")["sites"].find_one({"_id": site}) is None

    first = run("apply", "-f", folder)
    assert first.exit_code == 0, first.output
    assert "its displays are left alone" in first.output
    assert f"{site}: agencies: 22 created" in first.output
    assert f"{site}: overseers: 1 created" in first.output
    again = run("apply", "-f", folder)
    for line in ("site: 1 unchanged", "agencies: 22 unchanged", "services: 116 unchanged"):
        assert line in again.output

    shown = run("--json", "get", "offerings", folder.name, "--search", "kartu keluarga")
    assert json.loads(shown.output)[0]["name"] == f"{site}/offerings/kartu-keluarga-baru"
    assert "Rp" in run("get", "offerings", folder.name, "--agency", "imigrasi").output
    assert "gap" in run("get", "offering", f"{site}/offerings/kartu-keluarga-baru").output
    assert "dukcapil" in run("get", "agencies", folder.name).output
    assert "Asia/Jakarta" in run("get", "site", folder.name).output


def test_a_change_goes_there_and_back(run: Run, folder: Path) -> None:
    """Going back is a command of its own, though its content was applied before."""
    run("apply", "-f", folder / "site.yaml")
    agency = folder / "agencies" / "dlh.yaml"
    before = agency.read_text()
    assert "1 created" in run("apply", "-f", agency).output
    after = before.replace("Dinas Lingkungan Hidup", "Dinas Lingkungan")
    assert after != before
    for text in (after, before):
        agency.write_text(text)
        assert "agencies: 1 changed" in run("apply", "-f", agency).output
    assert "Dinas Lingkungan Hidup" in run("--json", "get", "agencies", folder.name).output


def test_a_counter_may_go_from_one_agency_to_another_in_one_run(run: Run, folder: Path) -> None:
    run("apply", "-f", folder / "site.yaml")
    for name in ("dlh", "dukcapil"):
        assert run("apply", "-f", folder / "agencies" / f"{name}.yaml").exit_code == 0
    for file in (folder / "agencies").glob("*.yaml"):
        if file.stem not in ("dlh", "dukcapil"):
            file.unlink()
    shutil.rmtree(folder / "channels")  # their agencies are not there
    taker, giver = folder / "agencies" / "dlh.yaml", folder / "agencies" / "dukcapil.yaml"
    giver.write_text(giver.read_text().replace("counters: [3, 4, 5]", "counters: [3, 4]"))
    text = taker.read_text()
    start = text.index("counters: [") + len("counters: [")
    taker.write_text(text[:start] + "5, " + text[start:])
    result = run("apply", "-f", folder)
    assert result.exit_code == 0, result.output
    assert "agencies: 2 changed" in result.output


def test_a_refusal_names_file_line_reason_and_field(run: Run, folder: Path) -> None:
    run("apply", "-f", folder / "site.yaml")
    run("apply", "-f", folder / "agencies" / "dukcapil.yaml")
    other = folder / "agencies" / "dlh.yaml"
    other.write_text(other.read_text().replace("counters: [", "counters: [3, "))
    result = run("apply", "-f", other)
    assert result.exit_code == 1
    for part in ("dlh.yaml:", "QUEUE_CLAIMED", "agency.queue.counters", "agencies/dukcapil"):
        assert part in result.output


def test_roles_are_asked_for_and_missing_ones_are_told(run: Run, folder: Path) -> None:
    refused = run("--as", "citizen", "apply", "-f", folder)
    assert refused.exit_code == 5
    assert "gave up" in refused.output
    run("apply", "-f", folder)
    file = folder / "agencies" / "dukcapil.yaml"
    admin = ("--as", "agency_admin", "--agency", "dukcapil")
    assert run(*admin, "apply", "-f", file).exit_code == 5
    mine = run(*admin, "apply", "--services-only", "-f", file)
    assert mine.exit_code == 0, mine.output
    assert "services: 6 unchanged" in mine.output


def test_what_is_not_there_is_told(run: Run) -> None:
    result = run("get", "site", "tak-ada")
    assert result.exit_code == 1
    assert "SITE_NOT_FOUND" in result.output


def test_parked_events_can_be_asked_for(run: Run) -> None:
    assert run("events", "parked", "list", "--service", "catalog").exit_code == 0
    assert run("events", "parked", "show", "no-such-event", "--service", "catalog").exit_code == 1
    assert run("events", "parked", "replay", "no-such-event", "--service", "catalog").exit_code == 1


@pytest.fixture
def small(folder: Path) -> Path:
    """The site with three of its agencies and their channels."""
    for file in (folder / "agencies").glob("*.yaml"):
        if file.stem not in ("dukcapil", "diskominfo", "imigrasi"):
            file.unlink()
    for file in (folder / "channels").glob("*.yaml"):
        if file.stem not in ("kios-utama", "jemput-bola-dukcapil"):
            file.unlink()
    return folder


def test_what_is_exported_is_applied_without_a_change(run: Run, small: Path, tmp_path: Path) -> None:
    """The round trip: through a folder, through one stream, and of one resource alone."""
    site = f"sites/{small.name}"
    _more_of_everything(small)
    assert run("apply", "-f", small).exit_code == 0
    out = tmp_path / "out"
    assert run("export", small.name, "-o", out).exit_code == 0
    again = run("apply", "--dry-run", "--exit-code", "-f", out / small.name)
    assert again.exit_code == 0, again.output
    assert ("agencies: 3 unchanged" in again.output, "overseers: 1 unchanged" in again.output) == (True, True)
    assert "2026-12-01T22:00 to 2026-12-02T02:00: Sedang dirawat" in run("get", "site", small.name).output
    stream = tmp_path / "all.yaml"
    stream.write_text(run("export", small.name).output)
    for name in (f"{site}/agencies/imigrasi", f"{site}/channels/kios-utama", f"{site}/offerings/paspor-baru"):
        one = tmp_path / "one.yaml"
        one.write_text(run("export", name).output)
        assert "1 unchanged" in run("apply", "--dry-run", "--exit-code", "-f", one).output
    assert run("apply", "--dry-run", "--exit-code", "-f", stream).exit_code == 0


def _more_of_everything(folder: Path) -> None:
    """Maintenance, draining, days off: what the reference site has none of."""
    site, agency = folder / "site.yaml", folder / "agencies" / "imigrasi.yaml"
    window = '{starts: "2026-12-01T22:00", ends: "2026-12-02T02:00", text_id: Sedang dirawat, text_en: In maintenance}'
    site.write_text(f"{site.read_text()}maintenance:\n  - {window}\n")
    off = 'closures: [{date: "2026-12-24", text_id: Pelatihan}, {date: "2026-12-28"}]'
    agency.write_text(
        agency.read_text().replace("\nqueue:\n", f"\nqueue:\n  draining: true\n  draining_text_id: Pindah\n  {off}\n")
    )
    channel = folder / "channels" / "jemput-bola-dukcapil.yaml"
    channel.write_text(f"{channel.read_text()}{off}\n")
    assert "draining" in agency.read_text()


def test_what_no_file_has_goes_when_it_is_asked_for(run: Run, small: Path, services: Any) -> None:
    """`apply --prune`: a dry run tells, in earnest it asks; what has open work stays."""
    site = f"sites/{small.name}"
    assert run("apply", "-f", small).exit_code == 0
    (small / "agencies" / "imigrasi.yaml").unlink()
    (small / "channels" / "jemput-bola-dukcapil.yaml").unlink()
    (small / "kinds" / "home_visit.yaml").unlink()
    alone = run("apply", "-f", small / "site.yaml", "--prune", "--dry-run")
    assert (alone.exit_code, "site's folder" in alone.output) == (2, True)
    beyond = [f"{site}/channels/jemput-bola-dukcapil", f"{site}/agencies/imigrasi", f"{site}/channelKinds/home_visit"]
    told = run("apply", "-f", small, "--prune", "--dry-run", "--exit-code")
    assert told.exit_code == 6, told.output
    places = [told.output.index(f"- {name}\n") for name in beyond]
    assert places == sorted(places)
    services.database("catalog")["open_work"].insert_one(
        {
            "_id": f"{site}/queues/imigrasi/tickets/1",
            "sequence": 1,
            "what": "tickets",
            "of_agency": beyond[1],
            "of_offering": "",
        }
    )
    kept = run("apply", "-f", small, "--prune", "--yes")
    assert (kept.exit_code, "OPEN_TICKETS" in kept.output) == (1, True)
    assert f"{beyond[2]} deleted" in kept.output
    assert "still open: 1 tickets" in run("describe", beyond[1]).output
    services.database("catalog")["open_work"].delete_one({"_id": f"{site}/queues/imigrasi/tickets/1"})
    assert run("apply", "-f", small, "--prune", "--yes").exit_code == 0
    clean = run("apply", "-f", small, "--prune", "--dry-run", "--exit-code")
    assert clean.exit_code == 0, clean.output


def test_only_an_empty_site_goes_and_it_comes_back_with_a_greater_sequence(
    run: Run, small: Path, services: Any
) -> None:
    site = f"sites/{small.name}"
    run("apply", "-f", small)
    refused = run("delete", site, "--yes")
    assert (refused.exit_code, "HAS_AGENCIES" in refused.output) == (1, True)
    refused = run("delete", f"{site}/channelKinds/kiosk", "--yes")
    assert (refused.exit_code, "HAS_CHANNELS" in refused.output) == (1, True)
    blind = run("delete", site, "--with-all", "--yes")
    assert (blind.exit_code, "'queue'" in blind.output) == (4, True)  # its displays would outlive it unseen
    services.service("queue")
    gone = run(f"--endpoint=queue={services.platform.endpoints()['queue']}", "delete", site, "--with-all", "--yes")
    assert gone.exit_code == 0, gone.output
    assert "SITE_NOT_FOUND" in run("get", "site", small.name).output
    assert "SITE_NOT_FOUND" in run("apply", "-f", small / "agencies" / "imigrasi.yaml").output
    assert run("apply", "-f", small).exit_code == 0
    document = services.database("catalog")["sites"].find_one({"_id": site})
    assert (document["version"], "retired_at" in document) == (3, False)


def test_a_dry_run_shows_what_would_change_and_where_it_is_wrong(run: Run, small: Path, services: Any) -> None:
    site = f"sites/{small.name}"
    run("apply", "-f", small)
    file = small / "agencies" / "dukcapil.yaml"
    file.write_text(file.read_text().replace("counters: [3, 4, 5]", "counters: [3, 4]").replace("run: 3", "run: 2"))
    result = run("apply", "--dry-run", "--exit-code", "-f", file)
    assert result.exit_code == 6, result.output
    for line in ("- queue.counters: [3, 4, 5]", "+ queue.counters: [3, 4]", "- queue.priority.run: 3"):
        assert line in result.output
    assert services.database("catalog")["agencies"].find_one({"_id": f"{site}/agencies/dukcapil"})["version"] == 1
    lines = file.read_text().replace("run: 2", "max_wait_minutes: 2").splitlines()
    file.write_text("\n".join(lines) + "\n")
    refused = run("apply", "--dry-run", "-f", file)
    assert refused.exit_code == 1
    assert "agency.queue.priority.run" in refused.output
    channel = small / "channels" / "kios-utama.yaml"
    channel.write_text(channel.read_text().replace("languages: [id, en]", "languages: [id, nl]"))
    line = next(n for n, text in enumerate(channel.read_text().splitlines(), start=1) if "nl]" in text)
    refused = run("apply", "-f", channel)
    assert f"kios-utama.yaml:{line}:19" in refused.output.replace("\n", "")
    assert "channel.settings.languages[1]" in refused.output


def test_an_agency_is_described_and_deleted_with_all_that_hangs_on_it(run: Run, small: Path) -> None:
    site = f"sites/{small.name}"
    run("apply", "-f", small)
    name = f"{site}/agencies/dukcapil"
    shown = run("describe", name)
    for part in ("kind: ratio", "jemput-bola-dukcapil", "ktp-elektronik"):
        assert part in shown.output, shown.output
    for other in (
        small.name,
        f"{site}/channels/jemput-bola-dukcapil",
        f"{site}/channelKinds/home_visit",
        f"{site}/offerings/paspor-baru",
    ):
        assert run("describe", other).exit_code == 0
    assert "jemput-bola-dukcapil" in run("get", "channels", small.name, "--agency", "dukcapil").output
    assert "home_visit" in run("get", "kinds", small.name).output
    refused = run("delete", name, "--yes")
    assert refused.exit_code == 1
    assert "HAS_CHANNELS" in refused.output
    assert "--with-all" in refused.output
    assert run("delete", name, "--with-all").exit_code == 1  # nobody answered the question
    assert run("get", "channels", small.name, "--agency", "dukcapil").exit_code == 0
    assert run("delete", f"{site}/rooms/x", "--yes").exit_code == 2
    gone = run("delete", name, "--with-all", "--yes")
    assert gone.exit_code == 0, gone.output
    assert "AGENCY_NOT_FOUND" in run("delete", name, "--yes").output
    back = run("apply", "-f", small)  # the same content as before is a new command: it is there again
    assert "agencies: 1 created, 2 unchanged" in back.output


def test_of_two_applies_at_once_the_second_hears_of_the_first(run: Run, small: Path, services: Any) -> None:
    """While one is at the site, another changes an agency: the one does not undo it, and says so."""
    run("apply", "-f", small)
    file, endpoints = small / "agencies" / "dukcapil.yaml", services.platform.endpoints()
    text = file.read_text()
    (mine,) = sitefiles.load(small)
    connection = Connection({name: endpoints[name] for name in ("catalog", "issuer")})

    def other(outcome: applying.Outcome) -> None:
        if outcome.kind == "site":
            file.write_text(text.replace("name_en: Population", "name_en: The other"))
            assert "agencies: 1 changed" in run("apply", "-f", file).output

    mine.leave_displays()
    name = f"sites/{small.name}/agencies/dukcapil"
    mine.agencies.sort(key=lambda agency: agency.name != name)
    mine.agencies[0].display_name.en = "Mine"
    report = applying.Applier(connection, mine, False, other).run()
    assert [(o.name, o.refusal.reason) for o in report.refused if o.refusal] == [(name, "ETAG_MISMATCH")]
    assert "The other" in run("--json", "get", "agencies", small.name).output
    connection.close()
