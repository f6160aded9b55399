"""Prometheus and promtool from Debian's package, and a configuration for the processes of a profile.

Knows where the programs lie and how a target is written. Never opens a port on anything but loopback, never installs
anything on the system: the package is unpacked privately (see `mpp_devstack.packages`).
"""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from mpp_devstack.packages import PackageSet, ensure, machine_release
from mpp_devstack.progress import Reporter

OBSERVABILITY = Path(__file__).resolve().parents[3] / "deploy" / "observability"


def programs() -> tuple[Path, Path]:
    """(prometheus, promtool): those on PATH, else Debian's. Raises FetchError."""
    found = [shutil.which(name) for name in ("prometheus", "promtool")]
    if all(found):
        return Path(str(found[0])), Path(str(found[1]))
    wanted = PackageSet("prometheus", "prometheus", machine_release(), lambda name: name == "prometheus", _as_it_is)
    with Reporter() as report:
        root = ensure(wanted, report) / "usr" / "bin"
    return root / "prometheus", root / "promtool"


def _as_it_is(_root: Path, _final: Path) -> None:
    """Both programs need nothing but the C library of the release they were built for: this one."""


def configuration(endpoints: Mapping[str, str], *, interval: str = "5s") -> dict[str, Any]:
    """The configuration for one profile: the same rules, jobs and labels as in production, targets from `endpoints`
    (names as `Platform.endpoints` has them; those that end in `-http` are scraped).
    """
    kept: dict[str, Any] = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())
    targets = [
        {
            "targets": [url.removeprefix("http://")],
            "labels": {"service": name.rsplit("-", 2)[0], "process": name.rsplit("-", 2)[1]},
        }
        for name, url in sorted(endpoints.items())
        if name.endswith("-http")
    ]
    return {
        "global": {**kept["global"], "scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(OBSERVABILITY / "rules" / "*.yaml")],
        "scrape_configs": [{"job_name": "mpp", "static_configs": targets}],
    }


@contextmanager
def running(config: Mapping[str, Any], home: Path, port: int, *, seconds: float = 20) -> Iterator[str]:
    """A Prometheus on loopback for as long as the block lasts; its address. Raises RuntimeError with its log."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "prometheus.yml"
    file.write_text(yaml.safe_dump(dict(config), sort_keys=False))
    prometheus, _ = programs()
    command = [
        str(prometheus), f"--config.file={file}", f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=15d", "--log.level=warn",
    ]  # fmt: skip
    with (home / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        _wait(f"http://127.0.0.1:{port}/-/ready", process, home / "prometheus.log", seconds)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:
                if reply.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            pass
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"Prometheus did not become ready:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)
