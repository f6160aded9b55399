"""Translates MongoDB commands into calls of the engine's SQL API. Knows both vocabularies; never does I/O.

Each command becomes an answer or a `Query`: one SQL statement and what to make of its rows (an answer, or the next
Query). A command, option or option value that the engine or this front would not honour is refused with MongoDB's
own code, never ignored.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bson

from mpp_devstack.wirefront.cursors import Cursors
from mpp_devstack.wirefront.errors import CommandError, engine_error, repair_write_errors
from mpp_devstack.wirefront.options import check_options
from mpp_devstack.wirefront.postgres import Row, SqlError
from mpp_devstack.wirefront.wire import MAX_DOCUMENT, MAX_MESSAGE, OPTIONS, Request

Answer = bytes | dict[str, Any]


@dataclass(slots=True)
class Query:
    """One SQL statement and its continuation. `values` are binary; None is NULL."""

    sql: str
    values: Sequence[bytes | None]
    finish: Callable[[list[Row]], Answer | Query]
    on_error: Callable[[SqlError], CommandError] = engine_error


Translator = Callable[["Session", Request], "Answer | Query"]


@dataclass(slots=True)
class Session:
    """What a command may need besides itself: the cursors of this process and who is asking."""

    cursors: Cursors
    connection_id: int
    now: Callable[[], dt.datetime]


def translate(session: Session, request: Request) -> Answer | Query:
    """Raises CommandError for whatever is refused."""
    handler = _COMMANDS.get(request.name) or _COMMANDS.get(request.name.lower())
    if handler is None:
        raise CommandError(59, f"no such command: '{request.name}'")
    check_options(request)
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
        "version": "7.0.0", "versionArray": [7, 0, 0, 0], "bits": 64, "maxBsonObjectSize": MAX_DOCUMENT,
        "modules": [], "mppWireFront": "documentdb", "ok": 1.0,
    }  # fmt: skip


def _fine(session: Session, request: Request) -> Answer:
    return {"ok": 1.0}


def _whatsmyuri(session: Session, request: Request) -> Answer:
    return {"you": f"127.0.0.1:{session.connection_id}", "ok": 1.0}


# --- writes -------------------------------------------------------------------------------------------------------


def _write(function: str, sequence: str) -> Translator:
    with_sequence = f"SELECT p_result FROM documentdb_api.{function}($1,$2,$3,NULL)"

    def translator(session: Session, request: Request) -> Answer | Query:
        _collection(request)
        values = [request.database.encode(), request.raw, request.sequences.get(sequence)]
        return Query(with_sequence, values, lambda rows: repair_write_errors(_first(rows)))

    return translator


def _find_and_modify(session: Session, request: Request) -> Answer | Query:
    _collection(request)
    sql = "SELECT p_result FROM documentdb_api.find_and_modify($1,$2,NULL)"
    return Query(sql, [request.database.encode(), request.raw], _first)


# --- reads --------------------------------------------------------------------------------------------------------


def _cursor(function: str) -> Translator:
    sql = f"SELECT cursorpage, continuation, persistconnection, cursorid FROM documentdb_api.{function}_cursor_first_page($1,$2)"

    def translator(session: Session, request: Request) -> Answer | Query:
        if request.command.get("explain"):
            raise CommandError(115, "aggregate with explain: true is not supported; use the explain command")
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
    values = [request.database.encode(), _collection(request).encode()]
    return Query("SELECT documentdb_api.coll_stats($1,$2,1)", values, _first)


def _db_stats(session: Session, request: Request) -> Answer | Query:
    return Query("SELECT documentdb_api.db_stats($1,1,false)", [request.database.encode()], _first)


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
