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
    __slots__ = ("name", "display_name", "category", "declared_services", "source", "queue", "facilities", "etag")
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
    name: str
    display_name: _site_pb2.LocalizedText
    category: Agency.Category
    declared_services: int
    source: str
    queue: QueueSpec
    facilities: _containers.RepeatedCompositeFieldContainer[Facility]
    etag: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., category: _Optional[_Union[Agency.Category, str]] = ..., declared_services: _Optional[int] = ..., source: _Optional[str] = ..., queue: _Optional[_Union[QueueSpec, _Mapping]] = ..., facilities: _Optional[_Iterable[_Union[Facility, _Mapping]]] = ..., etag: _Optional[str] = ...) -> None: ...

class QueueSpec(_message.Message):
    __slots__ = ("id", "prefix", "counters", "minutes_per_visit")
    ID_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    MINUTES_PER_VISIT_FIELD_NUMBER: _ClassVar[int]
    id: str
    prefix: str
    counters: _containers.RepeatedScalarFieldContainer[int]
    minutes_per_visit: int
    def __init__(self, id: _Optional[str] = ..., prefix: _Optional[str] = ..., counters: _Optional[_Iterable[int]] = ..., minutes_per_visit: _Optional[int] = ...) -> None: ...

class Facility(_message.Message):
    __slots__ = ("id", "display_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: _site_pb2.LocalizedText
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ...) -> None: ...
