"""kill -9 in the middle of writes: what was acknowledged is there afterwards. On a stack of its own, profile `crash`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from mpp_devstack import Stack
from mpp_devstack.store import DocumentStore
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

Doc = dict[str, Any]
WRITERS = 4


@pytest.fixture(scope="module")
def store(is_front: bool) -> Iterator[DocumentStore]:
    if os.environ.get("MONGODB_URI") and not is_front:
        pytest.skip("MONGODB_URI points to a server that is not ours to kill")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MONGODB_URI", raising=False)
        stack = Stack("crash", Path(__file__).resolve().parents[3])
    if not isinstance(stack.store, DocumentStore):
        pytest.skip("this machine has a mongod: its durability is its makers' business")
    stack.clean()
    stack.store.start()
    yield stack.store
    stack.clean()
    assert stack.pids() == []


class Writer(threading.Thread):
    """Inserts and counts until the connection breaks; remembers what was acknowledged."""

    def __init__(self, uri: str, number: int) -> None:
        super().__init__()
        self._uri, self._number = uri, number
        self.inserted: list[str] = []
        self.counted = 0
        self.surprise: Exception | None = None

    def run(self) -> None:
        options: dict[str, Any] = {"serverSelectionTimeoutMS": 2000, "retryWrites": False, "retryReads": False}
        with pymongo.MongoClient[Doc](self._uri, **options) as client:
            docs, counters = client["crash"]["docs"], client["crash"]["counters"]
            try:
                while True:
                    name = f"{self._number}-{len(self.inserted)}"
                    docs.insert_one({"_id": name, "pay": "x" * 300})
                    self.inserted.append(name)
                    if len(self.inserted) % 5 == 0:
                        own, more = {"_id": self._number}, {"$inc": {"n": 1}}
                        found = counters.find_one_and_update(
                            own, more, upsert=True, return_document=ReturnDocument.AFTER
                        )
                        assert found is not None
                        self.counted = found["n"]
            except PyMongoError:
                return
            except Exception as problem:
                self.surprise = problem


KILLS: dict[str, Callable[[DocumentStore], None]] = {
    "front": lambda s: s.front.kill(),
    "engine": lambda s: s.engine.kill(),
    "both": lambda s: s.kill(),
}


@pytest.mark.parametrize("what", KILLS)
def test_nothing_acknowledged_is_lost(store: DocumentStore, what: str) -> None:
    store.start()
    uri = store.uri
    with pymongo.MongoClient[Doc](uri, serverSelectionTimeoutMS=30000) as client:
        client.drop_database("crash")
    writers = [Writer(uri, i) for i in range(WRITERS)]
    for writer in writers:
        writer.start()
    deadline = time.monotonic() + 60
    while min(len(w.inserted) for w in writers) < 60:
        assert time.monotonic() < deadline, "the writers make no progress"
        time.sleep(0.01)
    KILLS[what](store)
    for writer in writers:
        writer.join(60)
        assert not writer.is_alive(), "a writer hangs on a dead store"
        assert writer.surprise is None
    began = time.monotonic()
    store.start()
    assert time.monotonic() - began < 60
    with pymongo.MongoClient[Doc](uri, serverSelectionTimeoutMS=30000) as client:
        there = {d["_id"] for d in client["crash"]["docs"].find({}, {"_id": 1})}
        counters = {d["_id"]: d["n"] for d in client["crash"]["counters"].find()}
    lost = {name for w in writers for name in w.inserted} - there
    behind = {
        w._number: (w.counted, counters.get(w._number)) for w in writers if counters.get(w._number, 0) < w.counted
    }
    assert lost == set()
    assert behind == {}
    assert len(there) <= sum(len(w.inserted) for w in writers) + WRITERS  # at most one unacknowledged each


def test_a_dead_engine_is_told_at_once_and_a_new_one_is_found(store: DocumentStore) -> None:
    """The front outlives its engine: commands are refused as unavailable within a second, and go on after its return."""
    store.start()
    with pymongo.MongoClient[Doc](store.uri, serverSelectionTimeoutMS=1500, retryReads=False) as client:
        client["crash"]["docs"].find_one()
        store.engine.kill()
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(PyMongoError):
                client["crash"]["docs"].insert_one({})
            assert time.monotonic() - began < 15
        store.engine.start()
        client["crash"]["docs"].insert_one({"_id": "after"})
        assert client["crash"]["docs"].find_one({"_id": "after"}) == {"_id": "after"}


def test_a_frozen_store_answers_after_the_thaw(store: DocumentStore) -> None:
    store.start()
    options: dict[str, Any] = {"serverSelectionTimeoutMS": 1500, "socketTimeoutMS": 500, "retryReads": False}
    with pymongo.MongoClient[Doc](store.uri, **options) as client:
        client["crash"]["docs"].find_one()
        store.freeze()
        try:
            with pytest.raises(PyMongoError):
                client["crash"]["docs"].find_one()
        finally:
            store.thaw()
    with pymongo.MongoClient[Doc](store.uri, serverSelectionTimeoutMS=30000) as client:
        client["crash"]["docs"].find_one()
