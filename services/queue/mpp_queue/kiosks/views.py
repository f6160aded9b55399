"""The kiosks of a site as the catalogue's channels of kind `kiosk` tell of them. Knows the settings' names; decides
nothing.

Settings, all optional: `buttons` (a list of `queue` and perhaps `offering`, ids of the site or whole names, and
`title`), or `queues` (texts: a button each); `activation_required` (a flag: a manager must put the kiosk to work);
`offline_numbers` (the most of a block; 0: this kiosk prints nothing by itself). How many buttons there may be is the
kind's own business: the catalogue checks it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from mpp.catalog.v1 import channel_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.projection import Projection

from mpp_queue.domain.spec import Closure, Text
from mpp_queue.kiosks.store import CHANNELS
from mpp_queue.queuespec import closures_of

KIND = "kiosk"
NOT_TODAY = Text("Kios ini tidak melayani hari ini.", "This kiosk does not serve today.")
KNOWN_SECONDS = 2.0  # a change in the catalogue reaches every process so much after its event


@dataclass(frozen=True, slots=True)
class Button:
    """`offering` is empty where the button is for the whole queue."""

    id: str
    queue: str
    offering: str
    title: Text


@dataclass(frozen=True, slots=True)
class KioskSpec:
    """`name` is `sites/x/kiosks/foyer` of the channel `sites/x/channels/foyer`."""

    name: str
    display_name: Text
    activation_required: bool = False
    offline_numbers: int | None = None
    buttons: tuple[Button, ...] = ()
    closures: tuple[Closure, ...] = ()

    def button(self, button_id: str) -> Button | None:
        return next((b for b in self.buttons if b.id == button_id), None)

    def day_off(self, today: str) -> Text | None:
        """What to say on a day (ISO, of the site) on which this kiosk alone does not serve; None on all others."""
        found = next((c for c in self.closures if c.date == today), None)
        return None if found is None else found.text if found.text.id else NOT_TODAY


class Kiosks:
    """Reads what the bookings' part keeps of the catalogue's channels; `demands` answers from memory for two seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._channels, self._clock = Projection(store, CHANNELS), clock
        self._demands: dict[str, tuple[float, bool]] = {}

    def find(self, name: str) -> KioskSpec | None:
        """None for a retired channel, and for one of another kind."""
        site, _, kiosk = name.partition("/kiosks/")
        found = self._channels.get(f"{site}/channels/{kiosk}")
        if found is None or found["retired"] or "channel" not in found:
            return None
        channel = channel_pb2.Channel.FromString(found["channel"])
        return spec_of(channel) if channel.kind.rsplit("/", 1)[-1] == KIND else None

    def demands(self, site: str) -> bool:
        """Whether any kiosk of the site (`sites/malang`) must be put to work by a manager first."""
        known = self._demands.get(site)
        now = self._clock()
        if known is None or now >= known[0]:
            query = {"site_id": site.split("/")[1], "kind": f"{site}/channelKinds/{KIND}", "retired": False}
            channels = (channel_pb2.Channel.FromString(d["channel"]) for d in self._channels.collection.find(query))
            known = self._demands[site] = (now + KNOWN_SECONDS, any(spec_of(c).activation_required for c in channels))
        return known[1]


def spec_of(channel: channel_pb2.Channel) -> KioskSpec:
    """What a channel of kind `kiosk` says."""
    site, _, channel_id = channel.name.partition("/channels/")
    settings = json_format.MessageToDict(channel.settings)
    return KioskSpec(
        name=kiosk_name(site, channel_id),
        display_name=Text(channel.display_name.id, channel.display_name.en),
        activation_required=settings.get("activation_required") is True,
        offline_numbers=_numbers(settings.get("offline_numbers")),
        buttons=tuple(_buttons(site, settings)),
        closures=closures_of(channel.closures),
    )


def _numbers(told: object) -> int | None:
    """None where nothing, or nothing that counts, is told. What is below nothing is nothing."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return None
    return max(int(told), 0)


def kiosk_name(site: str, kiosk: str) -> str:
    return f"{site}/kiosks/{kiosk}"


def _buttons(site: str, settings: Mapping[str, Any]) -> Iterator[Button]:
    """Entries that name no queue are left out: a kiosk goes on with its other buttons."""
    given = settings.get("buttons")
    if not isinstance(given, list):
        queues = settings.get("queues")
        given = [{"queue": queue} for queue in queues] if isinstance(queues, list) else []
    for entry in given:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("queue"), str):
            continue
        queue, offering = entry["queue"].rsplit("/", 1)[-1], str(entry.get("offering") or "").rsplit("/", 1)[-1]
        title = entry.get("title")
        title = title if isinstance(title, Mapping) else {"id": str(title or queue)}
        yield Button(
            id=f"{queue}/{offering}" if offering else queue,
            queue=f"{site}/queues/{queue}",
            offering=f"{site}/offerings/{offering}" if offering else "",
            title=Text(str(title.get("id", "")), str(title.get("en", ""))),
        )
