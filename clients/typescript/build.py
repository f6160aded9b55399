"""`npm ci` and the TypeScript compiler, each only when something changed. Knows npm.py; knows nothing of the client."""

from __future__ import annotations

import hashlib
from pathlib import Path

import npm

STAMP = npm.HERE / "dist" / ".built-from"


def main() -> None:
    npm.install()
    made_of = digest()
    if not STAMP.exists() or STAMP.read_text() != made_of:
        npm.run("run", "--silent", "build")
        STAMP.write_text(made_of)


def digest() -> str:
    found = hashlib.sha256()
    settings = [npm.HERE / name for name in ("package.json", "package-lock.json", "tsconfig.json")]
    for file in [*settings, *sorted(Path(npm.HERE / "src").rglob("*.ts"))]:
        found.update(file.relative_to(npm.HERE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


if __name__ == "__main__":
    main()
