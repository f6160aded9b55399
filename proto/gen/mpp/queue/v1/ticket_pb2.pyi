import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PriorityGroup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_GROUP_UNSPECIFIED: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_DISABILITY: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_ELDERLY: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_PREGNANT_OR_NURSING: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_CHILD: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_DISASTER_VICTIM: _ClassVar[PriorityGroup]
PRIORITY_GROUP_UNSPECIFIED: PriorityGroup
PRIORITY_GROUP_DISABILITY: PriorityGroup
PRIORITY_GROUP_ELDERLY: PriorityGroup
PRIORITY_GROUP_PREGNANT_OR_NURSING: PriorityGroup
PRIORITY_GROUP_CHILD: PriorityGroup
PRIORITY_GROUP_DISASTER_VICTIM: PriorityGroup

class Ticket(_message.Message):
    __slots__ = ("name", "number", "day", "state", "offering", "counter", "calls", "issued_at", "called_at", "serving_at", "finished_at", "agency", "priority_group", "applications", "masked_phone", "reason")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Ticket.State]
        STATE_WAITING: _ClassVar[Ticket.State]
        STATE_CALLED: _ClassVar[Ticket.State]
        STATE_SERVING: _ClassVar[Ticket.State]
        STATE_FINISHED: _ClassVar[Ticket.State]
        STATE_MISSED: _ClassVar[Ticket.State]
        STATE_NO_SHOW: _ClassVar[Ticket.State]
        STATE_CANCELLED: _ClassVar[Ticket.State]
        STATE_CLOSED_AT_DAY_END: _ClassVar[Ticket.State]
    STATE_UNSPECIFIED: Ticket.State
    STATE_WAITING: Ticket.State
    STATE_CALLED: Ticket.State
    STATE_SERVING: Ticket.State
    STATE_FINISHED: Ticket.State
    STATE_MISSED: Ticket.State
    STATE_NO_SHOW: Ticket.State
    STATE_CANCELLED: Ticket.State
    STATE_CLOSED_AT_DAY_END: Ticket.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    SERVING_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    APPLICATIONS_FIELD_NUMBER: _ClassVar[int]
    MASKED_PHONE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: str
    day: str
    state: Ticket.State
    offering: str
    counter: int
    calls: int
    issued_at: _timestamp_pb2.Timestamp
    called_at: _timestamp_pb2.Timestamp
    serving_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    agency: str
    priority_group: PriorityGroup
    applications: _containers.RepeatedScalarFieldContainer[str]
    masked_phone: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., number: _Optional[str] = ..., day: _Optional[str] = ..., state: _Optional[_Union[Ticket.State, str]] = ..., offering: _Optional[str] = ..., counter: _Optional[int] = ..., calls: _Optional[int] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., serving_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., agency: _Optional[str] = ..., priority_group: _Optional[_Union[PriorityGroup, str]] = ..., applications: _Optional[_Iterable[str]] = ..., masked_phone: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class IssuedTicket(_message.Message):
    __slots__ = ("ticket", "people_ahead", "estimated_wait")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_AHEAD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_WAIT_FIELD_NUMBER: _ClassVar[int]
    ticket: Ticket
    people_ahead: int
    estimated_wait: _duration_pb2.Duration
    def __init__(self, ticket: _Optional[_Union[Ticket, _Mapping]] = ..., people_ahead: _Optional[int] = ..., estimated_wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class QueueStatus(_message.Message):
    __slots__ = ("name", "agency", "prefix", "counters", "waiting", "estimated_wait", "board")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_WAIT_FIELD_NUMBER: _ClassVar[int]
    BOARD_FIELD_NUMBER: _ClassVar[int]
    name: str
    agency: str
    prefix: str
    counters: _containers.RepeatedScalarFieldContainer[int]
    waiting: int
    estimated_wait: _duration_pb2.Duration
    board: _containers.RepeatedCompositeFieldContainer[BoardLine]
    def __init__(self, name: _Optional[str] = ..., agency: _Optional[str] = ..., prefix: _Optional[str] = ..., counters: _Optional[_Iterable[int]] = ..., waiting: _Optional[int] = ..., estimated_wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., board: _Optional[_Iterable[_Union[BoardLine, _Mapping]]] = ...) -> None: ...

class BoardLine(_message.Message):
    __slots__ = ("number", "counter", "called_at")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    number: str
    counter: int
    called_at: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[str] = ..., counter: _Optional[int] = ..., called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
