"""The event contract of all services together: who publishes, who listens, and what may not be in it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from mpp_chassis.entrypoint import handlers_of
from mpp_chassis.events import event_types, is_personal

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(p.parent.name for p in (ROOT / "services").glob("*/pyproject.toml"))
EVENTS = {
    kind.message.DESCRIPTOR.full_name: kind
    for service in SERVICES
    for kind in event_types(importlib.import_module(f"mpp.{service}.v1.events_pb2"))
}
HANDLERS = {
    queue: kind
    for service in SERVICES
    for queue, kind in handlers_of(importlib.import_module(f"mpp_{service}.handlers").Handlers)
}


def nested(descriptor: Any, seen: frozenset[str] = frozenset()) -> Any:
    """Fields of the messages inside an event, at any depth."""
    for field in descriptor.fields:
        if field.type == field.TYPE_MESSAGE and field.message_type.full_name not in seen:
            inside = field.message_type
            yield from inside.fields
            yield from nested(inside, seen | {inside.full_name})


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_reaches_somebody(name: str) -> None:
    """An event that no queue takes would wait in its document for ever: mandatory publishing returns it. The whole form of
    an event with personal fields goes only to listeners; any other public event also to the public stream. And a listener
    in another service is none where that service is not installed, so it counts only for the five that always are.
    """
    always = {"catalog", "queue", "applications", "complaints", "notifications"}
    listeners = [queue for queue, kind in HANDLERS.items() if kind.message.DESCRIPTOR.full_name == name]
    own = {queue.partition(".")[0] for queue in listeners} & (always | {name.split(".")[1]})
    event = EVENTS[name]
    assert own or (event.public and not event.personal), f"{name}: nobody listens to its whole form"


@pytest.mark.parametrize("queue", HANDLERS)
def test_every_handler_listens_to_an_event_that_a_service_declares(queue: str) -> None:
    assert HANDLERS[queue].message.DESCRIPTOR.full_name in EVENTS


@pytest.mark.parametrize("name", EVENTS)
def test_only_top_level_fields_are_personal(name: str) -> None:
    """The public form clears top-level fields: a personal field further down would go out with it."""
    assert not [f.full_name for f in nested(EVENTS[name].message.DESCRIPTOR) if is_personal(f)]


@pytest.mark.parametrize("name", EVENTS)
def test_what_could_name_a_person_is_marked(name: str) -> None:
    words = ("phone", "nik", "email", "full_name", "address", "sealed", "reason", "text", "pickup")
    for field in EVENTS[name].message.DESCRIPTOR.fields:
        if any(word in field.name for word in words):
            assert is_personal(field), f"{field.full_name} is not marked personal"


def test_no_two_handlers_share_a_queue_and_each_is_named_after_its_service() -> None:
    assert len(HANDLERS) == len(set(HANDLERS))
    for queue in HANDLERS:
        assert queue.split(".")[0] in SERVICES
