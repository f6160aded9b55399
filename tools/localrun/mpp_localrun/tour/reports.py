"""What the manager reads: a report made of events. It must count exactly what the tour did."""

from __future__ import annotations

from mpp.queue.v1 import report_pb2
from mpp.queue.v1 import reports_service_pb2 as reports_pb

from mpp_localrun.onlookers import now
from mpp_localrun.tour.ground import Ground

Row = report_pb2.ReportRow


def so_far(ground: Ground) -> Row:
    """The registry's line of today, as it is now; an earlier tour may have been counted in it."""
    today = now().astimezone(ground.zone).date().isoformat()
    request = reports_pb.QueryReportRequest(
        parent=ground.site, from_day=today, to_day=today, group_by=report_pb2.REPORT_GROUP_QUEUE
    )
    rows = ground.call(ground.reports.QueryReport, request, ground.manager).rows
    return next((row for row in rows if row.group == ground.registry), Row())


def what_it_came_to(ground: Ground, before: Row) -> None:
    with ground.step("The manager's report of today has it all, from the events"):
        expected = (ground.served, ground.transferred)

        def counted() -> Row | None:
            row = so_far(ground)
            seen = (row.served - before.served, row.transferred_away - before.transferred_away)
            return row if seen == expected else None

        row = ground.until(f"{expected[0]} served and {expected[1]} transferred in the report", counted)
        ground.say(
            f"Kependudukan: {row.tickets} nomor, {row.served} dilayani, {row.transferred_away} dialihkan, "
            f"{row.with_appointment} dengan janji temu; menunggu rata-rata {row.wait.mean} s, dilayani {row.service.mean} s"
        )
