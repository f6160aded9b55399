"""The contract of each release, kept as an image, and the promise that the next one breaks nothing.

`check`: the protos of this checkout against the last release (`proto/releases/v*.binpb`): `buf breaking` for messages,
fields, types and values, and mpp_apidocs.breaking for our annotations. `cut 0.2.0`: keep the image of this checkout.
Knows buf and the folder layout; knows no service.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from mpp_apidocs import contract
from mpp_apidocs.breaking import breaks

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
RELEASES = PROTO / "releases"
BUF = Path(sys.executable).with_name("buf")
# buf compares modules one to one, and an image is one module: so images are compared, and the vendored files left out.
RULES = json.dumps({"version": "v2", "breaking": {"use": ["FILE"], "ignore": ["buf", "google"]}})


def build(out: Path, proto: Path = PROTO) -> None:
    """The image of the protos below `proto`; comments are left out. Raises CalledProcessError."""
    subprocess.run([str(BUF), "build", "--exclude-source-info", "-o", str(out)], cwd=proto, check=True)


def last_release() -> Path:
    """The image of the highest version."""
    images = {tuple(map(int, f.stem[1:].split("."))): f for f in RELEASES.glob("v*.binpb")}
    return images[max(images)]


def broken(against: Path, proto: Path = PROTO) -> list[str]:
    """What the protos below `proto` break of the release `against`."""
    with tempfile.TemporaryDirectory() as tmp:
        image = Path(tmp) / "now.binpb"
        build(image, proto)
        command = [str(BUF), "breaking", str(image), "--against", str(against), "--config", RULES]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 100):
            raise RuntimeError(f"buf breaking failed: {done.stderr.strip()}")
        ours = breaks(contract.read_image(against), contract.read_image(image))
        return [line for line in done.stdout.splitlines() if line] + ours


def check() -> None:
    against = last_release()
    if found := broken(against):
        sys.exit(f"the protos break what {against.stem} promised (see proto/README.md):\n  " + "\n  ".join(found))


def cut(version: str) -> None:
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        sys.exit("VERSION is three numbers: make release-protos VERSION=0.2.0")
    out = RELEASES / f"v{version}.binpb"
    if out.exists():
        sys.exit(f"{out.relative_to(ROOT)} exists: a release is not made twice")
    check()
    build(out)
    print(f"{out.relative_to(ROOT)} is what the next release is measured against; commit it with the release")


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check()
    elif len(sys.argv) == 3 and sys.argv[1] == "cut":
        cut(sys.argv[2])
    else:
        sys.exit(__doc__)
