"""Events to use cases, and the sweeps. Knows nameko's entrypoints; never a gRPC server.

Everything here may happen twice: it looks at the grant as it is now, not as the event tells it.
"""

from __future__ import annotations

from datetime import datetime

from mpp.subscriptions.v1 import events_pb2
from mpp_chassis.entrypoint import Composed, EventMeta, every, on

from mpp_subscriptions import metrics, usecases
from mpp_subscriptions.webhooks.handlers import Couriers


class Handlers:
    """The `work` process."""

    name = "subscriptions"
    app = Composed()
    couriers = Couriers()

    @on(events_pb2.AgencyAccessChanged)
    def bring_grant(self, event: events_pb2.AgencyAccessChanged, meta: EventMeta) -> None:
        """Tell the broker; the command waits for it in `serve`."""
        usecases.bring(self.app, event.grant)

    @every(2, lease="grants")
    def sweep_grants(self, now: datetime) -> None:
        """What the broker did not take when it was told, and what it lost since."""
        usecases.sweep(self.app, now)

    @on(events_pb2.WebhookDisabled)
    def tell_webhook_disabled(self, event: events_pb2.WebhookDisabled, meta: EventMeta) -> None:
        """For alerts: an agency gets nothing any more. Its people see the reason in the webhook itself."""
        metrics.WEBHOOK_DISABLED_EVENTS.inc()
