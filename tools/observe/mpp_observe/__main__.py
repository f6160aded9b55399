"""`python -m mpp_observe generate [--check] | check | prometheus --profile run | sizes --profile run`."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from mpp_localrun.platform import Platform, free_ports

from mpp_observe import dashboards, prometheus, rules, sizes


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


def measure(profile: str) -> int:
    """Of a running profile: walks one visit through it."""
    platform = Platform(profile)
    for title, found in (
        ("Messages of one visit, bytes of body and headers", sizes.of_a_visit(platform)),
        ("Documents, bytes of BSON (at most 2000 of each)", sizes.of_documents(platform)),
        ("Resident memory, bytes", sizes.of_memory(platform)),
    ):
        print(f"\n{title}")
        for size in found:
            print(f"  {size.what:45s} {size.count:6d}  mean {size.mean:12.0f}  most {size.most:12d}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="mpp_observe", description=__doc__)
    parser.add_argument("verb", choices=("generate", "check", "prometheus", "sizes"))
    parser.add_argument("--check", action="store_true", help="of generate: write nothing, fail when something differs")
    parser.add_argument("--profile", default="run")
    arguments = parser.parse_args()
    if arguments.verb == "generate":
        return generate(check=arguments.check)
    if arguments.verb == "check":
        return check()
    return measure(arguments.profile) if arguments.verb == "sizes" else watch(arguments.profile)


if __name__ == "__main__":
    sys.exit(main())
