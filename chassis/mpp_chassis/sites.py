"""What a service keeps of a site, from the event that published it: zone, hours, days off and announced downtimes.

Knows the store's projection, calendars and downtimes; knows no event and no service. For services that count deadlines in
working time and never ask another service for the hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any, Protocol

from mpp_chassis import downtime
from mpp_chassis.aggregates import Store
from mpp_chassis.downtime import Downtime
from mpp_chassis.projection import Projection
from mpp_chassis.worktime import WorkCalendar


class ToldSite(Protocol):
    """A site as an event tells it. Hours: `weekday` (ISO), `opens`, `closes` (`HH:MM`); holidays: `date` (ISO);
    maintenance: see downtime.Told."""

    @property
    def name(self) -> str: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def opening_hours(self) -> Iterable[Any]: ...
    @property
    def holidays(self) -> Iterable[Any]: ...
    @property
    def maintenance(self) -> Iterable[Any]: ...


class Sites:
    """The collection `sites`, one document a site (`sites/{site}`)."""

    def __init__(self, store: Store) -> None:
        self._projection = Projection(store, "sites")

    def learn(self, site: ToldSite, sequence: int) -> bool:
        """Raises ValueError when the site's times are no calendar; nothing is kept then."""
        windows = downtime.fields_of(site.maintenance)
        fields = {
            "zone": site.time_zone,
            "hours": [{"weekday": h.weekday, "opens": h.opens, "closes": h.closes} for h in site.opening_hours],
            "holidays": [h.date for h in site.holidays],
            "maintenance": windows,
        }
        _calendar(fields)
        downtime.of_fields(windows, site.time_zone)
        return self._projection.apply(site.name, sequence, fields)

    def calendar(self, site: str) -> WorkCalendar | None:
        """None for a site that is not known."""
        found = self._projection.get(site)
        return _calendar(found) if found else None

    def maintenance(self, site: str) -> tuple[Downtime, ...]:
        """When citizens can begin nothing new; none for a site that is not known."""
        found = self._projection.get(site) or {"zone": "UTC"}
        return downtime.of_fields(found.get("maintenance", ()), found["zone"])


def _calendar(fields: Mapping[str, Any]) -> WorkCalendar:
    hours: dict[int, list[tuple[time, time]]] = {}
    for h in fields["hours"]:
        interval = (time.fromisoformat(h["opens"]), time.fromisoformat(h["closes"]))
        hours.setdefault(h["weekday"], []).append(interval)
    return WorkCalendar(fields["zone"], hours, frozenset(date.fromisoformat(d) for d in fields["holidays"]))
