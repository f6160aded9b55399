"""The audit chain, tampered with in every way one could."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_chassis.audit import AuditLog, broken_at, digest_of
from pymongo.errors import AutoReconnect, DuplicateKeyError

AT = datetime(2026, 11, 22, tzinfo=UTC)


class Collection:
    """Stands for the store where the store must fail at a chosen moment: unique `_id`s, nothing more."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.lose_answer = self.lose_write = False

    def insert_one(self, document: dict[str, Any]) -> None:
        if self.lose_write:
            self.lose_write = False
            raise AutoReconnect("not written")
        if document["_id"] in self.documents:
            raise DuplicateKeyError("E11000")
        self.documents[document["_id"]] = copy.deepcopy(document)
        if self.lose_answer:
            self.lose_answer = False
            raise AutoReconnect("written, but the answer was lost")

    def find_one(self, query: dict[str, Any]) -> dict[str, Any] | None:
        return copy.deepcopy(self.documents.get(query["_id"]))


def chain(length: int) -> tuple[list[dict[str, Any]], tuple[int, str]]:
    collection = Collection()
    log = AuditLog(collection, "queue-1")
    for n in range(length):
        log.record(f"officer:{n}", "read_nik", f"sites/malang/applications/{n}", AT + timedelta(seconds=n))
    _, count, digest = log.head()
    return [collection.documents[k] for k in sorted(collection.documents)], (count, digest)


def test_an_untouched_chain_is_whole() -> None:
    records, head = chain(20)
    assert broken_at(records) is None
    assert broken_at(records, head) is None
    assert broken_at([], None) is None


@given(st.integers(0, 9), st.sampled_from(["actor", "action", "resource", "at", "chain", "previous", "digest", "n"]))
def test_an_altered_record_is_found(at: int, field: str) -> None:
    records, _ = chain(10)
    records[at][field] = 77 if field == "n" else records[at][field][:-1] + "~"
    assert broken_at(records) == at


@given(st.integers(0, 9), st.sampled_from(["actor", "at", "previous", "digest", "n"]))
def test_a_record_that_lost_a_field_is_found(at: int, field: str) -> None:
    records, _ = chain(10)
    del records[at][field]
    assert broken_at(records) == at


@given(st.integers(0, 9))
def test_an_altered_record_with_a_fitting_digest_is_found_at_the_next_or_by_the_head(at: int) -> None:
    records, head = chain(10)
    records[at]["actor"] = "nobody"
    records[at]["digest"] = digest_of(records[at])
    assert broken_at(records, head) == at + 1


@given(st.integers(0, 9))
def test_a_dropped_record_is_found(at: int) -> None:
    records, head = chain(10)
    del records[at]
    assert broken_at(records, head) == at


@given(st.permutations(list(range(8))))
def test_reordered_records_are_found(order: list[int]) -> None:
    records, head = chain(8)
    found = broken_at([records[n] for n in order], head)
    assert found == next((n for n, there in enumerate(order) if n != there), None)


@given(st.integers(0, 9))
def test_a_chain_cut_at_its_end_is_found_by_the_published_head(keep: int) -> None:
    records, head = chain(10)
    assert broken_at(records[:keep]) is None
    assert broken_at(records[:keep], head) == keep


def test_a_doubled_record_is_found() -> None:
    records, head = chain(5)
    assert broken_at([*records[:3], records[2], *records[3:]], head) == 3


def test_a_write_that_failed_leaves_no_gap() -> None:
    collection = Collection()
    log = AuditLog(collection, "c")
    log.record("a", "read", "x", AT)
    collection.lose_write = True
    with pytest.raises(AutoReconnect):
        log.record("a", "read", "y", AT)
    log.record("a", "read", "z", AT)
    records = [collection.documents[k] for k in sorted(collection.documents)]
    assert [r["resource"] for r in records] == ["x", "z"]
    assert broken_at(records, log.head()[1:]) is None


def test_an_answer_that_was_lost_does_not_end_the_chain() -> None:
    collection = Collection()
    log = AuditLog(collection, "c")
    log.record("a", "read", "x", AT)
    collection.lose_answer = True
    with pytest.raises(AutoReconnect):
        log.record("a", "read", "y", AT)
    log.record("a", "read", "z", AT)
    log.record("a", "read", "w", AT)
    records = [collection.documents[k] for k in sorted(collection.documents)]
    assert [r["resource"] for r in records] == ["x", "y", "z", "w"]
    assert broken_at(records, log.head()[1:]) is None
