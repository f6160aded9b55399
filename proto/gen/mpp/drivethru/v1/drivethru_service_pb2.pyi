from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from mpp.drivethru.v1 import pass_pb2 as _pass_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from mpp.queue.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegisterVehicleRequest(_message.Message):
    __slots__ = ("parent", "plate", "offering", "priority_group", "phone", "ticket", "request_id", "proof", "kiosk")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    parent: str
    plate: str
    offering: str
    priority_group: _ticket_pb2.PriorityGroup
    phone: str
    ticket: str
    request_id: str
    proof: str
    kiosk: str
    def __init__(self, parent: _Optional[str] = ..., plate: _Optional[str] = ..., offering: _Optional[str] = ..., priority_group: _Optional[_Union[_ticket_pb2.PriorityGroup, str]] = ..., phone: _Optional[str] = ..., ticket: _Optional[str] = ..., request_id: _Optional[str] = ..., proof: _Optional[str] = ..., kiosk: _Optional[str] = ...) -> None: ...

class GetPassRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListPassesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPassesResponse(_message.Message):
    __slots__ = ("passes", "next_page_token")
    PASSES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    passes: _containers.RepeatedCompositeFieldContainer[_pass_pb2.Pass]
    next_page_token: str
    def __init__(self, passes: _Optional[_Iterable[_Union[_pass_pb2.Pass, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class FindPassRequest(_message.Message):
    __slots__ = ("parent", "plate")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    plate: str
    def __init__(self, parent: _Optional[str] = ..., plate: _Optional[str] = ...) -> None: ...

class StartStageRequest(_message.Message):
    __slots__ = ("name", "stage", "lane", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    stage: str
    lane: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., stage: _Optional[str] = ..., lane: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class FinishStageRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SendAsideRequest(_message.Message):
    __slots__ = ("name", "cause", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    cause: _pass_pb2.Pass.Cause
    request_id: str
    def __init__(self, name: _Optional[str] = ..., cause: _Optional[_Union[_pass_pb2.Pass.Cause, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetLaneRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class WatchLaneRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ReportStagesRequest(_message.Message):
    __slots__ = ("parent", "first_day", "last_day")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    first_day: str
    last_day: str
    def __init__(self, parent: _Optional[str] = ..., first_day: _Optional[str] = ..., last_day: _Optional[str] = ...) -> None: ...
