"""A Debian 12 to build from, made by debootstrap from the mirror that this machine's own apt uses.

Knows debootstrap and apt's sources; names no mirror. Whoever has Docker takes `debian:12-slim` instead.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from mpp_devstack.packages import KEYRING, cache_root, mirror

from mpp_images.errors import ImagesError

SUITE = "bookworm"
MOST_DAYS = 14  # an older Debian is made anew; the packages in an image are the newest at each fresh build anyway


def base_tar(fresh: bool = False) -> Path:
    """The base as a tar file, from the cache outside the checkout when it is not too old.

    Raises ImagesError when debootstrap fails. Two at once do the work once.
    """
    final = cache_root() / "images" / f"debian-{SUITE}-{platform.machine()}.tar"
    final.parent.mkdir(parents=True, exist_ok=True)
    with final.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if fresh or not final.exists() or time.time() - final.stat().st_mtime > MOST_DAYS * 86_400:
            _bootstrap(final)
    return final


def _bootstrap(final: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".debian-", dir=final.parent) as scratch:
        root, log, tar = Path(scratch) / "root", Path(scratch) / "log", Path(scratch) / "tar"
        signed = [f"--keyring={KEYRING}"] if KEYRING.exists() else []
        with log.open("w") as output:
            made = subprocess.run(
                ["debootstrap", "--variant=minbase", *signed, SUITE, str(root), mirror()],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C"},
            )
        if made.returncode:
            raise ImagesError(f"debootstrap failed:\n{log.read_text(errors='replace')[-2000:]}")
        (root / "etc/apt/sources.list").write_text(sources())
        shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
        subprocess.run(["tar", "-C", str(root), "--one-file-system", "-cf", str(tar), "."], check=True)
        tar.rename(final)


def sources() -> str:
    """apt's sources for the base: the suite, and its updates and security as far as this machine's apt has them."""
    command = ["apt-get", "indextargets", "--no-release-info", "--format", "$(RELEASE) $(REPO_URI)"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    found = {tuple(line.split(" ", 1)) for line in listed if line.startswith(f"{SUITE}-")}
    return "".join(f"deb {uri} {suite} main\n" for suite, uri in [(SUITE, mirror()), *sorted(found)])
