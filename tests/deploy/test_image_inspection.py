"""The looking into an image's files: it must find what it is there to find (`make images` runs it on real images)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mpp_images.__main__ import dockerfiles, main
from mpp_images.inspection import faults

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = "opt/mpp/lib/python3.11/site-packages"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An image's root in which nothing is wrong, as far as one who is not root can make it."""
    for folder in ("usr/bin", "opt/mpp/bin", f"{PACKAGES}/mpp_chassis", "tmp"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tmp").chmod(0o1777)
    (tmp_path / "usr/bin/python3.11").write_text("")
    (tmp_path / "opt/mpp/bin/python").symlink_to("/usr/bin/python3.11")
    return tmp_path


def own(root: Path) -> list[str]:
    """Without the one fault that an ordinary user's files have."""
    return [each for each in faults(root) if f"belongs to user {os.getuid()}" not in each]


def test_a_good_one_has_no_faults(root: Path) -> None:
    assert own(root) == []


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("usr/bin/pip3.11", "/usr/bin/pip3.11 must not be in the image"),
        ("usr/bin/x/../gcc-12", "/usr/bin/gcc-12 must not be in the image"),
        ("usr/bin/apt-get", "/usr/bin/apt-get must not be in the image"),
        ("usr/bin/dash", "/usr/bin/dash must not be in the image"),
        ("opt/mpp/bin/pip", "/opt/mpp/bin/pip must not be in the image"),
        (f"{PACKAGES}/pip", f"/{PACKAGES}/pip must not be in the image"),
        (f"{PACKAGES}/grpc_tools", f"/{PACKAGES}/grpc_tools must not be in the image"),
    ],
)
def test_programs_and_packages_that_build_are_found(root: Path, path: str, fault: str) -> None:
    (root / "usr/bin/x").mkdir()
    (root / path).write_text("")
    assert own(root) == [fault]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda root: (root / "usr/bin/python3.11").chmod(0o4755), "/usr/bin/python3.11 has another one's rights"),
        (lambda root: (root / "usr").chmod(0o777), "/usr can be written by everyone"),
        (lambda root: (root / "usr/bin/python3.11").chmod(0o666), "/usr/bin/python3.11 can be written by everyone"),
    ],
)
def test_dangerous_permissions_are_found(root: Path, spoil: Callable[[Path], None], fault: str) -> None:
    spoil(root)
    assert len(own(root)) == 1
    assert own(root)[0].startswith(fault)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_the_process_itself_is_found(root: Path) -> None:
    os.chown(root / "usr/bin/python3.11", 10001, 10001)
    assert own(root) == ["/usr/bin/python3.11 belongs to user 10001, not to root"]


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main([]) == 2
    assert "needs root" in capsys.readouterr().err


def test_the_base_is_built_first_and_every_service_after_it() -> None:
    names = list(dockerfiles())
    services = sorted(f"mpp-{path.parent.name}" for path in (ROOT / "services").glob("*/pyproject.toml"))
    assert names[0] == "mpp-base"
    assert names[-len(services) :] == services
