"""The domain in the words of the protos: replies and events. Knows both sides, and nothing of how either is
reached.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp
from mpp.notifications.v1 import events_pb2, notification_pb2
from mpp_chassis.events import Event

from mpp_notifications.domain import Channel, Notification, State

_Proto = notification_pb2.Notification


def resource(notification: Notification, masked_recipient: str) -> notification_pb2.Notification:
    return _Proto(
        name=notification.name,
        subject=notification.subject,
        template=notification.template,
        channel=channel(notification.channel),
        state=state(notification.state),
        masked_recipient=masked_recipient,
        provider=notification.provider,
        created_at=_stamp(notification.created_at),
        sent_at=_stamp(notification.sent_at),
        delivered_at=_stamp(notification.delivered_at),
        attempts=notification.attempts,
        failure=notification.failure,
    )


def events(notification: Notification) -> list[Event]:
    return [
        Event(
            events_pb2.NotificationEnded(
                notification=ended.name,
                subject=notification.subject,
                template=notification.template,
                channel=channel(notification.channel),
                state=state(ended.state),
                at=_stamp(ended.at),
            ),
            ended.name,
        )
        for ended in notification.events
    ]


def state(value: State) -> notification_pb2.Notification.State:
    return cast("notification_pb2.Notification.State", _Proto.State.Value(f"STATE_{value.name}"))


def state_of(value: notification_pb2.Notification.State) -> State:
    """Raises ValueError for an unspecified or unknown state."""
    return State(_Proto.State.Name(value).removeprefix("STATE_").lower())


def channel(value: Channel) -> notification_pb2.Notification.Channel:
    return cast("notification_pb2.Notification.Channel", _Proto.Channel.Value(f"CHANNEL_{value.name}"))


def _stamp(moment: datetime | None) -> Timestamp | None:
    """Whole milliseconds, as the store keeps them: the same moment reads the same before and after it was stored."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment.replace(microsecond=moment.microsecond // 1000 * 1000))
    return stamp
