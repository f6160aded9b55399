"""Rows, events and plans between their shapes. Knows the domain and the messages; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mpp.queue.v1 import events_pb2, facts_pb2, report_pb2, ticket_pb2

from mpp_queue.reports.domain import Booking, Group, Line, Row, Session, Spread, spread

_GROUPS = {report_pb2.ReportGroup.Value(f"REPORT_GROUP_{group.name}"): group for group in Group}
_NUMBERS: dict[Group, Any] = {group: number for number, group in _GROUPS.items()}


def group_of(number: int) -> Group:
    """By agency when nothing is said."""
    return _GROUPS.get(number, Group.AGENCY)


def report(
    site: str, from_day: str, to_day: str, agency: str, group: Group, rows: Sequence[Row], total: Row
) -> report_pb2.Report:
    return report_pb2.Report(
        site=site,
        from_day=from_day,
        to_day=to_day,
        group_by=_NUMBERS[group],
        rows=map(row, rows),
        total=row(total),
        agency=agency,
    )


def row(r: Row) -> report_pb2.ReportRow:
    return report_pb2.ReportRow(
        group=r.group,
        tickets=r.tickets,
        served=r.ends["finished"],
        no_shows=r.ends["no_show"],
        cancelled=r.ends["cancelled"],
        unserved=r.ends["closed_at_day_end"],
        transferred_away=r.ends["transferred"],
        transferred_in=r.transferred_in,
        missed_calls=r.missed_calls,
        with_appointment=r.with_appointment,
        without_appointment=r.tickets - r.with_appointment,
        wait=_spread(spread(r.waits)),
        walk=_spread(spread(r.walks)),
        service=_spread(spread(r.services)),
        called=r.called,
        called_out_of_turn=r.out_of_turn,
        counter_busy_seconds=r.busy_seconds,
        counter_open_seconds=r.open_seconds,
        delivered=[
            report_pb2.ReportRow.Delivered(offering=offering, count=count)
            for offering, count in sorted(r.delivered.items(), key=lambda item: (-item[1], item[0]))
        ],
        delivered_none=r.delivered_none,
        delivery_not_recorded=r.not_recorded,
        appointments_booked=sum(r.bookings.values()),
        appointments_kept=r.bookings["kept"],
        appointments_missed=r.bookings["missed"],
        appointment_places=r.places,
    )


def _spread(s: Spread) -> report_pb2.ReportRow.Spread:
    return report_pb2.ReportRow.Spread(count=s.count, mean=s.mean, median=s.median, p90=s.p90, longest=s.longest)


def line_of_end(event: events_pb2.TicketEnded) -> Line:
    """Of an event with facts."""
    end = ticket_pb2.Ticket.State.Name(event.state).removeprefix("STATE_").lower()
    delivered = tuple(event.delivered)
    recorded = event.delivery == ticket_pb2.DELIVERY_RECORDED
    return _line(event, event.facts, end, recorded, delivered, event.time_inaccurate)


def line_of_transfer(event: events_pb2.TicketTransferred) -> Line:
    return _line(event, event.facts, "transferred", False, (), False)


def _line(
    event: events_pb2.TicketEnded | events_pb2.TicketTransferred,
    facts: facts_pb2.TicketFacts,
    end: str,
    recorded: bool,
    delivered: tuple[str, ...],
    inaccurate: bool,
) -> Line:
    queue = event.ticket.split("/tickets/")[0]
    ended = _moment(facts, "ended_at")
    issued = _moment(facts, "issued_at") or ended
    assert issued is not None
    assert ended is not None
    return Line(
        ticket=event.ticket,
        site_id=queue.split("/")[1],
        queue=queue,
        agency=event.agency,
        offering=event.offering,
        day=facts.day,
        channel=facts.channel,
        priority_class=event.priority_class,
        end=end,
        issued_at=issued,
        arrived_at=_moment(facts, "arrived_at") or issued,
        ended_at=ended,
        first_called_at=_moment(facts, "first_called_at"),
        last_called_at=_moment(facts, "last_called_at"),
        serving_at=_moment(facts, "serving_at"),
        counter=facts.counter,
        calls=facts.calls,
        turns=facts.turns,
        misses=facts.misses,
        counter_seconds=facts.counter_seconds,
        parked_seconds=facts.parked_seconds,
        appointment=facts.appointment,
        visit=facts.visit,
        transferred_in=facts.transferred,
        chosen=facts.chosen,
        delivery_recorded=recorded,
        delivered=delivered,
        time_inaccurate=inaccurate,
    )


def session(event: events_pb2.CounterClosed) -> Session:
    return Session(event.number, event.queue, event.agency, event.day, event.open_seconds)


def booking(event: Any, state: str) -> Booking:
    """Of any event of an appointment; its day is in its name: `.../agendas/2026-11-23/appointments/...`."""
    parent, _, rest = event.appointment.partition("/agendas/")
    start = event.start.ToDatetime(tzinfo=UTC)
    return Booking(parent, event.agency, event.offering, rest.split("/")[0], start, state)


def _moment(message: Any, name: str) -> datetime | None:
    if not message.HasField(name):
        return None
    moment: datetime = getattr(message, name).ToDatetime(tzinfo=UTC)
    return moment
