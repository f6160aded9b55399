import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.applications.v1 import application_pb2 as _application_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ApplicationOpened(_message.Message):
    __slots__ = ("application", "offering", "agency", "ticket", "opened_at", "sealed_phone")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    application: str
    offering: str
    agency: str
    ticket: str
    opened_at: _timestamp_pb2.Timestamp
    sealed_phone: str
    def __init__(self, application: _Optional[str] = ..., offering: _Optional[str] = ..., agency: _Optional[str] = ..., ticket: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sealed_phone: _Optional[str] = ...) -> None: ...

class ApplicationAdvanced(_message.Message):
    __slots__ = ("application", "offering", "agency", "ticket", "from_state", "state", "reason", "at", "due_at", "sealed_phone", "sealed_pickup_code")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    FROM_STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    SEALED_PICKUP_CODE_FIELD_NUMBER: _ClassVar[int]
    application: str
    offering: str
    agency: str
    ticket: str
    from_state: _application_pb2.Application.State
    state: _application_pb2.Application.State
    reason: str
    at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    sealed_phone: str
    sealed_pickup_code: str
    def __init__(self, application: _Optional[str] = ..., offering: _Optional[str] = ..., agency: _Optional[str] = ..., ticket: _Optional[str] = ..., from_state: _Optional[_Union[_application_pb2.Application.State, str]] = ..., state: _Optional[_Union[_application_pb2.Application.State, str]] = ..., reason: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sealed_phone: _Optional[str] = ..., sealed_pickup_code: _Optional[str] = ...) -> None: ...

class ApplicationFlagged(_message.Message):
    __slots__ = ("application", "agency", "flag", "due_at", "at")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    application: str
    agency: str
    flag: _application_pb2.Application.Flag
    due_at: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    def __init__(self, application: _Optional[str] = ..., agency: _Optional[str] = ..., flag: _Optional[_Union[_application_pb2.Application.Flag, str]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
