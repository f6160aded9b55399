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

    @every(60, lease="deleted")
    def sweep_deleted(self, now: datetime) -> None:
        """What deleted webhooks and subscriptions left behind."""
        usecases.sweep_deleted(self.app, now)

    @on(events_pb2.WebhookDisabled)
    def tell_webhook_disabled(self, event: events_pb2.WebhookDisabled, meta: EventMeta) -> None:
        """For alerts: an agency gets nothing any more. Its people see the reason in the webhook itself."""
        metrics.WEBHOOK_DISABLED_EVENTS.inc()

    @on(events_pb2.WebhookDeleted)
    def clear_webhook(self, event: events_pb2.WebhookDeleted, meta: EventMeta) -> None:
        """Its place and tries go, also when the process that deleted it died before it came to that."""
        usecases.clear_webhook(self.app, event.webhook)

    @on(events_pb2.SubscriptionDeleted)
    def tell_subscription_deleted(self, event: events_pb2.SubscriptionDeleted, meta: EventMeta) -> None:
        """For people who ask where a position went: who deleted it stands in the log of the call."""
        self.app.log.info("subscription_deleted", subscription=event.subscription)
