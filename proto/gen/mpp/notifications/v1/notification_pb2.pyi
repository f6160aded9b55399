import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Notification(_message.Message):
    __slots__ = ("name", "subject", "template", "channel", "state", "masked_recipient", "provider", "created_at", "sent_at", "delivered_at", "attempts", "failure")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Notification.State]
        STATE_CREATED: _ClassVar[Notification.State]
        STATE_SENDING: _ClassVar[Notification.State]
        STATE_PENDING: _ClassVar[Notification.State]
        STATE_DELIVERED: _ClassVar[Notification.State]
        STATE_TEMPORARY_FAILURE: _ClassVar[Notification.State]
        STATE_PERMANENT_FAILURE: _ClassVar[Notification.State]
        STATE_TECHNICAL_FAILURE: _ClassVar[Notification.State]
        STATE_CANCELLED: _ClassVar[Notification.State]
        STATE_SUPPRESSED: _ClassVar[Notification.State]
        STATE_EXPIRED: _ClassVar[Notification.State]
    STATE_UNSPECIFIED: Notification.State
    STATE_CREATED: Notification.State
    STATE_SENDING: Notification.State
    STATE_PENDING: Notification.State
    STATE_DELIVERED: Notification.State
    STATE_TEMPORARY_FAILURE: Notification.State
    STATE_PERMANENT_FAILURE: Notification.State
    STATE_TECHNICAL_FAILURE: Notification.State
    STATE_CANCELLED: Notification.State
    STATE_SUPPRESSED: Notification.State
    STATE_EXPIRED: Notification.State
    class Channel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CHANNEL_UNSPECIFIED: _ClassVar[Notification.Channel]
        CHANNEL_SMS: _ClassVar[Notification.Channel]
        CHANNEL_WHATSAPP: _ClassVar[Notification.Channel]
        CHANNEL_EMAIL: _ClassVar[Notification.Channel]
        CHANNEL_PUSH: _ClassVar[Notification.Channel]
    CHANNEL_UNSPECIFIED: Notification.Channel
    CHANNEL_SMS: Notification.Channel
    CHANNEL_WHATSAPP: Notification.Channel
    CHANNEL_EMAIL: Notification.Channel
    CHANNEL_PUSH: Notification.Channel
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MASKED_RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_AT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    subject: str
    template: str
    channel: Notification.Channel
    state: Notification.State
    masked_recipient: str
    provider: str
    created_at: _timestamp_pb2.Timestamp
    sent_at: _timestamp_pb2.Timestamp
    delivered_at: _timestamp_pb2.Timestamp
    attempts: int
    failure: str
    def __init__(self, name: _Optional[str] = ..., subject: _Optional[str] = ..., template: _Optional[str] = ..., channel: _Optional[_Union[Notification.Channel, str]] = ..., state: _Optional[_Union[Notification.State, str]] = ..., masked_recipient: _Optional[str] = ..., provider: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delivered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[int] = ..., failure: _Optional[str] = ...) -> None: ...
