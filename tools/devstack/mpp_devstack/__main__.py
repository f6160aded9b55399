"""The command line of the devstack. Knows arguments and printing; the work is in `Stack`."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from pathlib import Path

from mpp_devstack.errors import DevstackError
from mpp_devstack.packages import cache_root
from mpp_devstack.progress import Reporter
from mpp_devstack.stack import Stack, find_root


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0, or 1 with one line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "status":
            return _status(options.root or find_root())
        with Reporter() as report:
            stack = Stack(
                options.profile, options.root, management=getattr(options, "management", False), report=report
            )
            return _run(options, stack, report)
    except (DevstackError, OSError) as problem:
        print(f"devstack: {problem}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mpp_devstack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "up": "start the broker and the store of a profile; returns when both answer",
        "down": "end every process of a profile; its data stays",
        "clean": "down, and forget the profile's data",
        "env": "print the addresses as shell variables",
        "status": "what runs in this checkout",
    }
    for name, text in texts.items():
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--root", type=Path, help="the checkout (default: found from the current folder)")
        if name != "status":
            sub.add_argument("--profile", required=True, help="name of the stack, for example run or test")
        if name == "up":
            sub.add_argument("--json", action="store_true", help="print the addresses as JSON")
            sub.add_argument("--management", action="store_true", help="enable RabbitMQ's management plugin")
    return parser


def _run(options: argparse.Namespace, stack: Stack, report: Reporter) -> int:
    if options.command == "env":
        for key, value in stack.environment().items():
            print(f"{key}={shlex.quote(value)}")
    elif options.command == "up":
        began = time.monotonic()
        stack.up()
        if options.json:
            print(json.dumps(stack.environment()))
        else:
            report.say(
                f"stack {stack.profile} is up ({time.monotonic() - began:.1f} s; downloads are kept in {cache_root()})"
            )
            report.say(f"  broker  {stack.amqp_uri}\n  store   {stack.mongodb_uri}  ({stack.store.kind})")
    elif options.command == "down":
        stack.down()
        report.say(f"stack {stack.profile} is down")
    elif options.command == "clean":
        stack.clean()
        report.say(f"stack {stack.profile} is down and its data is forgotten")
    return 0


def _status(root: Path) -> int:
    for home in sorted((root / ".dev").glob("*/ports.json")):
        stack = Stack(home.parent.name, root)
        for name, part in (("broker", stack.broker), ("store", stack.store)):
            pids = part.pids()
            state = "ready" if part.ready() else "not answering" if pids else "down"
            print(f"{stack.profile:12} {name:7} {state:14} {len(pids):3} processes  {part.uri}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
