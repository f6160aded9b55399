"""One function a command: hear what is open, remind of a turn, ask how it was, send the list of what is open.

Knows the matters, the courtesies of the deployment and how a citizen is told. Never knows AMQP, a gRPC server or pymongo.
What it says of a line is counted from what was heard: arrivals in their order. The queue's own order may differ where its
policy knows priorities, so a reminder says "about".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from mpp.notifications.v1 import events_pb2, notifications_service_pb2
from mpp.queue.v1 import events_pb2 as queue
from mpp.queue.v1 import ticket_pb2
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import Poison
from mpp_chassis.events import Event
from mpp_chassis.privacy import CannotOpen, mask_phone

from mpp_notifications import news, templates
from mpp_notifications.matters.heard import Heard, Kind, line_of
from mpp_notifications.matters.store import Matter
from mpp_notifications.usecases import EMAIL, PHONE, App, mask_email, person_of, tell

ASKED_KEPT = timedelta(days=2)


def hear(app: App, heard: Heard, sequence: int) -> None:
    """Keep what an event says about something open. Raises Poison for sealed fields that cannot be opened."""
    site, facts = _site(heard.name), heard.facts
    phone_index = email_index = ""
    told_near = False
    if facts is not None:
        try:
            phone, email = app.cipher.open(facts.sealed_phone, PHONE), app.cipher.open(facts.sealed_email, EMAIL)
        except CannotOpen as error:
            raise Poison(f"the event's sealed fields: {error}") from error
        phone_index, email_index = app.index.of(phone, PHONE), app.index.of(email.casefold(), EMAIL)
        told_near = heard.ahead is not None and heard.ahead <= app.courtesies.near_for(site, facts.agency)
    app.matters.hear(site, heard, sequence, phone_index=phone_index, email_index=email_index, told_near=told_near)


def remind_of_turns(app: App, ticket: str, agency: str, happened_at: datetime, command: Command) -> None:
    """The line in which `ticket` stood moved on: tell those whose turn is near, each ticket once.

    Who took the ticket with no more than that ahead heard the figure then. One query of a few documents.
    """
    site, queue_name = _site(ticket), line_of(ticket)
    near = app.courtesies.near_for(site, agency)
    if not near or not queue_name:
        return
    for ahead, matter in enumerate(app.matters.line(queue_name, near + 1, app.clock())):
        if matter.told_near or not matter.sealed_phone:
            continue
        link = tracking_link(app, matter.name)
        item = news.ticket_near(
            matter.name, matter.agency, matter.offering, matter.number, matter.sealed_phone, ahead, link
        )
        tell(app, item, happened_at, command)
        app.matters.told_near(matter.name)


def tracking_link(app: App, ticket: str) -> str:
    """Where a ticket can be followed; empty where its site has no such page. Raises Poison for a name below no site."""
    return app.courtesies.tracking_link(_site(ticket), ticket)


def ask_how_it_was(app: App, event: queue.TicketEnded, happened_at: datetime, command: Command) -> None:
    """After a finished ticket, where its agency or site has a survey: at most once a person and local day (SKM)."""
    if event.state != ticket_pb2.Ticket.STATE_FINISHED or not event.sealed_phone:
        return
    site = _site(event.ticket)
    link = app.courtesies.survey_link(site, event.agency, event.offering)
    if not link:
        return
    try:
        person = app.index.of(app.cipher.open(event.sealed_phone, PHONE), PHONE)
    except CannotOpen as error:
        raise Poison(f"the event's sealed fields: {error}") from error
    day = happened_at.astimezone(ZoneInfo(app.names.zone(f"sites/{site}"))).date()
    # The message's name is made of person and day: a second one of that day would have the same, and is not made.
    tell(app, news.ticket_finished(event, link, f"survey/{site}/{person}/{day}"), happened_at, command)


def send_overview(
    app: App, request: notifications_service_pb2.SendOverviewRequest, call: Call
) -> notifications_service_pb2.SendOverviewResponse:
    """Note the wish; an event makes the message. The reply says nothing about whether anything is open: whoever types a
    stranger's phone learns nothing. Raises TooSoon, InvalidField."""
    person = person_of(app, request.phone, request.email)
    site, command = request.parent.removeprefix("sites/"), call.mutation
    until = command.at + app.courtesies.overview_pause
    asked = events_pb2.OverviewAsked(
        overview=f"{request.parent}/overviews/{new_id(command)}",
        asked_at=_stamp(command.at),
        sealed_phone=app.cipher.seal(request.phone, PHONE),
        sealed_email=app.cipher.seal(request.email, EMAIL),
    )
    reply = notifications_service_pb2.SendOverviewResponse(
        masked_recipient=mask_phone(request.phone) or mask_email(request.email), next_at=_stamp(until)
    )
    event = Event(asked, asked.overview)
    kept = app.overviews.ask(site, person, until, command.at + ASKED_KEPT, command, reply, event)
    assert isinstance(kept, notifications_service_pb2.SendOverviewResponse)
    return kept


def tell_overview(app: App, event: events_pb2.OverviewAsked, happened_at: datetime, command: Command) -> None:
    """Send what is open to who asked. Nothing is sent where nothing is: nobody can make us write to strangers."""
    try:
        phone, email = app.cipher.open(event.sealed_phone, PHONE), app.cipher.open(event.sealed_email, EMAIL)
    except CannotOpen as error:
        raise Poison(f"the event's sealed fields: {error}") from error
    site, most = _site(event.overview), app.courtesies.overview_items
    phone_index, email_index = app.index.of(phone, PHONE), app.index.of(email.casefold(), EMAIL)
    found = app.matters.of(site, phone_index, email_index, most + 1, app.clock())
    if not found:
        app.log.info("overview_empty", overview=event.overview)
        return
    items = {each: "; ".join(_item(app, site, each, matter) for matter in found[:most]) for each in templates.LANGUAGES}
    tell(app, news.overview(event, items, str(most) if len(found) > most else ""), happened_at, command)


def _item(app: App, site: str, language: str, matter: Matter) -> str:
    """One thing that is open, in words."""
    words = {"number": matter.number, "reference": news.reference(matter.name)}
    for placeholder, name in (("agency", matter.agency), ("offering", matter.offering)):
        known = (app.names.of(name) if name else None) or app.templates.unknown[placeholder]
        words[placeholder] = known[language]
    if matter.kind is Kind.APPOINTMENT and matter.start is not None:
        start = matter.start.astimezone(ZoneInfo(app.names.zone(f"sites/{site}")))
        words["start_date"] = app.templates.day(start.date(), language)
        words["start_time"] = app.templates.time(start, language)
    return app.templates.item(str(matter.kind), language, words)


def _site(name: str) -> str:
    """`malang` of `sites/malang/...`. Raises Poison for any other name."""
    parts = name.split("/")
    if len(parts) < 3 or parts[0] != "sites" or not parts[1]:
        raise Poison("the event's subject is not below a site")
    return parts[1]


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment.replace(microsecond=moment.microsecond // 1000 * 1000))
    return stamp
