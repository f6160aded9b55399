"""A service's store side on a fresh database and an exchange of its own: what the tests of outbox and aggregates need."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import Any

import pymongo
from mpp.queue.v1 import events_pb2
from mpp_chassis import broker, storage
from mpp_chassis.aggregates import Aggregates, Decision, Store, Stored
from mpp_chassis.broker import Publisher
from mpp_chassis.call import Command
from mpp_chassis.events import Event
from mpp_chassis.lease import Lease
from mpp_chassis.outbox import Dispatcher, Sweeper

NOTES = "notes"


class Clock:
    """Real time, or that of `stop`; moved by `ahead` (a timedelta)."""

    def __init__(self) -> None:
        self.ahead: Any = None
        self._stopped: datetime | None = None

    def stop(self) -> None:
        """Time stands still from now on, however slow the machine is."""
        self._stopped = datetime.now(UTC)

    def __call__(self) -> datetime:
        now = self._stopped or datetime.now(UTC)
        return now + self.ahead if self.ahead else now


class Ground:
    """Collection `notes` of aggregates `{number}`; every change makes one TicketServing event."""

    def __init__(
        self, database: Any, amqp_uri: str, *, bound: bool = True, exchange: str = "", remembered: int = 0
    ) -> None:
        self.remembered = remembered
        self.database, self.amqp_uri, self.clock, self.rng = database, amqp_uri, Clock(), random.Random()
        self.exchange = exchange or f"t{uuid.uuid4().hex[:10]}.events"
        self.queue = f"{self.exchange}.all"
        self._dispatchers: list[Dispatcher] = []
        self._conn = broker.connection(amqp_uri)
        self.channel = self._conn.channel()
        self.channel.exchange_declare(self.exchange, "topic", durable=True, auto_delete=False)
        if bound:
            self.bind()
        storage.ensure_indexes(
            database, {NOTES: [pymongo.IndexModel([("label", 1)], name="label", unique=True)]}, [NOTES]
        )

    def bind(self) -> None:
        self.channel.queue_declare(self.queue, durable=True, auto_delete=False)
        self.channel.queue_bind(self.queue, self.exchange, routing_key="#")

    def dispatcher(self) -> Dispatcher:
        made = Dispatcher(self.database, self.exchange, Publisher(self.amqp_uri))
        self._dispatchers.append(made)
        return made

    def aggregates(self, dispatcher: Dispatcher | None = None) -> Aggregates:
        return Aggregates(Store(self.database, dispatcher, self.clock, self.rng), NOTES, self.remembered)

    def lease(self, holder: str = "me", name: str = "sweeper", seconds: float = 10) -> Lease:
        return Lease(self.database["leases"], name, holder, self.clock, seconds)

    def sweeper(self, holder: str = "me") -> Sweeper:
        return Sweeper(self.database, [NOTES], self.dispatcher(), self.lease(holder), self.clock, interval=0.1)

    def command(self, request_id: str = "", fingerprint: str = "f", **changes: Any) -> Command:
        known = {"method": "Change", "actor": "officer:1", "at": self.clock(), "traceparent": ""}
        return Command(request_id=request_id or str(uuid.uuid4()), fingerprint=fingerprint, **{**known, **changes})

    def create(self, aggregates: Aggregates, name: str, command: Command | None = None, label: str = "") -> Any:
        state = {"number": 0, "label": label or name}
        return aggregates.create(name, "malang", state, command or self.command(), reply(name, 0), [event(name, 0)])

    def received(self) -> list[dict[str, Any]]:
        """Messages in the queue, oldest first, taken out."""
        found = []
        while (message := self.channel.basic_get(self.queue, no_ack=True)) is not None:
            headers = dict(message.headers)
            found.append(
                {"id": headers["ce-id"], "subject": headers["ce-subject"], "sequence": int(headers["ce-sequence"])}
            )
        return found

    def depth(self) -> int:
        return int(self.channel.queue_declare(self.queue, passive=True).message_count)

    def pending(self) -> int:
        return int(self.database[NOTES].count_documents({"outbox.last": {"$gt": ""}}))

    def close(self) -> None:
        for dispatcher in self._dispatchers:
            dispatcher.stop(0.01)
        conn = broker.connection(self.amqp_uri)  # the old one may be gone by now
        channel = conn.channel()
        channel.queue_delete(self.queue)
        channel.exchange_delete(self.exchange)
        conn.close()
        self._conn.collect()


def reply(name: str, number: int) -> events_pb2.TicketServing:
    return events_pb2.TicketServing(ticket=name, waited_seconds=number)


def event(name: str, number: int) -> Event:
    """Each with a number of its own, by which the probe counts its effect."""
    message = reply(name, number)
    message.number = f"D-{int(name.split('/')[1]) * 100 + number}"
    return Event(message, name)


def add_one(stored: Stored) -> Decision:
    """One more; the reply tells the new number."""
    number = stored.state["number"] + 1
    return Decision({**stored.state, "number": number}, reply(stored.name, number), [event(stored.name, number)])
