"""Load, decide, save: one function a command. Knows the order of steps; rules are in domain.py, queries in store.py.

A command changes one entry in one write, and is safe to repeat with its request_id: one effect, the first reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mpp.samplechannel.v1 import entry_pb2, samplechannel_service_pb2
from mpp_chassis.call import Call, new_id
from mpp_chassis.errors import NotFound
from mpp_chassis.events import Event

from mpp_samplechannel import domain, messages, metrics
from mpp_samplechannel.domain import Entry
from mpp_samplechannel.store import Entries
from mpp_samplechannel.views import Channels


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    entries: Entries
    channels: Channels


def open_entry(app: App, request: samplechannel_service_pb2.OpenEntryRequest, call: Call) -> entry_pb2.Entry:
    """Raises InvalidField, NotFound CHANNEL_UNKNOWN, FailedPrecondition CHANNEL_CLOSED."""
    channel = app.channels.find(request.parent)
    name = f"{request.parent}/samplechannel/{new_id(call.mutation)}"
    fresh = domain.open_entry(name, channel, offering=request.offering, now=_now(call))
    first = messages.entry(fresh)
    reply = app.entries.create(fresh, call.mutation, first, messages.events(fresh))
    if reply is first:  # else: the stored reply of a repeated command
        metrics.count(fresh)
    return reply


def get_entry(app: App, request: samplechannel_service_pb2.GetEntryRequest, call: Call) -> entry_pb2.Entry:
    """Raises NotFound, PermissionDenied."""
    found = app.entries.load(request.name)
    if found is None:
        raise NotFound(f"there is no {request.name}")
    call.require(agency=found.agency)
    return messages.entry(found)


def close_entry(app: App, request: samplechannel_service_pb2.CloseEntryRequest, call: Call) -> entry_pb2.Entry:
    """Raises WrongState, NotFound, PermissionDenied."""
    decided: list[Entry] = []  # empty when the command was repeated

    def decision(before: Entry) -> tuple[Entry, entry_pb2.Entry, Sequence[Event]]:
        call.require(agency=before.agency)
        after = before.close(now=_now(call))
        decided[:] = [after]
        return after, messages.entry(after), messages.events(after)

    reply = app.entries.change(request.name, call.mutation, entry_pb2.Entry, decision)
    for entry in decided:
        metrics.count(entry)
    return reply


def _now(call: Call) -> datetime:
    """To the millisecond, as the store keeps it: a reply says what a later look finds."""
    return call.now.replace(microsecond=call.now.microsecond // 1000 * 1000)
