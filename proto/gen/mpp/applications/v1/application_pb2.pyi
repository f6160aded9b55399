import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OfficerCommand(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OFFICER_COMMAND_UNSPECIFIED: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_START_VERIFICATION: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_RETURN: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_ACCEPT: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_START_PROCESSING: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_START_INSPECTION: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_REQUEST_PAYMENT: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_RESUME: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_HOLD: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_APPROVE: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_REJECT: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_MARK_READY: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_EXPIRE: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_CORRECT: _ClassVar[OfficerCommand]
    OFFICER_COMMAND_REVOKE: _ClassVar[OfficerCommand]
OFFICER_COMMAND_UNSPECIFIED: OfficerCommand
OFFICER_COMMAND_START_VERIFICATION: OfficerCommand
OFFICER_COMMAND_RETURN: OfficerCommand
OFFICER_COMMAND_ACCEPT: OfficerCommand
OFFICER_COMMAND_START_PROCESSING: OfficerCommand
OFFICER_COMMAND_START_INSPECTION: OfficerCommand
OFFICER_COMMAND_REQUEST_PAYMENT: OfficerCommand
OFFICER_COMMAND_RESUME: OfficerCommand
OFFICER_COMMAND_HOLD: OfficerCommand
OFFICER_COMMAND_APPROVE: OfficerCommand
OFFICER_COMMAND_REJECT: OfficerCommand
OFFICER_COMMAND_MARK_READY: OfficerCommand
OFFICER_COMMAND_EXPIRE: OfficerCommand
OFFICER_COMMAND_CORRECT: OfficerCommand
OFFICER_COMMAND_REVOKE: OfficerCommand

class Application(_message.Message):
    __slots__ = ("name", "offering", "agency", "ticket", "state", "applicant", "requirements", "presented_requirements", "created_at", "accepted_at", "due_at", "reason", "document_number", "flags", "updated_at", "history", "warnings")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Application.State]
        STATE_DRAFT: _ClassVar[Application.State]
        STATE_SUBMITTED: _ClassVar[Application.State]
        STATE_VERIFYING: _ClassVar[Application.State]
        STATE_RETURNED: _ClassVar[Application.State]
        STATE_ACCEPTED: _ClassVar[Application.State]
        STATE_PROCESSING: _ClassVar[Application.State]
        STATE_INSPECTION: _ClassVar[Application.State]
        STATE_PAYMENT_DUE: _ClassVar[Application.State]
        STATE_ON_HOLD: _ClassVar[Application.State]
        STATE_APPROVED: _ClassVar[Application.State]
        STATE_ISSUED: _ClassVar[Application.State]
        STATE_READY_FOR_PICKUP: _ClassVar[Application.State]
        STATE_COLLECTED: _ClassVar[Application.State]
        STATE_REJECTED: _ClassVar[Application.State]
        STATE_WITHDRAWN: _ClassVar[Application.State]
        STATE_EXPIRED: _ClassVar[Application.State]
        STATE_CORRECTED: _ClassVar[Application.State]
        STATE_REVOKED: _ClassVar[Application.State]
    STATE_UNSPECIFIED: Application.State
    STATE_DRAFT: Application.State
    STATE_SUBMITTED: Application.State
    STATE_VERIFYING: Application.State
    STATE_RETURNED: Application.State
    STATE_ACCEPTED: Application.State
    STATE_PROCESSING: Application.State
    STATE_INSPECTION: Application.State
    STATE_PAYMENT_DUE: Application.State
    STATE_ON_HOLD: Application.State
    STATE_APPROVED: Application.State
    STATE_ISSUED: Application.State
    STATE_READY_FOR_PICKUP: Application.State
    STATE_COLLECTED: Application.State
    STATE_REJECTED: Application.State
    STATE_WITHDRAWN: Application.State
    STATE_EXPIRED: Application.State
    STATE_CORRECTED: Application.State
    STATE_REVOKED: Application.State
    class Flag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FLAG_UNSPECIFIED: _ClassVar[Application.Flag]
        FLAG_DUPLICATE_SUSPECTED: _ClassVar[Application.Flag]
        FLAG_SLA_AT_RISK: _ClassVar[Application.Flag]
        FLAG_SLA_BREACHED: _ClassVar[Application.Flag]
    FLAG_UNSPECIFIED: Application.Flag
    FLAG_DUPLICATE_SUSPECTED: Application.Flag
    FLAG_SLA_AT_RISK: Application.Flag
    FLAG_SLA_BREACHED: Application.Flag
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    APPLICANT_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    PRESENTED_REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    offering: str
    agency: str
    ticket: str
    state: Application.State
    applicant: MaskedApplicant
    requirements: _containers.RepeatedScalarFieldContainer[str]
    presented_requirements: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    accepted_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    reason: str
    document_number: str
    flags: _containers.RepeatedScalarFieldContainer[Application.Flag]
    updated_at: _timestamp_pb2.Timestamp
    history: _containers.RepeatedCompositeFieldContainer[HistoryEntry]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., offering: _Optional[str] = ..., agency: _Optional[str] = ..., ticket: _Optional[str] = ..., state: _Optional[_Union[Application.State, str]] = ..., applicant: _Optional[_Union[MaskedApplicant, _Mapping]] = ..., requirements: _Optional[_Iterable[str]] = ..., presented_requirements: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accepted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., document_number: _Optional[str] = ..., flags: _Optional[_Iterable[_Union[Application.Flag, str]]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., history: _Optional[_Iterable[_Union[HistoryEntry, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class HistoryEntry(_message.Message):
    __slots__ = ("state", "at", "actor", "reason")
    STATE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    state: Application.State
    at: _timestamp_pb2.Timestamp
    actor: str
    reason: str
    def __init__(self, state: _Optional[_Union[Application.State, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Applicant(_message.Message):
    __slots__ = ("full_name", "nik", "phone")
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    NIK_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    full_name: str
    nik: str
    phone: str
    def __init__(self, full_name: _Optional[str] = ..., nik: _Optional[str] = ..., phone: _Optional[str] = ...) -> None: ...

class MaskedApplicant(_message.Message):
    __slots__ = ("masked_name", "masked_nik", "masked_phone")
    MASKED_NAME_FIELD_NUMBER: _ClassVar[int]
    MASKED_NIK_FIELD_NUMBER: _ClassVar[int]
    MASKED_PHONE_FIELD_NUMBER: _ClassVar[int]
    masked_name: str
    masked_nik: str
    masked_phone: str
    def __init__(self, masked_name: _Optional[str] = ..., masked_nik: _Optional[str] = ..., masked_phone: _Optional[str] = ...) -> None: ...
