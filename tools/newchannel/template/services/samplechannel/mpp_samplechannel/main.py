"""`serve` | `work` | `migrate`: the composition root, the only reader of the environment.

Imports of the service happen inside the functions: `work` patches eventlet in before anything else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Kit, Service, run

if TYPE_CHECKING:
    from mpp_samplechannel import usecases


def compose(kit: Kit) -> usecases.App:
    from mpp_samplechannel import store, usecases, views

    return usecases.App(entries=store.Entries(kit.store), channels=views.Channels(kit.store))


def api(app: usecases.App) -> Sequence[Any]:
    from mpp.samplechannel.v1 import samplechannel_service_pb2

    from mpp_samplechannel.api import ERRORS, SampleChannelApi

    described = samplechannel_service_pb2.DESCRIPTOR.services_by_name["SampleChannelService"]
    return [(described, SampleChannelApi(app), ERRORS)]


SERVICE = Service(
    name="samplechannel",
    compose=compose,
    api=api,
    handlers="mpp_samplechannel.handlers:Handlers",
    indexes="mpp_samplechannel.store:INDEXES",
    aggregates=("entries",),
    events="mpp.samplechannel.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
