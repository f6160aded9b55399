"""A report as a table for spreadsheets: CSV of RFC 4180. Knows the report's message; computes nothing but minutes' absence.

The English names are a contract: columns are only ever added, at the end. The Indonesian ones are for people.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from mpp.queue.v1 import report_pb2

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
ZONE = ("time_zone", "Zona waktu", None)
Cell = Callable[[report_pb2.ReportRow], Any]


def _spread(field: str, part: str) -> Cell:
    """Empty where nothing was measured: 0 would be a figure."""

    def cell(row: report_pb2.ReportRow) -> Any:
        spread = getattr(row, field)
        return getattr(spread, part) if spread.count else ""

    return cell


def _plain(field: str) -> Cell:
    return lambda row: getattr(row, field)


def _delivered(row: report_pb2.ReportRow) -> str:
    return "; ".join(f"{d.offering}={d.count}" for d in row.delivered)


def _share_out_of_turn(row: report_pb2.ReportRow) -> str:
    return f"{row.called_out_of_turn / row.called:.4f}" if row.called else ""


COLUMNS: tuple[tuple[str, str, Cell], ...] = (
    ("group", "Kelompok", _plain("group")),
    ("tickets", "Jumlah antrean", _plain("tickets")),
    ("served", "Dilayani", _plain("served")),
    ("no_shows", "Tidak hadir", _plain("no_shows")),
    ("cancelled", "Dibatalkan", _plain("cancelled")),
    ("unserved", "Belum terlayani saat tutup", _plain("unserved")),
    ("transferred_away", "Dialihkan ke antrean lain", _plain("transferred_away")),
    ("transferred_in", "Dialihkan dari antrean lain", _plain("transferred_in")),
    ("missed_calls", "Panggilan terlewat", _plain("missed_calls")),
    ("with_appointment", "Dengan janji temu", _plain("with_appointment")),
    ("without_appointment", "Tanpa janji temu", _plain("without_appointment")),
    ("wait_mean_seconds", "Rata-rata tunggu (detik)", _spread("wait", "mean")),
    ("wait_median_seconds", "Median tunggu (detik)", _spread("wait", "median")),
    ("wait_p90_seconds", "Tunggu persentil ke-90 (detik)", _spread("wait", "p90")),
    ("wait_longest_seconds", "Tunggu terlama (detik)", _spread("wait", "longest")),
    ("walk_mean_seconds", "Rata-rata berjalan ke loket (detik)", _spread("walk", "mean")),
    ("walk_p90_seconds", "Berjalan ke loket persentil ke-90 (detik)", _spread("walk", "p90")),
    ("service_mean_seconds", "Rata-rata layanan (detik)", _spread("service", "mean")),
    ("service_median_seconds", "Median layanan (detik)", _spread("service", "median")),
    ("service_p90_seconds", "Layanan persentil ke-90 (detik)", _spread("service", "p90")),
    ("called", "Dipanggil", _plain("called")),
    ("called_out_of_turn", "Dipanggil di luar urutan", _plain("called_out_of_turn")),
    ("out_of_turn_share", "Bagian di luar urutan", _share_out_of_turn),
    ("counter_busy_seconds", "Loket melayani (detik)", _plain("counter_busy_seconds")),
    ("counter_open_seconds", "Loket buka (detik)", _plain("counter_open_seconds")),
    ("delivered", "Layanan yang diberikan", _delivered),
    ("delivered_none", "Tanpa layanan yang diberikan", _plain("delivered_none")),
    ("delivery_not_recorded", "Layanan tidak dicatat", _plain("delivery_not_recorded")),
    ("appointments_booked", "Janji temu dipesan", _plain("appointments_booked")),
    ("appointments_kept", "Janji temu ditepati", _plain("appointments_kept")),
    ("appointments_missed", "Janji temu tidak ditepati", _plain("appointments_missed")),
    ("appointment_places", "Tempat janji temu", _plain("appointment_places")),
)


def table(report: report_pb2.Report, *, indonesian: bool = False) -> str:
    """A header, a line a row, and the total as the last line (`total`; `Jumlah` under Indonesian words).

    Ends lines with CR LF and quotes where it must. Seconds are whole numbers, shares have a decimal point. The last column
    is the zone of the hours and days.
    """
    out = io.StringIO()
    writer = csv.writer(out)  # the csv module's own dialect is RFC 4180's
    writer.writerow([words if indonesian else name for name, words, _ in (*COLUMNS, ZONE)])
    for row in report.rows:
        writer.writerow([_harmless(cell(row)) for _, _, cell in COLUMNS] + [_harmless(report.time_zone)])
    last = ["Jumlah" if indonesian else "total", *(_harmless(cell(report.total)) for _, _, cell in COLUMNS[1:])]
    writer.writerow([*last, _harmless(report.time_zone)])
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe, which makes it a text (OWASP, CSV injection).

    The catalogue's rules let no name begin so today; this holds also when they change.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
