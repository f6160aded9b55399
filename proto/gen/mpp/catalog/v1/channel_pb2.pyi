from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from mpp.catalog.v1 import agency_pb2 as _agency_pb2
from mpp.catalog.v1 import site_pb2 as _site_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Channel(_message.Message):
    __slots__ = ("name", "kind", "agency", "display_name", "offerings", "settings", "appointments", "etag", "closures")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    OFFERINGS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENTS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CLOSURES_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    agency: str
    display_name: _site_pb2.LocalizedText
    offerings: _containers.RepeatedScalarFieldContainer[str]
    settings: _struct_pb2.Struct
    appointments: _agency_pb2.AppointmentRules
    etag: str
    closures: _containers.RepeatedCompositeFieldContainer[_site_pb2.Closure]
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., agency: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., offerings: _Optional[_Iterable[str]] = ..., settings: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., appointments: _Optional[_Union[_agency_pb2.AppointmentRules, _Mapping]] = ..., etag: _Optional[str] = ..., closures: _Optional[_Iterable[_Union[_site_pb2.Closure, _Mapping]]] = ...) -> None: ...

class ChannelKind(_message.Message):
    __slots__ = ("name", "display_name", "attributes", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: _site_pb2.LocalizedText
    attributes: _containers.RepeatedCompositeFieldContainer[ChannelAttribute]
    etag: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[ChannelAttribute, _Mapping]]] = ..., etag: _Optional[str] = ...) -> None: ...

class ChannelAttribute(_message.Message):
    __slots__ = ("id", "display_name", "type", "required", "least", "most", "words", "entries")
    class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TYPE_UNSPECIFIED: _ClassVar[ChannelAttribute.Type]
        TYPE_TEXT: _ClassVar[ChannelAttribute.Type]
        TYPE_NUMBER: _ClassVar[ChannelAttribute.Type]
        TYPE_FLAG: _ClassVar[ChannelAttribute.Type]
        TYPE_TEXTS: _ClassVar[ChannelAttribute.Type]
        TYPE_LOCALIZED_TEXT: _ClassVar[ChannelAttribute.Type]
        TYPE_LIST: _ClassVar[ChannelAttribute.Type]
    TYPE_UNSPECIFIED: ChannelAttribute.Type
    TYPE_TEXT: ChannelAttribute.Type
    TYPE_NUMBER: ChannelAttribute.Type
    TYPE_FLAG: ChannelAttribute.Type
    TYPE_TEXTS: ChannelAttribute.Type
    TYPE_LOCALIZED_TEXT: ChannelAttribute.Type
    TYPE_LIST: ChannelAttribute.Type
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    LEAST_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: _site_pb2.LocalizedText
    type: ChannelAttribute.Type
    required: bool
    least: int
    most: int
    words: _containers.RepeatedScalarFieldContainer[str]
    entries: _containers.RepeatedCompositeFieldContainer[ChannelAttribute]
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., type: _Optional[_Union[ChannelAttribute.Type, str]] = ..., required: _Optional[bool] = ..., least: _Optional[int] = ..., most: _Optional[int] = ..., words: _Optional[_Iterable[str]] = ..., entries: _Optional[_Iterable[_Union[ChannelAttribute, _Mapping]]] = ...) -> None: ...
