"""Runs a program as somebody who is not root, because PostgreSQL refuses root. Knows unshare and setpriv only.

Ways, in order, each probed before it is used:
1. not root: nothing to do;
2. a user namespace in which root's own files are kept and the effective user id is not 0 (works in a home of mode 700 too);
3. `setpriv` to nobody, keeping only the capability to pass directories (for containers that forbid namespaces).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mpp_devstack.errors import StartError


@dataclass(frozen=True)
class Identity:
    """How to run a program as not-root: put `prefix` before its command; its files must belong to `owner`."""

    name: str
    prefix: tuple[str, ...]
    owner: tuple[int, int] | None

    def give(self, path: Path) -> None:
        """Make `path` and all below it belong to whom the program runs as."""
        if self.owner is None:
            return
        os.chown(path, *self.owner)
        for folder, folders, files in os.walk(path):
            for entry in (*folders, *files):
                os.chown(os.path.join(folder, entry), *self.owner, follow_symlinks=False)


def not_root(prefix_must_run: Path) -> Identity:
    """The first way that can execute `prefix_must_run --version` here. Raises StartError when none can."""
    if os.geteuid() != 0:
        return Identity("as the calling user", (), None)
    tried = []
    for candidate in _ways():
        probe = [*candidate.prefix, str(prefix_must_run), "--version"]
        done = subprocess.run(probe, capture_output=True, text=True, cwd="/")
        if done.returncode == 0:
            return candidate
        tried.append(f"{candidate.name}: {done.stderr.strip()[:200]}")
    raise StartError("PostgreSQL must not run as root, and no other way works here: " + "; ".join(tried))


def _ways() -> list[Identity]:
    ways = []
    unshare, setpriv = shutil.which("unshare"), shutil.which("setpriv")
    if unshare:
        ways.append(Identity("in a user namespace", (unshare, "--user", "--map-user=1000", "--map-group=1000"), None))
    if setpriv:
        nobody = pwd.getpwnam("nobody")
        base = (setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
        # no_setuid_fixup: access(2), by which initdb looks for its postgres, must honour the capability too
        caps = "-all,+dac_override"
        pass_by = (
            "--securebits=+no_setuid_fixup",
            f"--inh-caps={caps}",
            f"--ambient-caps={caps}",
            f"--bounding-set={caps}",
        )
        owner = (nobody.pw_uid, nobody.pw_gid)
        ways.append(Identity("as nobody, with dac_override", (*base, *pass_by), owner))
        ways.append(Identity("as nobody", base, owner))
    return ways
