import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.notifications.v1 import notification_pb2 as _notification_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NotificationEnded(_message.Message):
    __slots__ = ("notification", "subject", "template", "channel", "state", "at")
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    notification: str
    subject: str
    template: str
    channel: _notification_pb2.Notification.Channel
    state: _notification_pb2.Notification.State
    at: _timestamp_pb2.Timestamp
    def __init__(self, notification: _Optional[str] = ..., subject: _Optional[str] = ..., template: _Optional[str] = ..., channel: _Optional[_Union[_notification_pb2.Notification.Channel, str]] = ..., state: _Optional[_Union[_notification_pb2.Notification.State, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OverviewAsked(_message.Message):
    __slots__ = ("overview", "asked_at", "sealed_phone", "sealed_email")
    OVERVIEW_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    SEALED_PHONE_FIELD_NUMBER: _ClassVar[int]
    SEALED_EMAIL_FIELD_NUMBER: _ClassVar[int]
    overview: str
    asked_at: _timestamp_pb2.Timestamp
    sealed_phone: str
    sealed_email: str
    def __init__(self, overview: _Optional[str] = ..., asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sealed_phone: _Optional[str] = ..., sealed_email: _Optional[str] = ...) -> None: ...
