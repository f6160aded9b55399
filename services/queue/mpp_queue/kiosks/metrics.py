"""Metrics of offline numbers, with their meaning. Knows no store. At most 6 time series a site."""

from __future__ import annotations

from prometheus_client import Counter

LEASED = Counter(
    "mpp_queue_offline_blocks_total",
    "Blocks of offline numbers that kiosks leased; a repeated request counts again",
    ("site",),
)
MERGED = Counter(
    "mpp_queue_offline_entries_total",
    "Entries of MergeOffline by what became of them: merged (also a repetition), late (printed after the lease's end), "
    "refused, try_again",
    ("site", "outcome"),
)
