"""Fixtures of the store's contract: one suite for every MongoDB-compatible store.

Knows pymongo and which server is tested: MONGODB_URI when set, else the devstack's profile of this test run.
Knows no service: what is tested here is what the services may rely on.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.database import Database

Doc = dict[str, Any]


@pytest.fixture(scope="session")
def mongodb_uri(request: pytest.FixtureRequest) -> str:
    return os.environ.get("MONGODB_URI") or str(request.getfixturevalue("stack").mongodb_uri)


@pytest.fixture(scope="session")
def client(mongodb_uri: str) -> Iterator[pymongo.MongoClient[Doc]]:
    with pymongo.MongoClient[Doc](mongodb_uri, serverSelectionTimeoutMS=8000, socketTimeoutMS=30_000) as connected:
        yield connected


@pytest.fixture(scope="session")
def db(client: pymongo.MongoClient[Doc]) -> Iterator[Database[Doc]]:
    name = f"contract_{uuid.uuid4().hex[:10]}"
    yield client[name]
    client.drop_database(name)


@pytest.fixture
def coll(db: Database[Doc]) -> Collection[Doc]:
    """A collection that does not exist yet."""
    return db[f"c_{uuid.uuid4().hex[:10]}"]


@pytest.fixture
def seeded(coll: Collection[Doc]) -> Collection[Doc]:
    """A hundred documents: a = i mod 5, b = i, s = "name 042", t an array, d an hour each, o.p = i mod 3."""
    start = dt.datetime(2026, 1, 1)
    coll.insert_many(
        {
            "_id": i,
            "a": i % 5,
            "b": i,
            "s": f"name {i:03d}",
            "t": ["x", "y"] if i % 2 else ["z"],
            "d": start + dt.timedelta(hours=i),
            "o": {"p": i % 3},
        }
        for i in range(100)
    )
    coll.create_index([("a", 1), ("b", -1)])
    return coll


@pytest.fixture(scope="session")
def is_front(client: pymongo.MongoClient[Doc]) -> bool:
    """Is the server our wire front?"""
    return client.admin.command("hello").get("mppWireFront") == "documentdb"


@pytest.fixture
def front_only(is_front: bool) -> None:
    if not is_front:
        pytest.skip("this server is not the devstack's wire front; it has its own behaviour here")


@pytest.fixture(scope="session", autouse=True)
def expiring(db: Database[Doc]) -> Collection[Doc]:
    """Made before the first test, so that the TTL monitor's minute passes while the others run."""
    made = db["expiring"]
    made.create_index("until", expireAfterSeconds=1)
    now = dt.datetime.now(dt.UTC)
    made.insert_many(
        [{"_id": "past", "until": now - dt.timedelta(hours=1)}, {"_id": "future", "until": now + dt.timedelta(hours=5)}]
    )
    return made
