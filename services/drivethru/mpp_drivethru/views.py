"""Read models: channels as the catalogue tells them, and what the queue and the applications said of a ticket.

Knows the projections' fields. Never decides anything about a pass, never writes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf import json_format
from mpp.catalog.v1 import channel_pb2, site_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.projection import Projection

from mpp_drivethru import domain
from mpp_drivethru.domain import BadSettings, ChannelSpec, TicketNews, TicketState

KIND = "drive_thru"


class Channels:
    """The drive-thru channels of all sites, and the sites' zones. Fed by the catalogue's events."""

    def __init__(self, store: Store) -> None:
        self._channels, self._sites = Projection(store, "channels"), Projection(store, "sites")

    def learn_site(self, site: site_pb2.Site, sequence: int) -> None:
        """Idempotent; an older event changes nothing."""
        self._sites.apply(site.name, sequence, {"time_zone": site.time_zone})

    def learn(self, channel: channel_pb2.Channel, sequence: int) -> str:
        """Keep a channel of our kind; a channel of another kind is none of ours (any more). Returns what is wrong with its
        settings, or nothing: such a channel is kept too, and says so to whoever uses it. Idempotent.
        """
        if channel.kind.rsplit("/", 1)[-1] != KIND:
            if self._channels.get(channel.name):
                self.retire(channel.name, sequence)
            return ""
        settings = json_format.MessageToDict(channel.settings)
        queue, problem = "", ""
        try:
            queue = domain.channel(channel.name, channel.agency, list(channel.offerings), settings).queue
        except BadSettings as e:
            problem = f"settings.{e}"
        fields = {"agency": channel.agency, "offerings": list(channel.offerings), "settings": settings}
        self._channels.apply(channel.name, sequence, {**fields, "queue": queue, "problem": problem, "retired": False})
        return problem

    def retire(self, name: str, sequence: int) -> None:
        """The channel is no longer in the catalogue. Passes that are under way may end. Idempotent."""
        known = self._channels.get(name)
        if known:
            kept = {k: v for k, v in known.items() if k not in ("_id", "sequence")}
            self._channels.apply(name, sequence, {**kept, "retired": True})

    def find(self, name: str, *, open_only: bool = False) -> ChannelSpec:
        """Raises NotFound CHANNEL_UNKNOWN, FailedPrecondition CHANNEL_MISCONFIGURED; with `open_only` CHANNEL_CLOSED."""
        found = self._channels.get(name)
        if found is None:
            raise NotFound(f"there is no drive-thru {name}", reason="CHANNEL_UNKNOWN")
        if open_only and found["retired"]:
            raise FailedPrecondition(f"{name} is closed", reason="CHANNEL_CLOSED")
        if found["problem"]:
            raise FailedPrecondition(f"{name}: {found['problem']}", reason="CHANNEL_MISCONFIGURED")
        return domain.channel(name, found["agency"], found["offerings"], found["settings"])

    def uses(self, queue: str) -> bool:
        """Whether a drive-thru calls its vehicles by this queue."""
        return self._channels.collection.find_one({"queue": queue}, {"_id": 1}) is not None

    def day(self, spec: ChannelSpec, now: datetime) -> str:
        """The ISO date that a clock on the site's wall shows. Raises FailedPrecondition SITE_UNKNOWN."""
        site = self._sites.get(f"sites/{spec.site_id}")
        if site is None:
            raise FailedPrecondition(f"sites/{spec.site_id} is not known yet", reason="SITE_UNKNOWN")
        return now.astimezone(ZoneInfo(site["time_zone"])).date().isoformat()


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
