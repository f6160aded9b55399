"""The domain as protos: replies and events. Knows both forms; decides nothing."""

from __future__ import annotations

from typing import Any

from mpp.samplechannel.v1 import entry_pb2, events_pb2
from mpp_chassis.events import Event

from mpp_samplechannel.domain import Closed, Entry, Opened, State

_STATES: dict[State, Any] = {state: entry_pb2.Entry.State.Value(f"STATE_{state.name}") for state in State}


def entry(e: Entry) -> entry_pb2.Entry:
    reply = entry_pb2.Entry(name=e.name, agency=e.agency, offering=e.offering, state=_STATES[e.state])
    reply.opened_at.FromDatetime(e.opened_at)
    if e.closed_at is not None:
        reply.closed_at.FromDatetime(e.closed_at)
    return reply


def events(e: Entry) -> list[Event]:
    """The entry's new events in their envelope-ready form."""
    return [Event(_event(e, event), e.name) for event in e.events]


def _event(e: Entry, event: Opened | Closed) -> events_pb2.EntryOpened | events_pb2.EntryClosed:
    if isinstance(event, Opened):
        opened = events_pb2.EntryOpened(entry=e.name, agency=e.agency, offering=e.offering)
        opened.opened_at.FromDatetime(event.at)
        return opened
    seconds = int(event.took.total_seconds())
    closed = events_pb2.EntryClosed(entry=e.name, agency=e.agency, offering=e.offering, seconds=seconds)
    closed.closed_at.FromDatetime(event.at)
    return closed
