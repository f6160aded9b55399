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

class OfflineBlock(_message.Message):
    __slots__ = ("name", "kiosk", "day", "first", "last", "prefix", "leased_at", "leased_until", "day_ends_at", "merged", "returned", "last_used", "no_printing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    LEASED_AT_FIELD_NUMBER: _ClassVar[int]
    LEASED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    DAY_ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    MERGED_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    LAST_USED_FIELD_NUMBER: _ClassVar[int]
    NO_PRINTING_FIELD_NUMBER: _ClassVar[int]
    name: str
    kiosk: str
    day: str
    first: int
    last: int
    prefix: str
    leased_at: _timestamp_pb2.Timestamp
    leased_until: _timestamp_pb2.Timestamp
    day_ends_at: _timestamp_pb2.Timestamp
    merged: int
    returned: bool
    last_used: int
    no_printing: _containers.RepeatedCompositeFieldContainer[NoPrinting]
    def __init__(self, name: _Optional[str] = ..., kiosk: _Optional[str] = ..., day: _Optional[str] = ..., first: _Optional[int] = ..., last: _Optional[int] = ..., prefix: _Optional[str] = ..., leased_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., leased_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., day_ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., merged: _Optional[int] = ..., returned: _Optional[bool] = ..., last_used: _Optional[int] = ..., no_printing: _Optional[_Iterable[_Union[NoPrinting, _Mapping]]] = ...) -> None: ...

class NoPrinting(_message.Message):
    __slots__ = ("starts_at", "ends_at", "reason", "text")
    STARTS_AT_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    starts_at: _timestamp_pb2.Timestamp
    ends_at: _timestamp_pb2.Timestamp
    reason: str
    text: _site_pb2.LocalizedText
    def __init__(self, starts_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class MergedEntry(_message.Message):
    __slots__ = ("n", "outcome", "ticket", "number", "late", "reason", "message", "printed_while")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[MergedEntry.Outcome]
        OUTCOME_MERGED: _ClassVar[MergedEntry.Outcome]
        OUTCOME_REFUSED: _ClassVar[MergedEntry.Outcome]
        OUTCOME_TRY_AGAIN: _ClassVar[MergedEntry.Outcome]
    OUTCOME_UNSPECIFIED: MergedEntry.Outcome
    OUTCOME_MERGED: MergedEntry.Outcome
    OUTCOME_REFUSED: MergedEntry.Outcome
    OUTCOME_TRY_AGAIN: MergedEntry.Outcome
    N_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PRINTED_WHILE_FIELD_NUMBER: _ClassVar[int]
    n: int
    outcome: MergedEntry.Outcome
    ticket: str
    number: str
    late: bool
    reason: str
    message: str
    printed_while: str
    def __init__(self, n: _Optional[int] = ..., outcome: _Optional[_Union[MergedEntry.Outcome, str]] = ..., ticket: _Optional[str] = ..., number: _Optional[str] = ..., late: _Optional[bool] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., printed_while: _Optional[str] = ...) -> None: ...

class Kiosk(_message.Message):
    __slots__ = ("name", "display_name", "active", "activation_required", "buttons", "reason", "layout", "pages")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    BUTTONS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: _site_pb2.LocalizedText
    active: bool
    activation_required: bool
    buttons: _containers.RepeatedCompositeFieldContainer[KioskButton]
    reason: str
    layout: KioskLayout
    pages: _containers.RepeatedCompositeFieldContainer[KioskPage]
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., active: _Optional[bool] = ..., activation_required: _Optional[bool] = ..., buttons: _Optional[_Iterable[_Union[KioskButton, _Mapping]]] = ..., reason: _Optional[str] = ..., layout: _Optional[_Union[KioskLayout, _Mapping]] = ..., pages: _Optional[_Iterable[_Union[KioskPage, _Mapping]]] = ...) -> None: ...

class KioskLayout(_message.Message):
    __slots__ = ("buttons", "page_size", "columns", "large_print", "high_contrast")
    BUTTONS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LARGE_PRINT_FIELD_NUMBER: _ClassVar[int]
    HIGH_CONTRAST_FIELD_NUMBER: _ClassVar[int]
    buttons: _containers.RepeatedCompositeFieldContainer[KioskLayoutButton]
    page_size: int
    columns: int
    large_print: bool
    high_contrast: bool
    def __init__(self, buttons: _Optional[_Iterable[_Union[KioskLayoutButton, _Mapping]]] = ..., page_size: _Optional[int] = ..., columns: _Optional[int] = ..., large_print: _Optional[bool] = ..., high_contrast: _Optional[bool] = ...) -> None: ...

class KioskLayoutButton(_message.Message):
    __slots__ = ("button", "label", "icon", "access_key", "show_waiting", "show_wait", "closed_text")
    BUTTON_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    ACCESS_KEY_FIELD_NUMBER: _ClassVar[int]
    SHOW_WAITING_FIELD_NUMBER: _ClassVar[int]
    SHOW_WAIT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TEXT_FIELD_NUMBER: _ClassVar[int]
    button: str
    label: _site_pb2.LocalizedText
    icon: str
    access_key: str
    show_waiting: bool
    show_wait: bool
    closed_text: _site_pb2.LocalizedText
    def __init__(self, button: _Optional[str] = ..., label: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., icon: _Optional[str] = ..., access_key: _Optional[str] = ..., show_waiting: _Optional[bool] = ..., show_wait: _Optional[bool] = ..., closed_text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class KioskPage(_message.Message):
    __slots__ = ("buttons",)
    BUTTONS_FIELD_NUMBER: _ClassVar[int]
    buttons: _containers.RepeatedCompositeFieldContainer[KioskButton]
    def __init__(self, buttons: _Optional[_Iterable[_Union[KioskButton, _Mapping]]] = ...) -> None: ...

class KioskButton(_message.Message):
    __slots__ = ("id", "queue", "offering", "title", "state", "text", "waiting", "wait_low", "wait_high", "icon", "access_key", "show_waiting", "show_wait")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[KioskButton.State]
        STATE_OPEN: _ClassVar[KioskButton.State]
        STATE_CLOSED: _ClassVar[KioskButton.State]
        STATE_EXHAUSTED: _ClassVar[KioskButton.State]
        STATE_PAUSED: _ClassVar[KioskButton.State]
    STATE_UNSPECIFIED: KioskButton.State
    STATE_OPEN: KioskButton.State
    STATE_CLOSED: KioskButton.State
    STATE_EXHAUSTED: KioskButton.State
    STATE_PAUSED: KioskButton.State
    ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    WAIT_LOW_FIELD_NUMBER: _ClassVar[int]
    WAIT_HIGH_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    ACCESS_KEY_FIELD_NUMBER: _ClassVar[int]
    SHOW_WAITING_FIELD_NUMBER: _ClassVar[int]
    SHOW_WAIT_FIELD_NUMBER: _ClassVar[int]
    id: str
    queue: str
    offering: str
    title: _site_pb2.LocalizedText
    state: KioskButton.State
    text: _site_pb2.LocalizedText
    waiting: int
    wait_low: _duration_pb2.Duration
    wait_high: _duration_pb2.Duration
    icon: str
    access_key: str
    show_waiting: bool
    show_wait: bool
    def __init__(self, id: _Optional[str] = ..., queue: _Optional[str] = ..., offering: _Optional[str] = ..., title: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., state: _Optional[_Union[KioskButton.State, str]] = ..., text: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., waiting: _Optional[int] = ..., wait_low: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wait_high: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., icon: _Optional[str] = ..., access_key: _Optional[str] = ..., show_waiting: _Optional[bool] = ..., show_wait: _Optional[bool] = ...) -> None: ...
