"""Read models of the catalogue: how sites, agencies and offerings are called. Fed by its events.

Knows the projections and a small cache of them. Never knows a message or a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mpp.catalog.v1 import site_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.projection import Projection

DEFAULT_ZONE = "Asia/Jakarta"  # until the catalogue has told the site's own
_KEPT = timedelta(seconds=60)
_MOST = 10_000


class Names:
    """Names of catalogue resources in both languages.

    A name that changed is said within a minute in every process; a name not known yet is looked up each time.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._projections = {
            "sites": Projection(store, "sites"),
            "agencies": Projection(store, "agencies"),
            "offerings": Projection(store, "offerings"),
        }
        self._clock = clock
        self._cache: dict[str, tuple[datetime, Mapping[str, Any]]] = {}

    def learn(self, name: str, sequence: int, said: site_pb2.LocalizedText, time_zone: str = DEFAULT_ZONE) -> bool:
        """Keeps what an event says; False when it was older than what is known. One write."""
        fields = {"id": said.id, "en": said.en or said.id, "time_zone": time_zone}
        applied = self._projections[_kind(name)].apply(name, sequence, fields)
        self._cache.pop(name, None)
        return applied

    def of(self, name: str) -> Mapping[str, str] | None:
        """Language -> name; None when the catalogue has not told of it."""
        found = self._get(name)
        return {"id": found["id"], "en": found["en"]} if found else None

    def zone(self, site: str) -> str:
        """The IANA zone of `sites/malang`."""
        found = self._get(site)
        return str(found["time_zone"]) if found else DEFAULT_ZONE

    def _get(self, name: str) -> Mapping[str, Any] | None:
        now = self._clock()
        cached = self._cache.get(name)
        if cached and now - cached[0] < _KEPT:
            return cached[1]
        found = self._projections[_kind(name)].get(name) if name else None
        if found:
            if len(self._cache) >= _MOST:
                self._cache.clear()
            self._cache[name] = (now, found)
        return found


def _kind(name: str) -> str:
    """`agencies` of `sites/malang/agencies/dukcapil`."""
    parts = name.split("/")
    return parts[-2] if len(parts) in (2, 4) and parts[-2] in ("sites", "agencies", "offerings") else "sites"
