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

class Webhook(_message.Message):
    __slots__ = ("name", "url", "event_types", "subject_prefix", "description", "state", "disabled_reason", "disabled_at", "created_at", "updated_at", "secrets", "position_cursor", "failing_since", "failures", "next_attempt_at", "delivered_at")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Webhook.State]
        STATE_ENABLED: _ClassVar[Webhook.State]
        STATE_DISABLED: _ClassVar[Webhook.State]
    STATE_UNSPECIFIED: Webhook.State
    STATE_ENABLED: Webhook.State
    STATE_DISABLED: Webhook.State
    class DisabledReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DISABLED_REASON_UNSPECIFIED: _ClassVar[Webhook.DisabledReason]
        DISABLED_REASON_BY_HAND: _ClassVar[Webhook.DisabledReason]
        DISABLED_REASON_GONE: _ClassVar[Webhook.DisabledReason]
        DISABLED_REASON_FAILING: _ClassVar[Webhook.DisabledReason]
        DISABLED_REASON_GRANT_REVOKED: _ClassVar[Webhook.DisabledReason]
        DISABLED_REASON_POSITION_EXPIRED: _ClassVar[Webhook.DisabledReason]
    DISABLED_REASON_UNSPECIFIED: Webhook.DisabledReason
    DISABLED_REASON_BY_HAND: Webhook.DisabledReason
    DISABLED_REASON_GONE: Webhook.DisabledReason
    DISABLED_REASON_FAILING: Webhook.DisabledReason
    DISABLED_REASON_GRANT_REVOKED: Webhook.DisabledReason
    DISABLED_REASON_POSITION_EXPIRED: Webhook.DisabledReason
    NAME_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_PREFIX_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DISABLED_REASON_FIELD_NUMBER: _ClassVar[int]
    DISABLED_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    POSITION_CURSOR_FIELD_NUMBER: _ClassVar[int]
    FAILING_SINCE_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_AT_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    url: str
    event_types: _containers.RepeatedScalarFieldContainer[str]
    subject_prefix: str
    description: str
    state: Webhook.State
    disabled_reason: Webhook.DisabledReason
    disabled_at: _timestamp_pb2.Timestamp
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    secrets: _containers.RepeatedCompositeFieldContainer[SecretInfo]
    position_cursor: str
    failing_since: _timestamp_pb2.Timestamp
    failures: int
    next_attempt_at: _timestamp_pb2.Timestamp
    delivered_at: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., url: _Optional[str] = ..., event_types: _Optional[_Iterable[str]] = ..., subject_prefix: _Optional[str] = ..., description: _Optional[str] = ..., state: _Optional[_Union[Webhook.State, str]] = ..., disabled_reason: _Optional[_Union[Webhook.DisabledReason, str]] = ..., disabled_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., secrets: _Optional[_Iterable[_Union[SecretInfo, _Mapping]]] = ..., position_cursor: _Optional[str] = ..., failing_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., failures: _Optional[int] = ..., next_attempt_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delivered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SecretInfo(_message.Message):
    __slots__ = ("id", "created_at", "expires_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    created_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WebhookWithSecret(_message.Message):
    __slots__ = ("webhook", "secret")
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    webhook: Webhook
    secret: str
    def __init__(self, webhook: _Optional[_Union[Webhook, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class WebhookAttempt(_message.Message):
    __slots__ = ("at", "event_id", "event_type", "outcome", "status", "failure", "milliseconds")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[WebhookAttempt.Outcome]
        OUTCOME_DELIVERED: _ClassVar[WebhookAttempt.Outcome]
        OUTCOME_FAILED: _ClassVar[WebhookAttempt.Outcome]
    OUTCOME_UNSPECIFIED: WebhookAttempt.Outcome
    OUTCOME_DELIVERED: WebhookAttempt.Outcome
    OUTCOME_FAILED: WebhookAttempt.Outcome
    AT_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    event_id: str
    event_type: str
    outcome: WebhookAttempt.Outcome
    status: int
    failure: str
    milliseconds: int
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., outcome: _Optional[_Union[WebhookAttempt.Outcome, str]] = ..., status: _Optional[int] = ..., failure: _Optional[str] = ..., milliseconds: _Optional[int] = ...) -> None: ...
