import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from mpp.queue.v1 import kiosk_pb2 as _kiosk_pb2
from mpp.queue.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetKioskRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ActivateKioskRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeactivateKioskRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetKioskButtonRequest(_message.Message):
    __slots__ = ("name", "button", "paused", "text", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BUTTON_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    button: str
    paused: bool
    text: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., button: _Optional[str] = ..., paused: _Optional[bool] = ..., text: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetKioskLayoutRequest(_message.Message):
    __slots__ = ("name", "layout", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    layout: _kiosk_pb2.KioskLayout
    request_id: str
    def __init__(self, name: _Optional[str] = ..., layout: _Optional[_Union[_kiosk_pb2.KioskLayout, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class LeaseBlockRequest(_message.Message):
    __slots__ = ("parent", "kiosk", "size", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    kiosk: str
    size: int
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., kiosk: _Optional[str] = ..., size: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetBlockRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RenewBlockRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class MergeOfflineRequest(_message.Message):
    __slots__ = ("name", "tickets", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    tickets: _containers.RepeatedCompositeFieldContainer[OfflineTicket]
    request_id: str
    def __init__(self, name: _Optional[str] = ..., tickets: _Optional[_Iterable[_Union[OfflineTicket, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class OfflineTicket(_message.Message):
    __slots__ = ("n", "issued_at", "offering", "priority_group", "priority_class", "phone")
    N_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_CLASS_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    n: int
    issued_at: _timestamp_pb2.Timestamp
    offering: str
    priority_group: _ticket_pb2.PriorityGroup
    priority_class: str
    phone: str
    def __init__(self, n: _Optional[int] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., offering: _Optional[str] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., priority_class: _Optional[str] = ..., phone: _Optional[str] = ...) -> None: ...

class MergeOfflineResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_kiosk_pb2.MergedEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[_kiosk_pb2.MergedEntry, _Mapping]]] = ...) -> None: ...

class ReturnBlockRequest(_message.Message):
    __slots__ = ("name", "last_used", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LAST_USED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    last_used: int
    request_id: str
    def __init__(self, name: _Optional[str] = ..., last_used: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...
