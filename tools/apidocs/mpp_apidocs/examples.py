"""One real call for each operation, kept by hand, executed by a test.

They stand in docs/api/examples.yaml (a citizen's visit through several services) and, of one service alone, in
services/<name>/api/examples.yaml; the services' files follow the first in the order of their names. Sample payloads of
events are kept in the same way, in events.yaml. So a new service brings its own and edits no file of another.

Knows the files' form and nothing of how a call is made. The steps are in an order that makes sense: what a step's reply
holds (`keep`: a name, a number) stands in later steps as it stands in the sample reply; who executes the file puts the
value of the running platform in its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
_KEYS = {"operation", "title", "as", "path", "query", "body", "status", "reply", "keep", "secret", "wait"}


@dataclass(frozen=True, slots=True)
class Example:
    """One call. `caller`: the token's claims, None for nobody. `keep`: dotted places in the reply."""

    operation: str
    title: str
    caller: Mapping[str, Any] | None
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None
    status: int
    reply: Any
    keep: tuple[str, ...]
    secret: str  # what the citizen reads on the phone and this step needs: a place in the body
    wait: bool  # the answer comes of events: ask again until it is there

    @property
    def message(self) -> Any:
        """The reply as JSON; of a stream, its first event."""
        if not isinstance(self.reply, str):
            return self.reply
        lines = self.reply.split("\n\n")[0].splitlines()
        return json.loads("".join(line.removeprefix("data:") for line in lines if line.startswith("data:")))

    @property
    def who(self) -> str:
        """`officer` in words."""
        return ", ".join(self.caller["roles"]) if self.caller else "anyone"


def files(name: str, root: Path = ROOT) -> list[Path]:
    """`examples.yaml` or `events.yaml`: the common one, then each service's own."""
    found = [root / "docs" / "api" / name, *sorted((root / "services").glob(f"*/api/{name}"))]
    return [file for file in found if file.exists()]


def load_all(root: Path = ROOT) -> list[Example]:
    """The steps of every file, in their order. Raises ValueError naming the file and the step that is malformed."""
    return [step for file in files("examples.yaml", root) for step in load(file)]


def payloads(root: Path = ROOT) -> dict[str, Any]:
    """Sample payloads of public events by full name. Raises ValueError when two files have the same event's."""
    found: dict[str, Any] = {}
    for file in files("events.yaml", root):
        more = yaml.safe_load(file.read_text())["payloads"]
        if twice := found.keys() & more.keys():
            raise ValueError(f"{file.relative_to(root)}: a sample of {sorted(twice)[0]} is in another file")
        found.update(more)
    return dict(sorted(found.items()))


def load(file: Path) -> list[Example]:
    """Raises ValueError naming the step that is malformed."""
    found = []
    for i, step in enumerate(yaml.safe_load(file.read_text())["calls"], 1):
        if strange := set(step) - _KEYS:
            raise ValueError(f"{file.name}: step {i} has unknown keys {sorted(strange)}")
        if missing := {"operation", "title", "reply"} - set(step):
            raise ValueError(f"{file.name}: step {i} lacks {sorted(missing)}")
        found.append(
            Example(
                step["operation"],
                step["title"],
                step.get("as"),
                step.get("path", {}),
                step.get("query", {}),
                step.get("body"),
                step.get("status", 200),
                step["reply"],
                tuple(step.get("keep", ())),
                step.get("secret", ""),
                step.get("wait", False),
            )
        )
    return found
