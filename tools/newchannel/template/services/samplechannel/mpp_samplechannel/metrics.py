"""All metrics of the service, with their meaning. Labels are a site or a word of a fixed list; never a person."""

from __future__ import annotations

from prometheus_client import Counter

from mpp_samplechannel.domain import Entry, Opened

ENTRIES = Counter(
    "mpp_samplechannel_entries_total",
    "Steps of entries: opened, closed. Counted by the process that wrote the step",
    ("site", "step"),
)


def count(entry: Entry) -> None:
    """Count the steps that made `entry`. Called after its write; never for a repeated command."""
    for event in entry.events:
        ENTRIES.labels(entry.site_id, "opened" if isinstance(event, Opened) else "closed").inc()
