import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BookingAlarm(_message.Message):
    __slots__ = ("name", "queue", "agency", "origin", "count", "window_minutes", "raised_at", "tickets", "acknowledged_at", "acknowledged_by", "reason", "reach", "subject", "pseudonym")
    class Origin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ORIGIN_UNSPECIFIED: _ClassVar[BookingAlarm.Origin]
        ORIGIN_PHONE: _ClassVar[BookingAlarm.Origin]
        ORIGIN_DEVICE: _ClassVar[BookingAlarm.Origin]
        ORIGIN_PERSON: _ClassVar[BookingAlarm.Origin]
    ORIGIN_UNSPECIFIED: BookingAlarm.Origin
    ORIGIN_PHONE: BookingAlarm.Origin
    ORIGIN_DEVICE: BookingAlarm.Origin
    ORIGIN_PERSON: BookingAlarm.Origin
    class Reach(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REACH_UNSPECIFIED: _ClassVar[BookingAlarm.Reach]
        REACH_QUEUE: _ClassVar[BookingAlarm.Reach]
        REACH_SITE: _ClassVar[BookingAlarm.Reach]
    REACH_UNSPECIFIED: BookingAlarm.Reach
    REACH_QUEUE: BookingAlarm.Reach
    REACH_SITE: BookingAlarm.Reach
    class Subject(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SUBJECT_UNSPECIFIED: _ClassVar[BookingAlarm.Subject]
        SUBJECT_TAKEN: _ClassVar[BookingAlarm.Subject]
        SUBJECT_HELD: _ClassVar[BookingAlarm.Subject]
    SUBJECT_UNSPECIFIED: BookingAlarm.Subject
    SUBJECT_TAKEN: BookingAlarm.Subject
    SUBJECT_HELD: BookingAlarm.Subject
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_MINUTES_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_FIELD_NUMBER: _ClassVar[int]
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REACH_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PSEUDONYM_FIELD_NUMBER: _ClassVar[int]
    name: str
    queue: str
    agency: str
    origin: BookingAlarm.Origin
    count: int
    window_minutes: int
    raised_at: _timestamp_pb2.Timestamp
    tickets: _containers.RepeatedScalarFieldContainer[str]
    acknowledged_at: _timestamp_pb2.Timestamp
    acknowledged_by: str
    reason: str
    reach: BookingAlarm.Reach
    subject: BookingAlarm.Subject
    pseudonym: str
    def __init__(self, name: _Optional[str] = ..., queue: _Optional[str] = ..., agency: _Optional[str] = ..., origin: _Optional[_Union[BookingAlarm.Origin, str]] = ..., count: _Optional[int] = ..., window_minutes: _Optional[int] = ..., raised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tickets: _Optional[_Iterable[str]] = ..., acknowledged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_by: _Optional[str] = ..., reason: _Optional[str] = ..., reach: _Optional[_Union[BookingAlarm.Reach, str]] = ..., subject: _Optional[_Union[BookingAlarm.Subject, str]] = ..., pseudonym: _Optional[str] = ...) -> None: ...

class ListBookingAlarmsRequest(_message.Message):
    __slots__ = ("parent", "open_only", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    OPEN_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    open_only: bool
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., open_only: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBookingAlarmsResponse(_message.Message):
    __slots__ = ("alarms", "next_page_token")
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    alarms: _containers.RepeatedCompositeFieldContainer[BookingAlarm]
    next_page_token: str
    def __init__(self, alarms: _Optional[_Iterable[_Union[BookingAlarm, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AcknowledgeBookingAlarmRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...
