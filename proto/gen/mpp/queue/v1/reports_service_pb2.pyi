from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from mpp.queue.v1 import report_pb2 as _report_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueryReportRequest(_message.Message):
    __slots__ = ("parent", "from_day", "to_day", "group_by", "agency", "queue")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    FROM_DAY_FIELD_NUMBER: _ClassVar[int]
    TO_DAY_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    from_day: str
    to_day: str
    group_by: _report_pb2.ReportGroup
    agency: str
    queue: str
    def __init__(self, parent: _Optional[str] = ..., from_day: _Optional[str] = ..., to_day: _Optional[str] = ..., group_by: _Optional[_Union[_report_pb2.ReportGroup, str]] = ..., agency: _Optional[str] = ..., queue: _Optional[str] = ...) -> None: ...

class ExportReportRequest(_message.Message):
    __slots__ = ("parent", "from_day", "to_day", "group_by", "agency", "header", "queue")
    class Header(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        HEADER_UNSPECIFIED: _ClassVar[ExportReportRequest.Header]
        HEADER_INDONESIAN: _ClassVar[ExportReportRequest.Header]
    HEADER_UNSPECIFIED: ExportReportRequest.Header
    HEADER_INDONESIAN: ExportReportRequest.Header
    PARENT_FIELD_NUMBER: _ClassVar[int]
    FROM_DAY_FIELD_NUMBER: _ClassVar[int]
    TO_DAY_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    from_day: str
    to_day: str
    group_by: _report_pb2.ReportGroup
    agency: str
    header: ExportReportRequest.Header
    queue: str
    def __init__(self, parent: _Optional[str] = ..., from_day: _Optional[str] = ..., to_day: _Optional[str] = ..., group_by: _Optional[_Union[_report_pb2.ReportGroup, str]] = ..., agency: _Optional[str] = ..., header: _Optional[_Union[ExportReportRequest.Header, str]] = ..., queue: _Optional[str] = ...) -> None: ...

class ExportReportResponse(_message.Message):
    __slots__ = ("filename", "csv")
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    filename: str
    csv: str
    def __init__(self, filename: _Optional[str] = ..., csv: _Optional[str] = ...) -> None: ...

class SetStaffingRequest(_message.Message):
    __slots__ = ("name", "counters", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    counters: int
    request_id: str
    def __init__(self, name: _Optional[str] = ..., counters: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetStaffingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...
