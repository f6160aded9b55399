import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.complaints.v1 import complaint_pb2 as _complaint_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ComplaintFiled(_message.Message):
    __slots__ = ("complaint", "agency", "ticket", "application", "visibility", "received_at", "due_at", "sealed_phone", "kind", "about_agency")
    COMPLAINT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ABOUT_AGENCY_FIELD_NUMBER: _ClassVar[int]
    complaint: str
    agency: str
    ticket: str
    application: str
    visibility: _complaint_pb2.Complaint.Visibility
    received_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    sealed_phone: str
    kind: _complaint_pb2.Complaint.Kind
    about_agency: str
    def __init__(self, complaint: _Optional[str] = ..., agency: _Optional[str] = ..., ticket: _Optional[str] = ..., application: _Optional[str] = ..., visibility: _Optional[_Union[_complaint_pb2.Complaint.Visibility, str]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sealed_phone: _Optional[str] = ..., kind: _Optional[_Union[_complaint_pb2.Complaint.Kind, str]] = ..., about_agency: _Optional[str] = ..., **kwargs) -> None: ...

class ComplaintAdvanced(_message.Message):
    __slots__ = ("complaint", "agency", "from_state", "state", "at", "due_at", "rating", "escalation_level", "sealed_phone", "reason")
    COMPLAINT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    FROM_STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    ESCALATION_LEVEL_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    complaint: str
    agency: str
    from_state: _complaint_pb2.Complaint.State
    state: _complaint_pb2.Complaint.State
    at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    rating: int
    escalation_level: int
    sealed_phone: str
    reason: str
    def __init__(self, complaint: _Optional[str] = ..., agency: _Optional[str] = ..., from_state: _Optional[_Union[_complaint_pb2.Complaint.State, str]] = ..., state: _Optional[_Union[_complaint_pb2.Complaint.State, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rating: _Optional[int] = ..., escalation_level: _Optional[int] = ..., sealed_phone: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ComplaintOverdue(_message.Message):
    __slots__ = ("complaint", "agency", "state", "due_at", "at")
    COMPLAINT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    complaint: str
    agency: str
    state: _complaint_pb2.Complaint.State
    due_at: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    def __init__(self, complaint: _Optional[str] = ..., agency: _Optional[str] = ..., state: _Optional[_Union[_complaint_pb2.Complaint.State, str]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
