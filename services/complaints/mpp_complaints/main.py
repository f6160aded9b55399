"""`serve` | `work` | `migrate`: the composition root, the only reader of the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Service, run

if TYPE_CHECKING:
    from mpp_chassis.process import Kit

    from mpp_complaints import usecases


def compose(kit: Kit) -> usecases.App:
    """MPP_COMPLAINTS_DEADLINES names a file that replaces the package's deadlines.yaml."""
    from mpp_chassis.challenge import Door, rules_from

    from mpp_complaints import policy, store, usecases, views

    own = kit.settings.extra.get("MPP_COMPLAINTS_DEADLINES")
    alarms = views.BookingAlarms(kit.store)
    return usecases.App(
        complaints=store.Complaints(kit.store),
        sites=views.Sites(kit.store),
        agencies=views.Agencies(kit.store),
        offerings=views.Offerings(kit.store),
        waits=views.Waits(kit.store),
        policy=policy.parse(Path(own).read_text(encoding="utf-8")) if own else policy.default(),
        cipher=kit.cipher,
        audit=kit.audit,
        door=Door(rules_from(kit.settings.extra), kit.index.of("key", "challenge"), kit.rng, alarms.since),
        alarms=alarms,
    )


def api(app: usecases.App) -> Sequence[Any]:
    from mpp.complaints.v1 import complaints_service_pb2

    from mpp_complaints.api import ERRORS, ComplaintsApi

    described = complaints_service_pb2.DESCRIPTOR.services_by_name["ComplaintsService"]
    return [(described, ComplaintsApi(app), ERRORS)]


SERVICE = Service(
    name="complaints",
    compose=compose,
    api=api,
    handlers="mpp_complaints.handlers:Handlers",
    indexes="mpp_complaints.store:INDEXES",
    aggregates=("complaints",),
    events="mpp.complaints.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
