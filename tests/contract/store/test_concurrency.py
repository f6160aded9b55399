"""Eight processes at once: contiguous counter, one winner, compare-and-set, claims, capacity, the outbox's sparse index."""

from __future__ import annotations

import collections
import multiprocessing as mp
import random
import time
from collections.abc import Callable
from typing import Any

import pymongo
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

Doc = dict[str, Any]
PROCESSES = 8
Work = Callable[[Collection[Doc], int], Any]


def _child(work: Work, uri: str, database: str, name: str, number: int, barrier: Any, results: Any) -> None:
    with pymongo.MongoClient[Doc](uri, serverSelectionTimeoutMS=8000) as client:
        coll = client[database][name]
        coll.find_one()
        barrier.wait(30)
        try:
            results.put(work(coll, number))
        except Exception as problem:
            results.put(problem)


def together(work: Work, uri: str, coll: Collection[Doc]) -> list[Any]:
    """Run `work` in all processes at once; any error fails the test."""
    context = mp.get_context("forkserver")  # pymongo must not be forked while it has threads; a clean server may fork
    context.set_forkserver_preload(["pymongo", "pytest"])
    barrier, results = context.Barrier(PROCESSES), context.Queue()
    children = [
        context.Process(target=_child, args=(work, uri, coll.database.name, coll.name, i, barrier, results))
        for i in range(PROCESSES)
    ]
    for child in children:
        child.start()
    try:
        answers = [results.get(timeout=60) for _ in children]
    finally:
        for child in children:
            child.join(10)
            child.kill()
    problems = [a for a in answers if isinstance(a, Exception)]
    assert not problems
    return answers


def _count(coll: Collection[Doc], number: int) -> list[int]:
    found = []
    for _ in range(50):
        after = coll.find_one_and_update(
            {"_id": "n"}, {"$inc": {"n": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        found.append(after["n"] if after else -1)
    return found


def test_counter_is_contiguous(mongodb_uri: str, coll: Collection[Doc]) -> None:
    numbers = [n for answer in together(_count, mongodb_uri, coll) for n in answer]
    assert sorted(numbers) == list(range(1, 50 * PROCESSES + 1))
    assert coll.find_one() == {"_id": "n", "n": 50 * PROCESSES}


def _race(coll: Collection[Doc], number: int) -> list[int]:
    won = []
    for key in range(30):
        try:
            coll.insert_one({"_id": f"{number}-{key}", "user": f"u{key}", "event": "e"})
        except DuplicateKeyError:
            continue
        won.append(key)
    return won


def test_unique_race_has_one_winner(mongodb_uri: str, coll: Collection[Doc]) -> None:
    coll.create_index([("user", 1), ("event", 1)], unique=True)
    winners = collections.Counter(key for answer in together(_race, mongodb_uri, coll) for key in answer)
    assert winners == dict.fromkeys(range(30), 1)
    assert coll.count_documents({}) == 30


def _swap(coll: Collection[Doc], number: int) -> int:
    done = 0
    while done < 10:
        seen = coll.find_one({"_id": "doc"})
        assert seen is not None
        change = {"$set": {"balance": seen["balance"] + 1}, "$inc": {"version": 1}, "$push": {"log": number}}
        if coll.update_one({"_id": "doc", "version": seen["version"]}, change).modified_count:
            done += 1
        else:
            time.sleep(random.random() * 0.002)
    return done


def test_compare_and_set_loses_nothing(mongodb_uri: str, coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": "doc", "version": 0, "balance": 0, "log": []})
    total = sum(together(_swap, mongodb_uri, coll))
    found = coll.find_one()
    assert found is not None
    assert (found["version"], found["balance"], len(found["log"])) == (total, total, total)


def _claim(coll: Collection[Doc], number: int) -> list[str]:
    got = []
    while True:
        taken = coll.find_one_and_update(
            {"st": "new"}, {"$set": {"st": "taken", "by": number}}, sort=[("prio", -1), ("seq", 1)]
        )
        if taken is None:
            return got
        got.append(taken["_id"])


def test_no_job_is_claimed_twice(mongodb_uri: str, coll: Collection[Doc]) -> None:
    coll.create_index([("st", 1), ("prio", -1), ("seq", 1)])
    coll.insert_many({"_id": f"j{i}", "st": "new", "prio": i % 3, "seq": i} for i in range(250))
    claimed = [job for answer in together(_claim, mongodb_uri, coll) for job in answer]
    assert sorted(claimed) == sorted(f"j{i}" for i in range(250))


def _seat(coll: Collection[Doc], number: int) -> int:
    guard, take = {"_id": "ev", "left": {"$gt": 0}}, {"$inc": {"left": -1}}
    return sum(coll.update_one(guard, take).modified_count for _ in range(30))


def test_capacity_is_never_passed(mongodb_uri: str, coll: Collection[Doc]) -> None:
    coll.insert_one({"_id": "ev", "left": 100})
    assert sum(together(_seat, mongodb_uri, coll)) == 100
    assert coll.find_one() == {"_id": "ev", "left": 0}


def _drain(coll: Collection[Doc], number: int) -> list[str]:
    """As the outbox's sweeper: find what is pending through the sparse index, clear it by compare-and-set."""
    cleared: list[str] = []
    while True:
        found = list(coll.find({"pending": {"$exists": True}}, {"pending": 1}).limit(20))
        if not found:
            return cleared
        for document in random.sample(found, len(found)):
            own = {"_id": document["_id"], "pending": document["pending"]}
            if coll.update_one(own, {"$unset": {"pending": ""}}).modified_count:
                cleared.append(document["_id"])


def test_pending_is_cleared_once(mongodb_uri: str, coll: Collection[Doc]) -> None:
    coll.create_index("pending", sparse=True)
    coll.insert_many({"_id": f"a{i}", **({"pending": [{"id": i}]} if i % 10 == 0 else {})} for i in range(1000))
    cleared = [name for answer in together(_drain, mongodb_uri, coll) for name in answer]
    assert sorted(cleared) == sorted(f"a{i}" for i in range(0, 1000, 10))
    assert coll.count_documents({"pending": {"$exists": True}}) == 0


def test_two_creators_of_a_collection(mongodb_uri: str, coll: Collection[Doc]) -> None:
    """The first write of each of eight processes makes the collection; none is lost."""
    together(_first_write, mongodb_uri, coll)
    assert sorted(d["_id"] for d in coll.find()) == list(range(PROCESSES))


def _first_write(coll: Collection[Doc], number: int) -> None:
    coll.insert_one({"_id": number})
