"""Runs one process of a mounted image, as a container runtime would: the image's user and environment, a root that
cannot be written, a /tmp and a /proc of its own, no new privileges. Uses unshare, mount and chroot; needs root.

The network is the machine's: the process listens on loopback (MPP_BIND) and meets the bare-machine stack there. NOT
isolated as a container is: memory, processor and process numbers are the machine's too.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mpp_images.buildah import Config

# $1 the image's root, $2 its user, $3 what is mounted at /tmp/shared (or nothing); then the command. Each `exec` keeps
# the process number, so a signal to the started process is one to the process in the image.
_SCRIPT = """
set -eu
root=$1 user=$2 shared=$3; shift 3
/usr/bin/mount --bind "$root" "$root"
/usr/bin/mount -o remount,bind,ro "$root"
/usr/bin/mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev tmpfs "$root/tmp"
/usr/bin/mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
/usr/bin/mount --bind -o ro /dev "$root/dev"
if [ -n "$shared" ]; then
  /usr/bin/mkdir "$root/tmp/shared"
  /usr/bin/mount --bind "$shared" "$root/tmp/shared"
fi
exec /usr/sbin/chroot --userspec="$user" --groups= "$root" "$@"
"""
_OUTSIDE = (
    "/usr/bin/setpriv",
    "--no-new-privs",
    "/usr/bin/unshare",
    "--mount",
    "--propagation",
    "private",
    "/bin/sh",
    "-c",
)


@dataclass(frozen=True, slots=True)
class Container:
    """A mounted image and how it wants to be run."""

    root: Path
    config: Config

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path, shared: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the image's entrypoint with `arguments`; its output goes to `log`. `shared` appears as /tmp/shared."""
        return self._popen((*self.config.entrypoint, *arguments), environment, log, shared)

    def python(self, code: str) -> str:
        """Run some lines in the image, as its user, and return what they print. Raises CalledProcessError."""
        command = self._command(("python", "-c", code), None)
        done = subprocess.run(command, env=dict(self.config.environment), capture_output=True, text=True, check=True)
        return done.stdout

    def _popen(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, shared: Path | None
    ) -> subprocess.Popen[bytes]:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            return subprocess.Popen(
                self._command(command, shared),
                env={**self.config.environment, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _command(self, command: Sequence[str], shared: Path | None) -> list[str]:
        return [*_OUTSIDE, _SCRIPT, "container", str(self.root), self.config.user, str(shared or ""), *command]
