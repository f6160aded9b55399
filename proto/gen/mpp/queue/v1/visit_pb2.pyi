import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.catalog.v1 import offering_pb2 as _offering_pb2
from mpp.queue.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Visit(_message.Message):
    __slots__ = ("name", "day", "started_at", "cancelled", "stops", "estimated_total")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    STOPS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_TOTAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    day: str
    started_at: _timestamp_pb2.Timestamp
    cancelled: bool
    stops: _containers.RepeatedCompositeFieldContainer[VisitStop]
    estimated_total: _duration_pb2.Duration
    def __init__(self, name: _Optional[str] = ..., day: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cancelled: _Optional[bool] = ..., stops: _Optional[_Iterable[_Union[VisitStop, _Mapping]]] = ..., estimated_total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class VisitStop(_message.Message):
    __slots__ = ("queue", "offering", "ticket", "refused_reason", "people_ahead", "estimated_wait", "estimated_service", "fee")
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REFUSED_REASON_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_AHEAD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_WAIT_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_SERVICE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    queue: str
    offering: str
    ticket: _ticket_pb2.Ticket
    refused_reason: str
    people_ahead: int
    estimated_wait: _duration_pb2.Duration
    estimated_service: _duration_pb2.Duration
    fee: _offering_pb2.Fee
    def __init__(self, queue: _Optional[str] = ..., offering: _Optional[str] = ..., ticket: _Optional[_Union[_ticket_pb2.Ticket, _Mapping]] = ..., refused_reason: _Optional[str] = ..., people_ahead: _Optional[int] = ..., estimated_wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., estimated_service: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., fee: _Optional[_Union[_offering_pb2.Fee, _Mapping]] = ...) -> None: ...
