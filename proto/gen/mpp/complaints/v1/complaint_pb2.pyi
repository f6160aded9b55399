import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.catalog.v1 import offering_pb2 as _offering_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HandlerCommand(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HANDLER_COMMAND_UNSPECIFIED: _ClassVar[HandlerCommand]
    HANDLER_COMMAND_REQUEST_INFO: _ClassVar[HandlerCommand]
    HANDLER_COMMAND_VERIFY: _ClassVar[HandlerCommand]
    HANDLER_COMMAND_ASSIGN: _ClassVar[HandlerCommand]
    HANDLER_COMMAND_START: _ClassVar[HandlerCommand]
    HANDLER_COMMAND_ESCALATE: _ClassVar[HandlerCommand]
    HANDLER_COMMAND_REJECT: _ClassVar[HandlerCommand]
    HANDLER_COMMAND_MERGE: _ClassVar[HandlerCommand]
HANDLER_COMMAND_UNSPECIFIED: HandlerCommand
HANDLER_COMMAND_REQUEST_INFO: HandlerCommand
HANDLER_COMMAND_VERIFY: HandlerCommand
HANDLER_COMMAND_ASSIGN: HandlerCommand
HANDLER_COMMAND_START: HandlerCommand
HANDLER_COMMAND_ESCALATE: HandlerCommand
HANDLER_COMMAND_REJECT: HandlerCommand
HANDLER_COMMAND_MERGE: HandlerCommand

class Complaint(_message.Message):
    __slots__ = ("name", "agency", "ticket", "application", "subject", "text", "visibility", "state", "received_at", "due_at", "answer", "rating", "escalation_level", "reason", "measured_wait_seconds", "overdue", "history", "kind", "handled_by", "overcharge")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Complaint.Kind]
        KIND_OVERCHARGE: _ClassVar[Complaint.Kind]
    KIND_UNSPECIFIED: Complaint.Kind
    KIND_OVERCHARGE: Complaint.Kind
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Complaint.State]
        STATE_RECEIVED: _ClassVar[Complaint.State]
        STATE_NEEDS_INFO: _ClassVar[Complaint.State]
        STATE_VERIFIED: _ClassVar[Complaint.State]
        STATE_ASSIGNED: _ClassVar[Complaint.State]
        STATE_IN_PROGRESS: _ClassVar[Complaint.State]
        STATE_ANSWERED: _ClassVar[Complaint.State]
        STATE_CLOSED: _ClassVar[Complaint.State]
        STATE_REOPENED: _ClassVar[Complaint.State]
        STATE_ESCALATED: _ClassVar[Complaint.State]
        STATE_REJECTED: _ClassVar[Complaint.State]
        STATE_MERGED: _ClassVar[Complaint.State]
        STATE_WITHDRAWN: _ClassVar[Complaint.State]
    STATE_UNSPECIFIED: Complaint.State
    STATE_RECEIVED: Complaint.State
    STATE_NEEDS_INFO: Complaint.State
    STATE_VERIFIED: Complaint.State
    STATE_ASSIGNED: Complaint.State
    STATE_IN_PROGRESS: Complaint.State
    STATE_ANSWERED: Complaint.State
    STATE_CLOSED: Complaint.State
    STATE_REOPENED: Complaint.State
    STATE_ESCALATED: Complaint.State
    STATE_REJECTED: Complaint.State
    STATE_MERGED: Complaint.State
    STATE_WITHDRAWN: Complaint.State
    class Visibility(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        VISIBILITY_UNSPECIFIED: _ClassVar[Complaint.Visibility]
        VISIBILITY_PUBLIC: _ClassVar[Complaint.Visibility]
        VISIBILITY_ANONYMOUS: _ClassVar[Complaint.Visibility]
        VISIBILITY_CONFIDENTIAL: _ClassVar[Complaint.Visibility]
    VISIBILITY_UNSPECIFIED: Complaint.Visibility
    VISIBILITY_PUBLIC: Complaint.Visibility
    VISIBILITY_ANONYMOUS: Complaint.Visibility
    VISIBILITY_CONFIDENTIAL: Complaint.Visibility
    class Class(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CLASS_UNSPECIFIED: _ClassVar[Complaint.Class]
        CLASS_LIGHT: _ClassVar[Complaint.Class]
        CLASS_NORMATIVE: _ClassVar[Complaint.Class]
        CLASS_NON_SUPERVISORY: _ClassVar[Complaint.Class]
        CLASS_SUPERVISORY: _ClassVar[Complaint.Class]
    CLASS_UNSPECIFIED: Complaint.Class
    CLASS_LIGHT: Complaint.Class
    CLASS_NORMATIVE: Complaint.Class
    CLASS_NON_SUPERVISORY: Complaint.Class
    CLASS_SUPERVISORY: Complaint.Class
    NAME_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    ESCALATION_LEVEL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MEASURED_WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    HANDLED_BY_FIELD_NUMBER: _ClassVar[int]
    OVERCHARGE_FIELD_NUMBER: _ClassVar[int]
    name: str
    agency: str
    ticket: str
    application: str
    subject: str
    text: str
    visibility: Complaint.Visibility
    state: Complaint.State
    received_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    answer: str
    rating: int
    escalation_level: int
    reason: str
    measured_wait_seconds: int
    overdue: bool
    history: _containers.RepeatedCompositeFieldContainer[ComplaintHistoryEntry]
    kind: Complaint.Kind
    handled_by: str
    overcharge: Overcharge
    def __init__(self, name: _Optional[str] = ..., agency: _Optional[str] = ..., ticket: _Optional[str] = ..., application: _Optional[str] = ..., subject: _Optional[str] = ..., text: _Optional[str] = ..., visibility: _Optional[_Union[Complaint.Visibility, str]] = ..., state: _Optional[_Union[Complaint.State, str]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer: _Optional[str] = ..., rating: _Optional[int] = ..., escalation_level: _Optional[int] = ..., reason: _Optional[str] = ..., measured_wait_seconds: _Optional[int] = ..., overdue: _Optional[bool] = ..., history: _Optional[_Iterable[_Union[ComplaintHistoryEntry, _Mapping]]] = ..., kind: _Optional[_Union[Complaint.Kind, str]] = ..., handled_by: _Optional[str] = ..., overcharge: _Optional[_Union[Overcharge, _Mapping]] = ..., **kwargs) -> None: ...

class ComplaintHistoryEntry(_message.Message):
    __slots__ = ("state", "at", "actor", "reason")
    STATE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    state: Complaint.State
    at: _timestamp_pb2.Timestamp
    actor: str
    reason: str
    def __init__(self, state: _Optional[_Union[Complaint.State, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Overcharge(_message.Message):
    __slots__ = ("asked_idr", "official_fee", "offering", "excess_idr")
    ASKED_IDR_FIELD_NUMBER: _ClassVar[int]
    OFFICIAL_FEE_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    EXCESS_IDR_FIELD_NUMBER: _ClassVar[int]
    asked_idr: int
    official_fee: _offering_pb2.Fee
    offering: str
    excess_idr: int
    def __init__(self, asked_idr: _Optional[int] = ..., official_fee: _Optional[_Union[_offering_pb2.Fee, _Mapping]] = ..., offering: _Optional[str] = ..., excess_idr: _Optional[int] = ...) -> None: ...
