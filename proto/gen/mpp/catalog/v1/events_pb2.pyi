from mpp.catalog.v1 import agency_pb2 as _agency_pb2
from mpp.catalog.v1 import channel_pb2 as _channel_pb2
from mpp.catalog.v1 import offering_pb2 as _offering_pb2
from mpp.catalog.v1 import site_pb2 as _site_pb2
from mpp.options.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SitePublished(_message.Message):
    __slots__ = ("site",)
    SITE_FIELD_NUMBER: _ClassVar[int]
    site: _site_pb2.Site
    def __init__(self, site: _Optional[_Union[_site_pb2.Site, _Mapping]] = ...) -> None: ...

class AgencyPublished(_message.Message):
    __slots__ = ("agency",)
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    agency: _agency_pb2.Agency
    def __init__(self, agency: _Optional[_Union[_agency_pb2.Agency, _Mapping]] = ...) -> None: ...

class OfferingPublished(_message.Message):
    __slots__ = ("offering",)
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    offering: _offering_pb2.Offering
    def __init__(self, offering: _Optional[_Union[_offering_pb2.Offering, _Mapping]] = ...) -> None: ...

class ChannelKindPublished(_message.Message):
    __slots__ = ("kind",)
    KIND_FIELD_NUMBER: _ClassVar[int]
    kind: _channel_pb2.ChannelKind
    def __init__(self, kind: _Optional[_Union[_channel_pb2.ChannelKind, _Mapping]] = ...) -> None: ...

class ChannelPublished(_message.Message):
    __slots__ = ("channel",)
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    channel: _channel_pb2.Channel
    def __init__(self, channel: _Optional[_Union[_channel_pb2.Channel, _Mapping]] = ...) -> None: ...

class AgencyRetired(_message.Message):
    __slots__ = ("agency",)
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    agency: str
    def __init__(self, agency: _Optional[str] = ...) -> None: ...

class OfferingRetired(_message.Message):
    __slots__ = ("offering",)
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    offering: str
    def __init__(self, offering: _Optional[str] = ...) -> None: ...

class ChannelRetired(_message.Message):
    __slots__ = ("channel",)
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    channel: str
    def __init__(self, channel: _Optional[str] = ...) -> None: ...

class ChannelKindRetired(_message.Message):
    __slots__ = ("channel_kind",)
    CHANNEL_KIND_FIELD_NUMBER: _ClassVar[int]
    channel_kind: str
    def __init__(self, channel_kind: _Optional[str] = ...) -> None: ...

class SiteRetired(_message.Message):
    __slots__ = ("site",)
    SITE_FIELD_NUMBER: _ClassVar[int]
    site: str
    def __init__(self, site: _Optional[str] = ...) -> None: ...
