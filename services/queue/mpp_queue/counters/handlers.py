"""What events and time do to counters. Mixed into the service's Handlers; no gRPC server.

An alarm that is raised or acknowledged is told in the log for whoever watches it; its numbers are counted where it is
written. Nothing here needs to happen for a counter to be free on the next day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mpp.queue.v1 import events_pb2
from mpp_chassis import logs
from mpp_chassis.entrypoint import EventMeta, every, on
from mpp_chassis.metrics import replace_all

from mpp_queue import metrics
from mpp_queue.counters import usecases

SECONDS, ALARM_SECONDS = 300, 15
log = logs.get(part="counters")


class CounterHandlers:
    app: Any

    @on(events_pb2.CounterAlarmRaised)
    def tell_alarm_raised(self, event: events_pb2.CounterAlarmRaised, meta: EventMeta) -> None:
        log.warning("counter_alarm_raised", counter=event.counter, agency=event.agency)

    @on(events_pb2.CounterAlarmAcknowledged)
    def tell_alarm_acknowledged(self, event: events_pb2.CounterAlarmAcknowledged, meta: EventMeta) -> None:
        log.info("counter_alarm_acknowledged", counter=event.counter, agency=event.agency, presses=event.presses)

    @every(ALARM_SECONDS, lease="counter-alarms")
    def measure_alarms(self, now: datetime) -> None:
        """One query a site, by an index; its cost follows the open alarms."""
        app = self.app.counters
        found: dict[tuple[str, ...], float] = {
            (site,): float(app.counters.open_alarms(site)) for site, _ in app.layout.zones()
        }
        replace_all(metrics.OPEN_ALARMS, found)

    @every(SECONDS, lease="counters-day-end")
    def close_counters_of_earlier_days(self, now: datetime) -> None:
        closed = usecases.close_earlier_days(self.app.counters, now)
        if closed:
            log.info("counters_closed", counters=closed)
