"""Read model: the kiosks of a site as the catalogue's channels of kind `kiosk` tell of them. Knows the settings' names;
decides nothing.

Settings: `buttons` (a list of `queue` and, optionally, `offering`, ids of the site or whole names, and `title`) and
`activation_required` (a flag). How many buttons and which is the kind's own business: the catalogue checks it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from mpp.catalog.v1 import channel_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.projection import Projection

from mpp_queue.domain.spec import Text
from mpp_queue.kiosks.store import CHANNELS

KIND = "kiosk"
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
    buttons: tuple[Button, ...] = ()

    def button(self, button_id: str) -> Button | None:
        return next((b for b in self.buttons if b.id == button_id), None)


class Kiosks:
    """Fed by the catalogue's events; `demands` answers from memory for two seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._channels, self._clock = Projection(store, CHANNELS), clock
        self._demands: dict[str, tuple[float, bool]] = {}

    def learn(self, channel: channel_pb2.Channel, sequence: int) -> None:
        """Idempotent; an older event changes nothing. A channel of another kind is remembered as none of ours."""
        site, channel_id = _split(channel.name)
        fields: dict[str, Any] = {"site": site, "kiosk": False, "activation_required": False}
        if channel.kind.rsplit("/", 1)[-1] == KIND:
            settings = json_format.MessageToDict(channel.settings)
            fields = {
                "site": site,
                "kiosk": True,
                "display_name": {"id": channel.display_name.id, "en": channel.display_name.en},
                "activation_required": settings.get("activation_required") is True,
                "buttons": _buttons(site, settings.get("buttons")),
            }
        self._channels.apply(kiosk_name(site, channel_id), sequence, fields)

    def forget(self, channel: str, sequence: int) -> None:
        """The channel was retired."""
        site, channel_id = _split(channel)
        fields = {"site": site, "kiosk": False, "activation_required": False}
        self._channels.apply(kiosk_name(site, channel_id), sequence, fields)

    def find(self, name: str) -> KioskSpec | None:
        found = self._channels.get(name)
        return _spec(found) if found and found["kiosk"] else None

    def demands(self, site: str) -> bool:
        """Whether any kiosk of the site must be put to work by a manager first."""
        known = self._demands.get(site)
        now = self._clock()
        if known is None or now >= known[0]:
            query = {"site": site, "activation_required": True}
            found = self._channels.collection.find_one(query, {"_id": 1}) is not None
            known = self._demands[site] = (now + KNOWN_SECONDS, found)
        return known[1]


def kiosk_name(site: str, kiosk: str) -> str:
    return f"{site}/kiosks/{kiosk}"


def _split(channel: str) -> tuple[str, str]:
    site, _, channel_id = channel.partition("/channels/")
    return site, channel_id


def _buttons(site: str, given: Any) -> list[dict[str, Any]]:
    """Entries that name no queue are left out: a kiosk goes on with its other buttons."""
    found = []
    for entry in given if isinstance(given, list) else []:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("queue"), str):
            continue
        queue, offering = entry["queue"].rsplit("/", 1)[-1], str(entry.get("offering") or "").rsplit("/", 1)[-1]
        title = entry.get("title")
        title = title if isinstance(title, Mapping) else {"id": str(title or queue)}
        found.append(
            {
                "id": f"{queue}/{offering}" if offering else queue,
                "queue": f"{site}/queues/{queue}",
                "offering": f"{site}/offerings/{offering}" if offering else "",
                "title": {"id": str(title.get("id", "")), "en": str(title.get("en", ""))},
            }
        )
    return found


def _spec(d: Mapping[str, Any]) -> KioskSpec:
    return KioskSpec(
        name=d["_id"],
        display_name=Text(**d["display_name"]),
        activation_required=d["activation_required"],
        buttons=tuple(Button(b["id"], b["queue"], b["offering"], Text(**b["title"])) for b in d["buttons"]),
    )
