import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from mpp.subscriptions.v1 import grant_pb2 as _grant_pb2
from mpp.subscriptions.v1 import webhook_pb2 as _webhook_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgencyAccessChanged(_message.Message):
    __slots__ = ("grant", "agency", "state", "entitlements", "credential_version", "at")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ENTITLEMENTS_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    grant: str
    agency: str
    state: _grant_pb2.Grant.State
    entitlements: _containers.RepeatedScalarFieldContainer[str]
    credential_version: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, grant: _Optional[str] = ..., agency: _Optional[str] = ..., state: _Optional[_Union[_grant_pb2.Grant.State, str]] = ..., entitlements: _Optional[_Iterable[str]] = ..., credential_version: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WebhookDisabled(_message.Message):
    __slots__ = ("webhook", "agency", "cause", "at")
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    webhook: str
    agency: str
    cause: _webhook_pb2.Webhook.DisabledReason
    at: _timestamp_pb2.Timestamp
    def __init__(self, webhook: _Optional[str] = ..., agency: _Optional[str] = ..., cause: _Optional[_Union[_webhook_pb2.Webhook.DisabledReason, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubscriptionDeleted(_message.Message):
    __slots__ = ("subscription", "agency", "at")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    subscription: str
    agency: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, subscription: _Optional[str] = ..., agency: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WebhookDeleted(_message.Message):
    __slots__ = ("webhook", "agency", "at")
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    webhook: str
    agency: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, webhook: _Optional[str] = ..., agency: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
