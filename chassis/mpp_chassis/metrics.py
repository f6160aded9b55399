"""All metrics of the chassis, with their meaning. A label never holds personal data nor an id without bound."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside each counter that nobody asks for
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

RPC_SECONDS = Histogram(
    "mpp_rpc_seconds", "Time of an RPC in the server, by method and gRPC code", ("method", "code"), buckets=_FAST
)
STREAMS_OPEN = Gauge("mpp_streams_open", "Server streams open now, by method", ("method",))
STREAMS_ENDED = Counter(
    "mpp_streams_ended_total",
    "Server streams that ended, by method and gRPC code (CANCELLED: the client left)",
    ("method", "code"),
)
COMMANDS_REPEATED = Counter(
    "mpp_commands_repeated_total", "Commands answered from their stored reply: a request_id came again", ("method",)
)
WRITES_STALE = Counter("mpp_writes_stale_total", "Compare-and-set writes that lost their race and were tried again")
EVENTS_PUBLISHED = Counter(
    "mpp_events_published_total", "Messages that the broker confirmed and routed, by routing key", ("key",)
)
EVENTS_RETURNED = Counter(
    "mpp_events_returned_total", "Messages that the broker could not route: a fault; the event is kept", ("key",)
)
EVENTS_REFUSED = Counter(
    "mpp_events_refused_total",
    "Messages that the broker did not accept (negative confirm); the event is kept",
    ("key",),
)
DISPATCH_FAILURES = Counter("mpp_dispatch_failures_total", "Batches that failed to publish or to be cleared")
OUTBOX_PENDING = Gauge(
    "mpp_outbox_pending", "Documents with unpublished events, at the last sweep (at most 1000 counted)"
)
OUTBOX_OLDEST_SECONDS = Gauge("mpp_outbox_oldest_seconds", "Age of the oldest unpublished event at the last sweep")
OUTBOX_SWEPT = Counter("mpp_outbox_swept_total", "Documents whose events the sweeper published for somebody else")
EVENT_SECONDS = Histogram(
    "mpp_event_seconds",
    "Time of a handler for one event, by queue and outcome (done, retry, parked)",
    ("queue", "outcome"),
    buckets=_FAST,
)
EVENT_LAG_SECONDS = Histogram(
    "mpp_event_lag_seconds", "From the event's time to the start of its handler", ("queue",), buckets=_FAST
)
CONSUMER_PAUSED = Gauge("mpp_consumer_paused", "1 while the dead-letter limit holds a consumer back", ("queue",))
CONSUMER_ATTACHED = Gauge("mpp_consumer_attached", "1 while the consumers of this process are attached to the broker")
LEASE_HELD = Gauge("mpp_lease_held", "1 while this process holds the lease", ("lease",))
AUDIT_RECORDS = Counter("mpp_audit_records_total", "Audit records written", ("action",))
STORE_SECONDS = Histogram(
    "mpp_store_seconds",
    "Time of one operation of the store, by collection and operation (load, create, save, project), failed ones too",
    ("collection", "operation"),
    buckets=_FAST,
)
SWEEP_SECONDS = Histogram(
    "mpp_sweep_seconds",
    "Time of one run of an @every sweep, by its lease and outcome (done, failed)",
    ("sweep", "outcome"),
    buckets=(*_FAST, 30, 60),
)
HANDLER_MESSAGES = Gauge(
    "mpp_handler_messages",
    "Messages in a handler's queue, by kind: ready, or parked after the last try. Every `work` process of the service "
    "measures the same queues",
    ("queue", "kind"),
)


def replace_all(gauge: Gauge, values: Mapping[tuple[str, ...], float]) -> None:
    """Set one series for each key (label values in their declared order), and forget those that have no value any more."""
    known = {tuple(sample.labels.values()) for metric in gauge.collect() for sample in metric.samples}
    for labels, value in values.items():
        gauge.labels(*labels).set(value)
    for labels in known - values.keys():
        gauge.remove(*labels)
