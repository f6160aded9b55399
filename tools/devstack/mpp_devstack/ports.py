"""Chooses free loopback ports and remembers them for a profile. Knows sockets and one JSON file, nothing of who listens."""

from __future__ import annotations

import json
import random
import socket
import threading
from pathlib import Path

LOOPBACK = "127.0.0.1"
RANGE = range(20_000, 32_000)  # below Linux's range for outgoing connections (32768-60999), so nobody is lent ours


def is_free(port: int) -> bool:
    """Can `port` be bound on loopback now?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class PortBook:
    """The remembered ports of one profile."""

    def __init__(self, path: Path, rng: random.Random) -> None:
        self._path = path
        self._rng = rng
        self._lock = threading.Lock()  # broker and store start side by side

    def get(self, name: str) -> int | None:
        """The remembered port of `name`."""
        return self._read().get(name)

    def claim(self, name: str) -> int:
        """The port for a part that is about to start: the remembered one if it is free, else a new one, remembered."""
        with self._lock:
            return self._claim(name)

    def _claim(self, name: str) -> int:
        book = self._read()
        known = book.get(name)
        if known is not None and is_free(known):
            return known
        for _ in range(1000):
            port = self._rng.choice(RANGE)
            if port not in book.values() and is_free(port):
                book[name] = port
                self._write(book)
                return port
        raise OSError(f"no free port on {LOOPBACK} in {RANGE.start}-{RANGE.stop}")

    def _read(self) -> dict[str, int]:
        try:
            read = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return {str(k): int(v) for k, v in read.items()}

    def _write(self, book: dict[str, int]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".tmp")
        draft.write_text(json.dumps(book, indent=1) + "\n")
        draft.replace(self._path)
