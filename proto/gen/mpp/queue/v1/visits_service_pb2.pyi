from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from mpp.queue.v1 import ticket_pb2 as _ticket_pb2
from mpp.queue.v1 import visit_pb2 as _visit_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StartVisitRequest(_message.Message):
    __slots__ = ("parent", "wishes", "phone", "priority_group", "request_id", "nik", "device", "kiosk", "proof")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    WISHES_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NIK_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    parent: str
    wishes: _containers.RepeatedCompositeFieldContainer[VisitWish]
    phone: str
    priority_group: _ticket_pb2.PriorityGroup
    request_id: str
    nik: str
    device: str
    kiosk: str
    proof: str
    def __init__(self, parent: _Optional[str] = ..., wishes: _Optional[_Iterable[_Union[VisitWish, _Mapping]]] = ..., phone: _Optional[str] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., request_id: _Optional[str] = ..., nik: _Optional[str] = ..., device: _Optional[str] = ..., kiosk: _Optional[str] = ..., proof: _Optional[str] = ...) -> None: ...

class VisitWish(_message.Message):
    __slots__ = ("queue", "offering", "priority_class")
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_CLASS_FIELD_NUMBER: _ClassVar[int]
    queue: str
    offering: str
    priority_class: str
    def __init__(self, queue: _Optional[str] = ..., offering: _Optional[str] = ..., priority_class: _Optional[str] = ...) -> None: ...

class GetVisitRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelVisitRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...
