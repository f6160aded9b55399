"""buildah with a storage of its own under `.dev/images`: build, look, mount, export. Knows no service."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpp_images.errors import ImagesError


@dataclass(frozen=True, slots=True)
class Config:
    """What an image says about how it wants to be run."""

    user: str
    environment: Mapping[str, str]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    stop_signal: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as a registry would keep it (gzip). Two images with the same digest share it."""

    digest: str
    bytes: int


class Buildah:
    """Runs buildah as root. `home` holds the storage, the log of the builds and the exported images."""

    def __init__(self, home: Path) -> None:
        self.home, self.log, self.layout = home, home / "build.log", home / "oci"
        home.mkdir(parents=True, exist_ok=True)
        self._driver = home / "driver"

    def build(self, file: Path, tag: str, context: Path, arguments: Mapping[str, str], fresh: bool) -> None:
        """Build `tag` from a Dockerfile. Nothing is pulled: what it builds from must be here.

        The machine's certificates are lent to the build (a company's proxy may have its own), not put into the image.
        """
        command = ["bud", "--isolation", "chroot", "--format", "docker", "--pull-never", "--layers"]
        command += ["--no-cache"] if fresh else []
        lent = Path("/etc/ssl/certs/ca-certificates.crt")
        if lent.exists():
            command += ["--volume", f"{lent}:/run/lent-certificates.crt:ro"]
            arguments = {"PIP_CERT": "/run/lent-certificates.crt", **arguments}
        for name, value in arguments.items():
            command += ["--build-arg", f"{name}={value}"]
        self._run(*command, "--file", str(file), "--tag", tag, str(context))

    def import_tar(self, tar: Path, tag: str) -> None:
        """An image with the one layer that `tar` holds."""
        container = self._run("from", "scratch").strip()
        try:
            root = self._run("mount", container).strip()
            subprocess.run(["tar", "-x", "-C", root, "-f", str(tar)], check=True)
            self._run("umount", container)
            self._run("commit", "--quiet", container, tag)
        finally:
            self._run("rm", container)

    def exists(self, tag: str) -> bool:
        return bool(self._run("images", "--quiet", "--filter", f"reference={tag}", may_fail=True).strip())

    def config(self, tag: str) -> Config:
        shown: dict[str, Any] = json.loads(self._run("inspect", "--type", "image", tag))["Docker"]["config"]
        return Config(
            user=shown.get("User", ""),
            environment=dict(each.split("=", 1) for each in shown.get("Env") or []),
            entrypoint=tuple(shown.get("Entrypoint") or ()),
            command=tuple(shown.get("Cmd") or ()),
            stop_signal=shown.get("StopSignal", ""),
            labels=shown.get("Labels") or {},
        )

    @contextmanager
    def mounted(self, tag: str) -> Iterator[Path]:
        """The image's root, for as long as the block runs. What is written there is thrown away."""
        container = self._run("from", "--pull-never", tag).strip()
        try:
            yield Path(self._run("mount", container).strip())
        finally:
            self._run("rm", container, may_fail=True)

    def export(self, tag: str) -> list[Layer]:
        """Write the image into the OCI layout `.dev/images/oci` and return its layers, lowest first."""
        name = tag.removeprefix("localhost/")
        self._run("push", "--quiet", tag, f"oci:{self.layout}:{name}")
        index = json.loads((self.layout / "index.json").read_text())
        reference = "org.opencontainers.image.ref.name"
        digest = next(m["digest"] for m in index["manifests"] if m.get("annotations", {}).get(reference) == name)
        manifest = json.loads((self.layout / "blobs" / digest.replace(":", "/")).read_text())
        return [Layer(each["digest"], each["size"]) for each in manifest["layers"]]

    def _run(self, *arguments: str, may_fail: bool = False) -> str:
        done = subprocess.run(["buildah", *self._storage(), *arguments], capture_output=True, text=True)
        with self.log.open("a") as log:
            log.write(f"$ buildah {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        if done.returncode and not may_fail:
            raise ImagesError(
                f"buildah {arguments[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}\n(all: {self.log})"
            )
        return done.stdout

    def _storage(self) -> list[str]:
        if not self._driver.exists():
            self._driver.write_text(self._choose_driver())
        return _options(self.home, self._driver.read_text())

    def _choose_driver(self) -> str:
        """overlay where this machine's kernel and file system can, else vfs (which copies, and is slower)."""
        tried = ["buildah", *_options(self.home, "overlay")]
        made = subprocess.run([*tried, "from", "scratch"], capture_output=True, text=True)
        container = made.stdout.strip()
        works = (
            made.returncode == 0 and subprocess.run([*tried, "mount", container], capture_output=True).returncode == 0
        )
        if made.returncode == 0:
            subprocess.run([*tried, "rm", container], capture_output=True, check=False)
        return "overlay" if works else "vfs"


def _options(home: Path, driver: str) -> list[str]:
    storage = home / f"storage-{driver}"
    return ["--root", str(storage), "--runroot", str(home / "run"), "--storage-driver", driver]
