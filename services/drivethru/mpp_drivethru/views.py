"""Read models: channels as the catalogue tells them, and what the queue and the applications said of a ticket.

Knows the projections' fields. Never decides anything about a pass, never writes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf import json_format
from mpp.catalog.v1 import channel_pb2, site_pb2
from mpp_chassis import downtime
from mpp_chassis.aggregates import Store
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.projection import Projection

from mpp_drivethru import domain
from mpp_drivethru.domain import BadSettings, ChannelSpec, SiteSpec, Text, TicketNews, TicketState, Window

KIND = "drive_thru"


class Channels:
    """The drive-thru channels of all sites; the sites' zones and announced maintenance. Fed by the catalogue's events."""

    def __init__(self, store: Store) -> None:
        self._channels, self._sites = Projection(store, "channels"), Projection(store, "sites")

    def learn_site(self, site: site_pb2.Site, sequence: int) -> None:
        """Idempotent; an older event changes nothing. Raises ValueError or KeyError for a zone or moments that are none."""
        ZoneInfo(site.time_zone)
        windows = downtime.fields_of(site.maintenance)
        downtime.of_fields(windows, site.time_zone)
        self._sites.apply(site.name, sequence, {"time_zone": site.time_zone, "maintenance": windows})

    def learn(self, channel: channel_pb2.Channel, sequence: int) -> str:
        """Keep a channel of our kind; a channel of another kind is none of ours (any more). Returns what is wrong with its
        settings, or nothing: such a channel is kept too, says so to whoever begins there, and goes on with the settings
        that it had for who is in line. Idempotent.
        """
        known = self._channels.get(channel.name)
        if channel.kind.rsplit("/", 1)[-1] != KIND:
            if known:
                self.retire(channel.name, sequence)
            return ""
        settings, queue, problem = json_format.MessageToDict(channel.settings), "", ""
        try:
            queue = domain.channel(channel.name, channel.agency, list(channel.offerings), settings).queue
        except BadSettings as e:
            problem = f"settings.{e}"
            if known and known["queue"]:
                settings, queue = known["settings"], known["queue"]
        fields = {
            "agency": channel.agency,
            "offerings": list(channel.offerings),
            "settings": settings,
            "closures": [{"date": c.date, "text_id": c.text.id, "text_en": c.text.en} for c in channel.closures],
        }
        self._channels.apply(channel.name, sequence, {**fields, "queue": queue, "problem": problem, "retired": False})
        return problem

    def retire(self, name: str, sequence: int) -> None:
        """The channel is no longer in the catalogue. Passes that are under way may end. Idempotent."""
        known = self._channels.get(name)
        if known:
            kept = {k: v for k, v in known.items() if k not in ("_id", "sequence")}
            self._channels.apply(name, sequence, {**kept, "retired": True})

    def find(self, name: str, *, to_begin: bool = False) -> ChannelSpec:
        """Raises NotFound CHANNEL_UNKNOWN, FailedPrecondition CHANNEL_MISCONFIGURED: unless it is `to_begin` something, only
        of a channel whose settings never were good.
        """
        found = self._channels.get(name)
        if found is None:
            raise NotFound(f"there is no drive-thru {name}", reason="CHANNEL_UNKNOWN")
        if found["problem"] and (to_begin or not found["queue"]):
            raise FailedPrecondition(f"{name}: {found['problem']}", reason="CHANNEL_MISCONFIGURED")
        spec = domain.channel(name, found["agency"], found["offerings"], found["settings"])
        told = found.get("closures", ())  # an earlier version kept none
        closures = {c["date"]: Text(c["text_id"], c["text_en"]) for c in told}
        return replace(spec, closures=closures, retired=found["retired"] or found["problem"] != "")

    def usable(self) -> list[str]:
        """Names of the channels, also retired ones, whose settings are good or were once."""
        return [d["_id"] for d in self._channels.collection.find({"queue": {"$gt": ""}}, {"_id": 1})]

    def uses(self, queue: str) -> bool:
        """Whether a drive-thru calls its vehicles by this queue."""
        return self._channels.collection.find_one({"queue": queue}, {"_id": 1}) is not None

    def site(self, spec: ChannelSpec) -> SiteSpec:
        """Of a channel. Raises FailedPrecondition SITE_UNKNOWN."""
        site = self._sites.get(f"sites/{spec.site_id}")
        if site is None:
            raise FailedPrecondition(f"sites/{spec.site_id} is not known yet", reason="SITE_UNKNOWN")
        windows = downtime.of_fields(site.get("maintenance", ()), site["time_zone"])
        told = tuple(Window(w.starts, w.ends, Text(w.text_id, w.text_en)) for w in windows)
        return SiteSpec(site["time_zone"], told)


class Tickets:
    """What the queue's events said last of each ticket of a queue that a drive-thru uses. Forgotten after some days."""

    def __init__(self, store: Store) -> None:
        self._tickets = Projection(store, "tickets")

    def learn(self, news: TicketNews, now: datetime) -> None:
        """Idempotent; what is older changes nothing."""
        fields = {"state": news.state.value, "counter": news.counter, "at": news.at, "heard_at": now}
        self._tickets.apply(news.ticket, news.sequence, fields)

    def latest(self, ticket: str) -> TicketNews | None:
        found = self._tickets.get(ticket)
        if found is None:
            return None
        return TicketNews(ticket, TicketState(found["state"]), found["at"], found["counter"], found["sequence"])


@dataclass(frozen=True, slots=True)
class Applications:
    """State of the applications that were opened at tickets of a drive-thru's queue."""

    projection: Projection

    def learn(self, name: str, ticket: str, state: int, sequence: int) -> None:
        """Idempotent; what is older changes nothing."""
        self.projection.apply(name, sequence, {"ticket": ticket, "state": state})

    def of(self, ticket: str) -> Mapping[str, int]:
        found: list[dict[str, Any]] = list(self.projection.collection.find({"ticket": ticket}))
        return {d["_id"]: d["state"] for d in found}
