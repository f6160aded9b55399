"""A public service and its standard: the 14 components, their gaps, one form of fee. Knows no agency but by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from mpp_catalog.domain.errors import InvalidField
from mpp_catalog.domain.parts import Text, check_text, check_unique, site_of

# The components of a service standard: UU 25/2009 and PermenPANRB 15/2014. The first six are published
# delivery components, the other eight are management components. Names are those of the public contract.
COMPONENTS = (
    "requirements",
    "procedure",
    "time",
    "fee",
    "product",
    "complaint_handling",
    "legal_basis",
    "facilities",
    "competence",
    "internal_supervision",
    "staff_count",
    "service_guarantee",
    "security_guarantee",
    "performance_evaluation",
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A paper or a fact that the applicant brings."""

    id: str
    display_name: Text


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """What the standard promises, from the complete file. Unit: working_day, working_hour or minute."""

    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Tariff:
    """One price among several, in whole rupiah."""

    display_name: Text
    amount_idr: int


@dataclass(frozen=True, slots=True)
class Fee:
    """What a citizen pays: a fixed amount (whole rupiah), or tariffs, or a formula in words."""

    amount_idr: int | None = None
    tariffs: tuple[Tariff, ...] = ()
    formula: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Standard:
    """A service standard. A component that is not known is absent, and shown as a gap."""

    requirements: tuple[Requirement, ...] = ()
    procedure: tuple[str, ...] = ()
    time: ServiceTime | None = None
    fee: Fee | None = None
    product: str = ""
    complaint_handling: str = ""
    legal_basis: tuple[str, ...] = ()
    facilities: str = ""
    competence: str = ""
    internal_supervision: str = ""
    staff_count: int | None = None
    service_guarantee: str = ""
    security_guarantee: str = ""
    performance_evaluation: str = ""
    sample_components: tuple[str, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """The components, of the 14 and in their order, that are not known."""
        return tuple(name for name in COMPONENTS if getattr(self, name) in (None, "", ()))

    def check(self) -> None:
        """Raise InvalidField for two forms of fee, ids given twice, and samples of what is not there."""
        at = "offering.standard"
        for index, requirement in enumerate(self.requirements):
            check_text(f"{at}.requirements[{index}].display_name", requirement.display_name)
        check_unique(f"{at}.requirements", [r.id for r in self.requirements])
        if self.fee:
            _check_fee(f"{at}.fee", self.fee)
        check_unique(f"{at}.sample_components", self.sample_components)
        missing = self.missing()
        for name in self.sample_components:
            if name not in COMPONENTS:
                raise InvalidField(f"{at}.sample_components", f"{name!r} is none of the 14 components")
            if name in missing:
                raise InvalidField(f"{at}.sample_components", f"{name!r} is not in the standard")


@dataclass(frozen=True, slots=True)
class OfferingPublished:
    """A public service is new or changed."""

    offering: Offering


@dataclass(frozen=True, slots=True)
class Offering:
    """A public service (layanan) of an agency: `sites/{site}/offerings/{offering}`."""

    name: str
    agency: str
    display_name: Text
    kind: str
    source: str
    standard: Standard
    aliases: tuple[str, ...] = ()
    risk: str = ""
    published_at: datetime | None = field(default=None, compare=False)
    published_by: str = field(default="", compare=False)
    events: tuple[OfferingPublished, ...] = field(default=(), compare=False)

    def check(self) -> None:
        """Raise InvalidField for an agency of another site, no legal basis, and the like."""
        if site_of(self.agency) != site_of(self.name):
            raise InvalidField("offering.agency", "belongs to another site")
        check_text("offering.display_name", self.display_name)
        check_unique("offering.aliases", [alias.casefold() for alias in self.aliases])
        if self.source == "public" and not self.standard.legal_basis:
            raise InvalidField(
                "offering.standard.legal_basis",
                "a service marked public needs one; mark it sample if it has none",
            )
        self.standard.check()

    def announced(self) -> Offering:
        """This offering with the event that tells of it."""
        return replace(self, events=(OfferingPublished(self),))


def _check_fee(path: str, fee: Fee) -> None:
    forms = [fee.amount_idr is not None, bool(fee.tariffs), bool(fee.formula.strip())]
    if sum(forms) != 1:
        raise InvalidField(path, "exactly one of amount_idr, tariffs and formula is needed")
    for index, tariff in enumerate(fee.tariffs):
        check_text(f"{path}.tariffs[{index}].display_name", tariff.display_name)
