"""`python -m mpp_devissuer --port P --state DIR`: the command line, the only reader of the environment."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from mpp_devissuer import directory
from mpp_devissuer.keys import KeyRing
from mpp_devissuer.server import Issuer

REFUSED = 2  # exit code: must not run here
UNUSABLE = 1  # exit code: the port or the state directory cannot be used


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serves until SIGTERM or SIGINT and returns the exit code."""
    if environment.get("MPP_ENV", "").strip().lower() == "production":
        print(
            "mpp_devissuer signs any token for anyone: it refuses to start when MPP_ENV=production",
            file=sys.stderr,
        )
        return REFUSED
    parser = argparse.ArgumentParser(prog="mpp_devissuer", description="A development OIDC issuer on loopback.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="directory that keeps the signing keys")
    given = environment.get("MPP_DEVISSUER_DIRECTORY")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path(given) if given else directory.DEMO,
        help="YAML with the people and clients; the demo's by default (also MPP_DEVISSUER_DIRECTORY)",
    )
    parser.add_argument(
        "--container",
        default="",
        metavar="NAME",
        help="in a container: listen beyond loopback, answer to this name too",
    )
    parser.add_argument("--verbose", action="store_true", help="one line a request")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s")
    try:
        issuer = Issuer(options.port, KeyRing(options.state), directory.load(options.directory), options.container)
    except (OSError, ValueError, OverflowError) as failure:
        print(f"mpp_devissuer cannot start: {failure}", file=sys.stderr)
        return UNUSABLE
    return _serve(issuer)


def _serve(issuer: Issuer) -> int:
    def stop(_signal: int, _frame: object) -> None:
        # shutdown() waits for the serving loop, which is this very thread.
        threading.Thread(target=issuer.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"mpp_devissuer listens on {issuer.url}", flush=True)
    with issuer:
        issuer.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
