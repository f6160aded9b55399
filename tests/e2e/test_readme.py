"""What the README tells a newcomer to type is typed here, on the tests' profile instead of `run`."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
pytestmark = pytest.mark.stack


def test_the_first_call_with_python(malang: Any) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 1
    script = blocks[0].replace(".dev/run/", f".dev/{malang.platform.profile}/")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "kartu-keluarga" in lines[0]
    assert lines[-1] == lines[-2]  # the same request_id twice: one ticket
    assert re.match(r"D-\d+ sites/malang/queues/dukcapil/tickets/", lines[-1])


def commands() -> list[str]:
    return re.findall(r"^    \.venv/bin/(mppctl .*)$", README, re.M)


@pytest.mark.parametrize("line", commands())
def test_the_mppctl_calls(malang: Any, line: str) -> None:
    words = shlex.split(line)[1:]
    command = [sys.executable, "-m", "mppctl.main", "--profile", malang.platform.profile, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_calls_to_try() -> None:
    assert len(commands()) >= 3
    assert "make run" in README
    assert "make test" in README
