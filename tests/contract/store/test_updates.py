"""Updates: operators, counts, upserts, compare-and-set."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from typing import Any

import pymongo
import pytest
from pymongo import DeleteOne, InsertOne, ReturnDocument, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, WriteError

Doc = dict[str, Any]
AFTER = ReturnDocument.AFTER

OPERATORS: dict[str, tuple[Doc, Any, Doc]] = {
    "$inc": ({"n": 1}, {"$inc": {"n": 2}}, {"n": 3}),
    "$inc on nothing": ({}, {"$inc": {"n": 2}}, {"n": 2}),
    "$set nested": ({}, {"$set": {"x.y": "z"}}, {"x": {"y": "z"}}),
    "$unset": ({"a": 1, "b": 2}, {"$unset": {"a": ""}}, {"b": 2}),
    "$push": ({"t": ["a"]}, {"$push": {"t": "b"}}, {"t": ["a", "b"]}),
    "$push sorted slice": (
        {"t": [3, 1]},
        {"$push": {"t": {"$each": [5, 2], "$sort": 1, "$slice": -3}}},
        {"t": [2, 3, 5]},
    ),
    "$push position": ({"t": [2]}, {"$push": {"t": {"$each": [9], "$position": 0}}}, {"t": [9, 2]}),
    "$pull": ({"l": [{"k": 1}, {"k": 2}]}, {"$pull": {"l": {"k": 1}}}, {"l": [{"k": 2}]}),
    "$addToSet": ({"t": ["a"]}, {"$addToSet": {"t": {"$each": ["a", "b"]}}}, {"t": ["a", "b"]}),
    "$pop": ({"t": [1, 2]}, {"$pop": {"t": -1}}, {"t": [2]}),
    "$min": ({"n": 5}, {"$min": {"n": 3}}, {"n": 3}),
    "$max": ({"n": 5}, {"$max": {"n": 3}}, {"n": 5}),
    "$mul": ({"n": 3}, {"$mul": {"n": 2}}, {"n": 6}),
    "$rename": ({"a": 1}, {"$rename": {"a": "b"}}, {"b": 1}),
    "$bit": ({"n": 5}, {"$bit": {"n": {"and": 4}}}, {"n": 4}),
    "pipeline": ({"a": 2, "b": 3}, [{"$set": {"s": {"$add": ["$a", "$b"]}}}], {"a": 2, "b": 3, "s": 5}),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operator(coll: Collection[Doc], name: str) -> None:
    before, update, after = OPERATORS[name]
    coll.insert_one({"_id": 1, **before})
    result = coll.update_one({"_id": 1}, update)
    assert result.matched_count == 1
    assert coll.find_one() == {"_id": 1, **after}


def test_current_date(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1})
    coll.update_one({"_id": 1}, {"$currentDate": {"d": True}})
    found = coll.find_one()
    assert found is not None
    assert abs(found["d"] - dt.datetime.now(dt.UTC).replace(tzinfo=None)) < dt.timedelta(minutes=1)


def test_find_and_update_before_and_after(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1, "n": 1})
    assert coll.find_one_and_update({"_id": 1}, {"$inc": {"n": 1}}) == {"_id": 1, "n": 1}
    assert coll.find_one_and_update({"_id": 1}, {"$inc": {"n": 1}}, return_document=AFTER) == {"_id": 1, "n": 3}
    assert coll.find_one_and_update({"_id": 9}, {"$set": {"a": 1}}) is None
    assert coll.count_documents({}) == 1


def test_find_and_update_upsert(coll: Collection[Doc]) -> None:
    update = {"$inc": {"n": 1}, "$setOnInsert": {"c": 7}}
    assert coll.find_one_and_update({"_id": "k"}, update, upsert=True, return_document=AFTER) == {
        "_id": "k",
        "n": 1,
        "c": 7,
    }
    update["$setOnInsert"]["c"] = 9
    assert coll.find_one_and_update({"_id": "k"}, update, upsert=True, return_document=AFTER) == {
        "_id": "k",
        "n": 2,
        "c": 7,
    }
    assert coll.find_one_and_update({"_id": "new"}, {"$set": {"n": 1}}, upsert=True) is None


def test_find_and_update_sorted_with_projection(coll: Collection[Doc]) -> None:
    coll.insert_many({"_id": i, "p": i % 3, "s": "new"} for i in range(9))
    taken = coll.find_one_and_update(
        {"s": "new"}, {"$set": {"s": "taken"}}, sort=[("p", -1), ("_id", 1)], projection={"p": 1}, return_document=AFTER
    )
    assert taken == {"_id": 2, "p": 2}
    assert coll.count_documents({"s": "taken"}) == 1


def test_find_and_delete_and_replace(coll: Collection[Doc]) -> None:
    coll.insert_many({"_id": i, "v": i} for i in range(3))
    assert coll.find_one_and_delete({}, sort=[("v", -1)]) == {"_id": 2, "v": 2}
    assert coll.find_one_and_replace({"_id": 0}, {"w": 5}, return_document=AFTER) == {"_id": 0, "w": 5}
    assert coll.count_documents({}) == 2


def test_array_filters_and_positional(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1, "it": [{"k": "a", "q": 1}, {"k": "b", "q": 1}]})
    coll.update_one({"_id": 1}, {"$set": {"it.$[e].q": 9}}, array_filters=[{"e.k": "b"}])
    coll.update_one({"_id": 1, "it.k": "a"}, {"$set": {"it.$.q": 5}})
    assert coll.find_one() == {"_id": 1, "it": [{"k": "a", "q": 5}, {"k": "b", "q": 9}]}


def test_compare_and_set_counts(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1, "version": 1, "s": "a"})
    first = coll.update_one({"_id": 1, "version": 1}, {"$set": {"s": "b"}, "$inc": {"version": 1}})
    second = coll.update_one({"_id": 1, "version": 1}, {"$set": {"s": "c"}, "$inc": {"version": 1}})
    assert (first.matched_count, first.modified_count) == (1, 1)
    assert (second.matched_count, second.modified_count) == (0, 0)
    assert coll.find_one() == {"_id": 1, "version": 2, "s": "b"}


def test_no_change_is_matched_but_not_modified(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1, "a": 1})
    result = coll.update_one({"_id": 1}, {"$set": {"a": 1}})
    assert (result.matched_count, result.modified_count) == (1, 0)


def test_upsert_tells_the_new_id(coll: Collection[Doc]) -> None:
    result = coll.update_one({"k": "x"}, {"$set": {"v": 1}}, upsert=True)
    assert coll.find_one({"_id": result.upserted_id}) == {"_id": result.upserted_id, "k": "x", "v": 1}
    again = coll.update_one({"k": "x"}, {"$set": {"v": 2}}, upsert=True)
    assert (again.matched_count, again.upserted_id) == (1, None)


def test_many(coll: Collection[Doc]) -> None:
    coll.insert_many({"a": i} for i in range(10))
    result = coll.update_many({"a": {"$gte": 5}}, {"$set": {"b": 1}})
    assert (result.matched_count, result.modified_count) == (5, 5)
    assert coll.delete_many({"b": 1}).deleted_count == 5
    assert coll.delete_one({"a": 99}).deleted_count == 0


def test_replace(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1, "a": 1})
    coll.replace_one({"_id": 1}, {"b": 2})
    assert coll.find_one() == {"_id": 1, "b": 2}


def test_a_failed_update_changes_nothing(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1, "a": "x"})
    with pytest.raises((WriteError, OperationFailure)) as error:
        coll.update_one({"_id": 1}, {"$set": {"b": 1}, "$inc": {"a": 1}})
    assert error.value.code == 14
    assert coll.find_one() == {"_id": 1, "a": "x"}


def test_the_id_cannot_change(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 1})
    with pytest.raises(WriteError) as error:
        coll.update_one({"_id": 1}, {"$set": {"_id": 2}})
    assert error.value.code == 66


def test_mixed_bulk(coll: Collection[Doc]) -> None:
    result = coll.bulk_write(
        [
            InsertOne({"_id": 1, "n": 0}),
            UpdateOne({"_id": 1}, {"$inc": {"n": 2}}),
            UpdateOne({"_id": 9}, {"$set": {"n": 5}}, upsert=True),
            DeleteOne({"_id": 1}),
        ]
    )
    assert (result.inserted_count, result.modified_count, result.upserted_count, result.deleted_count) == (1, 1, 1, 1)
    assert list(coll.find()) == [{"_id": 9, "n": 5}]


def test_unacknowledged_write_arrives(coll: Collection[Doc]) -> None:
    one = coll.database.client.get_database(coll.database.name)
    with pymongo.MongoClient[Doc](
        host=coll.database.client.address[0], port=coll.database.client.address[1], maxPoolSize=1
    ) as client:  # type: ignore[index]
        quiet = client[one.name].get_collection(coll.name, write_concern=pymongo.WriteConcern(w=0))
        quiet.insert_one({"_id": 1})
        assert client[one.name][coll.name].find_one() == {"_id": 1}  # same socket, so in order


def test_forty_threads_on_one_client(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": "n", "n": 0})
    seen: list[int] = []

    def work() -> None:
        for _ in range(10):
            found = coll.find_one_and_update({"_id": "n"}, {"$inc": {"n": 1}}, return_document=AFTER)
            assert found is not None
            seen.append(found["n"])

    threads = [threading.Thread(target=work) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(seen) == list(range(1, 401))


def test_async_client(coll: Collection[Doc], mongodb_uri: str) -> None:
    async def go() -> list[int]:
        async with pymongo.AsyncMongoClient[Doc](mongodb_uri, serverSelectionTimeoutMS=5000) as client:
            same = client[coll.database.name][coll.name]
            await same.insert_one({"_id": "n", "n": 0})
            found = await asyncio.gather(
                *[same.find_one_and_update({"_id": "n"}, {"$inc": {"n": 1}}, return_document=AFTER) for _ in range(50)]
            )
            return sorted(d["n"] for d in found if d)

    assert asyncio.run(go()) == list(range(1, 51))


def test_validator_is_enforced(coll: Collection[Doc]) -> None:
    coll.database.create_collection(coll.name, validator={"$jsonSchema": {"required": ["a"]}})
    coll.insert_one({"a": 1})
    with pytest.raises(WriteError) as error:
        coll.insert_one({"b": 1})
    assert error.value.code == 121
