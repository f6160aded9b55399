"""All metrics of the service, with their meaning. Knows the domain's events; knows no store.

Labels are a site and an agency as the catalogue names them, or a word of a fixed list; never a complaint, never a person.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from mpp_complaints.domain import Advanced, Complaint, Filed, State, WentOverdue

_DAY = 86_400
FILED = Counter("mpp_complaints_filed_total", "Complaints received", ("site", "agency"))
OVERCHARGES = Counter(
    "mpp_complaints_overcharges_total",
    "Reports that more was asked than the published fee, by the agency that they are about",
    ("site", "agency"),
)
STEPS = Counter(
    "mpp_complaints_steps_total",
    "Complaints that came into a state: verified, in_progress, answered, reopened, escalated, closed and so on",
    ("site", "agency", "state"),
)
WENT_OVERDUE = Counter(
    "mpp_complaints_went_overdue_total", "Deadlines that the handlers let go by, told once each", ("site", "agency")
)
RATINGS = Counter("mpp_complaints_ratings_total", "Ratings of answers, 1 (bad) to 5 (good)", ("site", "rating"))
ANSWERED_SECONDS = Histogram(
    "mpp_complaints_answered_seconds",
    "From receipt to the answer, in calendar time, the reporter's own time included",
    ("site",),
    buckets=tuple(d * _DAY for d in (0.25, 1, 2, 3, 5, 7, 14, 21, 30, 60)),
)
OPEN = Gauge(
    "mpp_complaints_open",
    "Complaints that are not closed, by whose turn it is: handler, reporter; at the last sweep `measure`; true of the "
    "lease's holder only",
    ("site", "agency", "turn"),
)
OVERDUE = Gauge(
    "mpp_complaints_overdue",
    "Open complaints whose handlers let the present deadline go by, at the last sweep `measure`; true of the lease's "
    "holder only",
    ("site", "agency"),
)


def count(complaint: Complaint) -> None:
    """Count the step that made `complaint`. Called after its write; never for a repeated command."""
    site, agency = short(complaint.site), short(complaint.agency)
    if complaint.overcharge is not None and any(isinstance(e, Filed) for e in complaint.events):
        OVERCHARGES.labels(site, agency).inc()
    for event in complaint.events:
        if isinstance(event, Filed):
            FILED.labels(site, agency).inc()
        elif isinstance(event, WentOverdue):
            WENT_OVERDUE.labels(site, agency).inc()
        else:
            STEPS.labels(site, agency, complaint.state.value).inc()
            _result(complaint, event, site)


def _result(complaint: Complaint, event: Advanced, site: str) -> None:
    if complaint.state is State.ANSWERED:
        spent = event.at - complaint.received_at
        ANSWERED_SECONDS.labels(site).observe(max(0.0, spent.total_seconds()))
    if complaint.state is State.CLOSED and complaint.rating:
        RATINGS.labels(site, str(complaint.rating)).inc()


def short(name: str) -> str:
    """The last part of a resource's name; `site` for none: what the site manager handles."""
    return name.rsplit("/", 1)[-1] or "site"
