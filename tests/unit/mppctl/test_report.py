"""`mppctl report`: what a person sees of a report, and the file as it came. No service."""

from __future__ import annotations

from pathlib import Path

from mpp.queue.v1 import report_pb2
from mppctl import report
from rich.console import Console

Row = report_pb2.ReportRow


def shown(found: report_pb2.Report) -> str:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(report._table(found, report.By.AGENCY))
    return console.export_text()


def test_a_table_with_minutes_shares_and_a_total() -> None:
    row = Row(
        group="sites/malang/agencies/imigrasi", tickets=41, served=36, no_shows=2, cancelled=2, unserved=1, called=40,
        called_out_of_turn=4, wait=Row.Spread(count=39, mean=840, p90=1630), counter_busy_seconds=21600,
        counter_open_seconds=28800,
    )  # fmt: skip
    total = Row(tickets=41)
    text = shown(
        report_pb2.Report(site="sites/malang", from_day="2026-11-01", to_day="2026-11-30", rows=[row], total=total)
    )
    lines = text.splitlines()
    assert lines[0].strip() == "sites/malang, 2026-11-01 to 2026-11-30"
    assert lines[2].split() == ["imigrasi", "41", "36", "2", "3", "14.0", "27.2", "10", "%", "75", "%"]
    assert lines[-1].split()[:2] == ["total", "41"]


def test_what_is_not_known_is_a_dash() -> None:
    text = shown(report_pb2.Report(site="sites/malang", rows=[Row(group="", tickets=1)], total=Row(tickets=1)))
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["-", "total"]


def test_the_file_is_what_came(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    report._write(file, "a,b\r\nĀ,2\r\n")
    assert file.read_bytes() == "a,b\r\nĀ,2\r\n".encode()


def test_a_week_ends_with_its_last_day() -> None:
    assert report._days_before("2026-03-03", 6) == "2026-02-25"
    assert report._days_before("soon", 6) == "soon"  # the service refuses it, naming the field
