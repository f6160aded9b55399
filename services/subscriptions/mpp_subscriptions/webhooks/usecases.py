"""One function a command: make, change, test, replay, end a webhook. Delivering is the courier's.

Knows domain, stores, the journal and the guard. Never knows AMQP, gRPC servers or pymongo.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mpp.subscriptions.v1 import webhook_pb2
from mpp.subscriptions.v1 import webhooks_service_pb2 as rpc
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import InvalidField
from mpp_chassis.privacy import CannotOpen, FieldCipher

from mpp_subscriptions import cursor, metrics
from mpp_subscriptions.granted import Granted
from mpp_subscriptions.journal import KEPT, Journal
from mpp_subscriptions.webhooks import messages, signing
from mpp_subscriptions.webhooks.domain import (
    MOST_WEBHOOKS,
    Attempt,
    Deleted,
    Disabled,
    Progress,
    Reason,
    Secret,
    Target,
    TooManyWebhooks,
    Webhook,
    newest_first,
)
from mpp_subscriptions.webhooks.guard import Forbidden, Guard
from mpp_subscriptions.webhooks.posting import Poster
from mpp_subscriptions.webhooks.schedule import Delivery
from mpp_subscriptions.webhooks.store import Deliveries, Webhooks

SEALED = "webhook_secret"  # the cipher's purpose
ACTOR = "service:subscriptions"
SWEPT = 200  # tombstones at a time


@dataclass(frozen=True, slots=True)
class App:
    """Webhooks, composed. `rng` makes secrets: cryptographic in production."""

    webhooks: Webhooks
    deliveries: Deliveries
    granted: Granted
    journal: Journal
    guard: Guard
    poster: Callable[[], Poster]
    delivery: Delivery
    cipher: FieldCipher
    clock: Callable[[], datetime]
    rng: random.Random
    log: Any


def create_webhook(app: App, request: rpc.CreateWebhookRequest, call: Call) -> webhook_pb2.WebhookWithSecret:
    """Raises PermissionDenied (GRANT_MISSING, NOT_GRANTED), InvalidField (URL_FORBIDDEN), TooManyWebhooks."""
    call.require(agency=request.parent)
    target = _target(app, request.parent, request)
    _, site, _, agency = request.parent.split("/")
    command = call.mutation
    identity = new_id(command)
    name = f"{request.parent}/webhooks/{identity}"
    if app.webhooks.count(site, agency, MOST_WEBHOOKS) >= MOST_WEBHOOKS and not app.webhooks.made(name):
        raise TooManyWebhooks(f"an agency has at most {MOST_WEBHOOKS} webhooks")
    new = Webhook(
        name=name,
        site=site,
        agency=agency,
        target=target,
        secrets=(_new_secret(app, command),),
        created_at=call.now,
        updated_at=call.now,
        start_time=call.now,
    )
    told = webhook_pb2.WebhookWithSecret(webhook=messages.resource(new, Progress(), call.now))
    return _with_secret(app, app.webhooks.create(new, command, told), command)


def get_webhook(app: App, name: str, call: Call) -> webhook_pb2.Webhook:
    """Raises NotFound."""
    call.require(agency=agency_of(name))
    return messages.resource(app.webhooks.load(name), app.deliveries.progress(name), call.now)


def list_webhooks(app: App, parent: str, after: str, limit: int, call: Call) -> list[webhook_pb2.Webhook]:
    call.require(agency=parent)
    _, site, _, agency = parent.split("/")
    found = app.webhooks.page(site, agency, after, limit)
    return [messages.resource(webhook, app.deliveries.progress(webhook.name), call.now) for webhook in found]


def list_attempts(app: App, name: str, call: Call) -> list[webhook_pb2.WebhookAttempt]:
    """Raises NotFound."""
    call.require(agency=agency_of(name))
    app.webhooks.load(name)
    return [messages.attempt(one) for one in newest_first(app.deliveries.progress(name).attempts)]


def update_webhook(app: App, request: rpc.UpdateWebhookRequest, call: Call) -> webhook_pb2.Webhook:
    """Raises as create_webhook, and NotFound."""
    call.require(agency=agency_of(request.name))
    target = _target(app, agency_of(request.name), request)
    return _change(app, request.name, call, lambda webhook: webhook.update(target, call.now))


def enable_webhook(app: App, name: str, call: Call) -> webhook_pb2.Webhook:
    """Raises NotFound, PermissionDenied (GRANT_MISSING)."""
    call.require(agency=agency_of(name))
    app.granted.require(agency_of(name))
    return _change(app, name, call, lambda webhook: webhook.enable(call.now))


def disable_webhook(app: App, name: str, call: Call) -> webhook_pb2.Webhook:
    """Raises NotFound."""
    call.require(agency=agency_of(name))
    return _change(app, name, call, lambda webhook: webhook.disable(call.now))


def rotate_secret(app: App, request: rpc.RotateWebhookSecretRequest, call: Call) -> webhook_pb2.WebhookWithSecret:
    """Raises NotFound, TooManySecrets."""
    call.require(agency=agency_of(request.name))
    command, progress = call.mutation, app.deliveries.progress(request.name)
    secret = _new_secret(app, command)

    def tell(after: Webhook) -> tuple[webhook_pb2.WebhookWithSecret, list[Any]]:
        return webhook_pb2.WebhookWithSecret(webhook=messages.resource(after, progress, call.now)), []

    reply = app.webhooks.change(
        request.name, command, webhook_pb2.WebhookWithSecret,
        lambda webhook: webhook.rotate(secret, call.now, expire_previous=request.expire_previous), tell,
    )  # fmt: skip
    return _with_secret(app, reply, command)


def replay_webhook(app: App, request: rpc.ReplayWebhookRequest, call: Call) -> webhook_pb2.Webhook:
    """Raises NotFound, InvalidField, Expired, PermissionDenied (GRANT_MISSING)."""
    call.require(agency=agency_of(request.name))
    app.granted.require(agency_of(request.name))
    app.webhooks.load(request.name)
    start_time: datetime | None = None
    if request.WhichOneof("start") == "cursor":
        app.journal.open(place_of(request.cursor), prefetch=1).close()  # raises Expired
    else:
        start_time = request.start_time.ToDatetime(UTC)
        if start_time < call.now - KEPT:
            raise app.journal.expired()
    return _change(app, request.name, call, lambda webhook: webhook.replay(request.cursor, start_time, call.now))


def delete_webhook(app: App, name: str, call: Call) -> rpc.DeleteWebhookResponse:
    """Its place and its latest tries go too; when this process dies between, with `sweep`. Raises NotFound."""
    call.require(agency=agency_of(name))

    def tell(after: Webhook) -> tuple[rpc.DeleteWebhookResponse, list[Any]]:
        return rpc.DeleteWebhookResponse(), messages.events(after)

    reply = app.webhooks.change(name, call.mutation, rpc.DeleteWebhookResponse, lambda w: w.delete(call.now), tell)
    app.deliveries.forget([name])  # its courier finds nothing to write to, and ends
    return reply


def sweep(app: App, before: datetime) -> None:
    """What a deletion left behind: a place that a courier made again, and tombstones older than `before`."""
    after = ""
    while names := app.webhooks.deleted(after, SWEPT):
        app.deliveries.forget(names)
        app.webhooks.forget(names, before)
        after = names[-1]


def test_webhook(app: App, name: str, call: Call) -> rpc.TestWebhookResponse:
    """Post a test event now, from this very process. Raises NotFound, PermissionDenied (GRANT_MISSING)."""
    call.require(agency=agency_of(name))
    app.granted.require(agency_of(name))
    webhook = app.webhooks.load(name)
    message_id = new_id(call.mutation)
    body = signing.test_body(message_id, name, call.now)
    poster = app.poster()
    try:
        headers = signing.headers(message_id, call.now, body, open_secrets(app, webhook, call.now))
        answer = poster.post(webhook.target.url, headers, body.encode())
    finally:
        poster.close()
    metrics.WEBHOOK_TESTS.labels(answer.failure or "delivered").inc()
    attempt = Attempt(call.now, message_id, signing.TEST_TYPE, answer.status, answer.failure, answer.milliseconds)
    return rpc.TestWebhookResponse(attempt=messages.attempt(attempt))


def give_up(app: App, name: str, revision: int, reason: Reason, now: datetime) -> Webhook:
    """The courier's own command: disable what cannot be delivered, and tell of it. Returns how it stands then."""
    command = Command(f"{name}/{revision}/{reason}", "GiveUpWebhook", "", ACTOR, now)
    seen: list[Disabled | Deleted] = []

    def tell(after: Webhook) -> tuple[rpc.DeleteWebhookResponse, list[Any]]:
        seen[:] = after.events
        return rpc.DeleteWebhookResponse(), messages.events(after)

    app.webhooks.change(
        name, command, rpc.DeleteWebhookResponse, lambda webhook: webhook.give_up(revision, reason, now), tell
    )
    if seen:
        metrics.WEBHOOKS_GIVEN_UP.labels(str(reason)).inc()
        app.log.warning("webhook_disabled", webhook=name, reason=str(reason))
    return app.webhooks.load(name)


def open_secrets(app: App, webhook: Webhook, now: datetime) -> list[str]:
    """What signs now, the newest first. Raises CannotOpen when a key is gone."""
    return [app.cipher.open(secret.sealed, SEALED) for secret in webhook.signing(now)]


def agency_of(name: str) -> str:
    """`sites/x/agencies/y` of anything below it."""
    return "/".join(name.split("/")[:4])


def place_of(text: str) -> cursor.Position:
    """Raises InvalidField."""
    try:
        return cursor.decode(text)
    except cursor.BadCursor as error:
        raise InvalidField("cursor", str(error)) from error


def _target(app: App, agency: str, request: rpc.CreateWebhookRequest | rpc.UpdateWebhookRequest) -> Target:
    types = tuple(sorted(request.event_types))
    app.granted.require_types(agency, types)
    try:
        app.guard.place(request.url)
    except Forbidden as error:
        raise InvalidField("url", str(error), reason="URL_FORBIDDEN") from error
    return Target(request.url, types, request.subject_prefix, request.description)


def _new_secret(app: App, command: Command) -> Secret:
    """Its id is the command's, so that a repeated command finds the secret it made."""
    text = signing.secret_text(app.rng.randbytes(signing.SECRET_BYTES))
    return Secret(new_id(command), app.cipher.seal(text, SEALED), command.at)


def _with_secret(app: App, reply: webhook_pb2.WebhookWithSecret, command: Command) -> webhook_pb2.WebhookWithSecret:
    """The stored reply, which holds no secret, with the one that its command made, as long as that still signs."""
    told = webhook_pb2.WebhookWithSecret()
    told.CopyFrom(reply)
    for secret in app.webhooks.load(reply.webhook.name).signing(app.clock()):
        if secret.id == new_id(command):
            try:
                told.secret = app.cipher.open(secret.sealed, SEALED)
            except CannotOpen:
                app.log.error("webhook_secret_lost", webhook=reply.webhook.name)
    return told


def _change(app: App, name: str, call: Call, decide: Callable[[Webhook], Webhook]) -> webhook_pb2.Webhook:
    progress = app.deliveries.progress(name)

    def tell(after: Webhook) -> tuple[webhook_pb2.Webhook, list[Any]]:
        return messages.resource(after, progress, call.now), []

    return app.webhooks.change(name, call.mutation, webhook_pb2.Webhook, decide, tell)
