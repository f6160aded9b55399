"""Services and agencies are not upgraded on one day: events pass between version N-1 and N, both ways, and N and N+1.

N is this checkout, N-1 the last release (its image), N+1 a future in which every message has new fields and every enum
a new value. What both know arrives; what one does not know is no reason to park an event.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from mpp_chassis.events import Event, EventType, decode, encode

from tests.contract.evolution.generations import RELEASES, as_kind, events_now, fill, grown, message_class, of_release

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EVENTS = events_now()
LAST = max(RELEASES.glob("v*.binpb"), key=lambda f: tuple(map(int, f.stem[1:].split("."))))
OLD, FUTURE = of_release(LAST), grown()


def released() -> list[str]:
    found = []
    for name in EVENTS:
        try:
            OLD.FindMessageTypeByName(name)
        except KeyError:
            continue  # an event that the last release did not know: its consumers have no queue for it
        found.append(name)
    return found


def sent(message: Message) -> list[Any]:
    """The messages of an event as a service of the writer's version sends them."""
    return encode(Event(message, "sites/malang/x"), sequence=3, event_id="e1", time=NOW, traceparent="")


def read(kind: EventType, message: type[Message], wire: Any) -> Any:
    """What a consumer with these classes makes of it."""
    decoded, envelope = decode(as_kind(kind, message), wire.headers, wire.body.encode())
    assert (envelope.id, envelope.sequence, envelope.subject) == (wire.id, 3, "sites/malang/x")
    return decoded


def common(message: Message, other: type[Message]) -> Any:
    """The message's JSON as far as a class of another version knows its fields and values."""
    known = json_format.ParseDict(json_format.MessageToDict(message), other(), ignore_unknown_fields=True)
    return json_format.MessageToDict(known)


def values_it_does_not_know(message: Message, other: type[Message]) -> set[str]:
    """Enum fields whose value came later than the other version: they read as the default."""
    enums = [f for f in other.DESCRIPTOR.fields if f.enum_type is not None and not f.is_repeated]
    return {f.name for f in enums if getattr(message, f.name) not in f.enum_type.values_by_number}


def test_the_last_release_is_there_and_knows_events() -> None:
    assert len(released()) >= 14


@pytest.mark.parametrize("name", released())
def test_a_consumer_of_the_last_release_reads_what_is_sent_now(name: str) -> None:
    kind, old = EVENTS[name], message_class(OLD, name)
    full = fill(kind.message())
    whole = read(kind, old, sent(full)[0])
    assert json_format.MessageToDict(whole) == common(full, old)
    both = {f.name for f in old.DESCRIPTOR.fields if f.name in kind.message.DESCRIPTOR.fields_by_name}
    assert fields_of(whole) == both - values_it_does_not_know(full, old)


@pytest.mark.parametrize("name", released())
def test_what_the_last_release_sends_is_read_now(name: str) -> None:
    kind, old = EVENTS[name], message_class(OLD, name)
    full = fill(old())
    wires = sent(full)
    whole = read(kind, kind.message, wires[0])
    assert json_format.MessageToDict(whole) == json_format.MessageToDict(full)
    assert [w.key for w in wires] == [kind.routing_key, *([kind.public_key] if kind.personal and kind.public else [])]


@pytest.mark.parametrize("name", EVENTS)
def test_what_a_future_version_sends_is_read_now(name: str) -> None:
    """New fields at every depth and new enum values: unknown fields are left out, an unknown value is the default."""
    kind, future = EVENTS[name], message_class(FUTURE, name)
    wire = sent(fill(future()))[0]
    assert {"news", "tomorrow", "more"} <= set(json.loads(wire.body))
    seen = read(kind, kind.message, wire)
    enums = {f.name for f in kind.message.DESCRIPTOR.fields if f.enum_type is not None and not f.is_repeated}
    assert fields_of(seen) == {f.name for f in kind.message.DESCRIPTOR.fields} - enums
    assert "news" not in json.dumps(json_format.MessageToDict(seen))


@pytest.mark.parametrize("name", EVENTS)
def test_what_is_sent_now_is_read_by_a_future_version(name: str) -> None:
    kind, future = EVENTS[name], message_class(FUTURE, name)
    full = fill(kind.message())
    seen = read(kind, future, sent(full)[0])
    assert json_format.MessageToDict(seen) == json_format.MessageToDict(full)


def test_the_future_has_the_same_names_and_keys() -> None:
    for name, kind in EVENTS.items():
        again = event_type_of(message_class(FUTURE, name))
        assert (again.exchange, again.routing_key) == (kind.exchange, kind.routing_key)


def event_type_of(message: type[Message]) -> EventType:
    from mpp_chassis.events import _read_type  # past the cache, which knows one class a name

    return _read_type(message)


def fields_of(message: Any) -> set[str]:
    return {f.name for f, _ in message.ListFields()}


def test_a_type_that_changed_would_not_pass(tmp_path: Path) -> None:
    """The tests above can fail: a number where a name was is refused as undecodable."""
    from mpp_chassis.events import Undecodable

    kind = EVENTS["mpp.queue.v1.TicketCalled"]
    wire = sent(fill(kind.message()))[0]
    body = {**json.loads(wire.body), "counter": "three"}
    with pytest.raises(Undecodable):
        decode(kind, wire.headers, json.dumps(body).encode())
