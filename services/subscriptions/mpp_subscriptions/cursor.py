"""A place in the journal, as clients hold it: an offset that proves itself. Pure; knows no broker.

A broker takes an offset that is no longer kept, or that belongs to a journal which was made anew, without a word and
goes on somewhere else. So a place carries a digest of the event that stands there: whoever continues from it reads that
event again and compares.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime


class BadCursor(ValueError):
    """The text is no cursor of this platform."""


@dataclass(frozen=True, slots=True)
class Position:
    """Behind the event at `offset`; with `inclusive`, before it."""

    offset: int
    check: str
    inclusive: bool = False

    @classmethod
    def of(cls, offset: int, event_id: str, *, inclusive: bool = False) -> Position:
        return cls(offset, digest(event_id), inclusive)

    def fits(self, offset: int, event_id: str) -> bool:
        return offset == self.offset and digest(event_id) == self.check

    @property
    def reached(self) -> int:
        """The last offset that is done."""
        return self.offset - self.inclusive


Start = Position | datetime  # behind an event, or with the first that happened at or after a time
_FORM = re.compile(r"1\.([af])\.(\d{1,18})\.([0-9a-f]{8})")


def digest(event_id: str) -> str:
    return hashlib.blake2b(event_id.encode(), digest_size=4).hexdigest()


def encode(position: Position) -> str:
    text = f"1.{'f' if position.inclusive else 'a'}.{position.offset}.{position.check}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str) -> Position:
    """Raises BadCursor."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BadCursor("not a cursor of this platform") from error
    match = _FORM.fullmatch(plain)
    if match is None:
        raise BadCursor("not a cursor of this platform")
    return Position(int(match[2]), match[3], match[1] == "f")
