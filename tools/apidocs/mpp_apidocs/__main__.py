"""`python -m mpp_apidocs`: write docs/api/{openapi.json,asyncapi.json,index.html}; `--check` says whether they are stale."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from mpp_apidocs import asyncapi, contract, openapi, page
from mpp_apidocs.examples import load_all, payloads

DOCS = contract.ROOT / "docs" / "api"


def documents() -> dict[str, str]:
    """The three files by name. Raises ValueError for what cannot be told."""
    protos = contract.read()
    version = _version(contract.ROOT / "proto" / "gen" / "pyproject.toml")
    calls = openapi.document(protos, load_all(), version)
    events = asyncapi.document(protos, payloads(), version)
    return {"openapi.json": _json(calls), "asyncapi.json": _json(events), "index.html": page.page(calls, events)}


def _version(pyproject: Path) -> str:
    return str(tomllib.loads(pyproject.read_text())["project"]["version"])


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="mpp_apidocs", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when a file is not what the protos give"
    )
    check = parser.parse_args().check
    stale = []
    for name, text in documents().items():
        file = DOCS / name
        if check and (not file.exists() or file.read_text(encoding="utf-8") != text):
            stale.append(name)
        elif not check:
            file.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"docs/api is not what the protos and the examples give; run `make proto`. Stale: {', '.join(stale)}")


if __name__ == "__main__":
    main()
