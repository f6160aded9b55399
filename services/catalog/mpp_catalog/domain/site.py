"""A site, the tenant: hours, holidays, what it declares. Knows no agency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mpp_catalog.domain.errors import InvalidField
from mpp_catalog.domain.parts import Text, check_date, check_moment, check_text, check_unique

MAINTENANCE_TEXT = 200  # letters


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
class Maintenance:
    """When citizens can begin nothing new: from `starts` until before `ends`, minutes of the site's wall clock
    (Indonesia has no summer time, so each is one instant).
    """

    starts: str
    ends: str
    text: Text


@dataclass(frozen=True, slots=True)
class SitePublished:
    """A site is new or changed."""

    site: Site


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
    maintenance: tuple[Maintenance, ...] = ()
    published_at: datetime | None = field(default=None, compare=False)
    published_by: str = field(default="", compare=False)
    events: tuple[SitePublished, ...] = field(default=(), compare=False)

    def check(self) -> None:
        """Raise InvalidField for dates that no calendar has, hours or maintenance that overlap, and anything given twice."""
        check_text("site.display_name", self.display_name)
        _check_region(self.region_code)
        if self.opened:
            check_date("site.opened", self.opened)
        _check_hours(self.opening_hours)
        check_unique("site.channels", self.channels)
        for index, holiday in enumerate(self.holidays):
            check_date(f"site.holidays[{index}].date", holiday.date)
        check_unique("site.holidays", [f"{h.date} {h.name}" for h in self.holidays])
        _check_maintenance(self.maintenance)

    def announced(self) -> Site:
        """This site with the event that tells of it."""
        return replace(self, events=(SitePublished(self),))


def _check_region(code: str) -> None:
    """Kabupaten are numbered 01-69, kota 71-99 (Kepmendagri 300.2.2-2430/2025); 00 and 70 belong to none."""
    if code[3:] in ("00", "70"):
        raise InvalidField("site.region_code", f"{code!r} is neither a regency (01-69) nor a city (71-99)")


def _check_maintenance(times: Sequence[Maintenance]) -> None:
    for index, one in enumerate(times):
        path = f"site.maintenance[{index}]"
        check_moment(f"{path}.starts", one.starts)
        check_moment(f"{path}.ends", one.ends)
        check_text(f"{path}.text", one.text)
        if len(one.text.id) > MAINTENANCE_TEXT or len(one.text.en) > MAINTENANCE_TEXT:
            raise InvalidField(f"{path}.text", f"is longer than {MAINTENANCE_TEXT} letters; errors carry it whole")
        if one.ends <= one.starts:
            raise InvalidField(f"{path}.ends", f"{one.ends} is not after {one.starts}")
        for other in times[:index]:
            if one.starts < other.ends and other.starts < one.ends:
                raise InvalidField(path, f"{one.starts} to {one.ends} overlaps {other.starts} to {other.ends}")


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
