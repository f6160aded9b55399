"""Explains a command: the engine's own plan, told in MongoDB's words. Knows PostgreSQL's plan nodes; never guesses.

The stage names are derived from the plan that the engine would run, by these rules: a scan that reads the whole table is
COLLSCAN; an index scan is IXSCAN only when the index narrows what is read, and a walk over a whole index to filter
documents is COLLSCAN too, for that is what it costs. The engine's plan itself is given as `mppEnginePlan`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import bson

from mpp_devstack.wirefront.errors import CommandError
from mpp_devstack.wirefront.wire import OPTIONS

Plan = dict[str, Any]
_DROPPED = ("lsid", "$db", "$clusterTime", "$readPreference", "readConcern", "writeConcern", "comment", "maxTimeMS")
_STAGES = {
    "Sort": "SORT",
    "Incremental Sort": "SORT",
    "Limit": "LIMIT",
    "Aggregate": "GROUP",
    "Group": "GROUP",
    "Unique": "GROUP",
    "Function Scan": "EOF",
    "Append": "OR",
    "Merge Append": "SORT_MERGE",
    "ProjectSet": "PROJECTION_DEFAULT",
    "ModifyTable": "UPDATE",
    "Nested Loop": "NESTED_LOOP_JOIN",
    "Hash Join": "HASH_JOIN",
    "Merge Join": "MERGE_JOIN",
}
_PASSED_THROUGH = (
    "Custom Scan",
    "LockRows",
    "Result",
    "Subquery Scan",
    "Materialize",
    "Memoize",
    "Gather",
    "CTE Scan",
    "Hash",
)
_ONLY_THE_SHARD = re.compile(r"\(?shard_key_value = '\d+'::bigint\)?")


def statement(command: Mapping[str, Any], database: str, *, run: bool) -> str:
    """The SQL that explains `command`. `run` also executes it (reads only). Raises CommandError."""
    name = next(iter(command), "")
    inner = {key: value for key, value in command.items() if key not in _DROPPED}
    if name.lower() == "findandmodify":
        name, inner = "find", _selection(command)
    elif name == "aggregate":
        inner.setdefault("cursor", {})
    function = {
        "find": "find",
        "aggregate": "pipeline",
        "count": "count",
        "distinct": "distinct",
        "update": "update",
        "delete": "delete",
    }.get(name)
    if function is None:
        raise CommandError(115, f"explain of {name!r} is not supported")
    if run and name in ("update", "delete"):
        raise CommandError(115, "explain of a write is supported with verbosity queryPlanner only")
    spec = bson.encode(inner, codec_options=OPTIONS).hex()
    namespace = database.replace("'", "''")
    options = "FORMAT JSON, ANALYZE, TIMING OFF" if run else "FORMAT JSON"
    call = (
        f"documentdb_api_catalog.bson_aggregation_{function}('{namespace}', '\\x{spec}'::bytea::documentdb_core.bson)"
    )
    return f"EXPLAIN ({options}) SELECT document FROM {call}"  # noqa: S608 - quoted above, the rest is hexadecimal


def _selection(command: Mapping[str, Any]) -> dict[str, Any]:
    """findAndModify finds its documents as this find does; it orders them itself afterwards (see `answer`)."""
    return {"find": command[next(iter(command))], "filter": command.get("query") or {}}


def answer(plan_text: bytes, namespace: str, command: Mapping[str, Any], *, run: bool) -> dict[str, Any]:
    """MongoDB's explain document for the engine's JSON plan.

    The engine's find_and_modify never takes an order from an index: with `sort` it reads and sorts all that matches
    (seen in its own statements, version 1.0). That is told as a SORT stage.
    """
    top = json.loads(plan_text)[0]
    plan: Plan = top["Plan"]
    winning = stage(plan)
    if next(iter(command), "").lower() == "findandmodify" and command.get("sort"):
        winning = {"stage": "SORT", "sortPattern": command["sort"], "inputStage": winning}
    planner = {"namespace": namespace, "indexFilterSet": False, "winningPlan": winning, "rejectedPlans": []}
    told: dict[str, Any] = {"explainVersion": "1", "queryPlanner": planner}
    if run:
        rows = int(plan.get("Actual Rows", 0))
        told["executionStats"] = {
            "executionSuccess": True,
            "nReturned": rows,
            "executionTimeMillis": int(top.get("Execution Time", 0)),
        }
    return told | {"serverInfo": {"mppWireFront": "documentdb"}, "mppEnginePlan": json.dumps(plan), "ok": 1.0}


def stage(plan: Plan) -> dict[str, Any]:
    """One plan node and those below it as a MongoDB stage."""
    kind = str(plan["Node Type"])
    below = [child for child in plan.get("Plans", ()) if not _is_bookkeeping(child)]
    if kind in ("Seq Scan", "Sample Scan", "Tid Scan"):
        return {"stage": "COLLSCAN", "direction": "forward"}
    if kind in ("Index Scan", "Index Only Scan"):
        return _index_scan(plan)
    if kind in ("Bitmap Heap Scan",):
        return {"stage": "FETCH", "inputStage": stage(below[0])}
    if kind == "Bitmap Index Scan":
        return _index_leaf(plan)
    if kind in ("BitmapOr", "BitmapAnd"):
        name = "OR" if kind == "BitmapOr" else "AND_SORTED"
        return {"stage": name, "inputStages": [stage(child) for child in below]}
    if kind in _PASSED_THROUGH and len(below) == 1:
        return stage(below[0])
    name = _STAGES.get(kind, "PG_" + kind.upper().replace(" ", "_"))
    if kind == "ModifyTable":
        name = str(plan.get("Operation", name)).upper()
    if len(below) == 1:
        return {"stage": name, "inputStage": stage(below[0])}
    return {"stage": name, "inputStages": [stage(child) for child in below]} if below else {"stage": name}


def _index_scan(plan: Plan) -> dict[str, Any]:
    leaf = _index_leaf(plan)
    if leaf["stage"] == "COLLSCAN":
        return leaf
    fetch: dict[str, Any] = {"stage": "FETCH", "inputStage": leaf}
    return fetch


def _index_leaf(plan: Plan) -> dict[str, Any]:
    name = str(plan.get("Index Name", "?"))
    condition = str(plan.get("Index Cond", ""))
    ordered = bool(plan.get("Order By"))
    narrowed = bool(condition) and not _ONLY_THE_SHARD.fullmatch(condition)
    if not narrowed and not ordered:
        return {"stage": "COLLSCAN", "direction": "forward", "walkedIndex": name}
    backward = plan.get("Scan Direction") == "Backward"
    return {"stage": "IXSCAN", "indexName": name, "direction": "backward" if backward else "forward"}


def _is_bookkeeping(plan: Plan) -> bool:
    """The part of a write's plan that reads back its own intermediate result."""
    return plan.get("Node Type") in ("CTE Scan", "WorkTable Scan") or (
        plan.get("Parent Relationship") == "Outer" and plan.get("Node Type") == "Nested Loop" and _reads_cte(plan)
    )


def _reads_cte(plan: Plan) -> bool:
    return plan.get("Node Type") == "CTE Scan" or any(_reads_cte(child) for child in plan.get("Plans", ()))
