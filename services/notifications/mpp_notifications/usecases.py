"""One function a command: tell a citizen, attend to what is due, take a receipt, keep a wish not to be told.

Knows domain, store, names, templates and providers. Never knows AMQP, gRPC servers or pymongo.

Effect once, as far as can be. The document's name is derived from event, template and channel, and it is
inserted already claimed: the mark that the event was seen and the record of the effect are one write. Then
the message is handed over under its id as idempotency key, and the outcome is saved by compare-and-set.
Killed anywhere in between, the document's claim lapses and `attend_due` hands over again under the same key.
So: nothing is lost once the event was consumed, and a provider that honours the key sends once. NOT
guaranteed: once, with a provider that does not honour it, or that forgets keys before the message ends.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mpp.notifications.v1 import notification_pb2, notifications_service_pb2
from mpp_chassis.aggregates import Stored
from mpp_chassis.call import Call, Command
from mpp_chassis.errors import Poison
from mpp_chassis.privacy import BlindIndex, CannotOpen, FieldCipher, mask_phone, scrub

from mpp_notifications import calendar_file, messages, metrics, templates
from mpp_notifications.courtesies import Courtesies
from mpp_notifications.delivery import Delivery, Route
from mpp_notifications.domain import (
    Channel,
    InvalidField,
    Notification,
    Outcome,
    OutcomeKind,
    State,
    WrongState,
    notification_id,
)
from mpp_notifications.matters.store import Calendars, Matters, Overviews
from mpp_notifications.news import News
from mpp_notifications.providers.base import OutgoingMessage, Provider
from mpp_notifications.store import Notifications, OptOuts, from_state
from mpp_notifications.templates import Template, Templates
from mpp_notifications.views import Names

ACTOR = "service:notifications"
SWEEP_BATCH = 100
SWEEP_TIME = timedelta(seconds=8)  # below the sweep's lease, so that a slow provider makes no two sweeps overlap
TEXT = "notification_text"  # the cipher's purpose for rendered texts
PHONE, EMAIL = "phone", "email"  # the cipher's purposes for addresses, and the index's
CALENDAR = "notification_calendar"
CALENDAR_KEPT = timedelta(days=60)  # behind an appointment's end: so long it may be moved or cancelled
_CODE, _BOOKING, _LINK = "pickup_code", "booking_code", "video_link"
_RESULTS = {
    State.DELIVERED: "delivered",
    State.PERMANENT_FAILURE: "failed",
    State.TECHNICAL_FAILURE: "failed",
    State.SUPPRESSED: "not_wanted",
    State.CANCELLED: "outdated",
    State.EXPIRED: "outdated",
}


@dataclass(frozen=True, slots=True)
class App:
    """The service, composed."""

    notifications: Notifications
    opt_outs: OptOuts
    names: Names
    templates: Templates
    delivery: Delivery
    courtesies: Courtesies
    matters: Matters
    calendars: Calendars
    overviews: Overviews
    organizer: str  # the address that calendar files name
    providers: Mapping[Channel, Provider]
    cipher: FieldCipher
    index: BlindIndex
    clock: Callable[[], datetime]
    rng: random.Random
    log: Any


def tell(app: App, news: News, happened_at: datetime, command: Command) -> None:
    """Tell the citizen of `news`, once an event (`command.request_id` is the event's id) and way.

    Does nothing when no address is known or no template speaks of it. Raises Poison for an event that can never
    be told.
    """
    template = app.templates.get(news.template) or app.templates.get(news.otherwise)
    if template is None or not (news.sealed_phone or news.sealed_email):
        return
    fresh = _compose(app, news, template, happened_at, command)
    _cancel_superseded(app, news, template, command)
    for each in fresh:
        _begin(app, each, happened_at, command)


def _begin(app: App, fresh: Notification, happened_at: datetime, command: Command) -> None:
    unwanted = app.opt_outs.has(fresh.site, fresh.recipient_index)
    first = fresh.take_up(fresh.created_at, app.delivery.policy, ACTOR, opted_out=unwanted)
    if not app.notifications.create(first, command):
        metrics.SEEN_BEFORE.labels(fresh.template).inc()
        return
    metrics.CREATED.labels(first.template, str(first.channel)).inc()
    if first.state is State.SENDING:
        metrics.HANDED_OVER_SECONDS.observe(max(0.0, (app.clock() - happened_at).total_seconds()))
        _hand_over(app, first)
    else:
        _report(app, first)


def attend_due(app: App, now: datetime) -> int:
    """Take on what is due: lapsed claims, retries, missing receipts, fallbacks. Returns how many were
    attended.

    Begins nothing more after SWEEP_TIME; the next sweep goes on. A message that cannot be attended does not hold up
    the others, however many such there are.
    """
    until, attended = now + SWEEP_TIME, 0
    failed: list[str] = []
    while app.clock() < until:
        batch = app.notifications.due(app.clock(), SWEEP_BATCH, failed)
        for stored in batch:
            if app.clock() >= until:
                return attended
            try:
                _attend(app, stored)
                attended += 1
            except Exception as error:
                failed.append(stored.name)
                app.log.exception("attend_failed", notification=stored.name, error=type(error).__name__)
        if len(batch) < SWEEP_BATCH:
            break
    return attended


def measure(app: App, now: datetime) -> None:
    """Tell how many messages nobody attends to. Cost follows these, and at most 1000 are counted."""
    metrics.WAITING.set(app.notifications.count_due(now - timedelta(minutes=1), 1000))


def report_receipt(
    app: App, request: notifications_service_pb2.ReportReceiptRequest, call: Call
) -> notification_pb2.Notification:
    """A provider's receipt. A terminal state never changes; a repeated receipt is accepted and logged."""
    state, failure = messages.state_of(request.state), scrub(request.failure)
    seen: list[tuple[Notification, Notification]] = []

    def decide(current: Notification) -> Notification:
        changed = current.report(state, failure, call.now, app.delivery.policy, app.rng, call.actor)
        seen.append((current, changed))
        return changed

    reply = app.notifications.change(request.name, call.mutation, decide, notification_pb2.Notification)
    assert isinstance(reply, notification_pb2.Notification)
    if seen:
        before, after = seen[-1]
        app.log.info(
            "receipt",
            notification=request.name,
            reported=str(state),
            before=str(before.state),
            after=str(after.state),
        )
        _finish(app, after)
        reply = messages.resource(after, masked(app, after))
    return reply


def get_notification(app: App, name: str) -> notification_pb2.Notification:
    """Raises NotFound."""
    found = app.notifications.load(name)
    return messages.resource(found, masked(app, found))


def list_notifications(
    app: App, site: str, subject: str, limit: int, after: tuple[datetime, str] | None
) -> list[notification_pb2.Notification]:
    """Messages about `subject`, oldest first."""
    return [messages.resource(each, masked(app, each)) for each in app.notifications.about(site, subject, limit, after)]


def set_opt_out(
    app: App, request: notifications_service_pb2.SetOptOutRequest, call: Call
) -> notifications_service_pb2.SetOptOutResponse:
    """Holds from the next hand-over on; what a provider already has cannot be called back."""
    site = request.parent.removeprefix("sites/")
    reply = notifications_service_pb2.SetOptOutResponse(
        masked_phone=mask_phone(request.phone),
        masked_email=mask_email(request.email),
        opted_out=request.opted_out,
    )
    person = person_of(app, request.phone, request.email)
    kept = app.opt_outs.set(site, person, request.opted_out, call.mutation, reply)
    assert isinstance(kept, notifications_service_pb2.SetOptOutResponse)
    return kept


def masked(app: App, notification: Notification) -> str:
    """The recipient for the eye; empty when its key is gone."""
    try:
        if notification.channel is Channel.EMAIL:
            return mask_email(app.cipher.open(notification.sealed_email, EMAIL))
        return mask_phone(app.cipher.open(notification.sealed_phone, PHONE))
    except CannotOpen:
        return ""


def mask_email(address: str) -> str:
    """`w****@e******.org`: a letter before the sign, a letter of the domain and its last part."""
    person, _, domain = address.partition("@")
    first, dot, last = domain.rpartition(".")
    return f"{person[:1]}{'*' * 4}@{first[:1]}{'*' * 4}{dot}{last}" if person and first else ""


def person_of(app: App, phone: str, email: str) -> str:
    """The blind index of either. Raises InvalidField unless exactly one is given. Addresses that differ only in capitals
    are one person's.
    """
    if bool(phone) == bool(email):
        raise InvalidField("either a phone or an e-mail address", field="email" if phone else "phone")
    return app.index.of(phone, PHONE) or app.index.of(email.casefold(), EMAIL)


@dataclass(frozen=True, slots=True)
class _Person:
    phone_index: str
    email: str = field(repr=False)
    email_index: str

    def reachable(self) -> frozenset[Channel]:
        by_phone = {Channel.SMS, Channel.WHATSAPP, Channel.PUSH} if self.phone_index else set()
        return frozenset(by_phone | ({Channel.EMAIL} if self.email else set()))


def _compose(app: App, news: News, template: Template, happened_at: datetime, command: Command) -> list[Notification]:
    """A message for each way by which this person is to hear of it."""
    try:
        phone, email = app.cipher.open(news.sealed_phone, PHONE), app.cipher.open(news.sealed_email, EMAIL)
        person = _Person(app.index.of(phone, PHONE), email, app.index.of(email.casefold(), EMAIL))
        ways = app.delivery.route(news.site).ways(person.reachable())
        words = _words(app, news)
        return [
            _message(app, news, template, words, person, way, happened_at, command)
            for way in (ways[:1] if news.single else ways)
        ]
    except CannotOpen as error:
        raise Poison(f"the event's sealed fields: {error}") from error
    except ValueError as error:
        raise Poison(str(error)) from error


def _message(
    app: App,
    news: News,
    template: Template,
    words: Mapping[str, templates.Words],
    person: _Person,
    way: Route,
    happened_at: datetime,
    command: Command,
) -> Notification:
    provider = app.providers.get(way.channel)
    worded = app.templates.worded(template, news.site, news.agency, provider.name if provider else "")
    text = worded.render(words)
    calendar = ""
    if Channel.EMAIL in (way.channel, *way.fallbacks):
        calendar = _calendar(app, news, person, words, text, happened_at)
    message_id = notification_id(news.once or command.request_id, template.key, way.channel)
    return Notification(
        name=f"sites/{news.site}/notifications/{message_id}",
        site=news.site,
        subject=news.subject,
        template=template.key,
        channel=way.channel,
        source_event=news.once or command.request_id,
        sealed_phone=news.sealed_phone,
        phone_index=person.phone_index,
        sealed_text=app.cipher.seal(text, TEXT),
        created_at=app.clock(),
        expires_at=happened_at + template.expires_after,
        sealed_email=news.sealed_email,
        email_index=person.email_index,
        sealed_calendar=app.cipher.seal(calendar, CALENDAR),
        fallbacks=way.fallbacks,
        traceparent=command.traceparent,
    )


def _calendar(
    app: App, news: News, person: _Person, words: Mapping[str, templates.Words], text: str, happened_at: datetime
) -> str:
    """The calendar file that goes with it; empty where there is nothing to change in a calendar."""
    entry = news.calendar
    if entry is None:
        return ""
    if entry.cancelled:
        uid, sequence = app.calendars.ended(news.subject)
    else:
        uid, sequence = app.calendars.made(news.subject, entry.replaces, entry.end + CALENDAR_KEPT)
    place = {each: words[each].get("place") or words[each]["site"] for each in templates.LANGUAGES}
    return calendar_file.render(
        calendar_file.Entry(
            calendar_file.Method.CANCEL if entry.cancelled else calendar_file.Method.REQUEST,
            uid,
            sequence,
            happened_at,
            entry.start,
            entry.end,
            app.templates.title("calendar", words),
            app.organizer,
            person.email,
            text,
            " / ".join(dict.fromkeys(place.values())),
            words[templates.LANGUAGES[0]].get(_LINK, ""),
        )
    )


def _words(app: App, news: News) -> Mapping[str, templates.Words]:
    """Every placeholder of the event in both languages."""
    site = f"sites/{news.site}"
    zone = ZoneInfo(app.names.zone(site))
    named = {"site": site, "agency": news.agency}
    if news.offering is not None:
        named["offering"] = news.offering
    names = {key: _name(app, news.event, key, name) for key, name in named.items()}
    same = {**news.facts, **{key: templates.free_text(text) for key, text in news.free_text.items()}}
    if _CODE in templates.EVENTS[news.event].maybe:
        same[_CODE] = app.cipher.open(news.sealed_pickup_code, _CODE)
    if _BOOKING in templates.EVENTS[news.event].maybe:
        same[_BOOKING] = app.cipher.open(news.sealed_booking_code, _BOOKING)
    if _LINK in templates.EVENTS[news.event].maybe:
        same[_LINK] = app.cipher.open(news.sealed_link, _LINK)
    words = {}
    for language in templates.LANGUAGES:
        days = {
            key: app.templates.day(moment.astimezone(zone).date(), language) if moment else ""
            for key, moment in news.days.items()
        }
        times = {key: app.templates.time(at.astimezone(zone), language) for key, at in news.times.items()}
        said_so = {key: said[language] for key, said in (*names.items(), *news.said.items())}
        words[language] = {**same, **days, **times, **said_so}
    return words


def _name(app: App, event: str, placeholder: str, name: str) -> Mapping[str, str]:
    """As the catalogue calls it; neutral words while it is not known; nothing where the event names none and
    its templates can do without.
    """
    if not name and placeholder in templates.EVENTS[event].maybe:
        return dict.fromkeys(templates.LANGUAGES, "")
    return (app.names.of(name) if name else None) or app.templates.unknown[placeholder]


def _cancel_superseded(app: App, news: News, template: Template, command: Command) -> None:
    if not template.supersedes:
        return
    for old in app.notifications.unsent_about(news.site, news.subject, template.supersedes):
        ended = _change(
            app,
            old,
            replace(command, method=f"supersede/{old.id}"),
            lambda current: current.cancel("superseded", app.clock(), ACTOR),
        )
        if ended is not None:
            _report(app, ended)


def _attend(app: App, stored: Stored) -> None:
    notification = from_state(stored)
    metrics.ATTENDED.labels(str(notification.state)).inc()
    if notification.falls_back:
        _fall_back(app, notification)
        return
    now = app.clock()
    unwanted = app.opt_outs.has(notification.site, notification.recipient_index)
    taken = notification.take_up(now, app.delivery.policy, ACTOR, opted_out=unwanted)
    command = _own_command(taken, f"take_up/{taken.attempts}/{taken.state}", now)
    if not app.notifications.save(stored, taken, command):
        return  # somebody else has it
    if taken.state is State.SENDING:
        _hand_over(app, taken)
    else:
        _finish(app, taken)


def _hand_over(app: App, claimed: Notification) -> None:
    """Give the message to its provider and save what came of it. Only for a claim that this process just
    won.
    """
    name, outcome = _send(app, claimed)
    metrics.OUTCOMES.labels(name, str(outcome.kind)).inc()
    if outcome.reference:  # what to name when asking the provider about a message
        app.log.info("handed_over", notification=claimed.name, provider=name, reference=outcome.reference)
    now = app.clock()
    settled = _change(
        app,
        claimed,
        _own_command(claimed, f"settle/{claimed.attempts}", now),
        lambda current: current.settle(claimed.attempts, outcome, name, now, app.delivery.policy, app.rng),
    )
    if settled is not None:
        if outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.DELIVERED):
            metrics.TO_CITIZENS.labels(settled.site, str(settled.channel), "sent").inc()
        _finish(app, settled)


def _send(app: App, claimed: Notification) -> tuple[str, Outcome]:
    provider = app.providers.get(claimed.channel)
    if provider is None:
        return "none", Outcome(OutcomeKind.TECHNICAL, "no_provider_for_channel")
    by_mail = claimed.channel is Channel.EMAIL
    try:
        message = OutgoingMessage(
            key=claimed.provider_key,
            channel=claimed.channel,
            recipient=app.cipher.open(claimed.sealed_recipient, EMAIL if by_mail else PHONE),
            body=app.cipher.open(claimed.sealed_text, TEXT),
            template=claimed.template,
            title=_mail_title(app, claimed.site) if by_mail else "",
            calendar=app.cipher.open(claimed.sealed_calendar, CALENDAR) if by_mail else "",
        )
    except CannotOpen:
        return provider.name, Outcome(OutcomeKind.TECHNICAL, "sealing_key_gone")
    started = time.perf_counter()
    try:
        outcome = provider.send(message)
    except Exception as error:  # whatever it is, it says nothing about the effect: the same key again, later
        app.log.warning(
            "provider_raised", notification=claimed.name, provider=provider.name, error=type(error).__name__
        )
        outcome = Outcome(OutcomeKind.TEMPORARY, "provider_raised")
    metrics.PROVIDER_SECONDS.labels(provider.name).observe(time.perf_counter() - started)
    return provider.name, outcome


def _mail_title(app: App, site: str) -> str:
    """Whom it is from, and nothing of what it says: titles show on locked screens."""
    known = app.names.of(f"sites/{site}") or app.templates.unknown["site"]
    return app.templates.title("mail", {each: {"site": known[each]} for each in templates.LANGUAGES})


def _finish(app: App, notification: Notification) -> None:
    """Log where it stands and start the fallback if one is due."""
    _report(app, notification)
    if notification.falls_back:
        _fall_back(app, notification)


def _fall_back(app: App, parent: Notification) -> None:
    """First the child, then the parent's mark that it stands: killed in between, the child is found made
    already.
    """
    now = app.clock()
    channel = parent.fallbacks[0]
    child_id = notification_id(parent.source_event, parent.template, channel)
    child = parent.child(f"sites/{parent.site}/notifications/{child_id}", now)
    unwanted = app.opt_outs.has(child.site, child.recipient_index)
    first = child.take_up(now, app.delivery.policy, ACTOR, opted_out=unwanted)
    made = app.notifications.create(first, _own_command(first, "create", now))
    _change(app, parent, _own_command(parent, "fell_back", now), lambda current: current.fell_back(app.clock(), ACTOR))
    if not made:
        return
    metrics.CREATED.labels(first.template, str(first.channel)).inc()
    if first.state is State.SENDING:
        _hand_over(app, first)
    else:
        _report(app, first)


def _change(
    app: App, notification: Notification, command: Command, decide: Callable[[Notification], Notification]
) -> Notification | None:
    """The changed message; None when it had moved on, or when this very command was done before."""
    changed: list[Notification] = []

    def once(current: Notification) -> Notification:
        changed.append(decide(current))
        return changed[-1]

    try:
        app.notifications.change(notification.name, command, once, notification_pb2.Notification)
    except WrongState:
        return None
    return changed[-1] if changed else None


def _own_command(notification: Notification, method: str, now: datetime) -> Command:
    """What the service does by itself: named by the message and the step, so that a repetition is
    recognised.
    """
    return Command(notification.name, method, "", ACTOR, now, notification.traceparent)


def _report(app: App, notification: Notification) -> None:
    for ended in notification.events:
        metrics.ENDED.labels(notification.template, str(ended.state)).inc()
        metrics.TO_CITIZENS.labels(notification.site, str(notification.channel), _RESULTS[ended.state]).inc()
    app.log.info(
        "notification",
        notification=notification.name,
        template=notification.template,
        channel=str(notification.channel),
        state=str(notification.state),
        attempts=notification.attempts,
        provider=notification.provider,
        failure=notification.failure,
    )
