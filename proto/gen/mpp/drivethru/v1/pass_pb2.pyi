import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.applications.v1 import application_pb2 as _application_pb2
from mpp.catalog.v1 import site_pb2 as _site_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Pass(_message.Message):
    __slots__ = ("name", "ticket", "number", "agency", "offering", "state", "lane", "counter", "stages", "next_stage", "masked_plate", "cause", "applications", "registered_at", "called_at", "ended_at")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Pass.State]
        STATE_WAITING: _ClassVar[Pass.State]
        STATE_CALLED: _ClassVar[Pass.State]
        STATE_IN_LANE: _ClassVar[Pass.State]
        STATE_DONE: _ClassVar[Pass.State]
        STATE_ASIDE: _ClassVar[Pass.State]
        STATE_ABANDONED: _ClassVar[Pass.State]
    STATE_UNSPECIFIED: Pass.State
    STATE_WAITING: Pass.State
    STATE_CALLED: Pass.State
    STATE_IN_LANE: Pass.State
    STATE_DONE: Pass.State
    STATE_ASIDE: Pass.State
    STATE_ABANDONED: Pass.State
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[Pass.Cause]
        CAUSE_INCOMPLETE_DOCUMENTS: _ClassVar[Pass.Cause]
        CAUSE_PAYMENT: _ClassVar[Pass.Cause]
        CAUSE_IDENTITY: _ClassVar[Pass.Cause]
        CAUSE_EQUIPMENT: _ClassVar[Pass.Cause]
        CAUSE_OTHER: _ClassVar[Pass.Cause]
        CAUSE_TRANSFERRED: _ClassVar[Pass.Cause]
        CAUSE_NO_SHOW: _ClassVar[Pass.Cause]
        CAUSE_CANCELLED: _ClassVar[Pass.Cause]
        CAUSE_CLOSED_AT_DAY_END: _ClassVar[Pass.Cause]
        CAUSE_SERVED_ELSEWHERE: _ClassVar[Pass.Cause]
    CAUSE_UNSPECIFIED: Pass.Cause
    CAUSE_INCOMPLETE_DOCUMENTS: Pass.Cause
    CAUSE_PAYMENT: Pass.Cause
    CAUSE_IDENTITY: Pass.Cause
    CAUSE_EQUIPMENT: Pass.Cause
    CAUSE_OTHER: Pass.Cause
    CAUSE_TRANSFERRED: Pass.Cause
    CAUSE_NO_SHOW: Pass.Cause
    CAUSE_CANCELLED: Pass.Cause
    CAUSE_CLOSED_AT_DAY_END: Pass.Cause
    CAUSE_SERVED_ELSEWHERE: Pass.Cause
    NAME_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_STAGE_FIELD_NUMBER: _ClassVar[int]
    MASKED_PLATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    APPLICATIONS_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    ticket: str
    number: str
    agency: str
    offering: str
    state: Pass.State
    lane: str
    counter: int
    stages: _containers.RepeatedCompositeFieldContainer[StageTime]
    next_stage: str
    masked_plate: str
    cause: Pass.Cause
    applications: _containers.RepeatedCompositeFieldContainer[PassApplication]
    registered_at: _timestamp_pb2.Timestamp
    called_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., state: _Optional[_Union[Pass.State, str]] = ..., lane: _Optional[str] = ..., counter: _Optional[int] = ..., stages: _Optional[_Iterable[_Union[StageTime, _Mapping]]] = ..., next_stage: _Optional[str] = ..., masked_plate: _Optional[str] = ..., cause: _Optional[_Union[Pass.Cause, str]] = ..., applications: _Optional[_Iterable[_Union[PassApplication, _Mapping]]] = ..., registered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StageTime(_message.Message):
    __slots__ = ("stage", "started_at", "finished_at")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    stage: str
    started_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    def __init__(self, stage: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PassApplication(_message.Message):
    __slots__ = ("application", "state")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    application: str
    state: _application_pb2.Application.State
    def __init__(self, application: _Optional[str] = ..., state: _Optional[_Union[_application_pb2.Application.State, str]] = ...) -> None: ...

class Lane(_message.Message):
    __slots__ = ("name", "display_name", "stages", "called", "waiting", "closed_reason", "closed_text", "opens_at")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    CALLED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    CLOSED_REASON_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TEXT_FIELD_NUMBER: _ClassVar[int]
    OPENS_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: _site_pb2.LocalizedText
    stages: _containers.RepeatedCompositeFieldContainer[LaneStage]
    called: _containers.RepeatedScalarFieldContainer[str]
    waiting: int
    closed_reason: str
    closed_text: _site_pb2.LocalizedText
    opens_at: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., stages: _Optional[_Iterable[_Union[LaneStage, _Mapping]]] = ..., called: _Optional[_Iterable[str]] = ..., waiting: _Optional[int] = ..., closed_reason: _Optional[str] = ..., closed_text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., opens_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LaneStage(_message.Message):
    __slots__ = ("stage", "display_name", "number", "started_at", "finished")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    stage: str
    display_name: _site_pb2.LocalizedText
    number: str
    started_at: _timestamp_pb2.Timestamp
    finished: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, stage: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., number: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished: _Optional[_Iterable[str]] = ...) -> None: ...

class StageReport(_message.Message):
    __slots__ = ("stages", "done", "aside", "abandoned", "median_total")
    STAGES_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ASIDE_FIELD_NUMBER: _ClassVar[int]
    ABANDONED_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_TOTAL_FIELD_NUMBER: _ClassVar[int]
    stages: _containers.RepeatedCompositeFieldContainer[StageStatistics]
    done: int
    aside: int
    abandoned: int
    median_total: _duration_pb2.Duration
    def __init__(self, stages: _Optional[_Iterable[_Union[StageStatistics, _Mapping]]] = ..., done: _Optional[int] = ..., aside: _Optional[int] = ..., abandoned: _Optional[int] = ..., median_total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StageStatistics(_message.Message):
    __slots__ = ("stage", "count", "median", "p90", "declared")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    P90_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    stage: str
    count: int
    median: _duration_pb2.Duration
    p90: _duration_pb2.Duration
    declared: _duration_pb2.Duration
    def __init__(self, stage: _Optional[str] = ..., count: _Optional[int] = ..., median: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., p90: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., declared: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
