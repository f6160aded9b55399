"""Metrics against brokers, with their meaning. Knows no person, phone or device. At most 3 time series a queue."""

from __future__ import annotations

from prometheus_client import Counter

ALARMS = Counter(
    "mpp_queue_booking_alarms_total",
    "Alarms about one phone or device (origin) that took more tickets of a queue within a window than expected",
    ("site", "queue", "origin"),
)
COOLING = Counter(
    "mpp_queue_cooling_refusals_total",
    "Tickets and bookings refused since the person did not come, or gave a place back, a short while ago",
    ("site", "queue"),
)
