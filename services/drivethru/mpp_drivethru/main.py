"""`serve` | `work` | `migrate`: the composition root, the only reader of the environment.

Imports of the service happen inside the functions: `work` patches eventlet in before anything else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Kit, Service, run
from mpp_chassis.settings import BadSettings

if TYPE_CHECKING:
    from mpp_drivethru.app import App


def compose(kit: Kit) -> App:
    from mpp_chassis.projection import Projection

    from mpp_drivethru import displays, store, views
    from mpp_drivethru.app import App

    return App(
        passes=store.Passes(kit.store),
        arrivals=store.Arrivals(kit.store),
        channels=views.Channels(kit.store),
        tickets=views.Tickets(kit.store),
        applications=views.Applications(Projection(kit.store, "applications")),
        cipher=kit.cipher,
        index=kit.index,
        audit=kit.audit,
        clock=kit.clock,
        settings=kit.settings.extra,
        plate_days=plate_days_from(kit.settings.extra),
        displays=displays.Displays(kit.settings.amqp_uri),
    )


def plate_days_from(env: Mapping[str, str]) -> int:
    """MPP_DRIVETHRU_PLATE_DAYS: how long the plate of a pass that ended is kept. Raises BadSettings."""
    text = env.get("MPP_DRIVETHRU_PLATE_DAYS", "30")
    if not text.isdigit() or not 1 <= int(text) <= 3650:
        raise BadSettings(f"MPP_DRIVETHRU_PLATE_DAYS is not a whole number from 1 to 3650: {text[:40]!r}")
    return int(text)


def api(app: App) -> Sequence[Any]:
    from mpp.drivethru.v1 import drivethru_service_pb2
    from mpp_chassis.peers import Peers

    from mpp_drivethru.api import ERRORS, DriveThruApi
    from mpp_drivethru.neighbours import Queue

    described = drivethru_service_pb2.DESCRIPTOR.services_by_name["DriveThruService"]
    return [(described, DriveThruApi(app, Queue(Peers(app.settings))), ERRORS)]


SERVICE = Service(
    name="drivethru",
    compose=compose,
    api=api,
    handlers="mpp_drivethru.handlers:Handlers",
    indexes="mpp_drivethru.store:INDEXES",
    aggregates=("passes",),
    events="mpp.drivethru.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
