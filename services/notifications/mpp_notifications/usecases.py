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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mpp.notifications.v1 import notification_pb2, notifications_service_pb2
from mpp_chassis.aggregates import Stored
from mpp_chassis.call import Call, Command
from mpp_chassis.errors import Poison
from mpp_chassis.privacy import BlindIndex, CannotOpen, FieldCipher, mask_phone, scrub

from mpp_notifications import messages, metrics, templates
from mpp_notifications.delivery import Delivery
from mpp_notifications.domain import (
    Channel,
    Notification,
    Outcome,
    OutcomeKind,
    State,
    WrongState,
    notification_id,
)
from mpp_notifications.news import News
from mpp_notifications.providers.base import OutgoingMessage, Provider
from mpp_notifications.store import Notifications, OptOuts, from_state
from mpp_notifications.templates import Template, Templates
from mpp_notifications.views import Names

ACTOR = "service:notifications"
SWEEP_BATCH = 100
SWEEP_TIME = timedelta(seconds=8)  # below the sweep's lease, so that a slow provider makes no two sweeps overlap
TEXT = "notification_text"  # the cipher's purpose for rendered texts
_CODE, _BOOKING = "pickup_code", "booking_code"
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
    providers: Mapping[Channel, Provider]
    cipher: FieldCipher
    index: BlindIndex
    clock: Callable[[], datetime]
    rng: random.Random
    log: Any


def tell(app: App, news: News, happened_at: datetime, command: Command) -> None:
    """Tell the citizen of `news`, once an event (`command.request_id` is the event's id).

    Does nothing when no phone is known or no template speaks of it. Raises Poison for an event that can never
    be told.
    """
    template = app.templates.get(news.template)
    if template is None or not news.sealed_phone:
        return
    fresh = _compose(app, news, template, happened_at, command)
    _cancel_superseded(app, news, template, command)
    unwanted = app.opt_outs.has(fresh.site, fresh.phone_index)
    first = fresh.take_up(fresh.created_at, app.delivery.policy, ACTOR, opted_out=unwanted)
    if not app.notifications.create(first, command):
        metrics.SEEN_BEFORE.labels(template.key).inc()
        return
    metrics.CREATED.labels(template.key, str(first.channel)).inc()
    if first.state is State.SENDING:
        metrics.HANDED_OVER_SECONDS.observe(max(0.0, (app.clock() - happened_at).total_seconds()))
        _hand_over(app, first)
    else:
        _report(app, first)


def attend_due(app: App, now: datetime) -> int:
    """Take on what is due: lapsed claims, retries, missing receipts, fallbacks. Returns how many were
    attended.

    Stops after SWEEP_TIME; the next sweep goes on. A message that cannot be attended does not hold up the
    others.
    """
    until, attended = now + SWEEP_TIME, 0
    while app.clock() < until:
        batch = app.notifications.due(app.clock(), SWEEP_BATCH)
        failed = 0
        for stored in batch:
            try:
                _attend(app, stored)
                attended += 1
            except Exception as error:
                failed += 1
                app.log.exception("attend_failed", notification=stored.name, error=type(error).__name__)
        if len(batch) < SWEEP_BATCH or failed == len(batch):
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
        masked_phone=mask_phone(request.phone), opted_out=request.opted_out
    )
    phone_index = app.index.of(request.phone, "phone")
    kept = app.opt_outs.set(site, phone_index, request.opted_out, call.mutation, reply)
    assert isinstance(kept, notifications_service_pb2.SetOptOutResponse)
    return kept


def masked(app: App, notification: Notification) -> str:
    """The recipient for the eye; empty when its key is gone."""
    try:
        return mask_phone(app.cipher.open(notification.sealed_phone, "phone"))
    except CannotOpen:
        return ""


def _compose(app: App, news: News, template: Template, happened_at: datetime, command: Command) -> Notification:
    try:
        site = news.site
        phone = app.cipher.open(news.sealed_phone, "phone")
        text = template.render(_words(app, news))
    except CannotOpen as error:
        raise Poison(f"the event's sealed fields: {error}") from error
    except ValueError as error:
        raise Poison(str(error)) from error
    route = app.delivery.route(site)
    message_id = notification_id(command.request_id, template.key, route.channel)
    return Notification(
        name=f"sites/{site}/notifications/{message_id}",
        site=site,
        subject=news.subject,
        template=template.key,
        channel=route.channel,
        source_event=command.request_id,
        sealed_phone=news.sealed_phone,
        phone_index=app.index.of(phone, "phone"),
        sealed_text=app.cipher.seal(text, TEXT),
        created_at=app.clock(),
        expires_at=happened_at + template.expires_after,
        fallbacks=route.fallbacks,
        traceparent=command.traceparent,
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
    words = {}
    for language in templates.LANGUAGES:
        days = {
            key: app.templates.day(moment.astimezone(zone).date(), language) if moment else ""
            for key, moment in news.days.items()
        }
        times = {key: app.templates.time(at.astimezone(zone), language) for key, at in news.times.items()}
        words[language] = {**same, **days, **times, **{key: said[language] for key, said in names.items()}}
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
    unwanted = app.opt_outs.has(notification.site, notification.phone_index)
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
    try:
        message = OutgoingMessage(
            key=claimed.provider_key,
            channel=claimed.channel,
            recipient=app.cipher.open(claimed.sealed_phone, "phone"),
            body=app.cipher.open(claimed.sealed_text, TEXT),
            template=claimed.template,
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
    unwanted = app.opt_outs.has(child.site, child.phone_index)
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
