"""Cursors over several pages: from any connection, by many readers at once, also for a sort that no index answers."""

from __future__ import annotations

import threading
from typing import Any

import pymongo
import pytest

DOCUMENTS = 600


@pytest.fixture
def filled(database: Any) -> Any:
    collection = database["pages"]
    collection.insert_many([{"_id": f"{i:05d}", "q": "a", "x": i * 7919 % DOCUMENTS} for i in range(DOCUMENTS)])
    return collection


@pytest.mark.parametrize("sort", [None, {"_id": 1}, {"x": 1}], ids=str)
def test_the_next_page_comes_on_another_connection(filled: Any, mongodb_uri: str, sort: dict[str, int] | None) -> None:
    command = {"find": filled.name, "filter": {"q": "a"}, "batchSize": 100, **({"sort": sort} if sort else {})}
    reply = filled.database.command(command)
    seen = [d["_id"] for d in reply["cursor"]["firstBatch"]]
    while number := reply["cursor"]["id"]:
        with pymongo.MongoClient(mongodb_uri) as other:
            more = {"getMore": number, "collection": filled.name, "batchSize": 100}
            reply = other[filled.database.name].command(more)
        seen += [d["_id"] for d in reply["cursor"]["nextBatch"]]
    assert len(seen) == len(set(seen)) == DOCUMENTS
    if sort == {"_id": 1}:
        assert seen == sorted(seen)


def test_many_readers_page_at_once_while_others_come_and_go(filled: Any, mongodb_uri: str) -> None:
    failures: list[str] = []

    def read() -> None:
        try:
            with pymongo.MongoClient(mongodb_uri) as client:
                collection = client[filled.database.name][filled.name]
                for _ in range(15):
                    for cursor in (collection.find({"q": "a"}).sort("x", 1), collection.find({"q": "a"})):
                        count = len(list(cursor.batch_size(50)))
                        if count != DOCUMENTS:
                            failures.append(f"{count} documents")
        except pymongo.errors.PyMongoError as e:
            failures.append(f"{type(e).__name__}: {e}"[:200])

    def come_and_go() -> None:
        for _ in range(30):
            with pymongo.MongoClient(mongodb_uri) as client:
                next(client[filled.database.name][filled.name].find({}).sort("x", 1).batch_size(10))

    threads = [threading.Thread(target=f) for f in (read, read, read, read, come_and_go, come_and_go)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
