"""All metrics of the service, with their meaning. Knows the domain's events; knows no store.

Labels are a site, a channel or a stage as the catalogue names them, or a word of a fixed list; never a ticket, never a
vehicle. Time series, for sizing: at most 8 a channel and 13 a stage of a site.
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from mpp_drivethru.domain import Advanced, Ended, Pass, Registered, Step

_MINUTE = 60
PASSES = Counter(
    "mpp_drivethru_passes_total",
    "Steps of passes: registered, called, back_to_waiting, stage_started, stage_finished, done, aside, abandoned. Counted "
    "by the process that wrote the step",
    ("site", "channel", "step"),
)
STAGE_SECONDS = Histogram(
    "mpp_drivethru_stage_seconds",
    "How long a finished stage took; the step is the stage's id",
    ("site", "step"),
    buckets=tuple(_MINUTE * m for m in (0.5, 1, 2, 3, 5, 8, 10, 15, 20, 30)),
)


def count(vehicle: Pass) -> None:
    """Count the steps that made `vehicle`. Called after its write; never for a repeated command."""
    site, channel = vehicle.site_id, vehicle.channel.rsplit("/", 1)[1]
    for event in vehicle.events:
        PASSES.labels(site, channel, _step(vehicle, event)).inc()
        if isinstance(event, Advanced) and event.step is Step.STAGE_FINISHED:
            STAGE_SECONDS.labels(site, event.stage).observe(event.took.total_seconds())


def _step(vehicle: Pass, event: Registered | Advanced | Ended) -> str:
    if isinstance(event, Registered):
        return "registered"
    return event.step.value if isinstance(event, Advanced) else vehicle.state.value
