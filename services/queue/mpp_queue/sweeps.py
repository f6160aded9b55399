"""What time does to tickets: the day's end, and how full the queues are. Called by `work` under a lease.

Knows the order of steps; rules are in domain/, queries in store.py. Costs follow what is open, never history.
"""

from __future__ import annotations

from datetime import datetime

from mpp_chassis import logs
from mpp_chassis.aggregates import Stale
from mpp_chassis.call import Command
from mpp_chassis.metrics import replace_all

from mpp_queue import domain, messages, metrics
from mpp_queue.app import App, local_day
from mpp_queue.domain import State
from mpp_queue.store import Loaded

SWEEP_BATCH = 200
log = logs.get(part="queue")


def close_earlier_days(app: App, now: datetime, actor: str = "service:queue") -> int:
    """End what is still open of local days that are over; returns how many. Safe to run twice and by several. A damaged
    document keeps its own queue from being closed, no other: it is told in the log, for an operator to look at.
    """
    closed = 0
    for queue, zone in app.queues.names():
        try:
            closed += _close_queue(app, queue, local_day(zone, now), now, actor)
        except (KeyError, TypeError, ValueError) as e:
            log.error("ticket_unreadable", queue=queue, error=type(e).__name__)
    return closed


def _close_queue(app: App, queue: str, today: str, now: datetime, actor: str) -> int:
    closed, site_id = 0, queue.split("/")[1]
    while batch := app.tickets.open_before(site_id, queue, today, SWEEP_BATCH):
        done = sum(_close(app, loaded, today, now, actor) for loaded in batch)
        closed += done
        if done < len(batch) or len(batch) < SWEEP_BATCH:
            break
    return closed


def _close(app: App, loaded: Loaded, today: str, now: datetime, actor: str) -> bool:
    after = loaded.ticket.close(now=now, actor=actor, today=today)
    assert after.state is State.CLOSED_AT_DAY_END
    command = Command(f"close:{after.name}", "CloseDay", after.day, actor, now)
    try:
        app.tickets.save(loaded, after, command, messages.ticket(after), messages.events(after))
    except Stale:
        return False  # somebody ended it; or the next sweep will
    metrics.count(after)
    return True


def measure(app: App, now: datetime) -> None:
    """Tell how full every queue of every site is now: one query a site, its cost follows who waits."""
    sites: dict[tuple[str, str], list[str]] = {}
    for queue, zone in app.queues.names():
        sites.setdefault((queue.split("/")[1], local_day(zone, now)), []).append(queue)
    tickets: dict[tuple[str, ...], float] = {}
    longest: dict[tuple[str, ...], float] = {}
    for (site, day), queues in sites.items():
        for queue in queues:
            tickets.update({(site, metrics.short(queue), state.value): 0.0 for state in domain.OPEN})
            longest[site, metrics.short(queue)] = 0.0
        for line in app.tickets.open_now(site, queues, day):
            queue = metrics.short(line.queue)
            tickets[site, queue, line.state.value] = line.count
            if line.state is State.WAITING:
                longest[site, queue] = max(0.0, (now - line.oldest).total_seconds())
    replace_all(metrics.OPEN_TICKETS, tickets)
    replace_all(metrics.LONGEST_WAIT_SECONDS, longest)
