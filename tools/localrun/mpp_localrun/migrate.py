"""Runs `migrate` of several services in one process. Environments come as JSON on standard input: they hold secrets.

Knows that a service's main module has a `SERVICE`; knows nothing of what it migrates.
"""

from __future__ import annotations

import importlib
import json
import sys

from mpp_chassis.process import run


def main() -> int:
    environments: dict[str, dict[str, str]] = json.load(sys.stdin)
    for name, environment in environments.items():
        code = run(importlib.import_module(f"mpp_{name}.main").SERVICE, ["migrate"], environment)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
