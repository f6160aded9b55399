from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_CITIZEN: _ClassVar[Role]
    ROLE_KIOSK: _ClassVar[Role]
    ROLE_DISPLAY: _ClassVar[Role]
    ROLE_OFFICER: _ClassVar[Role]
    ROLE_VERIFIER: _ClassVar[Role]
    ROLE_AGENCY_ADMIN: _ClassVar[Role]
    ROLE_SITE_MANAGER: _ClassVar[Role]
    ROLE_CITY_VIEWER: _ClassVar[Role]
    ROLE_PLATFORM_ADMIN: _ClassVar[Role]
    ROLE_SERVICE: _ClassVar[Role]

class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCOPE_UNSPECIFIED: _ClassVar[Scope]
    SCOPE_ANY: _ClassVar[Scope]
    SCOPE_SITE: _ClassVar[Scope]
    SCOPE_AGENCY: _ClassVar[Scope]
    SCOPE_OWN: _ClassVar[Scope]

class Audience(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIENCE_UNSPECIFIED: _ClassVar[Audience]
    AUDIENCE_INTERNAL: _ClassVar[Audience]
    AUDIENCE_PUBLIC: _ClassVar[Audience]
ROLE_UNSPECIFIED: Role
ROLE_CITIZEN: Role
ROLE_KIOSK: Role
ROLE_DISPLAY: Role
ROLE_OFFICER: Role
ROLE_VERIFIER: Role
ROLE_AGENCY_ADMIN: Role
ROLE_SITE_MANAGER: Role
ROLE_CITY_VIEWER: Role
ROLE_PLATFORM_ADMIN: Role
ROLE_SERVICE: Role
SCOPE_UNSPECIFIED: Scope
SCOPE_ANY: Scope
SCOPE_SITE: Scope
SCOPE_AGENCY: Scope
SCOPE_OWN: Scope
AUDIENCE_UNSPECIFIED: Audience
AUDIENCE_INTERNAL: Audience
AUDIENCE_PUBLIC: Audience
ACCESS_FIELD_NUMBER: _ClassVar[int]
access: _descriptor.FieldDescriptor
EVENT_FIELD_NUMBER: _ClassVar[int]
event: _descriptor.FieldDescriptor
PERSONAL_FIELD_NUMBER: _ClassVar[int]
personal: _descriptor.FieldDescriptor

class Grant(_message.Message):
    __slots__ = ("role", "scope")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    role: Role
    scope: Scope
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., scope: _Optional[_Union[Scope, str]] = ...) -> None: ...

class Access(_message.Message):
    __slots__ = ("anonymous", "grants", "mutating")
    ANONYMOUS_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    MUTATING_FIELD_NUMBER: _ClassVar[int]
    anonymous: bool
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    mutating: bool
    def __init__(self, anonymous: _Optional[bool] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., mutating: _Optional[bool] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("audience",)
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    audience: Audience
    def __init__(self, audience: _Optional[_Union[Audience, str]] = ...) -> None: ...
