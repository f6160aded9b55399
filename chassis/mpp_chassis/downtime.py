"""Announced times in which nothing new may be begun: which one is under way, and how it is refused.

Knows windows of a wall clock and a zone; reads no clock, no file, and does not know what is new and what is not. A window
holds from `starts` until before `ends`, so it begins and ends by itself.

It is FAILED_PRECONDITION and not UNAVAILABLE: proxies and clients repeat UNAVAILABLE at once and count it as an outage of
the service, and this lasts for hours, is planned, and the service is well. When it ends is in the metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from mpp_chassis.errors import FailedPrecondition

REASON = "MAINTENANCE"


class Words(Protocol):
    """Text for citizens: Indonesian, English."""

    id: str
    en: str


class Told(Protocol):
    """One window as an event tells it: minutes of the site's wall clock (`2026-12-01T22:00`)."""

    starts: str
    ends: str

    @property
    def text(self) -> Words: ...


@dataclass(frozen=True, slots=True)
class Downtime:
    """Aware UTC instants, and what citizens are told."""

    starts: datetime
    ends: datetime
    text_id: str
    text_en: str = ""


def fields_of(told: Iterable[Told]) -> list[dict[str, str]]:
    """What a read model keeps of the windows."""
    return [{"starts": t.starts, "ends": t.ends, "text_id": t.text.id, "text_en": t.text.en} for t in told]


def of_fields(rows: Iterable[Mapping[str, Any]], zone: str) -> tuple[Downtime, ...]:
    """From `fields_of`, in the site's zone. Raises ValueError for what is no moment."""
    return tuple(
        Downtime(_instant(row["starts"], zone), _instant(row["ends"], zone), row["text_id"], row["text_en"])
        for row in rows
    )


def under_way(windows: Sequence[Downtime], now: datetime) -> Downtime | None:
    """The window that holds `now`; of several the one that ends last."""
    return max((w for w in windows if w.starts <= now < w.ends), key=lambda w: w.ends, default=None)


def refuse_new(windows: Sequence[Downtime], now: datetime) -> None:
    """Raises FailedPrecondition MAINTENANCE with the words for citizens and when it ends, if a window holds `now`."""
    window = under_way(windows, now)
    if window is not None:
        raise FailedPrecondition(
            f"under maintenance until {window.ends.isoformat()}: {window.text_id}",
            reason=REASON,
            metadata=metadata_of(window),
        )


def metadata_of(window: Downtime) -> dict[str, str]:
    """Of the error: when it ends (RFC 3339) and the words."""
    return {"ends_at": window.ends.isoformat(), "text_id": window.text_id, "text_en": window.text_en}


def _instant(wall: str, zone: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
