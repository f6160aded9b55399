import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TicketFacts(_message.Message):
    __slots__ = ("day", "channel", "issued_at", "arrived_at", "first_called_at", "last_called_at", "serving_at", "ended_at", "counter", "calls", "turns", "misses", "counter_seconds", "parked_seconds", "appointment", "visit", "transferred", "chosen")
    DAY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    FIRST_CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    SERVING_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    MISSES_FIELD_NUMBER: _ClassVar[int]
    COUNTER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PARKED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    day: str
    channel: str
    issued_at: _timestamp_pb2.Timestamp
    arrived_at: _timestamp_pb2.Timestamp
    first_called_at: _timestamp_pb2.Timestamp
    last_called_at: _timestamp_pb2.Timestamp
    serving_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    counter: int
    calls: int
    turns: int
    misses: int
    counter_seconds: int
    parked_seconds: int
    appointment: bool
    visit: bool
    transferred: bool
    chosen: bool
    def __init__(self, day: _Optional[str] = ..., channel: _Optional[str] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., arrived_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., first_called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., serving_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counter: _Optional[int] = ..., calls: _Optional[int] = ..., turns: _Optional[int] = ..., misses: _Optional[int] = ..., counter_seconds: _Optional[int] = ..., parked_seconds: _Optional[int] = ..., appointment: _Optional[bool] = ..., visit: _Optional[bool] = ..., transferred: _Optional[bool] = ..., chosen: _Optional[bool] = ...) -> None: ...
