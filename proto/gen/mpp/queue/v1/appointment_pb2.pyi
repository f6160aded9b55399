import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.queue.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AppointmentVariant(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    APPOINTMENT_VARIANT_UNSPECIFIED: _ClassVar[AppointmentVariant]
    APPOINTMENT_VARIANT_ON_SITE: _ClassVar[AppointmentVariant]
    APPOINTMENT_VARIANT_PHONE: _ClassVar[AppointmentVariant]
    APPOINTMENT_VARIANT_VIDEO: _ClassVar[AppointmentVariant]
APPOINTMENT_VARIANT_UNSPECIFIED: AppointmentVariant
APPOINTMENT_VARIANT_ON_SITE: AppointmentVariant
APPOINTMENT_VARIANT_PHONE: AppointmentVariant
APPOINTMENT_VARIANT_VIDEO: AppointmentVariant

class Appointment(_message.Message):
    __slots__ = ("name", "state", "start", "end", "slots", "agency", "offering", "priority_group", "internal", "hold_until", "booking_code", "masked_nik", "masked_phone", "address", "has_address", "area", "ticket", "arrived_at", "late", "replaces", "replaced_by", "reason", "history", "variant", "video_link", "masked_email")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Appointment.State]
        STATE_HELD: _ClassVar[Appointment.State]
        STATE_CONFIRMED: _ClassVar[Appointment.State]
        STATE_CHECKED_IN: _ClassVar[Appointment.State]
        STATE_FULFILLED: _ClassVar[Appointment.State]
        STATE_RESCHEDULED: _ClassVar[Appointment.State]
        STATE_NO_SHOW: _ClassVar[Appointment.State]
        STATE_CANCELLED: _ClassVar[Appointment.State]
        STATE_EXPIRED: _ClassVar[Appointment.State]
    STATE_UNSPECIFIED: Appointment.State
    STATE_HELD: Appointment.State
    STATE_CONFIRMED: Appointment.State
    STATE_CHECKED_IN: Appointment.State
    STATE_FULFILLED: Appointment.State
    STATE_RESCHEDULED: Appointment.State
    STATE_NO_SHOW: Appointment.State
    STATE_CANCELLED: Appointment.State
    STATE_EXPIRED: Appointment.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    HOLD_UNTIL_FIELD_NUMBER: _ClassVar[int]
    BOOKING_CODE_FIELD_NUMBER: _ClassVar[int]
    MASKED_NIK_FIELD_NUMBER: _ClassVar[int]
    MASKED_PHONE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    HAS_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    REPLACED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    VIDEO_LINK_FIELD_NUMBER: _ClassVar[int]
    MASKED_EMAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: Appointment.State
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    slots: int
    agency: str
    offering: str
    priority_group: _ticket_pb2.PriorityGroup
    internal: bool
    hold_until: _timestamp_pb2.Timestamp
    booking_code: str
    masked_nik: str
    masked_phone: str
    address: str
    has_address: bool
    area: str
    ticket: str
    arrived_at: _timestamp_pb2.Timestamp
    late: bool
    replaces: str
    replaced_by: str
    reason: str
    history: _containers.RepeatedCompositeFieldContainer[AppointmentChange]
    variant: AppointmentVariant
    video_link: str
    masked_email: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[Appointment.State, str]] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., internal: _Optional[bool] = ..., hold_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., booking_code: _Optional[str] = ..., masked_nik: _Optional[str] = ..., masked_phone: _Optional[str] = ..., address: _Optional[str] = ..., has_address: _Optional[bool] = ..., area: _Optional[str] = ..., ticket: _Optional[str] = ..., arrived_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., late: _Optional[bool] = ..., replaces: _Optional[str] = ..., replaced_by: _Optional[str] = ..., reason: _Optional[str] = ..., history: _Optional[_Iterable[_Union[AppointmentChange, _Mapping]]] = ..., variant: _Optional[_Union[AppointmentVariant, str]] = ..., video_link: _Optional[str] = ..., masked_email: _Optional[str] = ...) -> None: ...

class AppointmentChange(_message.Message):
    __slots__ = ("at", "state", "actor", "note")
    AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    state: Appointment.State
    actor: str
    note: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[Appointment.State, str]] = ..., actor: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class Slot(_message.Message):
    __slots__ = ("start", "end", "day", "time", "free")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    day: str
    time: str
    free: int
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., day: _Optional[str] = ..., time: _Optional[str] = ..., free: _Optional[int] = ...) -> None: ...

class SlotUse(_message.Message):
    __slots__ = ("start", "end", "time", "places", "taken", "blocked", "free", "free_internal")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    FREE_INTERNAL_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    time: str
    places: int
    taken: int
    blocked: int
    free: int
    free_internal: int
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time: _Optional[str] = ..., places: _Optional[int] = ..., taken: _Optional[int] = ..., blocked: _Optional[int] = ..., free: _Optional[int] = ..., free_internal: _Optional[int] = ...) -> None: ...

class SlotBlock(_message.Message):
    __slots__ = ("name", "start", "end", "places", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    places: int
    reason: str
    def __init__(self, name: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., places: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Agenda(_message.Message):
    __slots__ = ("name", "slots", "blocks")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    name: str
    slots: _containers.RepeatedCompositeFieldContainer[SlotUse]
    blocks: _containers.RepeatedCompositeFieldContainer[SlotBlock]
    def __init__(self, name: _Optional[str] = ..., slots: _Optional[_Iterable[_Union[SlotUse, _Mapping]]] = ..., blocks: _Optional[_Iterable[_Union[SlotBlock, _Mapping]]] = ...) -> None: ...

class AppointmentConflict(_message.Message):
    __slots__ = ("appointment", "reason", "proposed")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[AppointmentConflict.Reason]
        REASON_CLOSED_DAY: _ClassVar[AppointmentConflict.Reason]
        REASON_OUTSIDE_HOURS: _ClassVar[AppointmentConflict.Reason]
        REASON_OVER_CAPACITY: _ClassVar[AppointmentConflict.Reason]
        REASON_BLOCKED: _ClassVar[AppointmentConflict.Reason]
        REASON_AREA_NOT_SERVED: _ClassVar[AppointmentConflict.Reason]
    REASON_UNSPECIFIED: AppointmentConflict.Reason
    REASON_CLOSED_DAY: AppointmentConflict.Reason
    REASON_OUTSIDE_HOURS: AppointmentConflict.Reason
    REASON_OVER_CAPACITY: AppointmentConflict.Reason
    REASON_BLOCKED: AppointmentConflict.Reason
    REASON_AREA_NOT_SERVED: AppointmentConflict.Reason
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    appointment: Appointment
    reason: AppointmentConflict.Reason
    proposed: _containers.RepeatedCompositeFieldContainer[Slot]
    def __init__(self, appointment: _Optional[_Union[Appointment, _Mapping]] = ..., reason: _Optional[_Union[AppointmentConflict.Reason, str]] = ..., proposed: _Optional[_Iterable[_Union[Slot, _Mapping]]] = ...) -> None: ...
