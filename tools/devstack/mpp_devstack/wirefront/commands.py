"""Translates MongoDB commands into calls of the engine's SQL API. Knows both vocabularies; never does I/O.

Each command becomes an answer or a `Query`: one SQL statement and what to make of its rows (an answer, or the next
Query). A command, option or option value that the engine or this front would not honour is refused with MongoDB's
own code, never ignored.
"""

from __future__ import annotations

import datetime as dt
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bson

from mpp_devstack.wirefront import explain, options
from mpp_devstack.wirefront.cursors import Cursors
from mpp_devstack.wirefront.errors import CommandError, duplicate_index, engine_error, repair_write_errors
from mpp_devstack.wirefront.postgres import Row, SqlError
from mpp_devstack.wirefront.wire import MAX_DOCUMENT, MAX_MESSAGE, OPTIONS, Request

Answer = bytes | dict[str, Any]
DUPLICATE_KEY, WRITE_CONFLICT = 11000, 112
ATTEMPTS = 60
LONGEST_PAUSE = 0.3  # seconds


@dataclass(slots=True)
class Query:
    """One SQL statement and its continuation. `values` are binary; None is NULL."""

    sql: str
    values: Sequence[bytes | None]
    finish: Callable[[list[Row]], Answer | Query]
    on_error: Callable[[SqlError], CommandError | Answer | Query] = engine_error
    once: bool = False  # the statement's text is made for this command alone
    pause: float = 0.0  # seconds to wait before it is sent


Translator = Callable[["Session", Request], "Answer | Query"]


@dataclass(slots=True)
class Session:
    """What a command may need besides itself: the cursors of this process and who is asking."""

    cursors: Cursors
    connection_id: int
    now: Callable[[], dt.datetime]


def translate(session: Session, request: Request) -> Answer | Query:
    """Raises CommandError for whatever is refused."""
    handler = _COMMANDS.get(request.name)
    if handler is None and not any(field in request.command for field in options.TRANSACTION):
        if request.name in _KNOWN_ELSEWHERE:
            raise CommandError(115, f"command '{request.name}' is not supported by this store")
        raise CommandError(59, f"no such command: '{request.name}'")
    if not request.legacy:
        options.check(request)
    elif handler is not _hello:
        raise CommandError(352, "Unsupported OP_QUERY command: only the greeting is served by it")
    assert handler is not None  # a transaction was refused by check
    return handler(session, request)


def _first(rows: list[Row]) -> bytes:
    value = rows[0][0] if rows else None
    if value is None:
        raise CommandError(1, "the engine answered nothing")
    return value


def _collection(request: Request) -> str:
    value = request.command[request.name]
    if not isinstance(value, str) or not value or "\0" in value:
        raise CommandError(73, f"Invalid namespace specified '{request.database}.{value}'")
    return value


# --- who we are ---------------------------------------------------------------------------------------------------


def _hello(session: Session, request: Request) -> Answer:
    """A standalone server, truthfully: sessions yes, retryable writes and transactions no (drivers then send none)."""
    return {
        "helloOk": True,
        "ismaster": True,
        "isWritablePrimary": True,
        "maxBsonObjectSize": MAX_DOCUMENT,
        "maxMessageSizeBytes": MAX_MESSAGE,
        "maxWriteBatchSize": 25_000,  # the engine's documentdb.maxWriteBatchSize
        "localTime": session.now(),
        "logicalSessionTimeoutMinutes": 30,
        "connectionId": session.connection_id,
        "minWireVersion": 0,
        "maxWireVersion": 21,
        "readOnly": False,
        "mppWireFront": "documentdb",
        "ok": 1.0,
    }


def _build_info(session: Session, request: Request) -> Answer:
    return {
        "version": "7.0.0",
        "versionArray": [7, 0, 0, 0],
        "bits": 64,
        "maxBsonObjectSize": MAX_DOCUMENT,
        "modules": [],
        "mppWireFront": "documentdb",
        "ok": 1.0,
    }


def _fine(session: Session, request: Request) -> Answer:
    return {"ok": 1.0}


def _whatsmyuri(session: Session, request: Request) -> Answer:
    return {"you": f"127.0.0.1:{session.connection_id}", "ok": 1.0}


# --- writes -------------------------------------------------------------------------------------------------------


def _write(function: str, sequence: str) -> Translator:
    sql = f"SELECT p_result FROM documentdb_api.{function}($1,$2,$3,NULL)"  # noqa: S608 - a name of ours

    def translator(session: Session, request: Request) -> Answer | Query:
        collection = _collection(request)
        values = [request.database.encode(), request.raw, request.sequences.get(sequence)]

        def attempt(number: int) -> Query:
            def finish(rows: list[Row]) -> Answer | Query:
                answer = _first(rows)
                if b"writeErrors" not in answer:
                    return answer
                repaired = repair_write_errors(answer, f"{request.database}.{collection}")
                codes = {error["code"] for error in repaired["writeErrors"]}
                if codes == {WRITE_CONFLICT} and repaired.get("n", 0) == 0 and number < ATTEMPTS:
                    return attempt(number + 1)
                duplicates = [error for error in repaired["writeErrors"] if error["code"] == DUPLICATE_KEY]
                return _with_key_patterns(request, collection, duplicates, repaired) if duplicates else repaired

            return Query(sql, values, finish, _again_on_conflict(attempt, number), pause=_pause(number))

        return attempt(1)

    return translator


def _pause(number: int) -> float:
    """Full jitter, growing: victims of one deadlock that come back together would deadlock again (seen, when slow)."""
    return random.uniform(0, min(LONGEST_PAUSE, 0.004 * 2**number)) if number > 1 else 0.0


def _again_on_conflict(attempt: Callable[[int], Query], number: int) -> Callable[[SqlError], CommandError | Query]:
    """The engine ended the statement as the victim of a deadlock; nothing of it was done, so it can be sent again.

    MongoDB does the same inside: outside a transaction its clients never see a WriteConflict.
    """

    def on_error(error: SqlError) -> CommandError | Query:
        refusal = engine_error(error)
        return attempt(number + 1) if refusal.code == WRITE_CONFLICT and number < ATTEMPTS else refusal

    return on_error


def _find_and_modify(session: Session, request: Request) -> Answer | Query:
    collection = _collection(request)
    sql = "SELECT p_result FROM documentdb_api.find_and_modify($1,$2,NULL)"
    values = [request.database.encode(), request.raw]

    def attempt(number: int) -> Query:
        again = _again_on_conflict(attempt, number)

        def on_error(error: SqlError) -> CommandError | Query:
            refusal = engine_error(error, f"{request.database}.{collection}")
            if refusal.code != DUPLICATE_KEY:
                return again(error)
            answer = refusal.document()
            return _with_key_patterns(request, collection, [answer], answer)

        return Query(sql, values, _first, on_error, pause=_pause(number))

    return attempt(1)


def _with_key_patterns(
    request: Request, collection: str, duplicates: list[dict[str, Any]], answer: dict[str, Any]
) -> Query:
    """Add `keyPattern` to each duplicate-key error, from the engine's catalogue of indexes."""

    def finish(rows: list[Row]) -> Answer:
        keys = {
            str(name, "utf-8"): bson.decode(key, OPTIONS) for name, key in rows if name is not None and key is not None
        }
        for error in duplicates:
            pattern = keys.get(duplicate_index(error["errmsg"]))
            if pattern is not None:
                error["keyPattern"] = pattern
        return answer

    sql = (
        "SELECT (i.index_spec).index_name, (i.index_spec).index_key FROM documentdb_api_catalog.collection_indexes i"
        " JOIN documentdb_api_catalog.collections c USING (collection_id)"
        " WHERE c.database_name = $1 AND c.collection_name = $2"
    )
    return Query(sql, [request.database.encode(), collection.encode()], finish, lambda _: finish([]))


# --- reads --------------------------------------------------------------------------------------------------------


def _cursor(function: str) -> Translator:
    columns = "cursorpage, continuation, persistconnection, cursorid"
    sql = f"SELECT {columns} FROM documentdb_api.{function}_cursor_first_page($1,$2)"  # noqa: S608 - ours

    def translator(session: Session, request: Request) -> Answer | Query:
        database = request.database

        def finish(rows: list[Row]) -> Answer:
            page, continuation, _, cursor_id = rows[0]
            if continuation is not None and cursor_id is not None:
                session.cursors.add(int.from_bytes(cursor_id, "big", signed=True), database, continuation)
            return page or _first([])

        return Query(sql, [database.encode(), request.raw], finish)

    return translator


def _get_more(session: Session, request: Request) -> Answer | Query:
    number = request.command["getMore"]
    if not isinstance(number, int):
        raise CommandError(14, "field 'getMore' must be of type long")
    cursor = session.cursors.get(number)
    if cursor is None or cursor.database != request.database:
        raise CommandError(43, f"cursor id {number} not found")

    def finish(rows: list[Row]) -> Answer:
        page, continuation = rows[0]
        if continuation is None:
            session.cursors.drop(number)
        else:
            session.cursors.add(number, request.database, continuation)
        return page or _first([])

    sql = "SELECT cursorpage, continuation FROM documentdb_api.cursor_get_more($1,$2,$3)"
    return Query(sql, [request.database.encode(), request.raw, cursor.continuation], finish)


def _explain(session: Session, request: Request) -> Answer | Query:
    inner, verbosity = request.command["explain"], request.command.get("verbosity", "queryPlanner")
    if not isinstance(inner, dict) or not inner:
        raise CommandError(14, "field 'explain' must be the command to explain, an object")
    if verbosity not in ("queryPlanner", "executionStats", "allPlansExecution"):
        raise CommandError(2, f"unknown verbosity {verbosity!r}")
    options.check(
        Request(
            0,
            b"",
            {"cursor": {}, **inner, "$db": request.database}
            if "aggregate" in inner
            else {**inner, "$db": request.database},
        )
    )
    run = verbosity != "queryPlanner"
    namespace = f"{request.database}.{next(iter(inner.values()))}"
    sql = explain.statement(inner, request.database, run=run)
    return Query(sql, [], lambda rows: explain.answer(_first(rows), namespace, inner, run=run), once=True)


def _kill_cursors(session: Session, request: Request) -> Answer:
    numbers = [bson.Int64(n) for n in request.command.get("cursors", []) if isinstance(n, int)]
    killed = [n for n in numbers if session.cursors.drop(n)]
    missing = [n for n in numbers if n not in killed]
    return {"cursorsKilled": killed, "cursorsNotFound": missing, "cursorsAlive": [], "cursorsUnknown": [], "ok": 1.0}


def _document(sql: str) -> Translator:
    """A call that takes the database and the command, and returns the answer."""

    def translator(session: Session, request: Request) -> Answer | Query:
        return Query(sql, [request.database.encode(), request.raw], _first)

    return translator


# --- collections and indexes --------------------------------------------------------------------------------------


def _drop(session: Session, request: Request) -> Answer | Query:
    name = _collection(request)

    def finish(rows: list[Row]) -> Answer:
        if _first(rows) == b"\0":
            raise CommandError(26, "ns not found")
        return {"ns": f"{request.database}.{name}", "ok": 1.0}

    sql = "SELECT documentdb_api.drop_collection($1,$2)"
    return Query(sql, [request.database.encode(), name.encode()], finish)


def _drop_database(session: Session, request: Request) -> Answer | Query:
    done: Answer = {"dropped": request.database, "ok": 1.0}
    return Query("SELECT documentdb_api.drop_database($1)", [request.database.encode()], lambda rows: done)


def _list_databases(session: Session, request: Request) -> Answer | Query:
    return Query("SELECT documentdb_api.list_databases($1)", [request.raw], _first)


def _coll_stats(session: Session, request: Request) -> Answer | Query:
    values = [request.database.encode(), _collection(request).encode(), _scale(request)]
    return Query("SELECT documentdb_api.coll_stats($1,$2,$3)", values, _first)


def _db_stats(session: Session, request: Request) -> Answer | Query:
    return Query("SELECT documentdb_api.db_stats($1,$2,false)", [request.database.encode(), _scale(request)], _first)


def _scale(request: Request) -> bytes:
    scale = request.command.get("scale", 1)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or scale < 1:
        raise CommandError(2, "scale has to be a number > 0")
    return struct.pack("!d", float(scale))


_COMMANDS: Mapping[str, Translator] = {
    "hello": _hello,
    "isMaster": _hello,
    "ismaster": _hello,
    "ping": _fine,
    "buildInfo": _build_info,
    "buildinfo": _build_info,
    "endSessions": _fine,
    "refreshSessions": _fine,
    "killSessions": _fine,
    "whatsmyuri": _whatsmyuri,
    "insert": _write("insert", "documents"),
    "update": _write("update", "updates"),
    "delete": _write("delete", "deletes"),
    "findAndModify": _find_and_modify,
    "findandmodify": _find_and_modify,
    "find": _cursor("find"),
    "aggregate": _cursor("aggregate"),
    "listCollections": _cursor("list_collections"),
    "listIndexes": _cursor("list_indexes"),
    "explain": _explain,
    "getMore": _get_more,
    "killCursors": _kill_cursors,
    "count": _document("SELECT document FROM documentdb_api.count_query($1,$2)"),
    "distinct": _document("SELECT document FROM documentdb_api.distinct_query($1,$2)"),
    "createIndexes": _document("SELECT documentdb_api_internal.create_indexes_non_concurrently($1,$2,true)"),
    "dropIndexes": _document("CALL documentdb_api.drop_indexes($1,$2,NULL)"),
    "create": _document("SELECT documentdb_api.create_collection_view($1,$2)"),
    "drop": _drop,
    "dropDatabase": _drop_database,
    "listDatabases": _list_databases,
    "collStats": _coll_stats,
    "dbStats": _db_stats,
}

_KNOWN_ELSEWHERE = frozenset(
    """
    abortTransaction authenticate collMod commitTransaction compact connectionStatus convertToCapped createRole createUser
    currentOp dataSize dbHash filemd5 fsync getCmdLineOpts getLog getParameter hostInfo killAllSessions killOp listCommands
    logout logRotate mapReduce planCacheClear profile reIndex renameCollection replSetGetStatus saslContinue saslStart
    serverStatus setParameter shardCollection shutdown startSession top usersInfo validate
    """.split()  # noqa: SIM905 - a list of words reads better than a list of strings
)
"""Commands that MongoDB has and this store has not: refused as not supported, rather than as unknown."""
