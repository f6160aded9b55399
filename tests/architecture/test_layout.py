"""The rules of DESIGN.md section 2, for every folder under services/: also for one that is added tomorrow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(p.parent.name for p in (ROOT / "services").glob("*/pyproject.toml"))
PACKAGES = {name: ROOT / "services" / name / f"mpp_{name}" for name in SERVICES}


def modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def imports(file: Path) -> set[str]:
    """Absolute names that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return found


def reaches(file: Path, *names: str) -> set[str]:
    return {i for i in imports(file) for n in names if i == n or i.startswith(f"{n}.")}


def domain_files(name: str) -> list[Path]:
    package = PACKAGES[name]
    return [package / "domain.py"] if (package / "domain.py").exists() else modules(package / "domain")


@pytest.mark.parametrize("name", SERVICES)
def test_the_domain_imports_the_standard_library_only(name: str) -> None:
    files = domain_files(name)
    assert files
    own = f"mpp_{name}.domain"
    for file in files:
        foreign = {i for i in imports(file) if i.split(".")[0] not in sys.stdlib_module_names and not i.startswith(own)}
        assert not foreign, f"{file.relative_to(ROOT)} imports {foreign}"


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_store_imports_pymongo(name: str) -> None:
    for file in modules(PACKAGES[name]):
        if file.stem != "store":
            assert not reaches(file, "pymongo", "bson"), f"{file.relative_to(ROOT)} imports pymongo"


@pytest.mark.parametrize("name", SERVICES)
def test_only_main_reads_the_environment_and_the_clock_is_an_argument(name: str) -> None:
    for file in modules(PACKAGES[name]):
        text = file.read_text()
        if file.stem != "main":
            assert not re.search(r"\benviron\b|getenv", text), f"{file.relative_to(ROOT)} reads the environment"
        if file.stem in ("domain", "usecases") or "domain" in file.parent.name:
            assert not re.search(r"datetime\.now\(|utcnow\(|time\.time\(|uuid4\(", text), (
                f"{file} makes its own time or ids"
            )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_knows_no_other_service(name: str) -> None:
    others = [f"mpp_{other}" for other in SERVICES if other != name]
    for file in modules(PACKAGES[name]):
        assert not reaches(file, *others)


@pytest.mark.parametrize("name", SERVICES)
def test_gRPC_and_eventlet_are_kept_apart(name: str) -> None:
    for file in modules(PACKAGES[name]):
        if file.stem == "handlers":
            assert not reaches(file, "grpc")
        else:
            assert not reaches(file, "nameko", "eventlet", "mpp_chassis.entrypoint"), file


def test_the_chassis_names_no_service() -> None:
    """Not even in text: no business word."""
    for file in modules(ROOT / "chassis" / "mpp_chassis"):
        assert not reaches(file, *(f"mpp_{name}" for name in SERVICES))
        assert not reaches(file, *(f"mpp.{name}" for name in SERVICES)), f"{file} imports a service's proto"


@pytest.mark.parametrize("package", [ROOT / "chassis/mpp_chassis", *PACKAGES.values()], ids=lambda p: p.name)
def test_each_module_says_what_it_knows(package: Path) -> None:
    for file in modules(package):
        if file.name != "__init__.py" or file.read_text().strip():
            assert ast.get_docstring(ast.parse(file.read_text())), f"{file.relative_to(ROOT)} has no docstring"


def test_no_drawer_for_everything() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    bad = [f for f in tracked if re.search(r"(^|/)(utils?|common|helpers?|misc|managers?)(\.py|/)", f)]
    assert not bad


def test_no_registry_host_nor_machine_path_is_committed() -> None:
    dot = r"\."
    hosts = rf"(py)pi{dot}org|(python)hosted|(deb|security){dot}debi[a]n|registry{dot}npm[j]s"
    found = subprocess.run(["git", "grep", "-nIiE", hosts], cwd=ROOT, capture_output=True, text=True).stdout
    assert not found
    paths = subprocess.run(
        ["git", "grep", "-nIE", r"(^|[^A-Za-z0-9_.])/(wor[k]|roo[t])/"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert not paths


def test_the_lock_is_hashed_and_names_no_index() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = [i for i, line in enumerate(lines) if re.match(r"^[a-z0-9].*==", line)]
    assert pinned
    for i in pinned:
        assert "--hash=sha256:" in lines[i] + lines[i + 1], lines[i]
    assert not [line for line in lines if line.startswith(("--index", "--extra", "-i ", "--find"))]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_its_parts(name: str) -> None:
    folder = ROOT / "services" / name
    modules_of_each = (f"mpp_{name}/{module}.py" for module in ("main", "api", "handlers", "store", "usecases"))
    for part in ("README.md", *modules_of_each):
        assert (folder / part).exists(), f"services/{name}/{part} is missing"
    assert list((ROOT / "proto" / "mpp" / name / "v1").glob("*_service.proto"))
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"mpp-{name}"
    assert project["requires-python"] == ">=3.11,<3.14"
