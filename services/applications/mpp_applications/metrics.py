"""All metrics of the service, with their meaning. Knows the domain's events; knows no store.

Labels are a site and an agency as the catalogue names them, or a word of a fixed list; never a file, never a person.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from mpp_applications.domain import Advanced, Application, Flagged, Opened, State

_HOUR, _DAY = 3600, 86_400
OPENED = Counter("mpp_applications_opened_total", "Applications opened (drafts)", ("site", "agency"))
STEPS = Counter(
    "mpp_applications_steps_total",
    "Applications that came into a state: submitted, accepted, approved, rejected, collected and so on",
    ("site", "agency", "state"),
)
FLAGS = Counter(
    "mpp_applications_flags_total",
    "Flags raised: duplicate_suspected, sla_at_risk, sla_breached",
    ("site", "agency", "flag"),
)
DECIDED_SECONDS = Histogram(
    "mpp_applications_decided_seconds",
    "From the complete file (accepted) to its approval or rejection, pauses included, where a time is promised",
    ("site",),
    buckets=(_HOUR / 4, _HOUR, 4 * _HOUR, *(d * _DAY for d in (1, 2, 3, 5, 7, 10, 14, 21, 30, 60))),
)
DUE = Gauge(
    "mpp_applications_due",
    "Files whose clock runs, by when they are due: overdue, within_a_day; at the last sweep `measure`; true of the "
    "lease's holder only",
    ("site", "agency", "due"),
)


def count(application: Application) -> None:
    """Count the step that made `application`. Called after its write; never for a repeated command."""
    site, agency = application.site.rsplit("/", 1)[1], short(application.agency)
    for event in application.events:
        if isinstance(event, Opened):
            OPENED.labels(site, agency).inc()
        elif isinstance(event, Flagged):
            FLAGS.labels(site, agency, str(event.flag).lower()).inc()
        else:
            STEPS.labels(site, agency, str(event.state).lower()).inc()
            _time(application, event, site)


def _time(application: Application, event: Advanced, site: str) -> None:
    if application.clock and event.state in (State.APPROVED, State.REJECTED):
        spent = event.at - application.clock.accepted_at
        DECIDED_SECONDS.labels(site).observe(max(0.0, spent.total_seconds()))


def short(agency: str) -> str:
    """`dukcapil` of `sites/malang/agencies/dukcapil`."""
    return agency.rsplit("/", 1)[1]
