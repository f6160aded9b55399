from buf.validate import validate_pb2 as _validate_pb2
from mpp.catalog.v1 import site_pb2 as _site_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Offering(_message.Message):
    __slots__ = ("name", "agency", "display_name", "aliases", "kind", "source", "risk", "standard", "missing_components", "etag")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Offering.Kind]
        KIND_GOODS: _ClassVar[Offering.Kind]
        KIND_SERVICE: _ClassVar[Offering.Kind]
        KIND_ADMINISTRATIVE: _ClassVar[Offering.Kind]
    KIND_UNSPECIFIED: Offering.Kind
    KIND_GOODS: Offering.Kind
    KIND_SERVICE: Offering.Kind
    KIND_ADMINISTRATIVE: Offering.Kind
    class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SOURCE_UNSPECIFIED: _ClassVar[Offering.Source]
        SOURCE_PUBLIC: _ClassVar[Offering.Source]
        SOURCE_SAMPLE: _ClassVar[Offering.Source]
    SOURCE_UNSPECIFIED: Offering.Source
    SOURCE_PUBLIC: Offering.Source
    SOURCE_SAMPLE: Offering.Source
    NAME_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    STANDARD_FIELD_NUMBER: _ClassVar[int]
    MISSING_COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    agency: str
    display_name: _site_pb2.LocalizedText
    aliases: _containers.RepeatedScalarFieldContainer[str]
    kind: Offering.Kind
    source: Offering.Source
    risk: str
    standard: Standard
    missing_components: _containers.RepeatedScalarFieldContainer[str]
    etag: str
    def __init__(self, name: _Optional[str] = ..., agency: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., aliases: _Optional[_Iterable[str]] = ..., kind: _Optional[_Union[Offering.Kind, str]] = ..., source: _Optional[_Union[Offering.Source, str]] = ..., risk: _Optional[str] = ..., standard: _Optional[_Union[Standard, _Mapping]] = ..., missing_components: _Optional[_Iterable[str]] = ..., etag: _Optional[str] = ...) -> None: ...

class Standard(_message.Message):
    __slots__ = ("requirements", "procedure", "time", "fee", "product", "complaint_handling", "legal_basis", "facilities", "competence", "internal_supervision", "staff_count", "service_guarantee", "security_guarantee", "performance_evaluation", "sample_components")
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    PROCEDURE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    COMPLAINT_HANDLING_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    FACILITIES_FIELD_NUMBER: _ClassVar[int]
    COMPETENCE_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_SUPERVISION_FIELD_NUMBER: _ClassVar[int]
    STAFF_COUNT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_GUARANTEE_FIELD_NUMBER: _ClassVar[int]
    SECURITY_GUARANTEE_FIELD_NUMBER: _ClassVar[int]
    PERFORMANCE_EVALUATION_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    requirements: _containers.RepeatedCompositeFieldContainer[Requirement]
    procedure: _containers.RepeatedScalarFieldContainer[str]
    time: ServiceTime
    fee: Fee
    product: str
    complaint_handling: str
    legal_basis: _containers.RepeatedScalarFieldContainer[str]
    facilities: str
    competence: str
    internal_supervision: str
    staff_count: int
    service_guarantee: str
    security_guarantee: str
    performance_evaluation: str
    sample_components: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, requirements: _Optional[_Iterable[_Union[Requirement, _Mapping]]] = ..., procedure: _Optional[_Iterable[str]] = ..., time: _Optional[_Union[ServiceTime, _Mapping]] = ..., fee: _Optional[_Union[Fee, _Mapping]] = ..., product: _Optional[str] = ..., complaint_handling: _Optional[str] = ..., legal_basis: _Optional[_Iterable[str]] = ..., facilities: _Optional[str] = ..., competence: _Optional[str] = ..., internal_supervision: _Optional[str] = ..., staff_count: _Optional[int] = ..., service_guarantee: _Optional[str] = ..., security_guarantee: _Optional[str] = ..., performance_evaluation: _Optional[str] = ..., sample_components: _Optional[_Iterable[str]] = ...) -> None: ...

class Requirement(_message.Message):
    __slots__ = ("id", "display_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: _site_pb2.LocalizedText
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class ServiceTime(_message.Message):
    __slots__ = ("amount", "unit")
    class Unit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNIT_UNSPECIFIED: _ClassVar[ServiceTime.Unit]
        UNIT_WORKING_DAY: _ClassVar[ServiceTime.Unit]
        UNIT_WORKING_HOUR: _ClassVar[ServiceTime.Unit]
        UNIT_MINUTE: _ClassVar[ServiceTime.Unit]
    UNIT_UNSPECIFIED: ServiceTime.Unit
    UNIT_WORKING_DAY: ServiceTime.Unit
    UNIT_WORKING_HOUR: ServiceTime.Unit
    UNIT_MINUTE: ServiceTime.Unit
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    amount: int
    unit: ServiceTime.Unit
    def __init__(self, amount: _Optional[int] = ..., unit: _Optional[_Union[ServiceTime.Unit, str]] = ...) -> None: ...

class Fee(_message.Message):
    __slots__ = ("amount_idr", "tariffs", "formula", "basis")
    AMOUNT_IDR_FIELD_NUMBER: _ClassVar[int]
    TARIFFS_FIELD_NUMBER: _ClassVar[int]
    FORMULA_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    amount_idr: int
    tariffs: _containers.RepeatedCompositeFieldContainer[Tariff]
    formula: str
    basis: str
    def __init__(self, amount_idr: _Optional[int] = ..., tariffs: _Optional[_Iterable[_Union[Tariff, _Mapping]]] = ..., formula: _Optional[str] = ..., basis: _Optional[str] = ...) -> None: ...

class Tariff(_message.Message):
    __slots__ = ("display_name", "amount_idr")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_IDR_FIELD_NUMBER: _ClassVar[int]
    display_name: _site_pb2.LocalizedText
    amount_idr: int
    def __init__(self, display_name: _Optional[_Union[_site_pb2.LocalizedText, _Mapping]] = ..., amount_idr: _Optional[int] = ...) -> None: ...
