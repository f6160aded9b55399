"""Events to use cases, and the sweeps. Knows nameko's entrypoints; never a gRPC server.

Everything here may happen twice: it looks at the grant as it is now, not as the event tells it.
"""

from __future__ import annotations

from datetime import datetime

from mpp.subscriptions.v1 import events_pb2
from mpp_chassis.entrypoint import Composed, EventMeta, every, on

from mpp_subscriptions import usecases


class Handlers:
    """The `work` process."""

    name = "subscriptions"
    app = Composed()

    @on(events_pb2.AgencyAccessChanged)
    def bring_grant(self, event: events_pb2.AgencyAccessChanged, meta: EventMeta) -> None:
        """When the process that made the change died before it told the broker."""
        usecases.bring_if_pending(self.app, event.grant)

    @every(2, lease="grants")
    def sweep_grants(self, now: datetime) -> None:
        """What the broker did not take when it was told, and what it lost since."""
        usecases.sweep(self.app, now)
