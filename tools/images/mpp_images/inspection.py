"""What must not be in an image, looked for in its files. Knows nothing of how it was built."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

# Programs that build, install, download or open a shell. A process that is broken into finds none of them.
FORBIDDEN = re.compile(
    r"pip[\d.]*|easy_install.*|uv|gcc.*|g\+\+.*|cc|c\+\+|clang.*|ld|as|make|cmake|apt.*|dpkg.*|perl.*|sh|bash|dash|busybox"
    r"|curl|wget|nc|git|ssh|su|sudo|mount|chroot"
)
FORBIDDEN_PACKAGES = frozenset({"pip", "setuptools", "wheel", "ensurepip", "grpc_tools", "pytest"})
PROGRAMS = ("usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "opt/mpp/bin", "usr/libexec")
WRITABLE = frozenset({"tmp"})


def faults(root: Path) -> list[str]:
    """What is wrong with an image's files, in words; empty when nothing is."""
    return sorted({*_programs(root), *_packages(root), *_permissions(root)})


def _programs(root: Path) -> Iterator[str]:
    for folder in PROGRAMS:
        for path in (root / folder).glob("*"):
            if FORBIDDEN.fullmatch(path.name):
                yield f"/{folder}/{path.name} must not be in the image"


def _packages(root: Path) -> Iterator[str]:
    for pattern in ("opt/mpp/lib/python3*/site-packages/*", "usr/lib/python3*/*"):
        for path in root.glob(pattern):
            if path.name in FORBIDDEN_PACKAGES:
                yield f"/{path.relative_to(root)} must not be in the image"


def _permissions(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder) / name
            found, shown = path.lstat(), path.relative_to(root)
            if stat.S_ISLNK(found.st_mode):
                continue
            if found.st_mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(found.st_mode):
                yield f"/{shown} has another one's rights (setuid or setgid)"
            if found.st_mode & stat.S_IWOTH and str(shown) not in WRITABLE:
                yield f"/{shown} can be written by everyone"
            if found.st_uid != 0:
                yield f"/{shown} belongs to user {found.st_uid}, not to root"
