"""The envelope: naming, round trips, the public form, ids, rubbish. Everything generated from the descriptors."""

from __future__ import annotations

import contextlib
import json
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp.queue.v1 import events_pb2, ticket_pb2
from mpp_chassis import events
from mpp_chassis.events import Event, EventType, Undecodable, WireMessage, decode, encode, event_type, new_event_id

from .conftest import EVENTS, filled, personal_paths

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
by_event = pytest.mark.parametrize("kind", EVENTS, ids=lambda k: k.message.DESCRIPTOR.name)
few = settings(max_examples=12, deadline=None)


def wires(kind: EventType, message: Any, **changes: Any) -> list[WireMessage]:
    known = {"sequence": 7, "event_id": "e1", "time": NOW, "traceparent": ""}
    return encode(Event(message, "sites/malang/x/y"), **{**known, **changes})


def headers_of(kind: EventType, **changes: str) -> dict[str, str]:
    return {**wires(kind, kind.message())[0].headers, **changes}


def test_all_services_were_found() -> None:
    assert {k.source for k in EVENTS} >= {"catalog", "queue", "applications", "complaints", "notifications"}
    assert len(EVENTS) >= 14


@by_event
def test_names_follow_the_convention(kind: EventType) -> None:
    _, source, version, name = kind.message.DESCRIPTOR.full_name.split(".")
    assert kind.exchange == f"{source}.events"
    words = re.findall(r"[A-Z][a-z0-9]*", name)
    assert kind.routing_key == "_".join(w.lower() for w in words) + f".{version}"
    assert kind.public_key in (None, kind.routing_key, f"{kind.routing_key}.public")


def test_routing_keys_are_unique() -> None:
    keys = [(k.exchange, k.routing_key) for k in EVENTS]
    assert len(set(keys)) == len(keys)


def test_a_message_that_is_no_event_is_refused() -> None:
    with pytest.raises(TypeError, match=r"mpp\.queue\.v1\.Ticket "):
        event_type(ticket_pb2.Ticket)


@by_event
@few
@given(data=st.data())
def test_round_trip(kind: EventType, data: st.DataObject) -> None:
    message = data.draw(filled(kind.message))
    sequence, moment = data.draw(st.integers(0, 2**63 - 1)), data.draw(MOMENTS)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    wire = wires(kind, message, sequence=sequence, time=moment, traceparent=trace)[0]
    stored = WireMessage.from_document(wire.to_document())
    assert stored == wire
    read, envelope = decode(kind, stored.headers, stored.body.encode())
    assert read == message
    assert (envelope.id, envelope.sequence, envelope.time) == ("e1", sequence, moment)
    assert (envelope.type, envelope.source) == (kind.message.DESCRIPTOR.full_name, f"/mpp/{kind.source}")
    assert (envelope.subject, envelope.traceparent) == ("sites/malang/x/y", trace)


@by_event
@few
@given(data=st.data())
def test_the_public_form_has_no_personal_field_at_any_depth(kind: EventType, data: st.DataObject) -> None:
    message = data.draw(filled(kind.message))
    paths = list(personal_paths(kind.message.DESCRIPTOR))
    for_agencies = [w for w in wires(kind, message) if w.key == kind.public_key]
    assert len(for_agencies) == (1 if kind.public else 0)
    for wire in for_agencies:
        bare = json_format.ParseDict(json.loads(wire.body), kind.message())
        for path in paths:
            assert not list(_reached(bare, path)), f"{'.'.join(path)} is public"
        if not paths:
            assert bare == message


def _reached(message: Any, path: tuple[str, ...]) -> list[Any]:
    here = {f.name: v for f, v in message.ListFields()}
    if path[0] not in here:
        return []
    if len(path) == 1:
        return [here[path[0]]]
    inner = here[path[0]] if isinstance(here[path[0]], list) or hasattr(here[path[0]], "add") else [here[path[0]]]
    return [found for one in inner for found in _reached(one, path[1:])]


@by_event
def test_both_forms_have_ids_of_their_own_and_the_whole_form_is_not_public(kind: EventType) -> None:
    found = wires(kind, kind.message())
    assert len({w.id for w in found}) == len(found)
    assert all(w.headers["ce-id"] == w.id for w in found)
    if list(personal_paths(kind.message.DESCRIPTOR)):
        assert found[0].key != kind.public_key


@given(MOMENTS, st.timedeltas(timedelta(milliseconds=1), timedelta(days=9000)), st.integers())
def test_ids_are_ordered_by_time(moment: datetime, later: timedelta, seed: int) -> None:
    rng = random.Random(seed)
    first, second = new_event_id(moment, rng), new_event_id(moment + later, rng)
    assert first < second
    assert events.id_before(moment) <= first
    assert re.fullmatch(r"[0-9a-f]{32}", first)


def test_ids_of_one_moment_differ() -> None:
    rng = random.Random(1)
    assert len({new_event_id(NOW, rng) for _ in range(10_000)}) == 10_000


HEADERS = ("ce-id", "ce-type", "ce-source", "ce-subject", "ce-sequence", "ce-time")
KIND = event_type(events_pb2.TicketServing)


@pytest.mark.parametrize("missing", HEADERS)
def test_a_missing_header_is_named(missing: str) -> None:
    headers = headers_of(KIND)
    del headers[missing]
    with pytest.raises(Undecodable, match=missing):
        decode(KIND, headers, b"{}")


@pytest.mark.parametrize(
    "changes",
    [
        {"ce-type": "mpp.queue.v1.TicketCalled"},
        {"ce-sequence": "seven"},
        {"ce-sequence": "9" * 100},
        {"ce-sequence": "-1"},
        {"ce-time": "yesterday"},
        {"ce-time": "2026-11-22T04:30:00"},  # a time without an offset means nothing
        {"ce-id": ""},
    ],
    ids=str,
)
def test_a_malformed_header_is_undecodable(changes: dict[str, str]) -> None:
    with pytest.raises(Undecodable):
        decode(KIND, headers_of(KIND, **changes), b"{}")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"5", b'"x"', b"[]", b"[1]", b"\xff\xfe", b'{"ticket": 5}', b'{"ticket": "a", "ticket": "b"}',
        b'{"counter": 1e400}', b'{"counter": NaN}', b'{"issuedAt": "noon"}', b'{"ticket":"\\ud800"}',
        b"[" * 100_000,
    ],
    ids=lambda b: repr(b[:24]),
)  # fmt: skip
def test_a_body_that_is_no_such_event_is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(KIND, headers_of(KIND), body)


def test_a_body_nested_without_end_never_crashes_the_consumer() -> None:
    """How deep a parser goes differs between Python versions: ignored as an unknown field, or undecodable."""
    with contextlib.suppress(Undecodable):
        decode(KIND, headers_of(KIND), b'{"a":' * 5_000 + b"1" + b"}" * 5_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([f.json_name for f in KIND.message.DESCRIPTOR.fields]) | st.text(max_size=5), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=30) | st.integers() | st.none() | st.binary(max_size=9)),
    st.binary(max_size=60) | JSON.map(lambda v: json.dumps(v).encode()),
)
def test_rubbish_is_undecodable_and_nothing_else(changes: dict[str, Any], body: bytes) -> None:
    try:
        _, envelope = decode(KIND, {**headers_of(KIND), **changes}, body)
    except Undecodable:
        return
    assert envelope.time.tzinfo is not None
    envelope.time.timestamp()  # usable


def test_unknown_fields_are_ignored_for_schemas_only_grow() -> None:
    message, _ = decode(KIND, headers_of(KIND), b'{"ticket": "t", "addedNextYear": {"a": [1]}}')
    assert message == events_pb2.TicketServing(ticket="t")


def test_an_undecodable_tells_nothing_of_the_body() -> None:
    with pytest.raises(Undecodable) as caught:
        decode(KIND, headers_of(KIND), b'{"ticket": ["3573010101900001"]}')
    assert "3573" not in str(caught.value)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_any_subject_survives(subject: str) -> None:
    message = events_pb2.TicketServing()
    wire = encode(Event(message, subject), sequence=1, event_id="e", time=NOW, traceparent="")[0]
    assert decode(KIND, wire.headers, wire.body.encode())[1].subject == subject
