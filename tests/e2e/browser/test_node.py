"""The TypeScript client in Node: against a server in its own process, and against the running gateway."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser.conftest import CLIENT, Node

pytestmark = pytest.mark.timeout(400)  # the first test builds the client


def test_the_client_against_a_failing_server(node: Node) -> None:
    said = node.run("--test", "--test-reporter=tap", "test/client.test.mjs")
    assert "# fail 0" in said


@pytest.mark.stack
def test_the_client_against_the_gateway(node: Node, edge: dict[str, str], malang: Any) -> None:
    kiosk = malang.token("kiosk", site="malang")
    officer = malang.token("officer", site="malang", agency="imigrasi", counter=1)
    file = str(Path(__file__).with_name("gateway.test.mjs"))
    said = node.run(
        "--test", "--test-reporter=tap", file, MPP_GATEWAY=edge["gateway"], MPP_KIOSK=kiosk, MPP_OFFICER=officer
    )
    assert "# pass 4" in said


def test_what_is_committed_is_what_the_generator_makes(node: Node, tmp_path: Path) -> None:
    """The check in `make lint` compares a digest of the sources; this compares the code."""
    script = "import generate, pathlib, sys; generate.generate(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=CLIENT, check=True, env=node.environment)

    def files(root: Path) -> dict[str, str]:
        found = (p for p in root.rglob("*") if p.is_file())
        return {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}

    assert files(tmp_path) == files(CLIENT / "src" / "gen")


def test_the_lock_names_no_registry_and_pins_every_package() -> None:
    packages = json.loads((CLIENT / "package-lock.json").read_text())["packages"]
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert name == "" or entry["integrity"].startswith("sha512-")
