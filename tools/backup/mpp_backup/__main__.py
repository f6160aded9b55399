"""`python -m mpp_backup dump|verify|restore FOLDER`: the operator's hand on it.

The store and the broker come from MPP_MONGODB_URI and MPP_AMQP_URI, or from a bare machine's profile (`--profile run`).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from mpp_devstack import DevstackError, Stack
from pymongo.errors import PyMongoError

from mpp_backup.archive import BadArchive, Manifest, verify
from mpp_backup.dump import dump
from mpp_backup.restore import NotEmpty, restore


def _addresses(profile: str) -> tuple[str, str]:
    """(store, broker or ""). Raises DevstackError, KeyError."""
    if profile:
        stack = Stack(profile)
        return stack.mongodb_uri, stack.amqp_uri
    return os.environ["MPP_MONGODB_URI"], os.environ.get("MPP_AMQP_URI", "")


def _tell(manifest: Manifest, folder: Path, seconds: float) -> None:
    documents = sum(part.documents for part in manifest.parts)
    size = sum((folder / part.path).stat().st_size for part in manifest.parts)
    print(f"{documents} documents of {len(manifest.parts)} collections, {size / 1e6:.1f} MB, {seconds:.1f} s: {folder}")
    for queue in manifest.unsettled:
        print(f"  {queue} still held events: what they cause is not in this backup")


def main() -> int:
    parser = argparse.ArgumentParser(prog="mpp_backup", description=__doc__)
    parser.add_argument("verb", choices=("dump", "verify", "restore"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--profile", default="", help="a bare machine's profile, for example run")
    parser.add_argument("--prefix", default="mpp_", help="of the databases (MPP_DATABASE_PREFIX)")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        if arguments.verb == "verify":
            manifest = verify(arguments.folder)
        else:
            store, broker = _addresses(arguments.profile)
            if arguments.verb == "dump":
                manifest = dump(store, arguments.folder, prefix=arguments.prefix, amqp_uri=broker)
            else:
                manifest = restore(store, arguments.folder, prefix=arguments.prefix)
                print(
                    "Now run migrate of every service (indexes, queues), then start the processes: docs/operations.md"
                )
    except KeyError as e:
        sys.stderr.write(f"mpp_backup: {e.args[0]} is not set, and no --profile was given\n")
        return 2
    except (BadArchive, NotEmpty, FileExistsError, ValueError, DevstackError, PyMongoError) as e:
        sys.stderr.write(f"mpp_backup: {e}\n")
        return 1
    _tell(manifest, arguments.folder, time.monotonic() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
