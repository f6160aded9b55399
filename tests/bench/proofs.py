"""The invariants held against the store's documents and the events, whatever played. Makes no call of the platform.

No number twice in a queue and day; nobody called twice without having been missed between; every acknowledged ticket is
there, in the state that was acknowledged; every acknowledged call is one call in the ticket's history; and the events
tell the same story, each once by its id.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from mpp.queue.v1 import events_pb2
from mpp_chassis import broker
from mpp_chassis.events import event_type
from mppctl.simulation.ledger import ENDS, At, Ledger, Track

TOLD = (events_pb2.TicketIssued, events_pb2.TicketCalled, events_pb2.TicketServing, events_pb2.TicketEnded)


def numbers_twice(documents: Iterable[Mapping[str, Any]]) -> list[str]:
    given = Counter((d["queue"], d["day"], d["number"]) for d in documents)
    return [f"{number} of {queue} on {day} was given {n} times" for (queue, day, number), n in given.items() if n > 1]


def steps(document: Mapping[str, Any], step: str) -> int:
    return sum(line["step"] == step for line in document["history"])


def called_twice(documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Tickets with two calls and no miss between them (recalls are another step)."""
    found = []
    for document in documents:
        out = False
        for line in document["history"]:
            if line["step"] == "call" and out:
                found.append(f"{document['number']} ({document['_id']}) was called while it was called")
            out = line["step"] in ("call", "recall", "serve") or (
                out and line["step"] not in ("miss", "undo", "requeue")
            )
    return found


def against_store(ledger: Ledger, documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the ledger and the documents of its queues disagree on. The queues belong to this run alone."""
    by_name = {d["_id"]: d for d in documents}
    found = numbers_twice(by_name.values()) + called_twice(by_name.values())
    for track in ledger.tickets.values():
        document = by_name.get(track.name)
        if document is None:
            found.append(f"{track.number} ({track.name}) was acknowledged and is not in the store")
        else:
            found += _differences(track, document)
    unknown = by_name.keys() - ledger.tickets.keys()
    return found + [f"{name} is in the store and nobody was told" for name in sorted(unknown)]


def _differences(track: Track, document: Mapping[str, Any]) -> list[str]:
    pairs = {
        "number": (track.number, document["number"]),
        "state": (str(track.where), document["state"]),
        "calls": (track.calls, steps(document, "call")),
        "misses": (track.misses, steps(document, "miss")),
    }
    return [
        f"{track.name}: {what} acknowledged {told!r}, in the store {kept!r}"
        for what, (told, kept) in pairs.items()
        if told != kept
    ]


class Journal:
    """Keeps what the queue tells from now on, until it is read after the run: nothing else pays for it meanwhile."""

    def __init__(self, amqp_uri: str) -> None:
        self._uri, self._name = amqp_uri, f"journal.{uuid.uuid4().hex[:8]}"
        connection = broker.connection(amqp_uri)
        channel = connection.channel()
        # Durable: it must outlast a restart of the broker. It goes by itself when nobody reads it for an hour.
        channel.queue_declare(self._name, durable=True, auto_delete=False, arguments={"x-expires": 3_600_000})
        for message in TOLD:
            channel.queue_bind(self._name, "queue.events", event_type(message).routing_key)
        connection.close()

    def read(self) -> dict[str, Counter[str]]:
        """By ticket: how often each kind was told, repetitions (same id) counted once. Ends are told by their state.

        Complete when every outbox was empty before.
        """
        seen: set[str] = set()
        told: dict[str, Counter[str]] = {}
        left = 0

        def hear(message: Any) -> None:
            nonlocal left
            left -= 1
            if (event_id := message.headers["ce-id"]) in seen:
                return
            seen.add(event_id)
            body = json.loads(message.body)
            kind = message.headers["ce-type"].rsplit(".", 1)[-1]
            kind = body["state"].removeprefix("STATE_").lower() if kind == "TicketEnded" else kind
            told.setdefault(message.headers["ce-subject"], Counter())[kind] += 1

        connection = broker.connection(self._uri)
        channel = connection.channel()
        left = channel.queue_declare(self._name, passive=True).message_count
        consumer = channel.basic_consume(self._name, no_ack=True, callback=hear)
        while left > 0:
            connection.drain_events(timeout=10)
        channel.basic_cancel(consumer)
        channel.queue_delete(self._name)
        connection.close()
        return told


def against_events(ledger: Ledger, told: Mapping[str, Counter[str]]) -> list[str]:
    """What the ledger and the events disagree on. `told` is complete: every outbox is empty."""
    found = []
    for track in ledger.tickets.values():
        expected = Counter({"TicketIssued": 1, "TicketCalled": track.calls})
        if track.where is At.FINISHED:
            expected["TicketServing"] = 1
        if track.where in ENDS:
            expected[str(track.where)] = 1
        expected["missed"] = track.misses - (track.where is At.NO_SHOW)
        events = told.get(track.name, Counter())
        if +expected != events:
            found.append(f"{track.name}: expected events {dict(+expected)}, told {dict(events)}")
    return found
