"""All metrics of the service, with their meaning. No label holds personal data or an id without bound."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

GRANTS_PENDING = Gauge("mpp_subscriptions_grants_pending", "Grants that the broker has yet to take over, at last sight")
PROVISIONED = Counter(
    "mpp_subscriptions_provisioned_total",
    "Grants brought to the broker: applied, drift (the broker said something else), stranger (account without a grant)",
    ("why",),
)
PROVISION_FAILURES = Counter(
    "mpp_subscriptions_provision_failures_total", "Tries that failed because the broker's API did not do as asked"
)
BROKER_API_SECONDS = Histogram(
    "mpp_subscriptions_broker_api_seconds", "Time of one call of the broker's management API", ("method",)
)
FEED_OPEN = Gauge("mpp_feed_streams_open", "Subscribe streams that are open in this process")
FEED_EVENTS = Counter("mpp_feed_events_total", "Events sent on Subscribe streams")
WEBHOOK_DELIVERIES = Counter(
    "mpp_webhook_deliveries_total",
    "Tries to deliver an event: delivered, or a short code of the failure (timeout, http_500, address_forbidden ...)",
    ("outcome",),
)
WEBHOOK_TESTS = Counter("mpp_webhook_tests_total", "Test events posted for a person, by outcome", ("outcome",))
WEBHOOK_SECONDS = Histogram(
    "mpp_webhook_seconds", "Time of one try", buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
)
WEBHOOK_LAG_SECONDS = Histogram(
    "mpp_webhook_lag_seconds",
    "From an event's time to its delivery; a replay counts the age of what it replays",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400),
)
WEBHOOK_COURIERS = Gauge("mpp_webhook_couriers", "Webhooks that this process delivers")
WEBHOOKS_DISABLED = Gauge("mpp_webhooks_disabled", "Disabled webhooks of the whole service, at the last scan")
WEBHOOKS_GIVEN_UP = Counter(
    "mpp_webhooks_given_up_total",
    "Webhooks that were disabled by themselves: gone, failing, grant_revoked, position_expired",
    ("reason",),
)
WEBHOOK_DISABLED_EVENTS = Counter(
    "mpp_webhook_disabled_events_total", "WebhookDisabled events seen; one may come again, so alert on the increase"
)
