from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LocalizedText(_message.Message):
    __slots__ = ("id", "en")
    ID_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    id: str
    en: str
    def __init__(self, id: _Optional[str] = ..., en: _Optional[str] = ...) -> None: ...

class Site(_message.Message):
    __slots__ = ("name", "display_name", "region_code", "time_zone", "kind", "opened", "declared_services", "declared_agencies", "opening_hours", "channels", "holidays", "etag", "maintenance")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REGION_CODE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    DECLARED_SERVICES_FIELD_NUMBER: _ClassVar[int]
    DECLARED_AGENCIES_FIELD_NUMBER: _ClassVar[int]
    OPENING_HOURS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    HOLIDAYS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: LocalizedText
    region_code: str
    time_zone: str
    kind: str
    opened: str
    declared_services: int
    declared_agencies: int
    opening_hours: _containers.RepeatedCompositeFieldContainer[OpeningHours]
    channels: _containers.RepeatedScalarFieldContainer[str]
    holidays: _containers.RepeatedCompositeFieldContainer[Holiday]
    etag: str
    maintenance: _containers.RepeatedCompositeFieldContainer[Maintenance]
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[_Union[LocalizedText, _Mapping]] = ..., region_code: _Optional[str] = ..., time_zone: _Optional[str] = ..., kind: _Optional[str] = ..., opened: _Optional[str] = ..., declared_services: _Optional[int] = ..., declared_agencies: _Optional[int] = ..., opening_hours: _Optional[_Iterable[_Union[OpeningHours, _Mapping]]] = ..., channels: _Optional[_Iterable[str]] = ..., holidays: _Optional[_Iterable[_Union[Holiday, _Mapping]]] = ..., etag: _Optional[str] = ..., maintenance: _Optional[_Iterable[_Union[Maintenance, _Mapping]]] = ...) -> None: ...

class Maintenance(_message.Message):
    __slots__ = ("starts", "ends", "text")
    STARTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    starts: str
    ends: str
    text: LocalizedText
    def __init__(self, starts: _Optional[str] = ..., ends: _Optional[str] = ..., text: _Optional[_Union[LocalizedText, _Mapping]] = ...) -> None: ...

class Closure(_message.Message):
    __slots__ = ("date", "text")
    DATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    date: str
    text: LocalizedText
    def __init__(self, date: _Optional[str] = ..., text: _Optional[_Union[LocalizedText, _Mapping]] = ...) -> None: ...

class OpeningHours(_message.Message):
    __slots__ = ("weekday", "opens", "closes")
    WEEKDAY_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    CLOSES_FIELD_NUMBER: _ClassVar[int]
    weekday: int
    opens: str
    closes: str
    def __init__(self, weekday: _Optional[int] = ..., opens: _Optional[str] = ..., closes: _Optional[str] = ...) -> None: ...

class Holiday(_message.Message):
    __slots__ = ("date", "name", "joint_leave")
    DATE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    JOINT_LEAVE_FIELD_NUMBER: _ClassVar[int]
    date: str
    name: str
    joint_leave: bool
    def __init__(self, date: _Optional[str] = ..., name: _Optional[str] = ..., joint_leave: _Optional[bool] = ...) -> None: ...
