"""`serve` | `work` | `migrate`: the composition root, the only reader of the environment.

Imports of the service happen inside the functions: `work` patches eventlet in before anything else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Kit, Service, run
from mpp_chassis.settings import BadSettings

if TYPE_CHECKING:
    from mpp_queue import domain, usecases, views
    from mpp_queue.counters import usecases as counters


def compose(kit: Kit) -> usecases.App:
    from mpp_queue import boards, numbering, store, usecases, views

    tickets, queues = store.Tickets(kit.store), views.Queues(kit.store)

    def last(queue: str, day: str) -> int:
        return tickets.last_seq(queue.split("/")[1], queue, day)

    return usecases.App(
        tickets=tickets,
        queues=queues,
        views=views.QueueViews(tickets),
        numbering=numbering.Numbering(last),
        cipher=kit.cipher,
        rules=rules_from(kit.settings.extra),
        rng=kit.rng,
        clock=kit.clock,
        counters=_counters(kit, queues),
        boards=boards.Boards(kit.settings.amqp_uri),
    )


def _counters(kit: Kit, queues: views.Queues) -> counters.App:
    from mpp_queue.counters import store
    from mpp_queue.counters.usecases import App

    return App(store.Counters(kit.store), store.Desks(kit.store), store.Layout(kit.store), queues)


def rules_from(env: Mapping[str, str]) -> domain.Rules:
    """MPP_QUEUE_RECALL_GAP_SECONDS, _MAX_CALLS, _PRIORITY_RUN (whole numbers), _PRIORITY_GROUPS (comma-separated).

    Raises BadSettings naming the variable.
    """
    from mpp_queue.domain import PriorityGroup, Rules

    def number(name: str, default: int, least: int) -> int:
        text = env.get(name, str(default))
        if not text.isdigit() or int(text) < least:
            raise BadSettings(f"{name} is not a whole number of at least {least}: {text!r}")
        return int(text)

    groups = Rules().priority_groups
    if "MPP_QUEUE_PRIORITY_GROUPS" in env:
        try:
            wanted = env["MPP_QUEUE_PRIORITY_GROUPS"].split(",")
            groups = frozenset(PriorityGroup(g.strip()) for g in wanted) - {PriorityGroup.NONE}
        except ValueError as e:
            raise BadSettings(f"MPP_QUEUE_PRIORITY_GROUPS: {e}") from e
    return Rules(
        max_calls=number("MPP_QUEUE_MAX_CALLS", 3, 1),
        recall_gap=timedelta(seconds=number("MPP_QUEUE_RECALL_GAP_SECONDS", 15, 0)),
        priority_run=number("MPP_QUEUE_PRIORITY_RUN", 3, 1),
        priority_groups=groups,
    )


def api(app: usecases.App) -> Sequence[Any]:
    from mpp.queue.v1 import counters_service_pb2, queue_service_pb2

    from mpp_queue.api import ERRORS, QueueApi
    from mpp_queue.counters.api import CountersApi

    described = queue_service_pb2.DESCRIPTOR.services_by_name["QueueService"]
    counters = counters_service_pb2.DESCRIPTOR.services_by_name["CountersService"]
    return [(described, QueueApi(app), ERRORS), (counters, CountersApi(app.counters), ERRORS)]


SERVICE = Service(
    name="queue",
    compose=compose,
    api=api,
    handlers="mpp_queue.handlers:Handlers",
    indexes="mpp_queue.store:INDEXES",
    aggregates=("tickets", "counters"),
    events="mpp.queue.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
