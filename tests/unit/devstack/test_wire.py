"""The wire protocol and the plan translation as pure functions."""

from __future__ import annotations

import struct
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_devstack.wirefront import explain, wire
from mpp_devstack.wirefront.errors import code_of, unpack_state


def message(body: dict[str, Any], flags: int = 0, tail: bytes = b"") -> bytes:
    payload = struct.pack("<I", flags) + b"\0" + bson.encode(body) + tail
    return struct.pack("<iiii", 16 + len(payload), 7, 0, 2013) + payload


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", exclude_characters="\0$")), st.integers(-(2**63), 2**63 - 1), min_size=1
    )
)
def test_a_command_comes_through(command: dict[str, Any]) -> None:
    request = wire.parse(message(command))
    assert (request.command, request.request_id, request.wants_reply) == (command, 7, True)
    assert bson.decode(request.raw) == command


def test_more_to_come_wants_no_reply() -> None:
    assert not wire.parse(message({"ping": 1}, flags=2)).wants_reply


def test_document_sequence() -> None:
    documents = bson.encode({"_id": 1}) + bson.encode({"_id": 2})
    section = b"documents\0" + documents
    request = wire.parse(message({"insert": "c"}, tail=b"\x01" + struct.pack("<i", 4 + len(section)) + section))
    assert request.sequences == {"documents": documents}
    assert request.documents == {"documents": [{"_id": 1}, {"_id": 2}]}


@given(st.binary(min_size=16, max_size=200))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    try:
        request = wire.parse(data)
    except wire.ProtocolError:
        return
    assert isinstance(request.command, dict)


@given(st.binary(min_size=4, max_size=4))
def test_length_is_bounded(data: bytes) -> None:
    try:
        length = wire.message_length(data)
    except wire.ProtocolError:
        return
    assert 16 < length <= wire.MAX_MESSAGE


def test_reply_frame() -> None:
    data = wire.reply(wire.Request(9, b"", {"ping": 1}), {"ok": 1.0})
    length, _, to, opcode = struct.unpack_from("<iiii", data)
    assert (length, to, opcode) == (len(data), 9, 2013)
    assert bson.decode(data[21:]) == {"ok": 1.0}


def test_states() -> None:
    packed = sum(((ord(c) - 48) & 63) << (6 * place) for place, c in enumerate("23505"))
    assert unpack_state(packed) == "23505"
    assert code_of("23505") == 11000
    assert code_of("M9999") == 96
    assert code_of("XX000") == 1


INDEX = {"Node Type": "Bitmap Index Scan", "Index Name": "i_1", "Index Cond": "(document @= x)"}
PLANS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "table": ({"Node Type": "Seq Scan"}, ["COLLSCAN"]),
    "bitmap": ({"Node Type": "Bitmap Heap Scan", "Plans": [INDEX]}, ["FETCH", "IXSCAN"]),
    "index": ({**INDEX, "Node Type": "Index Scan"}, ["FETCH", "IXSCAN"]),
    "walk of a whole index": ({"Node Type": "Index Scan", "Index Name": "_id_"}, ["COLLSCAN"]),
    "walk within the shard": (
        {"Node Type": "Index Scan", "Index Name": "_id_", "Index Cond": "(shard_key_value = '2'::bigint)"},
        ["COLLSCAN"],
    ),
    "sorted": (
        {"Node Type": "Limit", "Plans": [{"Node Type": "Sort", "Plans": [{"Node Type": "Seq Scan"}]}]},
        ["LIMIT", "SORT", "COLLSCAN"],
    ),
    "custom scan is passed through": ({"Node Type": "Custom Scan", "Plans": [{"Node Type": "Seq Scan"}]}, ["COLLSCAN"]),
    "unknown node": ({"Node Type": "Foreign Scan"}, ["PG_FOREIGN_SCAN"]),
}


@pytest.mark.parametrize("name", PLANS)
def test_plan(name: str) -> None:
    plan, expected = PLANS[name]
    told, found = explain.stage(plan), []
    while told:
        found.append(told["stage"])
        told = told.get("inputStage", {})
    assert found == expected
