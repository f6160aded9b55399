"""Events to use cases. The catalogue hears only itself: a renamed agency changes what its services are
found by.

Knows nameko entrypoints; never a gRPC server.
"""

from __future__ import annotations

from mpp.catalog.v1 import events_pb2
from mpp_chassis.entrypoint import Composed, EventMeta, on

from mpp_catalog import usecases


class Handlers:
    """The `work` process of the catalogue."""

    name = "catalog"
    app = Composed()

    @on(events_pb2.AgencyPublished)
    def reindex_agency(self, event: events_pb2.AgencyPublished, meta: EventMeta) -> None:
        """Idempotent, and order does not matter: it looks at the agency as it is now, not as the event
        tells it.
        """
        usecases.reindex_agency(self.app, event.agency.name)
