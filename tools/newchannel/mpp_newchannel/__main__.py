"""`python -m mpp_newchannel add NAME` writes a new channel's service; `lists [--check]` keeps the generated lists."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mpp_newchannel import lists

ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    parser = argparse.ArgumentParser(prog="mpp_newchannel", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    kept = verbs.add_parser("lists", help="bring the generated lists up to date")
    kept.add_argument(
        "--check", action="store_true", help="write nothing; fail when a list is not of the services there"
    )
    given = parser.parse_args()
    try:
        _lists(given.root, given.check)
    except lists.BadMarks as e:
        sys.exit(str(e))


def _lists(root: Path, check: bool) -> None:
    if check:
        if found := sorted(str(file.relative_to(root)) for file in lists.stale(root)):
            sys.exit(f"lists of services are not up to date; run `make lists`. Stale: {', '.join(found)}")
        return
    for file in lists.write(root):
        print(f"written: {file.relative_to(root)}")


if __name__ == "__main__":
    main()
