"""Webhooks in the words of the protos: replies and events. Knows both sides, and nothing of how either is reached."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from mpp.subscriptions.v1 import events_pb2, webhook_pb2
from mpp_chassis.events import Event

from mpp_subscriptions.webhooks.domain import Attempt, Deleted, Disabled, Progress, Reason, Webhook

_Proto = webhook_pb2.Webhook


def resource(webhook: Webhook, progress: Progress, now: datetime) -> webhook_pb2.Webhook:
    """Without the content of secrets."""
    known = progress.under(webhook)
    return _Proto(
        name=webhook.name,
        url=webhook.target.url,
        event_types=webhook.target.event_types,
        subject_prefix=webhook.target.subject_prefix,
        description=webhook.target.description,
        state=cast("_Proto.State", _Proto.State.Value(f"STATE_{webhook.state.name}")),
        disabled_reason=reason(webhook.reason) if webhook.reason else _Proto.DISABLED_REASON_UNSPECIFIED,
        disabled_at=stamp(webhook.disabled_at),
        created_at=stamp(webhook.created_at),
        updated_at=stamp(webhook.updated_at),
        secrets=[
            webhook_pb2.SecretInfo(id=s.id, created_at=stamp(s.created_at), expires_at=stamp(s.expires_at))
            for s in webhook.signing(now)
        ],
        position_cursor=known.cursor,
        failing_since=stamp(known.failing_since),
        failures=known.failures,
        next_attempt_at=stamp(known.next_at) if webhook.enabled else None,
        delivered_at=stamp(known.delivered_at),
    )


def attempt(one: Attempt) -> webhook_pb2.WebhookAttempt:
    outcomes = webhook_pb2.WebhookAttempt
    return webhook_pb2.WebhookAttempt(
        at=stamp(one.at),
        event_id=one.event_id,
        event_type=one.event_type,
        outcome=outcomes.OUTCOME_FAILED if one.failure else outcomes.OUTCOME_DELIVERED,
        status=one.status,
        failure=one.failure,
        milliseconds=one.milliseconds,
    )


def events(webhook: Webhook) -> list[Event]:
    return [Event(_event(webhook, ended), webhook.name) for ended in webhook.events]


def _event(webhook: Webhook, ended: Disabled | Deleted) -> Message:
    at = stamp(ended.at)
    if isinstance(ended, Deleted):
        return events_pb2.WebhookDeleted(webhook=webhook.name, agency=webhook.agency, at=at)
    return events_pb2.WebhookDisabled(webhook=webhook.name, agency=webhook.agency, cause=reason(ended.reason), at=at)


def reason(value: Reason) -> webhook_pb2.Webhook.DisabledReason:
    return cast("_Proto.DisabledReason", _Proto.DisabledReason.Value(f"DISABLED_REASON_{value.name}"))


def stamp(moment: datetime | None) -> Timestamp | None:
    """Whole milliseconds, as the store keeps them."""
    if moment is None:
        return None
    found = Timestamp()
    found.FromDatetime(moment.replace(microsecond=moment.microsecond // 1000 * 1000))
    return found
