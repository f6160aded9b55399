"""Reading a stream of the real broker from every kind of place: nothing is passed over silently."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from amqp import Message
from mpp_chassis import broker
from mpp_subscriptions import cursor
from mpp_subscriptions.cursor import Position
from mpp_subscriptions.journal import Expired, Journal

from tests.conftest import wait_for

pytestmark = pytest.mark.stack
BEGAN = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


class Stream:
    """A stream of the test's own, with small segments so that retention can be seen at work."""

    def __init__(self, amqp_uri: str) -> None:
        self.name = f"uji.{uuid.uuid4().hex[:10]}"
        self._conn = broker.connection(amqp_uri)
        self._channel = self._conn.channel()
        self._channel.confirm_select()
        self.journal = Journal(amqp_uri, self.name)
        self.make()

    def make(self, **arguments: Any) -> None:
        wanted = {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": 50_000, **arguments}
        self._channel.queue_declare(self.name, durable=True, auto_delete=False, arguments=wanted)

    def write(self, count: int, first: int = 0, padding: int = 0) -> None:
        for n in range(first, first + count):
            headers = {
                "ce-id": f"e{n}", "ce-type": "mpp.uji.v1.Uji", "ce-source": "/mpp/uji", "ce-subject": f"s{n}",
                "ce-sequence": "1", "ce-time": (BEGAN + timedelta(seconds=n)).isoformat(),
            }  # fmt: skip
            message = Message('{"x":"' + "y" * padding + '"}', application_headers=headers)
            self._channel.basic_publish_confirm(message, routing_key=self.name)

    def read(self, start: Any, count: int) -> list[str]:
        with self.journal.open(start) as reader:
            found = [reader.read(5) for _ in range(count)]
        return [entry.id for entry in found if entry is not None]

    def end(self) -> None:
        self._channel.queue_delete(self.name)

    def close(self) -> None:
        self.end()
        self._conn.close()


@pytest.fixture
def stream(amqp_uri: str) -> Iterator[Stream]:
    here = Stream(amqp_uri)
    yield here
    here.close()


def test_behind_an_event_before_it_and_from_a_time(stream: Stream) -> None:
    stream.write(6)
    assert stream.read(Position.of(2, "e2"), 2) == ["e3", "e4"]
    assert stream.read(Position.of(2, "e2", inclusive=True), 2) == ["e2", "e3"]
    assert stream.read(BEGAN + timedelta(seconds=4), 2) == ["e4", "e5"]
    with stream.journal.open(Position.of(5, "e5")) as reader:
        assert reader.read(0.2) is None
        stream.write(1, first=6)
        entry = reader.read(5)
    assert entry is not None
    assert (entry.id, entry.offset, entry.subject) == ("e6", 6, "s6")


def test_what_is_no_event_has_a_place_and_harms_nobody(stream: Stream) -> None:
    stream.write(1)
    for body, headers in (("{}", {}), ("[1]", {"ce-id": "x"}), ("no json", {"ce-time": "never"})):
        stream._channel.basic_publish_confirm(Message(body, application_headers=headers), routing_key=stream.name)
    stream.write(1, first=4)
    assert stream.read(BEGAN, 5) == ["e0", "", "", "", "e4"]
    assert stream.read(Position.of(0, "e0"), 4) == ["", "", "", "e4"]


def test_a_journal_that_was_made_anew_is_noticed(stream: Stream) -> None:
    stream.write(3)
    place = Position.of(2, "e2")
    stream.end()
    stream.make()
    stream.write(3, first=100)
    for lost in (place, Position.of(7, "e7")):
        with pytest.raises(Expired) as caught:
            stream.read(lost, 1)
        oldest = cursor.decode(caught.value.metadata["oldest_cursor"])
        assert stream.read(oldest, 3) == ["e100", "e101", "e102"], "the place it tells is a place to go on"


def test_what_the_broker_forgot_is_noticed(stream: Stream) -> None:
    """Retention by size, which acts when a segment is full."""
    stream.end()
    stream.make(**{"x-max-length-bytes": 100_000})
    stream.write(1)
    place = Position.of(0, "e0")
    assert stream.read(place, 0) == []
    written = [1]

    def forgotten() -> bool:
        stream.write(50, first=written[0], padding=3000)
        written[0] += 50
        oldest = stream.journal.expired().oldest
        return oldest is not None and oldest.offset > 1

    wait_for(forgotten, 30)
    with pytest.raises(Expired) as caught:
        stream.read(place, 1)
    assert caught.value.oldest is not None
    assert caught.value.oldest.offset > 1
