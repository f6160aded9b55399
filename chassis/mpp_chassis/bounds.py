"""What no field of a request may hold, whatever its own rules say: instants that no calendar of ours reaches, durations out
of range, numbers that are none, and characters that nobody sees but a screen, a log or a spreadsheet obeys.

Knows protobuf's descriptors; knows no field's meaning. protovalidate's rules stand in the protos beside each field; these
hold for all fields at once, so that nobody must remember them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

# Within these a zone's offset and a few years' arithmetic overflow nothing (Python's calendar ends with the year 9999).
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_FIRST, _LAST = int(FIRST.timestamp()), int(LAST.timestamp())
_LONGEST = 315_576_000_000  # seconds, as duration.proto says
_NANOS = 999_999_999
# Control characters but tab and line ends; line separators; what turns the direction of the text after it (Unicode
# bidirectional embeddings, overrides and isolates, UAX 9). Marks without a reach of their own (U+200E, U+200F) may stay.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def faults(request: Message) -> Iterator[tuple[str, str]]:
    """(field path, what is wrong) of every field at any depth. Costs a few microseconds for a usual request."""
    for field, value in request.ListFields():
        if (kind := field.message_type) is not None and kind.has_options and kind.GetOptions().map_entry:
            for key, one in value.items():
                yield from _of(f"{field.name}[key]", key)
                yield from _of(f"{field.name}[value]", one)
        elif field.type == FieldDescriptor.TYPE_BYTES:
            continue
        elif field.is_repeated:
            for n, one in enumerate(value):
                yield from _of(f"{field.name}[{n}]", one)
        else:
            yield from _of(field.name, value)


def _of(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Message) and not isinstance(value, Timestamp | Duration):
        for inner, wrong in faults(value):
            yield f"{path}.{inner}", wrong
    elif wrong := _wrong(value):
        yield path, wrong


def _wrong(value: Any) -> str:
    """What is wrong with a value that is no message of ours; "" when nothing is."""
    if isinstance(value, str):
        return "holds a control character" if _UNSEEN.search(value) else ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else "is not a number"
    if isinstance(value, Timestamp):
        known = _FIRST <= value.seconds < _LAST and 0 <= value.nanos <= _NANOS
        return "" if known else f"must be an instant of the years {FIRST.year} to {LAST.year - 1}"
    if isinstance(value, Duration):
        return "" if _is_duration(value) else "is no valid duration"
    return ""


def _is_duration(value: Duration) -> bool:
    """Signs alike and in range, as duration.proto demands."""
    same = value.seconds * value.nanos >= 0
    return same and abs(value.seconds) <= _LONGEST and abs(value.nanos) <= _NANOS
