"""Reports without a store: figures against plain counting, fairness against a slow definition, and the table."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp.queue.v1 import report_pb2
from mpp_queue.domain import InvalidField
from mpp_queue.reports import csvform, messages
from mpp_queue.reports.domain import (
    Booking,
    Group,
    Line,
    Session,
    days_between,
    learn_times,
    out_of_turn,
    report,
    spread,
)

ZONE = "Asia/Jakarta"
OPENS = datetime(2026, 11, 23, 1, tzinfo=UTC)  # 08:00 in Malang, a Monday
QUEUE, AGENCY = "sites/malang/queues/dukcapil", "sites/malang/agencies/dukcapil"
KTP = "sites/malang/offerings/ktp"


def line(name: str, arrived: float, called: float | None, minutes: float = 5, **given: object) -> Line:
    """Minutes after eight; walks for half a minute."""
    at = OPENS + timedelta(minutes=arrived)
    first = OPENS + timedelta(minutes=called) if called is not None else None
    served = first + timedelta(seconds=30) if first else None
    ended = served + timedelta(minutes=minutes) if served else at + timedelta(minutes=20)
    plain = Line(
        ticket=name, site_id="malang", queue=QUEUE, agency=AGENCY, offering=KTP, day="2026-11-23", channel="kiosk",
        priority_class="others", end="finished" if first else "cancelled", issued_at=at, arrived_at=at, ended_at=ended,
        first_called_at=first, last_called_at=first, serving_at=served, counter=1 if first else 0, calls=int(bool(first)),
        turns=int(bool(first)), counter_seconds=int(minutes * 60 + 30) if first else 0,
    )  # fmt: skip
    return replace(plain, **given)  # type: ignore[arg-type]


def day() -> list[Line]:
    return [
        line("a", 0, 2),
        line("b", 1, 8, 10, priority_class="priority", channel="online", delivery_recorded=True, delivered=(KTP,)),
        line("c", 0.5, 19, 4, delivery_recorded=True, counter=10),
        line("d", 3, None),
        line("e", 61, 70, end="no_show", misses=2, turns=2, calls=4, serving_at=None),
        line("f", 62, 75, end="transferred"),
        line("g", 75, 76, transferred_in=True, arrived_at=OPENS + timedelta(minutes=62), appointment=True,
             queue="sites/malang/queues/pajak", agency="sites/malang/agencies/pajak", day="2026-11-24"),
    ]  # fmt: skip


def test_a_day_counted() -> None:
    rows, total = report(day(), Group.AGENCY, ZONE)
    assert [row.group for row in rows] == [AGENCY, "sites/malang/agencies/pajak"]
    row = messages.row(rows[0])
    counted = (row.tickets, row.served, row.no_shows, row.cancelled, row.transferred_away, row.missed_calls)
    assert counted == (6, 3, 1, 1, 1, 2)
    assert (row.wait.count, row.wait.longest) == (5, int(18.5 * 60))
    assert (row.walk.mean, row.walk.count) == (30, 4)  # apart from the wait; who never came did not walk
    assert (row.service.count, row.service.median) == (3, 300)
    assert (row.called, row.called_out_of_turn) == (5, 1)  # b went before c
    assert [(d.offering, d.count) for d in row.delivered] == [(KTP, 1)]
    assert (row.delivered_none, row.delivery_not_recorded) == (1, 1)
    whole = messages.row(total)
    assert (whole.tickets, whole.transferred_in, whole.with_appointment, whole.without_appointment) == (7, 1, 1, 6)


@pytest.mark.parametrize(
    ("group", "groups"),
    [
        (Group.SITE, ["sites/malang"]),
        (Group.QUEUE, [QUEUE, "sites/malang/queues/pajak"]),
        (Group.SERVICE, [KTP]),
        (Group.COUNTER, ["", "1", "10"]),
        (Group.CLASS, ["others", "priority"]),
        (Group.CHANNEL, ["kiosk", "online"]),
        (Group.HOUR, ["08", "09"]),
        (Group.DAY, ["2026-11-23", "2026-11-24"]),
        (Group.WEEKDAY, ["1", "2"]),
    ],
)
def test_groups(group: Group, groups: list[str]) -> None:
    rows, total = report(day(), group, ZONE)
    assert [row.group for row in rows] == groups
    assert sum(row.tickets for row in rows) == total.tickets == 7


lines = st.lists(
    st.builds(
        lambda n, arrived, wait, leg, day: (n, arrived, wait, leg, day),
        st.integers(0, 10**6), st.integers(0, 60), st.one_of(st.none(), st.integers(0, 60)), st.integers(0, 20),
        st.sampled_from(["2026-11-23", "2026-11-24"]),
    ),
    unique_by=lambda t: t[0], max_size=40,
).map(
    lambda told: [
        line(str(n), arrived, arrived + wait if wait is not None else None, day=day,
             arrived_at=OPENS + timedelta(minutes=arrived - leg))
        for n, arrived, wait, leg, day in told
    ]
)  # fmt: skip


@settings(deadline=None)
@given(lines)
def test_out_of_turn_is_what_its_definition_says(told: list[Line]) -> None:
    """Called while another of the same line waited, who had arrived before. Moments that coincide are left out."""
    found = out_of_turn(told)
    for one in told:
        if one.first_called_at is None:
            assert one.ticket not in found
            continue
        others = [o for o in told if (o.queue, o.day) == (one.queue, one.day) and o.arrived_at < one.arrived_at]
        inside = [o for o in others if o.issued_at < one.first_called_at < o.left_line_at]
        touching = [o for o in others if one.first_called_at in (o.issued_at, o.left_line_at)]
        assert (one.ticket in found) == bool(inside) or touching


@settings(deadline=None)
@given(lines, st.sampled_from(list(Group)), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(told: list[Line], group: Group, rng: random.Random) -> None:
    rows, total = report(told, group, ZONE)
    shuffled = list(told)
    rng.shuffle(shuffled)
    again, total_again = report(shuffled, group, ZONE)
    assert list(map(messages.row, rows)) == list(map(messages.row, again))
    assert messages.row(total) == messages.row(total_again)
    assert sum(r.tickets for r in rows) == total.tickets == len(told)
    assert sum(r.out_of_turn for r in rows) == total.out_of_turn


@settings(deadline=None)
@given(st.lists(st.floats(0, 10_000), min_size=1, max_size=50))
def test_a_spread_is_in_order(values: list[float]) -> None:
    found = spread(values)
    assert round(min(values)) <= found.median <= found.p90 <= found.longest == round(max(values))
    assert sum(v <= found.p90 + 0.5 for v in values) >= 0.9 * len(values)


def test_open_time_and_appointments() -> None:
    sessions = [Session(1, QUEUE, AGENCY, "2026-11-23", 3600), Session(2, QUEUE, AGENCY, "2026-11-23", 1800)]
    at = OPENS + timedelta(hours=2)
    bookings = [
        Booking(QUEUE, AGENCY, KTP, "2026-11-23", at, s) for s in ("kept", "kept", "missed", "booked", "dropped")
    ]
    rows, total = report([], Group.COUNTER, ZONE, sessions, bookings)
    assert [(r.group, r.open_seconds) for r in rows] == [("1", 3600), ("2", 1800)]
    (hour,), _ = report([], Group.HOUR, ZONE, sessions, bookings)
    row = messages.row(hour)
    assert (row.group, row.counter_open_seconds) == ("10", 0)  # an hour's open time is not known
    assert (row.appointments_booked, row.appointments_kept, row.appointments_missed) == (4, 2, 1)
    assert (total.open_seconds, messages.row(total).appointments_booked) == (5400, 4)


def test_the_table_is_read_back() -> None:
    rows, total = report(day(), Group.AGENCY, ZONE)
    found = messages.report("sites/malang", "2026-11-23", "2026-11-24", "", Group.AGENCY, rows, total)
    text = csvform.table(found)
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    first, _, last = csv.DictReader(io.StringIO(text, newline=""))
    assert (first["group"], first["tickets"], first["wait_longest_seconds"]) == (AGENCY, "6", "1110")
    assert first["delivered"] == f"{KTP}=1"
    assert (last["group"], last["tickets"]) == ("total", "7")
    words = next(csv.reader(io.StringIO(csvform.table(found, indonesian=True), newline="")))
    assert words[:2] == ["Kelompok", "Jumlah antrean"]
    assert len(words) == len(set(words)) == len(csvform.COLUMNS) + 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(start: str) -> None:
    """Whatever a name may become: an apostrophe makes it a text. A figure stays one."""
    evil = f'{start}HYPERLINK("http://x.example","y")'
    row = report_pb2.ReportRow(group=evil, tickets=4, called=4, called_out_of_turn=1)
    row.delivered.add(offering=evil, count=2)
    text = csvform.table(report_pb2.Report(rows=[row], total=row, time_zone="Asia/Jakarta"))
    for cells in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell.startswith(start) for cell in cells)
    first, last = csv.DictReader(io.StringIO(text, newline=""))
    assert (first["group"], first["tickets"], first["out_of_turn_share"]) == (f"'{evil}", "4", "0.2500")
    assert first["time_zone"] == last["time_zone"] == "Asia/Jakarta"


def test_every_figure_of_a_row_is_in_the_table() -> None:
    names = {name for name, _, _ in csvform.COLUMNS}
    for field in report_pb2.ReportRow.DESCRIPTOR.fields:
        assert any(name == field.name or name.startswith(f"{field.name}_") for name in names), field.name


def test_nothing_measured_is_empty_not_nought() -> None:
    row = report_pb2.ReportRow(group="x")
    table = csvform.table(report_pb2.Report(rows=[row], total=row))
    (first, _) = csv.DictReader(io.StringIO(table, newline=""))
    assert (first["tickets"], first["wait_mean_seconds"], first["out_of_turn_share"]) == ("0", "", "")


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2026-11-23", "2026-11-22", "to_day"),
        ("2026-02-30", "2026-03-01", "from_day"),
        ("2026-01-01", "2026-04-04", "to_day"),
    ],
)
def test_days_that_cannot_be(first: str, last: str, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        days_between(first, last)
    assert refused.value.field == field
    assert days_between("2026-01-01", "2026-04-03") == 93


def test_what_is_learned_from_lines() -> None:
    told = [line(f"{n}", n * 7 - 4, n * 7, 6) for n in range(1, 60)]  # 6.5 minutes, half a minute between two
    told += [line(f"gone{n}", n, None) for n in range(10)]
    times = learn_times(told, 10, ZONE)
    assert times.whole.mean == pytest.approx(390, rel=0.06)
    assert times.of(KTP).visits == 59
    assert times.gap < 30
    assert 0 < times.leaving < 10 / 69
    assert times.staff[17] == 1.0  # half past eight
    assert times.staff[30] == times.staff[0] == 0.0


def test_a_ticket_that_nobody_ended_teaches_nothing() -> None:
    told = [line(f"{n}", n * 7 - 4, n * 7, 6) for n in range(1, 30)]
    left = line("left", 30, 31, 600, end="closed_at_day_end")
    clean, spoilt = learn_times(told, 10, ZONE), learn_times([*told, left], 10, ZONE)
    assert (clean.whole, clean.staff) == (spoilt.whole, spoilt.staff)
    assert report([left], Group.SITE, ZONE)[1].busy_seconds == 0


def test_who_is_usually_there_is_not_learned_from_a_day_that_is_not_over() -> None:
    told = [line(f"{n}", n * 7 - 4, n * 7, 6) for n in range(1, 30)]
    today, whole = learn_times(told, 10, ZONE, "2026-11-23"), learn_times(told, 10, ZONE, "2026-11-24")
    assert (today.staff, max(whole.staff)) == ((), 1.0)
    assert today.whole == whole.whole  # its visits count at once


def test_nothing_learned_is_what_was_declared() -> None:
    times = learn_times([], 10, ZONE)
    assert (times.whole.mean, times.whole.visits, times.offerings, times.staff) == (600, 0, {}, ())
    assert (times.leaving, times.overtaken) == (0, 0)
