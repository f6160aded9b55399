"""`python -m mpp_observe generate [--check] | check | prometheus --profile run`."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from mpp_localrun.platform import Platform, free_ports

from mpp_observe import dashboards, prometheus, rules


def generate(*, check: bool) -> int:
    stale = dashboards.generate(check=check)
    for file in stale:
        print(f"{'is not up to date' if check else 'written'}: {file.name}")
    return int(check and bool(stale))


def check() -> int:
    """Raises RuntimeError with promtool's words."""
    print(rules.promtool("check", "config", str(prometheus.OBSERVABILITY / "prometheus.yml")))
    with tempfile.TemporaryDirectory() as folder:
        print(rules.run_unit_tests(rules.cases(), Path(folder)))
    return 0


def watch(profile: str) -> int:
    """Prometheus over a running profile until SIGINT or SIGTERM; its data lie in the profile's folder."""
    platform = Platform(profile)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    config = prometheus.configuration(platform.endpoints())
    port = next(iter(free_ports(1)))
    with prometheus.running(config, platform.home / "prometheus", port) as url:
        print(f"Prometheus: {url}/graph   alerts: {url}/alerts   (Ctrl-C ends it)", flush=True)
        stop.wait()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="mpp_observe", description=__doc__)
    parser.add_argument("verb", choices=("generate", "check", "prometheus"))
    parser.add_argument("--check", action="store_true", help="of generate: write nothing, fail when something differs")
    parser.add_argument("--profile", default="run")
    arguments = parser.parse_args()
    if arguments.verb == "generate":
        return generate(check=arguments.check)
    return check() if arguments.verb == "check" else watch(arguments.profile)


if __name__ == "__main__":
    sys.exit(main())
