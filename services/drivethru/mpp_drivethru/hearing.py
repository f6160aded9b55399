"""What other services tell of tickets and applications, and what time does to passes. Knows the order of steps; never a
request. Calls nobody; each function is idempotent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mpp.drivethru.v1 import pass_pb2
from mpp_chassis import trace
from mpp_chassis.call import Command

from mpp_drivethru import messages, metrics
from mpp_drivethru.app import App, Decided
from mpp_drivethru.domain import ChannelSpec, Pass, TicketNews, TicketState

FORGET_BATCH = 200
STALE, STALE_BATCH = timedelta(days=2), 500


def hear_ticket(app: App, news: TicketNews, now: datetime) -> bool:
    """What the queue's event says, kept and brought to the ticket's pass. Idempotent. False when it is none of ours.

    The news are kept before the pass is looked for, and a pass looks for news after it was written: so one of the two
    finds the other, in whatever order they come.
    """
    if not _ours(app, news.ticket):
        return False
    app.tickets.learn(news, now)
    return follow(app, news.ticket, now)


def follow(app: App, ticket: str, now: datetime) -> bool:
    """Bring what is known of a ticket to its pass; False when there is nothing to bring. Idempotent."""
    vehicle, news = app.passes.of_ticket(ticket), app.tickets.latest(ticket)
    if vehicle is None or news is None:
        return False
    spec = app.channels.find(vehicle.channel)
    if vehicle.hear(news, spec) is vehicle:
        return False
    command = Command(
        f"{ticket}:{news.sequence}", "FollowTicket", str(news.sequence), "service:drivethru", now, trace.current()
    )
    _bring(app, vehicle.name, news, spec, command)
    return True


def _ours(app: App, ticket: str) -> bool:
    """A ticket of a queue that a drive-thru uses, or used when the vehicle came: its settings may have changed since."""
    return app.channels.uses(ticket.partition("/tickets/")[0]) or app.passes.of_ticket(ticket) is not None


def learn_application(app: App, application: str, ticket: str, state: int, sequence: int) -> bool:
    """Idempotent. False when the ticket is none of ours."""
    if not ticket or not _ours(app, ticket):
        return False
    app.applications.learn(application, ticket, state, sequence)
    return True


def forget_plates(app: App, now: datetime) -> int:
    """Take the plates out of passes that ended long ago; returns how many. Safe to run twice and by several."""
    before, done = now - timedelta(days=app.plate_days), 0
    while names := app.passes.with_old_plate(before, FORGET_BATCH):
        for name in names:
            command = Command(f"forget:{name}", "ForgetPlate", "", "service:drivethru", now)
            app.passes.change(name, command, pass_pb2.Pass, _forget)
        done += len(names)
    return done


def _forget(before: Pass) -> Decided:
    after = before.forget_plate()
    return after, messages.vehicle(after, None), ()


def end_stale(app: App, now: datetime) -> int:
    """End the passes that are open `STALE` after their vehicle came: the queue ends each ticket with its day, so its news
    was lost. Else the plate would be kept, and refused as in line, for ever. Returns how many. Safe to run twice and by
    several.
    """
    return sum(_end_stale(app, app.channels.find(name), now) for name in app.channels.usable())


def _end_stale(app: App, spec: ChannelSpec, now: datetime) -> int:
    ended = 0
    for vehicle in app.passes.open_of(spec.name, STALE_BATCH):
        if vehicle.registered_at >= now - STALE:
            break  # first come first
        news = TicketNews(vehicle.ticket, TicketState.CLOSED_AT_DAY_END, now)
        command = Command(f"stale:{vehicle.name}", "EndStale", "", "service:drivethru", now, trace.current())
        _bring(app, vehicle.name, news, spec, command)
        ended += 1
    return ended


def _bring(app: App, name: str, news: TicketNews, spec: ChannelSpec, command: Command) -> None:
    decided: list[Pass] = []

    def decision(before: Pass) -> Decided:
        after = before.hear(news, spec)
        after = replace(after, events=()) if after is before else after
        decided[:] = [after]
        return after, messages.vehicle(after, spec), messages.events(after)

    app.passes.change(name, command, pass_pb2.Pass, decision)
    for changed in decided:
        metrics.count(changed)
