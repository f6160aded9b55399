from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from mpp.complaints.v1 import complaint_pb2 as _complaint_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FileComplaintRequest(_message.Message):
    __slots__ = ("parent", "agency", "ticket", "application", "subject", "text", "visibility", "phone", "request_id", "proof")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    parent: str
    agency: str
    ticket: str
    application: str
    subject: str
    text: str
    visibility: _complaint_pb2.Complaint.Visibility
    phone: str
    request_id: str
    proof: str
    def __init__(self, parent: _Optional[str] = ..., agency: _Optional[str] = ..., ticket: _Optional[str] = ..., application: _Optional[str] = ..., subject: _Optional[str] = ..., text: _Optional[str] = ..., visibility: _Optional[_Union[_complaint_pb2.Complaint.Visibility, str]] = ..., phone: _Optional[str] = ..., request_id: _Optional[str] = ..., proof: _Optional[str] = ..., **kwargs) -> None: ...

class ReportOverchargeRequest(_message.Message):
    __slots__ = ("parent", "ticket", "application", "asked_idr", "agency", "offering", "note", "phone", "reveal_me", "request_id", "proof")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ASKED_IDR_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    REVEAL_ME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    parent: str
    ticket: str
    application: str
    asked_idr: int
    agency: str
    offering: str
    note: str
    phone: str
    reveal_me: bool
    request_id: str
    proof: str
    def __init__(self, parent: _Optional[str] = ..., ticket: _Optional[str] = ..., application: _Optional[str] = ..., asked_idr: _Optional[int] = ..., agency: _Optional[str] = ..., offering: _Optional[str] = ..., note: _Optional[str] = ..., phone: _Optional[str] = ..., reveal_me: _Optional[bool] = ..., request_id: _Optional[str] = ..., proof: _Optional[str] = ...) -> None: ...

class GetComplaintRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListComplaintsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListComplaintsResponse(_message.Message):
    __slots__ = ("complaints", "next_page_token")
    COMPLAINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    complaints: _containers.RepeatedCompositeFieldContainer[_complaint_pb2.Complaint]
    next_page_token: str
    def __init__(self, complaints: _Optional[_Iterable[_Union[_complaint_pb2.Complaint, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AdvanceComplaintRequest(_message.Message):
    __slots__ = ("name", "command", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    command: _complaint_pb2.HandlerCommand
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., command: _Optional[_Union[_complaint_pb2.HandlerCommand, str]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., **kwargs) -> None: ...

class AnswerComplaintRequest(_message.Message):
    __slots__ = ("name", "answer", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    answer: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., answer: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReplyComplaintRequest(_message.Message):
    __slots__ = ("name", "text", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    text: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., text: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RateComplaintRequest(_message.Message):
    __slots__ = ("name", "rating", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    rating: int
    request_id: str
    def __init__(self, name: _Optional[str] = ..., rating: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReopenComplaintRequest(_message.Message):
    __slots__ = ("name", "reason", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class WithdrawComplaintRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...
