import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpp.catalog.v1 import site_pb2 as _site_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Display(_message.Message):
    __slots__ = ("name", "title", "queues", "agencies", "rows", "columns", "labels", "highlight_seconds", "blink", "ring", "speech", "speech_languages", "show_waiting", "show_wait", "show_clock", "image_url", "qr_url", "messages", "slides", "last_calls", "closed_text", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    AGENCIES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    HIGHLIGHT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BLINK_FIELD_NUMBER: _ClassVar[int]
    RING_FIELD_NUMBER: _ClassVar[int]
    SPEECH_FIELD_NUMBER: _ClassVar[int]
    SPEECH_LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    SHOW_WAITING_FIELD_NUMBER: _ClassVar[int]
    SHOW_WAIT_FIELD_NUMBER: _ClassVar[int]
    SHOW_CLOCK_FIELD_NUMBER: _ClassVar[int]
    IMAGE_URL_FIELD_NUMBER: _ClassVar[int]
    QR_URL_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SLIDES_FIELD_NUMBER: _ClassVar[int]
    LAST_CALLS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TEXT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: _site_pb2.LocalizedText
    queues: _containers.RepeatedScalarFieldContainer[str]
    agencies: _containers.RepeatedScalarFieldContainer[str]
    rows: int
    columns: int
    labels: DisplayLabels
    highlight_seconds: int
    blink: bool
    ring: str
    speech: bool
    speech_languages: _containers.RepeatedScalarFieldContainer[str]
    show_waiting: bool
    show_wait: bool
    show_clock: bool
    image_url: str
    qr_url: str
    messages: _containers.RepeatedCompositeFieldContainer[DisplayMessage]
    slides: _containers.RepeatedCompositeFieldContainer[DisplaySlide]
    last_calls: int
    closed_text: _site_pb2.LocalizedText
    etag: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., queues: _Optional[_Iterable[str]] = ..., agencies: _Optional[_Iterable[str]] = ..., rows: _Optional[int] = ..., columns: _Optional[int] = ..., labels: _Optional[_Union[DisplayLabels, _Mapping]] = ..., highlight_seconds: _Optional[int] = ..., blink: _Optional[bool] = ..., ring: _Optional[str] = ..., speech: _Optional[bool] = ..., speech_languages: _Optional[_Iterable[str]] = ..., show_waiting: _Optional[bool] = ..., show_wait: _Optional[bool] = ..., show_clock: _Optional[bool] = ..., image_url: _Optional[str] = ..., qr_url: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[DisplayMessage, _Mapping]]] = ..., slides: _Optional[_Iterable[_Union[DisplaySlide, _Mapping]]] = ..., last_calls: _Optional[int] = ..., closed_text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class DisplayLabels(_message.Message):
    __slots__ = ("number", "counter", "waiting", "wait", "last_calls")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    LAST_CALLS_FIELD_NUMBER: _ClassVar[int]
    number: _site_pb2.LocalizedText
    counter: _site_pb2.LocalizedText
    waiting: _site_pb2.LocalizedText
    wait: _site_pb2.LocalizedText
    last_calls: _site_pb2.LocalizedText
    def __init__(self, number: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., counter: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., waiting: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., wait: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., last_calls: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class DisplayMessage(_message.Message):
    __slots__ = ("text", "starts_at", "ends_at")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STARTS_AT_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    text: _site_pb2.LocalizedText
    starts_at: _timestamp_pb2.Timestamp
    ends_at: _timestamp_pb2.Timestamp
    def __init__(self, text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., starts_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DisplaySlide(_message.Message):
    __slots__ = ("media_url", "seconds", "caption")
    MEDIA_URL_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    media_url: str
    seconds: int
    caption: _site_pb2.LocalizedText
    def __init__(self, media_url: _Optional[str] = ..., seconds: _Optional[int] = ..., caption: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class DisplayFrame(_message.Message):
    __slots__ = ("beat", "beat_seconds", "display", "queues", "last_calls", "announcements", "messages", "closed", "closed_text", "hours_text", "resume")
    BEAT_FIELD_NUMBER: _ClassVar[int]
    BEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    LAST_CALLS_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCEMENTS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TEXT_FIELD_NUMBER: _ClassVar[int]
    HOURS_TEXT_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    beat: _timestamp_pb2.Timestamp
    beat_seconds: int
    display: Display
    queues: _containers.RepeatedCompositeFieldContainer[DisplayQueue]
    last_calls: _containers.RepeatedCompositeFieldContainer[DisplayCall]
    announcements: _containers.RepeatedCompositeFieldContainer[DisplayAnnouncement]
    messages: _containers.RepeatedCompositeFieldContainer[_site_pb2.LocalizedText]
    closed: bool
    closed_text: _site_pb2.LocalizedText
    hours_text: _site_pb2.LocalizedText
    resume: str
    def __init__(self, beat: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., beat_seconds: _Optional[int] = ..., display: _Optional[_Union[Display, _Mapping]] = ..., queues: _Optional[_Iterable[_Union[DisplayQueue, _Mapping]]] = ..., last_calls: _Optional[_Iterable[_Union[DisplayCall, _Mapping]]] = ..., announcements: _Optional[_Iterable[_Union[DisplayAnnouncement, _Mapping]]] = ..., messages: _Optional[_Iterable[_Union[_site_pb2.LocalizedText, _Mapping]]] = ..., closed: _Optional[bool] = ..., closed_text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., hours_text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., resume: _Optional[str] = ...) -> None: ...

class DisplayQueue(_message.Message):
    __slots__ = ("queue", "agency", "prefix", "calls", "waiting", "wait_low", "wait_high", "open", "closed_reason", "closed_text", "opens_at")
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    WAIT_LOW_FIELD_NUMBER: _ClassVar[int]
    WAIT_HIGH_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLOSED_REASON_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TEXT_FIELD_NUMBER: _ClassVar[int]
    OPENS_AT_FIELD_NUMBER: _ClassVar[int]
    queue: str
    agency: str
    prefix: str
    calls: _containers.RepeatedCompositeFieldContainer[DisplayCall]
    waiting: int
    wait_low: _duration_pb2.Duration
    wait_high: _duration_pb2.Duration
    open: bool
    closed_reason: str
    closed_text: _site_pb2.LocalizedText
    opens_at: _timestamp_pb2.Timestamp
    def __init__(self, queue: _Optional[str] = ..., agency: _Optional[str] = ..., prefix: _Optional[str] = ..., calls: _Optional[_Iterable[_Union[DisplayCall, _Mapping]]] = ..., waiting: _Optional[int] = ..., wait_low: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wait_high: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., open: _Optional[bool] = ..., closed_reason: _Optional[str] = ..., closed_text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., opens_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DisplayCall(_message.Message):
    __slots__ = ("id", "queue", "number", "counter", "called_at", "state", "calls")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[DisplayCall.State]
        STATE_CALLING: _ClassVar[DisplayCall.State]
        STATE_SERVING: _ClassVar[DisplayCall.State]
        STATE_PAST: _ClassVar[DisplayCall.State]
    STATE_UNSPECIFIED: DisplayCall.State
    STATE_CALLING: DisplayCall.State
    STATE_SERVING: DisplayCall.State
    STATE_PAST: DisplayCall.State
    ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    CALLED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    id: str
    queue: str
    number: str
    counter: int
    called_at: _timestamp_pb2.Timestamp
    state: DisplayCall.State
    calls: int
    def __init__(self, id: _Optional[str] = ..., queue: _Optional[str] = ..., number: _Optional[str] = ..., counter: _Optional[int] = ..., called_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[DisplayCall.State, str]] = ..., calls: _Optional[int] = ...) -> None: ...

class DisplayAnnouncement(_message.Message):
    __slots__ = ("call", "spoken")
    CALL_FIELD_NUMBER: _ClassVar[int]
    SPOKEN_FIELD_NUMBER: _ClassVar[int]
    call: DisplayCall
    spoken: _containers.RepeatedCompositeFieldContainer[SpokenText]
    def __init__(self, call: _Optional[_Union[DisplayCall, _Mapping]] = ..., spoken: _Optional[_Iterable[_Union[SpokenText, _Mapping]]] = ...) -> None: ...

class SpokenText(_message.Message):
    __slots__ = ("language", "text")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    language: str
    text: str
    def __init__(self, language: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...
