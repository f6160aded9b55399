"""Whether a vehicle may come new, and what is told when it may not. Knows announced maintenance and a channel's days off.

In the order in which they are told: maintenance of the whole site, a day off of the channel, a channel that is no longer in
the catalogue. None of them touches who is in line already, or holds a ticket of the queue: they are served to the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from zoneinfo import ZoneInfo

from mpp_drivethru.domain.channels import ChannelSpec, Text
from mpp_drivethru.domain.errors import ChannelClosed, UnderMaintenance

MAINTENANCE, CLOSURE, CHANNEL_CLOSED = "MAINTENANCE", "CLOSURE", "CHANNEL_CLOSED"
DAY_OFF = Text("Lantatur ini libur hari ini.", "This drive-thru is closed today.")
GONE = Text("Lantatur ini sudah tidak dibuka.", "This drive-thru is not open any more.")


@dataclass(frozen=True, slots=True)
class Window:
    """From `starts` until before `ends` (aware) nobody can begin anything at the site."""

    starts: datetime
    ends: datetime
    text: Text


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """What a lane must know of its site. `zone`: IANA."""

    zone: str
    maintenance: tuple[Window, ...] = ()

    def day(self, now: datetime) -> str:
        """The ISO date that a clock on the site's wall shows."""
        return now.astimezone(ZoneInfo(self.zone)).date().isoformat()


@dataclass(frozen=True, slots=True)
class Shut:
    """Why no vehicle can come new; `opens_at` None: not known."""

    reason: str
    text: Text
    opens_at: datetime | None = None


def shut(spec: ChannelSpec, site: SiteSpec, now: datetime) -> Shut | None:
    """None while vehicles may come, as far as this service knows: the queue may still refuse (hours, contingent)."""
    return _under_maintenance(site, now) or _closed(spec, site, now)


def _under_maintenance(site: SiteSpec, now: datetime) -> Shut | None:
    """Of several windows the one that ends last."""
    windows = [w for w in site.maintenance if w.starts <= now < w.ends]
    last = max(windows, key=lambda w: w.ends, default=None)
    return Shut(MAINTENANCE, last.text, last.ends) if last else None


def _closed(spec: ChannelSpec, site: SiteSpec, now: datetime) -> Shut | None:
    if spec.retired:
        return Shut(CHANNEL_CLOSED, GONE)
    text = spec.closures.get(site.day(now))
    if text is not None:
        return Shut(CLOSURE, text if text.id else DAY_OFF, _first_day_after(spec.closures, site, now))
    return None


def refuse_new(spec: ChannelSpec, site: SiteSpec, now: datetime, *, has_ticket: bool = False) -> None:
    """`has_ticket`: whoever holds a ticket of the queue began before the maintenance. Raises UnderMaintenance,
    ChannelClosed."""
    found = (None if has_ticket else _under_maintenance(site, now)) or _closed(spec, site, now)
    if found is None:
        return
    said = {"text_id": found.text.id, "text_en": found.text.en}
    ends = found.opens_at.isoformat() if found.opens_at else ""
    if found.reason == MAINTENANCE:
        raise UnderMaintenance(f"under maintenance until {ends}: {found.text.id}", metadata={"ends_at": ends, **said})
    opens = {"opens_at": ends} if ends else {}
    raise ChannelClosed(f"{spec.name} is closed", metadata={"cause": found.reason, **opens, **said})


def _first_day_after(closures: Mapping[str, Text], site: SiteSpec, now: datetime) -> datetime:
    """The midnight after the day off, or after those that follow it at once. When it opens on that day is the queue's."""
    zone = ZoneInfo(site.zone)
    day = now.astimezone(zone).date()
    while day.isoformat() in closures:
        day += timedelta(days=1)
    return datetime.combine(day, wall_time(0), zone).astimezone(UTC)
