import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Counter(_message.Message):
    __slots__ = ("name", "number", "queue", "agency", "state", "since", "officer", "offerings", "appointments_only", "opened_at", "planned_close", "pause_reason", "ticket", "ticket_number", "ticket_since", "alarm_open")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Counter.State]
        STATE_CLOSED: _ClassVar[Counter.State]
        STATE_OPEN: _ClassVar[Counter.State]
        STATE_PAUSED: _ClassVar[Counter.State]
    STATE_UNSPECIFIED: Counter.State
    STATE_CLOSED: Counter.State
    STATE_OPEN: Counter.State
    STATE_PAUSED: Counter.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    OFFERINGS_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENTS_ONLY_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    PLANNED_CLOSE_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    TICKET_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TICKET_SINCE_FIELD_NUMBER: _ClassVar[int]
    ALARM_OPEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: int
    queue: str
    agency: str
    state: Counter.State
    since: _timestamp_pb2.Timestamp
    officer: str
    offerings: _containers.RepeatedScalarFieldContainer[str]
    appointments_only: bool
    opened_at: _timestamp_pb2.Timestamp
    planned_close: _timestamp_pb2.Timestamp
    pause_reason: str
    ticket: str
    ticket_number: str
    ticket_since: _timestamp_pb2.Timestamp
    alarm_open: bool
    def __init__(self, name: _Optional[str] = ..., number: _Optional[int] = ..., queue: _Optional[str] = ..., agency: _Optional[str] = ..., state: _Optional[_Union[Counter.State, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., officer: _Optional[str] = ..., offerings: _Optional[_Iterable[str]] = ..., appointments_only: _Optional[bool] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., planned_close: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pause_reason: _Optional[str] = ..., ticket: _Optional[str] = ..., ticket_number: _Optional[str] = ..., ticket_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., alarm_open: _Optional[bool] = ...) -> None: ...

class CounterAlarm(_message.Message):
    __slots__ = ("counter", "number", "agency", "raised_at", "presses", "last_pressed_at", "acknowledged_at")
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_FIELD_NUMBER: _ClassVar[int]
    PRESSES_FIELD_NUMBER: _ClassVar[int]
    LAST_PRESSED_AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    counter: str
    number: int
    agency: str
    raised_at: _timestamp_pb2.Timestamp
    presses: int
    last_pressed_at: _timestamp_pb2.Timestamp
    acknowledged_at: _timestamp_pb2.Timestamp
    def __init__(self, counter: _Optional[str] = ..., number: _Optional[int] = ..., agency: _Optional[str] = ..., raised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., presses: _Optional[int] = ..., last_pressed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
