"""Parked events, for operators: list, replay, drop. Answers mpp.ops.v1.OpsService in every `serve` process.

Knows the broker's parking queues; knows no handler's code (the handlers' queues were written down by `migrate`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import grpc
from amqp.exceptions import AMQPError
from google.protobuf.timestamp_pb2 import Timestamp
from mpp.ops.v1 import ops_service_pb2 as pb

from mpp_chassis import broker, logs
from mpp_chassis.broker import BACK_EXCHANGE, BrokerDown, Outgoing, Publisher
from mpp_chassis.call import Call
from mpp_chassis.errors import NotFound

MOST = 1000
log = logs.get(part="parked")
ERRORS: dict[type[Exception], grpc.StatusCode] = {}


class OpsApi:
    """`queues` lists the service's handler queues."""

    def __init__(self, amqp_uri: str, queues: Callable[[], Sequence[str]]) -> None:
        self._uri, self._queues = amqp_uri, queues

    def ListParked(self, request: pb.ListParkedRequest, call: Call) -> pb.ListParkedResponse:
        wanted = [self._known(request.queue)] if request.queue else list(self._queues())
        found: list[pb.ParkedEvent] = []
        with self._channel() as channel:
            for queue in wanted:
                there = [_shown(queue, message) for message in _take(channel, f"{queue}.parked", MOST)]
                # The broker gives back what was borrowed in another order, so the queue's own order is lost.
                there.sort(key=lambda e: (e.parked_at.seconds, e.parked_at.nanos, e.event_id))
                found += [event for event in there if request.event_id in ("", event.event_id)]
        # Leaving the channel gives all of them back.
        return pb.ListParkedResponse(parked=found[: request.page_size or 100])

    def ReplayParked(self, request: pb.ReplayParkedRequest, call: Call) -> pb.ReplayParkedResponse:
        queue, wanted, count = self._known(request.queue), set(request.event_ids), 0
        publisher = Publisher(self._uri)
        try:
            with self._channel() as channel:
                # No more than are there now: one that fails again comes back to the end of the queue.
                there = int(channel.queue_declare(f"{queue}.parked", passive=True).message_count)
                for message in _take(channel, f"{queue}.parked", min(MOST, there)):
                    event_id = _event_id(message)
                    if wanted and event_id not in wanted:
                        continue
                    headers = {k: v for k, v in (message.headers or {}).items() if not k.startswith("x-")}
                    copy = Outgoing(event_id, BACK_EXCHANGE, f"0.{queue}", headers, message.body)
                    if event_id not in publisher.publish([copy]).accepted:
                        raise BrokerDown(f"{queue} did not take the event back")
                    channel.basic_ack(message.delivery_tag)
                    count += 1
        finally:
            publisher.close()
        log.info("parked_replayed", queue=queue, count=count, actor=call.actor)
        return pb.ReplayParkedResponse(replayed=count)

    def DropParked(self, request: pb.DropParkedRequest, call: Call) -> pb.DropParkedResponse:
        queue, wanted, count = self._known(request.queue), set(request.event_ids), 0
        with self._channel() as channel:
            for message in _take(channel, f"{queue}.parked", MOST):
                if _event_id(message) in wanted:
                    log.warning(
                        "parked_dropped", queue=queue, id=_event_id(message), reason=request.reason, actor=call.actor
                    )
                    channel.basic_ack(message.delivery_tag)
                    count += 1
        return pb.DropParkedResponse(dropped=count)

    def _known(self, queue: str) -> str:
        if queue not in self._queues():
            raise NotFound(f"this service has no handler queue {queue!r}", reason="QUEUE_UNKNOWN", field="queue")
        return queue

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Any]:
        try:
            conn = broker.connection(self._uri)
        except Exception as e:
            raise BrokerDown("the broker cannot be reached") from e
        try:
            yield conn.channel()
        except (AMQPError, OSError) as e:
            raise BrokerDown(f"{type(e).__name__} while looking at parked events") from e
        finally:
            with contextlib.suppress(Exception):
                conn.close()


def _take(channel: Any, queue: str, most: int) -> Iterator[Any]:
    """Borrow messages: those not acknowledged go back in place when the connection closes."""
    for _ in range(most):
        message = channel.basic_get(queue)
        if message is None:
            return
        yield message


def _event_id(message: Any) -> str:
    headers = message.headers or {}
    return str(headers.get("ce-id") or message.properties.get("message_id") or "")


def _shown(queue: str, message: Any) -> pb.ParkedEvent:
    headers = {str(k): str(v) for k, v in (message.headers or {}).items()}
    body = message.body if isinstance(message.body, str) else bytes(message.body).decode("utf-8", "replace")
    event = pb.ParkedEvent(
        queue=queue,
        event_id=_event_id(message),
        type=headers.get("ce-type", ""),
        subject=headers.get("ce-subject", ""),
        reason=headers.get("x-mpp-error") or f"{headers.get('x-first-death-reason', 'unknown')} by the broker",
        attempts=broker.attempts(headers),
        headers={k: v for k, v in headers.items() if k != "x-death"},
        body=body[:20_000],
    )
    with contextlib.suppress(ValueError, KeyError, OverflowError):  # parked by the broker itself, or by a stranger
        stamp = Timestamp()
        stamp.FromDatetime(datetime.fromisoformat(headers["x-mpp-at"]))
        event.parked_at.CopyFrom(stamp)
    return event
