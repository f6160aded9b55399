"""Which options of which command are honoured. Knows names and values only; never runs anything.

Four kinds: honoured by the engine, harmless (leaving it out changes no result), refused by name (MongoDB has it, the
engine or this front does not honour it), and unknown (MongoDB's own code 40415). Nothing is silently ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mpp_devstack.wirefront.errors import CommandError
from mpp_devstack.wirefront.wire import Request

COMMON = frozenset(
    {
        "$db",
        "lsid",
        "$clusterTime",
        "$readPreference",
        "readConcern",
        "writeConcern",
        "maxTimeMS",
        "comment",
        "apiVersion",
        "apiStrict",
        "apiDeprecationErrors",
    }
)
TRANSACTION = ("txnNumber", "startTransaction", "autocommit")
_DATABASE = re.compile(r'[^/\\. "$\0]{1,63}')


class Rules:
    """The options of one command, as words: honoured, harmless, and refused when they carry a value."""

    def __init__(self, honoured: str, harmless: str = "", refused: str = "") -> None:
        self.accepted = frozenset(honoured.split()) | frozenset(harmless.split()) | COMMON
        self.refused = frozenset(refused.split())

    def check(self, where: str, document: Mapping[str, Any], *, own: str = "") -> None:
        """Raises CommandError for the first option of `document` that is not accepted. `own` is the command's name."""
        for key, value in document.items():
            if key in self.accepted or key == own:
                continue
            if key not in self.refused:
                raise CommandError(40415, f"BSON field '{where}.{key}' is an unknown field.")
            if not _is_default(key, value):
                raise CommandError(115, f"option '{key}' of {where} is not supported by this store")


def _is_default(key: str, value: Any) -> bool:
    """Is the value what MongoDB does anyway when the option is left out?"""
    if key == "collation":
        return bool(value == {"locale": "simple"})
    return value is None or value is False or value == {} or value == 0


COMMANDS: Mapping[str, Rules] = {
    "find": Rules(
        "filter projection sort limit skip batchSize singleBatch hint let",
        "allowDiskUse allowPartialResults",
        "collation min max returnKey showRecordId tailable awaitData oplogReplay noCursorTimeout",
    ),
    "aggregate": Rules("pipeline cursor let hint", "allowDiskUse", "collation bypassDocumentValidation explain"),
    "getMore": Rules("collection batchSize", "", "maxTimeMS term lastKnownCommittedOpTime"),
    "killCursors": Rules("cursors"),
    "insert": Rules("documents ordered bypassDocumentValidation"),
    "update": Rules("updates ordered bypassDocumentValidation let"),
    "delete": Rules("deletes ordered let"),
    "findAndModify": Rules(
        "query sort remove update new fields upsert arrayFilters bypassDocumentValidation let hint", "", "collation"
    ),
    "count": Rules("query limit skip hint", "fields", "collation"),
    "distinct": Rules("key query hint", "", "collation"),
    "createIndexes": Rules("indexes", "commitQuorum"),
    "dropIndexes": Rules("index"),
    "create": Rules(
        "validator validationLevel validationAction viewOn pipeline",
        "",
        "capped size max timeseries collation expireAfterSeconds clusteredIndex storageEngine indexOptionDefaults "
        "changeStreamPreAndPostImages autoIndexId idIndex encryptedFields temp flags",
    ),
    "drop": Rules(""),
    "dropDatabase": Rules(""),
    "listCollections": Rules("filter nameOnly cursor", "authorizedCollections"),
    "listIndexes": Rules("cursor"),
    "listDatabases": Rules("filter nameOnly", "authorizedDatabases"),
    "collStats": Rules("scale"),
    "dbStats": Rules("scale", "", "freeStorage"),
    "explain": Rules("verbosity"),
}
NESTED: Mapping[str, tuple[str, Rules]] = {
    "update": ("updates", Rules("q u c upsert multi arrayFilters hint", "", "collation")),
    "delete": ("deletes", Rules("q limit hint", "", "collation")),
    "createIndexes": (
        "indexes",
        Rules(
            "key name unique sparse partialFilterExpression expireAfterSeconds v weights default_language "
            "language_override textIndexVersion wildcardProjection 2dsphereIndexVersion bits min max storageEngine",
            "background ns",
            "collation hidden prepareUnique clustered bucketSize dropDups",
        ),
    ),
}
_ALIASES = {"findandmodify": "findAndModify"}


def check(request: Request) -> None:
    """Raises CommandError for a transaction, an option, or an option's value that would not be honoured."""
    command = request.command
    name = _ALIASES.get(request.name, request.name)
    for field in TRANSACTION:
        if field in command:
            raise CommandError(20, "Transaction numbers are only allowed on a replica set member or mongos")
    _check_database(request)
    rules = COMMANDS.get(name)
    if rules is None:
        return
    rules.check(name, command, own=request.name)
    for field in rules.refused & COMMON & command.keys():
        raise CommandError(2, f"cannot set {field} on {name}")
    for field, check_value in _VALUES.items():
        if field in command:
            check_value(command[field])
    if name in NESTED:
        field, nested = NESTED[name]
        for entry in _entries(request, field):
            nested.check(f"{name}.{field}", entry)
    if name == "aggregate":
        _check_aggregate(command)


def _entries(request: Request, field: str) -> Iterable[Mapping[str, Any]]:
    if field in request.sequences:
        if field in request.command:
            raise CommandError(40413, f"'{field}' is given twice: in the body and as a document sequence")
        return request.documents[field]
    listed = request.command.get(field)
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise CommandError(14, f"BSON field '{request.name}.{field}' must be an array of objects")
    return listed


def _check_database(request: Request) -> None:
    name = request.command.get("$db")
    if name is None:
        raise CommandError(40571, "OP_MSG requests require a $db argument")
    if not isinstance(name, str) or not _DATABASE.fullmatch(name):
        raise CommandError(73, f"Invalid database name: '{name}'")


def _check_write_concern(value: Any) -> None:
    if not isinstance(value, dict):
        raise CommandError(14, "BSON field 'writeConcern' must be an object")
    for key in value.keys() - {"w", "j", "wtimeout", "fsync", "provenance"}:
        raise CommandError(40415, f"BSON field 'writeConcern.{key}' is an unknown field.")
    w = value.get("w", 1)
    if isinstance(w, str) and w != "majority":
        raise CommandError(2, f"cannot use non-majority 'w' mode {w} when a host is not a member of a replica set")
    if not isinstance(w, str | int) or (isinstance(w, int) and not 0 <= w <= 1):
        raise CommandError(2, "cannot use 'w' > 1 when a host is not replicated")


def _check_read_concern(value: Any) -> None:
    if not isinstance(value, dict):
        raise CommandError(14, "BSON field 'readConcern' must be an object")
    for key in value.keys() - {"level", "provenance"}:
        raise CommandError(20, f"Cannot specify {key} readConcern without replication enabled")
    if value.get("level", "local") not in ("local", "available", "majority"):
        raise CommandError(123, f"readConcern level {value['level']} needs a replica set")


def _check_time(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise CommandError(14, "BSON field 'maxTimeMS' must be a whole number")
    if not 0 <= value <= 0x7FFFFFFF:
        raise CommandError(2, f"{value} value for maxTimeMS is out of range")


def _check_api_version(value: Any) -> None:
    if value != "1":
        raise CommandError(322, 'API version must be "1"')


def _must_be_false(name: str) -> Callable[[Any], None]:
    def check_value(value: Any) -> None:
        if value:
            raise CommandError(323, f"{name} is not supported by this store")

    return check_value


_VALUES: Mapping[str, Callable[[Any], None]] = {
    "writeConcern": _check_write_concern,
    "readConcern": _check_read_concern,
    "maxTimeMS": _check_time,
    "apiVersion": _check_api_version,
    "apiStrict": _must_be_false("apiStrict"),
    "apiDeprecationErrors": _must_be_false("apiDeprecationErrors"),
}


def _check_aggregate(command: Mapping[str, Any]) -> None:
    pipeline = command.get("pipeline")
    if not isinstance(pipeline, list):
        raise CommandError(14, "BSON field 'aggregate.pipeline' must be an array")
    if any(isinstance(stage, dict) and "$changeStream" in stage for stage in pipeline):
        raise CommandError(40573, "The $changeStream stage is only supported on replica sets")
    if not isinstance(command.get("cursor"), dict):
        raise CommandError(9, "The 'cursor' option is required, except for aggregate with the explain argument")
