"""What the server says of itself, and how it refuses: with MongoDB's own codes, never by ignoring."""

from __future__ import annotations

from typing import Any

import bson
import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

Doc = dict[str, Any]


def test_hello(client: pymongo.MongoClient[Doc]) -> None:
    told = client.admin.command("hello")
    assert told["isWritablePrimary"] is True
    assert told["minWireVersion"] <= 21 <= told["maxWireVersion"]
    assert told["logicalSessionTimeoutMinutes"] == 30
    assert client.server_info()["version"]
    assert client.admin.command("ping")["ok"] == 1


def test_direct_connection_and_majority(mongodb_uri: str, coll: Collection[Doc]) -> None:
    options = {"directConnection": True, "retryWrites": True, "w": "majority", "readConcernLevel": "majority"}
    with pymongo.MongoClient[Doc](mongodb_uri, serverSelectionTimeoutMS=3000, **options) as other:
        same = other[coll.database.name][coll.name]
        same.insert_one({"_id": 1})
        assert same.find_one({"_id": 1}) == {"_id": 1}


@pytest.mark.usefixtures("front_only")
def test_the_front_names_itself(client: pymongo.MongoClient[Doc]) -> None:
    told = client.admin.command("hello")
    assert told["mppWireFront"] == "documentdb"
    assert "setName" not in told  # a standalone: drivers send it no retryable write and no transaction


ANYWHERE: dict[str, tuple[Doc, set[int]]] = {
    "unknown command": ({"noSuchCommand": 1}, {59}),
    "unknown field of find": ({"find": "c", "nosuch": 1}, {40415}),
    "unknown field of update": ({"update": "c", "updates": [{"q": {}, "u": {"$set": {"a": 1}}, "nosuch": 1}]}, {40415}),
    "unknown field of delete": ({"delete": "c", "deletes": [{"q": {}, "limit": 1, "nosuch": 1}]}, {40415}),
    "unknown field of insert": ({"insert": "c", "documents": [{"a": 1}], "nosuch": 1}, {40415}),
    "unknown field of findAndModify": ({"findAndModify": "c", "remove": True, "nosuch": 1}, {40415}),
    "unknown cursor": ({"getMore": bson.Int64(987654321), "collection": "c"}, {43}),
    "aggregate without cursor": ({"aggregate": "c", "pipeline": []}, {9}),
    "collection name is no text": ({"find": 5}, {2, 14, 73}),
    "negative limit of time": ({"find": "c", "maxTimeMS": -1}, {2, 51024}),
    "drop of a missing index": ({"dropIndexes": "c", "index": "nosuch"}, {26, 27}),
}


@pytest.mark.parametrize("name", ANYWHERE)
def test_refused_by_every_server(db: Database[Doc], name: str) -> None:
    command, codes = ANYWHERE[name]
    db["c"].update_one({"_id": "there"}, {"$set": {"a": 1}}, upsert=True)
    with pytest.raises(OperationFailure) as refused:
        db.command(bson.SON(command.items()))
    assert refused.value.code in codes
    assert db["c"].find_one({"_id": "there"}) == {"_id": "there", "a": 1}


EN = {"locale": "en", "strength": 2}
FRONT: dict[str, tuple[Doc, int]] = {
    "collation of find": ({"find": "c", "collation": EN}, 115),
    "collation of aggregate": ({"aggregate": "c", "pipeline": [], "cursor": {}, "collation": EN}, 115),
    "collation of update": ({"update": "c", "updates": [{"q": {}, "u": {"$set": {"z": 1}}, "collation": EN}]}, 115),
    "collation of delete": ({"delete": "c", "deletes": [{"q": {}, "limit": 0, "collation": EN}]}, 115),
    "collation of findAndModify": ({"findAndModify": "c", "remove": True, "collation": EN}, 115),
    "collation of count": ({"count": "c", "collation": EN}, 115),
    "collation of distinct": ({"distinct": "c", "key": "a", "collation": EN}, 115),
    "collation of an index": (
        {"createIndexes": "c", "indexes": [{"key": {"q": 1}, "name": "q", "collation": EN}]},
        115,
    ),
    "collation of a collection": ({"create": "new1", "collation": EN}, 115),
    "hidden index": ({"createIndexes": "c", "indexes": [{"key": {"q": 1}, "name": "q", "hidden": True}]}, 115),
    "unknown index option": ({"createIndexes": "c", "indexes": [{"key": {"q": 1}, "name": "q", "nosuch": 1}]}, 40415),
    "capped": ({"create": "new2", "capped": True, "size": 1000}, 115),
    "time series": ({"create": "new3", "timeseries": {"timeField": "t"}}, 115),
    "tailable": ({"find": "c", "tailable": True}, 115),
    "min": ({"find": "c", "min": {"_id": 1}, "hint": "_id_"}, 115),
    "return key": ({"find": "c", "returnKey": True}, 115),
    "no cursor timeout": ({"find": "c", "noCursorTimeout": True}, 115),
    "change stream": ({"aggregate": "c", "pipeline": [{"$changeStream": {}}], "cursor": {}}, 40573),
    "transaction": (
        {
            "find": "c",
            "lsid": {"id": bson.Binary(b"0" * 16, 4)},
            "txnNumber": bson.Int64(1),
            "startTransaction": True,
            "autocommit": False,
        },
        20,
    ),
    "commit": (
        {
            "commitTransaction": 1,
            "lsid": {"id": bson.Binary(b"0" * 16, 4)},
            "txnNumber": bson.Int64(1),
            "autocommit": False,
        },
        20,
    ),
    "retryable write": (
        {"insert": "c", "documents": [{"z": 1}], "lsid": {"id": bson.Binary(b"0" * 16, 4)}, "txnNumber": bson.Int64(1)},
        20,
    ),
    "write concern 2": ({"insert": "c", "documents": [{"z": 1}], "writeConcern": {"w": 2}}, 2),
    "write concern by tag": ({"insert": "c", "documents": [{"z": 1}], "writeConcern": {"w": "dc"}}, 2),
    "read concern snapshot": ({"find": "c", "readConcern": {"level": "snapshot"}}, 123),
    "after cluster time": ({"find": "c", "readConcern": {"afterClusterTime": bson.Timestamp(1, 1)}}, 20),
    "api strict": ({"find": "c", "apiVersion": "1", "apiStrict": True}, 323),
    "api version 2": ({"find": "c", "apiVersion": "2"}, 322),
    "known but not here": ({"renameCollection": "a.b", "to": "a.c"}, 115),
    "map-reduce": ({"mapReduce": "c"}, 115),
    "explain of an insert": ({"explain": {"insert": "c", "documents": [{"z": 1}]}}, 115),
    "explain of a write with its execution": (
        {"explain": {"delete": "c", "deletes": [{"q": {}, "limit": 0}]}, "verbosity": "executionStats"},
        115,
    ),
    "bad database name": ({"find": "c", "$db": "a.b"}, 73),
}


@pytest.mark.usefixtures("front_only")
@pytest.mark.parametrize("name", FRONT)
def test_refused_by_the_front(db: Database[Doc], name: str) -> None:
    command, code = FRONT[name]
    db["c"].update_one({"_id": "there"}, {"$set": {"a": 1}}, upsert=True)
    before = list(db["c"].find())
    from mpp_devstack.wirefront.probe import ask

    address = db.client.address
    assert address is not None
    answer = ask(address[1], {**command, "$db": command.get("$db", db.name)}, timeout=30)
    assert answer is not None
    assert (answer["ok"], answer["code"]) == (0.0, code), answer
    assert answer["codeName"]
    assert answer["errmsg"]
    assert list(db["c"].find()) == before
    assert not {"new1", "new2", "new3"} & set(db.list_collection_names())


@pytest.mark.usefixtures("front_only")
def test_a_transaction_is_refused_through_the_driver(coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": 0})
    with coll.database.client.start_session() as session, pytest.raises(PyMongoError), session.start_transaction():
        coll.insert_one({"_id": 1}, session=session)
    assert coll.count_documents({}) == 1


def test_time_limit_is_honoured(seeded: Collection[Doc]) -> None:
    slow = [
        {"$project": {"r": {"$range": [0, 200_000]}}},
        {"$unwind": "$r"},
        {"$group": {"_id": "$r", "n": {"$sum": 1}}},
        {"$count": "n"},
    ]
    for limit in (200, *range(20, 60, 2)):  # whoever comes next is never hit by a cancel that was meant for another
        with pytest.raises(OperationFailure) as refused:
            list(seeded.aggregate(slow, maxTimeMS=limit))
        assert refused.value.code == 50
        for _ in range(5):
            assert seeded.find_one({"_id": 1}, {"_id": 1}) == {"_id": 1}
