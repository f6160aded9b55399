"""`serve` (gRPC) | `work` (events) | `migrate` (indexes, queues): the composition root, the only reader of
settings.

Imports of the service happen inside the functions: `work` patches with eventlet before anything else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Kit, Service, run

if TYPE_CHECKING:
    from mpp_applications import usecases


def compose(kit: Kit) -> usecases.App:
    """MPP_APPLICATIONS_AT_RISK_PERCENT (1 to 99, default 80): when a running file counts as at risk."""
    from mpp_applications import store, usecases, views

    return usecases.App(
        applications=store.Applications(kit.store),
        offerings=views.Offerings(kit.store),
        sites=views.Sites(kit.store),
        tickets=views.Tickets(kit.store),
        cipher=kit.cipher,
        index=kit.index,
        rng=kit.rng,
        log=kit.log,
        policy=usecases.Policy(at_risk_percent(kit.settings.extra)),
    )


def at_risk_percent(settings: Mapping[str, str]) -> int:
    """Raises BadSettings naming the variable."""
    from mpp_chassis.settings import BadSettings

    text = settings.get("MPP_APPLICATIONS_AT_RISK_PERCENT", "80")
    if not (text.isdigit() and 1 <= int(text) <= 99):
        raise BadSettings(f"MPP_APPLICATIONS_AT_RISK_PERCENT is not a number from 1 to 99: {text!r}")
    return int(text)


def api(app: usecases.App) -> Sequence[Any]:
    from mpp.applications.v1 import applications_service_pb2

    from mpp_applications.api import ERRORS, ApplicationsApi

    described = applications_service_pb2.DESCRIPTOR.services_by_name["ApplicationsService"]
    return [(described, ApplicationsApi(app), ERRORS)]


SERVICE = Service(
    name="applications",
    compose=compose,
    api=api,
    handlers="mpp_applications.handlers:Handlers",
    indexes="mpp_applications.store:INDEXES",
    aggregates=("applications",),
    events="mpp.applications.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
