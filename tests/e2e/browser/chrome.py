"""A Chromium for the tests: the machine's, else Debian's package fetched into the devstack's cache, without root.

Knows packages, flags and the WebDriver; knows nothing of the platform.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mpp_devstack import packages
from mpp_devstack.progress import Reporter
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root has none; the pages are ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--metrics-recording-only",
    # Only loopback has an address: a page that asks another host for anything fails at once.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--window-size=1100,900",
)
# What a headless Chromium does without: the init system, printing tools, drivers of graphics cards, the C library of the
# same release (it is there).
_LEFT_OUT = (
    "libc6",
    "libc-bin",
    "libllvm",
    "libgl1-mesa-dri",
    "libz3-",
    "libperl",
    "libpam",
    "libsystemd-shared",
    "libcryptsetup",
)
_KEPT = ("chromium", "lib", "fonts-", "fontconfig-config", "xkb-data")


@dataclass(frozen=True, slots=True)
class Browser:
    """Where the programs are, and what they need in their environment."""

    chromium: Path
    driver: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def find() -> Browser:
    """Raises mpp_devstack.errors.FetchError when there is none and none can be fetched."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium and driver and not os.environ.get("MPP_TEST_PRIVATE_CHROMIUM"):
        return Browser(Path(chromium), Path(driver))
    wanted = packages.PackageSet("chromium", "chromium-driver", packages.machine_release(), _keep, _write_fonts)
    with Reporter() as report:
        prefix = packages.ensure(wanted, report)
    triplet = f"{platform.machine()}-linux-gnu"
    libs = prefix / "usr/lib" / triplet
    folders = (libs, prefix / "lib" / triplet, libs / "nss", libs / "pulseaudio", prefix / "usr/lib/chromium")
    path = os.pathsep.join(map(str, folders))
    environment = {"LD_LIBRARY_PATH": path, "FONTCONFIG_FILE": str(prefix / "fonts.conf")}
    return Browser(prefix / "usr/lib/chromium/chromium", prefix / "usr/bin/chromedriver", environment)


@contextmanager
def running(browser: Browser, profile: Path) -> Iterator[Any]:
    """A WebDriver with an empty profile, gone with all its processes afterwards."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(browser.chromium)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    environment = {**os.environ, **browser.environment, "HOME": str(profile), "NO_PROXY": "127.0.0.1,localhost"}
    service = Service(str(browser.driver), port=_free_port(), env=environment)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()
        service.stop()


def _keep(name: str) -> bool:
    return name.startswith(_KEPT) and not name.startswith(_LEFT_OUT)


def _write_fonts(root: Path, final: Path) -> None:
    (root / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f'<fontconfig><dir>{final}/usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n'
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
