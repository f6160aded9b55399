"""`mppctl agency` and a file of kind AgencyAccess against the running service."""

from __future__ import annotations

import json
import re
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp
import pytest
from mpp_chassis import broker
from mppctl.main import app
from typer.testing import CliRunner, Result

Run = Callable[..., Result]
SITE = "uji-instansi"


@pytest.fixture
def run(services: Any) -> Run:
    services.service("subscriptions")
    endpoints = services.platform.endpoints()

    def command(*arguments: object) -> Result:
        given = [f"--endpoint={name}={endpoints[name]}" for name in ("subscriptions", "issuer")]
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*given, *map(str, arguments)])

    return command


@pytest.fixture
def agency() -> str:
    return f"c{uuid.uuid4().hex[:10]}"


def enters(amqp_uri: str, account: str, password: str) -> bool:
    to = urlsplit(amqp_uri)
    try:
        broker.connection(f"amqp://{account}:{password}@{to.hostname}:{to.port}//").close()
    except amqp.AccessRefused:
        return False
    return True


def told(result: Result) -> str:
    """The password that was shown."""
    assert result.exit_code == 0, result.output
    found = re.search(r"password\s+(\S{43})\s", result.output)
    assert found is not None, result.output
    return found[1]


def test_grant_rotate_revoke(run: Run, agency: str, amqp_uri: str) -> None:
    account = f"agency.{SITE}.{agency}"
    first = told(run("agency", "grant", SITE, agency, "queue", "applications"))
    assert enters(amqp_uri, account, first)
    again = run("agency", "grant", SITE, agency, "applications", "queue")
    assert "unchanged" in again.output
    assert first not in again.output
    changed = run("agency", "grant", SITE, agency, "queue")
    assert "changed (applied)" in changed.output
    shown = run("agency", "show", SITE, agency)
    assert "public.queue" in shown.output
    assert "public.applications" not in shown.output
    assert f"amqp://{account}:PASSWORD@" in shown.output
    second = told(run("agency", "rotate", SITE, agency))
    assert not enters(amqp_uri, account, first)
    assert enters(amqp_uri, account, second)
    assert agency in run("agency", "list", SITE).output
    assert "revoked" in run("agency", "revoke", SITE, agency, "--yes").output
    assert not enters(amqp_uri, account, second)
    assert run("agency", "revoke", SITE, "never-heard-of", "--yes").exit_code == 0


def test_what_is_refused_is_told(run: Run, agency: str) -> None:
    refused = run("agency", "grant", SITE, agency, "everything")
    assert refused.exit_code == 1
    assert "ENTITLEMENT_UNKNOWN" in refused.output
    assert run("agency", "rotate", SITE, agency).exit_code == 1
    assert run("agency", "show", SITE, agency).exit_code == 1
    assert run("--as", "citizen", "agency", "grant", SITE, agency, "queue").exit_code == 5
    listed = json.loads(run("--json", "agency", "entitlements").output)
    assert "queue" in [one["name"] for one in listed]


def test_a_file_says_who_reads_what(run: Run, tmp_path: Path, amqp_uri: str, agency: str) -> None:
    other, secrets = f"{agency}b", tmp_path / "secrets"
    file = tmp_path / "access.yaml"

    def write(first: str, second: str) -> None:
        entries = f"  - id: {agency}\n    entitlements: {first}\n  - id: {other}\n    entitlements: {second}\n"
        file.write_text(f"kind: AgencyAccess\nsite: {SITE}\nagencies:\n{entries}")

    write("[queue]", "[queue, complaints]")
    rehearsal = run("apply", "-f", file, "--dry-run")
    assert rehearsal.output.count("would be granted") == 2
    done = run("apply", "-f", file, "--secrets", secrets)
    assert done.output.count("granted (applied)") == 2, done.output
    kept = secrets / f"agency.{SITE}.{other}.env"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    password = re.search(r"AMQP_URI=amqp://\S+?:(\S{43})@", kept.read_text())
    assert password is not None
    assert password[1] not in done.output
    assert enters(amqp_uri, f"agency.{SITE}.{other}", password[1])
    assert run("apply", "-f", file, "--secrets", secrets).output.count("unchanged") == 2
    write("[queue, applications]", "[]")
    last = run("apply", "-f", file)
    assert "changed (applied)" in last.output
    assert "revoked (applied)" in last.output
    assert not enters(amqp_uri, f"agency.{SITE}.{other}", password[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: AgencyAccess\nsite: x\n", "'agencies' is missing"),
        ("kind: AgencyAccess\nsite: x\nagencies:\n  - id: a\n", "'entitlements' is missing"),
        ("kind: AgencyAccess\nsite: x\nagencies: [{id: a, entitlements: [q]}, {id: a, entitlements: [q]}]\n", "twice"),
    ],
)
def test_a_slip_in_the_file_is_told_with_its_place(run: Run, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "access.yaml"
    file.write_text(text)
    result = run("apply", "-f", file)
    assert result.exit_code == 3
    assert words in result.output
    assert "access.yaml:" in result.output


def test_an_agency_that_leaves_reads_no_more(services: Any, tmp_path: Path) -> None:
    """Its account, its subscriptions and its webhooks go with it, and an interrupted run is gone on with."""
    services.service("catalog", "subscriptions")
    ends, site = services.platform.endpoints(), f"uji-{uuid.uuid4().hex[:10]}"
    given = ["--profile=none", *(f"--endpoint={name}={ends[name]}" for name in ("catalog", "subscriptions", "issuer"))]

    def run(*arguments: object) -> Result:
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*given, *map(str, arguments)])

    for part in ("site.yaml", "holidays-2026.yaml", "agencies/dlh.yaml"):
        target = tmp_path / site / part
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (Path(__file__).resolve().parents[3] / "sites" / "malang" / part).read_text()
        target.write_text(text.replace("site: malang", f"site: {site}").replace("id: malang\n", f"id: {site}\n"))
    assert run("apply", "-f", tmp_path / site).exit_code == 0
    assert run("agency", "grant", site, "dlh", "queue").exit_code == 0
    hook = json.loads(run("--json", "webhook", "create", site, "dlh", "https://contoh.example/x").output)["webhook"][
        "name"
    ]
    name, grant = f"sites/{site}/agencies/dlh", f"sites/{site}/grants/dlh"
    for service in json.loads(run("--json", "get", "offerings", site).output):
        assert run("delete", service["name"], "--yes").exit_code == 0
    assert run("delete", name, "--yes").exit_code == 0  # as a run that was interrupted here leaves it
    gone = run("delete", name, "--with-all", "--yes")
    assert gone.exit_code == 0, gone.output
    for line in (f"{name} was not there", f"{grant} deleted", f"{hook} deleted"):
        assert line in gone.output
    assert "revoked" in run("agency", "list", site).output
    assert hook not in run("webhook", "list", site, "dlh").output
    assert run("delete", name, "--with-all", "--yes").exit_code == 1, "nothing of it is there any more"
