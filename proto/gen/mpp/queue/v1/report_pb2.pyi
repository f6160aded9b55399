from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportGroup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_GROUP_UNSPECIFIED: _ClassVar[ReportGroup]
    REPORT_GROUP_SITE: _ClassVar[ReportGroup]
    REPORT_GROUP_AGENCY: _ClassVar[ReportGroup]
    REPORT_GROUP_QUEUE: _ClassVar[ReportGroup]
    REPORT_GROUP_SERVICE: _ClassVar[ReportGroup]
    REPORT_GROUP_COUNTER: _ClassVar[ReportGroup]
    REPORT_GROUP_CLASS: _ClassVar[ReportGroup]
    REPORT_GROUP_CHANNEL: _ClassVar[ReportGroup]
    REPORT_GROUP_HOUR: _ClassVar[ReportGroup]
    REPORT_GROUP_DAY: _ClassVar[ReportGroup]
    REPORT_GROUP_WEEKDAY: _ClassVar[ReportGroup]
REPORT_GROUP_UNSPECIFIED: ReportGroup
REPORT_GROUP_SITE: ReportGroup
REPORT_GROUP_AGENCY: ReportGroup
REPORT_GROUP_QUEUE: ReportGroup
REPORT_GROUP_SERVICE: ReportGroup
REPORT_GROUP_COUNTER: ReportGroup
REPORT_GROUP_CLASS: ReportGroup
REPORT_GROUP_CHANNEL: ReportGroup
REPORT_GROUP_HOUR: ReportGroup
REPORT_GROUP_DAY: ReportGroup
REPORT_GROUP_WEEKDAY: ReportGroup

class Report(_message.Message):
    __slots__ = ("site", "from_day", "to_day", "group_by", "rows", "total", "agency", "queue", "time_zone")
    SITE_FIELD_NUMBER: _ClassVar[int]
    FROM_DAY_FIELD_NUMBER: _ClassVar[int]
    TO_DAY_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    site: str
    from_day: str
    to_day: str
    group_by: ReportGroup
    rows: _containers.RepeatedCompositeFieldContainer[ReportRow]
    total: ReportRow
    agency: str
    queue: str
    time_zone: str
    def __init__(self, site: _Optional[str] = ..., from_day: _Optional[str] = ..., to_day: _Optional[str] = ..., group_by: _Optional[_Union[ReportGroup, str]] = ..., rows: _Optional[_Iterable[_Union[ReportRow, _Mapping]]] = ..., total: _Optional[_Union[ReportRow, _Mapping]] = ..., agency: _Optional[str] = ..., queue: _Optional[str] = ..., time_zone: _Optional[str] = ...) -> None: ...

class ReportRow(_message.Message):
    __slots__ = ("group", "tickets", "served", "no_shows", "cancelled", "unserved", "transferred_away", "transferred_in", "missed_calls", "with_appointment", "without_appointment", "wait", "walk", "service", "called", "called_out_of_turn", "counter_busy_seconds", "counter_open_seconds", "delivered", "delivered_none", "delivery_not_recorded", "appointments_booked", "appointments_kept", "appointments_missed", "appointment_places")
    class Delivered(_message.Message):
        __slots__ = ("offering", "count")
        OFFERING_FIELD_NUMBER: _ClassVar[int]
        COUNT_FIELD_NUMBER: _ClassVar[int]
        offering: str
        count: int
        def __init__(self, offering: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...
    class Spread(_message.Message):
        __slots__ = ("count", "mean", "median", "p90", "longest")
        COUNT_FIELD_NUMBER: _ClassVar[int]
        MEAN_FIELD_NUMBER: _ClassVar[int]
        MEDIAN_FIELD_NUMBER: _ClassVar[int]
        P90_FIELD_NUMBER: _ClassVar[int]
        LONGEST_FIELD_NUMBER: _ClassVar[int]
        count: int
        mean: int
        median: int
        p90: int
        longest: int
        def __init__(self, count: _Optional[int] = ..., mean: _Optional[int] = ..., median: _Optional[int] = ..., p90: _Optional[int] = ..., longest: _Optional[int] = ...) -> None: ...
    GROUP_FIELD_NUMBER: _ClassVar[int]
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    SERVED_FIELD_NUMBER: _ClassVar[int]
    NO_SHOWS_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    UNSERVED_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_AWAY_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_IN_FIELD_NUMBER: _ClassVar[int]
    MISSED_CALLS_FIELD_NUMBER: _ClassVar[int]
    WITH_APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    WALK_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    CALLED_FIELD_NUMBER: _ClassVar[int]
    CALLED_OUT_OF_TURN_FIELD_NUMBER: _ClassVar[int]
    COUNTER_BUSY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COUNTER_OPEN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_NONE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_NOT_RECORDED_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENTS_BOOKED_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENTS_KEPT_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENTS_MISSED_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENT_PLACES_FIELD_NUMBER: _ClassVar[int]
    group: str
    tickets: int
    served: int
    no_shows: int
    cancelled: int
    unserved: int
    transferred_away: int
    transferred_in: int
    missed_calls: int
    with_appointment: int
    without_appointment: int
    wait: ReportRow.Spread
    walk: ReportRow.Spread
    service: ReportRow.Spread
    called: int
    called_out_of_turn: int
    counter_busy_seconds: int
    counter_open_seconds: int
    delivered: _containers.RepeatedCompositeFieldContainer[ReportRow.Delivered]
    delivered_none: int
    delivery_not_recorded: int
    appointments_booked: int
    appointments_kept: int
    appointments_missed: int
    appointment_places: int
    def __init__(self, group: _Optional[str] = ..., tickets: _Optional[int] = ..., served: _Optional[int] = ..., no_shows: _Optional[int] = ..., cancelled: _Optional[int] = ..., unserved: _Optional[int] = ..., transferred_away: _Optional[int] = ..., transferred_in: _Optional[int] = ..., missed_calls: _Optional[int] = ..., with_appointment: _Optional[int] = ..., without_appointment: _Optional[int] = ..., wait: _Optional[_Union[ReportRow.Spread, _Mapping]] = ..., walk: _Optional[_Union[ReportRow.Spread, _Mapping]] = ..., service: _Optional[_Union[ReportRow.Spread, _Mapping]] = ..., called: _Optional[int] = ..., called_out_of_turn: _Optional[int] = ..., counter_busy_seconds: _Optional[int] = ..., counter_open_seconds: _Optional[int] = ..., delivered: _Optional[_Iterable[_Union[ReportRow.Delivered, _Mapping]]] = ..., delivered_none: _Optional[int] = ..., delivery_not_recorded: _Optional[int] = ..., appointments_booked: _Optional[int] = ..., appointments_kept: _Optional[int] = ..., appointments_missed: _Optional[int] = ..., appointment_places: _Optional[int] = ...) -> None: ...

class Staffing(_message.Message):
    __slots__ = ("name", "counters", "day")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    name: str
    counters: int
    day: str
    def __init__(self, name: _Optional[str] = ..., counters: _Optional[int] = ..., day: _Optional[str] = ...) -> None: ...
