from buf.validate import validate_pb2 as _validate_pb2
from mpp.catalog.v1 import site_pb2 as _site_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Agency(_message.Message):
    __slots__ = ("name", "display_name", "category", "declared_services", "source", "queue", "facilities", "etag", "overseer")
    class Category(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CATEGORY_UNSPECIFIED: _ClassVar[Agency.Category]
        CATEGORY_CENTRAL_GOVERNMENT: _ClassVar[Agency.Category]
        CATEGORY_REGIONAL_GOVERNMENT: _ClassVar[Agency.Category]
        CATEGORY_STATE_OWNED_ENTERPRISE: _ClassVar[Agency.Category]
        CATEGORY_REGION_OWNED_ENTERPRISE: _ClassVar[Agency.Category]
        CATEGORY_PRIVATE: _ClassVar[Agency.Category]
    CATEGORY_UNSPECIFIED: Agency.Category
    CATEGORY_CENTRAL_GOVERNMENT: Agency.Category
    CATEGORY_REGIONAL_GOVERNMENT: Agency.Category
    CATEGORY_STATE_OWNED_ENTERPRISE: Agency.Category
    CATEGORY_REGION_OWNED_ENTERPRISE: Agency.Category
    CATEGORY_PRIVATE: Agency.Category
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    DECLARED_SERVICES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    FACILITIES_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    OVERSEER_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: _site_pb2.LocalizedText
    category: Agency.Category
    declared_services: int
    source: str
    queue: QueueSpec
    facilities: _containers.RepeatedCompositeFieldContainer[Facility]
    etag: str
    overseer: bool
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., category: _Optional[_Union[Agency.Category, str]] = ..., declared_services: _Optional[int] = ..., source: _Optional[str] = ..., queue: _Optional[_Union[QueueSpec, _Mapping]] = ..., facilities: _Optional[_Iterable[_Union[Facility, _Mapping]]] = ..., etag: _Optional[str] = ..., overseer: _Optional[bool] = ...) -> None: ...

class QueueSpec(_message.Message):
    __slots__ = ("id", "prefix", "counters", "minutes_per_visit", "priority", "numbers", "daily_contingent", "quota", "appointments", "hours_enforced", "closed_text", "draining", "draining_text", "closures")
    ID_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    MINUTES_PER_VISIT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    DAILY_CONTINGENT_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENTS_FIELD_NUMBER: _ClassVar[int]
    HOURS_ENFORCED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TEXT_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    DRAINING_TEXT_FIELD_NUMBER: _ClassVar[int]
    CLOSURES_FIELD_NUMBER: _ClassVar[int]
    id: str
    prefix: str
    counters: _containers.RepeatedScalarFieldContainer[int]
    minutes_per_visit: int
    priority: PriorityPolicy
    numbers: NumberRange
    daily_contingent: int
    quota: Quota
    appointments: AppointmentRules
    hours_enforced: bool
    closed_text: _site_pb2.LocalizedText
    draining: bool
    draining_text: _site_pb2.LocalizedText
    closures: _containers.RepeatedCompositeFieldContainer[_site_pb2.Closure]
    def __init__(self, id: _Optional[str] = ..., prefix: _Optional[str] = ..., counters: _Optional[_Iterable[int]] = ..., minutes_per_visit: _Optional[int] = ..., priority: _Optional[_Union[PriorityPolicy, _Mapping]] = ..., numbers: _Optional[_Union[NumberRange, _Mapping]] = ..., daily_contingent: _Optional[int] = ..., quota: _Optional[_Union[Quota, _Mapping]] = ..., appointments: _Optional[_Union[AppointmentRules, _Mapping]] = ..., hours_enforced: _Optional[bool] = ..., closed_text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., draining: _Optional[bool] = ..., draining_text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., closures: _Optional[_Iterable[_Union[_site_pb2.Closure, _Mapping]]] = ...) -> None: ...

class PriorityPolicy(_message.Message):
    __slots__ = ("kind", "classes", "run", "max_wait_minutes")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[PriorityPolicy.Kind]
        KIND_STRICT: _ClassVar[PriorityPolicy.Kind]
        KIND_RATIO: _ClassVar[PriorityPolicy.Kind]
        KIND_AGEING: _ClassVar[PriorityPolicy.Kind]
    KIND_UNSPECIFIED: PriorityPolicy.Kind
    KIND_STRICT: PriorityPolicy.Kind
    KIND_RATIO: PriorityPolicy.Kind
    KIND_AGEING: PriorityPolicy.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    MAX_WAIT_MINUTES_FIELD_NUMBER: _ClassVar[int]
    kind: PriorityPolicy.Kind
    classes: _containers.RepeatedCompositeFieldContainer[PriorityClass]
    run: int
    max_wait_minutes: int
    def __init__(self, kind: _Optional[_Union[PriorityPolicy.Kind, str]] = ..., classes: _Optional[_Iterable[_Union[PriorityClass, _Mapping]]] = ..., run: _Optional[int] = ..., max_wait_minutes: _Optional[int] = ...) -> None: ...

class PriorityClass(_message.Message):
    __slots__ = ("id", "display_name", "groups", "boost_minutes")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    BOOST_MINUTES_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: _site_pb2.LocalizedText
    groups: _containers.RepeatedScalarFieldContainer[str]
    boost_minutes: int
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., boost_minutes: _Optional[int] = ...) -> None: ...

class NumberRange(_message.Message):
    __slots__ = ("first", "last", "blocked")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    blocked: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ..., blocked: _Optional[_Iterable[int]] = ...) -> None: ...

class Quota(_message.Message):
    __slots__ = ("per_day", "cool_down_minutes", "person_required", "alarm_after", "alarm_window_minutes", "typed_people")
    PER_DAY_FIELD_NUMBER: _ClassVar[int]
    COOL_DOWN_MINUTES_FIELD_NUMBER: _ClassVar[int]
    PERSON_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    ALARM_AFTER_FIELD_NUMBER: _ClassVar[int]
    ALARM_WINDOW_MINUTES_FIELD_NUMBER: _ClassVar[int]
    TYPED_PEOPLE_FIELD_NUMBER: _ClassVar[int]
    per_day: int
    cool_down_minutes: int
    person_required: bool
    alarm_after: int
    alarm_window_minutes: int
    typed_people: int
    def __init__(self, per_day: _Optional[int] = ..., cool_down_minutes: _Optional[int] = ..., person_required: _Optional[bool] = ..., alarm_after: _Optional[int] = ..., alarm_window_minutes: _Optional[int] = ..., typed_people: _Optional[int] = ...) -> None: ...

class AppointmentRules(_message.Message):
    __slots__ = ("slot_minutes", "public_places", "places", "earliest_days", "latest_days", "max_slots", "hours", "hold_minutes", "cooling_minutes", "early_minutes", "late_minutes", "closures", "variants", "video_link", "max_open_per_email", "max_open_per_person")
    SLOT_MINUTES_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_PLACES_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_DAYS_FIELD_NUMBER: _ClassVar[int]
    LATEST_DAYS_FIELD_NUMBER: _ClassVar[int]
    MAX_SLOTS_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    HOLD_MINUTES_FIELD_NUMBER: _ClassVar[int]
    COOLING_MINUTES_FIELD_NUMBER: _ClassVar[int]
    EARLY_MINUTES_FIELD_NUMBER: _ClassVar[int]
    LATE_MINUTES_FIELD_NUMBER: _ClassVar[int]
    CLOSURES_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    VIDEO_LINK_FIELD_NUMBER: _ClassVar[int]
    MAX_OPEN_PER_EMAIL_FIELD_NUMBER: _ClassVar[int]
    MAX_OPEN_PER_PERSON_FIELD_NUMBER: _ClassVar[int]
    slot_minutes: int
    public_places: int
    places: int
    earliest_days: int
    latest_days: int
    max_slots: int
    hours: _containers.RepeatedCompositeFieldContainer[AgendaHours]
    hold_minutes: int
    cooling_minutes: int
    early_minutes: int
    late_minutes: int
    closures: _containers.RepeatedScalarFieldContainer[str]
    variants: _containers.RepeatedScalarFieldContainer[str]
    video_link: str
    max_open_per_email: int
    max_open_per_person: int
    def __init__(self, slot_minutes: _Optional[int] = ..., public_places: _Optional[int] = ..., places: _Optional[int] = ..., earliest_days: _Optional[int] = ..., latest_days: _Optional[int] = ..., max_slots: _Optional[int] = ..., hours: _Optional[_Iterable[_Union[AgendaHours, _Mapping]]] = ..., hold_minutes: _Optional[int] = ..., cooling_minutes: _Optional[int] = ..., early_minutes: _Optional[int] = ..., late_minutes: _Optional[int] = ..., closures: _Optional[_Iterable[str]] = ..., variants: _Optional[_Iterable[str]] = ..., video_link: _Optional[str] = ..., max_open_per_email: _Optional[int] = ..., max_open_per_person: _Optional[int] = ...) -> None: ...

class AgendaHours(_message.Message):
    __slots__ = ("weekday", "opens", "closes", "weeks")
    WEEKDAY_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    CLOSES_FIELD_NUMBER: _ClassVar[int]
    WEEKS_FIELD_NUMBER: _ClassVar[int]
    weekday: int
    opens: str
    closes: str
    weeks: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, weekday: _Optional[int] = ..., opens: _Optional[str] = ..., closes: _Optional[str] = ..., weeks: _Optional[_Iterable[int]] = ...) -> None: ...

class Facility(_message.Message):
    __slots__ = ("id", "display_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: _site_pb2.LocalizedText
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ...) -> None: ...
