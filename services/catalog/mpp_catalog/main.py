"""Composition root: `serve` (gRPC) | `work` (events) | `migrate` (indexes). Alone reads the environment.

Imports of the service happen inside the functions: `work` patches eventlet in before anything else.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Kit, Service, run

if TYPE_CHECKING:
    from mpp_catalog.usecases import App


def compose(kit: Kit) -> App:
    from mpp_catalog import memory, openwork, store, usecases, views

    catalogue = store.Catalogue.of(kit.store)
    return usecases.App(
        catalogue, openwork.OpenWork(kit.store), memory.Memory(catalogue, views.offering_shown, kit.clock)
    )


def api(app: App) -> list[Any]:
    from mpp.catalog.v1 import catalog_service_pb2

    from mpp_catalog.api import ERRORS, CatalogApi

    descriptor = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
    return [(descriptor, CatalogApi(app), ERRORS)]


SERVICE = Service(
    name="catalog",
    compose=compose,
    api=api,
    handlers="mpp_catalog.handlers:Handlers",
    indexes="mpp_catalog.store:INDEXES",
    aggregates=("sites", "agencies", "offerings", "channel_kinds", "channels"),
    events="mpp.catalog.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
