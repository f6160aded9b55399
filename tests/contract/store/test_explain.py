"""explain tells which index a query uses: the services' tests that every query has one stand on this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

Doc = dict[str, Any]


def stages(plan: Doc) -> Iterator[Doc]:
    """The stages of a winning plan, from the top down."""
    yield plan
    for below in (*plan.get("inputStages", ()), *([plan["inputStage"]] if "inputStage" in plan else ())):
        yield from stages(below)


def told(coll: Collection[Doc], command: Doc, verbosity: str = "queryPlanner") -> Doc:
    answer = coll.database.command({"explain": command, "verbosity": verbosity})
    return dict(answer)


def names(answer: Doc) -> tuple[set[str], set[str]]:
    planner = answer.get("queryPlanner") or answer["stages"][0]["$cursor"]["queryPlanner"]
    found = list(stages(planner["winningPlan"].get("queryPlan", planner["winningPlan"])))
    return {s["stage"] for s in found}, {s["indexName"] for s in found if "indexName" in s}


@pytest.fixture
def jobs(coll: Collection[Doc]) -> Collection[Doc]:
    coll.create_index([("st", 1), ("prio", -1), ("seq", 1)], name="claim")
    coll.create_index([("pending", 1)], name="outbox", sparse=True)
    coll.insert_many(
        {"_id": f"j{i}", "st": "new" if i % 10 == 0 else "old", "prio": i % 3, "seq": i} for i in range(500)
    )
    return coll


USES: dict[str, tuple[Doc, str]] = {
    "find": ({"find": "", "filter": {"st": "new"}, "sort": {"prio": -1, "seq": 1}, "limit": 1}, "claim"),
    "sparse": ({"find": "", "filter": {"pending": {"$exists": True}}, "limit": 50}, "outbox"),
    "count": ({"count": "", "query": {"st": "new"}}, "claim"),
    "aggregate": (
        {
            "aggregate": "",
            "pipeline": [{"$match": {"st": "new"}}, {"$group": {"_id": "$prio", "n": {"$sum": 1}}}],
            "cursor": {},
        },
        "claim",
    ),
    "distinct": ({"distinct": "", "key": "prio", "query": {"st": "new"}}, "claim"),
    "update": ({"update": "", "updates": [{"q": {"st": "new", "prio": 2}, "u": {"$set": {"x": 1}}}]}, "claim"),
    "delete": ({"delete": "", "deletes": [{"q": {"st": "new", "prio": 2}, "limit": 1}]}, "claim"),
    "find and modify": (
        {"findAndModify": "", "query": {"st": "new"}, "sort": {"prio": -1}, "update": {"$set": {"x": 1}}},
        "claim",
    ),
}


@pytest.mark.parametrize("name", USES)
def test_index_is_used_and_named(jobs: Collection[Doc], name: str) -> None:
    command, index = USES[name]
    before = jobs.count_documents({"x": 1})
    found, indexes = names(told(jobs, {k: jobs.name if v == "" else v for k, v in command.items()}))
    assert indexes == {index}
    assert "COLLSCAN" not in found
    assert jobs.count_documents({}) == 500
    assert jobs.count_documents({"x": 1}) == before


def test_by_id(jobs: Collection[Doc]) -> None:
    found, _ = names(told(jobs, {"find": jobs.name, "filter": {"_id": "j7"}}))
    assert "COLLSCAN" not in found
    assert found & {"IXSCAN", "IDHACK"}


@pytest.mark.parametrize("query", [{"nothing": 1}, {"seq": 5}, {}], ids=str)
def test_a_scan_of_the_collection_is_told_as_one(jobs: Collection[Doc], query: Doc) -> None:
    found, _ = names(told(jobs, {"find": jobs.name, "filter": query}))
    assert "COLLSCAN" in found


def test_execution(jobs: Collection[Doc]) -> None:
    answer = told(jobs, {"find": jobs.name, "filter": {"st": "new"}}, "executionStats")
    assert answer["executionStats"]["nReturned"] == 50


def test_cursor_explain(jobs: Collection[Doc]) -> None:
    assert "queryPlanner" in jobs.find({"st": "new"}).explain()


def test_what_find_refuses_explain_refuses(jobs: Collection[Doc]) -> None:
    with pytest.raises(OperationFailure) as refused:
        told(jobs, {"find": jobs.name, "nosuch": 1})
    assert refused.value.code == 40415
