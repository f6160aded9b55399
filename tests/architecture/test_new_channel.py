"""A new channel is a new folder. In a copy of this checkout one is added from the template: it builds, its test passes, the
contracts hold, and no other file has changed but the generated lists. And the channels that are here keep to it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mpp_newchannel import lists, template
from mpp_newchannel.template import BadName

ROOT = Path(__file__).resolve().parents[2]
NAME = "lockers"
# The services that the platform began with; mppctl and the tests of a citizen's visit know them by name. Whatever came
# later came as a folder.
FOUNDING = {"applications", "catalog", "complaints", "notifications", "queue", "subscriptions"}
LATER = sorted({s.name for s in lists.services(ROOT)} - FOUNDING)
# A service's own folders, and its own files where Prometheus and Grafana read a folder of everybody's.
OWN = re.compile(
    r"(services|proto/mpp|proto/gen/mpp)/(?P<name>[a-z]+)/"
    r"|deploy/observability/(rules|tests|grafana|grafana/dashboards)/(?P<watched>[a-z]+)\.(yaml|json)"
)
# Wholly generated, by `make proto` (ADR 0025): they hold every service's calls.
GENERATED = re.compile(
    r"proto/gen/|docs/api/(openapi\.json|asyncapi\.json|index\.html)|deploy/gateway/generated/"
    r"|clients/python/mpp_client/services\.py|clients/typescript/(src/gen|dist)/|proto/releases/"
)


def tracked() -> list[str]:
    """Every file of the checkout that git does not ignore."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(f for f in set(found) if (ROOT / f).is_file())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout")
    for file in tracked():
        if not file.startswith(("clients/typescript/", "sites/", "examples/", "proto/releases/")):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, root / file)
    return root


@pytest.fixture(scope="module")
def added(copy: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The tree before and after `make new-channel`."""
    before = tree(copy)
    assert run(copy, "-m", "mpp_newchannel", "--root", str(copy), "add", NAME).endswith("what is left to do")
    return before, tree(copy)


def run(root: Path, *command: str) -> str:
    """A Python command in the copy, with the copy's packages; its output. Fails the test when it fails."""
    folders = [root / "proto/gen", root / "chassis", root / "cli", root / "clients/python"]
    folders += [p.parent for folder in ("services", "tools") for p in (root / folder).glob("*/pyproject.toml")]
    env = {**os.environ, "PYTHONPATH": ":".join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *command], cwd=root, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, f"{command}:\n{(done.stdout + done.stderr)[-4000:]}"
    return done.stdout.strip()


def tree(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not re.search(r"(^|/)(__pycache__|\.ruff_cache|\.pytest_cache|\.hypothesis)/", name):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def without_lists(text: str) -> str:
    """A file's text without what stands between the marks of generated lists."""
    return re.sub(r'(?ms)^ *# services: [a-z ]+, made by "make lists"$.*?^ *# services: end$', "", text)


def test_nothing_but_the_new_folders_and_the_generated_lists_has_changed(
    copy: Path, added: tuple[dict[str, str], dict[str, str]]
) -> None:
    before, after = added
    new = {name for name in after if name not in before}
    assert {"/".join(n.split("/")[:2]) for n in new} == {f"services/{NAME}", "proto/mpp", "proto/gen"}
    assert {m["name"] for n in new if (m := OWN.match(n))} == {NAME}
    assert not [n for n in new if not OWN.match(n)]
    assert not [name for name in before if name not in after]
    changed = {name for name in before if after[name] != before[name]}
    assert changed == set(lists.LISTS)
    for name in changed:
        assert without_lists((copy / name).read_text()) == without_lists((ROOT / name).read_text()), name
        assert NAME in (copy / name).read_text()


def test_its_own_test_passes_and_so_does_the_linter(copy: Path, added: object) -> None:
    told = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"services/{NAME}/tests/unit")
    assert re.search(r"\b[1-9]\d* passed", told), told
    run(copy, "-m", "ruff", "check", "--quiet", f"services/{NAME}", "conftest.py")
    run(copy, "-m", "ruff", "format", "--quiet", "--check", f"services/{NAME}")


def test_it_is_built_as_a_service_is(copy: Path, added: object) -> None:
    """Imports, the contracts of import-linter, the rules of test_layout, events and RPCs; documents and gateway."""
    modules = f"mpp_{NAME}.main as m, mpp_{NAME}.handlers, mpp_{NAME}.api"
    run(copy, "-c", f"import {modules}; assert m.SERVICE.name == '{NAME}'")
    run(copy, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))")
    run(copy, "-m", "mpp_apidocs")
    tests = ["architecture/test_layout.py", "contract/test_events.py", "contract/apidocs/test_openapi.py"]
    chosen = ["-k", f"{NAME} or {NAME.title()} or Entry"]
    told = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{t}" for t in tests), *chosen)
    assert re.search(r"\b[23]\d passed", told), told
    document = (copy / "docs/api/openapi.json").read_text()
    assert f"/v1/sites/{{site}}/channels/{{channel}}/{NAME}/{{locker}}" in document
    run(copy, "-m", "mpp_gateway")
    assert f"mpp.{NAME}.v1.LockersService" in (copy / "deploy/gateway/generated/envoy.yaml").read_text()


@pytest.mark.parametrize(
    "name", ["", "Lockers", "two words", "x", "queue", "tickets", "gateway", "class", "options", "devstack", "loket-1"]
)
def test_a_name_that_cannot_be_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(BadName, match="NAME="):
        template.check(name, ROOT)


def naming(name: str) -> Iterator[str]:
    """Files of the platform's code and deployment that name a service, outside its own folders and what is generated."""
    places = ("chassis/", "cli/", "clients/", "deploy/", "proto/", "services/", "tests/", "tools/")
    for file in tracked():
        own = OWN.match(file)
        if (
            (own and name in (own["name"], own["watched"]))
            or GENERATED.match(file)
            or not file.startswith(places)
            or file.endswith(".binpb")
        ):
            continue
        if re.search(rf"{name}|{name.replace('_', '')}", without_lists((ROOT / file).read_text(errors="replace"))):
            yield file


@pytest.mark.parametrize("name", LATER)
def test_a_channel_that_is_here_is_named_by_no_file_of_others(name: str) -> None:
    assert list(naming(name)) == []
    assert name not in without_lists((ROOT / "pyproject.toml").read_text())
    assert name not in (ROOT / "Makefile").read_text()


def test_the_search_finds_what_it_should() -> None:
    assert "tools/localrun/mpp_localrun/walk.py" in set(naming("notifications"))


def test_the_lists_are_those_of_the_services_that_are_here() -> None:
    assert sorted(str(f.relative_to(ROOT)) for f in lists.stale(ROOT)) == [], "run `make lists`"


@pytest.mark.parametrize("spoil", ["begin", "end"])
def test_a_list_without_its_marks_is_an_error_that_names_the_file(spoil: str) -> None:
    name = "deploy/k8s/base/kustomization.yaml"
    lines = (ROOT / name).read_text().splitlines()
    mark = "# services: end" if spoil == "end" else '# services: resources, made by "make lists"'
    text = "\n".join(line for line in lines if line.strip() != mark)
    with pytest.raises(lists.BadMarks, match=name):
        lists.written(text, lists.LISTS[name], lists.services(ROOT), name)
