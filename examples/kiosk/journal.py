"""What a kiosk must not forget: its blocks of offline numbers, and what it printed on them. One file, one line a fact.

Knows the disk; knows no network. Guaranteed: what `write` returned from survives a power cut (fsync of file and
folder). A line that a power cut tore is dropped when the file is read: its fact had not happened yet. Not guaranteed:
anything when two processes write one file; take one file a kiosk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any


@dataclass
class Printed:
    """A ticket on paper. `outcome` is empty until the platform has told what became of it."""

    n: int
    issued_at: str  # ISO, by the platform's clock as far as the kiosk knows it
    offering: str = ""
    group: int = 0
    outcome: str = ""


@dataclass(frozen=True)
class Closed:
    """From `starts` until before `ends` (ISO, the platform's clock) nothing is printed; the text is for the citizen."""

    starts: str
    ends: str
    text_id: str = ""
    text_en: str = ""


@dataclass
class Block:
    """Numbers `first` to `last` of one day; `used` is the greatest that was printed. `closed`: as the platform said last."""

    name: str
    day: str
    prefix: str
    first: int
    last: int
    until: str
    day_ends_at: str
    offset_ms: int  # platform's clock minus this machine's, when the block was leased
    used: int = 0
    returned: bool = False
    printed: dict[int, Printed] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    leased_at: str = ""

    @property
    def left(self) -> int:
        return 0 if self.returned else self.last - max(self.used, self.first - 1)

    @property
    def unmerged(self) -> list[Printed]:
        return [p for p in self.printed.values() if not p.outcome]

    @property
    def refused(self) -> list[Printed]:
        """For staff to look at: the paper is in somebody's hand."""
        return [p for p in self.printed.values() if p.outcome not in ("", "merged")]

    def now(self, clock: datetime) -> datetime:
        """The platform's time, from this machine's. Never before the lease or what was printed last: a clock that goes back
        would make paper that the platform refuses, and put who came later before the others.
        """
        known = [self.leased_at, *(p.issued_at for p in self.printed.values())]
        return max(
            [clock + timedelta(milliseconds=self.offset_ms), *(datetime.fromisoformat(at) for at in known if at)]
        )

    def lasts(self, clock: datetime) -> bool:
        return self.now(clock) < datetime.fromisoformat(self.day_ends_at)

    def closed_at(self, clock: datetime) -> Closed | None:
        """What the platform announced for now, while there was a line: then nothing is printed."""
        now = self.now(clock)
        return next(
            (c for c in self.closed if datetime.fromisoformat(c.starts) <= now < datetime.fromisoformat(c.ends)), None
        )


@dataclass(frozen=True)
class Asked:
    """A lease that was asked for: the same request again gets the same block."""

    request_id: str
    size: int
    at: str  # by this machine's clock, when it was asked for the first time


class Journal:
    """Blocks by name, as the file tells them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.blocks: dict[str, Block] = {}
        self.leasing: Asked | None = None  # a lease whose answer has not come
        path.parent.mkdir(parents=True, exist_ok=True)
        for fact in self._read():
            self._apply(fact)
        self._rewrite()
        self._file = os.open(path, os.O_WRONLY)
        self._end = os.lseek(self._file, 0, os.SEEK_END)

    def write(self, kind: str, **given: Any) -> None:
        """Durable when it returns; only then is it true. Raises OSError (the disk is full): then do not print. What was
        written of the line by then is overwritten by the next, and is nothing when the file is read.
        """
        line = json.dumps({"kind": kind, **given}, separators=(",", ":")).encode() + b"\n"
        written = 0
        while written < len(line):
            written += os.pwrite(self._file, line[written:], self._end + written)
        os.ftruncate(self._file, self._end + len(line))  # of a longer line that failed before
        os.fsync(self._file)
        self._end += len(line)
        self._apply({"kind": kind, **given})

    def close(self) -> None:
        os.close(self._file)

    def _apply(self, fact: dict[str, Any]) -> None:
        kind = fact["kind"]
        if kind == "leasing":
            self.leasing = Asked(fact["request_id"], fact["size"], fact["at"])
        elif kind == "leased":
            self.leasing = None
            given = {k: v for k, v in fact["block"].items() if k not in ("printed", "closed")}
            printed = {p["n"]: Printed(**p) for p in fact["block"].get("printed", ())}
            closed = [Closed(**c) for c in fact["block"].get("closed", ())]
            self.blocks.setdefault(given["name"], Block(**given, printed=printed, closed=closed))
        elif kind == "renewed":
            self.blocks[fact["block"]].until = fact["until"]
        elif kind == "closed":
            self.blocks[fact["block"]].closed = [Closed(**c) for c in fact["closed"]]
        elif kind == "printed":
            block = self.blocks[fact["block"]]
            block.printed[fact["n"]] = Printed(fact["n"], fact["issued_at"], fact["offering"], fact["group"])
            block.used = max(block.used, fact["n"])
        elif kind == "outcome":
            self.blocks[fact["block"]].printed[fact["n"]].outcome = fact["outcome"]
        elif kind == "returned":
            self.blocks[fact["block"]].returned = True

    def _read(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        for line in self._path.read_bytes().split(b"\n")[:-1]:  # what follows the last newline was torn
            yield json.loads(line)

    def _rewrite(self) -> None:
        """Only what is still of use, so that the file does not grow for ever: a new file beside it, then renamed."""
        keep = [b for b in self.blocks.values() if b.unmerged or b.refused or not b.returned]
        self.blocks = {b.name: b for b in keep}
        beside = self._path.with_suffix(".new")
        with beside.open("wb") as out:
            facts: list[dict[str, Any]] = [{"kind": "leased", "block": _as_dict(b)} for b in keep]
            if self.leasing:
                facts.append({"kind": "leasing", **asdict(self.leasing)})
            out.writelines(json.dumps(f, separators=(",", ":")).encode() + b"\n" for f in facts)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _as_dict(block: Block) -> dict[str, Any]:
    return {**asdict(block), "printed": [asdict(p) for p in block.printed.values()]}
