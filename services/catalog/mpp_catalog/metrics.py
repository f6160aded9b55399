"""All metrics of the service, with their meaning. Knows no store.

Labels are a site that exists, or a word of a fixed list; never what somebody looked for.
"""

from __future__ import annotations

from prometheus_client import Counter

PUBLISHED = Counter("mpp_catalog_published_total", "Resources written: site, agency, offering", ("site", "kind"))
SEARCHES = Counter(
    "mpp_catalog_searches_total",
    "Searches among a site's services, by whether anything was found (yes, no): words that find nothing are names that "
    "citizens use and the catalogue does not",
    ("site", "found"),
)
