"""Metrics of bookings, with their meaning. Labels: a site, and a step of a fixed list; never a person or a channel."""

from __future__ import annotations

from prometheus_client import Counter

from mpp_queue.appointments.domain.agenda_day import AgendaDay
from mpp_queue.appointments.domain.calendar import Agenda

APPOINTMENTS = Counter(
    "mpp_queue_appointments_total",
    "Steps of appointments: held, confirmed, checked_in, fulfilled, rescheduled, no_show, cancelled, expired, reminded. "
    "Counted by the process that wrote the step",
    ("site", "step"),
)


def count(agenda: Agenda, day: AgendaDay) -> None:
    """Count the steps that made `day`. Called after its write; never for a repeated command."""
    for _, change in day.events:
        APPOINTMENTS.labels(agenda.site_id, "reminded" if change.reminder else change.state.value).inc()
