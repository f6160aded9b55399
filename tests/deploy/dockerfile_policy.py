"""What every Dockerfile of ours must keep. Reads Dockerfiles as text; `faults` says in words what is wrong."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = "0.2.0"
USER = "10001:10001"
_DEFAULT = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its line continuations joined."""

    word: str
    rest: str


def dockerfiles(root: Path = ROOT) -> list[Path]:
    return sorted([*root.glob("services/*/Dockerfile"), *root.glob("deploy/images/*.Dockerfile")])


def parse(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [Instruction(word.upper(), rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def faults(text: str) -> list[str]:
    found = parse(text)
    last = found[max(i for i, each in enumerate(found) if each.word == "FROM") :]
    return [*_origins(found), *_steps(found), *_result(last)]


def _origins(found: list[Instruction]) -> list[str]:
    """What is built from: named by an ARG with a default, a version, and no registry."""
    given = dict(each.rest.split("=", 1) for each in found if each.word == "ARG" and "=" in each.rest)
    wrong = []
    for each in (each for each in found if each.word == "FROM"):
        image = each.rest.split()[0]
        if image == "scratch":
            continue
        variable = _DEFAULT.fullmatch(image)
        if not variable or variable[1] not in given:
            wrong.append(f"FROM {image} is not a variable with a default")
            continue
        origin = given[variable[1]]
        if "/" in origin:
            wrong.append(f"{origin} names a registry or a foreign image")
        if ":" not in origin or origin.endswith(":latest"):
            wrong.append(f"{origin} has no version")
    return wrong


def _steps(found: list[Instruction]) -> list[str]:
    wrong = [f"ADD {each.rest}: COPY what is here, fetch nothing" for each in found if each.word == "ADD"]
    for each in (each for each in found if each.word == "RUN"):
        if re.search(r"\bpip\b.* install\b|\bpip install\b", each.rest) and "--require-hashes" not in each.rest:
            wrong.append("pip install without --require-hashes")
        if re.search(r"\b(curl|wget|git clone)\b|https?://", each.rest):
            wrong.append("RUN fetches from an address")
        if re.search(r"\b(gcc|g\+\+|build-essential|make)\b", each.rest):
            wrong.append("RUN installs or calls a compiler")
    return wrong


def _result(last: list[Instruction]) -> list[str]:
    """The last stage: who runs, how it is stopped, asked and labelled."""
    said = {each.word: each.rest for each in last}
    wrong = []
    if said.get("USER") != USER:
        wrong.append(f"USER is {said.get('USER')}, not {USER}")
    if said.get("STOPSIGNAL") != "SIGTERM":
        wrong.append("no STOPSIGNAL SIGTERM")
    if not said.get("HEALTHCHECK", "").partition("CMD ")[2].startswith("["):
        wrong.append("no HEALTHCHECK as a list (there is no shell)")
    if "VERSION=" + VERSION not in (each.rest for each in last if each.word == "ARG"):
        wrong.append(f"no ARG VERSION={VERSION}")
    wrong += [f"no label {name}" for name in ("title", "description", "licenses", "version") if not _label(name, said)]
    for word in ("ENTRYPOINT", "CMD"):
        if word in said and not _is_list(said[word]):
            wrong.append(f"{word} is no list (there is no shell)")
    if any(each.word == "RUN" for each in last):
        wrong.append("RUN in the last stage: it needs what the result must not have")
    return wrong


def _label(name: str, said: dict[str, str]) -> bool:
    return f"org.opencontainers.image.{name}=" in said.get("LABEL", "")


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False
