"""Fetches Debian packages into a private prefix, without root and without touching the system.

Knows apt, dpkg-deb and patchelf. Never knows what the unpacked programs do, and never names a mirror: it takes
the one that this machine's own apt uses. apt verifies the signature of the index and the hash of each package.
"""

from __future__ import annotations

import concurrent.futures
import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mpp_devstack.errors import FetchError
from mpp_devstack.progress import Reporter

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LAYOUT = "1"  # raise when the way of unpacking changes, so that an old cache is not used
NOT_UNPACKED = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/perl", "./usr/share/info",
                "*/bitcode/*", "./var", "./dev")  # fmt: skip


@dataclass(frozen=True)
class PackageSet:
    """What to fetch: `pattern` names the wanted package (a full-match regex; the highest name wins),
    `suite` the Debian suite, `keep` decides which packages of the resolved closure are unpacked."""

    name: str
    pattern: str
    suite: str
    keep: Callable[[str], bool]
    finish: Callable[[Path, Path], None]
    """Called with the directory of the unpacked files and the final path they will have."""


def cache_root() -> Path:
    """Where downloads live: outside any checkout, shared by all of them."""
    explicit = os.environ.get("MPP_CACHE")
    if explicit:
        return Path(explicit).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mpp-devstack"


def machine_release() -> str:
    """The codename of this Debian (for example bookworm), from os-release."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip().strip('"')
    raise FetchError("/etc/os-release names no VERSION_CODENAME: this machine is not a Debian release")


def ensure(wanted: PackageSet, report: Reporter) -> Path:
    """Return the prefix of `wanted`, fetching it first when it is not cached.

    Guaranteed: a returned prefix is complete (it appears by one rename); two first runs at once do the work once;
    no network is touched when the prefix is there. Raises FetchError.
    """
    final = cache_root() / f"{wanted.name}-{wanted.suite}-{platform.machine()}-{LAYOUT}"
    if (final / ".complete").exists():
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    with _lock(final.with_name(final.name + ".lock")):
        if not (final / ".complete").exists():
            _fetch(wanted, final, report)
    return final


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(wanted: PackageSet, final: Path, report: Reporter) -> None:
    shutil.rmtree(final, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{wanted.name}-", dir=final.parent) as scratch:
        apt = PrivateApt(Path(scratch) / "apt", wanted.suite)
        debs = apt.download(wanted, report)
        root = Path(scratch) / "root"
        root.mkdir()
        for done, deb in enumerate(debs):
            report.step(f"unpacking {wanted.name}", 100 * done / len(debs))
            _unpack(deb, root)
        wanted.finish(root, final)
        (root / ".complete").write_text("\n".join(d.name for d in debs) + "\n")
        os.rename(root, final)
    report.step(f"unpacking {wanted.name}", 100)


def _unpack(deb: Path, root: Path) -> None:
    excludes = [f"--exclude={pattern}" for pattern in NOT_UNPACKED]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as source:
        unpack = subprocess.run(
            ["tar", "x", "-C", str(root), "--no-same-owner", "--no-same-permissions", "--keep-directory-symlink", *excludes],
            stdin=source.stdout, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    if source.returncode or unpack.returncode:
        raise FetchError(f"cannot unpack {deb.name}: {unpack.stderr.strip()[:500]}")


def mirror() -> str:
    """The Debian mirror that this machine's apt uses for its own release."""
    command = ["apt-get", "indextargets", "--no-release-info", "--format", "$(RELEASE) $(REPO_URI)"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")
    found = dict(reversed([line.split(" ", 1) for line in listed if " " in line]))
    for release in (machine_release(), "stable", "oldstable", "testing", "unstable", "sid"):
        if release in found:
            return str(found[release])
    raise FetchError("this machine's apt names no Debian mirror (apt-get indextargets shows none)")


class PrivateApt:
    """apt with a state, a cache and a source list of its own; the machine's proxy settings still apply."""

    def __init__(self, home: Path, suite: str) -> None:
        self._home = home
        for sub in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
            (home / sub).mkdir(parents=True)
        (home / "status").touch()
        signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
        (home / "etc/sources.list").write_text(f"deb {signed}{mirror()} {suite} main\n")
        self._options: list[str] = []
        for key, value in {
            "Dir::State": home / "state",
            "Dir::State::status": home / "status",
            "Dir::Cache": home / "cache",
            "Dir::Etc": home / "etc",
            "Dir::Etc::sourcelist": home / "etc/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::trusted": "/etc/apt/trusted.gpg",
            "Dir::Etc::trustedparts": "/etc/apt/trusted.gpg.d",
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Debug::NoLocking": "1",
        }.items():
            self._options += ["-o", f"{key}={value}"]

    def _run(self, program: str, *args: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            [program, *self._options, *args], capture_output=True, text=True, cwd=cwd, env={**os.environ, "LC_ALL": "C"}
        )
        if done.returncode:
            raise FetchError(f"{program} {' '.join(args[:3])} failed: {done.stderr.strip()[-800:]}")
        return done.stdout

    def download(self, wanted: PackageSet, report: Reporter) -> list[Path]:
        """Download the closure of `wanted` that its `keep` accepts; apt has verified each returned file."""
        label = f"downloading {wanted.name} (Debian {wanted.suite})"
        report.step(label, 0)
        self._run("apt-get", "-qq", "update")
        report.step(label, 5)
        names = [n for n in self._run("apt-cache", "pkgnames").split() if re.fullmatch(wanted.pattern, n)]
        if not names:
            raise FetchError(f"Debian {wanted.suite} on {mirror()} has no package like {wanted.pattern}")
        target = max(names, key=_natural)
        plan = self._run("apt-get", "-qq", "-s", "--no-install-recommends", "install", target)
        chosen = re.findall(r"^Inst (\S+) \((\S+)", plan, flags=re.MULTILINE)
        exact = [f"{name}={version}" for name, version in chosen if wanted.keep(name)]
        store = self._home / "debs"
        store.mkdir()
        self._download_exact(exact, store, lambda percent: report.step(label, 5 + 0.95 * percent))
        debs = sorted(store.glob("*.deb"))
        if len(debs) != len(exact):
            raise FetchError(f"apt brought {len(debs)} of {len(exact)} packages for {wanted.name}")
        report.step(label, 100)
        return debs

    def _download_exact(self, exact: list[str], store: Path, progress: Callable[[float], None]) -> None:
        read, write = os.pipe()
        command = ["apt-get", *self._options, "-q", "-o", f"APT::Status-Fd={write}", "download", *exact]
        with subprocess.Popen(
            command, cwd=store, pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as apt:
            os.close(write)
            with os.fdopen(read) as status:
                for line in status:
                    if line.startswith("dlstatus:"):
                        progress(float(line.split(":")[2]))
            problem = apt.stderr.read() if apt.stderr else ""
        if apt.returncode:
            raise FetchError(f"download failed: {problem.strip()[-800:]}")


def _natural(name: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def installed(name: str) -> bool:
    """Is the Debian package `name` installed on this machine?"""
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name], capture_output=True, text=True)
    return shown.stdout == "installed"


def relocate(root: Path, final: Path, programs: list[Path], modules: Path) -> None:
    """Make unpacked programs run with the unpacked C library from `final`, whatever the machine's own is.

    `programs` are executables under `root`; `modules` the directory of their loadable modules.
    """
    patchelf = _patchelf()
    libs = Path("usr/lib") / f"{platform.machine()}-linux-gnu"
    loader = next((root / libs).glob("ld-linux*.so.*"))
    interpreter = str(final / libs / loader.name)
    path = f"{final / libs}:{final / modules.relative_to(root)}"
    for program in programs:
        _run_patchelf([patchelf, "--set-interpreter", interpreter, "--force-rpath", "--set-rpath", path, str(program)])
    shared = [p for p in (*modules.rglob("*.so"), *(root / libs).glob("*.so*")) if p.is_file() and not p.is_symlink()]
    shared = [p for p in shared if not p.name.startswith(("ld-linux", "libc.so", "libm.so"))]
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        list(
            pool.map(
                lambda p: _run_patchelf([patchelf, "--force-rpath", "--set-rpath", path, str(p)], may_fail=True), shared
            )
        )


def _patchelf() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "patchelf"
    found = (
        str(beside) if beside.exists() else shutil.which("patchelf") or str(Path(sys.executable).parent / "patchelf")
    )
    if not Path(found).exists():
        raise FetchError("patchelf is not installed in this Python environment (run tools/bootstrap.sh)")
    return found


def _run_patchelf(command: list[str], *, may_fail: bool = False) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and not may_fail:  # linker scripts named *.so are text: nothing to relocate there
        raise FetchError(f"patchelf {command[-1]}: {done.stderr.strip()}")
