"""The visit's own events complete what a crash left. Mixed into the service's Handlers; no gRPC server."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from mpp.queue.v1 import events_pb2
from mpp_chassis.entrypoint import EventMeta, on

from mpp_queue.visits import usecases

GRACE_SECONDS = 1.0  # for the process that is admitting the tickets: beside it we would only waste numbers


class VisitHandlers:
    app: Any

    @on(events_pb2.VisitStarted)
    def complete_visit(self, event: events_pb2.VisitStarted, meta: EventMeta) -> None:
        if usecases.lacks_tickets(self.app.visits, event.visit):
            time.sleep(GRACE_SECONDS)  # of this green thread alone
        usecases.complete(self.app.visits, event.visit, datetime.now(UTC))

    @on(events_pb2.VisitCancelled)
    def withdraw_visit(self, event: events_pb2.VisitCancelled, meta: EventMeta) -> None:
        usecases.complete(self.app.visits, event.visit, datetime.now(UTC))
