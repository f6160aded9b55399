"""Queries and aggregation, over documents whose answers can be counted by hand."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

Doc = dict[str, Any]
DAY = dt.datetime(2026, 1, 1)

COUNTS: dict[str, tuple[Doc, int]] = {
    "equal": ({"a": 1}, 20),
    "$in": ({"a": {"$in": [1, 2]}}, 40),
    "$nin": ({"a": {"$nin": [1, 2]}}, 60),
    "$ne nested": ({"o.p": {"$ne": 0}}, 66),
    "missing": ({"zz": {"$exists": False}}, 100),
    "$all": ({"t": {"$all": ["x", "y"]}}, 50),
    "$size": ({"t": {"$size": 1}}, 50),
    "element": ({"t": "z"}, 50),
    "$not": ({"b": {"$not": {"$gte": 10}}}, 10),
    "$type": ({"s": {"$type": "string"}}, 100),
    "range": ({"b": {"$gt": 10, "$lte": 60}}, 50),
    "dates": ({"d": {"$gte": dt.datetime(2026, 1, 2), "$lt": dt.datetime(2026, 1, 3)}}, 24),
    "prefix": ({"s": {"$regex": "^name 00"}}, 10),
    "any case": ({"s": {"$regex": "^NAME 00", "$options": "i"}}, 10),
    "regex value": ({"s": re.compile("9$")}, 10),
    "two fields": ({"$expr": {"$eq": ["$a", "$b"]}}, 5),
    "$or": ({"$or": [{"a": 0}, {"b": 1}]}, 21),
    "$nor": ({"$nor": [{"a": 0}, {"b": 1}]}, 79),
    "$mod": ({"b": {"$mod": [10, 3]}}, 10),
}


@pytest.mark.parametrize("name", COUNTS)
def test_filter(seeded: Collection[Doc], name: str) -> None:
    query, count = COUNTS[name]
    assert seeded.count_documents(query) == count
    assert len(list(seeded.find(query))) == count


def test_sort_skip_limit_on_a_compound_index(seeded: Collection[Doc]) -> None:
    found = seeded.find({"a": 2, "b": {"$gt": 10, "$lte": 60}}).sort([("a", 1), ("b", -1)]).skip(1).limit(3)
    assert [d["b"] for d in found] == [52, 47, 42]


def test_keyset_page(seeded: Collection[Doc]) -> None:
    after = {"$or": [{"a": {"$gt": 3}}, {"a": 3, "_id": {"$gt": 90}}]}
    assert [d["_id"] for d in seeded.find(after).sort([("a", 1), ("_id", 1)]).limit(4)] == [93, 98, 4, 9]


def test_elem_match(coll: Collection[Doc]) -> None:
    coll.insert_many([{"_id": 1, "l": [{"a": 1, "b": 2}, {"a": 2, "b": 1}]}, {"_id": 2, "l": [{"a": 1, "b": 1}]}])
    assert [d["_id"] for d in coll.find({"l": {"$elemMatch": {"a": 1, "b": 2}}})] == [1]


def test_null_and_paths_into_arrays(coll: Collection[Doc]) -> None:
    coll.insert_many([{"_id": 1, "a": None}, {"_id": 2}, {"_id": 3, "a": 1}, {"_id": 4, "l": [{"k": "v"}, {"k": "w"}]}])
    assert [d["_id"] for d in coll.find({"a": None}).sort("_id", 1)] == [1, 2, 4]
    assert coll.count_documents({"l.k": "w"}) == 1
    assert coll.count_documents({"l.0.k": "v"}) == 1


def test_dates_order_with_and_without_milliseconds(coll: Collection[Doc]) -> None:
    dates = [DAY, DAY + dt.timedelta(milliseconds=500), DAY + dt.timedelta(seconds=1)]
    coll.insert_many({"_id": i, "d": d} for i, d in enumerate(dates))
    assert [x["_id"] for x in coll.find().sort("d", -1)] == [2, 1, 0]
    assert coll.count_documents({"d": {"$gt": DAY}}) == 2


def test_order_of_types(coll: Collection[Doc]) -> None:
    coll.insert_many(
        [{"_id": 1, "a": "b"}, {"_id": 2, "a": 5}, {"_id": 3}, {"_id": 4, "a": None}, {"_id": 5, "a": 2.5}]
    )
    assert [d["_id"] for d in coll.find().sort([("a", 1), ("_id", 1)])] == [3, 4, 5, 2, 1]
    assert [d["_id"] for d in coll.find({"a": {"$gt": 3}})] == [2]
    assert [d["_id"] for d in coll.find({"a": {"$lt": "z"}})] == [1]


def test_projection(seeded: Collection[Doc]) -> None:
    assert seeded.find_one({"_id": 3}, {"a": 1, "_id": 0}) == {"a": 3}
    assert "s" not in (seeded.find_one({"_id": 3}, {"s": 0}) or {"s": 0})
    assert seeded.find_one({"_id": 3}, {"o.p": 1}) == {"_id": 3, "o": {"p": 0}}
    assert seeded.find_one({"_id": 3}, {"t": {"$slice": 1}, "a": 1}) == {"_id": 3, "a": 3, "t": ["x"]}


def test_counts_and_distinct(seeded: Collection[Doc]) -> None:
    assert seeded.estimated_document_count() == 100
    assert seeded.count_documents({"a": 1}, skip=5, limit=10) == 10
    assert sorted(seeded.distinct("a")) == [0, 1, 2, 3, 4]
    assert sorted(seeded.distinct("t", {"a": 1})) == ["x", "y", "z"]


def test_text_search(coll: Collection[Doc]) -> None:
    coll.create_index([("t", "text"), ("b", "text")])
    coll.insert_many(
        [{"_id": 1, "t": "red fox", "b": ""}, {"_id": 2, "t": "dog", "b": "fox den"}, {"_id": 3, "t": "cat", "b": ""}]
    )
    assert sorted(d["_id"] for d in coll.find({"$text": {"$search": "fox"}})) == [1, 2]


def test_a_session_reads_its_writes(coll: Collection[Doc]) -> None:
    with coll.database.client.start_session(causal_consistency=True) as session:
        coll.insert_one({"_id": 1}, session=session)
        assert coll.find_one({}, session=session) == {"_id": 1}


@pytest.mark.parametrize(
    "run", [lambda c: list(c.find({"a": {"$nosuch": 1}})), lambda c: list(c.aggregate([{"$nosuch": 1}]))]
)
def test_unknown_operators_are_refused(seeded: Collection[Doc], run: Any) -> None:
    with pytest.raises(OperationFailure) as error:
        run(seeded)
    assert error.value.code in (2, 40324)


PIPELINES: dict[str, tuple[list[Doc], list[Doc]]] = {
    "group": (
        [
            {"$match": {"b": {"$lt": 50}}},
            {
                "$group": {
                    "_id": "$a",
                    "n": {"$sum": 1},
                    "sum": {"$sum": "$b"},
                    "avg": {"$avg": "$b"},
                    "max": {"$max": "$b"},
                }
            },
            {"$sort": {"_id": 1}},
            {"$limit": 1},
        ],
        [{"_id": 0, "n": 10, "sum": 225, "avg": 22.5, "max": 45}],
    ),
    "group by two, first and last": (
        [
            {"$sort": {"b": 1}},
            {
                "$group": {
                    "_id": {"a": "$a", "p": "$o.p"},
                    "f": {"$first": "$b"},
                    "l": {"$last": "$b"},
                    "s": {"$addToSet": "$a"},
                }
            },
            {"$sort": {"_id.a": 1, "_id.p": 1}},
            {"$limit": 1},
        ],
        [{"_id": {"a": 0, "p": 0}, "f": 0, "l": 90, "s": [0]}],
    ),
    "group all": ([{"$group": {"_id": None, "n": {"$sum": 1}}}], [{"_id": None, "n": 100}]),
    "conditional sum": (
        [{"$group": {"_id": None, "n": {"$sum": {"$cond": [{"$gte": ["$b", 90]}, 1, 0]}}}}],
        [{"_id": None, "n": 10}],
    ),
    "facet": (
        [
            {"$match": {"a": 1}},
            {
                "$facet": {
                    "data": [{"$sort": {"b": -1}}, {"$limit": 2}, {"$project": {"_id": 0, "b": 1}}],
                    "total": [{"$count": "n"}],
                }
            },
        ],
        [{"data": [{"b": 96}, {"b": 91}], "total": [{"n": 20}]}],
    ),
    "bucket": (
        [{"$bucket": {"groupBy": "$b", "boundaries": [0, 10, 50], "default": "o", "output": {"n": {"$sum": 1}}}}],
        [{"_id": 0, "n": 10}, {"_id": 10, "n": 40}, {"_id": "o", "n": 50}],
    ),
    "add fields and count": (
        [{"$addFields": {"z": {"$multiply": ["$b", 2]}}}, {"$match": {"z": {"$gte": 190}}}, {"$count": "n"}],
        [{"n": 5}],
    ),
    "sort by count": ([{"$sortByCount": "$o.p"}, {"$limit": 1}], [{"_id": 0, "count": 34}]),
    "skip and limit": (
        [{"$sort": {"_id": 1}}, {"$skip": 5}, {"$limit": 2}, {"$project": {"_id": 1}}],
        [{"_id": 5}, {"_id": 6}],
    ),
    "unwind": (
        [{"$unwind": "$t"}, {"$group": {"_id": "$t", "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}],
        [{"_id": "x", "n": 50}, {"_id": "y", "n": 50}, {"_id": "z", "n": 50}],
    ),
    "by day": (
        [
            {"$group": {"_id": {"$dateToString": {"format": "%Y-%m-%d", "date": "$d"}}, "n": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
            {"$limit": 1},
        ],
        [{"_id": "2026-01-01", "n": 24}],
    ),
    "time between": (
        [{"$match": {"_id": 2}}, {"$project": {"_id": 0, "w": {"$subtract": ["$d", DAY]}}}],
        [{"w": 7_200_000}],
    ),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline(seeded: Collection[Doc], name: str) -> None:
    pipeline, expected = PIPELINES[name]
    assert list(seeded.aggregate(pipeline)) == expected


def test_unwind_can_keep_the_empty(coll: Collection[Doc]) -> None:
    coll.insert_many([{"_id": 1, "t": ["a", "b"]}, {"_id": 2, "t": []}, {"_id": 3}])
    assert len(list(coll.aggregate([{"$unwind": "$t"}]))) == 2
    assert len(list(coll.aggregate([{"$unwind": {"path": "$t", "preserveNullAndEmptyArrays": True}}]))) == 4


def test_lookup(coll: Collection[Doc]) -> None:
    other = coll.database[coll.name + "_other"]
    coll.insert_many([{"_id": 1, "r": "x"}, {"_id": 2, "r": "y"}])
    other.insert_one({"_id": "x", "v": 1})
    join = {"$lookup": {"from": other.name, "localField": "r", "foreignField": "_id", "as": "j"}}
    assert list(coll.aggregate([join, {"$sort": {"_id": 1}}])) == [
        {"_id": 1, "r": "x", "j": [{"_id": "x", "v": 1}]},
        {"_id": 2, "r": "y", "j": []},
    ]


def test_merge(seeded: Collection[Doc]) -> None:
    into = seeded.database[seeded.name + "_sums"]
    pipeline = [{"$group": {"_id": "$a", "n": {"$sum": 1}}}, {"$merge": {"into": into.name, "whenMatched": "replace"}}]
    list(seeded.aggregate(pipeline))
    assert into.count_documents({"n": 20}) == 5
