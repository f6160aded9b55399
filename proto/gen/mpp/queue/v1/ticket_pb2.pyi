import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.catalog.v1 import offering_pb2 as _offering_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Delivery(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_UNSPECIFIED: _ClassVar[Delivery]
    DELIVERY_RECORDED: _ClassVar[Delivery]

class PriorityGroup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_GROUP_UNSPECIFIED: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_DISABILITY: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_ELDERLY: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_PREGNANT_OR_NURSING: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_CHILD: _ClassVar[PriorityGroup]
    PRIORITY_GROUP_DISASTER_VICTIM: _ClassVar[PriorityGroup]
DELIVERY_UNSPECIFIED: Delivery
DELIVERY_RECORDED: Delivery
PRIORITY_GROUP_UNSPECIFIED: PriorityGroup
PRIORITY_GROUP_DISABILITY: PriorityGroup
PRIORITY_GROUP_ELDERLY: PriorityGroup
PRIORITY_GROUP_PREGNANT_OR_NURSING: PriorityGroup
PRIORITY_GROUP_CHILD: PriorityGroup
PRIORITY_GROUP_DISASTER_VICTIM: PriorityGroup

class Ticket(_message.Message):
    __slots__ = ("name", "number", "day", "state", "offering", "counter", "calls", "issued_at", "called_at", "serving_at", "finished_at", "agency", "priority_group", "applications", "masked_phone", "reason", "channel", "priority_class", "arrived_at", "visit", "appointment", "transferred_from", "transferred_to", "out_of_turn", "delivered", "delivery", "time_inaccurate", "rests_until")
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
        STATE_PARKED: _ClassVar[Ticket.State]
        STATE_TRANSFERRED: _ClassVar[Ticket.State]
    STATE_UNSPECIFIED: Ticket.State
    STATE_WAITING: Ticket.State
    STATE_CALLED: Ticket.State
    STATE_SERVING: Ticket.State
    STATE_FINISHED: Ticket.State
    STATE_MISSED: Ticket.State
    STATE_NO_SHOW: Ticket.State
    STATE_CANCELLED: Ticket.State
    STATE_CLOSED_AT_DAY_END: Ticket.State
    STATE_PARKED: Ticket.State
    STATE_TRANSFERRED: Ticket.State
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
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_CLASS_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_FROM_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_TO_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_TURN_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    TIME_INACCURATE_FIELD_NUMBER: _ClassVar[int]
    RESTS_UNTIL_FIELD_NUMBER: _ClassVar[int]
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
    channel: str
    priority_class: str
    arrived_at: _timestamp_pb2.Timestamp
    visit: str
    appointment: str
    transferred_from: str
    transferred_to: str
    out_of_turn: bool
    delivered: _containers.RepeatedScalarFieldContainer[str]
    delivery: Delivery
    time_inaccurate: bool
    rests_until: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., number: _Optional[str] = ..., day: _Optional[str] = ..., state: _Optional[_Union[Ticket.State, str]] = ..., offering: _Optional[str] = ..., counter: _Optional[int] = ..., calls: _Optional[int] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., serving_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., agency: _Optional[str] = ..., priority_group: _Optional[_Union[PriorityGroup, str]] = ..., applications: _Optional[_Iterable[str]] = ..., masked_phone: _Optional[str] = ..., reason: _Optional[str] = ..., channel: _Optional[str] = ..., priority_class: _Optional[str] = ..., arrived_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., visit: _Optional[str] = ..., appointment: _Optional[str] = ..., transferred_from: _Optional[str] = ..., transferred_to: _Optional[str] = ..., out_of_turn: _Optional[bool] = ..., delivered: _Optional[_Iterable[str]] = ..., delivery: _Optional[_Union[Delivery, str]] = ..., time_inaccurate: _Optional[bool] = ..., rests_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class IssuedTicket(_message.Message):
    __slots__ = ("ticket", "people_ahead", "estimated_wait", "wait_low", "wait_high", "fee")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_AHEAD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_WAIT_FIELD_NUMBER: _ClassVar[int]
    WAIT_LOW_FIELD_NUMBER: _ClassVar[int]
    WAIT_HIGH_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    ticket: Ticket
    people_ahead: int
    estimated_wait: _duration_pb2.Duration
    wait_low: _duration_pb2.Duration
    wait_high: _duration_pb2.Duration
    fee: _offering_pb2.Fee
    def __init__(self, ticket: _Optional[_Union[Ticket, _Mapping]] = ..., people_ahead: _Optional[int] = ..., estimated_wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wait_low: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wait_high: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., fee: _Optional[_Union[_offering_pb2.Fee, _Mapping]] = ...) -> None: ...

class QueueStatus(_message.Message):
    __slots__ = ("name", "agency", "prefix", "counters", "waiting", "estimated_wait", "board", "wait_low", "wait_high", "open", "closed_reason", "opens_at", "closed_text", "closed_text_en", "waiting_by_class")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_WAIT_FIELD_NUMBER: _ClassVar[int]
    BOARD_FIELD_NUMBER: _ClassVar[int]
    WAIT_LOW_FIELD_NUMBER: _ClassVar[int]
    WAIT_HIGH_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLOSED_REASON_FIELD_NUMBER: _ClassVar[int]
    OPENS_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TEXT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TEXT_EN_FIELD_NUMBER: _ClassVar[int]
    WAITING_BY_CLASS_FIELD_NUMBER: _ClassVar[int]
    name: str
    agency: str
    prefix: str
    counters: _containers.RepeatedScalarFieldContainer[int]
    waiting: int
    estimated_wait: _duration_pb2.Duration
    board: _containers.RepeatedCompositeFieldContainer[BoardLine]
    wait_low: _duration_pb2.Duration
    wait_high: _duration_pb2.Duration
    open: bool
    closed_reason: str
    opens_at: _timestamp_pb2.Timestamp
    closed_text: str
    closed_text_en: str
    waiting_by_class: _containers.RepeatedCompositeFieldContainer[ClassWaiting]
    def __init__(self, name: _Optional[str] = ..., agency: _Optional[str] = ..., prefix: _Optional[str] = ..., counters: _Optional[_Iterable[int]] = ..., waiting: _Optional[int] = ..., estimated_wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., board: _Optional[_Iterable[_Union[BoardLine, _Mapping]]] = ..., wait_low: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wait_high: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., open: _Optional[bool] = ..., closed_reason: _Optional[str] = ..., opens_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_text: _Optional[str] = ..., closed_text_en: _Optional[str] = ..., waiting_by_class: _Optional[_Iterable[_Union[ClassWaiting, _Mapping]]] = ...) -> None: ...

class ClassWaiting(_message.Message):
    __slots__ = ("priority_class", "waiting")
    PRIORITY_CLASS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    priority_class: str
    waiting: int
    def __init__(self, priority_class: _Optional[str] = ..., waiting: _Optional[int] = ...) -> None: ...

class BoardLine(_message.Message):
    __slots__ = ("number", "counter", "called_at", "announcement")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCEMENT_FIELD_NUMBER: _ClassVar[int]
    number: str
    counter: int
    called_at: _timestamp_pb2.Timestamp
    announcement: str
    def __init__(self, number: _Optional[str] = ..., counter: _Optional[int] = ..., called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., announcement: _Optional[str] = ...) -> None: ...
