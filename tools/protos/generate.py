"""Generate the Python package in ``proto/gen`` from the protos. ``--check`` fails when the committed code differs.

Knows protoc and the folder layout; knows no service.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
PACKAGES = ("mpp", "buf")  # google.api and google.rpc come from googleapis-common-protos


def generate(out: Path) -> None:
    sources = sorted(p.relative_to(PROTO) for p in (PROTO / "mpp").rglob("*.proto"))
    include = [f"-I{PROTO}", f"-I{PROTO / 'third_party'}", f"-I{files('grpc_tools') / '_proto'}"]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", *include]
    messages = [*map(str, sources), "buf/validate/validate.proto"]
    subprocess.run([*protoc, f"--python_out={out}", f"--pyi_out={out}", *messages], check=True)
    services = [str(s) for s in sources if s.name.endswith("_service.proto")]
    subprocess.run([*protoc, f"--grpc_python_out={out}", *services], check=True)
    for package in PACKAGES:
        for folder in [out / package, *(p for p in (out / package).rglob("*") if p.is_dir())]:
            (folder / "__init__.py").touch()
            (folder / "py.typed").touch() if folder.parent == out else None
    (out / "mpp" / "__init__.py").write_text(
        '"""Generated from proto/; see tools/protos/generate.py. Do not edit."""\n'
    )


def same(a: Path, b: Path) -> list[str]:
    def listing(base: Path) -> set[str]:
        return {str(p.relative_to(base)) for p in base.rglob("*") if p.is_file() and p.suffix != ".pyc"}

    left, right = listing(a), listing(b)
    return sorted(left ^ right) + [f for f in sorted(left & right) if not filecmp.cmp(a / f, b / f, shallow=False)]


def main() -> None:
    with tempfile.TemporaryDirectory() as tmp:
        generate(Path(tmp))
        if "--check" in sys.argv:
            stale = [f for p in PACKAGES for f in same(Path(tmp) / p, PROTO / "gen" / p)]
            if stale:
                sys.exit("proto/gen is not what the protos give; run `make proto`. Stale: " + ", ".join(stale))
            return
        for package in PACKAGES:
            shutil.rmtree(PROTO / "gen" / package, ignore_errors=True)
            shutil.copytree(Path(tmp) / package, PROTO / "gen" / package)


if __name__ == "__main__":
    main()
