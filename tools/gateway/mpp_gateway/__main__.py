"""`python -m mpp_gateway [--check]` makes deploy/gateway/generated (or checks it); `... run` renders and runs Envoy."""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from mpp_gateway import contract as contracts
from mpp_gateway import render
from mpp_gateway.contract import BadContract
from mpp_gateway.edge import BadEdge, Edge, read
from mpp_gateway.supervise import run_envoy

ROOT = Path(__file__).resolve().parents[3]  # the checkout, when there is one


def main() -> int:
    arguments = _parse()
    try:
        if arguments.verb == "run":
            return _run(arguments)
        return _generate(check=arguments.check)
    except (BadContract, BadEdge) as e:
        sys.stderr.write(f"mpp-gateway: {e}\n")
        return 2


def _generate(check: bool) -> int:
    files = render.production(ROOT)
    stale = [file for file, content in files.items() if not file.exists() or file.read_bytes() != content]
    if not check:
        for file in stale:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(files[file])
    elif stale:
        names = ", ".join(str(file.relative_to(ROOT)) for file in stale)
        sys.stderr.write(f"not what the protos and edge.yaml give; run `make gateway`. Stale: {names}\n")
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> int:
    edge = _settings(arguments)
    addresses: dict[str, list[str]] = defaultdict(list)
    for pair in arguments.upstream:
        service, _, address = pair.partition("=")
        addresses[service].append(address)
    file = Path(arguments.descriptors) if arguments.descriptors else None
    contract = contracts.from_descriptors(file.read_bytes()) if file else contracts.from_repository(ROOT)
    written = render.for_run(contract, edge, addresses, Path(arguments.docs), Path(arguments.out))
    return run_envoy(written, edge, arguments.concurrency)


def _settings(arguments: argparse.Namespace) -> Edge:
    edge = read(*map(Path, arguments.edge), env=os.environ)
    if arguments.listen:
        host, _, port = arguments.listen.rpartition(":")
        edge = replace(edge, listen=replace(edge.listen, address=host, port=int(port)))
    return replace(edge, admin_port=arguments.admin) if arguments.admin else edge


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mpp_gateway", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when deploy/gateway/generated is not up to date")
    run = parser.add_subparsers(dest="verb").add_parser("run", help="render for here and now, and run Envoy")
    home = ROOT / "deploy" / "gateway"
    run.add_argument("--edge", action="append", required=True, help="settings; a later file changes an earlier one")
    run.add_argument("--descriptors", help="a descriptor set, where there is no checkout to read")
    run.add_argument("--docs", default=str(ROOT / "docs" / "api"), help="folder of openapi.json and the other pages")
    run.add_argument("--out", default=str(home), help="folder that the configuration is written to")
    run.add_argument("--listen", help="host:port instead of the settings'")
    run.add_argument("--admin", type=int, default=0, help="port of Envoy's admin interface, on loopback")
    run.add_argument("--upstream", action="append", default=[], metavar="SERVICE=HOST:PORT", help="may be repeated")
    run.add_argument("--concurrency", type=int, default=0, help="Envoy's threads; 0: one a core")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
