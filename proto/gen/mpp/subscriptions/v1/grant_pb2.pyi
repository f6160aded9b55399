import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Grant(_message.Message):
    __slots__ = ("name", "agency", "state", "entitlements", "etag", "credential_version", "provisioning", "broker", "created_at", "updated_at", "provisioned_at")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Grant.State]
        STATE_ACTIVE: _ClassVar[Grant.State]
        STATE_REVOKED: _ClassVar[Grant.State]
    STATE_UNSPECIFIED: Grant.State
    STATE_ACTIVE: Grant.State
    STATE_REVOKED: Grant.State
    class Provisioning(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PROVISIONING_UNSPECIFIED: _ClassVar[Grant.Provisioning]
        PROVISIONING_PENDING: _ClassVar[Grant.Provisioning]
        PROVISIONING_APPLIED: _ClassVar[Grant.Provisioning]
    PROVISIONING_UNSPECIFIED: Grant.Provisioning
    PROVISIONING_PENDING: Grant.Provisioning
    PROVISIONING_APPLIED: Grant.Provisioning
    NAME_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ENTITLEMENTS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROVISIONING_FIELD_NUMBER: _ClassVar[int]
    BROKER_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    PROVISIONED_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    agency: str
    state: Grant.State
    entitlements: _containers.RepeatedScalarFieldContainer[str]
    etag: str
    credential_version: int
    provisioning: Grant.Provisioning
    broker: BrokerAccess
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    provisioned_at: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., agency: _Optional[str] = ..., state: _Optional[_Union[Grant.State, str]] = ..., entitlements: _Optional[_Iterable[str]] = ..., etag: _Optional[str] = ..., credential_version: _Optional[int] = ..., provisioning: _Optional[_Union[Grant.Provisioning, str]] = ..., broker: _Optional[_Union[BrokerAccess, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., provisioned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BrokerAccess(_message.Message):
    __slots__ = ("address", "virtual_host", "username", "queue", "exchange", "routing_keys", "streams")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    VIRTUAL_HOST_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    ROUTING_KEYS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    address: str
    virtual_host: str
    username: str
    queue: str
    exchange: str
    routing_keys: _containers.RepeatedScalarFieldContainer[str]
    streams: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, address: _Optional[str] = ..., virtual_host: _Optional[str] = ..., username: _Optional[str] = ..., queue: _Optional[str] = ..., exchange: _Optional[str] = ..., routing_keys: _Optional[_Iterable[str]] = ..., streams: _Optional[_Iterable[str]] = ...) -> None: ...

class IssuedGrant(_message.Message):
    __slots__ = ("grant", "password")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    password: str
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping]] = ..., password: _Optional[str] = ...) -> None: ...
