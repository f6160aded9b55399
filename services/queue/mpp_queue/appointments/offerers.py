"""Which agendas offer a service: looked for in what the catalogue told by event, no other service is asked.

Knows the read models of sites, agencies, services and channels. Never knows whether a time is free, nor who asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mpp.catalog.v1 import agency_pb2, channel_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.projection import Projection

MOST, MOST_SITES, MOST_CHANNELS = 20, 100, 1000  # agendas of an answer; sites of a region; channels of its agencies


class Offerers:
    """Four queries, each on an index and with a bound; nothing is remembered."""

    def __init__(self, store: Store) -> None:
        names = ("sites", "offerings", "agencies", "channels")
        self._sites, self._offerings, self._agencies, self._channels = (
            Projection(store, name).collection for name in names
        )

    def of(self, site: str, offering: str, region: str = "") -> list[str]:
        """Queues and channels that can be booked for the service: at `site` (`sites/malang`), or at every site whose region
        code begins with `region`. Of other sites the service of the same id is meant. At most 20, those of `site` first.

        Not guaranteed: all of a region with more than 100 sites (the first by code are looked at); a site that the
        catalogue last told of before this field was kept is in no region until it tells again.
        """
        sites = self._within(region) if region else [site]
        services = {f"{one}/offerings/{offering.rsplit('/', 1)[1]}" for one in sites}
        told = self._offerings.find({"_id": {"$in": sorted(services)}}, {"agency": 1})
        agencies = sorted({d["agency"] for d in told} - {""})
        found = {*self._queues(agencies), *self._naming(services, agencies)}
        return sorted(found, key=lambda name: (not name.startswith(f"{site}/"), name))[:MOST]

    def _within(self, region: str) -> list[str]:
        """`35` and `35.73`, and never `350`: the next sign after the point is the slash."""
        query = {"region": {"$gte": region, "$lt": f"{region}/"}}
        return [d["_id"] for d in self._sites.find(query, {"_id": 1}).sort("region", 1).limit(MOST_SITES)]

    def _queues(self, agencies: Collection[str]) -> Iterator[str]:
        for d in self._agencies.find({"_id": {"$in": agencies}}, {"queue": 1, "spec": 1}):
            if d["queue"] and agency_pb2.QueueSpec.FromString(d.get("spec", b"")).HasField("appointments"):
                yield d["queue"]

    def _naming(self, services: set[str], agencies: Collection[str]) -> Iterator[str]:
        """Channels that name the service: one that names none may be for anything, so nobody is sent there unasked."""
        sites = sorted({name.split("/")[1] for name in agencies})
        query = {"site_id": {"$in": sites}, "agency": {"$in": agencies}}
        for d in self._channels.find(query, {"channel": 1, "retired": 1}).limit(MOST_CHANNELS):
            channel = channel_pb2.Channel.FromString(d.get("channel", b""))
            if not d["retired"] and channel.HasField("appointments") and not services.isdisjoint(channel.offerings):
                yield d["_id"]
