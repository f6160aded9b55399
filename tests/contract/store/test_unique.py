"""Unique indexes: what the services' invariants stand on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

Doc = dict[str, Any]


def test_duplicate_id(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1})
    with pytest.raises(DuplicateKeyError) as refused:
        coll.insert_one({"_id": 1, "other": 2})
    assert refused.value.code == 11000
    assert refused.value.details is not None
    assert refused.value.details["keyPattern"] == {"_id": 1}
    assert coll.find_one() == {"_id": 1}


CASES: list[tuple[str, list[tuple[str, int]], dict[str, Any], list[Doc], Doc]] = [
    ("one field", [("k", 1)], {}, [{"k": "a"}, {"k": "b"}], {"k": "a"}),
    ("missing counts as null", [("k", 1)], {}, [{"a": 1}], {"a": 2}),
    ("compound", [("a", 1), ("b", 1)], {}, [{"a": 1, "b": 1}, {"a": 1, "b": 2}], {"a": 1, "b": 2}),
    ("nested", [("a.x", 1), ("b", 1)], {}, [{"a": {"x": 1}, "b": 1}, {"a": {"x": 2}, "b": 1}], {"a": {"x": 2}, "b": 1}),
    (
        "partial",
        [("u", 1)],
        {"partialFilterExpression": {"active": True}},
        [{"u": 1, "active": False}, {"u": 1, "active": False}, {"u": 1, "active": True}],
        {"u": 1, "active": True},
    ),
    ("sparse", [("u", 1)], {"sparse": True}, [{"x": 1}, {"x": 2}, {"u": 1}], {"u": 1}),
    ("descending", [("a", -1), ("b", 1)], {}, [{"a": "p", "b": 1}], {"a": "p", "b": 1}),
    ("array", [("t", 1)], {}, [{"t": ["a", "b"]}], {"t": ["b", "c"]}),
]


@pytest.mark.parametrize(("keys", "options", "allowed", "refused"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_unique_index(
    coll: Collection[Doc], keys: list[tuple[str, int]], options: dict[str, Any], allowed: list[Doc], refused: Doc
) -> None:
    coll.create_index(keys, unique=True, **options)
    for document in allowed:
        coll.insert_one(dict(document))
    with pytest.raises(DuplicateKeyError) as error:
        coll.insert_one(dict(refused))
    assert error.value.code == 11000
    assert (error.value.details or {}).get("keyPattern") == dict(keys)
    assert coll.count_documents({}) == len(allowed)


WRITES: dict[str, Callable[[Collection[Doc]], Any]] = {
    "update": lambda c: c.update_one({"_id": 2}, {"$set": {"k": 1}}),
    "replace": lambda c: c.replace_one({"_id": 2}, {"k": 1}),
    "find and update": lambda c: c.find_one_and_update({"_id": 2}, {"$set": {"k": 1}}),
    "upsert": lambda c: c.update_one({"_id": 3}, {"$set": {"k": 1}}, upsert=True),
    "upsert whose filter misses": lambda c: c.update_one({"_id": 1, "k": 9}, {"$set": {"x": 1}}, upsert=True),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_an_update_into_a_duplicate_changes_nothing(
    coll: Collection[Doc], write: Callable[[Collection[Doc]], Any]
) -> None:
    coll.create_index("k", unique=True)
    before = [{"_id": 1, "k": 1}, {"_id": 2, "k": 2}]
    coll.insert_many([dict(d) for d in before])
    with pytest.raises(DuplicateKeyError) as error:
        write(coll)
    assert error.value.code == 11000
    assert list(coll.find().sort("_id", 1)) == before


def test_index_over_duplicates_is_refused(coll: Collection[Doc]) -> None:
    coll.insert_many([{"k": 1}, {"k": 1}])
    with pytest.raises(OperationFailure) as error:
        coll.create_index("k", unique=True)
    assert error.value.code == 11000


def test_create_index_again_is_fine_and_other_options_conflict(coll: Collection[Doc]) -> None:
    coll.create_index("k")
    coll.create_index("k")
    assert sorted(coll.index_information()) == ["_id_", "k_1"]
    with pytest.raises(OperationFailure) as error:
        coll.create_index("k", unique=True)
    assert error.value.code in (85, 86)


def test_index_information_and_drop(coll: Collection[Doc]) -> None:
    coll.create_indexes(
        [IndexModel([("a", 1), ("b", -1)], name="x", unique=True), IndexModel("t", expireAfterSeconds=5)]
    )
    told = coll.index_information()
    assert told["x"]["key"] == [("a", 1), ("b", -1)]
    assert told["x"]["unique"] is True
    assert told["t_1"]["expireAfterSeconds"] == 5
    coll.drop_index("x")
    assert "x" not in coll.index_information()
    coll.insert_many([{"a": 1, "b": 1}, {"a": 1, "b": 1}])
    coll.drop_indexes()
    assert list(coll.index_information()) == ["_id_"]


def test_ordered_insert_stops_and_unordered_goes_on(coll: Collection[Doc]) -> None:
    with pytest.raises(BulkWriteError) as error:
        coll.insert_many([{"_id": 1}, {"_id": 1}, {"_id": 2}])
    assert coll.count_documents({}) == 1
    assert [(e["index"], e["code"]) for e in error.value.details["writeErrors"]] == [(1, 11000)]
    coll.delete_many({})
    with pytest.raises(BulkWriteError) as error:
        coll.insert_many([{"_id": 1}, {"_id": 1}, {"_id": 2}], ordered=False)
    assert coll.count_documents({}) == 2
    assert error.value.details["nInserted"] == 2
