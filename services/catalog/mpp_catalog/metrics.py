"""All metrics of the service, with their meaning. Knows no store.

Labels are a site that exists, or a word of a fixed list; never what somebody looked for.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge

PUBLISHED = Counter(
    "mpp_catalog_published_total", "Resources written: site, agency, offering, channel_kind, channel", ("site", "kind")
)
RETIRED = Counter(
    "mpp_catalog_retired_total", "Resources taken out: site, agency, offering, channel_kind, channel", ("site", "kind")
)
REFUSED = Counter(
    "mpp_catalog_retiring_refused_total",
    "Times that a resource could not be taken out, by reason (OPEN_TICKETS, OPEN_APPLICATIONS, OPEN_APPOINTMENTS, "
    "HAS_OFFERINGS, HAS_CHANNELS, HAS_AGENCIES, HAS_CHANNEL_KINDS)",
    ("site", "reason"),
)
SEARCHES = Counter(
    "mpp_catalog_searches_total",
    "Searches among a site's services, by whether anything was found (yes, no): words that find nothing are names that "
    "citizens use and the catalogue does not",
    ("site", "found"),
)
HELD = Gauge("mpp_catalog_services_held", "Services that this process holds in memory for the search, of all sites")
