"""What the catalogue tells: events to views. No gRPC server. Every handler is idempotent."""

from __future__ import annotations

from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp_chassis.entrypoint import Composed, EventMeta, on


class Handlers:
    name = "samplechannel"
    app = Composed()

    @on(catalog_events.ChannelPublished)
    def learn_channel(self, event: catalog_events.ChannelPublished, meta: EventMeta) -> None:
        self.app.channels.learn(event.channel, meta.sequence)

    @on(catalog_events.ChannelRetired)
    def retire_channel(self, event: catalog_events.ChannelRetired, meta: EventMeta) -> None:
        self.app.channels.retire(event.channel, meta.sequence)
