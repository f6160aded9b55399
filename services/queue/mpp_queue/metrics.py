"""All metrics of the service, with their meaning. Knows the domain's events; knows no store.

Labels are a site and a queue as the catalogue names them, or a word of a fixed list; never a ticket, never a person.
Time series, for sizing: at most 19 a queue, 48 a site and a few of classes and counters (docs/operations.md).
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from mpp_queue.counters import domain as counters
from mpp_queue.domain import (
    Called,
    Ended,
    Issued,
    Parked,
    Returned,
    ServingStarted,
    State,
    Ticket,
    TicketEvent,
    Transferred,
)

_MINUTE = 60
TICKETS = Counter(
    "mpp_queue_tickets_total",
    "Steps of tickets: taken, called, recalled, serving, finished, missed (back to waiting), no_show, cancelled, "
    "closed_at_day_end, parked, resumed, undone, requeued, transferred. Counted by the process that wrote the step",
    ("site", "queue", "step"),
)
WAIT_SECONDS = Histogram(
    "mpp_queue_wait_seconds",
    "From taking a ticket to the counter, of citizens who got there",
    ("site",),
    buckets=tuple(_MINUTE * m for m in (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180)),
)
SERVICE_SECONDS = Histogram(
    "mpp_queue_service_seconds",
    "From the citizen's arrival at the counter to the end of the visit",
    ("site",),
    buckets=tuple(_MINUTE * m for m in (0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60)),
)
WALKING_SECONDS = Histogram(
    "mpp_queue_walking_seconds",
    "From the last call to the counter, a part of the wait, of citizens who got there",
    ("site",),
    buckets=(5, 10, 20, 30, 45, _MINUTE, 1.5 * _MINUTE, 2 * _MINUTE, 3 * _MINUTE, 5 * _MINUTE),
)
CLASS_CALLS = Counter(
    "mpp_queue_class_calls_total",
    "First calls of a turn by class of the queue's policy, and whether it was the ticket's turn (in_turn) or an officer "
    "chose it (out_of_turn): the use of priority",
    ("site", "priority_class", "turn"),
)
PASSED_OVER = Counter(
    "mpp_queue_passed_over_total",
    "Waiting tickets that a call passed over because their citizen was at another counter",
    ("site",),
)
OPEN_TICKETS = Gauge(
    "mpp_queue_open_tickets",
    "Tickets of today that wait, are called, served or parked, at the last sweep `measure`; true of the lease's holder only",
    ("site", "queue", "state"),
)
LONGEST_WAIT_SECONDS = Gauge(
    "mpp_queue_longest_wait_seconds",
    "How long the one who waits longest has waited, at the last sweep `measure`; true of the lease's holder only",
    ("site", "queue"),
)
COUNTER_STEPS = Counter(
    "mpp_queue_counter_steps_total",
    "Steps of counters: opened, paused, resumed, closed, released, day_end, moved. Counted by who wrote the step",
    ("site", "step"),
)
ALARMS = Counter(
    "mpp_queue_counter_alarms_total",
    "The emergency button: raised, pressed_again (the same alarm), acknowledged",
    ("site", "step"),
)
ALARM_SECONDS = Histogram(
    "mpp_queue_counter_alarm_seconds",
    "From an alarm to the colleague who acknowledged it",
    buckets=(5, 10, 20, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE),
)
OPEN_ALARMS = Gauge(
    "mpp_queue_open_counter_alarms",
    "Emergency buttons that were pressed and nobody has acknowledged, at the last sweep `counter-alarms`; true of the "
    "lease's holder only",
    ("site",),
)

OFFLINE_BLOCKS = Counter(
    "mpp_queue_offline_blocks_total",
    "Blocks of offline numbers that kiosks leased; a repeated request counts again",
    ("site",),
)
OFFLINE_BLOCKS_UNRETURNED = Gauge(
    "mpp_queue_offline_blocks_unreturned",
    "Blocks of today whose lease has ended and that no kiosk gave back, at the last sweep `offline-blocks`; true of the "
    "lease's holder only",
    ("site",),
)
OFFLINE_ENTRIES = Counter(
    "mpp_queue_offline_entries_total",
    "Entries of MergeOffline by what became of them: merged (also a repetition), late (printed after the lease's end), "
    "refused, try_again",
    ("site", "outcome"),
)
DISPLAY_FRAMES = Counter(
    "mpp_queue_display_frames_total",
    "Frames sent to the screens of a site, beats included. Counted by the process that sent them",
    ("site",),
)
DISPLAY_ANNOUNCEMENTS = Counter(
    "mpp_queue_display_announcements_total",
    "Calls that screens were told to ring and speak: one for each screen that is told",
    ("site",),
)
DISPLAY_READS = Counter(
    "mpp_queue_display_reads_total",
    "Readings of a queue for screens: one a change and process, however many screens show the queue, and one in 15 s",
    ("site",),
)
BOOKING_ALARMS = Counter(
    "mpp_queue_booking_alarms_total",
    "Alarms about one phone, device or person (kind) that took more within a window than expected, of a queue or (*) a site",
    ("site", "queue", "kind"),
)
OPEN_BOOKING_ALARMS = Gauge(
    "mpp_queue_open_booking_alarms",
    "Booking alarms that nobody has acknowledged, at the last sweep `booking-alarms` (at most 1000); true of the lease's "
    "holder only",
    ("site",),
)
COOLING_REFUSALS = Counter(
    "mpp_queue_cooling_refusals_total",
    "Tickets refused since the person did not come, or gave a place back, a short while ago",
    ("site", "queue"),
)


def count_counter(counter: counters.Counter) -> None:
    """Count the steps that made `counter`. Called after its write; never for a repeated command."""
    for event in counter.events:
        if isinstance(event, counters.Closed):
            COUNTER_STEPS.labels(counter.site_id, event.cause.value).inc()
        elif isinstance(event, counters.Opened | counters.Paused | counters.Resumed):
            COUNTER_STEPS.labels(counter.site_id, type(event).__name__.lower()).inc()
        else:
            ALARMS.labels(counter.site_id, _ALARM_STEPS[type(event)]).inc()
        alarm = counter.alarm
        if isinstance(event, counters.AlarmAcknowledged) and alarm is not None and alarm.acknowledged_at is not None:
            ALARM_SECONDS.observe((alarm.acknowledged_at - alarm.raised_at).total_seconds())


_ALARM_STEPS: dict[type, str] = {
    counters.AlarmRaised: "raised",
    counters.AlarmPressedAgain: "pressed_again",
    counters.AlarmAcknowledged: "acknowledged",
}


def count(ticket: Ticket) -> None:
    """Count the step that made `ticket`. Called after its write; never for a repeated command."""
    site, queue = ticket.site_id, short(ticket.queue)
    for event in ticket.events:
        TICKETS.labels(site, queue, _step(ticket, event)).inc()
        if isinstance(event, ServingStarted):
            WAIT_SECONDS.labels(site).observe(event.waited.total_seconds())
            WALKING_SECONDS.labels(site).observe(event.walked.total_seconds())
        if isinstance(event, Ended) and event.state is State.FINISHED:
            SERVICE_SECONDS.labels(site).observe(event.served.total_seconds())
        if isinstance(event, Called) and ticket.history[-1].step == "call":
            turn = "out_of_turn" if ticket.out_of_turn else "in_turn"
            CLASS_CALLS.labels(site, ticket.priority_class, turn).inc()


def _step(ticket: Ticket, event: TicketEvent) -> str:
    match event:
        case Issued():
            return "taken"
        case Called():
            return {"call": "called", "resume": "resumed"}.get(ticket.history[-1].step, "recalled")
        case ServingStarted():
            return "serving"
        case Parked():
            return "parked"
        case Returned(cause=cause):
            return cause.value
        case Transferred():
            return "transferred"
        case Ended(state=state):
            return state.value


def short(queue: str) -> str:
    """`dukcapil` of `sites/malang/queues/dukcapil`."""
    return queue.rsplit("/", 1)[1]
