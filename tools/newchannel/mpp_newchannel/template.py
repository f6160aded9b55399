"""Writes a new channel's service from the template: folders of its own, and nothing else.

The template (tools/newchannel/template) is a service that works, called `samplechannel`; a new one is the same under its
own name. Knows names and files; knows no service.
"""

from __future__ import annotations

import keyword
import re
import shutil
import subprocess
import sys
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1] / "template"
SAMPLE = "samplechannel"
_NAME = re.compile(r"[a-z]{3,20}")
# Names of processes, folders and hosts of the platform that are no service.
_RESERVED = frozenset(
    {
        "base", "broker", "channel", "channels", "chassis", "client", "common", "edge", "gateway", "issuer", "mongodb",
        "monitoring", "options", "ops", "platform", "postgres", "process", "prometheus", "proto", "public", "rabbitmq",
        "serve", "service", "services", "site", "sites", "store", "test", "tests", "work",
    }
)  # fmt: skip


class BadName(Exception):
    """The channel cannot be called so; the text says why."""


def check(name: str, root: Path) -> None:
    """Raises BadName."""
    if not _NAME.fullmatch(name):
        raise BadName(f"NAME={name!r}: 3 to 20 lower-case letters are due, and nothing else (like `lockers`)")
    if name in _RESERVED or keyword.iskeyword(name) or name == SAMPLE:
        raise BadName(f"NAME={name}: the platform or Python uses this word for something else")
    for there in (f"services/{name}", f"proto/mpp/{name}", f"tools/{name}", f"deploy/images/{name}.Dockerfile"):
        if (root / there).exists():
            raise BadName(f"NAME={name}: {there} is there already")
    if found := [*root.glob(f"*/mpp_{name}"), *root.glob(f"*/*/mpp_{name}")]:
        raise BadName(f"NAME={name}: {found[0].relative_to(root)} is there already")
    for file in sorted((root / "proto" / "mpp").rglob("*.proto")):
        if re.search(rf"[*/]/{name}[/:\"]", file.read_text()):
            raise BadName(f"NAME={name}: {file.relative_to(root)} has resources of this name")


def write(name: str, root: Path) -> list[Path]:
    """The new folders. Raises BadName; nothing is written then."""
    check(name, root)
    made = []
    for source in sorted(p for p in TEMPLATE.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        target = root / named(source.relative_to(TEMPLATE).as_posix(), name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(named(source.read_text(), name))
        shutil.copymode(source, target)
        made.append(target)
    _tidy(root / "services" / name)
    return made


def named(text: str, name: str) -> str:
    """`text` of the template under another name."""
    for old, new in (
        (f"{SAMPLE}singular", singular(name)),
        (SAMPLE, name),
        ("SampleChannel", name.capitalize()),
        (SAMPLE.upper(), name.upper()),
    ):
        text = text.replace(old, new)
    return text


def singular(name: str) -> str:
    """How the documents call one of a collection: `lockers` -> `locker`."""
    if name.endswith("sses"):
        return name[:-2]
    return name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")


def _tidy(folder: Path) -> None:
    """Imports and lines in the order that the new name gives them."""
    for arguments in (("check", "--quiet", "--select", "I", "--fix"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, str(folder)], check=True)
