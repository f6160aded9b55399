"""Which RPCs ask a caller whom nobody knows for work before they create something: one list, in front of the APIs.

Knows the names of RPCs and how each finds out that a command was done before. Knows neither gRPC nor the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from google.protobuf.message import Message
from mpp.queue.v1 import ticket_pb2, visit_pb2
from mpp_chassis.call import Call, new_id
from mpp_chassis.challenge import Door

# Whether this request had its effect before: then no proof is asked for again.
Repeated = Callable[[Any, Call], bool]


def repeated_by(tickets: Any, visits: Any) -> Mapping[str, Repeated]:
    """Of each RPC that creates something. A repeated hold cannot be known before its day is loaded: whoever lost the
    reply to one, just before an alarm made the site ask for work, is told REQUEST_ID_REUSED and finds it in the list of
    own appointments."""

    def ticket(request: Any, call: Call) -> bool:
        name = f"{request.parent}/tickets/{new_id(call.mutation)}"
        return tickets.reply(name, call.mutation, ticket_pb2.IssuedTicket) is not None

    def visit(request: Any, call: Call) -> bool:
        name = f"{request.parent}/visits/{new_id(call.mutation)}"
        return visits.reply(name, call.mutation, visit_pb2.Visit) is not None

    def hold(request: Any, call: Call) -> bool:
        return False

    return {"TakeTicket": ticket, "StartVisit": visit, "HoldSlot": hold, "HoldAnySlot": hold}


class Behind:
    """An API behind the door: the methods that create something ask first, the others are as they were."""

    def __init__(self, api: Any, door: Door, repeated: Mapping[str, Repeated]) -> None:
        self._api, self._door, self._repeated = api, door, repeated

    def __getattr__(self, rpc: str) -> Any:
        method = getattr(self._api, rpc)
        return partial(self._asked, rpc, method) if rpc in self._repeated else method

    def _asked(self, rpc: str, method: Callable[[Any, Call], Message], request: Any, call: Call) -> Message:
        """Raises ChallengeRequired, and what the method raises."""
        site = "/".join(request.parent.split("/")[:2])
        self._door.check(rpc, site, request, call, lambda: self._repeated[rpc](request, call))
        return method(request, call)
