"""Renders deploy/k8s as an operator would, with a kubectl of its own. Knows kustomize; knows no rule.

kubectl comes from Debian trixie (bookworm's has no kustomize components), fetched privately, without root.
"""

from __future__ import annotations

import copy
import functools
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from mpp_devstack.packages import PackageSet, ensure
from mpp_devstack.progress import Reporter

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "deploy" / "k8s"
Object = dict[str, Any]


def overlays() -> list[str]:
    return sorted(p.parent.name for p in (K8S / "overlays").glob("*/kustomization.yaml"))


def services() -> list[str]:
    return sorted(p.parent.name for p in (ROOT / "services").glob("*/pyproject.toml"))


@functools.cache
def kubectl() -> Path:
    wanted = PackageSet("kubectl", "kubectl", "trixie", lambda name: name == "kubectl", lambda root, final: None)
    with Reporter(quiet=True) as report:
        return ensure(wanted, report) / "usr" / "bin" / "kubectl"


def kustomize(folder: Path) -> str:
    """The rendered YAML. Raises AssertionError with kubectl's words."""
    done = subprocess.run([str(kubectl()), "kustomize", str(folder)], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, f"{folder}: {done.stderr}"
    return done.stdout


@functools.cache
def _all() -> dict[str, list[Object]]:
    names = overlays()
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(lambda name: kustomize(K8S / "overlays" / name), names)
    return {name: list(yaml.load_all(text, Loader=yaml.CSafeLoader)) for name, text in zip(names, texts, strict=True)}


def rendered(overlay: str) -> list[Object]:
    """The objects of an overlay: a copy, to be broken at will."""
    return copy.deepcopy(_all()[overlay])


def main() -> None:
    """Write each overlay to build/k8s/<overlay>.yaml, for tools that read files."""
    target = ROOT / "build" / "k8s"
    target.mkdir(parents=True, exist_ok=True)
    for name in overlays():
        (target / f"{name}.yaml").write_text(kustomize(K8S / "overlays" / name))


if __name__ == "__main__":
    main()
