"""The MongoDB wire protocol: bytes to requests, replies to bytes. Knows OP_MSG and the legacy OP_QUERY greeting.

Never knows what a command means. Follows the public wire protocol specification (MongoDB manual, "Wire Protocol").
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

HEADER = struct.Struct("<iiii")
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
MAX_MESSAGE = 48_000_000  # bytes, as hello says
MAX_DOCUMENT = 16 * 1024 * 1024  # bytes
CHECKSUM_PRESENT, MORE_TO_COME, EXHAUST_ALLOWED = 1, 2, 1 << 16
REQUIRED_FLAGS = 0xFFFF  # an unknown flag among the lower 16 bits is an error, above them it is ignored
OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)

_reply_ids = itertools.count(1)


class ProtocolError(Exception):
    """The bytes are not the protocol; the connection must be closed, for its framing is lost."""


@dataclass(slots=True)
class Request:
    """One command. `raw` is its body as BSON, `command` the same decoded; `sequences` are its document sequences as
    BSON, `documents` the same decoded."""

    request_id: int
    raw: bytes
    command: dict[str, Any]
    sequences: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    wants_reply: bool = True
    legacy: bool = False

    @property
    def name(self) -> str:
        return next(iter(self.command), "")

    @property
    def database(self) -> str:
        return str(self.command.get("$db", "admin"))


def message_length(buffer: bytes | bytearray) -> int:
    """The announced length of the message that begins `buffer` (at least 4 bytes). Raises ProtocolError."""
    length = int.from_bytes(buffer[:4], "little", signed=True)
    if not HEADER.size < length <= MAX_MESSAGE:
        raise ProtocolError(f"message length {length} is not within {HEADER.size + 1}..{MAX_MESSAGE}")
    return length


def parse(message: bytes) -> Request:
    """Parse one whole message. Raises ProtocolError; every document in it has been validated by decoding it."""
    _, request_id, _, opcode = HEADER.unpack_from(message)
    try:
        if opcode == OP_MSG:
            return _parse_msg(request_id, message)
        if opcode == OP_QUERY:
            return _parse_query(request_id, message)
    except (bson.errors.BSONError, struct.error, IndexError, ValueError, RecursionError) as problem:
        raise ProtocolError(f"malformed message: {problem}") from problem
    raise ProtocolError(f"opcode {opcode} is not supported")


def _parse_msg(request_id: int, message: bytes) -> Request:
    flags = int.from_bytes(message[16:20], "little")
    if flags & REQUIRED_FLAGS & ~(CHECKSUM_PRESENT | MORE_TO_COME):
        raise ProtocolError(f"unknown required flag bits {flags:#x}")
    position, end = 20, len(message) - (4 if flags & CHECKSUM_PRESENT else 0)
    body: bytes | None = None
    sequences: dict[str, bytes] = {}
    documents: dict[str, list[dict[str, Any]]] = {}
    while position < end:
        kind = message[position]
        size = int.from_bytes(message[position + 1 : position + 5], "little", signed=True)
        start, position = position + 1, position + 1 + size
        if size < 5 or position > end:
            raise ProtocolError("a section is longer than its message")
        if kind == 0 and body is None:
            body = message[start:position]
        elif kind == 1:
            zero = message.index(b"\0", start + 4, position)
            name = message[start + 4 : zero].decode()
            if name in sequences:
                raise ProtocolError(f"two document sequences named {name!r}")
            sequences[name] = message[zero + 1 : position]
            documents[name] = bson.decode_all(sequences[name], OPTIONS)
        else:
            raise ProtocolError(f"unexpected section of kind {kind}")
    if body is None:
        raise ProtocolError("no body section")
    command = bson.decode(body, OPTIONS)
    return Request(request_id, body, command, sequences, documents, wants_reply=not flags & MORE_TO_COME)


def _parse_query(request_id: int, message: bytes) -> Request:
    zero = message.index(b"\0", 20)
    start = zero + 9
    size = int.from_bytes(message[start : start + 4], "little", signed=True)
    raw = message[start : start + size]
    command = bson.decode(raw, OPTIONS)
    if "$query" in command:
        command = dict(command["$query"])
    if message[20:zero].endswith(b".$cmd"):
        command.setdefault("$db", message[20 : zero - 5].decode())
    return Request(request_id, raw, command, legacy=True)


def reply(request: Request, document: bytes | Mapping[str, Any]) -> bytes:
    """Frame `document` as the answer to `request`."""
    raw = document if isinstance(document, bytes) else bson.encode(document, codec_options=OPTIONS)
    number = next(_reply_ids) & 0x7FFFFFFF
    if request.legacy:
        head = HEADER.pack(36 + len(raw), number, request.request_id, OP_REPLY)
        return head + struct.pack("<iqii", 8, 0, 0, 1) + raw
    return HEADER.pack(21 + len(raw), number, request.request_id, OP_MSG) + b"\0\0\0\0\0" + raw
