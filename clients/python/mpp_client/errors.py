"""What went wrong, in the platform's words. Knows google.rpc's error details; knows no connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """`field` as in the proto: `parent`, `site.name`."""

    field: str
    description: str


class MppError(Exception):
    """An error of the platform. `reason` is stable (`QUEUE_EMPTY`, `INVALID_FIELD`), the message is for people."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        reason: str = "",
        fields: tuple[FieldViolation, ...] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        named = "".join(f"; {one.field}: {one.description}" for one in fields)
        super().__init__(f"{reason or code.name}: {message}{named}")
        self.code, self.message, self.reason, self.fields = code, message, reason, fields
        self.metadata = dict(metadata or {})

    @property
    def retryable(self) -> bool:
        """Whether the same call may be sent again: the platform, or the way to it, was not there."""
        return self.code is grpc.StatusCode.UNAVAILABLE


def from_call(error: grpc.RpcError) -> MppError:
    """The error that a call ended with."""
    code, message = error.code(), error.details() or ""
    reason, metadata = "", {}
    fields: list[FieldViolation] = []
    for detail in _details(error):
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            fields += [FieldViolation(v.field, v.description) for v in bad.field_violations]
    return MppError(code, message, reason, tuple(fields), metadata)


def _details(error: grpc.RpcError) -> list[any_pb2.Any]:
    trailers: Any = error.trailing_metadata() or ()
    for name, value in trailers:
        if name == _DETAILS:
            try:
                return list(status_pb2.Status.FromString(value).details)
            except DecodeError:  # of something between us and the platform
                return []
    return []
