"""The metrics of visits, with their meaning. Time series, for sizing: 2 a site."""

from __future__ import annotations

from prometheus_client import Counter

VISITS = Counter(
    "mpp_queue_visits_total",
    "Visits with tickets at several queues: started, cancelled. Counted by the process that wrote the step",
    ("site", "step"),
)
