"""The generated lists: places in files that must name every service, written from the folders under services/.

A list stands between two comment lines, `services: <which>, made by "make lists"` and `services: end`; whatever else is in
the file is a person's. Knows files and their comments; knows no service by name. What one service needs and no other has
(a label, a volume) stands in that service's own folder, never here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

VERBS = ("migrate", "serve", "work")
_BEGIN = re.compile(r'^(?P<indent> *)# services: (?P<which>[a-z ]+), made by "make lists"$')
_END = re.compile(r"^ *# services: end$")


class BadMarks(Exception):
    """A file lacks a list's marks, or they do not match; the text names the file."""


@dataclass(frozen=True, slots=True)
class Service:
    """A folder under services/."""

    name: str
    folder: Path

    def modules(self, stem: str) -> list[str]:
        """`mpp_queue.api`, `mpp_queue.counters.api`: the modules of this name, wherever in the package."""
        found = sorted(self.folder.glob(f"mpp_{self.name}/**/{stem}.py"))
        return [".".join(file.relative_to(self.folder).with_suffix("").parts) for file in found]

    def compose(self) -> dict[str, dict[str, Any]]:
        """What this service adds to its processes in deploy/compose, by verb."""
        file = self.folder / "deploy" / "compose.yaml"
        return yaml.safe_load(file.read_text()) or {} if file.exists() else {}


Lines = Iterator[str]
Writer = Callable[[Sequence[Service]], Lines]


def services(root: Path) -> list[Service]:
    return [Service(p.parent.name, p.parent) for p in sorted((root / "services").glob("*/pyproject.toml"))]


def _quoted(words: Sequence[str]) -> Lines:
    """As items of a TOML array, a few on each line."""
    line = ""
    for word in words:
        if len(line) + len(word) > 100:
            yield line.rstrip()
            line = ""
        line += f'"{word}", '
    if line:
        yield line.rstrip()


def _packages(found: Sequence[Service]) -> Lines:
    return _quoted([f"mpp_{s.name}" for s in found])


def _folders(found: Sequence[Service]) -> Lines:
    return _quoted([f"services/{s.name}" for s in found])


def _modules(stem: str) -> Writer:
    return lambda found: _quoted([module for s in found for module in s.modules(stem)])


def _resources(path: str) -> Writer:
    return lambda found: (f"- {path.format(name=s.name)}" for s in found)


def _targets(found: Sequence[Service]) -> Lines:
    return (f"- {s.name}-{verb}:9090" for s in found for verb in ("serve", "work"))


def _waits(verb: str, condition: str) -> Writer:
    return lambda found: (f"{s.name}-{verb}: {{condition: {condition}}}" for s in found)


def _containers(found: Sequence[Service]) -> Lines:
    for service in found:
        more = service.compose()
        for verb in VERBS:
            yield from _container(service.name, verb, dict(more.get(verb) or {}))


def _container(name: str, verb: str, more: dict[str, Any]) -> Lines:
    """One process in deploy/compose; `environment` is put beside the common settings, other keys as they are."""
    yield f"{name}-{verb}:"
    yield f"  <<: *{verb}"
    yield f"  image: ${{MPP_REGISTRY:-}}mpp-{name}:${{MPP_VERSION:-0.2.0}}"
    if verb == "migrate":
        yield f"  build: {{context: ../.., dockerfile: services/{name}/Dockerfile}}"
    if verb == "serve":
        yield f"  networks: {{inside: {{aliases: [{name}]}}}}"
    environment = more.pop("environment", {})
    if environment:
        yield "  environment:"
        yield "    <<: *settings"
        yield from (f"    {key}: {_flow(value)}" for key, value in environment.items())
    yield from (f"  {key}: {_flow(value)}" for key, value in more.items())
    yield ""


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()


# file -> list -> what writes it. Together with what `make proto` generates, these are "the generated lists" (ADR 0025).
LISTS: dict[str, dict[str, Writer]] = {
    "pyproject.toml": {
        "folders": _folders,
        "root packages": _packages,
        "independent": _packages,
        "unknown to the chassis": _packages,
        "layered": _packages,
        "api modules": _modules("api"),
        "handler modules": _modules("handlers"),
        "unknown to the client": _packages,
        "unknown to mppctl": _packages,
    },
    "deploy/k8s/base/kustomization.yaml": {"resources": _resources("../../../services/{name}/deploy")},
    "deploy/k8s/components/autoscaling/kustomization.yaml": {
        "resources": _resources("../../../../services/{name}/deploy/autoscaling")
    },
    "deploy/observability/prometheus.yml": {"targets": _targets},
    "deploy/compose/compose.yaml": {
        "migrated": _waits("migrate", "service_completed_successfully"),
        "processes": _containers,
        "before the gateway": _waits("serve", "service_healthy"),
    },
}


def written(text: str, writers: dict[str, Writer], found: Sequence[Service], name: str) -> str:
    """`text` with its lists as they should be. Raises BadMarks."""
    out: list[str] = []
    missing, inside = set(writers), ""
    for line in text.splitlines():
        begin = _BEGIN.match(line)
        if begin:
            which = begin["which"]
            if inside or which not in missing:
                raise BadMarks(f'{name}: the list "{which}" begins twice, inside another, or is not known')
            inside = which
            missing.discard(which)
            out.append(line)
            made = [f"{begin['indent']}{one}".rstrip() for one in writers[which](found)]
            out += made[:-1] if made and not made[-1] else made
        elif _END.match(line):
            if not inside:
                raise BadMarks(f"{name}: a list ends that did not begin")
            inside = ""
            out.append(line)
        elif not inside:
            out.append(line)
    if inside or missing:
        raise BadMarks(
            f"{name}: no end of {inside!r}" if inside else f"{name}: the lists {sorted(missing)} are missing"
        )
    return "\n".join(out) + "\n"


def stale(root: Path) -> dict[Path, str]:
    """Files whose lists are not of the services that are there, and what they should hold. Raises BadMarks."""
    found = services(root)
    changed = {}
    for name, writers in LISTS.items():
        file = root / name
        before = file.read_text()
        after = written(before, writers, found, name)
        if after != before:
            changed[file] = after
    return changed


def write(root: Path) -> list[Path]:
    """Bring every list up to date; returns the files that changed. Raises BadMarks."""
    changed = stale(root)
    for file, text in changed.items():
        file.write_text(text)
    return sorted(changed)
