"""An archive: a folder with one gzipped BSON file a collection, and a manifest with counts and checksums.

The files are laid out as mongodump --gzip does it (`<database>/<collection>.bson.gz`), so that mongorestore reads them too.
Knows files; knows no store. A folder without a manifest is no archive: the manifest is written last, in one rename.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import bson
from bson.codec_options import CodecOptions

MANIFEST = "manifest.json"
FORMAT = 1
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)


class BadArchive(Exception):
    """The archive is not whole; the text says what is wrong with which file."""


@dataclass(frozen=True, slots=True)
class Part:
    """One collection. `aggregate`: its documents have a version and may carry waiting events."""

    database: str
    collection: str
    documents: int
    sha256: str
    aggregate: bool

    @property
    def path(self) -> str:
        return f"{self.database}/{self.collection}.bson.gz"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Times are ISO, UTC. `prefix` is that of the databases. `unsettled`: queues that still held events (see dump)."""

    started_at: str
    finished_at: str
    prefix: str
    unsettled: tuple[str, ...]
    parts: tuple[Part, ...]
    format: int = FORMAT


def write_part(folder: Path, database: str, collection: str, documents: Iterable[bytes], *, aggregate: bool) -> Part:
    """Write raw BSON documents as they come; nothing is held in memory but one of them."""
    target = folder / database / f"{collection}.bson.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with target.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        for document in documents:
            packed.write(document)
            count += 1
    return Part(database, collection, count, _digest(target), aggregate)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    draft = folder / f".{MANIFEST}"
    draft.write_text(json.dumps(asdict(manifest), indent=1) + "\n")
    draft.rename(folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """Raises BadArchive when there is none, or one of another format."""
    try:
        read = json.loads((folder / MANIFEST).read_text())
        parts = tuple(Part(**part) for part in read.pop("parts"))
        manifest = Manifest(**{**read, "unsettled": tuple(read["unsettled"]), "parts": parts})
    except FileNotFoundError as e:
        raise BadArchive(f"{folder} has no {MANIFEST}: the backup was not finished") from e
    except (ValueError, TypeError, KeyError) as e:
        raise BadArchive(f"{folder / MANIFEST} cannot be read: {e}") from e
    if manifest.format != FORMAT:
        raise BadArchive(f"{folder} is of format {manifest.format}, this program reads {FORMAT}")
    return manifest


def verify(folder: Path) -> Manifest:
    """Every file is there, has its checksum and holds as many documents as it should. Raises BadArchive."""
    manifest = read_manifest(folder)
    for part in manifest.parts:
        file = folder / part.path
        if not file.exists():
            raise BadArchive(f"{part.path} is missing")
        if _digest(file) != part.sha256:
            raise BadArchive(f"{part.path} is damaged: its checksum differs")
        if (count := sum(1 for _ in documents(folder, part))) != part.documents:
            raise BadArchive(f"{part.path} holds {count} documents instead of {part.documents}")
    return manifest


def documents(folder: Path, part: Part) -> Iterator[dict[str, Any]]:
    """The documents of a part, one after the other. Raises BadArchive for what is no BSON."""
    with gzip.open(folder / part.path) as file:
        try:
            yield from bson.decode_file_iter(cast("IO[bytes]", file), _OPTIONS)
        except (bson.errors.BSONError, EOFError, OSError) as e:
            raise BadArchive(f"{part.path} cannot be read: {e}") from e


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
