"""All metrics of the service, with their meaning. No label holds personal data or an id without bound."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

CREATED = Counter("mpp_notifications_created_total", "Messages made of events", ("template", "channel"))
SEEN_BEFORE = Counter(
    "mpp_notifications_seen_before_total", "Events that came again and had no second effect", ("template",)
)
ENDED = Counter("mpp_notifications_ended_total", "Messages that reached a terminal state", ("template", "state"))
OUTCOMES = Counter("mpp_notifications_outcomes_total", "What providers answered", ("provider", "outcome"))
PROVIDER_SECONDS = Histogram("mpp_notifications_provider_seconds", "Time of one hand-over to a provider", ("provider",))
HANDED_OVER_SECONDS = Histogram(
    "mpp_notifications_handed_over_seconds",
    "From the event's time to its first hand-over to a provider",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 120, 600),
)
ATTENDED = Counter("mpp_notifications_attended_total", "Messages that the sweep found due and took on", ("state",))
TO_CITIZENS = Counter(
    "mpp_notifications_to_citizens_total",
    "Messages by what became of them: sent (a provider has it), delivered (its receipt says so), failed, not_wanted "
    "(opted out), outdated (expired, or newer news came first)",
    ("site", "channel", "result"),
)
WAITING = Gauge(
    "mpp_notifications_waiting",
    "Messages that have been due for more than a minute and are not attended (at most 1000 counted), at the last sweep "
    "`measure`; true of the lease's holder only",
)
