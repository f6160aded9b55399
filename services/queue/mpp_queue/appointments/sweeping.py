"""What time does to bookings: holds run out, reminders, no-shows, visits whose end nobody told. Knows what is due, by the
store's index; what happens then is the booking's own (domain/booking.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from google.protobuf.empty_pb2 import Empty
from mpp_chassis import logs
from mpp_chassis.aggregates import Stale
from mpp_chassis.call import Command

from mpp_queue.appointments import messages, metrics
from mpp_queue.appointments.app import App
from mpp_queue.appointments.checking_in import as_ticket
from mpp_queue.appointments.domain.agenda_day import AgendaDay
from mpp_queue.appointments.domain.booking import State
from mpp_queue.appointments.domain.calendar import Agenda
from mpp_queue.appointments.steps import ACTOR
from mpp_queue.appointments.store import Loaded
from mpp_queue.domain import QueueError

log = logs.get(part="appointments")
SWEEP_BATCH, SWEEP_BATCHES = 50, 20


def sweep(app: App, now: datetime) -> int:
    """Do what is due by `now`: holds that ran out, reminders, no-shows. How many days were changed. Safe to run twice.

    One write a day that has something due, whatever happened on all the others. A day that breaks is left and told of;
    fifty of them would stop the sweep.
    """
    changed = 0
    for _ in range(SWEEP_BATCHES):
        batch = app.days.due(now, SWEEP_BATCH)
        done = sum(_safely(app, loaded, now) for loaded in batch)
        changed += done
        if done < len(batch) or len(batch) < SWEEP_BATCH:
            break
    return changed


def _safely(app: App, loaded: Loaded, now: datetime) -> bool:
    """What the data of one site can break, and no outage of the store, which is everybody's."""
    try:
        return _tick(app, loaded, now)
    except (ArithmeticError, AssertionError, LookupError, QueueError, TypeError, ValueError) as error:
        log.error("sweep_of_day_failed", day=loaded.day.name, error=type(error).__name__)
        return False


def _tick(app: App, loaded: Loaded, now: datetime) -> bool:
    agenda = app.agendas.known(loaded.parent, loaded.day.agency)
    heard = _by_tickets(app, agenda, replace(loaded.day, agency=agenda.agency), now)
    after = heard.tick(agenda, now=now, actor=ACTOR)
    command = Command(f"{loaded.day.name}@{loaded.stored.version}", "SweepAgenda", loaded.day.name, ACTOR, now)
    try:
        app.days.save(agenda, loaded, after, command, Empty(), messages.events(after, now, agenda.place))
    except Stale:
        return False  # somebody changed it; the next sweep looks again
    metrics.count(agenda, after)
    return True


def _by_tickets(app: App, agenda: Agenda, day: AgendaDay, now: datetime) -> AgendaDay:
    """Bookings whose ticket ended without its event being heard in time end as the ticket did."""
    for booking in day.bookings:
        due = booking.due_at(agenda)
        if booking.state is State.CHECKED_IN and booking.ticket and due is not None and due <= now:
            day = day.change(as_ticket(booking, app.state_of(booking.ticket), now))
    return day
