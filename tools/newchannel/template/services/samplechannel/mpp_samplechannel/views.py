"""Read models: the channels of this kind, as the catalogue tells them. Never decides anything about an entry."""

from __future__ import annotations

from google.protobuf import json_format
from mpp.catalog.v1 import channel_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.projection import Projection

from mpp_samplechannel.domain import Channel

KIND = "samplechannel"


class Channels:
    """Fed by the catalogue's events. Every method that learns is idempotent: an older event changes nothing."""

    def __init__(self, store: Store) -> None:
        self._channels = Projection(store, "channels")

    def learn(self, channel: channel_pb2.Channel, sequence: int) -> None:
        """Keep a channel of our kind; one of another kind is none of ours (any more)."""
        if channel.kind.rsplit("/", 1)[-1] != KIND:
            self.retire(channel.name, sequence)
            return
        fields = {
            "agency": channel.agency,
            "offerings": list(channel.offerings),
            "settings": json_format.MessageToDict(channel.settings),
            "retired": False,
        }
        self._channels.apply(channel.name, sequence, fields)

    def retire(self, name: str, sequence: int) -> None:
        known = self._channels.get(name)
        if known:
            kept = {k: v for k, v in known.items() if k not in ("_id", "sequence")}
            self._channels.apply(name, sequence, {**kept, "retired": True})

    def find(self, name: str) -> Channel:
        """Raises NotFound CHANNEL_UNKNOWN, FailedPrecondition CHANNEL_CLOSED."""
        found = self._channels.get(name)
        if found is None:
            raise NotFound(f"there is no {name} of the kind {KIND}", reason="CHANNEL_UNKNOWN")
        if found["retired"]:
            raise FailedPrecondition(f"{name} is closed", reason="CHANNEL_CLOSED")
        return Channel(name, found["agency"], tuple(found["offerings"]), found["settings"])
