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
