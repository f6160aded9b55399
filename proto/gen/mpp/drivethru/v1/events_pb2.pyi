import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.drivethru.v1 import pass_pb2 as _pass_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PassRegistered(_message.Message):
    __slots__ = ("pass_name", "ticket", "number", "agency", "offering", "registered_at")
    PASS_NAME_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    pass_name: str
    ticket: str
    number: str
    agency: str
    offering: str
    registered_at: _timestamp_pb2.Timestamp
    def __init__(self, pass_name: _Optional[str] = ..., ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., registered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PassAdvanced(_message.Message):
    __slots__ = ("pass_name", "number", "agency", "lane", "step", "stage", "at", "seconds")
    class Step(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STEP_UNSPECIFIED: _ClassVar[PassAdvanced.Step]
        STEP_CALLED: _ClassVar[PassAdvanced.Step]
        STEP_BACK_TO_WAITING: _ClassVar[PassAdvanced.Step]
        STEP_STAGE_STARTED: _ClassVar[PassAdvanced.Step]
        STEP_STAGE_FINISHED: _ClassVar[PassAdvanced.Step]
    STEP_UNSPECIFIED: PassAdvanced.Step
    STEP_CALLED: PassAdvanced.Step
    STEP_BACK_TO_WAITING: PassAdvanced.Step
    STEP_STAGE_STARTED: PassAdvanced.Step
    STEP_STAGE_FINISHED: PassAdvanced.Step
    PASS_NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    pass_name: str
    number: str
    agency: str
    lane: str
    step: PassAdvanced.Step
    stage: str
    at: _timestamp_pb2.Timestamp
    seconds: int
    def __init__(self, pass_name: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., lane: _Optional[str] = ..., step: _Optional[_Union[PassAdvanced.Step, str]] = ..., stage: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seconds: _Optional[int] = ...) -> None: ...

class PassEnded(_message.Message):
    __slots__ = ("pass_name", "ticket", "number", "agency", "offering", "lane", "state", "cause", "ended_at", "seconds")
    PASS_NAME_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    pass_name: str
    ticket: str
    number: str
    agency: str
    offering: str
    lane: str
    state: _pass_pb2.Pass.State
    cause: _pass_pb2.Pass.Cause
    ended_at: _timestamp_pb2.Timestamp
    seconds: int
    def __init__(self, pass_name: _Optional[str] = ..., ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., lane: _Optional[str] = ..., state: _Optional[_Union[_pass_pb2.Pass.State, str]] = ..., cause: _Optional[_Union[_pass_pb2.Pass.Cause, str]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seconds: _Optional[int] = ...) -> None: ...
