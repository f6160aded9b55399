"""The catalogue's rules: sites, agencies, public services and their standards.

Knows the 14 components of a service standard, what may not clash within a site, and when a resource has
changed. Never knows storage, gRPC, events on a wire, or a clock: everything comes in as an argument.

Field paths in errors are those of the public requests (`agency.queue.counters`): a caller can mend them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypeVar

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


class CatalogError(Exception):
    """A rule of the catalogue was broken. `reason` is stable; `field` names the culprit."""

    reason = "CATALOG_ERROR"

    def __init__(self, message: str, *, field: str | None = None, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.metadata = metadata or {}


class InvalidField(CatalogError):
    """A value that can never be right, whatever the catalogue holds."""

    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", field=field)


class EtagMismatch(CatalogError):
    """Somebody changed the resource since the caller read it."""

    reason = "ETAG_MISMATCH"


class QueueClaimed(CatalogError):
    """Another agency of the site already holds this queue id, prefix or counter."""

    reason = "QUEUE_CLAIMED"


@dataclass(frozen=True, slots=True)
class Text:
    """Text for citizens: Indonesian first, English beside it (which may be empty)."""

    id: str
    en: str = ""


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """One open interval, `HH:MM` local time, of an ISO weekday (1 = Monday). A break is a gap."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day that is no working day: ISO date. `joint_leave` marks cuti bersama."""

    date: str
    name: str
    joint_leave: bool = False


@dataclass(frozen=True, slots=True)
class SitePublished:
    """A site is new or changed."""

    site: Site


@dataclass(frozen=True, slots=True)
class AgencyPublished:
    """An agency is new or changed."""

    agency: Agency


@dataclass(frozen=True, slots=True)
class OfferingPublished:
    """A public service is new or changed."""

    offering: Offering


Event = SitePublished | AgencyPublished | OfferingPublished


@dataclass(frozen=True, slots=True)
class Site:
    """One Mal Pelayanan Publik, the tenant: `sites/{site}`."""

    name: str
    display_name: Text
    region_code: str
    time_zone: str
    kind: str = ""
    opened: str = ""
    declared_services: int | None = None
    declared_agencies: int | None = None
    opening_hours: tuple[OpeningHours, ...] = ()
    channels: tuple[str, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    published_at: datetime | None = field(default=None, compare=False)
    published_by: str = field(default="", compare=False)
    events: tuple[Event, ...] = field(default=(), compare=False)

    def check(self) -> None:
        """Raise InvalidField for dates that no calendar has, hours that overlap, and anything given twice."""
        _check_text("site.display_name", self.display_name)
        _check_region(self.region_code)
        if self.opened:
            _check_date("site.opened", self.opened)
        _check_hours(self.opening_hours)
        _check_unique("site.channels", self.channels)
        for index, holiday in enumerate(self.holidays):
            _check_date(f"site.holidays[{index}].date", holiday.date)
        _check_unique("site.holidays", [f"{h.date} {h.name}" for h in self.holidays])

    def announced(self) -> Site:
        """This site with the event that tells of it."""
        return replace(self, events=(SitePublished(self),))


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """How citizens queue for an agency. `minutes_per_visit` is a first guess, in minutes."""

    id: str
    prefix: str
    counters: tuple[int, ...]
    minutes_per_visit: int


@dataclass(frozen=True, slots=True)
class Facility:
    """Something to use rather than to apply for: a reading corner."""

    id: str
    display_name: Text


@dataclass(frozen=True, slots=True)
class Agency:
    """An institution that serves citizens at a site: `sites/{site}/agencies/{agency}`."""

    name: str
    display_name: Text
    category: str
    declared_services: int | None = None
    source: str = ""
    queue: QueueSpec | None = None
    facilities: tuple[Facility, ...] = ()
    published_at: datetime | None = field(default=None, compare=False)
    published_by: str = field(default="", compare=False)
    events: tuple[Event, ...] = field(default=(), compare=False)

    def check(self) -> None:
        """Raise InvalidField for blank text and for counters or facilities given twice."""
        _check_text("agency.display_name", self.display_name)
        for index, facility in enumerate(self.facilities):
            _check_text(f"agency.facilities[{index}].display_name", facility.display_name)
        _check_unique("agency.facilities", [f.id for f in self.facilities])
        if self.queue:
            if not self.queue.counters:
                raise InvalidField("agency.queue.counters", "a queue needs at least one counter")
            _check_unique("agency.queue.counters", self.queue.counters)

    def announced(self) -> Agency:
        """This agency with the event that tells of it."""
        return replace(self, events=(AgencyPublished(self),))

    def refuse_claimed(self, others: Iterable[tuple[str, QueueSpec]]) -> None:
        """Raise QueueClaimed where another agency of the site holds this one's queue id, prefix or a counter.

        `others` are (agency name, queue) pairs; a pair of this agency itself is passed over. Guarantees
        nothing about agencies not among `others`: two that come at the same time are the store's concern.
        """
        if self.queue is None:
            return
        for holder, queue in others:
            if holder == self.name:
                continue
            if queue.id == self.queue.id:
                raise _claimed("agency.queue.id", queue.id, holder)
            if queue.prefix == self.queue.prefix:
                raise _claimed("agency.queue.prefix", queue.prefix, holder)
            shared = sorted(set(queue.counters) & set(self.queue.counters))
            if shared:
                raise _claimed("agency.queue.counters", ", ".join(map(str, shared)), holder)


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
            _check_text(f"{at}.requirements[{index}].display_name", requirement.display_name)
        _check_unique(f"{at}.requirements", [r.id for r in self.requirements])
        if self.fee:
            _check_fee(f"{at}.fee", self.fee)
        _check_unique(f"{at}.sample_components", self.sample_components)
        missing = self.missing()
        for name in self.sample_components:
            if name not in COMPONENTS:
                raise InvalidField(f"{at}.sample_components", f"{name!r} is none of the 14 components")
            if name in missing:
                raise InvalidField(f"{at}.sample_components", f"{name!r} is not in the standard")


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
    events: tuple[Event, ...] = field(default=(), compare=False)

    def check(self) -> None:
        """Raise InvalidField for an agency of another site, no legal basis, and the like."""
        if site_of(self.agency) != site_of(self.name):
            raise InvalidField("offering.agency", "belongs to another site")
        _check_text("offering.display_name", self.display_name)
        _check_unique("offering.aliases", [alias.casefold() for alias in self.aliases])
        if self.source == "public" and not self.standard.legal_basis:
            raise InvalidField(
                "offering.standard.legal_basis",
                "a service marked public needs one; mark it sample if it has none",
            )
        self.standard.check()

    def announced(self) -> Offering:
        """This offering with the event that tells of it."""
        return replace(self, events=(OfferingPublished(self),))


Resource = TypeVar("Resource", Site, Agency, Offering)


def publish(current: Resource | None, wanted: Resource, *, now: datetime, actor: str) -> Resource:
    """What the catalogue holds after `wanted` is applied over `current`.

    An unchanged resource comes back as it is, without an event; otherwise `wanted` comes back, stamped and
    with exactly one event. Raises InvalidField when `wanted` breaks a rule of its own.
    """
    wanted.check()
    if current is not None and current.name != wanted.name:
        raise ValueError(f"{wanted.name} cannot replace {current.name}")
    if current == wanted:
        return current
    return replace(wanted, published_at=now, published_by=actor).announced()


def etag(name: str, version: int) -> str:
    """The tag of one version of one resource. Opaque to callers; equal exactly when name and version are."""
    return hashlib.sha256(f"{name}\n{version}".encode()).hexdigest()[:16]


def check_etag(field: str, given: str, name: str, version: int | None) -> None:
    """Raise EtagMismatch when `given` is not empty and not the tag of this version (None: no resource)."""
    if given and (version is None or given != etag(name, version)):
        raise EtagMismatch(
            f"{name} was changed since it was read; read it again", field=field, metadata={"resource": name}
        )


def site_of(name: str) -> str:
    """`sites/{site}` of any resource name below it."""
    return "/".join(name.split("/")[:2])


def _check_text(path: str, text: Text) -> None:
    if not text.id.strip():
        raise InvalidField(f"{path}.id", "the Indonesian text must not be blank")


def _check_unique(path: str, values: Sequence[str] | Sequence[int]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise InvalidField(path, f"{twice[0]!r} is given twice")


def _check_date(path: str, value: str) -> None:
    try:
        real = date.fromisoformat(value).isoformat() == value
    except ValueError:
        real = False
    if not real:
        raise InvalidField(path, f"{value!r} is not a date of the calendar (YYYY-MM-DD)")


def _check_region(code: str) -> None:
    """Kabupaten are numbered 01-69, kota 71-99 (Kepmendagri 300.2.2-2430/2025); 00 and 70 belong to none."""
    if code[3:] in ("00", "70"):
        raise InvalidField("site.region_code", f"{code!r} is neither a regency (01-69) nor a city (71-99)")


def _check_hours(hours: Sequence[OpeningHours]) -> None:
    for index, span in enumerate(hours):
        if span.opens >= span.closes:
            raise InvalidField(f"site.opening_hours[{index}]", f"opens at {span.opens} but closes at {span.closes}")
        for other in hours[:index]:
            if span.weekday == other.weekday and span.opens < other.closes and other.opens < span.closes:
                raise InvalidField(
                    f"site.opening_hours[{index}]",
                    f"{span.opens}-{span.closes} overlaps {other.opens}-{other.closes} on day {span.weekday}",
                )


def _check_fee(path: str, fee: Fee) -> None:
    forms = [fee.amount_idr is not None, bool(fee.tariffs), bool(fee.formula.strip())]
    if sum(forms) != 1:
        raise InvalidField(path, "exactly one of amount_idr, tariffs and formula is needed")
    for index, tariff in enumerate(fee.tariffs):
        _check_text(f"{path}.tariffs[{index}].display_name", tariff.display_name)


def _claimed(path: str, value: str, holder: str) -> QueueClaimed:
    return QueueClaimed(
        f"{path}: {value} is already used by {holder}",
        field=path,
        metadata={"value": value, "claimed_by": holder},
    )
