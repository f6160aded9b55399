"""Every code block of docs/first-call.md, exactly as written, in a folder that looks like a checkout with `make run` up."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser.conftest import ROOT, Node

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]  # the first test builds the client
TEXT = (ROOT / "docs" / "first-call.md").read_text()
FILES = {"ts": "first.ts", "python": "first.py"}
MARK = "=== next block"


@dataclass(frozen=True, slots=True)
class Block:
    language: str
    code: str


BLOCKS = [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.M | re.S)]


@pytest.fixture(scope="module")
def said(node: Node, edge: dict[str, str], malang: Any, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each `sh` block prints, in order: one shell for all, as a reader has it. The others are saved as files before."""
    here = tmp_path_factory.mktemp("checkout")
    for name in (".venv", "clients"):
        (here / name).symlink_to(ROOT / name)
    (here / ".dev").mkdir()
    (here / ".dev" / "run").symlink_to(malang.platform.home)
    for block in BLOCKS:
        if block.language in FILES:
            (here / FILES[block.language]).write_text(block.code)
    script = f'echo "{MARK}"\n'.join(block.code for block in BLOCKS if block.language == "sh")
    done = subprocess.run(
        ["bash", "-u"], input=script, cwd=here, env=node.environment, capture_output=True, text=True, timeout=180
    )
    assert done.stderr == ""
    return done.stdout.split(f"{MARK}\n")


def test_there_is_a_block_for_each_way() -> None:
    assert {block.language for block in BLOCKS} == {"sh", "ts", "python"}
    assert TEXT.count("```") == 2 * len(BLOCKS)
    assert all(f"`{name}`" in TEXT for name in FILES.values())


def test_each_block_does_what_the_text_says(said: list[str]) -> None:
    nowhere, search, token, tickets, error, board, typescript, python = said
    assert (nowhere, token) == ("", "")
    assert '"sites/malang/offerings/kartu-keluarga-baru"' in search
    first, second = re.findall(r'"number":\s*"(D-\d+)"', tickets)
    assert first == second
    assert '"INVALID_FIELD"' in error
    assert '"request_id"' in error
    assert board.startswith("data:")
    assert '"sites/malang/queues/dukcapil"' in board
    for lines, name in ((typescript.splitlines(), "Kartu Keluarga"), (python.splitlines(), "KTP elektronik")):
        *names, ticket, reason, waiting = lines
        assert any(name in one for one in names)
        assert re.fullmatch(r"D-\d+ after \d+", ticket)
        assert reason == "ROLE_MISSING"
        assert re.fullmatch(r"waiting: \d+", waiting)


def test_the_typescript_is_typed(node: Node, tmp_path: Path) -> None:
    """The document's and the page's, by the strict settings of the client."""
    (block,) = (b for b in BLOCKS if b.language == "ts")
    (tmp_path / "first.ts").write_text(block.code)
    page, client = Path(__file__).resolve().parent / "page", ROOT / "clients" / "typescript"
    settings = {
        "extends": str(page / "tsconfig.json"),
        "files": ["first.ts", str(page / "main.ts")],
        "compilerOptions": {"rootDir": "/", "types": ["node"], "typeRoots": [str(client / "node_modules" / "@types")]},
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings))
    node.run("node_modules/typescript/bin/tsc", "-p", str(tmp_path))
