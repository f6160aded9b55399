"""MongoDB's error codes that a client of this front can meet, and the engine's states that lead to them.

Knows codes and names (from MongoDB's public list of error codes); never runs anything. The engine packs its own
MongoDB-compatible errors into SQLSTATEs of class M: the digits after the M are an ordinal in its list.
"""

from __future__ import annotations

import re
from typing import Any

import bson

from mpp_devstack.wirefront.postgres import SqlError
from mpp_devstack.wirefront.wire import OPTIONS

NAMES = {
    1: "InternalError",
    2: "BadValue",
    9: "FailedToParse",
    13: "Unauthorized",
    14: "TypeMismatch",
    15: "Overflow",
    20: "IllegalOperation",
    26: "NamespaceNotFound",
    27: "IndexNotFound",
    28: "PathNotViable",
    40: "ConflictingUpdateOperators",
    43: "CursorNotFound",
    46: "LockTimeout",
    48: "NamespaceExists",
    50: "MaxTimeMSExpired",
    52: "DollarPrefixedFieldName",
    54: "NotSingleValueField",
    59: "CommandNotFound",
    66: "ImmutableField",
    67: "CannotCreateIndex",
    68: "IndexAlreadyExists",
    72: "InvalidOptions",
    73: "InvalidNamespace",
    85: "IndexOptionsConflict",
    86: "IndexKeySpecsConflict",
    91: "ShutdownInProgress",
    96: "OperationFailed",
    112: "WriteConflict",
    115: "CommandNotSupported",
    121: "DocumentValidationFailure",
    123: "NotAReplicaSet",
    166: "CommandNotSupportedOnView",
    197: "InvalidIndexSpecificationOption",
    211: "KeyNotFound",
    238: "NotImplemented",
    263: "OperationNotSupportedInTransaction",
    10334: "BSONObjectTooLarge",
    11000: "DuplicateKey",
    322: "APIVersionError",
    323: "APIStrictError",
    352: "UnsupportedOpQueryCommand",
    40324: "UnrecognizedPipelineStage",
    40415: "IDLUnknownField",
}


class CommandError(Exception):
    """A command is refused: becomes an `ok: 0` reply with MongoDB's own code."""

    def __init__(self, code: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.extra = extra

    def document(self) -> dict[str, Any]:
        name = NAMES.get(self.code, f"Location{self.code}")
        return {"ok": 0.0, "errmsg": self.message, "code": self.code, "codeName": name, **self.extra}


_ENGINE = {
    "M0000": 1,
    "M0001": 2,
    "M0003": 9,
    "M0004": 14,
    "M0005": 15,
    "M0006": 20,
    "M0008": 26,
    "M0009": 27,
    "M000A": 28,
    "M000D": 40,
    "M000E": 43,
    "M000F": 48,
    "M000G": 52,
    "M000I": 54,
    "M000J": 56,
    "M000K": 57,
    "M000M": 66,
    "M000N": 67,
    "M000O": 68,
    "M000P": 72,
    "M000Q": 73,
    "M000R": 85,
    "M000S": 86,
    "M000U": 115,
    "M000W": 146,
    "M000Z": 166,
    "M0012": 197,
    "M0015": 241,
    "M0016": 263,
    "M00CO": 121,
    "M001B": 10334,
    "M001C": 11000,
    "M007U": 40324,
    "M0088": 40415,
    "23505": 11000,
    "23P01": 11000,
    "40001": 112,
    "40P01": 112,
    "55P03": 46,
    "42P01": 26,
    "57014": 50,
    "0A000": 115,
    "53300": 91,
    "57P01": 91,
    "57P02": 91,
    "57P03": 91,
    "54000": 10334,
}
_DUPLICATE = re.compile(r"[Ii]ndex '?([^'\s]+)'?")


def code_of(state: str) -> int:
    """MongoDB's code for an engine state; 96 (OperationFailed) for one of its own that is not in our table."""
    known = _ENGINE.get(state)
    return known if known is not None else 96 if state.startswith("M") else 1


def engine_error(error: SqlError, namespace: str = "") -> CommandError:
    """The refusal that a client sees for an error of the engine."""
    code = code_of(error.state)
    return CommandError(code, duplicate_text(error.message, namespace) if code == 11000 else error.message)


def duplicate_text(text: str, namespace: str) -> str:
    """MongoDB's form of the message, from the engine's, which names the index only."""
    found = _DUPLICATE.search(text)
    return f"E11000 duplicate key error collection: {namespace} index: {found[1] if found else '?'}"


def duplicate_index(text: str) -> str:
    """The index that a message of `duplicate_text` names."""
    return text.rpartition("index: ")[2]


def unpack_state(packed: int) -> str:
    """The SQLSTATE that PostgreSQL packs into an integer, six bits a character (MAKE_SQLSTATE)."""
    return "".join(chr((packed >> (6 * place) & 63) + 48) for place in range(5))


def repair_write_errors(raw: bytes, namespace: str) -> dict[str, Any]:
    """The engine reports per-document errors with packed SQLSTATEs: put MongoDB's codes in their place."""
    answer: dict[str, Any] = bson.decode(raw, OPTIONS)
    for error in answer.get("writeErrors", ()):
        error["code"] = code_of(unpack_state(error["code"]))
        if error["code"] == 11000:
            error["errmsg"] = duplicate_text(error["errmsg"], namespace)
    return answer
