import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from mpp.queue.v1 import appointment_pb2 as _appointment_pb2
from mpp.queue.v1 import facts_pb2 as _facts_pb2
from mpp.queue.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TicketIssued(_message.Message):
    __slots__ = ("ticket", "number", "agency", "offering", "day", "issued_at", "priority_group", "sealed_phone", "people_ahead", "estimated_wait_minutes", "channel", "priority_class", "arrived_at", "wait_low_minutes", "wait_high_minutes", "visit", "appointment", "transferred_from", "person_key", "phone_key", "device_key")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_AHEAD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_WAIT_MINUTES_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_CLASS_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    WAIT_LOW_MINUTES_FIELD_NUMBER: _ClassVar[int]
    WAIT_HIGH_MINUTES_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_FROM_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEY_FIELD_NUMBER: _ClassVar[int]
    PHONE_KEY_FIELD_NUMBER: _ClassVar[int]
    DEVICE_KEY_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    number: str
    agency: str
    offering: str
    day: str
    issued_at: _timestamp_pb2.Timestamp
    priority_group: _ticket_pb2.PriorityGroup
    sealed_phone: str
    people_ahead: int
    estimated_wait_minutes: int
    channel: str
    priority_class: str
    arrived_at: _timestamp_pb2.Timestamp
    wait_low_minutes: int
    wait_high_minutes: int
    visit: str
    appointment: str
    transferred_from: str
    person_key: str
    phone_key: str
    device_key: str
    def __init__(self, ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., day: _Optional[str] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., sealed_phone: _Optional[str] = ..., people_ahead: _Optional[int] = ..., estimated_wait_minutes: _Optional[int] = ..., channel: _Optional[str] = ..., priority_class: _Optional[str] = ..., arrived_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., wait_low_minutes: _Optional[int] = ..., wait_high_minutes: _Optional[int] = ..., visit: _Optional[str] = ..., appointment: _Optional[str] = ..., transferred_from: _Optional[str] = ..., person_key: _Optional[str] = ..., phone_key: _Optional[str] = ..., device_key: _Optional[str] = ...) -> None: ...

class TicketCalled(_message.Message):
    __slots__ = ("ticket", "number", "agency", "counter", "calls", "called_at", "sealed_phone", "announcement", "offering", "day", "channel", "priority_class", "issued_at", "arrived_at", "waited_seconds", "out_of_turn", "resumed")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCEMENT_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_CLASS_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    WAITED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_TURN_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    number: str
    agency: str
    counter: int
    calls: int
    called_at: _timestamp_pb2.Timestamp
    sealed_phone: str
    announcement: str
    offering: str
    day: str
    channel: str
    priority_class: str
    issued_at: _timestamp_pb2.Timestamp
    arrived_at: _timestamp_pb2.Timestamp
    waited_seconds: int
    out_of_turn: bool
    resumed: bool
    def __init__(self, ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., counter: _Optional[int] = ..., calls: _Optional[int] = ..., called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sealed_phone: _Optional[str] = ..., announcement: _Optional[str] = ..., offering: _Optional[str] = ..., day: _Optional[str] = ..., channel: _Optional[str] = ..., priority_class: _Optional[str] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., arrived_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waited_seconds: _Optional[int] = ..., out_of_turn: _Optional[bool] = ..., resumed: _Optional[bool] = ...) -> None: ...

class TicketServing(_message.Message):
    __slots__ = ("ticket", "number", "agency", "offering", "counter", "issued_at", "serving_at", "waited_seconds", "walking_seconds", "day", "channel", "arrived_at", "called_at")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    SERVING_AT_FIELD_NUMBER: _ClassVar[int]
    WAITED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WALKING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    number: str
    agency: str
    offering: str
    counter: int
    issued_at: _timestamp_pb2.Timestamp
    serving_at: _timestamp_pb2.Timestamp
    waited_seconds: int
    walking_seconds: int
    day: str
    channel: str
    arrived_at: _timestamp_pb2.Timestamp
    called_at: _timestamp_pb2.Timestamp
    def __init__(self, ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., counter: _Optional[int] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., serving_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waited_seconds: _Optional[int] = ..., walking_seconds: _Optional[int] = ..., day: _Optional[str] = ..., channel: _Optional[str] = ..., arrived_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TicketEnded(_message.Message):
    __slots__ = ("ticket", "number", "agency", "offering", "state", "reason", "ended_at", "waited_seconds", "served_seconds", "counter", "sealed_phone", "facts", "priority_class", "delivered", "delivery", "time_inaccurate", "person_key")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    WAITED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SERVED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_CLASS_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    TIME_INACCURATE_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEY_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    number: str
    agency: str
    offering: str
    state: _ticket_pb2.Ticket.State
    reason: str
    ended_at: _timestamp_pb2.Timestamp
    waited_seconds: int
    served_seconds: int
    counter: int
    sealed_phone: str
    facts: _facts_pb2.TicketFacts
    priority_class: str
    delivered: _containers.RepeatedScalarFieldContainer[str]
    delivery: _ticket_pb2.Delivery
    time_inaccurate: bool
    person_key: str
    def __init__(self, ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., state: _Optional[_Union[_ticket_pb2.Ticket.State, str]] = ..., reason: _Optional[str] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waited_seconds: _Optional[int] = ..., served_seconds: _Optional[int] = ..., counter: _Optional[int] = ..., sealed_phone: _Optional[str] = ..., facts: _Optional[_Union[_facts_pb2.TicketFacts, _Mapping]] = ..., priority_class: _Optional[str] = ..., delivered: _Optional[_Iterable[str]] = ..., delivery: _Optional[_Union[_ticket_pb2.Delivery, str]] = ..., time_inaccurate: _Optional[bool] = ..., person_key: _Optional[str] = ...) -> None: ...

class TicketParked(_message.Message):
    __slots__ = ("ticket", "number", "agency", "offering", "counter", "parked_at", "day")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    PARKED_AT_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    number: str
    agency: str
    offering: str
    counter: int
    parked_at: _timestamp_pb2.Timestamp
    day: str
    def __init__(self, ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., counter: _Optional[int] = ..., parked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., day: _Optional[str] = ...) -> None: ...

class TicketReturned(_message.Message):
    __slots__ = ("ticket", "number", "agency", "offering", "cause", "returned_at", "counter", "state", "day")
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[TicketReturned.Cause]
        CAUSE_UNDONE: _ClassVar[TicketReturned.Cause]
        CAUSE_REQUEUED: _ClassVar[TicketReturned.Cause]
    CAUSE_UNSPECIFIED: TicketReturned.Cause
    CAUSE_UNDONE: TicketReturned.Cause
    CAUSE_REQUEUED: TicketReturned.Cause
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    RETURNED_AT_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    number: str
    agency: str
    offering: str
    cause: TicketReturned.Cause
    returned_at: _timestamp_pb2.Timestamp
    counter: int
    state: _ticket_pb2.Ticket.State
    day: str
    def __init__(self, ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., cause: _Optional[_Union[TicketReturned.Cause, str]] = ..., returned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counter: _Optional[int] = ..., state: _Optional[_Union[_ticket_pb2.Ticket.State, str]] = ..., day: _Optional[str] = ...) -> None: ...

class TicketTransferred(_message.Message):
    __slots__ = ("ticket", "number", "agency", "offering", "child", "target", "target_offering", "reason", "transferred_at", "counter", "waited_seconds", "served_seconds", "sealed_phone", "facts", "priority_class")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    CHILD_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TARGET_OFFERING_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_AT_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    WAITED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SERVED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_CLASS_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    number: str
    agency: str
    offering: str
    child: str
    target: str
    target_offering: str
    reason: str
    transferred_at: _timestamp_pb2.Timestamp
    counter: int
    waited_seconds: int
    served_seconds: int
    sealed_phone: str
    facts: _facts_pb2.TicketFacts
    priority_class: str
    def __init__(self, ticket: _Optional[str] = ..., number: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., child: _Optional[str] = ..., target: _Optional[str] = ..., target_offering: _Optional[str] = ..., reason: _Optional[str] = ..., transferred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counter: _Optional[int] = ..., waited_seconds: _Optional[int] = ..., served_seconds: _Optional[int] = ..., sealed_phone: _Optional[str] = ..., facts: _Optional[_Union[_facts_pb2.TicketFacts, _Mapping]] = ..., priority_class: _Optional[str] = ...) -> None: ...

class CounterOpened(_message.Message):
    __slots__ = ("counter", "number", "queue", "agency", "day", "opened_at", "offerings", "appointments_only", "planned_close")
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    OFFERINGS_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENTS_ONLY_FIELD_NUMBER: _ClassVar[int]
    PLANNED_CLOSE_FIELD_NUMBER: _ClassVar[int]
    counter: str
    number: int
    queue: str
    agency: str
    day: str
    opened_at: _timestamp_pb2.Timestamp
    offerings: _containers.RepeatedScalarFieldContainer[str]
    appointments_only: bool
    planned_close: _timestamp_pb2.Timestamp
    def __init__(self, counter: _Optional[str] = ..., number: _Optional[int] = ..., queue: _Optional[str] = ..., agency: _Optional[str] = ..., day: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., offerings: _Optional[_Iterable[str]] = ..., appointments_only: _Optional[bool] = ..., planned_close: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CounterPaused(_message.Message):
    __slots__ = ("counter", "number", "queue", "agency", "paused_at")
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PAUSED_AT_FIELD_NUMBER: _ClassVar[int]
    counter: str
    number: int
    queue: str
    agency: str
    paused_at: _timestamp_pb2.Timestamp
    def __init__(self, counter: _Optional[str] = ..., number: _Optional[int] = ..., queue: _Optional[str] = ..., agency: _Optional[str] = ..., paused_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CounterResumed(_message.Message):
    __slots__ = ("counter", "number", "queue", "agency", "resumed_at")
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    RESUMED_AT_FIELD_NUMBER: _ClassVar[int]
    counter: str
    number: int
    queue: str
    agency: str
    resumed_at: _timestamp_pb2.Timestamp
    def __init__(self, counter: _Optional[str] = ..., number: _Optional[int] = ..., queue: _Optional[str] = ..., agency: _Optional[str] = ..., resumed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CounterClosed(_message.Message):
    __slots__ = ("counter", "number", "queue", "agency", "day", "opened_at", "closed_at", "open_seconds", "paused_seconds", "cause")
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[CounterClosed.Cause]
        CAUSE_CLOSED: _ClassVar[CounterClosed.Cause]
        CAUSE_RELEASED: _ClassVar[CounterClosed.Cause]
        CAUSE_DAY_END: _ClassVar[CounterClosed.Cause]
        CAUSE_MOVED: _ClassVar[CounterClosed.Cause]
        CAUSE_HANDED_OVER: _ClassVar[CounterClosed.Cause]
    CAUSE_UNSPECIFIED: CounterClosed.Cause
    CAUSE_CLOSED: CounterClosed.Cause
    CAUSE_RELEASED: CounterClosed.Cause
    CAUSE_DAY_END: CounterClosed.Cause
    CAUSE_MOVED: CounterClosed.Cause
    CAUSE_HANDED_OVER: CounterClosed.Cause
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    OPEN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PAUSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    counter: str
    number: int
    queue: str
    agency: str
    day: str
    opened_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    open_seconds: int
    paused_seconds: int
    cause: CounterClosed.Cause
    def __init__(self, counter: _Optional[str] = ..., number: _Optional[int] = ..., queue: _Optional[str] = ..., agency: _Optional[str] = ..., day: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., open_seconds: _Optional[int] = ..., paused_seconds: _Optional[int] = ..., cause: _Optional[_Union[CounterClosed.Cause, str]] = ...) -> None: ...

class CounterAlarmRaised(_message.Message):
    __slots__ = ("counter", "number", "agency", "raised_at")
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_FIELD_NUMBER: _ClassVar[int]
    counter: str
    number: int
    agency: str
    raised_at: _timestamp_pb2.Timestamp
    def __init__(self, counter: _Optional[str] = ..., number: _Optional[int] = ..., agency: _Optional[str] = ..., raised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CounterAlarmAcknowledged(_message.Message):
    __slots__ = ("counter", "number", "agency", "raised_at", "acknowledged_at", "presses")
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    PRESSES_FIELD_NUMBER: _ClassVar[int]
    counter: str
    number: int
    agency: str
    raised_at: _timestamp_pb2.Timestamp
    acknowledged_at: _timestamp_pb2.Timestamp
    presses: int
    def __init__(self, counter: _Optional[str] = ..., number: _Optional[int] = ..., agency: _Optional[str] = ..., raised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., presses: _Optional[int] = ...) -> None: ...

class VisitStarted(_message.Message):
    __slots__ = ("visit",)
    VISIT_FIELD_NUMBER: _ClassVar[int]
    visit: str
    def __init__(self, visit: _Optional[str] = ...) -> None: ...

class VisitCancelled(_message.Message):
    __slots__ = ("visit",)
    VISIT_FIELD_NUMBER: _ClassVar[int]
    visit: str
    def __init__(self, visit: _Optional[str] = ...) -> None: ...

class AppointmentHeld(_message.Message):
    __slots__ = ("appointment", "agency", "offering", "start", "end", "slots", "internal", "at", "hold_until", "person_key", "booker_key", "variant", "place", "place_en")
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    HOLD_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEY_FIELD_NUMBER: _ClassVar[int]
    BOOKER_KEY_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PLACE_EN_FIELD_NUMBER: _ClassVar[int]
    appointment: str
    agency: str
    offering: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    slots: int
    internal: bool
    at: _timestamp_pb2.Timestamp
    hold_until: _timestamp_pb2.Timestamp
    person_key: str
    booker_key: str
    variant: _appointment_pb2.AppointmentVariant
    place: str
    place_en: str
    def __init__(self, appointment: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., internal: _Optional[bool] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., hold_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., person_key: _Optional[str] = ..., booker_key: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., place: _Optional[str] = ..., place_en: _Optional[str] = ...) -> None: ...

class AppointmentConfirmed(_message.Message):
    __slots__ = ("appointment", "agency", "offering", "start", "end", "slots", "internal", "at", "person_key", "phone_key", "sealed_phone", "sealed_booking_code", "variant", "place", "place_en", "sealed_email", "sealed_link")
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEY_FIELD_NUMBER: _ClassVar[int]
    PHONE_KEY_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    SEALED_BOOKING_CODE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PLACE_EN_FIELD_NUMBER: _ClassVar[int]
    SEALED_EMAIL_FIELD_NUMBER: _ClassVar[int]
    SEALED_LINK_FIELD_NUMBER: _ClassVar[int]
    appointment: str
    agency: str
    offering: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    slots: int
    internal: bool
    at: _timestamp_pb2.Timestamp
    person_key: str
    phone_key: str
    sealed_phone: str
    sealed_booking_code: str
    variant: _appointment_pb2.AppointmentVariant
    place: str
    place_en: str
    sealed_email: str
    sealed_link: str
    def __init__(self, appointment: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., internal: _Optional[bool] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., person_key: _Optional[str] = ..., phone_key: _Optional[str] = ..., sealed_phone: _Optional[str] = ..., sealed_booking_code: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., place: _Optional[str] = ..., place_en: _Optional[str] = ..., sealed_email: _Optional[str] = ..., sealed_link: _Optional[str] = ...) -> None: ...

class AppointmentRescheduled(_message.Message):
    __slots__ = ("appointment", "agency", "offering", "start", "end", "slots", "internal", "at", "replaces", "person_key", "sealed_phone", "sealed_booking_code", "variant", "place", "place_en", "sealed_email", "sealed_link")
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEY_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    SEALED_BOOKING_CODE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PLACE_EN_FIELD_NUMBER: _ClassVar[int]
    SEALED_EMAIL_FIELD_NUMBER: _ClassVar[int]
    SEALED_LINK_FIELD_NUMBER: _ClassVar[int]
    appointment: str
    agency: str
    offering: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    slots: int
    internal: bool
    at: _timestamp_pb2.Timestamp
    replaces: str
    person_key: str
    sealed_phone: str
    sealed_booking_code: str
    variant: _appointment_pb2.AppointmentVariant
    place: str
    place_en: str
    sealed_email: str
    sealed_link: str
    def __init__(self, appointment: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., internal: _Optional[bool] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., replaces: _Optional[str] = ..., person_key: _Optional[str] = ..., sealed_phone: _Optional[str] = ..., sealed_booking_code: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., place: _Optional[str] = ..., place_en: _Optional[str] = ..., sealed_email: _Optional[str] = ..., sealed_link: _Optional[str] = ...) -> None: ...

class AppointmentCancelled(_message.Message):
    __slots__ = ("appointment", "agency", "offering", "start", "end", "slots", "at", "cause", "reason", "person_key", "sealed_phone", "variant", "place", "place_en", "sealed_email")
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[AppointmentCancelled.Cause]
        CAUSE_CANCELLED: _ClassVar[AppointmentCancelled.Cause]
        CAUSE_HOLD_EXPIRED: _ClassVar[AppointmentCancelled.Cause]
        CAUSE_RESCHEDULED: _ClassVar[AppointmentCancelled.Cause]
    CAUSE_UNSPECIFIED: AppointmentCancelled.Cause
    CAUSE_CANCELLED: AppointmentCancelled.Cause
    CAUSE_HOLD_EXPIRED: AppointmentCancelled.Cause
    CAUSE_RESCHEDULED: AppointmentCancelled.Cause
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEY_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PLACE_EN_FIELD_NUMBER: _ClassVar[int]
    SEALED_EMAIL_FIELD_NUMBER: _ClassVar[int]
    appointment: str
    agency: str
    offering: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    slots: int
    at: _timestamp_pb2.Timestamp
    cause: AppointmentCancelled.Cause
    reason: str
    person_key: str
    sealed_phone: str
    variant: _appointment_pb2.AppointmentVariant
    place: str
    place_en: str
    sealed_email: str
    def __init__(self, appointment: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[_Union[AppointmentCancelled.Cause, str]] = ..., reason: _Optional[str] = ..., person_key: _Optional[str] = ..., sealed_phone: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., place: _Optional[str] = ..., place_en: _Optional[str] = ..., sealed_email: _Optional[str] = ...) -> None: ...

class AppointmentCheckedIn(_message.Message):
    __slots__ = ("appointment", "agency", "offering", "start", "end", "at", "arrived_at", "late", "ticket", "variant")
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    appointment: str
    agency: str
    offering: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    arrived_at: _timestamp_pb2.Timestamp
    late: bool
    ticket: str
    variant: _appointment_pb2.AppointmentVariant
    def __init__(self, appointment: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., arrived_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., late: _Optional[bool] = ..., ticket: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ...) -> None: ...

class AppointmentFulfilled(_message.Message):
    __slots__ = ("appointment", "agency", "offering", "start", "end", "at", "variant")
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    appointment: str
    agency: str
    offering: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    variant: _appointment_pb2.AppointmentVariant
    def __init__(self, appointment: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ...) -> None: ...

class AppointmentNoShow(_message.Message):
    __slots__ = ("appointment", "agency", "offering", "start", "end", "at", "after_no_show", "person_key", "sealed_phone", "variant", "place", "place_en", "sealed_email")
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AFTER_NO_SHOW_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEY_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PLACE_EN_FIELD_NUMBER: _ClassVar[int]
    SEALED_EMAIL_FIELD_NUMBER: _ClassVar[int]
    appointment: str
    agency: str
    offering: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    after_no_show: bool
    person_key: str
    sealed_phone: str
    variant: _appointment_pb2.AppointmentVariant
    place: str
    place_en: str
    sealed_email: str
    def __init__(self, appointment: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., after_no_show: _Optional[bool] = ..., person_key: _Optional[str] = ..., sealed_phone: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., place: _Optional[str] = ..., place_en: _Optional[str] = ..., sealed_email: _Optional[str] = ...) -> None: ...

class AppointmentDue(_message.Message):
    __slots__ = ("appointment", "agency", "offering", "start", "end", "sealed_phone", "sealed_booking_code", "variant", "place", "place_en", "sealed_email", "sealed_link")
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    SEALED_BOOKING_CODE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PLACE_EN_FIELD_NUMBER: _ClassVar[int]
    SEALED_EMAIL_FIELD_NUMBER: _ClassVar[int]
    SEALED_LINK_FIELD_NUMBER: _ClassVar[int]
    appointment: str
    agency: str
    offering: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    sealed_phone: str
    sealed_booking_code: str
    variant: _appointment_pb2.AppointmentVariant
    place: str
    place_en: str
    sealed_email: str
    sealed_link: str
    def __init__(self, appointment: _Optional[str] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sealed_phone: _Optional[str] = ..., sealed_booking_code: _Optional[str] = ..., variant: _Optional[_Union[_appointment_pb2.AppointmentVariant, str]] = ..., place: _Optional[str] = ..., place_en: _Optional[str] = ..., sealed_email: _Optional[str] = ..., sealed_link: _Optional[str] = ...) -> None: ...

class KioskChanged(_message.Message):
    __slots__ = ("kiosk", "active", "paused_buttons", "at")
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_BUTTONS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    kiosk: str
    active: bool
    paused_buttons: _containers.RepeatedScalarFieldContainer[str]
    at: _timestamp_pb2.Timestamp
    def __init__(self, kiosk: _Optional[str] = ..., active: _Optional[bool] = ..., paused_buttons: _Optional[_Iterable[str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DisplayChanged(_message.Message):
    __slots__ = ("display", "deleted", "at")
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    display: str
    deleted: bool
    at: _timestamp_pb2.Timestamp
    def __init__(self, display: _Optional[str] = ..., deleted: _Optional[bool] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BookingAlarmRaised(_message.Message):
    __slots__ = ("alarm", "queue", "agency", "origin", "count", "window_minutes", "raised_at", "reach", "subject")
    ALARM_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_MINUTES_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_FIELD_NUMBER: _ClassVar[int]
    REACH_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    alarm: str
    queue: str
    agency: str
    origin: str
    count: int
    window_minutes: int
    raised_at: _timestamp_pb2.Timestamp
    reach: str
    subject: str
    def __init__(self, alarm: _Optional[str] = ..., queue: _Optional[str] = ..., agency: _Optional[str] = ..., origin: _Optional[str] = ..., count: _Optional[int] = ..., window_minutes: _Optional[int] = ..., raised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reach: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...

class BookingAlarmAcknowledged(_message.Message):
    __slots__ = ("alarm", "queue", "at")
    ALARM_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    alarm: str
    queue: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, alarm: _Optional[str] = ..., queue: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
