import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.notifications.v1 import notification_pb2 as _notification_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetNotificationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListNotificationsRequest(_message.Message):
    __slots__ = ("parent", "subject", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    subject: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., subject: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNotificationsResponse(_message.Message):
    __slots__ = ("notifications", "next_page_token")
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    notifications: _containers.RepeatedCompositeFieldContainer[_notification_pb2.Notification]
    next_page_token: str
    def __init__(self, notifications: _Optional[_Iterable[_Union[_notification_pb2.Notification, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReportReceiptRequest(_message.Message):
    __slots__ = ("name", "state", "failure", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: _notification_pb2.Notification.State
    failure: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_notification_pb2.Notification.State, str]] = ..., failure: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SendOverviewRequest(_message.Message):
    __slots__ = ("parent", "phone", "email", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    phone: str
    email: str
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SendOverviewResponse(_message.Message):
    __slots__ = ("masked_recipient", "next_at")
    MASKED_RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    masked_recipient: str
    next_at: _timestamp_pb2.Timestamp
    def __init__(self, masked_recipient: _Optional[str] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SetOptOutRequest(_message.Message):
    __slots__ = ("parent", "phone", "opted_out", "request_id", "email")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    OPTED_OUT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    parent: str
    phone: str
    opted_out: bool
    request_id: str
    email: str
    def __init__(self, parent: _Optional[str] = ..., phone: _Optional[str] = ..., opted_out: _Optional[bool] = ..., request_id: _Optional[str] = ..., email: _Optional[str] = ...) -> None: ...

class SetOptOutResponse(_message.Message):
    __slots__ = ("masked_phone", "opted_out", "masked_email")
    MASKED_PHONE_FIELD_NUMBER: _ClassVar[int]
    OPTED_OUT_FIELD_NUMBER: _ClassVar[int]
    MASKED_EMAIL_FIELD_NUMBER: _ClassVar[int]
    masked_phone: str
    opted_out: bool
    masked_email: str
    def __init__(self, masked_phone: _Optional[str] = ..., opted_out: _Optional[bool] = ..., masked_email: _Optional[str] = ...) -> None: ...
