"""Bytes that are no protocol: the connection may be closed, nobody else may notice, and the server never dies."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

import bson
import pymongo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("front_only")
Doc = dict[str, Any]
PING = b"\0\0\0\0\0" + bson.encode({"ping": 1, "$db": "admin"})
FIND = b"\0\0\0\0\0" + bson.encode({"find": "c", "filter": {"a": {"$gt": 1}}, "$db": "garbage"})


def framed(body: bytes, *, opcode: int = 2013, length: int | None = None) -> bytes:
    return struct.pack("<iiii", len(body) + 16 if length is None else length, 1, 0, opcode) + body


@pytest.fixture(scope="session")
def port(client: pymongo.MongoClient[Doc]) -> int:
    client.admin.command("ping")
    assert client.address is not None
    return int(client.address[1])


@pytest.fixture(scope="session")
def neighbour(port: int) -> Any:
    """A connection opened before all garbage: it must answer after it."""
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        yield link


def talk(link: socket.socket, message: bytes) -> bytes:
    link.settimeout(10)
    link.sendall(message)
    data = b""
    while len(data) < 4 or len(data) < int.from_bytes(data[:4], "little"):
        chunk = link.recv(65536)
        if not chunk:
            return b""
        data += chunk
    return data


def throw(port: int, data: bytes) -> bytes:
    """Send `data`, say that no more comes, and read until the server closes."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), 5) as link, contextlib.suppress(ConnectionError):
        link.settimeout(10)
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        while chunk := link.recv(65536):
            got += chunk
    return got


def check_alive(neighbour: socket.socket, port: int) -> None:
    assert bson.decode(talk(neighbour, framed(PING))[21:])["ok"] == 1
    with socket.create_connection(("127.0.0.1", port), 5) as fresh:
        assert bson.decode(talk(fresh, framed(FIND))[21:])["ok"] == 1


CLOSED: dict[str, bytes] = {
    "a length of 0": framed(PING, length=0),
    "a negative length": framed(PING, length=-5),
    "a length of 2 GB": framed(PING, length=0x7FFFFFFF),
    "a length over the maximum": framed(PING, length=48_000_001),
    "an unknown opcode": framed(PING, opcode=1234),
    "OP_COMPRESSED, which was not agreed": framed(PING, opcode=2012),
    "an unknown required flag": framed(b"\x04\0\0\0" + PING[4:]),
    "an unknown section": framed(b"\0\0\0\0\x07" + PING[5:]),
    "two bodies": framed(PING + PING[4:]),
    "no body": framed(b"\0\0\0\0"),
    "a document longer than its message": framed(b"\0\0\0\0\0" + struct.pack("<i", 5000) + PING[9:]),
    "a sequence longer than its message": framed(PING + b"\x01" + struct.pack("<i", 9000) + b"documents\0"),
    "a sequence without a name": framed(PING + b"\x01" + struct.pack("<i", 8) + b"abcd"),
    "text that is not UTF-8": framed(
        b"\0\0\0\0\0" + bson.encode({"ping": "ab", "$db": "admin"}).replace(b"ab\0", b"\xff\xfe\0")
    ),
    "an unknown type in a document": framed(b"\0\0\0\0\0" + struct.pack("<i", 8) + b"\x77a\0\0"),
    "an empty document sequence element": framed(
        PING + b"\x01" + struct.pack("<i", 12) + b"a\0" + struct.pack("<i", 4) + b"\0\0"
    ),
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"\0" * 190,
}


@pytest.mark.parametrize("name", CLOSED)
def test_malformed_message_closes_its_connection_only(port: int, neighbour: socket.socket, name: str) -> None:
    assert throw(port, CLOSED[name]) == b""
    check_alive(neighbour, port)


@pytest.mark.parametrize("cut", [1, 3, 4, 15, 16, 20, 30])
def test_truncated_message(port: int, neighbour: socket.socket, cut: int) -> None:
    assert throw(port, framed(PING)[:cut]) == b""
    check_alive(neighbour, port)


def test_checksum_and_more_to_come_flags(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        with_sum = framed(b"\x01\0\0\0" + PING[4:] + b"\xde\xad\xbe\xef")
        assert bson.decode(talk(link, with_sum)[21:])["ok"] == 1
        silent = framed(b"\x02\0\0\0" + PING[4:])
        assert bson.decode(talk(link, silent + framed(PING))[21:])["ok"] == 1
        link.settimeout(0.2)
        with pytest.raises(TimeoutError):
            link.recv(1)  # the silent one got no answer


def test_pipelined_messages_are_answered_in_order(port: int) -> None:
    many = b"".join(struct.pack("<iiii", len(FIND) + 16, i, 0, 2013) + FIND for i in range(20))
    answers, seen = throw(port, many), []
    while answers:
        length, _, to = struct.unpack_from("<iii", answers)
        seen.append(to)
        answers = answers[length:]
    assert seen == list(range(20))


def test_legacy_greeting(port: int) -> None:
    body = struct.pack("<i", 0) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1) + bson.encode({"isMaster": 1})
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        answer = talk(link, framed(body, opcode=2004))
    assert bson.decode(answer[36:])["ismaster"] is True


QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(data=st.binary(max_size=400))
def test_any_bytes(port: int, neighbour: socket.socket, data: bytes) -> None:
    throw(port, data)
    check_alive(neighbour, port)


@QUICK
@given(body=st.binary(max_size=200), kind=st.sampled_from([2013, 2004, 2010]))
def test_any_body_in_a_good_frame(port: int, neighbour: socket.socket, body: bytes, kind: int) -> None:
    throw(port, framed(body, opcode=kind))
    check_alive(neighbour, port)


COMMANDS: list[Doc] = [
    {"insert": "c", "documents": [{"_id": 1, "a": "text"}]},
    {"find": "c", "filter": {"a": {"$in": [1, "x", None]}}, "sort": {"a": 1}, "limit": 3},
    {"update": "c", "updates": [{"q": {"a": 1}, "u": {"$set": {"b": [1, {"c": 2}]}}}]},
    {"aggregate": "c", "pipeline": [{"$group": {"_id": "$a", "n": {"$sum": 1}}}], "cursor": {}},
    {"findAndModify": "c", "query": {"a": 1}, "update": {"$inc": {"n": 1}}, "upsert": True},
    {"createIndexes": "c", "indexes": [{"key": {"a": 1}, "name": "a_1"}]},
    {"explain": {"find": "c", "filter": {"a": 1}}},
]


@QUICK
@given(command=st.sampled_from(COMMANDS), data=st.data())
def test_a_good_command_with_flipped_bytes(
    port: int, neighbour: socket.socket, command: Doc, data: st.DataObject
) -> None:
    message = bytearray(framed(b"\0\0\0\0\0" + bson.encode({**command, "$db": "garbage"})))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(16, len(message) - 1))] = data.draw(st.integers(0, 255))
    throw(port, bytes(message))
    check_alive(neighbour, port)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@QUICK
@given(command=st.sampled_from(COMMANDS), data=st.data())
def test_a_good_command_with_any_value(port: int, neighbour: socket.socket, command: Doc, data: st.DataObject) -> None:
    """Right frame, wrong types: an answer with `ok`, always."""
    key = data.draw(st.sampled_from(sorted(command)))
    changed = {**command, key: data.draw(VALUES), "$db": "garbage"}
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        answer = bson.decode(talk(link, framed(b"\0\0\0\0\0" + bson.encode(changed)))[21:])
    assert answer["ok"] in (0, 1)
    assert answer["ok"] or answer["code"]
    check_alive(neighbour, port)
