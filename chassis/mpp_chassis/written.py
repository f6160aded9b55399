"""Documents as this process saved them last, so that the next step of the same aggregate need not read it again.

Knows BSON and age; decides nothing. What is kept is what the store would give back, to the last millisecond: it is decoded
from the bytes that were written.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

WRITTEN_SECONDS = 120.0  # a store restored from a backup may have another document of the same version by then


class Written:
    """At most `limit` documents, the oldest forgotten first; 0: none. Thread-safe."""

    def __init__(self, limit: int, options: Any) -> None:
        self._limit, self._options = limit, options
        self._lock = threading.Lock()
        self._documents: OrderedDict[str, tuple[float, RawBSONDocument]] = OrderedDict()

    def raw(self, document: dict[str, Any]) -> Any:
        """What is to be written: encoded once when it is to be remembered."""
        return RawBSONDocument(bson.encode(document, codec_options=self._options)) if self._limit else document

    def put(self, name: str, raw: Any) -> None:
        if self._limit:
            with self._lock:
                self._documents[name] = (time.monotonic(), raw)
                self._documents.move_to_end(name)
                if len(self._documents) > self._limit:
                    self._documents.popitem(last=False)

    def pop(self, name: str) -> dict[str, Any] | None:
        """At most once, and nothing older than WRITTEN_SECONDS."""
        if not self._limit:
            return None
        with self._lock:
            at, raw = self._documents.pop(name, (float("-inf"), None))
        if raw is None or time.monotonic() - at > WRITTEN_SECONDS:
            return None
        document: dict[str, Any] = bson.decode(raw.raw, codec_options=self._options)
        return document
