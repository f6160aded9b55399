"""The built TypeScript client, Node, a browser, and the page served to it."""

from __future__ import annotations

import functools
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import chrome

ROOT = Path(__file__).resolve().parents[3]
CLIENT = ROOT / "clients" / "typescript"
SHOTS = ROOT / "build" / "browser"


@dataclass(frozen=True, slots=True)
class Node:
    """The client is built; `run` runs Node with it."""

    environment: dict[str, str]

    def run(self, *arguments: str, cwd: Path = CLIENT, **environment: str) -> str:
        """Standard output; fails with everything that was said."""
        done = subprocess.run(
            ["node", *arguments],
            cwd=cwd,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout


@pytest.fixture(scope="session")
def node() -> Node:
    """Builds the client when it is not built of what is there now (`make clients`)."""
    done = subprocess.run([sys.executable, "build.py"], cwd=CLIENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    spec = importlib.util.spec_from_file_location("mpp_npm", CLIENT / "npm.py")
    assert spec
    assert spec.loader
    npm = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(npm)
    return Node(dict(npm.environment()))


@pytest.fixture(scope="session")
def edge(malang: Any) -> dict[str, str]:
    """Addresses of the running gateway and issuer; the site is loaded."""
    return {"gateway": malang.gateway(), "issuer": malang.platform.endpoints()["issuer"]}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture(scope="session")
def page(node: Node, edge: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address. It is bundled with the built client (and type-checked in test_first_call.py)."""
    source, out = Path(__file__).resolve().parent / "page", tmp_path_factory.mktemp("page")
    alias = f"--alias:@mpp/client={CLIENT / 'dist/index.js'}"
    bundle = ["--bundle", "--format=esm", "--target=es2022", alias, "--log-level=warning"]
    altcha = f"--alias:altcha={CLIENT / 'node_modules/altcha/dist/main/altcha.js'}"
    for script in ("main.ts", "challenge.mjs"):
        made = out / f"{script.partition('.')[0]}.js"
        node.run("node_modules/esbuild/bin/esbuild", str(source / script), *bundle, altcha, f"--outfile={made}")
    for html in source.glob("*.html"):
        (out / html.name).write_text(html.read_text())
    (out / "config.json").write_text(json.dumps(edge))
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(out)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all tests; each begins logged out, on an empty page."""
    found = chrome.find()
    with chrome.running(found, tmp_path_factory.mktemp("chromium")) as driver:
        driver.set_script_timeout(60)
        yield driver


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.get("about:blank")
    chromium.get_log("browser")
    yield chromium
    chromium.get("about:blank")
