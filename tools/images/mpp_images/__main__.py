"""`deploy/images/build`: base and images of all services, looked into, run, and their sizes. Needs root.

deploy/images/build                  build, check, run
deploy/images/build --install        first apt-get install what it needs (buildah, debootstrap)
deploy/images/build --fresh          take nothing from earlier builds (newest Debian packages)
deploy/images/build --only queue     only this service (may be repeated); then no visit goes through them
deploy/images/build --no-run         build and check, run nothing
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mpp_devstack import DevstackError
from mpp_localrun.platform import ROOT, NotReady, Platform
from mpp_localrun.visit import VisitFailed
from rich.console import Console
from rich.table import Table

from mpp_images import debian
from mpp_images.buildah import Buildah, Layer
from mpp_images.container import Container
from mpp_images.errors import ImagesError
from mpp_images.inspection import faults
from mpp_images.trial import Trial

TOOLS = {"buildah": "buildah", "debootstrap": "debootstrap"}  # program: Debian package
DEBIAN = "localhost/mpp-debian:12"
PROFILE = "images-trial"
USER = "10001:10001"
console = Console(highlight=False, soft_wrap=True)


def version() -> str:
    """The images' version, as base.Dockerfile says."""
    found = re.search(r"^ARG VERSION=(\S+)$", (ROOT / "deploy/images/base.Dockerfile").read_text(), re.MULTILINE)
    if not found:
        raise ImagesError("deploy/images/base.Dockerfile has no line ARG VERSION=...")
    return found[1]


def dockerfiles() -> dict[str, Path]:
    """Image name to Dockerfile, in the order of building: the base, the other images of deploy/images, the services."""
    ours = {
        f"mpp-{path.name.removesuffix('.Dockerfile')}": path for path in (ROOT / "deploy/images").glob("*.Dockerfile")
    }
    services = {f"mpp-{path.parent.name}": path for path in (ROOT / "services").glob("*/Dockerfile")}
    return {"mpp-base": ours.pop("mpp-base"), **dict(sorted(ours.items())), **dict(sorted(services.items()))}


@contextmanager
def stage(title: str) -> Iterator[None]:
    began = time.perf_counter()
    with console.status(title):
        yield
    console.print(f"[green]✓[/green] {title} [dim]({time.perf_counter() - began:.1f} s)[/dim]")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="deploy/images/build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="SERVICE")
    parser.add_argument("--no-run", action="store_true")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0:
        print("deploy/images/build mounts and chroots: it needs root (sudo deploy/images/build)", file=sys.stderr)
        return 2
    try:
        _need_tools(options.install)
        _all(options.fresh, options.only, options.no_run)
    except (ImagesError, NotReady, VisitFailed, DevstackError) as e:
        console.print("[red]✗[/red]", str(e), markup=False)
        return 1
    return 0


def _need_tools(install: bool) -> None:
    missing = [package for program, package in TOOLS.items() if shutil.which(program) is None]
    if not missing:
        return
    if not install:
        wanted = " ".join(missing)
        raise ImagesError(f"{wanted} not found: apt-get install --no-install-recommends {wanted}, or use --install")
    with stage(f"apt-get install {' '.join(missing)}"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
            subprocess.run(["apt-get", "-qq", *step], check=True, env=environment, stdout=subprocess.DEVNULL)


def _all(fresh: bool, only: Sequence[str], no_run: bool) -> None:
    began = time.perf_counter()
    wanted = _wanted(only)
    buildah = Buildah(ROOT / ".dev" / "images")
    tags = _build(buildah, wanted, fresh)
    with ExitStack() as mounts:
        containers = {
            name: Container(mounts.enter_context(buildah.mounted(tag)), buildah.config(tag))
            for name, tag in tags.items()
        }
        for name, container in containers.items():
            _check(name, container)
        console.print(
            "[green]✓[/green] none holds pip, a compiler, a package manager or a shell; no file can be written"
        )
        if not no_run:
            services = {path.parent.name for path in wanted.values() if path.parent.parent.name == "services"}
            named = {name.removeprefix("mpp-"): each for name, each in containers.items()}
            _try(
                {name: each for name, each in named.items() if name in services},
                {name: each for name, each in named.items() if name not in services},
                visit=not only,
            )
    _sizes({name: buildah.export(tag) for name, tag in tags.items()})
    console.print(f"All in {time.perf_counter() - began:.0f} s; the images lie in .dev/images/oci (an OCI layout).")


def _wanted(only: Sequence[str]) -> dict[str, Path]:
    files = dockerfiles()
    unknown = [name for name in only if f"mpp-{name}" not in files]
    if unknown:
        raise ImagesError(f"no Dockerfile for {', '.join(unknown)}: there are {', '.join(files)}")
    keep = {"mpp-base", *(f"mpp-{name}" for name in only)}
    return {name: file for name, file in files.items() if not only or name in keep}


def _build(buildah: Buildah, files: dict[str, Path], fresh: bool) -> dict[str, str]:
    """Image name to tag."""
    tar = debian.base_tar
    with stage(f"Debian {debian.SUITE} to build from"):
        made = tar(fresh)
        tag = f"{DEBIAN}-{int(made.stat().st_mtime)}"
        if not buildah.exists(tag):
            buildah.import_tar(made, tag)
    tags: dict[str, str] = {}
    for name, file in files.items():
        tags[name] = f"localhost/{name}:{version()}"
        arguments = {"DEBIAN": tag, "BASE": f"localhost/mpp-base:{version()}"}
        taken = {key: value for key, value in arguments.items() if f"ARG {key}=" in file.read_text()}
        with stage(f"{name}:{version()}"):
            buildah.build(file, tags[name], ROOT, taken, fresh)
    return tags


def _check(name: str, container: Container) -> None:
    found = faults(container.root)
    config = container.config
    if config.user != USER:
        found.append(f"its user is {config.user!r}, not {USER}")
    if config.stop_signal not in ("SIGTERM", ""):
        found.append(f"it is stopped by {config.stop_signal}")
    if config.labels.get("org.opencontainers.image.version") != version():
        found.append(f"its label says version {config.labels.get('org.opencontainers.image.version')}")
    if found:
        raise ImagesError(f"{name}:\n  " + "\n  ".join(found[:20]))


def _try(containers: dict[str, Container], others: dict[str, Container], visit: bool) -> None:
    def say(text: str) -> None:
        console.print(f"[green]✓[/green] {text}")

    with stage("what is in the images ran, and all of it is gone again"):
        Trial(Platform(PROFILE), containers, others, say, visit).run()


def _sizes(layers: dict[str, list[Layer]]) -> None:
    shared = {each.digest for each in layers["mpp-base"]}
    table = Table(title="Sizes as a registry keeps them (gzip), MB", title_justify="left")
    for column in ("image", "all", "shared with mpp-base", "its own", "layers"):
        table.add_column(column, justify="left" if column == "image" else "right")
    for name, found in layers.items():
        whole = sum(each.bytes for each in found)
        common = sum(each.bytes for each in found if each.digest in shared)
        table.add_row(name, *(f"{size / 1e6:.2f}" for size in (whole, common, whole - common)), str(len(found)))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
