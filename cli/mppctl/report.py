"""`mppctl report` and `mppctl staffing`: what happened at a site's queues, and how many counters today's will have.

Knows the contract of mpp.queue.v1.ReportsService; the figures are the service's, only minutes are made of seconds here.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from mpp.catalog.v1 import catalog_service_pb2
from mpp.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from mpp.queue.v1 import report_pb2
from mpp.queue.v1 import reports_service_pb2 as pb
from mpp.queue.v1.reports_service_pb2_grpc import ReportsServiceStub
from rich.markup import escape
from rich.table import Table

from mppctl import showing
from mppctl.connection import Connection
from mppctl.getting import Name, Site, agency_name, site_id, site_name
from mppctl.problems import explained


class By(StrEnum):
    SITE = "site"
    AGENCY = "agency"
    QUEUE = "queue"
    SERVICE = "service"
    COUNTER = "counter"
    CLASS = "class"
    CHANNEL = "channel"
    HOUR = "hour"
    DAY = "day"
    WEEKDAY = "weekday"


def report(
    context: typer.Context,
    site: Site,
    from_day: Annotated[str, typer.Option("--from", metavar="DAY", help="First local date, 2026-11-01.")] = "",
    to_day: Annotated[
        str, typer.Option("--to", metavar="DAY", help="Last local date; without it: today at the site.")
    ] = "",
    by: Annotated[By, typer.Option(help="What a line is of.")] = By.AGENCY,
    agency: Annotated[str, typer.Option(help="Only this agency's queues, `dukcapil`.")] = "",
    queue: Annotated[str, typer.Option(help="Only this queue, `dukcapil`.")] = "",
    csv: Annotated[Path | None, typer.Option(help="Write CSV to this file, `-` for the terminal.")] = None,
    indonesian: Annotated[bool, typer.Option(help="With --csv: Indonesian words in the header.")] = False,
) -> None:
    """Clients, waits, service times, fairness and capacity at a site's queues; the last seven days when none are given."""
    connection: Connection = context.obj
    name = site_name(site)
    with explained():
        last = to_day or _today_at(connection, name)
    days: dict[str, Any] = {
        "parent": name,
        "from_day": from_day or _days_before(last, 6),
        "to_day": last,
        "group_by": report_pb2.ReportGroup.Value(f"REPORT_GROUP_{by.name}"),
        "agency": agency_name(name, agency) if agency else "",
        "queue": queue if "/" in queue or not queue else f"{name}/queues/{queue}",
    }
    with explained():
        stub = connection.stub("queue", ReportsServiceStub)
        metadata = connection.metadata("site_manager", site=site_id(name))
        if csv is not None:
            header = (
                pb.ExportReportRequest.HEADER_INDONESIAN if indonesian else pb.ExportReportRequest.HEADER_UNSPECIFIED
            )
            _write(csv, connection.call(stub.ExportReport, pb.ExportReportRequest(**days, header=header), metadata).csv)
            return
        found = connection.call(stub.QueryReport, pb.QueryReportRequest(**days), metadata)
    if context.meta.get("json"):
        showing.as_json(found)
    else:
        showing.console.print(_table(found, by))


def _today_at(connection: Connection, site: str) -> str:
    """The local date of the site: an operator elsewhere may be in another day."""
    stub = connection.stub("catalog", CatalogServiceStub)
    zone = connection.call(stub.GetSite, catalog_service_pb2.GetSiteRequest(name=site)).time_zone
    return datetime.now(ZoneInfo(zone)).date().isoformat()


def staffing(
    context: typer.Context,
    queue: Name,
    counters: Annotated[
        int | None, typer.Argument(min=0, help="How many until the end of the local day; 0 takes it back.")
    ] = None,
) -> None:
    """How many counters a queue is planned to have today, which the wait estimate goes by. With a number: plan it."""
    connection: Connection = context.obj
    name = f"{queue}/staffing"
    with explained():
        stub = connection.stub("queue", ReportsServiceStub)
        metadata = connection.metadata("site_manager", site=site_id(queue))
        if counters is None:
            found = connection.call(stub.GetStaffing, pb.GetStaffingRequest(name=name), metadata)
        else:
            request = pb.SetStaffingRequest(name=name, counters=counters, request_id=str(uuid.uuid4()))
            found = connection.call(stub.SetStaffing, request, metadata)
    if context.meta.get("json"):
        showing.as_json(found)
    elif found.counters:
        showing.console.print(f"{queue}: {found.counters} counters planned on {found.day}")
    else:
        showing.console.print(f"{queue}: nothing planned")


def _table(found: report_pb2.Report, by: By) -> Table:
    title = ", ".join(filter(None, (found.site, f"{found.from_day} to {found.to_day}", found.agency, found.queue)))
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold", show_footer=True)
    total = _cells(found.total)
    table.add_column(by.value, "total", overflow="fold")
    for (heading, _), cell in zip(COLUMNS, total, strict=True):
        table.add_column(heading, cell, justify="right")
    for row in found.rows:
        table.add_row(escape(row.group.rsplit("/", 1)[-1] or "-"), *_cells(row))
    return table


COLUMNS: tuple[tuple[str, Callable[[report_pb2.ReportRow], str]], ...] = (
    ("tickets", lambda r: str(r.tickets)),
    ("served", lambda r: str(r.served)),
    ("no-show", lambda r: str(r.no_shows)),
    ("left", lambda r: str(r.cancelled + r.unserved)),
    ("wait min", lambda r: _minutes(r.wait, "mean")),
    ("p90", lambda r: _minutes(r.wait, "p90")),
    ("walk min", lambda r: _minutes(r.walk, "mean")),
    ("service min", lambda r: _minutes(r.service, "mean")),
    ("out of turn", lambda r: _share(r.called_out_of_turn, r.called)),
    ("busy", lambda r: _share(r.counter_busy_seconds, r.counter_open_seconds)),
    ("booked", lambda r: str(r.appointments_booked or "")),
)


def _cells(row: report_pb2.ReportRow) -> list[str]:
    return [cell(row) for _, cell in COLUMNS]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else ""


def _minutes(spread: report_pb2.ReportRow.Spread, part: str) -> str:
    return f"{getattr(spread, part) / 60:.1f}" if spread.count else ""


def _write(path: Path, text: str) -> None:
    """As it came: its lines end with CR LF."""
    if str(path) == "-":
        sys.stdout.write(text)
    else:
        path.write_text(text, encoding="utf-8", newline="")


def _days_before(day: str, days: int) -> str:
    """Leaves what is no date to the service to refuse."""
    try:
        return (datetime.fromisoformat(day) - timedelta(days=days)).date().isoformat()
    except ValueError:
        return day
