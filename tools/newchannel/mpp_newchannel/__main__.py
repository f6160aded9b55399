"""`python -m mpp_newchannel add NAME` writes a new channel's service; `lists [--check]` keeps the generated lists."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from mpp_newchannel import lists, template

ROOT = Path(__file__).resolve().parents[3]
NEXT = """
written: services/{name} and proto/mpp/{name}; the lists that name every service are up to date.
next:
  make setup proto                                 installs it; documents, gateway and clients learn its calls
  make unit && .venv/bin/pytest services/{name}    its tests pass as they are
  services/{name}/README.md                        ends with what is left to do
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="mpp_newchannel", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    added = verbs.add_parser("add", help="write a new channel's service")
    added.add_argument("name", metavar="NAME", help="lower-case letters, like `lockers`")
    kept = verbs.add_parser("lists", help="bring the generated lists up to date")
    kept.add_argument(
        "--check", action="store_true", help="write nothing; fail when a list is not of the services there"
    )
    given = parser.parse_args()
    try:
        if given.verb == "add":
            _add(given.root, given.name)
        else:
            _lists(given.root, given.check)
    except (lists.BadMarks, template.BadName) as e:
        sys.exit(str(e))


def _add(root: Path, name: str) -> None:
    """The folders, the lists, and the code of its protos."""
    template.write(name, root)
    lists.write(root)
    subprocess.run([sys.executable, str(root / "tools" / "protos" / "generate.py")], check=True)
    print(NEXT.format(name=name).strip())


def _lists(root: Path, check: bool) -> None:
    if check:
        if found := sorted(str(file.relative_to(root)) for file in lists.stale(root)):
            sys.exit(f"lists of services are not up to date; run `make lists`. Stale: {', '.join(found)}")
        return
    for file in lists.write(root):
        print(f"written: {file.relative_to(root)}")


if __name__ == "__main__":
    main()
