"""Documents come back as they went in: types, order, size, names."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import bson
import gridfs
import pymongo
import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from pymongo.collection import Collection
from pymongo.database import Database

Doc = dict[str, Any]
NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678000)
VALUES: Doc = {
    "object id": ObjectId("0123456789abcdef01234567"),
    "int 32": 5,
    "int 64": Int64(2**40),
    "small int 64": Int64(7),
    "negative": -3,
    "double": 1.5,
    "whole double": 2.0,
    "text": "Mal Pelayanan Publik — żółw 🐢",
    "empty text": "",
    "true": True,
    "null": None,
    "date": NOW,
    "date before 1970": dt.datetime(1945, 8, 17, 10, 0),
    "bytes": b"\x00\x01\xff",
    "uuid": Binary.from_uuid(uuid.UUID(int=5)),
    "decimal": Decimal128("1.10"),
    "regex": bson.Regex("^a", "i"),
    "empty object": {},
    "empty array": [],
    "nested": {"a": [1, {"b": [ObjectId("0" * 24), NOW]}, []]},
    "timestamp": bson.Timestamp(1700000000, 3),
    "min key": bson.MinKey(),
    "max key": bson.MaxKey(),
}


@pytest.mark.parametrize("kind", VALUES)
def test_value_comes_back_with_its_type(coll: Collection[Doc], kind: str) -> None:
    coll.insert_one({"_id": kind, "v": VALUES[kind]})
    found = coll.find_one({"_id": kind})
    assert found is not None
    assert found["v"] == VALUES[kind]
    assert type(found["v"]) is type(VALUES[kind])


def test_key_order_is_kept(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1, "z": 1, "a": {"y": 1, "b": 2}, "m": 3})
    found = coll.find_one()
    assert found is not None
    assert list(found) == ["_id", "z", "a", "m"]
    assert list(found["a"]) == ["y", "b"]


@pytest.mark.parametrize("key", [{"a": 1, "b": 2}, "text", 12, Int64(2**50), ObjectId(), NOW], ids=str)
def test_any_type_can_be_an_id(coll: Collection[Doc], key: Any) -> None:
    coll.insert_one({"_id": key, "v": 1})
    assert coll.find_one({"_id": key}) == {"_id": key, "v": 1}


def test_text_and_number_ids_differ(coll: Collection[Doc]) -> None:
    coll.insert_many([{"_id": "1"}, {"_id": 1}])
    assert coll.find_one({"_id": 1}) == {"_id": 1}
    assert coll.find_one({"_id": "1"}) == {"_id": "1"}


def test_five_megabytes(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1, "s": "x" * 5_000_000})
    found = coll.find_one()
    assert found is not None
    assert found["s"] == "x" * 5_000_000


def test_large_result_in_pages(coll: Collection[Doc]) -> None:
    coll.insert_many({"_id": i, "p": "y" * 200} for i in range(5000))
    assert [d["_id"] for d in coll.find().sort("_id", 1).batch_size(500)] == list(range(5000))
    assert sorted(d["_id"] for d in coll.find({}, {"_id": 1}).batch_size(70)) == list(range(5000))
    assert [d["_id"] for d in coll.aggregate([{"$sort": {"_id": -1}}, {"$project": {"_id": 1}}], batchSize=300)][::1000] == [
        4999, 3999, 2999, 1999, 999,
    ]  # fmt: skip


def test_a_cursor_can_be_closed_early(coll: Collection[Doc]) -> None:
    coll.insert_many({"_id": i} for i in range(300))
    cursor = coll.find().batch_size(10)
    next(cursor)
    number = cursor.cursor_id
    cursor.close()
    with pytest.raises(pymongo.errors.OperationFailure) as refused:
        coll.database.command("getMore", Int64(number or 1), collection=coll.name)
    assert refused.value.code == 43


def test_databases_are_apart(client: pymongo.MongoClient[Doc], db: Database[Doc]) -> None:
    left, right = client[db.name + "x"], client[db.name + "y"]
    left["same"].insert_one({"_id": 1, "v": "x"})
    right["same"].insert_one({"_id": 1, "v": "y"})
    assert left["same"].find_one() == {"_id": 1, "v": "x"}
    client.drop_database(left.name)
    assert left["same"].count_documents({}) == 0
    assert right["same"].find_one() == {"_id": 1, "v": "y"}
    client.drop_database(right.name)


def test_names_with_dots_and_dashes(client: pymongo.MongoClient[Doc], db: Database[Doc]) -> None:
    other = client[db.name + "-a_b"]
    other["a.b-c"].insert_one({"_id": 1})
    other["a_b_c"].insert_one({"_id": 2})
    assert sorted(other.list_collection_names()) == ["a.b-c", "a_b_c"]
    assert other["a.b-c"].find_one() == {"_id": 1}
    assert other.name in client.list_database_names()
    client.drop_database(other.name)
    assert other.name not in client.list_database_names()


def test_drop_and_create_collection(db: Database[Doc], coll: Collection[Doc]) -> None:
    coll.insert_one({})
    coll.drop()
    assert coll.name not in db.list_collection_names()
    db.create_collection(coll.name)
    assert coll.name in db.list_collection_names()
    with pytest.raises(pymongo.errors.CollectionInvalid):
        db.create_collection(coll.name)


def test_gridfs(db: Database[Doc]) -> None:
    files = gridfs.GridFS(db)
    number = files.put(b"abc" * 100_000, filename="x")
    assert files.get(number).read() == b"abc" * 100_000


def test_stats(db: Database[Doc], seeded: Collection[Doc]) -> None:
    stats = db.command("collStats", seeded.name)
    assert stats["count"] == 100
    assert db.command("dbStats")["collections"] >= 1
