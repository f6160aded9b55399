import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from mpp.queue.v1 import appointment_pb2 as _appointment_pb2
from mpp.queue.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListSlotsRequest(_message.Message):
    __slots__ = ("parent", "from_day", "days", "slots", "priority_group", "area")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    FROM_DAY_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    parent: str
    from_day: str
    days: int
    slots: int
    priority_group: _ticket_pb2.PriorityGroup
    area: str
    def __init__(self, parent: _Optional[str] = ..., from_day: _Optional[str] = ..., days: _Optional[int] = ..., slots: _Optional[int] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., area: _Optional[str] = ...) -> None: ...

class ListSlotsResponse(_message.Message):
    __slots__ = ("slots", "first_day", "last_day", "slot_minutes", "max_slots", "variants")
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    SLOT_MINUTES_FIELD_NUMBER: _ClassVar[int]
    MAX_SLOTS_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    slots: _containers.RepeatedCompositeFieldContainer[_appointment_pb2.Slot]
    first_day: str
    last_day: str
    slot_minutes: int
    max_slots: int
    variants: _containers.RepeatedScalarFieldContainer[_appointment_pb2.AppointmentVariant]
    def __init__(self, slots: _Optional[_Iterable[_Union[_appointment_pb2.Slot, _Mapping]]] = ..., first_day: _Optional[str] = ..., last_day: _Optional[str] = ..., slot_minutes: _Optional[int] = ..., max_slots: _Optional[int] = ..., variants: _Optional[_Iterable[_Union[_appointment_pb2.AppointmentVariant, str]]] = ...) -> None: ...

class HoldSlotRequest(_message.Message):
    __slots__ = ("parent", "start", "slots", "offering", "priority_group", "nik", "area", "request_id", "variant", "email", "proof")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    NIK_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    parent: str
    start: _timestamp_pb2.Timestamp
    slots: int
    offering: str
    priority_group: _ticket_pb2.PriorityGroup
    nik: str
    area: str
    request_id: str
    variant: _appointment_pb2.AppointmentVariant
    email: str
    proof: str
    def __init__(self, parent: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., offering: _Optional[str] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., nik: _Optional[str] = ..., area: _Optional[str] = ..., request_id: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., email: _Optional[str] = ..., proof: _Optional[str] = ...) -> None: ...

class ListAnySlotsRequest(_message.Message):
    __slots__ = ("parent", "agendas", "from_day", "days", "slots", "priority_group", "variant", "offering", "region")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    AGENDAS_FIELD_NUMBER: _ClassVar[int]
    FROM_DAY_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    parent: str
    agendas: _containers.RepeatedScalarFieldContainer[str]
    from_day: str
    days: int
    slots: int
    priority_group: _ticket_pb2.PriorityGroup
    variant: _appointment_pb2.AppointmentVariant
    offering: str
    region: str
    def __init__(self, parent: _Optional[str] = ..., agendas: _Optional[_Iterable[str]] = ..., from_day: _Optional[str] = ..., days: _Optional[int] = ..., slots: _Optional[int] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., offering: _Optional[str] = ..., region: _Optional[str] = ...) -> None: ...

class ListAnySlotsResponse(_message.Message):
    __slots__ = ("slots", "agendas")
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    AGENDAS_FIELD_NUMBER: _ClassVar[int]
    slots: _containers.RepeatedCompositeFieldContainer[_appointment_pb2.Slot]
    agendas: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, slots: _Optional[_Iterable[_Union[_appointment_pb2.Slot, _Mapping]]] = ..., agendas: _Optional[_Iterable[str]] = ...) -> None: ...

class HoldAnySlotRequest(_message.Message):
    __slots__ = ("parent", "agendas", "start", "slots", "offering", "priority_group", "nik", "variant", "email", "request_id", "region", "proof")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    AGENDAS_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    NIK_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    parent: str
    agendas: _containers.RepeatedScalarFieldContainer[str]
    start: _timestamp_pb2.Timestamp
    slots: int
    offering: str
    priority_group: _ticket_pb2.PriorityGroup
    nik: str
    variant: _appointment_pb2.AppointmentVariant
    email: str
    request_id: str
    region: str
    proof: str
    def __init__(self, parent: _Optional[str] = ..., agendas: _Optional[_Iterable[str]] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., offering: _Optional[str] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., nik: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., email: _Optional[str] = ..., request_id: _Optional[str] = ..., region: _Optional[str] = ..., proof: _Optional[str] = ...) -> None: ...

class ConfirmAppointmentRequest(_message.Message):
    __slots__ = ("name", "phone", "address", "request_id", "email")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    phone: str
    address: str
    request_id: str
    email: str
    def __init__(self, name: _Optional[str] = ..., phone: _Optional[str] = ..., address: _Optional[str] = ..., request_id: _Optional[str] = ..., email: _Optional[str] = ...) -> None: ...

class RescheduleAppointmentRequest(_message.Message):
    __slots__ = ("name", "start", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    start: _timestamp_pb2.Timestamp
    request_id: str
    def __init__(self, name: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CancelAppointmentRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CheckInRequest(_message.Message):
    __slots__ = ("parent", "booking_code", "name", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    BOOKING_CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    booking_code: str
    name: str
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., booking_code: _Optional[str] = ..., name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CheckInResponse(_message.Message):
    __slots__ = ("appointment", "issued")
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    ISSUED_FIELD_NUMBER: _ClassVar[int]
    appointment: _appointment_pb2.Appointment
    issued: _ticket_pb2.IssuedTicket
    def __init__(self, appointment: _Optional[_Union[_appointment_pb2.Appointment, _Mapping]] = ..., issued: _Optional[_Union[_ticket_pb2.IssuedTicket, _Mapping]] = ...) -> None: ...

class GetAppointmentRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListAppointmentsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "show_ended")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SHOW_ENDED_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    show_ended: bool
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., show_ended: _Optional[bool] = ...) -> None: ...

class ListAppointmentsResponse(_message.Message):
    __slots__ = ("appointments", "next_page_token", "agenda")
    APPOINTMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AGENDA_FIELD_NUMBER: _ClassVar[int]
    appointments: _containers.RepeatedCompositeFieldContainer[_appointment_pb2.Appointment]
    next_page_token: str
    agenda: _appointment_pb2.Agenda
    def __init__(self, appointments: _Optional[_Iterable[_Union[_appointment_pb2.Appointment, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., agenda: _Optional[_Union[_appointment_pb2.Agenda, _Mapping]] = ...) -> None: ...

class ListMyAppointmentsRequest(_message.Message):
    __slots__ = ("parent",)
    PARENT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    def __init__(self, parent: _Optional[str] = ...) -> None: ...

class ListMyAppointmentsResponse(_message.Message):
    __slots__ = ("appointments",)
    APPOINTMENTS_FIELD_NUMBER: _ClassVar[int]
    appointments: _containers.RepeatedCompositeFieldContainer[_appointment_pb2.Appointment]
    def __init__(self, appointments: _Optional[_Iterable[_Union[_appointment_pb2.Appointment, _Mapping]]] = ...) -> None: ...

class ListConflictsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConflictsResponse(_message.Message):
    __slots__ = ("conflicts", "next_page_token")
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    conflicts: _containers.RepeatedCompositeFieldContainer[_appointment_pb2.AppointmentConflict]
    next_page_token: str
    def __init__(self, conflicts: _Optional[_Iterable[_Union[_appointment_pb2.AppointmentConflict, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class BlockSlotsRequest(_message.Message):
    __slots__ = ("parent", "start", "end", "places", "reason", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    places: int
    reason: str
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., places: _Optional[int] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UnblockSlotsRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...
